import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Take a list out of a relay as CSV that Excel opens and import takes again.",
    discussion: """
      UTF-8 with the mark that Excel needs, or with --gb18030 as plain Chinese CSV; headers follow the locale. Long \
      numbers stay text, and what would be a formula is none.
      """)

  @Argument(
    help: ArgumentHelp(
      "institutions, rooms, persons, classes, clusters, bells, terms, courses, rosterTotals, localLessons or spaces.",
      valueName: "kind"),
    completion: .list(SheetKind.allCases.map(\.rawValue)),
    transform: { text in
      guard let kind = SheetKind(rawValue: text) else {
        throw ValidationError("a kind is one of \(SheetKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return kind
    })
  var kind: SheetKind
  @Option(help: ArgumentHelp("Courses and local lessons of one term.", valueName: "code")) var term: String?
  @Flag(name: .customLong("gb18030"), help: "As plain CSV is saved by a Chinese Excel.") var isGB18030 = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to a file.", valueName: "file"), completion: .file())
  var output: String?
  @OptionGroup var control: ControlOptions

  func run() async throws {
    if let output { try RemoteAccount.refusePath(output) }
    let (file, leftOut) = try await control.with {
      try await $0.export(kind.rawValue, term: term, encoding: isGB18030 ? "gb18030" : "utf8")
    }
    if let output {
      guard (try? file.write(to: URL(fileURLWithPath: output))) != nil else {
        throw Refusal("cli.output.unwritable", ["file": output])
      }
    } else if isatty(STDOUT_FILENO) == 1, !isGB18030 {
      Console.text(TerminalText.lines(String(decoding: file, as: UTF8.self)))
    } else {
      try? FileHandle.standardOutput.write(contentsOf: file)
    }
    if leftOut > 0 {
      Console.error(Text.of("cli.export.leftOut", in: .ofEnvironment, ["count": "\(leftOut)"]))
    }
  }
}
