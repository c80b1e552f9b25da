import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

/// Which running lesson, and how its floor is printed.
struct FloorOptions: ParsableArguments {
  @Flag(help: "Print the lesson's floor as JSON.") var json = false
  @OptionGroup var control: ControlOptions

  /// Does one thing and says so.
  func act(_ lesson: Identifier, site: String? = nil, _ request: FloorRequest) async throws {
    let (floor, name) = try await control.with { client in
      var request = request
      var name = ""
      if let site {
        let found = try Self.site(site, of: try await client.floor(lesson: "\(lesson)"))
        request.seat = found.seat
        name = Self.name(of: found)
      }
      return (try await client.act(lesson: "\(lesson)", request), name)
    }
    if json { return Console.line(try OutputOptions.json(floor)) }
    tell(request, site: name, floor)
  }

  /// What is done, and what a person in front of the classes would wonder about.
  private func tell(_ request: FloorRequest, site: String, _ floor: FloorReply) {
    let language = Language.ofEnvironment
    func say(_ key: String, _ arguments: [String: String] = [:]) {
      Console.line(Text.of("cli.floor.\(key)", in: language, arguments))
    }
    let isOn = request.on == true
    let key =
      switch request.act {
      case .mute where site.isEmpty: "done.muteAll"
      case .unmute where site.isEmpty: "done.unmuteAll"
      case .grant: isOn ? "done.grant" : "done.withdraw"
      default: "done.\(request.act.rawValue)"
      }
    let medium = request.medium.map { Text.of("cli.floor.medium.\($0.rawValue)", in: language) } ?? ""
    say(key, ["site": site, "medium": medium])
    guard request.act == .call, let called = floor.sites.first(where: { $0.called }) else { return }
    if !called.sending { say("note.silent", ["site": site]) }
    if called.muted { say("note.muted", ["site": site]) }
    if !called.audio { say("note.noAudio", ["site": site]) }
  }

  private static func name(of site: FloorReply.Site) -> String {
    TerminalText.line(site.room.isEmpty ? site.name.isEmpty ? site.seat : site.name : site.room)
  }

  /// The site that is meant: by the room's number, its name where only one has it, or the seat's identifier.
  /// - Throws: `Refusal` that lists the sites.
  static func site(_ text: String, of floor: FloorReply) throws -> FloorReply.Site {
    let wanted = text.lowercased()
    for known in [\FloorReply.Site.seat, \.room, \.name] {
      let found = floor.sites.filter { $0[keyPath: known].lowercased() == wanted && !wanted.isEmpty }
      if found.count == 1 { return found[0] }
      if found.count > 1 {
        throw Refusal("cli.floor.ambiguous", ["site": TerminalText.line(text), "sites": list(found)])
      }
    }
    throw Refusal(
      "cli.floor.unknown",
      ["site": TerminalText.line(text), "sites": floor.sites.isEmpty ? "—" : list(floor.sites)])
  }

  private static func list(_ sites: [FloorReply.Site]) -> String {
    sites.map { site in
      let parts = [site.room, site.name == site.room ? "" : site.name].filter { !$0.isEmpty }
      return TerminalText.line(parts.isEmpty ? site.seat : parts.joined(separator: " "))
    }.joined(separator: Text.of("control.list", in: .ofEnvironment))
  }
}

private let siteHelp: ArgumentHelp = "The site: its room's number, such as P07-2, its room's name, or its seat."

struct LessonFloorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "floor", abstract: "List the sites of a running lesson: who is called, waits to speak, is muted.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let lesson = argument.lesson
    let floor = try await control.with { try await $0.floor(lesson: "\(lesson)") }
    if output.isForPeople, floor.paused { Console.line(Text.of("cli.floor.paused", in: .ofEnvironment)) }
    try output.print(floor) { ControlTables.floor(floor, in: $0) }
  }
}

struct LessonCallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Let everyone see and hear a site (点名发言).")

  @OptionGroup var argument: LessonArgument
  @Argument(help: siteHelp) var site: String
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, site: site, FloorRequest(act: .call)) }
}

struct LessonUncallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uncall", abstract: "End the call: nobody but the lead is seen and heard.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, FloorRequest(act: .uncall)) }
}

/// One site or all of them.
struct SiteOrAll: ParsableArguments {
  @Argument(help: siteHelp) var site: String?
  @Flag(help: "Every site.") var all = false

  func validate() throws {
    if (site != nil) == all { throw ValidationError("name a site, or --all") }
  }
}

struct LessonMuteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mute", abstract: "Take the sound of a site, or of all, also while it is called (静音).")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var who: SiteOrAll
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, site: who.site, FloorRequest(act: .mute)) }
}

struct LessonUnmuteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unmute", abstract: "Let a site, or all, be heard again when called.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var who: SiteOrAll
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, site: who.site, FloorRequest(act: .unmute)) }
}

/// What a site that is thrown out is told.
struct ReasonOption: ParsableArguments {
  @Option(help: ArgumentHelp("Why; the site reads it.", valueName: "text")) var reason: String?

  func validate() throws {
    if let reason, !(1...200).contains(reason.count) { throw ValidationError("--reason is 1…200 characters") }
  }
}

struct LessonEjectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eject", abstract: "End all connections of a site; it may come back (请出).")

  @OptionGroup var argument: LessonArgument
  @Argument(help: siteHelp) var site: String
  @OptionGroup var why: ReasonOption
  @OptionGroup var floor: FloorOptions

  func run() async throws {
    try await floor.act(argument.lesson, site: site, FloorRequest(act: .eject, reason: why.reason))
  }
}

struct LessonBanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ban", abstract: "End all connections of a site and let it not come back before unban (禁止进入).")

  @OptionGroup var argument: LessonArgument
  @Argument(help: siteHelp) var site: String
  @OptionGroup var why: ReasonOption
  @OptionGroup var floor: FloorOptions

  func run() async throws {
    try await floor.act(argument.lesson, site: site, FloorRequest(act: .ban, reason: why.reason))
  }
}

struct LessonUnbanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "unban", abstract: "Let a banned site come back.")

  @OptionGroup var argument: LessonArgument
  @Argument(help: siteHelp) var site: String
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, site: site, FloorRequest(act: .unban)) }
}

struct LessonGrantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grant", abstract: "Switch what a site is let: video, audio, screen or text (授权).",
    discussion: """
      From the start a site is let video and audio, neither screen nor text. With its video off a site sends nothing,
      with its audio off it is not heard also when called.
      """)

  enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }
  enum Medium: String, ExpressibleByArgument, CaseIterable { case video, audio, screen, text }

  @OptionGroup var argument: LessonArgument
  @Argument(help: siteHelp) var site: String
  @Argument(help: "What.") var medium: Medium
  @Argument(help: "Let or not.") var turn: Switch
  @OptionGroup var floor: FloorOptions

  func run() async throws {
    let request = FloorRequest(
      act: .grant, medium: FloorRequest.Medium(rawValue: medium.rawValue), on: turn == .on)
    try await floor.act(argument.lesson, site: site, request)
  }
}

struct LessonPauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Stop all interaction (一键暂停): nobody is called, no hand is up, and no site can change that.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, FloorRequest(act: .pause)) }
}

struct LessonResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let sites raise hands and be called again after a pause.")

  @OptionGroup var argument: LessonArgument
  @OptionGroup var floor: FloorOptions

  func run() async throws { try await floor.act(argument.lesson, FloorRequest(act: .resume)) }
}
