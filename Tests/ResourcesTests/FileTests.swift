import Classroom
import Foundation
import Ledger
import Media
import Recorder
import Resources
import Testing

/// From encoded media through packets, lanes, segments and files to decoded media.
@Suite(.serialized) struct FileTests {
  /// Sound and picture belong together within this many milliseconds, at every mark.
  static let lipSync = 40.0

  /// Every flash with the beep next to it, as offsets in milliseconds.
  static func offsets(_ report: MediaReport) -> [Double] {
    report.flashes.compactMap { flash in
      report.beeps.map { ($0 - flash) * 1_000 }.filter { abs($0) < 300 }.min { abs($0) < abs($1) }
    }
  }

  @Test func aLessonWithAHoleBecomesOneFile() async throws {
    let data = try DataFolder()
    try await data.record([Session(seconds: 10, lost: 4.2...5.9)])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files.count == 1)
    let file = try #require(made.files.first)
    #expect(file.path == "lessons/\(data.lesson.id)/camera.mp4")
    #expect(file.feed == "camera")
    #expect(file.gaps > 0)
    let report = try data.report(file.path)
    #expect(report.videoCodec == "h264")
    #expect(report.audioCodecs == ["aac", "opus"])
    // The hole is kept as time.
    #expect(abs(report.durationSeconds - 10) < 0.5)
    #expect(abs(file.durationSeconds - 10) < 0.5)
    #expect(report.videoFrames == file.videoFrames)
    // 150 pictures less the hole's 1.7 s and what could not be put together at its edges.
    #expect(report.videoFrames >= 120 && report.videoFrames <= 126)
    #expect(file.audioSeconds > 9.5)
    let strips = report.strips.compactMap { $0 }
    #expect(strips == strips.sorted())
    #expect(strips.count > 100)
    // Marks on both sides of it: 1, 3 | 7, 9 s.
    let offsets = Self.offsets(report)
    #expect(offsets.count >= 4)
    #expect(offsets.allSatisfy { abs($0) <= Self.lipSync })
    #expect(abs(try #require(file.audioVideoOffsetMilliseconds)) <= Self.lipSync)
    for expected in [1.0, 3, 7, 9] {
      #expect(report.flashes.contains { abs($0 - expected) < 0.1 })
      #expect(report.beeps.contains { abs($0 - expected) < 0.1 })
    }
    // What it is kept as.
    let poster = try #require(file.poster)
    #expect(poster == "lessons/\(data.lesson.id)/camera.jpg")
    let jpeg = try Data(contentsOf: URL(fileURLWithPath: data.path + "/" + poster))
    #expect(jpeg.starts(with: [0xFF, 0xD8]))
    let resources = try data.store.resourceFiles(lesson: data.lesson.id)
    #expect(resources.map(\.kind) == [.recording, .poster])
    #expect(resources.allSatisfy { $0.state == .verified })
    #expect(resources[0].sha256 == file.sha256)
    #expect(resources[0].byteCount == file.byteCount)
    #expect(resources[0].mediaType == "video/mp4")
    let size = try FileManager.default.attributesOfItem(atPath: data.path + "/" + file.path)[.size] as? Int64
    #expect(size == file.byteCount)
    #expect(try data.madeEvents.count == 1)
    #expect(try data.madeEvents[0]["videoFrames"] == String(file.videoFrames))
    #expect(try data.foundFeeds().isEmpty)
    #expect(data.lessonFiles == ["camera.jpg", "camera.mp4"])
    // The index lies in front of the media, so that players begin at once.
    let bytes = try Data(contentsOf: URL(fileURLWithPath: data.path + "/" + file.path))
    let moov = try #require(bytes.range(of: Data("moov".utf8)))
    let mdat = try #require(bytes.range(of: Data("mdat".utf8)))
    #expect(moov.lowerBound < mdat.lowerBound)
  }

  /// A publisher that comes back is another encoder with other numbers; the lesson's time goes on.
  @Test func aTakeOverGoesOnInTheSameFile() async throws {
    let data = try DataFolder()
    try await data.record([
      Session(track: 4, from: 0, seconds: 4.5), Session(track: 6, from: 5.7, seconds: 4.5, width: 384, height: 216),
    ])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files.map(\.path) == ["lessons/\(data.lesson.id)/camera.mp4"])
    let report = try data.report(made.files[0].path)
    #expect(report.decodeErrors == 0)
    // 68 pictures begin in 4.5 s.
    #expect(report.videoFrames == 136)
    #expect(abs(report.durationSeconds - 10.2) < 0.5)
    let offsets = Self.offsets(report)
    #expect(offsets.count >= 4)
    #expect(offsets.allSatisfy { abs($0) <= Self.lipSync })
    for expected in [1.0, 3, 6.7, 8.7] { #expect(report.flashes.contains { abs($0 - expected) < 0.1 }) }
    #expect(try data.foundFeeds().isEmpty)
  }

  @Test func anotherCodecBeginsAnotherFile() async throws {
    let data = try DataFolder()
    try await data.record([Session(track: 4, seconds: 3), Session(encoding: .vp8, track: 6, from: 4, seconds: 3)])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(
      made.files.map(\.path) == ["camera.mp4", "camera-2.webm"].map { "lessons/\(data.lesson.id)/\($0)" })
    let first = try data.report(made.files[0].path)
    let second = try data.report(made.files[1].path)
    #expect(first.videoCodec == "h264")
    #expect(second.videoCodec == "vp8")
    #expect(first.videoFrames == 45)
    #expect(second.videoFrames == 45)
    #expect(second.audioCodecs == ["opus"])
    for report in [first, second] {
      #expect(!Self.offsets(report).isEmpty)
      #expect(Self.offsets(report).allSatisfy { abs($0) <= Self.lipSync })
    }
    #expect(made.files[1].startsAt - made.files[0].startsAt >= 3_900)
    #expect(made.files[1].startsAt - made.files[0].startsAt <= 4_100)
    #expect(try data.madeEvents.count == 2)
  }

  @Test func feedsBecomeFilesOfTheirOwn() async throws {
    let data = try DataFolder()
    try await data.record([Session(seconds: 2)])
    try await data.record([Session(encoding: .vp8, hasAudio: false, seconds: 2)], of: "screen")
    try await data.record([Session(encoding: nil, seconds: 3)], of: "radio")
    // A feed of the same name, and one whose name is no file's.
    try await data.record([Session(hasAudio: false, seconds: 1)], number: 2)
    try await data.record([Session(hasAudio: false, seconds: 1)], of: "../音乐 Room/1")
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(
      made.files.map { $0.path.split(separator: "/").last } == [
        "camera.mp4", "screen.webm", "radio.mp4", "camera-2.mp4", "------room-1.mp4",
      ])
    let screen = try data.report(made.files[1].path)
    #expect(screen.audioCodecs.isEmpty)
    #expect(screen.videoFrames == 30)
    #expect(made.files[1].audioSeconds == 0)
    let radio = try data.report(made.files[2].path)
    #expect(radio.videoCodec == "")
    #expect(radio.audioCodecs == ["aac", "opus"])
    #expect(abs(radio.audioSeconds - 3) < 0.2)
    #expect(made.files[2].poster == nil)
    #expect(
      try data.store.resourceFiles(lesson: data.lesson.id).first { $0.path.hasSuffix("radio.mp4") }?.mediaType
        == "audio/mp4")
  }

  /// What the control plane did not live to say is seen from the packets.
  @Test func undeclaredTracksOfAnInterruptedLogAreKnownByTheirPackets() async throws {
    let data = try DataFolder(state: .interrupted)
    try await data.record([Session(seconds: 3, isDeclared: false)], isFinished: false)
    try await data.record([Session(encoding: .vp8, seconds: 3, isDeclared: false)], of: "screen", isFinished: false)
    #expect(try data.foundFeeds().map(\.state) == [.interrupted, .interrupted])
    #expect(try data.maker.pending() == [data.lesson.id])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files.map { $0.path.split(separator: "/").last } == ["camera.mp4", "screen.webm"])
    #expect(made.files.map(\.videoFrames) == [45, 45])
    #expect(made.files.allSatisfy { $0.audioSeconds > 2.8 })
    #expect(try data.maker.pending() == [])
  }
}
