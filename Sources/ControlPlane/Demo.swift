import Classroom
import Foundation
import Ledger
import Logging
import Media
import MediaClient

/// A whole lesson on this machine: a relay, a lead that publishes, teaching points that receive, one of which drops and
/// comes back and one of which comes late, a recording and its account.
///
/// Everything is the real thing over loopback: UDP, DTLS, SRTP, files, ledger. What it promises is checked.
public struct Demo: Sendable {
  /// Points whose every picture is decoded, a third of a core at 720p; further ones have their key frames decoded and
  /// all pictures put together.
  private static let fullyDecoded = 20
  private static let resourceSeconds = 60

  private let options: DemoOptions
  private let language: Language
  private let print: @Sendable (String) -> Void
  private let tell: @Sendable (String) -> Void

  /// - Parameters:
  ///   - print: takes the result: one object of JSON, or a table.
  ///   - tell: takes what happens meanwhile and what went wrong, a line each.
  public init(
    options: DemoOptions, language: Language, print: @escaping @Sendable (String) -> Void,
    tell: @escaping @Sendable (String) -> Void
  ) {
    self.options = options
    self.language = language
    self.print = print
    self.tell = tell
  }

  /// Runs it and answers the exit status: 0 when every promise was kept, otherwise 1.
  public func run() async -> Int32 {
    let folder = FileManager.default.temporaryDirectory.path + "/tongke-demo-" + UUID().uuidString.prefix(8)
    let output = URL(fileURLWithPath: options.outputFolder ?? folder).path
    let data = folder + "/data"
    defer { try? FileManager.default.removeItem(atPath: output == folder ? data : folder) }
    do {
      for path in [data, output] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      let relay = try await start(data: data)
      let outcome: DemoOutcome
      do { outcome = try await teach(relay, output: output) } catch {
        await relay.stop()
        throw error
      }
      await relay.stop()
      return conclude(outcome)
    } catch let error as RelayStartError {
      tell(error.message(in: language))
    } catch let error as ClientError {
      tell(words(error))
    } catch {
      tell(words("failed", ["error": (error as NSError).localizedDescription]))
    }
    return 1
  }

  private func words(_ key: String, _ arguments: [String: String] = [:]) -> String {
    Text.of("demo.\(key)", in: language, arguments)
  }

  private func words(_ error: ClientError) -> String {
    Text.of("client.\(error.name)", in: language, error.arguments)
  }

  private func start(data: String) async throws -> Relay {
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = data
    configuration.faultDropFraction = options.dropFraction
    var logger = Logger(label: "demo") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    return try await Relay.start(configuration: configuration, logger: logger)
  }

  private func transport() throws -> ClientTransport {
    var configuration = TransportConfiguration()
    configuration.loopbackOnly = true
    configuration.language = language.rawValue
    // 200 points with two seconds of 3 Mbit/s each.
    configuration.slotCount = 65_536 + 1_024 * options.teachingPoints
    return try ClientTransport(configuration: configuration)
  }

  private func conclude(_ outcome: DemoOutcome) -> Int32 {
    print(options.json ? outcome.figures.json : outcome.figures.text(in: language))
    let broken = outcome.brokenPromises()
    for promise in broken { tell(promise.words(in: language)) }
    if !options.json { tell(words(broken.isEmpty ? "kept" : "broken", ["count": String(broken.count)])) }
    return broken.isEmpty ? 0 : 1
  }

  // MARK: The lesson

  private func teach(_ relay: Relay, output: String) async throws -> DemoOutcome {
    let links = try relay.makeLesson(
      title: words("title"), receivers: options.teachingPoints, seconds: Int64(options.durationSeconds))
    let lesson = try DemoLesson(options: options, links: links, fullyDecoded: Self.fullyDecoded, transport: transport)
    if !options.json { tell(words("begins", ["points": String(options.teachingPoints)])) }
    let taught: DemoLesson.Taught
    do { taught = try await lesson.teach() } catch {
      await lesson.dismiss()
      throw error
    }
    try await relay.endLesson(links.id)
    await lesson.dismiss()
    if !options.json { tell(words("ended")) }
    return try await account(relay, links, lesson, taught, output: output)
  }

  /// Waits for the recording, decodes it, and reads the ledger.
  private func account(
    _ relay: Relay, _ links: LessonLinks, _ lesson: DemoLesson, _ taught: DemoLesson.Taught, output: String
  ) async throws -> DemoOutcome {
    let resources = await relay.awaitResources(links.id, seconds: Self.resourceSeconds)
    let report = try relay.store.report(lesson: links.id)
    let chain = try relay.store.verifyChain()
    var figures = DemoFigures(lesson: links.lesson, durationSeconds: taught.seconds)
    figures.packetsSent = taught.publish.packetsSent
    figures.bytesSent = taught.publish.bytesSent
    figures.events = report.events
    figures.chainVerified = chain.isIntact
    var outcome = DemoOutcome(
      options: options, figures: figures, picturesPublished: Int(taught.publish.picturesPlayed),
      seconds: taught.seconds, points: lesson.points(attendance: report.seats))
    outcome.failures = taught.failures.map { .connected(site: $0.site, reason: words($0.error)) }
    if let error = taught.publishFailure { outcome.failures.append(.published(reason: words(error))) }
    outcome.figures.points = outcome.points.map(\.figures)
    guard let recording = resources?.first(where: { $0.kind == .recording && $0.state == .verified }) else {
      outcome.failures.append(.recorded(reason: words(resources == nil ? "noFileInTime" : "noFile")))
      return outcome
    }
    try decode(recording, relay, output: output, &outcome)
    return outcome
  }

  private func decode(
    _ recording: ResourceFile, _ relay: Relay, output: String, _ outcome: inout DemoOutcome
  ) throws {
    let from = relay.configuration.data + "/" + recording.path
    let to = output + "/lesson." + (recording.mediaType == "video/webm" ? "webm" : "mp4")
    try? FileManager.default.removeItem(atPath: to)
    try FileManager.default.copyItem(atPath: from, toPath: to)
    do throws(MediaError) {
      let report = try MediaReport(decoding: to)
      outcome.decodeErrors = report.decodeErrors
      outcome.figures.recording = DemoRecordingFigures(
        path: to, durationSeconds: report.durationSeconds, videoFrames: report.videoFrames,
        audioSeconds: report.audioSeconds, audioVideoOffsetMilliseconds: report.audioVideoOffsetMilliseconds)
    } catch { outcome.failures.append(.recorded(reason: error.message)) }
  }
}
