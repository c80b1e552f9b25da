import ArgumentParser
import ControlAPI
import ControlPlane

struct ClusterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster", abstract: "Look up and make clusters (联校群), and see whether every school is paired.",
    subcommands: [
      ClusterListCommand.self, ClusterShowCommand.self, ClusterAddCommand.self, ClusterChangeCommand.self,
      ClusterCheckCommand.self,
    ])
}

struct ClusterListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List clusters: who leads, who receives.")

  @Option(help: ArgumentHelp("Those that a school is in.", valueName: "number")) var school: String?
  @OptionGroup var list: ListOptions

  func run() async throws {
    try await list.run(.clusters, PlaceQuery(institution: school, search: list.search)) {
      PlaceTables.clusters($0, in: $1)
    }
  }
}

struct ClusterShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Tell of one cluster's members.")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var show: ShowOptions

  func run() async throws { try await show.run(.clusters, [number], PlaceTables.members) }
}

/// What is said of a cluster; what is not said stays as it is.
struct ClusterFields: ParsableArguments {
  @Option(help: ArgumentHelp("Its name.", valueName: "text")) var name: String?
  @Option(help: ArgumentHelp("Schools that lead, with commas between; all of them.", valueName: "numbers"))
  var leads: String?
  @Option(help: ArgumentHelp("Schools and teaching points that receive; all of them.", valueName: "numbers"))
  var receivers: String?

  var fields: [String: String] {
    let all = [("name", name), ("leads", leads), ("receivers", receivers)]
    return Dictionary(uniqueKeysWithValues: all.compactMap { name, value in value.map { (name, $0) } })
  }
}

struct ClusterAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Pair schools: one leads and others receive (1+N), or several lead (N+N).")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var cluster: ClusterFields
  @OptionGroup var show: ShowOptions

  func validate() throws {
    if cluster.name == nil || cluster.leads == nil { throw ValidationError("a new cluster has a --name and --leads") }
  }

  func run() async throws {
    try await show.add(.clusters, cluster.fields.merging(["number": number]) { $1 }, PlaceTables.members)
  }
}

struct ClusterChangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "change", abstract: "Change a cluster's name, leads or receivers; the rest stays.")

  @Argument(help: "Its number.") var number: String
  @OptionGroup var cluster: ClusterFields
  @OptionGroup var known: KnownTagOption
  @OptionGroup var show: ShowOptions

  func validate() throws {
    if cluster.fields.isEmpty { throw ValidationError("say what to change") }
  }

  func run() async throws {
    try await show.change(.clusters, [number], tag: known.tag, cluster.fields, PlaceTables.members)
  }
}

struct ClusterCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tell of teaching points without a school, and of schools without a partner.",
    discussion: "Also of clusters without a lead and of members that are closed. Exit status 1 when there are any.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let findings = try await control.with { try await $0.pairing() }
    if !output.isForPeople || !findings.isEmpty {
      try output.print(findings) { PlaceTables.pairing(findings, in: $0) }
    }
    if output.isForPeople {
      Console.line(
        Text.of(
          findings.isEmpty ? "cli.cluster.good" : "cli.cluster.bad", in: .ofEnvironment,
          ["count": "\(findings.count)"]))
    }
    if !findings.isEmpty { throw ExitCode(1) }
  }
}
