// Goal: people find the place in a recording where a site was called, the screen shared or a marker set. Method: events
// at known moments of a recorded lesson, then the index in the MP4 and the WebVTT beside it are read.
import Classroom
import Foundation
import Ledger
import Media
import Recorder
import Resources
import Testing

@Suite(.serialized) struct ChapterTests {
  /// Appends events at moments of the recording, in milliseconds from its zero.
  private func tell(_ events: [(Int64, LedgerEvent)], in data: DataFolder) throws {
    let start = try #require(try data.foundFeeds().first?.runs.first?.start)
    let zero = (Publisher.zero - start.monotonic + start.wall) / 1_000
    for (at, event) in events {
      data.now.value = zero + at
      try data.store.append(event)
    }
  }

  @Test func chaptersStandInTheFileAndBesideIt() async throws {
    let data = try DataFolder()
    let cluster = try #require(try data.store.clusters().first)
    let room = try #require(try data.store.rooms(institution: cluster.members.last?.institution).first)
    let school = try #require(try data.store.institution(room.institution))
    let seat = Seat(id: Identifier(high: 7, low: 7), lesson: data.lesson.id, role: .receiver, room: room.id)
    try data.store.upsert(seat)
    try await data.record([Session(seconds: 6)])
    try tell(
      [
        (-60_000, LedgerEvent(kind: .markerSet, lesson: data.lesson.id, payload: [("label", "before")])),
        (1_000, LedgerEvent(kind: .seatCalled, lesson: data.lesson.id, seat: seat.id)),
        (2_500, LedgerEvent(kind: .published, lesson: data.lesson.id, payload: [("feed", "screen"), ("peer", "1")])),
        (3_000, LedgerEvent(kind: .published, lesson: data.lesson.id, payload: [("feed", "camera"), ("peer", "2")])),
        (4_000, LedgerEvent(kind: .markerSet, lesson: data.lesson.id, payload: [("label", "A <b> & c\nd")])),
        (90_000, LedgerEvent(kind: .markerSet, lesson: data.lesson.id)),
      ], in: data)
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(data.lessonFiles == ["camera.jpg", "camera.mp4", "camera.vtt"])
    let files = try data.store.resourceFiles(lesson: data.lesson.id)
    #expect(files.map(\.kind) == [.recording, .poster, .chapters])
    let chapters = files[2]
    #expect(chapters.mediaType == "text/vtt")
    #expect(!chapters.containsFaces)
    let text = try String(contentsOfFile: data.path + "/" + chapters.path, encoding: .utf8)
    let cues = text.split(separator: "\n\n")
    #expect(cues.first == "WEBVTT")
    let lines = cues.dropFirst().map { $0.split(separator: "\n").map(String.init) }
    #expect(
      lines.map { $0[2] } == ["三年级音乐", school.name + " " + room.name, "屏幕", "A &lt;b&gt; &amp; c d"])
    let starts = lines.map { String($0[1].prefix(8)) }
    #expect(starts == ["00:00:00", "00:00:01", "00:00:02", "00:00:04"] || starts[1] == "00:00:00")
    #expect(lines.allSatisfy { $0[1].contains(" --> 00:00:0") })
    // The MP4 has them as well: the list of players (chpl), and the titles.
    let bytes = try Data(contentsOf: URL(fileURLWithPath: data.path + "/" + made.files[0].path))
    let list = try #require(bytes.range(of: Data("chpl".utf8)))
    let titles = bytes[list.lowerBound...].prefix(1_000)
    #expect(titles.range(of: Data("三年级音乐".utf8)) != nil)
    #expect(titles.range(of: Data((school.name + " " + room.name).utf8)) != nil)
    #expect(bytes.range(of: Data("before".utf8)) == nil)
    // It plays as before.
    let report = try data.report(made.files[0].path)
    #expect(report.videoFrames == 90)
    #expect(report.audioCodecs == ["aac", "opus"])
  }

  @Test func aLessonThatNothingDividesHasNone() async throws {
    let data = try DataFolder()
    try await data.record([Session(seconds: 2)])
    _ = try data.maker.make(data.lesson.id)
    #expect(data.lessonFiles == ["camera.jpg", "camera.mp4"])
  }
}
