import ArgumentParser
import Classroom
import ControlPlane
import Foundation
import Ledger

struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make, list and revoke tokens, on the relay's own machine.",
    discussion: "Works on the data folder, beside a relay at work, for whoever may read its files.",
    subcommands: [TokenIssueCommand.self, TokenRevokeCommand.self, TokenListCommand.self])
}

struct TokenIssueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "issue", abstract: "Make a token and print it; it is shown once and kept nowhere.",
    discussion: "Without a role it is the operator's, who runs the relay and may appoint everybody else.")

  @OptionGroup var relay: RelayOptions
  @Option(
    help: ArgumentHelp(
      "A role, such as countyCoordinator; may be given again, each with its --scope.", valueName: "role"),
    transform: { try read($0, Role(rawValue: $0)) })
  var role: [Role] = []
  @Option(
    help: ArgumentHelp(
      "Its scope: city, county:NAME, school:UUID, room:UUID or lesson:UUID.", valueName: "scope"),
    transform: { try read($0, Scope($0)) })
  var scope: [Scope] = []
  @Option(
    help: ArgumentHelp("Whose it is. Default: the operator's.", valueName: "uuid"),
    transform: { try read($0, Identifier($0)) })
  var person: Identifier?
  @Option(help: ArgumentHelp("How long it is good, 1…400.", valueName: "days"))
  var days: Int64 = 30
  @Option(help: ArgumentHelp("What it is for, for the list.", valueName: "text"))
  var label = ""

  func validate() throws {
    guard role.count == scope.count else { throw ValidationError("each --role needs its --scope") }
  }

  func run() throws {
    let grants = role.isEmpty ? AccessDesk.operatorGrants : zip(role, scope).map { Grant($0, $1) }
    let token = try withDesk(relay) { desk in
      try desk.issue(to: person ?? AccessClaims.operator, grants: grants, days: days, label: label).token
    }
    Console.line(token)
  }
}

struct TokenRevokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Make a token, or all of one holder, worth nothing at once.")

  @OptionGroup var relay: RelayOptions
  @Option(
    help: ArgumentHelp("A person, device or seat, all of whose tokens end.", valueName: "uuid"),
    transform: { try read($0, Identifier($0)) })
  var holder: Identifier?
  @Argument(
    help: "Identifiers of tokens, as tongke token list prints them.", transform: { try read($0, Identifier($0)) })
  var tokens: [Identifier] = []

  func validate() throws {
    if holder == nil, tokens.isEmpty { throw ValidationError("name a token or a --holder") }
  }

  func run() throws {
    try withDesk(relay) { desk in
      for token in tokens { try desk.revoke(token: token) }
      if let holder { try desk.revoke(subject: holder) }
    }
    Console.line(Text.of("cli.token.revoked", in: .ofEnvironment))
  }
}

struct TokenListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List tokens and sessions that have not run out; the tokens themselves are not kept.")

  @OptionGroup var relay: RelayOptions
  @Flag(help: "Print JSON.") var json = false

  private struct Entry: Encodable {
    var id: String
    var holder: String
    var grants: [Grant]
    var label: String
    /// UTC milliseconds.
    var madeAt: Int64
    var expires: Int64
    var revoked: Bool
  }

  func run() throws {
    let all = try withDesk(relay) { try $0.list() }
    if json {
      let entries = all.map { entry, isRevoked in
        Entry(
          id: "\(entry.id)", holder: "\(entry.subject)", grants: entry.grants, label: entry.label,
          madeAt: entry.madeAt, expires: entry.expires, revoked: isRevoked)
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Console.line(String(decoding: try encoder.encode(entries), as: UTF8.self))
    }
    let language = Language.ofEnvironment
    func text(_ key: String) -> String { Text.of("cli.token.\(key)", in: language) }
    var table = TextTable(["id", "holder", "grants", "label", "expires", "state"].map { .init(text($0)) })
    for (entry, isRevoked) in all {
      let grants = entry.grants.map { "\($0.role.rawValue) \($0.scope)" }.joined(separator: ", ")
      let expires = "\(CivilTime.date(of: entry.expires)) \(CivilTime.time(of: entry.expires))"
      table.add([
        "\(entry.id)", "\(entry.subject)", grants, entry.label, expires, text(isRevoked ? "isRevoked" : "isGood"),
      ])
    }
    Console.text(table.text)
  }
}

/// Works at the desk of the relay's data folder, and tells its refusals in words.
private func withDesk<T>(_ relay: RelayOptions, _ body: (AccessDesk) throws -> T) throws -> T {
  let folder = try relay.configuration().data
  return try withLedgerErrors(folder) {
    let desk = try AccessDesk(dataDirectory: folder)
    defer { try? desk.close() }
    do { return try body(desk) } catch let problem as Problem {
      let texts = problem.texts(in: .ofEnvironment)
      throw Refusal(words: texts.title + "\n" + texts.detail)
    } catch is ClassroomError { throw Refusal("cli.token.badGrant", [:]) }
  }
}

/// Reads what a text stands for, or says that it does not.
private func read<T>(_ text: String, _ value: T?) throws -> T {
  guard let value else { throw ValidationError(Text.of("cli.token.unreadable", in: .ofEnvironment, ["text": text])) }
  return value
}
