import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

/// Which days and places figures are about, and how they are written.
struct FigureOptions: ParsableArguments {
  @Option(help: ArgumentHelp("First day, such as 2026-09-01.", valueName: "date")) var from: CivilDay
  @Option(help: ArgumentHelp("Last day.", valueName: "date")) var to: CivilDay
  @Option(
    help: ArgumentHelp(
      "What is counted: city, county:NAME, school:NUMBER. Default: all that you may see.", valueName: "scope"))
  var scope: String?
  @OptionGroup var output: OutputOptions
  @Flag(help: "Write a page that prints on A4.") var html = false
  @Option(
    help: ArgumentHelp("Which table --csv writes, by its name in --json. Default: the main one.", valueName: "name"))
  var table: String?
  @Option(
    name: .customLong("output"), help: ArgumentHelp("Write to a file.", valueName: "file"), completion: .file())
  var file: String?
  @OptionGroup var control: ControlOptions

  func validate() throws {
    if html, !output.isForPeople { throw ValidationError("--html, --json and --csv exclude each other") }
    if table != nil, !output.csv { throw ValidationError("--table goes with --csv") }
    guard from.text <= to.text else {
      throw ValidationError(
        Text.of("cli.report.daysReversed", in: .ofEnvironment, ["from": from.text, "to": to.text]))
    }
  }

  func query(_ kind: String, years: FigureYears? = nil, minimumLessons: Int? = nil) -> ReportQuery {
    ReportQuery(
      kind: kind, from: from.text, to: to.text, scope: scope, years: years?.rawValue, minimumLessons: minimumLessons)
  }

  func run(_ query: ReportQuery) async throws {
    if html { return try write(try await control.with { try await $0.reportPage(query) }, to: file) }
    let report = try await control.with { try await $0.report(query) }
    if output.json { return try write(Data((try OutputOptions.json(report) + "\n").utf8), to: file) }
    guard output.csv else {
      return try write(Data(FigureWords.text(report, in: .ofEnvironment).utf8), to: file)
    }
    guard let csv = FigureWords.csv(report, table: table) else {
      throw Refusal("cli.report.noTable", ["name": TerminalText.line(table ?? "")])
    }
    try write(Data(csv.utf8), to: file)
  }
}

/// How coverage cuts years.
enum FigureYears: String, ExpressibleByArgument, CaseIterable { case calendar, school }

/// Figures that nothing but days and places is said about; the command has the name of their kind.
protocol PlainReportCommand: AsyncParsableCommand {
  var figures: FigureOptions { get }
}

extension PlainReportCommand {
  func run() async throws { try await figures.run(figures.query(Self.configuration.commandName ?? "")) }
}

struct AttendanceReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "attendance", abstract: "Who had how much of which lessons, connected and confirmed.")
  @OptionGroup var figures: FigureOptions
}

struct CoverageReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage", abstract: "Lessons, class hours, course offerings, and which rural schools they reach.")

  @OptionGroup var figures: FigureOptions
  @Option(help: ArgumentHelp("Years from January, or from September.", valueName: "kind")) var years: FigureYears?
  @Option(
    help: ArgumentHelp("Taught lessons that make a course offering, in place of the definitions'.", valueName: "count")
  )
  var minimumLessons: Int?

  func validate() throws {
    if let minimumLessons, !(1...1_000).contains(minimumLessons) {
      throw ValidationError("--minimum-lessons is 1…1000")
    }
  }

  func run() async throws {
    try await figures.run(figures.query("coverage", years: years, minimumLessons: minimumLessons))
  }
}

struct QualityReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "quality", abstract: "How the line of each room was, month by month.")
  @OptionGroup var figures: FigureOptions
}

struct ScreenTimeReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "screen-time", abstract: "How long classes looked at lessons, against the policy.")
  @OptionGroup var figures: FigureOptions
}

struct TeachersReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "teachers", abstract: "How much each teacher led.")
  @OptionGroup var figures: FigureOptions
}

struct ResourcesReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "resources", abstract: "What became of recordings, and how they were played.")
  @OptionGroup var figures: FigureOptions
}

struct SpacesReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "spaces", abstract: "How personal and institutional spaces are used.")
  @OptionGroup var figures: FigureOptions
}

struct ExceptionsReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "exceptions", abstract: "What an overseer has to look into: not taught, over time, poor lines.")
  @OptionGroup var figures: FigureOptions
}

struct MinorsReportCommand: PlainReportCommand {
  static let configuration = CommandConfiguration(
    commandName: "minors", abstract: "What is kept of minors, for the yearly audit.")
  @OptionGroup var figures: FigureOptions
}

/// The relay's identity and the heads of its chain, to be lodged elsewhere; or facts for a county of several relays.
struct LedgerReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "The relay's identity and the signed heads of its days.",
    discussion: "Have --heads-out kept elsewhere: tongke report verify --heads shows any later rewriting by it.")

  @Option(help: ArgumentHelp("Write the signed heads to a file.", valueName: "file"), completion: .file())
  var headsOut: String?
  @Option(
    help: ArgumentHelp(
      "Write the facts of lessons between --from and --to, to be put together with other relays'.", valueName: "file"),
    completion: .file())
  var factsOut: String?
  @Option(help: ArgumentHelp("First day of the facts.", valueName: "date")) var from: CivilDay?
  @Option(help: ArgumentHelp("Last day of the facts.", valueName: "date")) var to: CivilDay?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    if factsOut != nil, from == nil || to == nil { throw ValidationError("--facts-out needs --from and --to") }
  }

  func run() async throws {
    let heads = try await control.with { try await $0.ledgerHeads() }
    if let headsOut { try write(Data((try OutputOptions.json(heads) + "\n").utf8), to: headsOut) }
    if let factsOut, let from, let to {
      try write(try await control.with { try await $0.ledgerFacts(from: from.text, to: to.text) }, to: factsOut)
    }
    guard output.isForPeople else {
      return try output.print(heads) { language in
        var table = TextTable(["day", "event", "hash"].map { .init($0, isNumber: $0 == "event") })
        for head in heads.heads { table.add([head.day, "\(head.event)", head.hash]) }
        return table
      }
    }
    let last = heads.heads.last
    Console.line(
      Text.of(
        "cli.report.heads", in: .ofEnvironment,
        [
          "relay": TerminalText.line(heads.relay), "days": "\(heads.heads.count)", "event": "\(last?.event ?? 0)",
          "hash": TerminalText.line(last?.hash ?? "—"),
        ]))
    if let headsOut { Console.line(Text.of("cli.report.headsOut", in: .ofEnvironment, ["file": headsOut])) }
  }
}
