import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct LessonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lesson", abstract: "List dated lessons, change them one by one, and conduct those that run.",
    subcommands: [
      LessonListCommand.self, LessonMoveCommand.self, LessonSubstituteCommand.self, LessonRoomCommand.self,
      LessonCancelCommand.self, LessonAddCommand.self, LessonLinksCommand.self, LessonWatchCommand.self,
      LessonStopCommand.self,
      LessonFloorCommand.self, LessonCallCommand.self,
      LessonUncallCommand.self, LessonMuteCommand.self, LessonUnmuteCommand.self, LessonGrantCommand.self,
      LessonPauseCommand.self, LessonResumeCommand.self, LessonEjectCommand.self, LessonBanCommand.self,
      LessonUnbanCommand.self, LessonMarkCommand.self, LessonCheckCommand.self, LessonResourceCommand.self,
      LessonPlaybackCommand.self,
      LessonMissedCommand.self, LessonMakeUpCommand.self, LessonHeadCountCommand.self,
    ])
}

struct LessonListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List lessons by date; today's when nothing is chosen, or when the next one is.")

  @Option(help: ArgumentHelp("First day, such as 2026-09-07.", valueName: "date")) var from: CivilDay?
  @Option(help: ArgumentHelp("Last day.", valueName: "date")) var to: CivilDay?
  @Flag(help: "Those that are armed, being taught, or should be.") var now = false
  @Option(help: ArgumentHelp("Those that a room takes part in.", valueName: "number")) var room: String?
  @Option(help: ArgumentHelp("Those of a course.", valueName: "number")) var course: String?
  @Option(help: ArgumentHelp("At most so many, 1…100000.", valueName: "count")) var limit = 1_000
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1…100000") }
  }

  func run() async throws {
    let isToday = from == nil && to == nil && !now && room == nil && course == nil
    var query = LessonQuery(
      from: from?.text, to: to?.text, now: now, room: room, course: course,
      limit: min(limit, 200))
    let today = CivilTime.date(of: Int64(Date().timeIntervalSince1970 * 1_000))
    if isToday {
      query.from = "\(today)"
      query.to = query.from
    }
    let chosen = query
    let (list, following) = try await control.with { client in
      let list = try await client.lessons(chosen, atMost: limit)
      let isAsked = isToday && output.isForPeople && list.lessons.isEmpty
      return (list, isAsked ? try await next(after: today, client) : nil)
    }
    if output.isForPeople, list.lessons.isEmpty { return tellNone(isToday: isToday, following) }
    try output.print(list) { ControlTables.lessons(list.lessons, in: $0) }
    if list.next != nil { Console.error(Text.of("cli.lesson.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }

  /// The next lesson that is to be held, within a year.
  private func next(after today: CivilDate, _ client: ControlClient) async throws(ControlError) -> LessonReply? {
    let query = LessonQuery(from: "\(today + 1)", to: "\(today + 366)", limit: 50)
    return try await client.lessons(query, atMost: 500).lessons.first { $0.state != "cancelled" }
  }

  private func tellNone(isToday: Bool, _ following: LessonReply?) {
    guard isToday else { return Console.line(Text.of("cli.lesson.none", in: .ofEnvironment)) }
    guard let following else { return Console.line(Text.of("cli.lesson.noneToday", in: .ofEnvironment)) }
    Console.line(Text.of("cli.lesson.noneTodayButNext", in: .ofEnvironment))
    Console.text(ControlTables.lessons([following], in: .ofEnvironment).text)
  }
}

/// A lesson as an argument.
struct LessonArgument: ParsableArguments {
  @Argument(
    help: "The lesson's identifier, as tongke lesson list prints it.",
    transform: { text in
      guard let lesson = Identifier(text) else {
        throw ValidationError(Text.of("cli.notALesson", in: .ofEnvironment, ["text": text]))
      }
      return lesson
    })
  var lesson: Identifier
}

/// What every change of a lesson is told.
struct ChangeOptions: ParsableArguments {
  @OptionGroup var argument: LessonArgument
  @Option(help: ArgumentHelp("Why; the sites read it.", valueName: "text")) var reason: String
  @Option(
    help: ArgumentHelp(
      "Refuse when the lesson has been changed since it had this revision. Default: the newest.", valueName: "number"))
  var revision: Int?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...200).contains(reason.unicodeScalars.count) else {
      throw ValidationError("--reason is 1…200 characters")
    }
  }

  func run(_ change: LessonChangeRequest) async throws {
    let changed = try await control.with { client in
      let known = if let revision { revision } else { try await client.revision(lesson: "\(argument.lesson)") }
      return try await tellingFindings(json: json) {
        try await client.change(lesson: "\(argument.lesson)", revision: known, change)
      }
    }
    try show(changed, json: json)
  }
}

/// What every change is told that is held against the rest of the term.
struct ForceOptions: ParsableArguments {
  @Flag(help: "Do it whatever it is in conflict with; the audit trail says that it was forced.") var force = false

  /// What a request says; nothing unless it is forced.
  var value: Bool? { force ? true : nil }
}

/// Prints what a change would be in conflict with before it is refused.
private func tellingFindings<T>(json: Bool, _ body: () async throws -> T) async throws -> T {
  do { return try await body() } catch ControlError.refused(let problem) {
    if json {
      Console.line(try OutputOptions.json(problem))
    } else if let findings = problem.findings, !findings.isEmpty {
      Console.text(ControlTables.findings(findings, in: .ofEnvironment).text)
    }
    throw ControlError.refused(problem)
  }
}

private func show(_ lesson: LessonReply, json: Bool) throws {
  if json { return Console.line(try OutputOptions.json(lesson)) }
  Console.text(ControlTables.lessons([lesson], in: .ofEnvironment).text)
  guard let findings = lesson.findings, !findings.isEmpty else { return }
  Console.text(ControlTables.findings(findings, in: .ofEnvironment).text)
}

struct LessonMoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move", abstract: "Move a lesson to another time (调课).")

  @OptionGroup var change: ChangeOptions
  @Option(help: ArgumentHelp("When it begins, in China: \"2026-09-07 10:10\".", valueName: "time"))
  var start: CivilMoment
  @Option(help: ArgumentHelp("When it ends. Default: as long as it was.", valueName: "time")) var end: CivilMoment?
  @OptionGroup var options: ForceOptions

  func run() async throws {
    try await change.run(
      LessonChangeRequest(
        action: .move, start: start.text, end: end?.text, reason: change.reason, force: options.value))
  }
}

struct LessonSubstituteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "substitute", abstract: "Let another teacher give a lesson (代课).")

  @OptionGroup var change: ChangeOptions
  @Option(help: ArgumentHelp("Who, such as P07/001.", valueName: "school/number")) var teacher: String
  @OptionGroup var options: ForceOptions

  func run() async throws {
    try await change.run(
      LessonChangeRequest(action: .substitute, teacher: teacher, reason: change.reason, force: options.value))
  }
}

struct LessonRoomCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "room", abstract: "Give a school another of its rooms for a lesson.")

  @OptionGroup var change: ChangeOptions
  @Option(help: ArgumentHelp("Which.", valueName: "number")) var room: String
  @OptionGroup var options: ForceOptions

  func run() async throws {
    try await change.run(LessonChangeRequest(action: .room, room: room, reason: change.reason, force: options.value))
  }
}

struct LessonCancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancel a lesson (取消).")

  @OptionGroup var change: ChangeOptions

  func run() async throws {
    try await change.run(LessonChangeRequest(action: .cancel, reason: change.reason))
  }
}

struct LessonAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add a lesson to a course (加课), also five minutes before the bell.")

  @OptionGroup var term: TermOptions
  @Option(help: ArgumentHelp("The course.", valueName: "number")) var course: String
  @Option(help: ArgumentHelp("When it begins, in China: \"2026-09-07 10:10\".", valueName: "time"))
  var start: CivilMoment
  @Option(help: ArgumentHelp("When it ends. Default: as the relay makes it.", valueName: "time")) var end: CivilMoment?
  @Option(help: ArgumentHelp("Why; the sites read it.", valueName: "text")) var reason: String
  @OptionGroup var options: ForceOptions
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...200).contains(reason.unicodeScalars.count) else {
      throw ValidationError("--reason is 1…200 characters")
    }
  }

  func run() async throws {
    let lesson = try await control.with { client in
      let code = try await term.code(client)
      return try await tellingFindings(json: json) {
        try await client.add(
          term: code,
          LessonAddRequest(
            course: course, start: start.text, end: end?.text, reason: reason, force: options.value))
      }
    }
    try show(lesson, json: json)
  }
}
