import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Bring lists of schools, rooms, classes, teachers, clusters and courses into a relay.",
    discussion: """
      CSV as Excel saves it (UTF-8 or GB18030, headers in Chinese or English) or CSES; all files are taken together or \
      none is. What a file holds is told by its headers. The same files twice change nothing; rows that they leave out \
      stay unless --delete-missing is given.
      """)

  @Argument(help: "Files, in any order; - reads standard input.", completion: .file()) var files: [String]
  @Option(
    help: ArgumentHelp("What the files hold. Default: told by their headers.", valueName: "kind"),
    completion: .list(SheetKind.allCases.map(\.rawValue)),
    transform: { text in
      guard SheetKind(rawValue: text) != nil else {
        throw ValidationError("--kind is one of \(SheetKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return text
    })
  var kind: String?
  @Option(help: ArgumentHelp("Term of the rows that name none.", valueName: "code")) var term: String?
  @Option(
    help: ArgumentHelp("School year that grades are meant in, such as 2026-2027.", valueName: "year"),
    transform: { text in
      guard let year = try? CellText.schoolYear(text) else {
        throw ValidationError("--school-year is a year such as 2026-2027")
      }
      return year
    })
  var schoolYear: Int?
  @Option(name: .customLong("class"), help: ArgumentHelp("Class of a local timetable.", valueName: "number"))
  var schoolClass: String?
  @Option(help: ArgumentHelp("Teacher of a local timetable, such as P07/001.", valueName: "school/number"))
  var teacher: String?
  @Flag(help: "Say what would change, and change nothing.") var dryRun = false
  @Flag(help: "Remove what the files leave out. Lessons that were taught stay.") var deleteMissing = false
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("name a file, or - for standard input") }
    if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input can be read once") }
  }

  func run() async throws {
    let request = ImportRequest(
      files: try read(), term: term, schoolYear: schoolYear, schoolClass: schoolClass, teacher: teacher,
      deleteMissing: deleteMissing, dryRun: dryRun)
    let language = Language.ofEnvironment
    let reply = try await control.with { client in
      do { return try await client.importFiles(request) } catch ControlError.refused(let problem) {
        throw try refusal(problem)
      }
    }
    if output.isForPeople, reply.lines.isEmpty == false {
      Console.text(ControlTables.lines(reply.lines, in: language).text)
    }
    if !output.isForPeople { try output.print(reply) { ControlTables.lines(reply.lines, in: $0) } }
    guard output.isForPeople else { return }
    let counts = reply.counts
    Console.line(
      Text.of(
        reply.applied ? "cli.import.done" : "cli.import.dry", in: language,
        [
          "add": "\(counts.add)", "change": "\(counts.change)", "same": "\(counts.same)",
          "absent": "\(counts.absent)", "remove": "\(counts.remove)",
        ]))
  }

  /// Prints what is wrong with the files, and returns what to leave with.
  private func refusal(_ problem: ProblemReply) throws -> any Error {
    guard let issues = problem.issues, !issues.isEmpty else { return ControlError.refused(problem) }
    if output.json {
      Console.line(try OutputOptions.json(problem))
    } else {
      let table = ControlTables.issues(issues, in: .ofEnvironment)
      output.csv ? Console.text(table.csv) : Console.text(table.text)
    }
    return ControlError.refused(problem)
  }

  private func read() throws -> [ImportRequest.File] {
    var rest = CSVReader.byteLimit
    return try files.flatMap { path -> [ImportRequest.File] in
      let isInput = path == "-"
      try RemoteAccount.refusePath(path)
      let data: Data
      do {
        let handle =
          isInput ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        data = try handle.read(upToCount: rest + 1) ?? Data()
      } catch { throw Refusal("cli.import.unreadable", ["file": path]) }
      rest -= data.count
      guard rest >= 0 else {
        throw Refusal("cli.import.tooLarge", ["megabytes": "\(CSVReader.byteLimit / 1_000_000)"])
      }
      guard isInput, SheetArchive.isArchive(data) else {
        let name = isInput ? "stdin" : URL(fileURLWithPath: path).lastPathComponent
        return [ImportRequest.File(name: name, data: data, kind: kind)]
      }
      do throws(SheetArchive.Failure) {
        return try SheetArchive.files(data).map { ImportRequest.File(name: $0.name, data: $0.data, kind: kind) }
      } catch { throw Refusal("cli.import.badArchive", [:]) }
    }
  }
}
