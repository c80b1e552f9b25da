import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Read the audit trail: who did what, when, from where; and prove it whole.",
    subcommands: [AuditListCommand.self, AuditVerifyCommand.self])
}

struct AuditListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List entries of the audit trail, the latest first.")

  @Option(help: ArgumentHelp("First day, such as 2026-09-07.", valueName: "date")) var from: CivilDay?
  @Option(help: ArgumentHelp("Last day.", valueName: "date")) var to: CivilDay?
  @Option(
    help: ArgumentHelp("Of one person, device or token's holder.", valueName: "uuid"),
    transform: { text in
      guard let actor = Identifier(text) else {
        throw ValidationError("--actor is an identifier, as the list prints it")
      }
      return actor
    })
  var actor: Identifier?
  @Option(help: ArgumentHelp("One operation, such as importTables.", valueName: "operation")) var operation: String?
  @Flag(help: "Attempts alone that were refused.") var refused = false
  @Option(help: ArgumentHelp("At most so many, 1…1000000.", valueName: "count")) var limit = 200
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit is 1…1000000") }
  }

  func run() async throws {
    let query = AuditListQuery(
      from: from?.text, to: to?.text, actor: actor.map { "\($0)" }, operation: operation,
      outcome: refused ? "refused" : nil)
    let page = try await control.with { try await $0.audit(query, atMost: limit) }
    if output.isForPeople, page.rows.isEmpty { return Console.line(Text.of("cli.audit.none", in: .ofEnvironment)) }
    try output.print(page) { PlaceTables.audit(page.rows, in: $0) }
    if page.next != nil { Console.error(Text.of("cli.place.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }
}

struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Recompute the chains of the audit trail and of the events.",
    discussion: "Exit status 1, and the place, when something was changed, removed or slipped in.")

  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { try await $0.verifyAudit() }
    if json {
      Console.line(try OutputOptions.json(reply))
    } else {
      tell(reply, .ofEnvironment)
    }
    if !reply.intact { throw ExitCode(1) }
  }

  private func tell(_ reply: ChainReply, _ language: Language) {
    if let entry = reply.firstBrokenEntry {
      Console.line(
        Text.of("cli.audit.broken", in: language, ["entry": "\(entry)", "entries": "\(reply.entries)"]))
    }
    if let event = reply.firstBrokenEvent {
      Console.line(
        Text.of("cli.audit.brokenEvents", in: language, ["event": "\(event)", "events": "\(reply.events)"]))
    }
    if reply.intact {
      Console.line(
        Text.of(
          "cli.audit.intact", in: language,
          ["entries": "\(reply.entries)", "events": "\(reply.events)", "head": String(reply.head.prefix(16))]))
    }
  }
}
