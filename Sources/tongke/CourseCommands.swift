import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct CourseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "course", abstract: "Tell of the courses of a term, and change one.",
    subcommands: [CourseListCommand.self, CourseShowCommand.self, CourseSetCommand.self, CourseRecordCommand.self])
}

struct CourseListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the courses of a term: who leads, who receives, and when.")

  @OptionGroup var term: TermOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let courses = try await control.with { try await $0.courses(term: try await term.code($0)) }
    try output.print(courses) { ControlTables.courses(courses, in: $0) }
  }
}

struct CourseShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Tell of one course, column by column as a sheet of courses has it, with its version.")

  @Argument(help: "The course's number.") var course: String
  @OptionGroup var term: TermOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let shown = try await control.with { try await $0.course(course, term: try await term.code($0)) }
    try output.print(shown) { ControlTables.course(shown, in: $0) }
  }
}

struct CourseSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Change columns of one course, such as times=周三第2节 adoptedBy=P07-2.",
    discussion: """
      Columns and values are those of a sheet of courses, in Chinese or English. Dated lessons of a published term \
      follow at the next publication.
      """)

  @Argument(help: "The course's number.") var course: String
  @Argument(help: ArgumentHelp("Columns and what they become.", valueName: "column=value")) var changes: [String]
  @Option(
    help: ArgumentHelp(
      "Refuse when the course has been changed since it had this version. Default: the newest.", valueName: "version"))
  var version: String?
  @OptionGroup var term: TermOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  private var fields: [String: String] {
    Dictionary(
      changes.compactMap { change in
        change.firstIndex(of: "=").map { (String(change[..<$0]), String(change[change.index(after: $0)...])) }
      }
    ) { $1 }
  }

  func validate() throws {
    guard !changes.isEmpty, fields.count == changes.count, fields.keys.allSatisfy({ !$0.isEmpty }) else {
      throw ValidationError("give column=value, each column once")
    }
  }

  func run() async throws {
    let changed = try await control.with { client in
      let code = try await term.code(client)
      let known = if let version { version } else { try await client.course(course, term: code).version }
      do {
        return try await client.change(course: course, term: code, version: known, CourseChangeRequest(fields: fields))
      } catch ControlError.refused(let problem) {
        if let issues = problem.issues, !issues.isEmpty {
          if output.json { Console.line(try OutputOptions.json(problem)) }
          if output.isForPeople { Console.text(ControlTables.issues(issues, in: .ofEnvironment).text) }
        }
        throw ControlError.refused(problem)
      }
    }
    try output.print(changed) { ControlTables.course(changed, in: $0) }
  }
}
