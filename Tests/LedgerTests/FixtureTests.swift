import Classroom
import Foundation
import Ledger
import Testing

/// The data folder of the first release, kept as it was written: every later release opens it.
@Suite struct FixtureTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/data-folder-v1").path

  @Test func theFirstReleasesLedgerOpensMigratesAndVerifies() throws {
    let folder = try LedgerFolder()
    try FileManager.default.copyItem(atPath: Self.folder + "/ledger.sqlite", toPath: folder.file())
    let store = try folder.open()
    let found = try store.verifyChain()
    #expect(found.isIntact && found.events == 22)
    #expect(
      found.head
        == (try String(contentsOfFile: Self.folder + "/head.txt", encoding: .utf8)).split(separator: "\n").first.map(
          String.init))
    let id = try #require(Identifier("00000000-0000-000a-0000-000000000001"))
    let report = try store.report(lesson: id)
    #expect(report.state == .ended && report.taught && report.plannedSeconds == 2_400 && report.liveSeconds == 2_400)
    #expect(report.seats.map(\.attendanceSeconds) == [2_400, 2_390, 1_700, 300])
    #expect(report.seats.map(\.attended) == [false, true, true, false])
    #expect(report.seats.map(\.reconnects) == [0, 0, 1, 0])
    #expect(try store.resourceFiles(lesson: id).map(\.kind) == [.recording])
    #expect(try store.secret("tokens") { [] } == [UInt8](0..<32))
    #expect(try store.installSampleCluster().lesson.state == .live)
    try store.append(LedgerEvent(kind: .tokenIssued))
    #expect(try store.verifyChain().isIntact)
  }

  /// Writes the fixture anew, when asked to with the name of a folder; only ever for a new version's own folder.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["TONGKE_WRITE_LEDGER_FIXTURE"] != nil))
  func writeFixture() throws {
    let target = try #require(ProcessInfo.processInfo.environment["TONGKE_WRITE_LEDGER_FIXTURE"])
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    _ = try store.secret("tokens") { [UInt8](0..<32) }
    try store.append([classes.event(.tokenIssued), classes.event(.lessonArmed), classes.event(.recordingStarted)])
    for seat in [classes.lead] + classes.receivers {
      try store.append([classes.event(.seatJoined, seat), classes.event(.peerConnected, seat)])
    }
    try store.append([classes.event(.published, classes.lead, [("feed", "camera")]), classes.event(.lessonLive)])
    folder.advance(600_000)
    try store.append(classes.event(.peerLost, classes.receivers[1]))
    folder.advance(5_000)
    try store.append(classes.event(.peerConnected, classes.receivers[1]))
    folder.advance(1_795_000)
    let seconds: [Int64] = [2_400, 2_390, 1_700, 300]
    try store.checkpoint(zip([classes.lead] + classes.receivers, seconds).map { classes.counter($0, seconds: $1) })
    try store.append(classes.event(.lessonEnded))
    try store.upsert(
      ResourceFile(
        id: Identifier(high: 0xD, low: 1), lesson: classes.lesson.id, kind: .recording, path: "resources/lesson.mp4",
        mediaType: "video/mp4", byteCount: 1_000, sha256: String(repeating: "0", count: 64),
        durationMilliseconds: 2_400_000, state: .verified, madeAt: folder.now))
    try store.backup(to: target + "/ledger.sqlite")
    try (store.verifyChain().head + "\n").write(toFile: target + "/head.txt", atomically: true, encoding: .utf8)
  }
}
