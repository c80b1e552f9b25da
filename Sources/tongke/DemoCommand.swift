import ArgumentParser
import ControlPlane

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Teach a whole lesson on this machine and check everything that is promised of it.",
    discussion: """
      A relay on free loopback ports, a lead that publishes real encoded media, teaching points that receive, one of
      which drops and comes back and one of which comes late, a recording and its account. Latency, completeness and
      lip sync come from decoding what arrived. Exit status 1 when a promise was not kept.
      """)

  @Option(help: ArgumentHelp("Seconds of teaching, \(DemoOptions.durationRange).", valueName: "seconds"))
  var duration = DemoOptions().durationSeconds
  @Option(help: ArgumentHelp("Teaching points, \(DemoOptions.teachingPointRange).", valueName: "count"))
  var teachingPoints = DemoOptions().teachingPoints
  @Option(
    help: ArgumentHelp("A file to teach from. Default: a generated lesson.", valueName: "file"), completion: .file())
  var source: String?
  @Option(
    help: ArgumentHelp("Where the recording goes. Default: a new folder among the temporary files.", valueName: "dir"),
    completion: .directory)
  var output: String?
  @Option(
    help: ArgumentHelp("Lose this share of datagrams on purpose, each way: drop=5%.", valueName: "fault"),
    transform: { text in
      guard let fraction = DemoOptions.dropFraction(of: text) else {
        throw ValidationError("\(text) is not drop=SHARE, with a share of 0% to 50%")
      }
      return fraction
    })
  var fault: Double?
  @Flag(help: "Print the figures as one object of JSON.") var json = false

  func validate() throws {
    guard DemoOptions.durationRange.contains(duration) else {
      throw ValidationError("--duration is \(DemoOptions.durationRange) seconds")
    }
    guard DemoOptions.teachingPointRange.contains(teachingPoints) else {
      throw ValidationError("--teaching-points is \(DemoOptions.teachingPointRange)")
    }
  }

  func run() async throws {
    var options = DemoOptions()
    options.durationSeconds = duration
    options.teachingPoints = teachingPoints
    options.source = source
    options.outputFolder = output
    options.dropFraction = fault ?? 0
    options.json = json
    let demo = Demo(
      options: options, language: .ofEnvironment, print: { Console.line($0) }, tell: { Console.error($0) })
    let status = await demo.run()
    if status != 0 { throw ExitCode(status) }
  }
}
