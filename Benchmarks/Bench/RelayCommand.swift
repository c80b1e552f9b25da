import ArgumentParser
import CMeasure
import ControlPlane
import Foundation
import Glibc
import Logging

/// A relay in a process of its own, as the other benches start it.
struct RelayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay", abstract: "The relay that is measured; started by the others.", shouldDisplay: false)

  /// The links of its lesson; the first line it prints.
  struct Links: Codable, Sendable {
    struct End: Codable, Sendable {
      var url: String
      var token: String
    }
    var base: String
    var whip: End
    var whep: [End]
  }

  /// What it has used so far; its answer to each line it reads.
  struct Usage: Codable, Sendable {
    /// Processor seconds of the whole process.
    var processSeconds: Double
    /// Calls of the media thread.
    var allocations: UInt64
    var locks: UInt64
  }

  @Option var receivers: Int
  @Option var data: String
  @Flag var record = false

  func run() async throws {
    tk_calls_watch("media")
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.data = data
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.recordsLessons = record
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    let relay: Relay
    do { relay = try await Relay.start(configuration: configuration, logger: logger) } catch {
      throw BenchError(error.message(in: .english))
    }
    let lesson = try relay.makeLesson(title: "Bench", receivers: receivers, seconds: 3_600)
    let links = Links(
      base: relay.localBase, whip: Links.End(url: lesson.whip[0].url, token: lesson.whip[0].token),
      whep: lesson.whep.map { Links.End(url: $0.url, token: $0.token) })
    try Self.print(links)
    for await _ in Self.lines() { try Self.print(Self.usage) }
    await relay.stop()
  }

  private static var usage: Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    let calls = tk_calls_watched()
    return Usage(
      processSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), allocations: calls.allocations,
      locks: calls.locks)
  }

  private static func print(_ value: some Encodable) throws {
    FileHandle.standardOutput.write(try JSONEncoder().encode(value) + Data("\n".utf8))
  }

  /// Lines of standard input, until it is closed.
  private static func lines() -> AsyncStream<String> {
    AsyncStream { continuation in
      let thread = Thread {
        while let line = readLine() { continuation.yield(line) }
        continuation.finish()
      }
      thread.start()
    }
  }
}
