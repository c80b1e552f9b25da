import ArgumentParser
import ControlPlane
import Foundation
import MediaClient

/// What both clients are told.
struct ClientOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Bearer token. Better in the environment variable TONGKE_TOKEN, which other users do not see.",
      valueName: "token"))
  var token: String?

  @Option(
    help: ArgumentHelp("Certificates to trust for HTTPS, PEM; such as a relay's ca.crt.", valueName: "file"),
    completion: .file())
  var ca: String?

  @Option(help: ArgumentHelp("Seconds after which to stop; otherwise until Ctrl-C.", valueName: "seconds"))
  var duration: Double?

  @Flag(help: "Print the figures as one object of JSON at the end.") var json = false

  func validate() throws {
    if let duration, !(duration > 0 && duration <= 864_000) {
      throw ValidationError("--duration is a number of seconds above 0, at most 864000")
    }
  }

  var bearer: String? {
    token ?? ProcessInfo.processInfo.environment["TONGKE_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
  }

  func transport() throws -> ClientTransport {
    var configuration = TransportConfiguration()
    configuration.trustFile = ca
    configuration.language = Language.ofEnvironment.rawValue
    do { return try ClientTransport(configuration: configuration) } catch { throw Refusal(error) }
  }
}

extension Refusal {
  init(_ error: ClientError) { self.init("client.\(error.name)", error.arguments) }
}

/// Waits until a session ends, the time is over or a signal comes, reporting each second.
enum SessionWatch {
  private enum Wake: Sendable {
    case ended(SessionEnd)
    case timeOver
    case signalled
  }

  /// Returns why the session ended; it has then said goodbye.
  static func run(
    signals: StopSignals, duration: Double?, end: @escaping @Sendable () async -> SessionEnd,
    stop: @escaping @Sendable () async -> Void, trouble: @escaping @Sendable () -> ClientError?,
    report: @escaping @Sendable () -> Void
  ) async -> SessionEnd {
    let reporter = Task {
      var told: ClientError?
      while true {
        try await Task.sleep(for: .seconds(1))
        let now = trouble()
        if let now, now != told { Console.error(Refusal(now).message) }
        told = now
        report()
      }
    }
    defer { reporter.cancel() }
    return await withTaskGroup(of: Wake.self) { group in
      group.addTask { .ended(await end()) }
      group.addTask {
        await signals.first()
        return .signalled
      }
      if let duration {
        group.addTask {
          try? await Task.sleep(for: .seconds(duration))
          return .timeOver
        }
      }
      let first = await group.next()
      // The session's own end answers to stop alone, not to cancellation.
      await stop()
      group.cancelAll()
      if case .ended(let reason) = first { return reason }
      return .stopped
    }
  }
}

/// Figures in an order that stays, as an object of JSON or a line for people.
struct Figures {
  private var members: [(name: String, value: String)] = []

  mutating func add(_ name: String, _ value: some BinaryInteger) { members.append((name, "\(value)")) }
  mutating func add(_ name: String, _ value: Bool) { members.append((name, "\(value)")) }
  mutating func add(_ name: String, _ value: Double?) {
    members.append((name, value.map { String(format: "%.1f", $0) } ?? "null"))
  }

  var json: String { "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}" }
  var arguments: [String: String] { Dictionary(members, uniquingKeysWith: { $1 }) }
}
