import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane

/// What every step of a resource is told, and prints.
struct ResourceStepOptions: ParsableArguments {
  @OptionGroup var resource: ResourceArgument
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func take(_ step: ResourceStepRequest) async throws {
    try tell(try await control.with { try await $0.step(resource: resource.id, step) })
  }

  func push(_ push: ResourcePushRequest) async throws {
    try tell(try await control.with { try await $0.push(resource: resource.id, push) })
  }

  private func tell(_ row: ResourceReply) throws {
    if json { return Console.line(try OutputOptions.json(row)) }
    Console.text(ResourceTables.resources([row], in: .ofEnvironment).text)
    guard !row.missing.isEmpty, ["draft", "submitted"].contains(row.state) else { return }
    Console.error(
      Text.of(
        "cli.resource.missing", in: .ofEnvironment,
        ["fields": ResourceTables.missing(row, in: .ofEnvironment)]))
  }
}

/// Reads a level of visibility.
private func level(_ text: String) throws -> ResourceVisibility {
  guard let level = ResourceVisibility(rawValue: text) else {
    throw ValidationError("a level is one of \(ResourceVisibility.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return level
}

struct ResourceSubmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Hand a resource in for review; what is missing of its words is told.")
  @OptionGroup var step: ResourceStepOptions

  func run() async throws { try await step.take(ResourceStepRequest(step: .submit)) }
}

struct ResourceApproveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve",
    abstract: "Approve what somebody else submitted, for one level's visibility and what is narrower.")
  @OptionGroup var step: ResourceStepOptions
  @Option(name: .customLong("for"), help: "school, cluster, county, city or province.", transform: level)
  var visibility: ResourceVisibility

  func run() async throws {
    try await step.take(ResourceStepRequest(step: .approve, level: visibility.rawValue))
  }
}

struct ResourceRejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Send a submission back, and say why.")
  @OptionGroup var step: ResourceStepOptions
  @Option(help: ArgumentHelp("Why; its teacher reads it.", valueName: "text")) var reason: String
  @Option(
    name: .customLong("for"), help: "As which level: school, cluster, county, city or province.",
    transform: level)
  var visibility = ResourceVisibility.school

  func validate() throws {
    guard (1...200).contains(reason.unicodeScalars.count) else {
      throw ValidationError("--reason has 1…200 characters")
    }
  }

  func run() async throws {
    try await step.take(ResourceStepRequest(step: .reject, level: visibility.rawValue, reason: reason))
  }
}

struct ResourcePublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Show an approved resource to those that it was approved for.")
  @OptionGroup var step: ResourceStepOptions
  @Option(
    name: .customLong("to"), help: "school, cluster, county, city or province. Default: as wide as it is approved.",
    transform: level)
  var visibility: ResourceVisibility?

  func run() async throws {
    try await step.take(ResourceStepRequest(step: .publish, level: visibility?.rawValue))
  }
}

struct ResourceWithdrawCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "withdraw", abstract: "Show a resource to nobody any more; its links end at once.")
  @OptionGroup var step: ResourceStepOptions

  func run() async throws { try await step.take(ResourceStepRequest(step: .withdraw)) }
}

struct ResourceNominateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "nominate", abstract: "Name a resource a 名课.")
  @OptionGroup var step: ResourceStepOptions

  func run() async throws { try await step.take(ResourceStepRequest(step: .nominate)) }
}

struct ResourceHoldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold", abstract: "Keep a resource in spite of its age.")
  @OptionGroup var step: ResourceStepOptions

  func run() async throws { try await step.take(ResourceStepRequest(step: .hold)) }
}

struct ResourceReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Let a resource that was held go the way of others.")
  @OptionGroup var step: ResourceStepOptions

  func run() async throws { try await step.take(ResourceStepRequest(step: .release)) }
}

struct ResourcePushCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Give a published resource to one school (点对点推送); show tells what became of it.")
  @OptionGroup var step: ResourceStepOptions
  @Option(name: .customLong("to"), help: ArgumentHelp("The school's number.", valueName: "number")) var school: String

  func run() async throws { try await step.push(ResourcePushRequest(school: school)) }
}

struct ResourceAcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Take, for a school, what it was given.")
  @OptionGroup var step: ResourceStepOptions
  @Option(help: ArgumentHelp("The school's number.", valueName: "number")) var school: String

  func run() async throws { try await step.push(ResourcePushRequest(school: school, answer: "accepted")) }
}

struct ResourceDeclineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decline", abstract: "Refuse, for a school, what it was given.")
  @OptionGroup var step: ResourceStepOptions
  @Option(help: ArgumentHelp("The school's number.", valueName: "number")) var school: String

  func run() async throws { try await step.push(ResourcePushRequest(school: school, answer: "declined")) }
}
