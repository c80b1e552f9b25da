import ArgumentParser
import ControlPlane
import Foundation
import Ledger
import Logging

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run a relay until it is told to stop.",
    discussion: """
      SIGTERM or Ctrl-C stops in order: clients are told and recordings finished. A second one ends at once.
      --sample adds a small cluster with a lesson that is always live, and prints where any client connects, as one
      line of JSON on standard output.
      """)

  @OptionGroup var relay: RelayOptions
  @Option(
    help: ArgumentHelp("Where to serve plain HTTP, such as 127.0.0.1:8080 or :8080.", valueName: "address:port"),
    transform: { text in
      guard let address = ListenAddress(text) else { throw ValidationError("\(text) is not ADDRESS:PORT") }
      return address
    })
  var http: ListenAddress?
  @Flag(help: "Add the sample cluster and print its links.")
  var sample = false
  @Option(
    help: ArgumentHelp(
      "With --sample: another cluster, described as in Configs/sample-cluster.yaml.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var cluster: String?

  func validate() throws {
    if cluster != nil, !sample { throw ValidationError("--cluster goes with --sample") }
  }

  func run() async throws {
    var configuration = try relay.configuration()
    if let http { configuration.http = http }
    let plan = try samplePlan()
    let logger = Self.logger(level: configuration.logLevel)
    let signals = StopSignals()
    let running: Relay
    do { running = try await Relay.start(configuration: configuration, logger: logger) } catch {
      throw Refusal(words: error.message(in: .ofEnvironment))
    }
    if sample {
      do { try printSample(running, plan) } catch {
        await running.stop()
        throw error
      }
    } else {
      Console.line(Self.links(running).joined(separator: "\n"))
    }
    await signals.first()
    Console.error(Text.of("cli.serve.stopping", in: .ofEnvironment))
    await running.stop()
    Console.error(Text.of("cli.serve.stopped", in: .ofEnvironment))
  }

  private func samplePlan() throws -> SamplePlan {
    guard let cluster else { return .standard }
    do { return try SamplePlan(file: cluster) } catch {
      throw Refusal(words: error.message(in: .ofEnvironment, file: cluster))
    }
  }

  static func logger(level: String) -> Logger {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "tongke")
    logger.logLevel = Logger.Level(rawValue: level) ?? .info
    return logger
  }

  /// The links hold tokens, so they go in words to a terminal alone and never into a journal.
  private func printSample(_ relay: Relay, _ plan: SamplePlan) throws {
    let links = try withLedgerErrors(relay.configuration.data) { try relay.installSample(plan) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Console.line(String(decoding: try encoder.encode(links), as: UTF8.self))
    guard isatty(2) == 1 else { return }
    var lines = Self.links(relay)
    lines.insert(Text.of("cli.serve.lead", in: .ofEnvironment, ["url": links.page.lead]), at: 1)
    lines.insert(Text.of("cli.serve.receiver", in: .ofEnvironment, ["url": links.page.receiver]), at: 2)
    Console.error(lines.joined(separator: "\n"))
  }

  private static func links(_ relay: Relay) -> [String] {
    let language = Language.ofEnvironment
    var lines = [
      Text.of("cli.serve.open", in: language), Text.of("cli.serve.page", in: language, ["url": relay.pageBase + "/"]),
    ]
    if let trust = relay.trustPage { lines.append(Text.of("cli.serve.trust", in: language, ["url": trust])) }
    lines.append(
      Text.of(
        "cli.serve.media", in: language,
        ["ports": relay.mediaPortText, "protocol": relay.mediaTakesTCP ? "UDP, TCP" : "UDP"]))
    return lines
  }
}

extension Relay {
  /// The media ports as people write them: `8189` or `8189–8192`, or each by itself when they are not in a row.
  var mediaPortText: String {
    let ports = mediaPorts
    guard let first = ports.first, let last = ports.last, ports.count > 1 else {
      return ports.first.map(String.init) ?? ""
    }
    return ports == Array(first...max(first, last))
      ? "\(first)–\(last)" : ports.map(String.init).joined(separator: ", ")
  }

  /// Where devices learn to trust the relay's own certificate; nil when they need not.
  var trustPage: String? {
    guard pageBase.hasPrefix("https://"), configuration.certificate == nil, !configuration.http.isLoopback,
      let host = URL(string: pageBase)?.host()
    else { return nil }
    return "http://\(host.contains(":") ? "[\(host)]" : host):\(httpPort)/trust"
  }
}
