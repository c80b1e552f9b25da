import ArgumentParser
import Classroom
import ControlPlane
import Foundation
import Ledger

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Tell what lessons came to, and prove the records.",
    subcommands: [LessonReportCommand.self, VerifyCommand.self, OutboxCommand.self])
}

struct LessonReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lesson", abstract: "Who had how much of a lesson, recounted from its events.")

  @OptionGroup var relay: RelayOptions
  @Argument(
    help: "The lesson's identifier, a UUID.",
    transform: { text in
      guard let lesson = Identifier(text) else {
        throw ValidationError(Text.of("cli.notALesson", in: .ofEnvironment, ["text": text]))
      }
      return lesson
    })
  var lesson: Identifier
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Print CSV, a row for each seat.") var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
  }

  func run() throws {
    let store = try openLedger(try relay.ledgerPath())
    let report = try withLedgerErrors("\(lesson)") { try LessonReportText(store.report(lesson: lesson)) }
    Console.text(json ? report.json + "\n" : csv ? report.csv : report.table(in: .ofEnvironment))
  }
}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Recompute the whole chain of events; may run beside a relay at work.")

  @OptionGroup var relay: RelayOptions
  @Flag(help: "Print JSON.") var json = false

  private struct Output: Encodable {
    var events: Int
    var intact: Bool
    var firstBroken: Int64?
    var head: String
  }

  func run() throws {
    let path = try relay.ledgerPath()
    let chain = try withLedgerErrors(path) { try LedgerStore.inspect(path: path) }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let output = Output(
        events: chain.events, intact: chain.isIntact, firstBroken: chain.firstBroken, head: chain.head)
      Console.line(String(decoding: try encoder.encode(output), as: UTF8.self))
    } else {
      Console.line(
        Text.of(
          chain.isIntact ? "cli.verify.intact" : "cli.verify.broken", in: .ofEnvironment,
          [
            "events": String(chain.events), "head": chain.head, "event": chain.firstBroken.map(String.init) ?? "?",
          ]))
    }
    if !chain.isIntact { throw ExitCode(1) }
  }
}
