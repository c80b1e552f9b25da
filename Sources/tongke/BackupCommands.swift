import ArgumentParser
import ControlPlane
import Foundation
import Ledger

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the ledger to a new file, while the relay works.",
    discussion:
      "The copy holds the relay's secrets: keep it as safe as the relay. It is verified before it gets its name.")

  @OptionGroup var relay: RelayOptions
  @Argument(help: "The file to make; it must not exist.", completion: .file())
  var file: String

  func run() throws {
    let data = try relay.configuration().data
    let store = try openLedger(data + "/ledger.sqlite")
    let chain = try withLedgerErrors(file) {
      try store.backup(to: file)
      return try LedgerStore.inspect(path: file)
    }
    Console.line(
      Text.of(
        "cli.backup.done", in: .ofEnvironment,
        ["file": file, "events": String(chain.events), "head": chain.head, "folder": data]))
  }
}

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup in the place of the ledger. The relay must be stopped.",
    discussion: "The backup is verified first; the ledger before it is kept beside it.")

  @OptionGroup var relay: RelayOptions
  @Argument(help: "A file that tongke backup made.", completion: .file())
  var file: String

  func run() throws {
    let data = try relay.configuration().data
    let path = data + "/ledger.sqlite"
    try FileManager.default.createDirectory(
      atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let hadLedger = FileManager.default.fileExists(atPath: path)
    try withLedgerErrors(file) { try LedgerStore.restore(from: file, to: path) }
    Console.line(
      Text.of(
        hadLedger ? "cli.restore.done" : "cli.restore.doneFresh", in: .ofEnvironment,
        ["file": file, "kept": path + ".replaced"]))
  }
}
