import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

/// How many rows a list tells.
struct ListOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Part of a name or number.", valueName: "text")) var search: String?
  @Option(help: ArgumentHelp("At most so many, 1…100000.", valueName: "count")) var limit = 10_000
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1…100000") }
  }

  func run<Row: Codable & Hashable & Sendable>(
    _ kind: PlaceKind, _ query: PlaceQuery, _ table: @escaping ([Row], Language) -> TextTable
  ) async throws {
    let page: Page<Row> = try await control.with { try await $0.places(kind, query, atMost: limit) }
    if output.isForPeople, page.rows.isEmpty { return Console.line(Text.of("cli.place.none", in: .ofEnvironment)) }
    try output.print(page) { table(page.rows, $0) }
    if page.next != nil { Console.error(Text.of("cli.place.more", in: .ofEnvironment, ["limit": "\(limit)"])) }
  }
}

/// Which version of a row a change is for.
struct KnownTagOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Refuse when it has been changed since it had this ETag. Default: the newest.", valueName: "tag"))
  var tag: String?
}

/// How one row is told.
struct ShowOptions: ParsableArguments {
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run<Row: Codable>(_ kind: PlaceKind, _ key: [String], _ table: (Row, Language) -> TextTable) async throws {
    let row: Row = try await control.with { try await $0.place(kind, key).row }
    try show(row, table)
  }

  func show<Row: Codable>(_ row: Row, _ table: (Row, Language) -> TextTable) throws {
    if json { return Console.line(try OutputOptions.json(row)) }
    Console.text(table(row, .ofEnvironment).text)
  }

  /// Changes a row as it is now, or as it was when it had the tag.
  func change<Row: Codable>(
    _ kind: PlaceKind, _ key: [String], tag: String?, _ fields: [String: String], _ table: (Row, Language) -> TextTable
  ) async throws {
    let row: Row = try await control.with { client in
      let known: String
      if let tag {
        known = tag
      } else {
        known = (try await client.place(kind, key) as (row: Row, tag: String)).tag
      }
      return try await client.change(kind, key, tag: known, fields)
    }
    try show(row, table)
  }

  func add<Row: Codable>(
    _ kind: PlaceKind, _ fields: [String: String], _ table: (Row, Language) -> TextTable
  ) async throws {
    let row: Row = try await control.with { try await $0.add(kind, fields) }
    try show(row, table)
  }
}

// MARK: Schools

struct SchoolCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "school", abstract: "Look up, register, change and close schools and teaching points.",
    subcommands: [
      SchoolListCommand.self, SchoolShowCommand.self, SchoolAddCommand.self, SchoolChangeCommand.self,
      SchoolCloseCommand.self,
    ])

  static func table(_ row: InstitutionReply, _ language: Language) -> TextTable {
    PlaceTables.institutions([row], in: language)
  }
}

struct SchoolListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List schools and teaching points (学校、教学点).")

  @Option(help: ArgumentHelp("Those of a county.", valueName: "name")) var region: String?
  @Option(help: ArgumentHelp("school or teachingPoint.", valueName: "kind")) var kind: String?
  @Option(help: ArgumentHelp("Teaching points of a school.", valueName: "number")) var parent: String?
  @Flag(help: "Those alone that are there today.") var open = false
  @OptionGroup var list: ListOptions

  func validate() throws {
    if let kind, Institution.Kind(rawValue: kind) == nil {
      throw ValidationError("--kind is one of school, teachingPoint")
    }
  }

  func run() async throws {
    let query = PlaceQuery(region: region, kind: kind, parent: parent, open: open ? true : nil, search: list.search)
    try await list.run(.institutions, query) { PlaceTables.institutions($0, in: $1) }
  }
}

struct SchoolShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Tell of one school.")

  @Argument(help: "Its number, or the ministry's code of ten digits.") var number: String
  @OptionGroup var show: ShowOptions

  func run() async throws { try await show.run(.institutions, [number], SchoolCommand.table) }
}

/// What is said of a school; what is not said stays as it is.
struct SchoolFields: ParsableArguments {
  @Option(help: ArgumentHelp("Its name.", valueName: "text")) var name: String?
  @Option(help: ArgumentHelp("school or teachingPoint (学校、教学点).", valueName: "kind")) var kind: String?
  @Option(help: ArgumentHelp("The school that a teaching point belongs to (中心小学).", valueName: "number"))
  var parent: String?
  @Option(help: ArgumentHelp("urban, town or rural (城区、镇区、乡村).", valueName: "setting")) var setting: String?
  @Option(help: ArgumentHelp("Its county.", valueName: "name")) var region: String?
  @Option(help: ArgumentHelp("The ministry's code of ten digits.", valueName: "code")) var code: String?
  @Option(help: ArgumentHelp("The day it begins.", valueName: "date")) var from: CivilDay?

  var fields: [String: String] {
    let all = [
      ("name", name), ("kind", kind), ("parent", parent), ("setting", setting), ("region", region), ("code", code),
      ("validFrom", from?.text),
    ]
    return Dictionary(uniqueKeysWithValues: all.compactMap { name, value in value.map { (name, $0) } })
  }
}

struct SchoolAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Register a school or teaching point.",
    discussion: "As a sheet of one row would, by the same rules; a number that is there already is refused.")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var school: SchoolFields
  @OptionGroup var show: ShowOptions

  func validate() throws {
    if school.name == nil { throw ValidationError("a new school has a --name") }
  }

  func run() async throws {
    try await show.add(.institutions, school.fields.merging(["number": number]) { $1 }, SchoolCommand.table)
  }
}

struct SchoolChangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "change", abstract: "Change what is said of a school; the rest stays.")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var school: SchoolFields
  @OptionGroup var known: KnownTagOption
  @OptionGroup var show: ShowOptions

  func validate() throws {
    if school.fields.isEmpty { throw ValidationError("say what to change") }
  }

  func run() async throws {
    try await show.change(.institutions, [number], tag: known.tag, school.fields, SchoolCommand.table)
  }
}

struct SchoolCloseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Close a school on a day, or merge it into another (撤并).",
    discussion: """
      What was taught and counted before stays as it is, under the school that it was of. tongke cluster check then \
      tells which clusters and teaching points still name it.
      """)

  @Argument(help: "Its number.") var number: String
  @Option(help: ArgumentHelp("The first day on which it is no more.", valueName: "date")) var on: CivilDay
  @Option(help: ArgumentHelp("The school that takes it over.", valueName: "number")) var into: String?
  @OptionGroup var show: ShowOptions

  func run() async throws {
    var fields = ["validUntil": on.text]
    if let into { fields["successor"] = into }
    try await show.change(.institutions, [number], tag: nil, fields, SchoolCommand.table)
  }
}

// MARK: Classes and persons

struct ClassCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "class", abstract: "Look up classes, and whether they consent to being recorded.",
    subcommands: [ClassListCommand.self, ClassShowCommand.self, ClassConsentCommand.self])
}

struct ClassListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List classes with their grades of today and head counts.")

  @Option(help: ArgumentHelp("Those of a school.", valueName: "number")) var school: String?
  @OptionGroup var list: ListOptions

  func run() async throws {
    try await list.run(.classes, PlaceQuery(institution: school, search: list.search)) {
      PlaceTables.classes($0, in: $1)
    }
  }
}

struct ClassShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Tell of one class.")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var show: ShowOptions

  func run() async throws {
    try await show.run(.classes, [number]) { PlaceTables.classes([$0], in: $1) }
  }
}

struct PersonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "person", abstract: "Look up teachers, for whoever may read their names.",
    subcommands: [PersonListCommand.self, PersonShowCommand.self])
}

struct PersonListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List teachers.")

  @Option(help: ArgumentHelp("Those of a school.", valueName: "number")) var school: String?
  @OptionGroup var list: ListOptions

  func run() async throws {
    try await list.run(.persons, PlaceQuery(institution: school, search: list.search)) {
      PlaceTables.persons($0, in: $1)
    }
  }
}

struct PersonShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Tell of one teacher.")

  @Argument(help: "School and staff number, such as P07/001.") var person: String
  @OptionGroup var show: ShowOptions

  func validate() throws {
    guard person.split(separator: "/", omittingEmptySubsequences: false).count == 2 else {
      throw ValidationError("a teacher is a school's number and a staff number, such as P07/001")
    }
  }

  func run() async throws {
    let key = person.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    try await show.run(.persons, key) { PlaceTables.persons([$0], in: $1) }
  }
}
