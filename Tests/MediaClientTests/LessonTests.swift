// Goal: the clients carry a lesson through a real relay. Method: a relay, a lead and receivers over loopback.
import ControlPlane
import Foundation
import Logging
import Media
import MediaClient
import Testing

/// A relay on free loopback ports with one lesson, and a transport for its clients.
private struct TrialLesson {
  let relay: Relay
  let links: LessonLinks
  let transport: ClientTransport
  let folder: String

  init(receivers: Int, drop: Double = 0) async throws {
    folder = NSTemporaryDirectory() + "tongke-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = folder
    configuration.recordsLessons = false
    configuration.faultDropFraction = drop
    var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    relay = try await Relay.start(configuration: configuration, logger: logger)
    links = try relay.makeLesson(title: "Test", receivers: receivers, seconds: 600)
    transport = try Self.makeTransport()
  }

  static func makeTransport() throws -> ClientTransport {
    var configuration = TransportConfiguration()
    configuration.loopbackOnly = true
    configuration.language = "en"
    return try ClientTransport(configuration: configuration)
  }

  func publish(_ transport: ClientTransport? = nil, source: PublishSource = .generated) async throws -> PublishSession
  {
    try await PublishSession.start(
      transport ?? self.transport, url: links.whip[0].url, token: links.whip[0].token, source: source)
  }

  func receive(
    _ seat: Int, _ transport: ClientTransport? = nil, file: String? = nil
  ) async throws -> ReceiveSession {
    let link = links.whep[seat]
    return try await ReceiveSession.start(
      transport ?? self.transport, url: link.url, token: link.token, file: file)
  }

  func close() async {
    await transport.shutdown()
    await relay.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// Polls until something holds, for at most so many seconds.
private func eventually(within seconds: Double, _ holds: () -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while !holds() {
    guard ContinuousClock.now < deadline else { return false }
    try await Task.sleep(for: .milliseconds(20))
  }
  return true
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct LessonTests {
  @Test func aLessonReachesTwoTeachingPointsWhole() async throws {
    let trial = try await TrialLesson(receivers: 2)
    let file = trial.folder + "/received.mp4"
    let lead = try await trial.publish()
    let first = try await trial.receive(0, file: file)
    let second = try await trial.receive(1)
    #expect(
      try await eventually(within: 20) {
        first.statistics.media.framesComplete >= 60 && second.statistics.media.framesComplete >= 60
      })
    await lead.stop()
    try await Task.sleep(for: .milliseconds(300))
    await first.stop()
    await second.stop()
    for statistics in [first.statistics, second.statistics] {
      #expect(statistics.packetsLost == 0)
      #expect(statistics.media.framesIncomplete == 0)
      #expect(statistics.media.keyFrames >= 1)
      #expect(statistics.media.soundUnits > 50)
      let connection = try #require(statistics.connections.first)
      #expect(statistics.connections.count == 1)
      #expect(connection.connectMilliseconds ?? 0 > 0)
      #expect(connection.firstFrameMilliseconds ?? 0 >= connection.connectMilliseconds ?? .infinity)
    }
    #expect(lead.statistics.packetsUnsent == 0)
    #expect(lead.statistics.packetsSent > 200)
    let written = try #require(try first.file?.get())
    let report = try MediaReport(decoding: file)
    #expect(report.videoFrames == written.videoFrames && report.videoFrames >= 60)
    #expect(report.strips.allSatisfy { $0 != nil })
    #expect(report.decodeErrors == 0)
    await trial.close()
  }

  @Test func whatTheLineLosesIsRepaired() async throws {
    let trial = try await TrialLesson(receivers: 1, drop: 0.05)
    let lead = try await trial.publish()
    let receiver = try await trial.receive(0)
    #expect(
      try await eventually(within: 30) {
        receiver.statistics.packetsRepaired > 5 && lead.statistics.packetsRetransmitted > 5
          && receiver.statistics.media.framesComplete >= 100
      })
    await lead.stop()
    await receiver.stop()
    await trial.close()
  }

  @Test func aSecondLeadTakesTheFeedOver() async throws {
    let trial = try await TrialLesson(receivers: 1)
    let receiver = try await trial.receive(0)
    let lead = try TrialLesson.makeTransport()
    _ = try await trial.publish(lead)
    #expect(try await eventually(within: 20) { receiver.statistics.media.framesComplete >= 30 })
    // The first lead's machine loses its power.
    await lead.abandon()
    let seen = receiver.statistics.media
    let second = try await trial.publish()
    #expect(
      try await eventually(within: 20) { receiver.statistics.media.framesComplete >= seen.framesComplete + 50 })
    #expect(receiver.statistics.media.keyFrames > seen.keyFrames)
    #expect(receiver.statistics.connections.count == 1)
    await second.stop()
    await trial.close()
  }

  @Test func aTeachingPointThatFellSilentTakesItsSeatAgain() async throws {
    let trial = try await TrialLesson(receivers: 1)
    let lead = try await trial.publish()
    let site = try TrialLesson.makeTransport()
    let before = try await trial.receive(0, site)
    #expect(try await eventually(within: 20) { before.statistics.media.framesComplete >= 10 })
    await site.abandon()
    #expect(await before.end() == .stopped)
    let after = try await trial.receive(0)
    #expect(try await eventually(within: 20) { after.statistics.media.framesComplete >= 10 })
    #expect(after.statistics.connections.first?.firstFrameMilliseconds != nil)
    await lead.stop()
    await trial.close()
  }

  @Test func theEndOfTheLessonIsHeard() async throws {
    let trial = try await TrialLesson(receivers: 1)
    let lead = try await trial.publish()
    let receiver = try await trial.receive(0)
    #expect(try await eventually(within: 20) { receiver.statistics.media.framesComplete >= 5 })
    try await trial.relay.endLesson(trial.links.id)
    for end in [await receiver.end(), await lead.end()] {
      guard case .failed(.refused(let refusal)) = end else {
        Issue.record("ended by \(end)")
        continue
      }
      #expect(refusal.status == 409)
      #expect(refusal.type == "urn:tongke:problem:lessonEnded")
      #expect(!refusal.title.isEmpty && !refusal.detail.isEmpty)
    }
    await trial.close()
  }

  @Test func refusalsSayWhatIsWrong() async throws {
    let trial = try await TrialLesson(receivers: 1)
    let link = trial.links.whep[0]
    await #expect(throws: ClientError.self) {
      _ = try await ReceiveSession.start(trial.transport, url: link.url, token: nil)
    }
    do throws(ClientError) {
      _ = try await ReceiveSession.start(trial.transport, url: link.url, token: "none.such")
      Issue.record("a bad token was let in")
    } catch {
      guard case .refused(let refusal) = error else {
        Issue.record("refused by \(error)")
        return
      }
      #expect(refusal.status == 401 && !refusal.title.isEmpty && refusal.title.allSatisfy(\.isASCII))
    }
    do throws(ClientError) {
      // Port 9 of the loopback: nobody is there.
      _ = try await ReceiveSession.start(trial.transport, url: "http://127.0.0.1:9/whep", token: nil)
      Issue.record("nobody answered")
    } catch {
      #expect(error.name == "unreachable")
    }
    await #expect(throws: ClientError.badURL("rtsp://there/x")) {
      _ = try await ReceiveSession.start(trial.transport, url: "rtsp://there/x", token: nil)
    }
    do throws(ClientError) {
      _ = try await PublishSession.start(
        trial.transport, url: trial.links.whip[0].url, token: trial.links.whip[0].token,
        source: .media(url: trial.folder + "/no-such-file.mp4", loops: false))
      Issue.record("a file that is not there was published")
    } catch {
      #expect(error.name == "sourceUnreadable")
    }
    await trial.close()
  }

  @Test func aFileIsPublishedToItsEnd() async throws {
    let trial = try await TrialLesson(receivers: 1)
    let path = trial.folder + "/lesson.mp4"
    var settings = GeneratedLesson.Settings()
    settings.width = 320
    settings.height = 180
    settings.hasBFrames = true
    try GeneratedLesson(settings).writeMP4(to: path, seconds: 4)
    let receiver = try await trial.receive(0)
    let lead = try await trial.publish(source: .media(url: path, loops: false))
    #expect(await lead.end() == .sourceEnded)
    #expect(lead.statistics.picturesPlayed == 100)
    #expect(try await eventually(within: 5) { receiver.statistics.media.framesComplete == 100 })
    #expect(abs(receiver.statistics.media.soundMicroseconds - 4_000_000) < 100_000)
    await trial.close()
  }
}
