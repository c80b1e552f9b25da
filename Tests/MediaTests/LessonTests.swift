import Foundation
import Media
import Testing

@Suite struct LessonTests {
  @Test(arguments: [MediaEncoding.h264, .vp8])
  func everyPictureShowsItsStrip(encoding: MediaEncoding) throws {
    let lesson = try smallLesson(encoding)
    for isFast in [false, true] {
      let decoder = try PictureDecoder(encoding: encoding, isFast: isFast)
      var flashes: [Bool] = []
      var hasKey = false
      for number in 0..<80 {
        let value = UInt64(number) &* 0x9_1234_5677 & 0xF_FFFF_FFFF
        let unit = try lesson.nextVideo(stripValue: value)
        // A decoder starts at a key frame; the second round begins in the middle of a group.
        hasKey = hasKey || unit.isKeyFrame
        guard hasKey else { continue }
        let pictures = decoder.decode(unit)
        #expect(pictures.map(\.strip) == [value])
        #expect(pictures.first?.width == 640 && pictures.first?.height == 360)
        flashes.append(pictures.first?.isFlash ?? false)
      }
      #expect(flashes.filter(\.self).count >= 5 && flashes.contains(false))
      #expect(decoder.decodeErrors == 0)
    }
  }

  @Test func keyFramesComeByTimeAndOnRequest() throws {
    let lesson = try smallLesson()
    var keys: [Int] = []
    for number in 0..<120 {
      if number == 70 { lesson.requestKeyFrame() }
      let unit = try lesson.nextVideo(stripValue: 0)
      #expect(unit.presentationMicroseconds == Int64(number) * 40_000)
      guard unit.isKeyFrame else { continue }
      keys.append(number)
      let types = unit.bytes.split(separator: [0, 0, 1] as [UInt8]).dropFirst().map { $0.first! & 0x1F }
      #expect(types.starts(with: [7, 8]) && types.contains(5))
    }
    #expect(keys == [0, 50, 70])
  }

  @Test func soundIsOpusOf20Milliseconds() throws {
    let lesson = try smallLesson()
    for number in 0..<100 {
      let unit = try lesson.nextAudio()
      #expect(unit.encoding == .opus && unit.presentationMicroseconds == Int64(number) * 20_000)
      #expect(unit.durationMicroseconds == 20_000 && unit.bytes.count < 600)
    }
  }

  @Test func settingsOutOfRangeAreRefused() {
    #expect(throws: MediaError.self) { try smallLesson { $0.width = 10 } }
    #expect(throws: MediaError.self) { try smallLesson { $0.framesPerSecond = 0 } }
    #expect(throws: MediaError.self) { try smallLesson(.opus) }
  }

  @Test(arguments: [false, true])
  func mp4OfALessonReadsBack(hasBFrames: Bool) throws {
    let folder = try Folder()
    let lesson = try smallLesson { $0.hasBFrames = hasBFrames }
    try lesson.writeMP4(to: folder.file("a.mp4"), seconds: 6)
    let report = try MediaReport(decoding: folder.file("a.mp4"))
    #expect(report.videoCodec == "h264" && report.audioCodecs == ["aac"])
    #expect(report.strips == (0..<150).map { UInt64($0) })
    #expect(report.flashes == [1, 3, 5])
    #expect(report.beeps.count == 3)
    let offset = try #require(report.audioVideoOffsetMilliseconds)
    #expect(abs(offset) <= 10)
    #expect(abs(report.durationSeconds - 6) < 0.05 && abs(report.audioSeconds - 6) < 0.05)
    #expect(report.decodeErrors == 0)
    let frames = try probe(folder.file("a.mp4"), "stream=has_b_frames")
    #expect(frames.contains("has_b_frames=0") != hasBFrames)
  }

  @Test func filesForFakeDevicesReadBack() throws {
    let folder = try Folder()
    let lesson = try smallLesson()
    try lesson.writeY4M(to: folder.file("a.y4m"), seconds: 2)
    try lesson.writeMJPEG(to: folder.file("a.mjpeg"), seconds: 2)
    try lesson.writeWAV(to: folder.file("a.wav"), seconds: 4)
    #expect(try MediaReport(decoding: folder.file("a.y4m")).strips == (0..<50).map { UInt64($0) })
    #expect(try MediaReport(decoding: folder.file("a.mjpeg")).strips == (0..<50).map { UInt64($0) })
    let sound = try MediaReport(decoding: folder.file("a.wav"))
    #expect(abs(sound.audioSeconds - 4) < 0.000_001)
    #expect(sound.beeps.count == 2)
    for (beep, due) in zip(sound.beeps, [1.0, 3]) { #expect(abs(beep - due) < 0.002) }
    #expect(throws: MediaError.self) { try lesson.writeWAV(to: folder.file("none/a.wav"), seconds: 1) }
  }

  @Test func speechIsHeardBetweenTheBeeps() throws {
    let speech = Speech.synthesized
    try #require(!speech.isEmpty, "espeak-ng is not installed")
    #expect(speech.count > 5 * 48_000 && speech.contains { abs($0) > 0.1 })
    let folder = try Folder()
    let lesson = try smallLesson { $0.speech = speech }
    try lesson.writeMP4(to: folder.file("a.mp4"), seconds: 8)
    let report = try MediaReport(decoding: folder.file("a.mp4"))
    #expect(report.beeps.count == 4)
    #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 10)
  }

  @Test func librariesHaveWhatIsNeeded() { #expect(MediaLibraries.missing.isEmpty) }
}
