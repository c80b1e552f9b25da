import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct SnapshotCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot", abstract: "Keep figures as they are today, signed, and hold later ones against them.",
    subcommands: [SnapshotKeepCommand.self, SnapshotListCommand.self, SnapshotCompareCommand.self])
}

struct SnapshotKeepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keep", abstract: "Keep a report for good.")

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case attendance, coverage, quality
    case screenTime = "screen-time"
    case teachers, resources, spaces, exceptions, minors
  }

  @Argument(help: "The report.") var kind: Kind
  @Option(help: ArgumentHelp("First day, such as 2026-09-01.", valueName: "date")) var from: CivilDay
  @Option(help: ArgumentHelp("Last day.", valueName: "date")) var to: CivilDay
  @Option(help: ArgumentHelp("What is counted: city, county:NAME, school:NUMBER.", valueName: "scope"))
  var scope: String?
  @Option(help: ArgumentHelp("Years of coverage.", valueName: "kind")) var years: FigureYears?
  @Option(help: ArgumentHelp("Taught lessons that make a course offering.", valueName: "count"))
  var minimumLessons: Int?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let query = ReportQuery(
      kind: kind.rawValue, from: from.text, to: to.text, scope: scope, years: years?.rawValue,
      minimumLessons: minimumLessons)
    let kept = try await control.with { try await $0.keepSnapshot(query) }
    if json { return Console.line(try OutputOptions.json(kept)) }
    Console.line(
      Text.of(
        "cli.report.kept", in: .ofEnvironment,
        ["number": "\(kept.number)", "report": kept.report, "from": kept.from, "to": kept.through]))
  }
}

struct SnapshotListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what was kept, the latest first.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let list = try await control.with { try await $0.snapshots() }
    try output.print(list) { FigureWords.snapshots(list, in: $0) }
  }
}

struct SnapshotCompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Count a kept report again and tell what differs.",
    discussion: "Exit status 1 when figures differ, or the snapshot is not what was signed.")

  @Argument(help: "Its number, as tongke report snapshot list prints it.") var number: Int
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let found = try await control.with { try await $0.compare(snapshot: Int64(number)) }
    if !output.isForPeople || !found.differences.isEmpty {
      try output.print(found) { FigureWords.differences(found.differences, in: $0) }
    }
    if output.isForPeople {
      let arguments = ["number": "\(number)"]
      if !found.snapshot.signed { Console.line(Text.of("cli.report.forged", in: .ofEnvironment, arguments)) }
      if found.differences.isEmpty { Console.line(Text.of("cli.report.same", in: .ofEnvironment, arguments)) }
    }
    if !found.differences.isEmpty || !found.snapshot.signed { throw ExitCode(1) }
  }
}

struct CorrectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "correct", abstract: "Put a lesson's figures right, for a reason; the original stays in the log.")

  @OptionGroup var argument: LessonArgument
  @Option(help: ArgumentHelp("Why; without names of persons.", valueName: "text")) var reason: String
  @Flag(inversion: .prefixedNo, help: "Take the lesson out of all figures, or back in.") var exclude: Bool?
  @Option(help: ArgumentHelp("How long it was live.", valueName: "seconds")) var liveSeconds: Int?
  @Option(help: ArgumentHelp("The site whose attendance is corrected: its seat.", valueName: "uuid")) var seat: String?
  @Option(help: ArgumentHelp("How long the site attended.", valueName: "seconds")) var attendedSeconds: Int?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    if (seat == nil) != (attendedSeconds == nil) { throw ValidationError("--seat and --attended-seconds go together") }
    if seat == nil, exclude == nil, liveSeconds == nil {
      throw ValidationError("say what is to hold: --exclude, --live-seconds, or --seat with --attended-seconds")
    }
    if seat != nil, exclude != nil || liveSeconds != nil {
      throw ValidationError("correct the lesson and a seat one after the other")
    }
  }

  func run() async throws {
    let request = CorrectionRequest(
      reason: reason, excluded: exclude, liveSeconds: liveSeconds, seat: seat, attendedSeconds: attendedSeconds)
    let reply = try await control.with { try await $0.correct(lesson: "\(argument.lesson)", request) }
    if json { return Console.line(try OutputOptions.json(reply)) }
    Console.line(
      Text.of(
        "cli.report.corrected", in: .ofEnvironment,
        ["outcome": FigureWords.word(reply.outcome, in: .ofEnvironment), "count": "\(reply.corrections)"]))
  }
}

struct LessonHeadCountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "headcount", abstract: "Note how many pupils of an entry year sit in a site's room.")

  @OptionGroup var argument: LessonArgument
  @Argument(help: "The site: its room's number, such as P07-2, its room's name, or its seat.") var site: String
  @Argument(help: "The year in which the pupils entered the first grade.") var cohort: Int
  @Argument(help: "How many there are.") var count: Int
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1_950...2_999).contains(cohort), (0...Limits.headCount).contains(count) else {
      throw ValidationError("COHORT is a year, COUNT 0…\(Limits.headCount)")
    }
  }

  func run() async throws {
    let lesson = "\(argument.lesson)"
    let (reply, seat) = try await control.with { client in
      let seat = try await Self.seat(site, of: lesson, client)
      let request = HeadCountRequest(seat: seat, cohort: cohort, count: count)
      return (try await client.count(lesson: lesson, request), seat)
    }
    if json { return Console.line(try OutputOptions.json(reply)) }
    let total = reply.seats.first { $0.seat == seat }?.headCount ?? count
    Console.line(
      Text.of(
        "cli.report.counted", in: .ofEnvironment,
        ["cohort": "\(cohort)", "count": "\(count)", "total": "\(total)"]))
  }

  /// Also of a lesson that is over, whose floor is gone: a seat's identifier is taken as it is.
  private static func seat(_ site: String, of lesson: String, _ client: ControlClient) async throws -> String {
    if let seat = Identifier(site) { return "\(seat)" }
    return try FloorOptions.site(site, of: try await client.floor(lesson: lesson)).seat
  }
}
