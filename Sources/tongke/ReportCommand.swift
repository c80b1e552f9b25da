import ArgumentParser
import Classroom
import ControlPlane
import Foundation
import Ledger

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Tell what lessons came to, and prove the records.",
    subcommands: [
      AttendanceReportCommand.self, CoverageReportCommand.self, QualityReportCommand.self,
      ScreenTimeReportCommand.self, TeachersReportCommand.self, ResourcesReportCommand.self,
      SpacesReportCommand.self, ExceptionsReportCommand.self, MinorsReportCommand.self, LedgerReportCommand.self,
      SnapshotCommand.self, CorrectCommand.self, LessonReportCommand.self, VerifyCommand.self, OutboxCommand.self,
    ])
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
  @Option(
    help: ArgumentHelp(
      "Hold the ledger against heads that were lodged elsewhere (tongke report ledger --heads-out).",
      valueName: "file"), completion: .file())
  var heads: String?
  @Flag(help: "Print JSON.") var json = false

  private struct Output: Encodable {
    var events: Int
    var intact: Bool
    var firstBroken: Int64?
    var head: String
    /// What was found against the heads; absent when none were given.
    var findings: [String]?
  }

  func run() throws {
    let path = try relay.ledgerPath()
    let chain = try withLedgerErrors(path) { try LedgerStore.inspect(path: path) }
    let lodged = try heads.map { try Self.lodged($0) }
    let findings = try lodged.map { lodged in
      try withLedgerErrors(path) { try LedgerStore.inspect(path: path, against: lodged) }
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let output = Output(
        events: chain.events, intact: chain.isIntact, firstBroken: chain.firstBroken, head: chain.head,
        findings: findings.map { $0.map(\.code) })
      Console.line(String(decoding: try encoder.encode(output), as: UTF8.self))
    } else {
      Console.line(
        Text.of(
          chain.isIntact ? "cli.verify.intact" : "cli.verify.broken", in: .ofEnvironment,
          [
            "events": String(chain.events), "head": chain.head, "event": chain.firstBroken.map(String.init) ?? "?",
          ]))
      if let findings, let lodged { tell(findings, of: lodged) }
    }
    if !chain.isIntact || findings?.isEmpty == false { throw ExitCode(1) }
  }

  private static func lodged(_ file: String) throws -> SignedHeads {
    guard let data = FileManager.default.contents(atPath: file), data.count <= 64 << 20,
      let lodged = try? JSONDecoder().decode(SignedHeads.self, from: data)
    else { throw Refusal("cli.report.heads.unreadable", ["file": file]) }
    return lodged
  }

  private func tell(_ findings: [HeadFinding], of lodged: SignedHeads) {
    for finding in findings {
      var arguments: [String: String] = [:]
      switch finding {
      case .cutTail(let event, let events): arguments = ["lodged": "\(event)", "events": "\(events)"]
      case .missingDay(let day), .rebuilt(let day): arguments = ["day": TerminalText.line(day)]
      case .broken(let event): arguments = ["event": "\(event)"]
      case .badSignature, .otherRelay, .otherKey: break
      }
      Console.line(Text.of("cli.report.head.\(finding.code)", in: .ofEnvironment, arguments))
    }
    if findings.isEmpty {
      Console.line(
        Text.of(
          "cli.report.heads.fit", in: .ofEnvironment, ["file": heads ?? "", "count": "\(lodged.heads.count)"]))
    }
  }
}
