import Media
import MediaClient
import Synchronization

/// One teaching point of a demonstration: a WebRTC client that does what its course says.
final class DemoPoint: Sendable {
  let number: Int
  let link: LessonLinks.Receive
  let course: DemoOptions.Course
  /// Decodes every picture, or key frames alone.
  let isDecodedFully: Bool
  private let decoder: DemoDecoder
  private let sessions = Mutex<[ReceiveSession]>([])

  init(
    number: Int, link: LessonLinks.Receive, course: DemoOptions.Course, isDecodedFully: Bool, decoder: DemoDecoder
  ) {
    self.number = number
    self.link = link
    self.course = course
    self.isDecodedFully = isDecodedFully
    self.decoder = decoder
  }

  /// Connects; `ReceiveSession` keeps the connection.
  func join(_ transport: ClientTransport) async throws(ClientError) {
    decoder.begin(number)
    let session = try await ReceiveSession.start(transport, url: link.url, token: link.token) {
      [decoder, number, isDecodedFully] unit in
      guard unit.encoding != .opus, isDecodedFully || unit.isKeyFrame else { return }
      decoder.take(unit, of: number)
    }
    sessions.withLock { $0.append(session) }
  }

  /// Waits until the relay has ended the point's connection, 5 s at most.
  func leave() async {
    guard let session = sessions.withLock({ $0.last }) else { return }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { _ = await session.end() }
      group.addTask { try? await Task.sleep(for: .seconds(5)) }
      await group.next()
      await session.stop()
      group.cancelAll()
    }
  }

  /// One for each time it joined.
  var statistics: [ReceiveStatistics] { sessions.withLock { $0 }.map(\.statistics) }

  /// Its connections, each from its first picture to its end or the lesson's, whichever came first.
  func stretches(until end: Int64) -> [DemoOutcome.Stretch] {
    statistics.flatMap(\.connections).map { connection in
      let first = connection.firstFrameMilliseconds.map { connection.startedAt + Int64($0 * 1_000) }
      let last = min(connection.endedAt ?? end, end)
      return DemoOutcome.Stretch(
        hadPicture: first != nil, seconds: first.map { max(0, Double(last - $0) / 1_000_000) } ?? 0)
    }
  }

  /// Figures of all its connections together, without what decoding and the ledger add.
  var figures: DemoPointFigures {
    let statistics = statistics
    let first = statistics.first?.connections.first
    var figures = DemoPointFigures(site: link.site, role: "receiver")
    figures.connectMilliseconds = first?.connectMilliseconds
    figures.firstFrameMilliseconds = first?.firstFrameMilliseconds
    for session in statistics {
      figures.packetsReceived += session.packetsReceived
      figures.packetsRepaired += session.packetsRepaired
      figures.packetsLost += session.packetsLost
      figures.framesComplete += session.media.framesComplete
    }
    return figures
  }
}
