// Goal: a recording can be entered anywhere, with its own sound and pictures untouched. Method: files that the product
// writes are sought in, and their strips say where they go on.
import Foundation
import Media
import Testing

@Suite struct SeekTests {
  /// What comes first behind a jump: the first picture, whether it is a key frame, its strip, and the sound's times.
  private func enter(_ source: MediaSource, at seconds: Double, encoding: MediaEncoding = .h264) throws -> (
    picture: EncodedUnit, strips: [UInt64?], firstSound: Int64?
  ) {
    try source.seek(to: Int64(seconds * 1_000_000))
    let decoder = try PictureDecoder(encoding: encoding)
    var pictures: [EncodedUnit] = []
    var strips: [UInt64?] = []
    var firstSound: Int64?
    while pictures.count < 5, let unit = try source.next() {
      if unit.encoding == .opus {
        firstSound = firstSound ?? unit.presentationMicroseconds
      } else {
        pictures.append(unit)
        strips += decoder.decode(unit).map(\.strip)
      }
    }
    return (try #require(pictures.first), strips, firstSound)
  }

  @Test func aRecordingIsEnteredAtItsKeyFrames() throws {
    let folder = try Folder()
    let made = try units(of: smallLesson(), seconds: 12)
    let writer = try LessonFileWriter(path: folder.file("a.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    for unit in made { try writer.write(unit) }
    _ = try writer.finish()
    let source = try MediaSource(url: folder.file("a.mp4"))
    #expect(!source.reencodesVideo && !source.reencodesAudio, "the sound as it came stands behind the AAC")
    for (wanted, key) in [(7.3, 6.0), (0.5, 0), (11.9, 10), (4.0, 4), (99, 10), (-3, 0)] {
      let found = try enter(source, at: wanted)
      #expect(found.picture.isKeyFrame, "\(wanted)")
      #expect(abs(found.picture.presentationMicroseconds - Int64(key * 1_000_000)) <= 1_000, "\(wanted)")
      #expect(found.strips.prefix(3) == [UInt64(key * 25), UInt64(key * 25) + 1, UInt64(key * 25) + 2])
      let sound = try #require(found.firstSound)
      #expect(abs(sound - found.picture.presentationMicroseconds) <= 1_000_000, "\(wanted)")
    }
    // What plays on is the file's own bytes.
    try source.seek(to: 0)
    var read: [EncodedUnit] = []
    while let unit = try source.next() { read.append(unit) }
    #expect(Set(read.filter { $0.encoding == .opus }.map(\.bytes)).isSubset(of: Set(made.map(\.bytes))))
    #expect(read.filter { $0.encoding == .h264 }.map(\.bytes) == made.filter { $0.encoding == .h264 }.map(\.bytes))
  }

  @Test func whatIsEncodedAgainBeginsWithAKeyFrameToo() throws {
    let folder = try Folder()
    try smallLesson { $0.hasBFrames = true }.writeMP4(to: folder.file("a.mp4"), seconds: 9)
    let source = try MediaSource(url: folder.file("a.mp4"))
    #expect(source.reencodesVideo)
    _ = try source.next()
    let found = try enter(source, at: 5)
    #expect(found.picture.isKeyFrame && (3_900_000...5_000_000).contains(found.picture.presentationMicroseconds))
    #expect(found.strips.first == UInt64(found.picture.presentationMicroseconds / 40_000))
  }

  @Test func webMIsEnteredAsWell() throws {
    let folder = try Folder()
    let writer = try LessonFileWriter(path: folder.file("a.webm"), container: .webm, hasVideo: true, hasAudio: true)
    for unit in try units(of: smallLesson(.vp8), seconds: 9) { try writer.write(unit) }
    _ = try writer.finish()
    let source = try MediaSource(url: folder.file("a.webm"))
    let found = try enter(source, at: 5, encoding: .vp8)
    #expect(found.picture.isKeyFrame && found.strips.first == 100)
  }
}
