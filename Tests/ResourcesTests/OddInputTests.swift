// Goal: whatever a publisher or a line does, the recording becomes files, and what was odd stands beside them. Method:
// sessions with one fault each are recorded as a worker would, made into files, and their quality records are read back
// from the ledger.
import Classroom
import Foundation
import Ledger
import Media
import Resources
import Testing

@Suite(.serialized) struct OddInputTests {
  private func made(_ sessions: [Session], in data: DataFolder) async throws -> [MadeFile] {
    try await data.record(sessions)
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(try data.foundFeeds().isEmpty)
    return made.files
  }

  /// As the ledger keeps it.
  private func quality(_ data: DataFolder, _ file: MadeFile) throws -> RecordingQuality {
    let stored = try data.store.resourceFiles(lesson: data.lesson.id).first { $0.path == file.path }
    return try #require(stored?.quality)
  }

  @Test func nothingOddIsWhole() async throws {
    let data = try DataFolder()
    let files = try await made([Session(seconds: 3)], in: data)
    let quality = try quality(data, try #require(files.first))
    #expect(quality.isWhole)
    #expect(quality.sizes == [RecordingQuality.Size(at: 0, width: 320, height: 180)])
    #expect(quality.silences == [])
    #expect(files[0].quality == quality)
  }

  @Test func aHoleIsToldWhereItIs() async throws {
    let data = try DataFolder()
    let files = try await made([Session(seconds: 10, lost: 4.2...5.9)], in: data)
    let quality = try quality(data, try #require(files.first))
    #expect(!quality.isWhole)
    #expect(quality.gapCount >= 1)
    let gap = try #require(quality.gaps.first)
    #expect(gap.reason == "notReceived")
    #expect(gap.packets > 0)
    #expect(abs(gap.stretch.from - 4_200) < 400)
    #expect(abs(gap.stretch.to - 5_900) < 400)
    #expect(quality.lostPictures > 0)
  }

  /// Both directions, further than any file would be long, and less than would be taken for a pause.
  @Test(arguments: [26.0 * 3_600, -3_600, -30])
  func aClockThatJumpsCostsNothing(by seconds: Double) async throws {
    let data = try DataFolder()
    // An hour into the line, so that there is something to jump back into.
    let files = try await made([Session(from: 4_000, seconds: 8, jump: (3.4, seconds))], in: data)
    #expect(files.count == 1)
    let file = try #require(files.first)
    #expect(file.videoFrames == 120)
    #expect(abs(file.durationSeconds - 8) < 0.6)
    #expect(file.audioSeconds > 7.4)
    let quality = try quality(data, file)
    #expect(quality.jumpCount == 1)
    #expect(abs(try #require(quality.clockJumps.first) - 3_400) < 300)
    // Marks on both sides of the jump belong together.
    let offsets = FileTests.offsets(try data.report(file.path))
    #expect(offsets.count >= 3)
    #expect(offsets.allSatisfy { abs($0) <= 100 })
  }

  @Test func aPublisherThatComesBackSmallerIsTold() async throws {
    let data = try DataFolder()
    let files = try await made(
      [Session(track: 4, seconds: 3), Session(track: 6, from: 4, seconds: 3, width: 384, height: 216)], in: data)
    let quality = try quality(data, try #require(files.first))
    #expect(quality.resets.count == 1)
    #expect(abs(try #require(quality.resets.first) - 4_000) < 200)
    #expect(quality.sizes.map(\.width) == [320, 384])
    #expect(quality.sizes.map(\.height) == [180, 216])
    #expect(abs(quality.sizes[1].at - 4_000) < 200)
  }

  @Test func anotherCodecIsToldInBothFiles() async throws {
    let data = try DataFolder()
    let files = try await made(
      [Session(track: 4, seconds: 2), Session(encoding: .vp8, track: 6, from: 3, seconds: 2)], in: data)
    #expect(files.count == 2)
    for file in files { #expect(try quality(data, file).codecs == ["h264", "vp8"]) }
  }

  @Test func aMutedMicrophoneIsAStretchOfSilence() async throws {
    let data = try DataFolder()
    let files = try await made([Session(seconds: 17, muted: 2...14)], in: data)
    let quality = try quality(data, try #require(files.first))
    #expect(quality.silences.count == 1)
    let silence = try #require(quality.silences.first)
    #expect(abs(silence.from - 2_000) < 700)
    #expect(abs(silence.to - 14_000) < 700)
    #expect(quality.isWhole)
  }

  @Test func whatWasAnnouncedAndNeverCameIsTold() async throws {
    let data = try DataFolder()
    let files = try await made([Session(hasAudio: false, seconds: 2, announcesSound: true)], in: data)
    #expect(try quality(data, try #require(files.first)).emptyTracks == ["sound"])
    // A feed of which nothing came at all.
    try await data.record([], of: "screen")
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files == [])
    #expect(try data.foundFeeds().isEmpty)
    let told = try data.store.events(lesson: data.lesson.id).filter { $0.kind == .recordingGap }
    #expect(told.map { $0["feed"] } == ["screen"])
    #expect(told.map { $0["reason"] } == ["empty"])
  }

  /// Wrong bits are the publisher's; the file has them as they came.
  @Test func brokenPicturesAreKeptAndCounted() async throws {
    let data = try DataFolder()
    let files = try await made([Session(seconds: 5, broken: 2...2.5)], in: data)
    let file = try #require(files.first)
    #expect(file.videoFrames >= 60)
    #expect(try quality(data, file).concealedPictures > 0)
  }

  @Test func aScreenShowsNobodyAndACameraAClass() async throws {
    let data = try DataFolder()
    try await data.record([Session(hasAudio: false, seconds: 1)])
    try await data.record([Session(hasAudio: false, seconds: 1)], of: "screen")
    _ = try data.maker.make(data.lesson.id)
    let files = try data.store.resourceFiles(lesson: data.lesson.id)
    // Nobody has a seat: what is not known shows pupils.
    for file in files { #expect(file.containsFaces == !file.path.contains("screen")) }
    #expect(files.count == 4)
  }
}
