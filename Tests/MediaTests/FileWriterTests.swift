import Foundation
import Media
import Testing

@Suite struct FileWriterTests {
  /// Lesson time of the first unit: lessons do not begin at 0.
  private let start: Int64 = 1_234_567_890

  private func write(
    _ units: [EncodedUnit], to path: String, _ container: LessonContainer = .mp4, hasVideo: Bool = true,
    hasAudio: Bool = true
  ) throws -> WrittenFile {
    let writer = try LessonFileWriter(path: path, container: container, hasVideo: hasVideo, hasAudio: hasAudio)
    for unit in units {
      var later = unit
      later.presentationMicroseconds += start
      try writer.write(later)
    }
    return try writer.finish()
  }

  @Test func mp4HasH264AACAndOpusInStep() throws {
    let folder = try Folder()
    let file = folder.file("a.mp4")
    let written = try write(try units(of: smallLesson(), seconds: 8), to: file)
    #expect(written.videoFrames == 200 && written.droppedUnits == 0)
    #expect(written.startMicroseconds == start)
    #expect(abs(written.durationSeconds - 8) < 0.05 && abs(written.audioSeconds - 8) < 0.05)
    for track in 0..<2 {
      let report = try MediaReport(decoding: file, audioTrack: track)
      #expect(report.videoCodec == "h264" && report.audioCodecs == ["aac", "opus"])
      #expect(report.strips == (0..<200).map { UInt64($0) })
      #expect(report.flashes == [1, 3, 5, 7] && report.beeps.count == 4)
      #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 10)
      #expect(abs(report.audioSeconds - 8) < 0.05 && report.decodeErrors == 0)
    }
    #expect(try topLevelBoxes(file).filter { $0 == "moov" || $0 == "mdat" } == ["moov", "mdat"])
    let streams = try probe(file, "stream=codec_name,sample_rate,nb_frames,channels")
    #expect(streams.filter { $0.hasPrefix("codec_name") } == ["codec_name=h264", "codec_name=aac", "codec_name=opus"])
    #expect(streams.filter { $0.hasPrefix("sample_rate") } == ["sample_rate=48000", "sample_rate=48000"])
    #expect(streams.contains("nb_frames=200"))
    let duration = try #require(
      probe(file, "format=duration").first.flatMap { Double($0.dropFirst("duration=".count)) })
    #expect(abs(duration - 8) < 0.1)
  }

  @Test func webMHasVP8AndOpusInStep() throws {
    let folder = try Folder()
    let file = folder.file("a.webm")
    let written = try write(try units(of: smallLesson(.vp8), seconds: 6), to: file, .webm)
    #expect(written.videoFrames == 150)
    let report = try MediaReport(decoding: file)
    #expect(report.videoCodec == "vp8" && report.audioCodecs == ["opus"])
    #expect(report.strips == (0..<150).map { UInt64($0) })
    #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 10)
    #expect(try probe(file, "stream=codec_name") == ["codec_name=vp8", "codec_name=opus"])
  }

  @Test(arguments: [LessonContainer.mp4, .webm])
  func gapsStayGaps(container: LessonContainer) throws {
    let folder = try Folder()
    let encoding: MediaEncoding = container == .mp4 ? .h264 : .vp8
    // Sound is away for 1.3 s, video for 2.5 s until a key frame, then both for 5 s.
    let kept = try units(of: smallLesson(encoding), seconds: 14).compactMap { unit -> EncodedUnit? in
      let at = unit.presentationMicroseconds
      if unit.encoding == .opus, (3_010_000..<4_310_000).contains(at) { return nil }
      if unit.encoding != .opus, (3_500_000..<6_000_000).contains(at) { return nil }
      if at >= 8_000_000 {
        var later = unit
        later.presentationMicroseconds += 5_000_000
        return later
      }
      return unit
    }
    let file = folder.file("a")
    let written = try write(kept, to: file, container)
    #expect(abs(written.durationSeconds - 19) < 0.05 && abs(written.audioSeconds - 19) < 0.05)
    for track in 0..<(container == .mp4 ? 2 : 1) {
      let report = try MediaReport(decoding: file, audioTrack: track)
      #expect(report.videoFrames == 14 * 25 - 62)
      #expect(report.flashes == [1, 3, 7, 14, 16, 18])
      let late = report.beeps.filter { $0 > 6 }
      #expect(late.count == 4)
      for (beep, flash) in zip(late, [7.0, 14, 16, 18]) { #expect(abs(beep - flash) <= 0.02) }
      #expect(abs(report.audioSeconds - 19) < 0.06)
    }
  }

  @Test(arguments: [-1_700_000, 1_700_000, 9_000_000] as [Int64])
  func kindsThatBeginApartStayInStep(shift: Int64) throws {
    let folder = try Folder()
    // Above 0 sound begins later, below 0 video.
    let kept = try units(of: smallLesson(), seconds: 14).filter { unit in
      unit.encoding == .opus ? unit.presentationMicroseconds >= shift : unit.presentationMicroseconds >= -shift
    }
    let file = folder.file("a.mp4")
    let written = try write(kept, to: file)
    let report = try MediaReport(decoding: file)
    #expect(report.beeps.count >= 2)
    #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 10)
    // The picture that video can begin with is the next key frame.
    let first = shift < 0 ? 50 : 0
    #expect(report.strips.first == UInt64(first) && written.droppedUnits == (shift < 0 ? 7 : 0))
    #expect(written.startMicroseconds == start)
  }

  @Test func soundAloneAndVideoAlone() throws {
    let folder = try Folder()
    let all = try units(of: smallLesson(), seconds: 3)
    let sound = all.filter { $0.encoding == .opus }
    let heard = try write(sound, to: folder.file("a.mp4"), hasVideo: false)
    #expect(heard.videoFrames == 0 && abs(heard.audioSeconds - 3) < 0.05)
    #expect(try MediaReport(decoding: folder.file("a.mp4")).audioCodecs == ["aac", "opus"])
    // Announced, but no picture ever came.
    _ = try write(sound, to: folder.file("b.mp4"))
    let report = try MediaReport(decoding: folder.file("b.mp4"))
    #expect(report.videoCodec.isEmpty && report.beeps.count == 1)
    _ = try write(all.filter { $0.encoding == .h264 }, to: folder.file("c.mp4"))
    #expect(try MediaReport(decoding: folder.file("c.mp4")).videoFrames == 75)
  }

  @Test func aClockThatIsOffDoesNotTakeTheSoundAway() throws {
    let folder = try Folder()
    // 1,000 ppm over 60 s is 60 ms: five times what is seen, to have it within a short test.
    for slope in [-1, 1] as [Int64] {
      let drifting = try units(
        of: smallLesson {
          $0.width = 320
          $0.height = 180
          $0.bitsPerSecond = 150_000
        }, seconds: 60
      )
      .map { unit in
        var moved = unit
        if unit.encoding == .opus { moved.presentationMicroseconds += slope * unit.presentationMicroseconds / 1_000 }
        return moved
      }
      let file = folder.file("a.mp4")
      _ = try write(drifting, to: file)
      for track in 0..<2 {
        let report = try MediaReport(decoding: file, audioTrack: track)
        let late = report.beeps.filter { $0 > 50 }
        #expect(late.count == 5)
        for (beep, flash) in zip(late, [51.0, 53, 55, 57, 59]) {
          #expect(abs(beep - flash * (1 + Double(slope) / 1_000)) <= 0.02)
        }
      }
    }
  }

  @Test func jitterOfTimesAndDisorderAreBorne() throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: 8)
    let shaken = try units(of: smallLesson(), seconds: 6).map { unit in
      var moved = unit
      moved.presentationMicroseconds += Int64.random(in: 0...8_000, using: &random)
      return moved
    }
    let file = folder.file("a.mp4")
    let written = try write(shaken, to: file)
    #expect(written.videoFrames == 150 && written.droppedUnits == 0)
    let report = try MediaReport(decoding: file)
    #expect(report.strips == (0..<150).map { UInt64($0) })
    #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 20)
    #expect(report.decodeErrors == 0)
  }

  @Test func unusableUnitsAreCounted() throws {
    let folder = try Folder()
    let writer = try LessonFileWriter(path: folder.file("a.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    let all = try units(of: smallLesson(), seconds: 2)
    let delta = try #require(all.first { $0.encoding == .h264 && !$0.isKeyFrame })
    try writer.write(delta)
    try writer.write(unit([0, 0, 0, 1, 0x65, 0x88, 1, 2, 3], isKey: true))
    try writer.write(unit([], .opus))
    try writer.write(unit([0xFF], .opus))
    #expect(throws: MediaError.self) { try writer.write(unit([0x10], .vp8)) }
    for unit in all { try writer.write(unit) }
    try writer.write(unit([0xFC, 1], .opus, at: 25 * 3_600 * 1_000_000))
    let written = try writer.finish()
    #expect(written.droppedUnits == 5 && written.videoFrames == 50)
  }

  @Test func nothingToWriteAndNowhereToWrite() throws {
    let folder = try Folder()
    let writer = try LessonFileWriter(path: folder.file("a.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    #expect { try writer.finish() } throws: { if case MediaError.noStream = $0 { true } else { false } }
    #expect {
      try LessonFileWriter(path: folder.file("none/a.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    } throws: { if case MediaError.write = $0 { true } else { false } }
  }

  @Test func posterIsAJPEGOfAPicture() throws {
    let folder = try Folder()
    let file = folder.file("a.mp4")
    _ = try write(try units(of: smallLesson(), seconds: 4), to: file)
    try writePoster(from: file, to: folder.file("a.jpg"))
    let lines = try probe(folder.file("a.jpg"), "stream=codec_name,width,height")
    #expect(lines == ["codec_name=mjpeg", "width=640", "height=360"])
    #expect(try MediaReport(decoding: folder.file("a.jpg")).strips.first.flatMap { $0 } != nil)
    _ = try write(try units(of: smallLesson(), seconds: 1).filter { $0.encoding == .opus }, to: file)
    #expect { try writePoster(from: file, to: folder.file("b.jpg")) } throws: {
      if case MediaError.noStream = $0 { true } else { false }
    }
  }
}
