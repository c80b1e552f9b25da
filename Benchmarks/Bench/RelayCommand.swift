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

  /// The links of its lessons; the first line it prints.
  struct Links: Codable, Sendable {
    struct End: Codable, Sendable {
      var url: String
      var token: String
    }
    var base: String
    var lessons: [LessonLinks]
    /// Of the first lesson.
    var whip: End { lessons[0].whip }
    var whep: [End] { lessons[0].whep }
  }

  struct LessonLinks: Codable, Sendable {
    var whip: Links.End
    /// One for each seat, up to 200; a seat takes several sessions.
    var whep: [Links.End]
  }

  /// What it has used so far; its answer to each line it reads.
  struct Usage: Codable, Sendable {
    /// Processor seconds of the whole process.
    var processSeconds: Double
    /// Calls of the media thread.
    var allocations: UInt64
    var locks: UInt64
  }

  /// Seats of each lesson.
  @Option var receivers: Int
  @Option var data: String
  @Flag var record = false
  @Option var lessons = 1
  /// Whole lines of the configuration file.
  @Option var setting: [String] = []
  @Option var processor: Int?
  /// Sessions at most; nil for the relay's own limit.
  @Option var sessions: Int?

  func run() async throws {
    if let processor { _ = tk_pin_process(Int32(processor)) }
    tk_calls_watch("media")
    var configuration = try Self.configuration(of: setting)
    if let sessions { configuration.sessionLimit = sessions }
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
    let made = try (0..<lessons).map { _ in
      let lesson = try relay.makeLesson(title: "Bench", receivers: receivers, seconds: 7_200)
      return LessonLinks(
        whip: Links.End(url: lesson.whip[0].url, token: lesson.whip[0].token),
        whep: lesson.whep.map { Links.End(url: $0.url, token: $0.token) })
    }
    try Self.print(Links(base: relay.localBase, lessons: made))
    for await _ in Self.lines() { try Self.print(Self.usage) }
    await relay.stop()
  }

  /// What lines of the configuration file come to.
  private static func configuration(of lines: [String]) throws -> RelayConfiguration {
    do { return try RelayConfiguration(yaml: lines.joined(separator: "\n")) } catch {
      throw BenchError("a setting of the relay is wrong: \(error.key) \(error.reason.rawValue)")
    }
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
