import ArgumentParser
import ControlAPI
import ControlPlane

struct OutboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outbox", abstract: "See what is on its way to platforms, stop it and let it go on.",
    subcommands: [
      OutboxShowCommand.self, OutboxPauseCommand.self, OutboxResumeCommand.self, OutboxRetryCommand.self,
    ], defaultSubcommand: OutboxShowCommand.self)
}

struct OutboxShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tell what waits, is held or parked, and how it goes with each platform.",
    discussion: """
      --unmapped --csv prints the sheet of spaces with whoever has none filled in: complete home page and account, \
      then give it to tongke import.
      """)

  @Flag(help: "Whose statements are held because no space was imported for them.") var unmapped = false
  @Flag(help: "Statements that a platform would not take.") var parked = false
  @Option(help: ArgumentHelp("At most so many of those parked, 1…1000000.", valueName: "count")) var limit = 200
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    if unmapped, parked { throw ValidationError("--unmapped and --parked exclude each other") }
    guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit is 1…1000000") }
  }

  func run() async throws {
    if unmapped { return try await showUnmapped() }
    if parked { return try await showParked() }
    let reply = try await control.with { try await $0.outbox() }
    if output.isForPeople {
      let language = Language.ofEnvironment
      for line in OutboxTables.lines(reply, in: language) { Console.line(line) }
      if reply.platforms.isEmpty { return }
    }
    try output.print(reply) { OutboxTables.platforms(reply, in: $0) }
  }

  private func showUnmapped() async throws {
    let rows = try await control.with { try await $0.unmapped() }
    if output.isForPeople, rows.isEmpty { return Console.line(Text.of("cli.outbox.allMapped", in: .ofEnvironment)) }
    try output.print(rows) { output.csv ? OutboxTables.sheet(rows, in: $0) : OutboxTables.unmapped(rows, in: $0) }
  }

  private func showParked() async throws {
    let page = try await control.with { try await $0.parked(atMost: limit) }
    if output.isForPeople, page.rows.isEmpty {
      return Console.line(Text.of("cli.outbox.noneParked", in: .ofEnvironment))
    }
    try output.print(page) { OutboxTables.parked(page.rows, in: $0) }
    if page.next != nil { Console.error(Text.of("cli.place.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }
}

struct OutboxPauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Send nothing until resume; what happens is kept and waits.")

  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { try await $0.pauseOutbox() }
    for line in OutboxTables.lines(reply, in: .ofEnvironment) { Console.line(line) }
  }
}

struct OutboxResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Go on sending, at once, whatever was put off.")

  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { try await $0.resumeOutbox() }
    for line in OutboxTables.lines(reply, in: .ofEnvironment) { Console.line(line) }
  }
}

struct OutboxRetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Send parked statements again, after what was wrong with them was put right.")

  @Argument(help: "One statement's identifier. Default: all that are parked.") var statement: String?
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let reply = try await control.with { try await $0.retryOutbox(statement) }
    Console.line(Text.of("cli.outbox.retried", in: .ofEnvironment, ["count": "\(reply.retried)"]))
  }
}
