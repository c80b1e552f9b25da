// Goal: a lesson of six hours becomes a file like any other, its chapters are found by players, and what is read back
// of a long file is enough to see that it is whole. Method: few pictures far apart, looked at by ffprobe and the
// report.
import Foundation
import Media
import Testing

@Suite struct LongFileTests {
  /// One picture a second, each a key frame, for so many seconds.
  private func write(seconds: Int, to path: String, chapters: [FileChapter] = []) throws -> WrittenFile {
    let picture = try #require(
      try units(of: smallLesson(), seconds: 0.1).first { $0.isKeyFrame && $0.encoding == .h264 })
    let writer = try LessonFileWriter(path: path, container: .mp4, hasVideo: true, hasAudio: false)
    for second in 0..<Int64(seconds) {
      var unit = picture
      unit.presentationMicroseconds = 77_000_000 + second * 1_000_000
      try writer.write(unit)
    }
    return try writer.finish { _ in chapters }
  }

  @Test func sixHoursAreKept() throws {
    let folder = try Folder()
    let written = try write(seconds: 21_600, to: folder.file("a.mp4"))
    #expect(written.videoFrames == 21_600)
    #expect(abs(written.durationSeconds - 21_600) < 1)
    #expect(written.pictureSizes.map(\.width) == [640])
    let report = try MediaReport(decoding: folder.file("a.mp4"), wholeSeconds: 60)
    #expect(report.videoPackets == 21_600)
    #expect(abs(report.durationSeconds - 21_600) < 1)
    // A minute at each end, and a picture every 10 s in between.
    #expect(report.videoTried == report.videoFrames)
    #expect((2_200...2_400).contains(report.videoTried))
    #expect(report.decodeErrors == 0)
    let duration = try #require(
      probe(folder.file("a.mp4"), "format=duration").first.flatMap { Double($0.dropFirst("duration=".count)) })
    #expect(abs(duration - 21_600) < 1)
  }

  @Test func chaptersAreFoundByPlayers() throws {
    let folder = try Folder()
    let wanted = [
      FileChapter(start: 0, end: 10_000, title: "三年级音乐"), FileChapter(start: 10_000, end: 25_500, title: "柳河教学点"),
      FileChapter(start: 25_500, end: 60_000, title: "A & B"), FileChapter(start: 60_000, end: 60_000, title: "empty"),
    ]
    _ = try write(seconds: 60, to: folder.file("a.mp4"), chapters: wanted)
    let lines = try probe(folder.file("a.mp4"), "chapter=start_time,end_time:chapter_tags=title")
    func values(_ key: String) -> [String] {
      lines.filter { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    #expect(values("TAG:title") == ["三年级音乐", "柳河教学点", "A & B"])
    #expect(values("start_time").compactMap(Double.init) == [0, 10, 25.5])
    #expect(values("end_time").compactMap(Double.init) == [10, 25.5, 60])
    #expect(try MediaReport(decoding: folder.file("a.mp4")).videoFrames == 60)
  }

  /// A file that is cut anywhere is not taken for whole.
  @Test func aLongFileThatIsCutIsSeen() throws {
    let folder = try Folder()
    let written = try write(seconds: 600, to: folder.file("a.mp4"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.mp4")))
    for share in [0.3, 0.6, 0.9] {
      try bytes.prefix(Int(Double(bytes.count) * share)).write(to: URL(fileURLWithPath: folder.file("b.mp4")))
      let report = try? MediaReport(decoding: folder.file("b.mp4"), wholeSeconds: 60)
      #expect(report?.videoPackets != written.videoFrames)
    }
  }

  @Test func silenceIsHeard() throws {
    let folder = try Folder()
    let writer = try LessonFileWriter(path: folder.file("a.mp4"), container: .mp4, hasVideo: false, hasAudio: true)
    for var unit in try units(of: smallLesson(), seconds: 16) where unit.encoding == .opus {
      if (3.0...14.0).contains(Double(unit.presentationMicroseconds) / 1e6) { unit.bytes = [0xF8, 0xFF, 0xFE] }
      try writer.write(unit)
    }
    _ = try writer.finish()
    let silences = try MediaReport(decoding: folder.file("a.mp4")).silences
    #expect(silences.count == 1)
    #expect(abs((silences.first?.lowerBound ?? 0) - 3) < 0.5)
    #expect(abs((silences.first?.upperBound ?? 0) - 14) < 0.5)
  }
}
