import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

/// How a playback is printed.
struct PlaybackOptions: ParsableArguments {
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func show(_ playback: PlaybackReply) throws {
    if json { return Console.line(try OutputOptions.json(playback)) }
    let language = Language.ofEnvironment
    guard let source = playback.source else { return Console.line(Text.of("cli.playback.noSource", in: language)) }
    Console.line(
      Text.of(
        "cli.playback.line", in: language,
        [
          "state": Text.of("cli.playback.state.\(playback.state.rawValue)", in: language),
          "position": Self.time(playback.position), "length": Self.time(playback.length),
          "title": TerminalText.line(playback.title ?? ""), "source": TerminalText.line(source),
        ]))
  }

  private static func time(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds / 1_000)
    let rest = String(format: "%02lld:%02lld", seconds / 60 % 60, seconds % 60)
    return seconds < 3_600 ? rest : "\(seconds / 3_600):\(rest)"
  }
}

struct LessonResourceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resource", abstract: "Say which recorded lesson an asynchronous lesson (异步双师) plays.",
    discussion: """
      What was not published may be played to the rooms that had the recorded lesson, for 14 days.
      """)

  @OptionGroup var argument: LessonArgument
  @Argument(
    help: "The recorded lesson's identifier; none takes it back.",
    transform: { text in
      guard let lesson = Identifier(text) else {
        throw ValidationError(Text.of("cli.notALesson", in: .ofEnvironment, ["text": text]))
      }
      return lesson
    })
  var source: Identifier?
  @OptionGroup var playback: PlaybackOptions

  func run() async throws {
    let (lesson, source) = (argument.lesson, source)
    try playback.show(
      try await playback.control.with {
        try await $0.setPlaybackSource(lesson: "\(lesson)", PlaybackSource(source: source.map { "\($0)" }))
      })
  }
}

struct LessonPlaybackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "playback",
    abstract: "Show what an asynchronous lesson plays, and play, pause, resume, seek or stop it.")

  enum Action: String, ExpressibleByArgument, CaseIterable { case show, play, pause, resume, seek, stop }

  @OptionGroup var argument: LessonArgument
  @Argument(help: "What to do.") var action: Action = .show
  @Argument(
    help: "Of seek: where to, such as 12:30 or 1:05:09.",
    transform: { text in
      guard let position = LessonPlaybackCommand.milliseconds(text) else {
        throw ValidationError(Text.of("cli.playback.badPosition", in: .ofEnvironment, ["text": text]))
      }
      return position
    })
  var position: Int64?
  @OptionGroup var playback: PlaybackOptions

  func validate() throws {
    if (action == .seek) != (position != nil) { throw ValidationError("a position goes with seek") }
  }

  func run() async throws {
    let (lesson, action, position) = ("\(argument.lesson)", action, position)
    let reply = try await playback.control.with { client in
      guard let act = PlaybackRequest.Action(rawValue: action.rawValue) else {
        return try await client.playback(lesson: lesson)
      }
      return try await client.play(lesson: lesson, PlaybackRequest(action: act, position: position))
    }
    try playback.show(reply)
  }

  /// Hours, minutes and seconds; below 100 hours. Nil for anything else.
  static func milliseconds(_ text: String) -> Int64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count) else { return nil }
    var seconds: Int64 = 0
    for (place, part) in parts.enumerated() {
      guard (1...6).contains(part.count), part.allSatisfy({ ("0"..."9").contains($0) }), let value = Int64(part),
        place == 0 || value < 60
      else { return nil }
      seconds = seconds * 60 + value
    }
    return seconds < 360_000 ? seconds * 1_000 : nil
  }
}

struct LessonMissedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "missed",
    abstract: "List recorded lessons that sites missed in the last 14 days, each with the site's next free period.")

  @Option(help: ArgumentHelp("Those of one room.", valueName: "number")) var site: String?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let site = site
    let list = try await control.with { try await $0.missedLessons(site: site) }
    if output.isForPeople, list.missed.isEmpty {
      return Console.line(Text.of("cli.missed.none", in: .ofEnvironment))
    }
    try output.print(list) { ControlTables.missed(list, in: $0) }
  }
}

struct LessonMakeUpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "make-up",
    abstract: "Let a site see a lesson that it missed (补课), as an asynchronous lesson in its next free period.")

  @OptionGroup var argument: LessonArgument
  @Option(help: ArgumentHelp("The site's room.", valueName: "number")) var site: String
  @Option(help: ArgumentHelp("When it begins, in China. Default: the next free period.", valueName: "time"))
  var start: CivilMoment?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let request = MakeUpRequest(site: site, start: start?.text)
    let lesson = "\(argument.lesson)"
    let made = try await control.with { try await $0.makeUp(lesson: lesson, request) }
    if json { return Console.line(try OutputOptions.json(made)) }
    Console.text(ControlTables.lessons([made], in: .ofEnvironment).text)
  }
}
