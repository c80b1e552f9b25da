import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct ResourceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resource",
    abstract: "Find what was made of lessons, have it reviewed, publish it, and give it to schools.",
    discussion: """
      A resource is named by its own identifier or by its lesson's. It goes recorded, draft, submitted, approved, \
      published; what is changed afterwards is a draft again.
      """,
    subcommands: [
      ResourceListCommand.self, ResourceShowCommand.self, ResourceEditCommand.self, ResourceSubmitCommand.self,
      ResourceApproveCommand.self, ResourceRejectCommand.self, ResourcePublishCommand.self,
      ResourceWithdrawCommand.self, ResourceNominateCommand.self, ResourcePushCommand.self,
      ResourceAcceptCommand.self, ResourceDeclineCommand.self, ResourceHoldCommand.self, ResourceReleaseCommand.self,
      ResourceLinkCommand.self, ResourceExportCommand.self, ResourceExpireCommand.self,
    ])
}

struct ResourceListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Search the catalogue, the newest first.")

  @Argument(help: "Words that all have to be there; two hanzi are enough.") var words: [String] = []
  @Option(help: ArgumentHelp("Of one subject, by key or name.", valueName: "subject")) var subject: String?
  @Option(help: ArgumentHelp("Of one grade, 1…12.", valueName: "grade")) var grade: Int?
  @Option(help: ArgumentHelp("Of one school, by its number.", valueName: "number")) var school: String?
  @Option(help: ArgumentHelp("Of one teacher, such as L01/1001.", valueName: "school/staff")) var teacher: String?
  @Option(help: ArgumentHelp("Of one term, such as 2026-2027-1.", valueName: "code")) var term: String?
  @Option(
    help: ArgumentHelp("In one state, such as submitted or published.", valueName: "state"),
    completion: .list(ResourceState.allCases.map(\.rawValue)),
    transform: { text in
      guard let state = ResourceState(rawValue: text) else {
        throw ValidationError("--state is one of \(ResourceState.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return state
    })
  var state: ResourceState?
  @Flag(help: "Nominated ones alone (名课).") var nominated = false
  @Option(name: .customLong("pushed-to"), help: ArgumentHelp("Those given to a school.", valueName: "number"))
  var pushedTo: String?
  @Option(help: ArgumentHelp("At most so many, 1…100000.", valueName: "count")) var limit = 200
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1…100000") }
    if let grade, !(1...12).contains(grade) { throw ValidationError("--grade is 1…12") }
  }

  func run() async throws {
    let text = words.joined(separator: " ")
    let query = ResourceListQuery(
      text: text.isEmpty ? nil : text, subject: subject, grade: grade, school: school, teacher: teacher, term: term,
      state: state?.rawValue, nominated: nominated, pushedTo: pushedTo)
    let page = try await control.with { try await $0.resources(query, atMost: limit) }
    if output.isForPeople, page.rows.isEmpty { return Console.line(Text.of("cli.resource.none", in: .ofEnvironment)) }
    try output.print(page) { ResourceTables.resources(page.rows, in: $0) }
    if page.next != nil { Console.error(Text.of("cli.place.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }
}

/// A resource as an argument.
struct ResourceArgument: ParsableArguments {
  @Argument(
    help: "The resource's identifier, or its lesson's.",
    transform: { text in
      guard let id = Identifier(text) else {
        throw ValidationError(Text.of("cli.resource.notOne", in: .ofEnvironment, ["text": text]))
      }
      return "\(id)"
    })
  var id: String
}

struct ResourceShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tell of one resource: its words, what is missing of them, its state and files.")

  @OptionGroup var resource: ResourceArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let shown = try await control.with { try await $0.resource(resource.id).row }
    try output.print(shown) { ResourceTables.resource(shown, in: $0) }
  }
}

struct ResourceEditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Describe a resource; it is a draft afterwards, whatever it was.")

  @OptionGroup var resource: ResourceArgument
  @Option(help: ArgumentHelp("题名", valueName: "text")) var title: String?
  @Option(help: ArgumentHelp("学科, by key or name", valueName: "subject")) var subject: String?
  @Option(help: ArgumentHelp("年级, such as 3 or 3,4", valueName: "list")) var grades: String?
  @Option(help: ArgumentHelp("册次", valueName: "text")) var volume: String?
  @Option(help: ArgumentHelp("版本", valueName: "text")) var textbook: String?
  @Option(help: ArgumentHelp("章节", valueName: "text")) var chapter: String?
  @Option(name: .customLong("lesson-name"), help: ArgumentHelp("课名", valueName: "text")) var lessonName: String?
  @Option(help: ArgumentHelp("关键词, with commas between", valueName: "list")) var keywords: String?
  @Option(help: ArgumentHelp("简介", valueName: "text")) var summary: String?
  @Option(help: ArgumentHelp("Whether pupils may be seen: true or false.", valueName: "bool")) var faces: Bool?
  @Option(help: ArgumentHelp("What says that those who are seen consented.", valueName: "text")) var consent: String?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  private static func parts(_ text: String) -> [String] {
    text.split(whereSeparator: { ",，、".contains($0) }).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }

  private var gradeList: [Int]? {
    get throws {
      guard let grades else { return nil }
      let numbers = Self.parts(grades).map { Int($0) }
      guard numbers.allSatisfy({ $0.map((1...12).contains) == true }) else {
        throw ValidationError("--grades is a list of 1…12")
      }
      return numbers.compactMap(\.self)
    }
  }

  func validate() throws { _ = try gradeList }

  func run() async throws {
    let change = ResourceChangeRequest(
      title: title, subject: subject, grades: try gradeList, volume: volume, textbook: textbook, chapter: chapter,
      lessonName: lessonName, keywords: keywords.map(Self.parts), summary: summary, faces: faces, consent: consent)
    let changed = try await control.with { client in
      let tag = try await client.resource(resource.id).tag
      return try await client.change(resource: resource.id, tag: tag, change)
    }
    try output.print(changed) { ResourceTables.resource(changed, in: $0) }
  }
}

struct ResourceLinkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", abstract: "Make an address that plays a resource to whoever has it, for a while.",
    discussion: """
      It ends by itself, and at once when the resource is withdrawn. The page counts that it was played; --json has \
      the address of the file itself as well.
      """)

  @OptionGroup var resource: ResourceArgument
  @Option(help: ArgumentHelp("How long it is good, 1…10080.", valueName: "minutes")) var minutes = 120
  @Option(help: ArgumentHelp("Another file than the longest picture.", valueName: "uuid")) var file: String?
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...10_080).contains(minutes) else { throw ValidationError("--minutes is 1…10080") }
  }

  func run() async throws {
    let link = try await control.with {
      try await $0.link(resource: resource.id, ResourceLinkRequest(minutes: minutes, file: file))
    }
    Console.line(json ? try OutputOptions.json(link) : link.page)
  }
}
