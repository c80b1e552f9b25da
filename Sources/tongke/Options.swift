import ArgumentParser
import Classroom
import ControlPlane
import Foundation
import Ledger

/// Which relay a command is about.
struct RelayOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Configuration file. Default: \(RelayOptions.systemFile) when there is one.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Data folder. Default: as configured, else /var/lib/tongke, else ~/.local/share/tongke.", valueName: "dir"),
    completion: .directory)
  var data: String?

  static let systemFile = "/etc/tongke/tongke.yaml"

  /// Reads the configuration and decides the data folder.
  /// - Throws: `Refusal` that names the line.
  func configuration() throws -> RelayConfiguration {
    let file = config ?? (FileManager.default.fileExists(atPath: Self.systemFile) ? Self.systemFile : nil)
    var configuration = RelayConfiguration()
    if let file {
      do { configuration = try RelayConfiguration(file: file) } catch {
        throw Refusal(words: error.message(in: .ofEnvironment, file: file))
      }
    }
    if let data {
      configuration.data = data
    } else if file == nil, !Self.isWritable(configuration.data) {
      configuration.data = NSHomeDirectory() + "/.local/share/tongke"
      Console.error(Text.of("cli.data.fallback", in: .ofEnvironment, ["folder": configuration.data]))
    }
    return configuration
  }

  /// Whether the folder, or the nearest one above it, may be written.
  private static func isWritable(_ folder: String) -> Bool {
    var folder = folder
    while folder.count > 1, !FileManager.default.fileExists(atPath: folder) {
      folder = (folder as NSString).deletingLastPathComponent
    }
    return access(folder, W_OK | X_OK) == 0
  }

  func ledgerPath() throws -> String {
    let path = try configuration().data + "/ledger.sqlite"
    try RemoteAccount.refusePath(path)
    return path
  }
}

/// Tells the ledger's refusals in words.
func withLedgerErrors<T>(_ name: String, _ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as LedgerError {
    switch error {
    case .notFound, .notALedger, .newerVersion, .chainBroken, .alreadyExists, .inUse, .diskFull:
      throw Refusal("cli.ledger.\(error)", ["name": name])
    default: throw Refusal("cli.ledger.other", ["name": name, "error": "\(error)"])
    }
  } catch let error as Refusal { throw error } catch {
    throw Refusal("cli.ledger.other", ["name": name, "error": error.localizedDescription])
  }
}

/// The ledger of a command that only reads; a missing one is told and not made.
func openLedger(_ path: String) throws -> LedgerStore {
  try withLedgerErrors(path) {
    guard FileManager.default.fileExists(atPath: path) else { throw LedgerError.notFound }
    return try LedgerStore(path: path) { Int64(Date().timeIntervalSince1970 * 1_000) }
  }
}
