import ArgumentParser
import Foundation
import Media
import MediaClient
import MediaWorker

/// How soon a late joiner sees the lesson.
struct JoinBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "From a late joiner's WHEP POST to its first whole picture.",
    discussion: """
      A publisher that ignores picture requests, a key frame every 5 s, and one joiner after another at different ages of
      the group of pictures; relay in a process of its own. The unit is a bare DTLS handshake and one round trip.
      """)

  @Option(help: "Joiners, one after another.") var joiners = 20
  @Option(help: "Seconds between key frames.") var keyFrameSeconds = 5
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...100).contains(joiners), (1...10).contains(keyFrameSeconds) else {
      throw ValidationError("out of range")
    }
  }

  func run() async throws {
    let relay = try RelayProcess(receivers: joiners)
    defer { relay.stop() }
    let file = relay.folder.appending(path: "lesson.mp4").path
    var settings = GeneratedLesson.Settings()
    settings.keyFrameSeconds = keyFrameSeconds
    try GeneratedLesson(settings).writeMP4(to: file, seconds: Double(keyFrameSeconds * 4))
    let lead = try Self.transport()
    let publisher = try await PublishSession.start(
      lead, url: relay.links.whip.url, token: relay.links.whip.token, source: .media(url: file, loops: true))
    let sites = try Self.transport()
    try await Task.sleep(for: .seconds(keyFrameSeconds + 1))
    let identity = try DTLSIdentity.generate()
    var pictures: [Double] = []
    var connections: [Double] = []
    var units: [Double] = []
    for number in 0..<joiners {
      units.append(try BareHandshake.milliseconds(identity: identity))
      let (connected, picture) = try await join(sites, relay.links.whep[number])
      connections.append(connected)
      pictures.append(picture)
      // Prime to the group's length, so that joiners come at all its ages.
      try await Task.sleep(for: .milliseconds(keyFrameSeconds * 1_000 * 7 / 20))
    }
    await publisher.stop()
    await sites.shutdown()
    await lead.shutdown()
    report(pictures, connections, units)
  }

  /// - Parameter sessions: how many receive over it; each keeps a group of pictures.
  static func transport(sessions: Int = 1) throws -> ClientTransport {
    var configuration = TransportConfiguration()
    configuration.loopbackOnly = true
    configuration.slotCount = max(configuration.slotCount, sessions * 2_000)
    return try ClientTransport(configuration: configuration)
  }

  /// Milliseconds from the POST until the connection stood, and until a whole key frame was there.
  private func join(
    _ transport: ClientTransport, _ link: RelayCommand.Links.End
  ) async throws -> (Double, Double) {
    let session = try await ReceiveSession.start(transport, url: link.url, token: link.token)
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(20)
    while clock.now < deadline {
      if let connection = session.statistics.connections.first, let picture = connection.firstFrameMilliseconds {
        await session.stop()
        return (connection.connectMilliseconds ?? 0, picture)
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    await session.stop()
    throw BenchError("a joiner saw no picture within 20 s")
  }

  private func report(_ pictures: [Double], _ connections: [Double], _ units: [Double]) {
    var report = Report("join", unit: "a bare DTLS handshake and one round trip over loopback")
    let unit = median(units)
    let group = "\(pictures.count) joiners, a key frame every \(keyFrameSeconds) s"
    report.add(group, "ratioMedian", median(pictures) / unit, "of the unit, POST to first whole picture")
    report.add(group, "ratioP95", percentile(pictures, 0.95) / unit, "of the unit")
    report.add(group, "ratioMax", percentile(pictures, 1) / unit, "of the unit")
    report.add(group, "pictureMillisecondsMedian", median(pictures), "ms")
    report.add(group, "pictureMillisecondsP95", percentile(pictures, 0.95), "ms")
    report.add(group, "pictureMillisecondsMax", percentile(pictures, 1), "ms")
    report.add(group, "connectMillisecondsMedian", median(connections), "ms, POST to ICE and DTLS connected")
    report.add(group, "unitMilliseconds", unit, "ms")
    report.print(asJSON: json)
  }
}
