import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct TermCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "term", abstract: "Tell of the terms of a relay.", subcommands: [TermListCommand.self])
}

struct TermListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the terms, whether they are published, and how often.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let terms = try await control.with { try await $0.terms() }
    try output.print(terms) { ControlTables.terms(terms, in: $0) }
  }
}

struct TimetableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "timetable", abstract: "Check, publish and print the joint timetable of a term.",
    subcommands: [
      TimetableCheckCommand.self, TimetableFreeCommand.self, TimetableGapsCommand.self, TimetablePublishCommand.self,
      TimetableWeekCommand.self, TimetableCalendarCommand.self,
    ])
}

struct TimetableCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what stands in the way of whom, and what would help.",
    discussion: "Exit status 1 when there are conflicts. Warnings and notes keep no term from being published.")

  enum Severity: String, ExpressibleByArgument, CaseIterable { case conflict, warning, note }

  @OptionGroup var term: TermOptions
  @Option(help: ArgumentHelp("Check this course alone.", valueName: "number")) var course: String?
  @Option(
    help: ArgumentHelp(
      "Tell of these alone. Default for people: conflicts and warnings; for programs: all.", valueName: "severity"))
  var severity: Severity?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { client in
      try await client.check(term: try await term.code(client), course: course, severity: severity?.rawValue)
    }
    let language = Language.ofEnvironment
    let hidesNotes = output.isForPeople && severity == nil
    let findings = hidesNotes ? reply.findings.filter { $0.severity != Severity.note.rawValue } : reply.findings
    if !output.isForPeople || !findings.isEmpty {
      try output.print(reply) { ControlTables.findings(findings, in: $0) }
    }
    if output.isForPeople {
      Console.line(
        Text.of(
          reply.conflicts > 0 ? "cli.check.conflicts" : "cli.check.none", in: language,
          [
            "term": reply.term, "conflicts": "\(reply.conflicts)", "warnings": "\(reply.warnings)",
            "notes": "\(reply.notes)",
          ]))
    }
    if reply.conflicts > 0 { throw ExitCode(1) }
  }
}

struct TimetableFreeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "free", abstract: "Find times that lead and sites have in common, best first.",
    discussion: "Of a course with --course, or of rooms with --lead and --sites.")

  @OptionGroup var term: TermOptions
  @Option(help: ArgumentHelp("The course to find another time for.", valueName: "number")) var course: String?
  @Option(help: ArgumentHelp("The room to lead from.", valueName: "room")) var lead: String?
  @Option(help: ArgumentHelp("The receiving rooms, with commas between.", valueName: "rooms")) var sites: String?
  @Option(help: ArgumentHelp("Weeks, such as 1-16 or odd.", valueName: "weeks")) var weeks: String?
  @Option(help: ArgumentHelp("Length of the lesson, 10…120.", valueName: "minutes")) var minutes: Int?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  private var rooms: [String] {
    (sites ?? "").split(whereSeparator: { ",，、".contains($0) }).map { $0.trimmingCharacters(in: .whitespaces) }
  }

  func validate() throws {
    guard (course != nil) != (lead != nil && !rooms.isEmpty), course == nil || (lead == nil && sites == nil) else {
      throw ValidationError("give --course, or --lead and --sites")
    }
    if let weeks, WeekSet(weeks) == nil { throw ValidationError("--weeks is such as 1-16, 1-8,10 or odd") }
    if let minutes, !(10...120).contains(minutes) { throw ValidationError("--minutes is 10…120") }
  }

  func run() async throws {
    let windows = try await control.with { client in
      let code = try await term.code(client)
      if let course { return try await client.free(term: code, course: course, weeks: weeks, minutes: minutes) }
      return try await client.free(term: code, lead: lead ?? "", sites: rooms, weeks: weeks, minutes: minutes)
    }
    if output.isForPeople, windows.isEmpty { return Console.line(Text.of("cli.free.none", in: .ofEnvironment)) }
    try output.print(windows) { ControlTables.free(windows, in: $0) }
  }
}

struct TimetableGapsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gaps", abstract: "List subjects that the curriculum asks for and a class is not taught.",
    discussion: "A class whose own timetable was never imported is not known to have gaps, nor to have none.")

  @OptionGroup var term: TermOptions
  @Option(name: .customLong("class"), help: ArgumentHelp("Tell of this class alone.", valueName: "number"))
  var schoolClass: String?
  @Option(help: ArgumentHelp("At most so many, 1…100000.", valueName: "count")) var limit = 1_000
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1…100000") }
  }

  func run() async throws {
    let found = try await control.with { client in
      try await client.gaps(term: try await term.code(client), schoolClass: schoolClass, limit: limit + 1)
    }
    let gaps = Array(found.prefix(limit))
    defer {
      if found.count > limit {
        Console.error(Text.of("cli.gaps.more", in: .ofEnvironment, ["limit": "\(limit)"]))
      }
    }
    if output.isForPeople, gaps.isEmpty { return Console.line(Text.of("cli.gaps.none", in: .ofEnvironment)) }
    try output.print(gaps) { ControlTables.gaps(gaps, in: $0) }
  }
}

struct TimetablePublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Make the dated lessons of a term and tell the sites.",
    discussion: "Exit status 1, and nothing published, when there are conflicts. Lessons changed by hand stay so.")

  @OptionGroup var term: TermOptions
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let language = Language.ofEnvironment
    let reply = try await control.with { client in
      do { return try await client.publish(term: try await term.code(client)) } catch ControlError.refused(
        let problem)
      {
        if json { Console.line(try OutputOptions.json(problem)) }
        if !json, let findings = problem.findings, !findings.isEmpty {
          Console.text(ControlTables.findings(findings, in: language).text)
        }
        throw ControlError.refused(problem)
      }
    }
    if json { return Console.line(try OutputOptions.json(reply)) }
    Console.line(
      Text.of(
        "cli.publish.term", in: language,
        [
          "version": "\(reply.version)", "made": "\(reply.made)", "kept": "\(reply.kept)",
          "cancelled": "\(reply.cancelled)",
        ]))
  }
}

struct TimetableWeekCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "week", abstract: "Print a week of a room: for the terminal, the wall, or another program.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, html, cses, csv }

  @OptionGroup var term: TermOptions
  @Option(help: ArgumentHelp("The room.", valueName: "number")) var room: String
  @Option(help: ArgumentHelp("Number of the week in the term, 1…60.", valueName: "week")) var week: Int
  @Option(help: ArgumentHelp("How to write it.", valueName: "format")) var format = Format.text
  @Option(help: ArgumentHelp("Write to a file.", valueName: "file"), completion: .file()) var output: String?
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard WeekSet.weeks.contains(week) else { throw ValidationError("--week is 1…60") }
  }

  func run() async throws {
    let data = try await control.with { client in
      try await client.week(term: try await term.code(client), room: room, week: week, format: format.rawValue)
    }
    try write(data, to: output)
  }
}

/// To a file as it is, to a terminal without what would command it.
func write(_ data: Data, to file: String?) throws {
  if let file {
    try RemoteAccount.refusePath(file)
    guard (try? data.write(to: URL(fileURLWithPath: file))) != nil else {
      throw Refusal("cli.output.unwritable", ["file": file])
    }
  } else if isatty(STDOUT_FILENO) == 1 {
    Console.text(TerminalText.lines(String(decoding: data, as: UTF8.self)))
  } else {
    try? FileHandle.standardOutput.write(contentsOf: data)
  }
}
