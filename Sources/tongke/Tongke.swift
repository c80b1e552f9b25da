import ArgumentParser
import ControlPlane
import Foundation

/// The one executable: relay, clients and the operator's tools. Each command parses, wires and reports; the work is in
/// the parts below.
@main
struct Tongke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tongke",
    abstract: "Synchronous classrooms: one lead school's lesson, live to every teaching point.",
    discussion: "Exit status: 0 done, 1 refused or found problems, 2 wrong usage.",
    version: "tongke \(TongkeVersion.current)",
    subcommands: [
      ServeCommand.self, DemoCommand.self, PublishCommand.self, ReceiveCommand.self, DoctorCommand.self,
      ReportCommand.self, BackupCommand.self, RestoreCommand.self, TokenCommand.self, AccountCommand.self,
      DeviceCommand.self, LoginCommand.self,
      LogoutCommand.self, ImportCommand.self, TermCommand.self, CourseCommand.self, TimetableCommand.self,
      LessonCommand.self, SchoolCommand.self, SiteCommand.self, ClassCommand.self, PersonCommand.self,
      ClusterCommand.self, ExportCommand.self, ResourceCommand.self, AuditCommand.self, RemoteCommand.self,
    ])

  /// Parses and runs; usage errors leave with 2 in place of the parser's 64.
  static func main() async {
    // A reader of ours that goes away is an error of that write, not the end of a relay.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let refusal as Refusal {
      Console.error("tongke: " + refusal.message)
      Foundation.exit(1)
    } catch  where exitCode(for: error) == .validationFailure {
      Console.error(fullMessage(for: error))
      Foundation.exit(2)
    } catch { exit(withError: error) }
  }
}

/// Why a command was not carried out, in the language of whoever gave it. Leaves with 1.
struct Refusal: Error {
  var message: String

  /// Labelled, since a key of the catalogue is a string as well.
  init(words: String) { message = words }

  init(_ key: String, _ arguments: [String: String] = [:]) {
    message = Text.of(key, in: .ofEnvironment, arguments)
  }
}

enum Console {
  /// A line on standard output, there at once also when that is a pipe.
  static func line(_ text: String) { write(text + "\n", to: .standardOutput) }

  static func text(_ text: String) { write(text, to: .standardOutput) }

  static func error(_ text: String) { write(text + "\n", to: .standardError) }

  private static func write(_ text: String, to handle: FileHandle) {
    // Nobody is left to be told that nobody listens.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}
