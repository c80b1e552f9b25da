// Goal: a lesson that is being taught runs over its bell as long as it may, and no overtime counts as attendance.
// Method: a real lesson over loopback, and a relay whose clock the test sets ahead.
import Classroom
import ControlPlane
import Foundation
import Ledger
import Logging
import Media
import MediaClient
import Synchronization
import Testing

/// A relay whose clock goes ahead of this machine's by as much as the test says, with a lesson that is being taught.
private final class LateLesson: Sendable {
  private static let seconds: Int64 = 600
  let relay: Relay
  let lesson: Lesson
  let links: LessonLinks
  let transport: ClientTransport
  private let folder: String
  private let ahead: Ahead

  private final class Ahead: Sendable {
    let milliseconds = Mutex<Int64>(0)
    var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) + milliseconds.withLock { $0 } }
  }

  init() async throws {
    folder = NSTemporaryDirectory() + "tongke-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let ahead = Ahead()
    self.ahead = ahead
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = folder
    configuration.recordsLessons = false
    var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    relay = try await Relay.start(configuration: configuration, logger: logger) { ahead.now }
    links = try relay.makeLesson(title: "拖堂", receivers: 1, seconds: Self.seconds)
    lesson = try #require(try relay.store.lesson(links.id))
    var transport = TransportConfiguration()
    transport.loopbackOnly = true
    self.transport = try ClientTransport(configuration: transport)
  }

  var state: LessonState? { (try? relay.store.lesson(lesson.id))?.state }
  var attended: Int64 {
    (try? relay.store.attendance(lesson: lesson.id))?.map(\.effectiveMilliseconds).max() ?? 0
  }

  func publish() async throws -> PublishSession {
    let link = links.whip[0]
    return try await PublishSession.start(transport, url: link.url, token: link.token, source: .generated)
  }

  func receive() async throws -> ReceiveSession {
    try await ReceiveSession.start(transport, url: links.whep[0].url, token: links.whep[0].token, file: nil)
  }

  /// Sets the clock so many seconds behind the bell, and does what is due then.
  func go(to seconds: Int64) async {
    ahead.milliseconds.withLock { $0 += lesson.plannedEnd + seconds * 1_000 - now($0) }
    await relay.advance()
  }

  private func now(_ ahead: Int64) -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) + ahead }

  func eventually(_ holds: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while !holds() {
      guard ContinuousClock.now < deadline else { return false }
      try await Task.sleep(for: .milliseconds(20))
    }
    return true
  }

  func close() async {
    await transport.shutdown()
    await relay.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct OvertimeTests {
  @Test func aLessonRunsOverTenMinutesAndNoneOfThemCount() async throws {
    let late = try await LateLesson()
    let lead = try await late.publish()
    let site = try await late.receive()
    #expect(try await late.eventually { late.state == .live && late.attended >= 1_000 })
    await late.go(to: 60)
    #expect(late.state == .live)
    let attended = late.attended
    let received = site.statistics.packetsReceived
    #expect(try await late.eventually { site.statistics.packetsReceived > received + 100 }, "the lesson goes on")
    await late.go(to: 595)
    #expect(late.state == .live)
    #expect(late.attended == attended, "overtime is no attendance")
    await late.go(to: 600)
    #expect(late.state == .ended)
    #expect(try late.relay.store.endReason(lesson: late.lesson.id) == "limit")
    let report = try late.relay.store.report(lesson: late.lesson.id)
    #expect(report.seats[1].attendanceSeconds == Int(attended / 1_000) && !report.seats[1].attended && !report.taught)
    await lead.stop()
    await site.stop()
    await late.close()
  }

  @Test func aRoomThatIsNeededEndsIt() async throws {
    let late = try await LateLesson()
    // Lessons outside a timetable share their rooms.
    func book(_ seconds: Int64) throws {
      let start = late.lesson.plannedEnd + seconds * 1_000
      _ = try late.relay.store.makeLesson(title: "下一节", plannedStart: start, plannedEnd: start + 60_000, receivers: 0)
    }
    try book(360)
    let lead = try await late.publish()
    #expect(try await late.eventually { late.state == .live })
    await late.go(to: 355)
    #expect(late.state == .live)
    await late.go(to: 360)
    #expect(late.state == .ended)
    #expect(try late.relay.store.endReason(lesson: late.lesson.id) == "leadRoom")
    await lead.stop()
    await late.close()
  }

  @Test func aLessonThatItsLeadHasLeftIsOverAMinuteAfterwards() async throws {
    let late = try await LateLesson()
    let lead = try await late.publish()
    #expect(try await late.eventually { late.state == .live })
    await late.go(to: -30)
    await lead.stop()
    try await Task.sleep(for: .milliseconds(500))
    await late.relay.advance()
    await late.go(to: 10)
    #expect(late.state == .live, "who lost the line comes back")
    await late.go(to: 40)
    #expect(late.state == .ended)
    #expect(try late.relay.store.endReason(lesson: late.lesson.id) == "leadGone")
    await late.close()
  }
}
