import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct LessonMarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mark", abstract: "Mark this moment of a lesson that is being taught: a chapter of its recording.")

  @OptionGroup var argument: LessonArgument
  @Option(help: ArgumentHelp("What it is called, up to 100 characters.", valueName: "text")) var label: String?
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await control.with { try await $0.mark(lesson: "\(argument.lesson)", label: label) }
    Console.line(Text.of("cli.mark.done", in: .ofEnvironment))
  }
}

struct ClassConsentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consent", abstract: "The guardians' consent to a class being recorded.",
    subcommands: [ConsentShowCommand.self, ConsentGiveCommand.self, ConsentWithdrawCommand.self])
}

private func tell(_ consent: ConsentReply, _ output: OutputOptions) throws {
  try output.print(consent) { language in
    RecordingTables.consent(consent, in: language)
  }
}

struct ConsentShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tell whether a class consents, and since when.")

  @Argument(help: "The class's number.") var number: String
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try tell(try await control.with { try await $0.consent(schoolClass: number) }, output)
  }
}

struct ConsentGiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "give", abstract: "Note that a class consents to being recorded.")

  @Argument(help: "The class's number.") var number: String
  @Option(help: ArgumentHelp("Where the consent is filed.", valueName: "text")) var reference: String
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try tell(
      try await control.with { try await $0.giveConsent(schoolClass: number, reference: reference) }, output)
  }
}

struct ConsentWithdrawCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "withdraw",
    abstract: "Note that a class takes its consent back; files that show it are hidden at once, then deleted.")

  @Argument(help: "The class's number.") var number: String
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try tell(try await control.with { try await $0.withdrawConsent(schoolClass: number) }, output)
  }
}

struct CourseRecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Tell or say whether a course's sites are recorded.",
    discussion: "They are once the course says so and every class of it has consented (tongke class consent).")

  @Argument(help: "The course's number.") var course: String
  @Option(help: "on or off; told only where it is left out.") var sites: Switch?
  @OptionGroup var term: TermOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

  func run() async throws {
    let reply = try await control.with { client in
      let term = try await term.code(client)
      guard let sites else { return try await client.recording(course: course, term: term) }
      return try await client.setRecording(course: course, term: term, sites: sites == .on)
    }
    try output.print(reply) { RecordingTables.course(reply, in: $0) }
  }
}

struct ResourceExpireCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expire",
    abstract: "Let go recordings that nobody submitted, nominated or holds; their owners are told a week before.",
    discussion: "The relay does the same each hour.")

  @Flag(help: "Only list what will go, and when.") var dryRun = false
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    if dryRun {
      let list = try await control.with { try await $0.expiry() }
      return try output.print(list) { RecordingTables.expiry(list, in: $0) }
    }
    let done = try await control.with { try await $0.expire() }
    try output.print(done) { RecordingTables.expired(done, in: $0) }
  }
}
