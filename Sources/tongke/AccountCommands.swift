import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "Say who may do what, and let people in.",
    discussion: """
      A person is named by school and staff number, such as P07/001; by /001 at a bureau; or by an identifier. Roles \
      are systemAdmin, securityAdmin, auditor, cityCoordinator, countyCoordinator, schoolAdmin, leadTeacher, \
      localTeacher, researcher, reviewer, platform and parent. Scopes are city, county:NAME, school:NUMBER, \
      room:NUMBER and lesson:UUID. Nobody has a password: a link lets its person in once.
      """,
    subcommands: [
      AccountListCommand.self, AccountShowCommand.self, AccountAddCommand.self, AccountGrantCommand.self,
      AccountRevokeCommand.self, AccountLinkCommand.self, AccountLockCommand.self, AccountUnlockCommand.self,
      AccountBindCommand.self, SecondFactorCommand.self,
    ])
}

/// Whose account a command is about.
struct PersonOptions: ParsableArguments {
  @Argument(help: "A person: P07/001, /001 at a bureau, or an identifier.") var person: String

  func validate() throws {
    guard person.contains("/") || Identifier(person) != nil else {
      throw ValidationError(Text.of("cli.account.notAPerson", in: .ofEnvironment, ["text": person]))
    }
  }
}

struct AccountListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the accounts that you may see.")

  @Option(help: ArgumentHelp("Those of one school.", valueName: "number")) var school: String?
  @Flag(help: "Persons without a role too.") var all = false
  @Option(help: ArgumentHelp("At most so many, 1…100000.", valueName: "count")) var limit = 1_000
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1…100000") }
  }

  func run() async throws {
    let list = try await control.with { try await $0.accounts(institution: school, all: all, atMost: limit) }
    try output.print(list) { AccountTables.accounts(list.accounts, in: $0) }
    if list.next != nil { Console.error(Text.of("cli.account.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }
}

private func show(_ account: AccountReply, json: Bool) throws {
  if json { return Console.line(try OutputOptions.json(account)) }
  Console.text(AccountTables.accounts([account], in: .ofEnvironment).text)
  guard !account.grants.isEmpty else { return }
  Console.text("\n" + AccountTables.grants(account.grants, in: .ofEnvironment).text)
}

struct AccountShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show an account and the roles it holds.")

  @OptionGroup var who: PersonOptions
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws { try show(await control.with { try await $0.account(who.person) }, json: json) }
}

struct AccountAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a person's account.",
    discussion: "Teachers that were imported have one already: give them a role with tongke account grant.")

  @Argument(help: "The person's name.") var name: String
  @Option(help: ArgumentHelp("Number of the school. Default: the staff of a bureau.", valueName: "number"))
  var school: String?
  @Option(help: ArgumentHelp("Staff number (工号).", valueName: "number")) var number: String
  @Option(help: ArgumentHelp("A first role; goes with --scope.", valueName: "role")) var role: String?
  @Option(help: ArgumentHelp("Its scope.", valueName: "scope")) var scope: String?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (role == nil) == (scope == nil) else { throw ValidationError("--role and --scope go together") }
    if let role, Role(rawValue: role) == nil { throw notARole(role) }
  }

  func run() async throws {
    let grant = role.map { GrantRequest(role: $0, scope: scope ?? "") }
    let request = AccountRequest(name: name, institution: school, staffNumber: number, grant: grant)
    try show(await control.with { try await $0.addAccount(request) }, json: json)
  }
}

private func notARole(_ text: String) -> ValidationError {
  ValidationError(Text.of("cli.account.notARole", in: .ofEnvironment, ["text": text]))
}

struct AccountGrantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grant", abstract: "Give a person a role.",
    discussion: """
      You give what your own roles allow, within your own scope. The system, security and audit administrators are \
      three people; auditors, devices, platforms and parents hold no other role.
      """)

  @OptionGroup var who: PersonOptions
  @Argument(help: "The role, such as schoolAdmin.") var role: String
  @Argument(help: "Its scope, such as school:P07.") var scope: String
  @Option(help: ArgumentHelp("From when, in China: \"2026-09-01 00:00\".", valueName: "time")) var from: CivilMoment?
  @Option(help: ArgumentHelp("Until when.", valueName: "time")) var until: CivilMoment?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws { if Role(rawValue: role) == nil { throw notARole(role) } }

  func run() async throws {
    let grant = GrantRequest(role: role, scope: scope, from: from?.text, until: until?.text)
    try show(await control.with { try await $0.grant(grant, to: who.person) }, json: json)
  }
}

struct AccountRevokeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Take a role back, or end every token of a person.",
    discussion:
      "Taking a role back ends the person's tokens, which still say it; whoever has other roles signs in again.")

  @OptionGroup var who: PersonOptions
  @Option(help: ArgumentHelp("The role to take back.", valueName: "role")) var role: String?
  @Option(help: ArgumentHelp("The one with this scope. Default: the only one.", valueName: "scope"))
  var scope: String?
  @Flag(help: "End sessions and tokens alone.") var tokens = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard tokens == (role == nil) else { throw ValidationError("name a --role, or --tokens") }
    if let role, Role(rawValue: role) == nil { throw notARole(role) }
    if tokens, scope != nil { throw ValidationError("--scope goes with --role") }
  }

  func run() async throws {
    try await control.with { client in
      guard let role else { return try await client.endSessions(of: who.person) }
      let held = try await client.account(who.person).grants.filter {
        $0.role == role && (scope == nil || $0.scope == scope)
      }
      guard let first = held.first, let id = first.id else {
        throw Refusal("cli.account.noGrant", ["role": role, "person": who.person])
      }
      guard held.count == 1 else {
        throw Refusal(
          "cli.account.severalGrants", ["scopes": TerminalText.line(held.map(\.scope).joined(separator: ", "))])
      }
      try await client.takeBack(grant: id, of: who.person)
    }
    Console.line(Text.of("cli.account.revoked", in: .ofEnvironment))
  }
}

struct AccountLinkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", abstract: "Make a link that lets a person in once, and print it.",
    discussion: """
      It is good for a day. Hand it over where nobody else reads it: whoever opens it first is let in. Its code stands \
      behind the #, which browsers send to no server. tongke login --code takes it at a terminal.
      """)

  @OptionGroup var who: PersonOptions
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let link = try await control.with { try await $0.signInLink(for: who.person) }
    if json { return Console.line(try OutputOptions.json(["link": link.link, "expires": link.expires])) }
    Console.line(TerminalText.line(link.link))
    Console.error(Text.of("cli.account.linkExpires", in: .ofEnvironment, ["expires": TerminalText.line(link.expires)]))
  }
}

struct AccountLockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Close an account until it is unlocked, and end its tokens.",
    discussion: "For the security administrator.")

  @OptionGroup var who: PersonOptions
  @OptionGroup var control: ControlOptions

  func run() async throws { try show(await control.with { try await $0.lock(who.person) }, json: false) }
}

struct AccountUnlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock", abstract: "Open an account that was locked, or that too many wrong attempts have closed.",
    discussion: "For the security administrator.")

  @OptionGroup var who: PersonOptions
  @OptionGroup var control: ControlOptions

  func run() async throws { try show(await control.with { try await $0.unlock(who.person) }, json: false) }
}

struct AccountBindCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bind", abstract: "Say by which name an identity provider knows a person.",
    discussion: """
      Only who is bound comes in by the provider. Somebody who is not is told the own name there on the page, to pass \
      on. For tickets the issuer is the gateway's address.
      """)

  @OptionGroup var who: PersonOptions
  @Option(help: ArgumentHelp("The provider's issuer, such as https://id.example.cn.", valueName: "url"))
  var issuer: String?
  @Option(help: ArgumentHelp("The person's name there (sub).", valueName: "name")) var subject: String?
  @Flag(help: "Take the binding away.") var remove = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard remove == (issuer == nil), remove == (subject == nil) else {
      throw ValidationError("give --issuer and --subject, or --remove")
    }
  }

  func run() async throws {
    guard let issuer, let subject else {
      try await control.with { try await $0.unbind(who.person) }
      return Console.line(Text.of("cli.account.unbound", in: .ofEnvironment))
    }
    let identity = IdentityReply(issuer: issuer, subject: subject)
    try show(await control.with { try await $0.bind(identity, to: who.person) }, json: false)
  }
}

struct SecondFactorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "second-factor", abstract: "Set up your own second factor, or take a lost one away.",
    subcommands: [SecondFactorSetUpCommand.self, SecondFactorRemoveCommand.self])
}

struct SecondFactorSetUpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-up", abstract: "Show a new secret for your authenticator app, once, and take its first code.",
    discussion: "From then on its digits are asked for whenever you sign in.")

  @OptionGroup var control: ControlOptions

  func run() async throws {
    let language = Language.ofEnvironment
    let begun = try await control.with { try await $0.startSecondFactor() }
    Console.line(Text.of("cli.secondFactor.address", in: language))
    Console.line("  " + TerminalText.line(begun.address))
    Console.line(Text.of("cli.secondFactor.secret", in: language))
    Console.line("  " + TerminalText.line(begun.secret))
    let code = try TokenInput.line("cli.login.digits").filter { $0 != " " }
    let session = try await control.with { try await $0.confirmSecondFactor(code) }
    if let token = session.token { try control.keep(token) }
    Console.line(Text.of("cli.secondFactor.done", in: language))
  }
}

struct SecondFactorRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Take away the second factor of a person who has lost it.",
    discussion: "For the security administrator. The person's sessions end; a new one is set up at the next link.")

  @OptionGroup var who: PersonOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await control.with { try await $0.removeSecondFactor(of: who.person) }
    Console.line(Text.of("cli.secondFactor.removed", in: .ofEnvironment))
  }
}
