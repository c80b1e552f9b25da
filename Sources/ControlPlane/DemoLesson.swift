import Classroom
import Ledger
import MediaClient
import MediaWorker
import RTCCore
import Synchronization

/// The lead and the teaching points of a demonstration, and the course of its lesson.
final class DemoLesson: Sendable {
  /// What the lead did, and who could not join.
  struct Taught: Sendable {
    struct Failure: Sendable {
      var site: String
      var error: ClientError
    }
    var publish: PublishStatistics
    var publishFailure: ClientError?
    var seconds: Double
    var failures: [Failure]
  }

  private static let decoderCount = 3

  private let options: DemoOptions
  private let links: LessonLinks
  private let points: [DemoPoint]
  private let decoders: [DemoDecoder]
  private let sent = DemoSentPictures()
  private let makeTransport: @Sendable () throws -> ClientTransport
  private let lead: ClientTransport
  private let sites: ClientTransport
  /// The dropping point's own: a power cut takes all of it.
  private let dropping = Mutex<ClientTransport?>(nil)
  private let failures = Mutex<[Taught.Failure]>([])
  /// When the lead stopped, microseconds of the monotonic clock.
  private let leadStopped = Mutex<Int64>(.max)

  init(
    options: DemoOptions, links: LessonLinks, fullyDecoded: Int,
    transport: @escaping @Sendable () throws -> ClientTransport
  ) throws {
    self.options = options
    self.links = links
    makeTransport = transport
    lead = try transport()
    sites = try transport()
    // The last two points have a course of their own, so they are among those looked at most closely.
    let count = links.whep.count
    let full = Set((0..<count).suffix(2)).union((0..<count).prefix(max(1, fullyDecoded - 2)))
    let decoders = (0..<Self.decoderCount).map { [sent] _ in DemoDecoder(sent: sent) }
    let points = links.whep.enumerated().map { number, link in
      DemoPoint(
        number: number, link: link, course: options.course(of: number), isDecodedFully: full.contains(number),
        decoder: decoders[number % Self.decoderCount])
    }
    self.points = points
    self.decoders = decoders
  }

  // MARK: The course of the lesson

  /// Runs the lesson for its duration; returns when the lead has stopped.
  func teach() async throws -> Taught {
    let source = options.source.map { PublishSource.media(url: $0, loops: true) } ?? .generated
    let session = try await PublishSession.start(
      lead, url: links.whip[0].url, token: links.whip[0].token, source: source,
      onUnit: { [sent] in sent.note($0) })
    let clock = ContinuousClock()
    let start = clock.now
    await withTaskGroup(of: Void.self) { group in
      for point in points { group.addTask { await self.follow(point, from: start) } }
      group.addTask {
        try? await clock.sleep(until: start + .seconds(self.options.durationSeconds))
        self.leadStopped.withLock { $0 = monotonicNow().monotonic.microseconds }
        await session.stop()
      }
    }
    // What was sent last may still be asked for again.
    try? await clock.sleep(for: .milliseconds(400))
    let end = await session.end()
    var failure: ClientError?
    if case .failed(let error) = end { failure = error }
    return Taught(
      publish: session.statistics, publishFailure: failure, seconds: Double(options.durationSeconds),
      failures: failures.withLock { $0 })
  }

  private func follow(_ point: DemoPoint, from start: ContinuousClock.Instant) async {
    let clock = ContinuousClock()
    do {
      switch point.course {
      case .steady: try await point.join(sites)
      case .joinsLate:
        try? await clock.sleep(until: start + options.lateJoin)
        try await point.join(sites)
      case .dropsAndRejoins:
        let first = try makeTransport()
        try await point.join(first)
        try? await clock.sleep(until: start + options.drop)
        await first.abandon()
        let second = try makeTransport()
        dropping.withLock { $0 = second }
        try? await clock.sleep(until: start + options.drop + DemoOptions.absence)
        try await point.join(second)
      }
    } catch {
      let reason = error as? ClientError ?? .worker("\(error)")
      failures.withLock { $0.append(Taught.Failure(site: point.link.site, error: reason)) }
    }
  }

  /// Waits until every client has heard that the lesson is over, and ends them all.
  func dismiss() async {
    await withTaskGroup(of: Void.self) { group in
      for point in points { group.addTask { await point.leave() } }
    }
    await lead.shutdown()
    await sites.shutdown()
    await dropping.withLock { $0 }?.shutdown()
  }

  // MARK: What it came to

  /// Figures of all points, after `dismiss`.
  func points(attendance seats: [SeatReport]) -> [DemoOutcome.Point] {
    var pictures: [Int: DemoPictures] = [:]
    for decoder in decoders { pictures.merge(decoder.finish()) { $1 } }
    let end = leadStopped.withLock { $0 }
    return points.map { point in
      var figures = point.figures
      let shown = pictures[point.number] ?? DemoPictures()
      figures.latency = DemoLatency(shown.latencies)
      figures.attendanceSeconds = seats.first { "\($0.seat)" == point.link.seat }?.attendanceSeconds ?? 0
      return DemoOutcome.Point(
        figures: figures, course: point.course, isDecodedFully: point.isDecodedFully,
        stretches: point.stretches(until: end), pictures: shown)
    }
  }
}
