import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Media

struct SiteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "site", abstract: "Look up rooms, measure them, and accept them (验收).",
    subcommands: [SiteListCommand.self, SiteShowCommand.self, SiteTestCommand.self, SiteAcceptCommand.self])
}

struct SiteListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List rooms: whether they are accepted, and when they were measured.")

  @Option(help: ArgumentHelp("Those of a school.", valueName: "number")) var school: String?
  @Flag(help: "Those alone that are not accepted.") var unaccepted = false
  @OptionGroup var list: ListOptions

  func run() async throws {
    let query = PlaceQuery(institution: school, accepted: unaccepted ? false : nil, search: list.search)
    try await list.run(.rooms, query) { PlaceTables.rooms($0, in: $1) }
  }
}

struct SiteShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tell of one room and what was last measured there.")

  @Argument(help: "Its number.") var room: String
  @OptionGroup var show: ShowOptions

  private struct Site: Encodable {
    var room: RoomReply
    var tests: [RoomTestReply]
  }

  func run() async throws {
    let site = try await show.control.with { client in
      let room: RoomReply = try await client.place(.rooms, [room]).row
      return Site(room: room, tests: try await client.tests(room: room.number))
    }
    if show.json { return Console.line(try OutputOptions.json(site)) }
    let language = Language.ofEnvironment
    Console.text(PlaceTables.rooms([site.room], in: language).text)
    guard let test = site.tests.first else { return Console.line(Text.of("cli.site.never", in: language)) }
    Console.line("")
    Console.text(PlaceTables.findings(test.findings, in: language).text)
  }
}

struct SiteTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Measure the room this machine stands in: devices, codecs and the line to the relay.",
    discussion: """
      Run it on the room's own machine, before lessons rather than during one: it moves up to 70 MiB, within half a \
      minute. The relay keeps what was measured; tongke site accept judges by it.
      """)

  @Argument(help: "The room's number.") var room: String
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let language = Language.ofEnvironment
    if !json { Console.error(Text.of("cli.site.measuring", in: language, ["room": TerminalText.line(room)])) }
    let reply = try await control.with { client in
      let before = ResentSegments()
      let line = try await client.measureLine(room: room)
      let loss = before.flatMap { earlier in ResentSegments().flatMap { $0.permille(since: earlier) } }
      let devices = RoomDevices()
      let host = TerminalText.line(String(ProcessInfo.processInfo.hostName.prefix(60)))
      return try await client.store(
        test: RoomTestRequest(
          source: RoomTest.Source.command.rawValue, device: "tongke \(TongkeVersion.current) (\(host))",
          cameras: devices.cameras, microphones: devices.microphones, speakers: devices.speakers,
          codecs: MediaLibraries.codecs, downlink: line.downlink, uplink: line.uplink, roundTrip: line.roundTrip,
          loss: loss), room: room)
    }
    if json { return Console.line(try OutputOptions.json(reply)) }
    Console.text(PlaceTables.findings(reply.findings, in: language).text)
    Console.line(Text.of("cli.site.tested", in: language, ["room": TerminalText.line(reply.room)]))
  }
}

struct SiteAcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Hold a room against the relay's profile (建设标准), and keep what comes out.",
    discussion: """
      By what tongke site test measured there last; a measurement that is too old is refused. Exit status 1 when \
      something is not met. Courses in rooms that are not accepted are warned of.
      """)

  @Argument(help: "The room's number.") var room: String
  @Flag(help: "As a room that leads lessons, which needs more of its line.") var leading = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let use: AcceptanceProfile.Use = leading ? .leading : .receiving
    let reply = try await control.with { try await $0.accept(room: room, use: use.rawValue) }
    if json {
      Console.line(try OutputOptions.json(reply))
    } else {
      let language = Language.ofEnvironment
      Console.text(PlaceTables.findings(reply.findings, in: language).text)
      Console.line(
        Text.of(
          reply.accepted ? "cli.site.accepted" : "cli.site.notAccepted", in: language,
          [
            "room": TerminalText.line(reply.room), "profile": TerminalText.line(reply.profile),
            "version": "\(reply.version)", "tested": TerminalText.line(reply.testedAt),
          ]))
    }
    if !reply.accepted { throw ExitCode(1) }
  }
}

struct LessonCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say for every site whether devices, line and last measurement are good enough.",
    discussion: "Exit status 1 when one of them is not, or was never measured.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { try await $0.check(lesson: "\(argument.lesson)") }
    let language = Language.ofEnvironment
    if output.isForPeople {
      for site in reply.sites {
        Console.line(TerminalText.line(site.sentence))
        for remedy in site.remedies { Console.line("  " + TerminalText.line(remedy)) }
      }
      Console.line(
        Text.of(
          reply.sites.isEmpty ? "cli.lesson.noSites" : reply.good ? "cli.lesson.good" : "cli.lesson.bad", in: language,
          ["count": "\(reply.sites.count { !$0.good })", "sites": "\(reply.sites.count)"]))
    } else {
      try output.print(reply) { PlaceTables.sites(reply.sites, in: $0) }
    }
    if !reply.good { throw ExitCode(1) }
  }
}
