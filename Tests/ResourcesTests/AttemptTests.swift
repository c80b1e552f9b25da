import Classroom
import Foundation
import Ledger
import Media
import Recorder
import Resources
import Testing

/// Attempts that end early, lessons that go on, files that do not read back.
@Suite(.serialized) struct AttemptTests {
  private struct Crash: Error {}

  /// Whatever an attempt had done when it ended, the next one comes to the same result.
  @Test func anAttemptMayEndAtAnyStep() async throws {
    let original = try DataFolder()
    try await original.record([
      Session(track: 4, seconds: 1.5), Session(encoding: .vp8, track: 6, from: 2, seconds: 1.5),
    ])
    try original.store.close()
    let reference = try DataFolder(copying: original)
    let expected = try reference.maker.make(reference.lesson.id)
    #expect(expected.files.count == 2)
    #expect(expected.problems == [])
    for step in ResourceMaker.Step.allCases {
      // The first, and, where there is one, the second time the step is reached.
      for occurrence in 1...2 {
        let data = try DataFolder(copying: original)
        var failing = data.maker
        let reached = Counter()
        failing.checkpoint = { if $0 == step, reached.next() == occurrence { throw Crash() } }
        let once = try? failing.make(data.lesson.id)
        #expect((once == nil) == (reached.count >= occurrence))
        let made = try data.maker.make(data.lesson.id)
        let isReleased = step == .released && occurrence == 1 || once != nil
        #expect(made.problems == [])
        if !isReleased {
          #expect(made.files.map(\.path) == expected.files.map(\.path))
          #expect(made.files.map(\.videoFrames) == expected.files.map(\.videoFrames))
          #expect(made.files.map(\.poster) == expected.files.map(\.poster))
        }
        #expect(data.lessonFiles == reference.lessonFiles)
        #expect(try data.foundFeeds().isEmpty)
        let resources = try data.store.resourceFiles(lesson: data.lesson.id)
        #expect(
          Set(resources.map(\.id)) == Set(try reference.store.resourceFiles(lesson: reference.lesson.id).map(\.id)))
        for resource in resources {
          let size = try FileManager.default.attributesOfItem(atPath: data.path + "/" + resource.path)[.size] as? Int64
          #expect(size == resource.byteCount)
        }
        let events = try data.madeEvents
        #expect(Set(events.map { $0["path"] }) == Set(expected.files.map(\.path)))
        for resource in resources where resource.kind == .recording {
          #expect(events.contains { $0["resource"] == "\(resource.id)" && $0["sha256"] == resource.sha256 })
        }
        #expect(try data.store.verifyChain().isIntact)
      }
    }
  }

  /// A file that was damaged on its way to the disk is not taken for the recording, and the log stays.
  @Test func aFileThatDoesNotReadBackIsNotKept() async throws {
    let data = try DataFolder()
    try await data.record([Session(seconds: 3)])
    var maker = data.maker
    let folder = data.path + "/lessons/\(data.lesson.id)/"
    maker.checkpoint = { step in
      guard step == .written else { return }
      let name = try FileManager.default.contentsOfDirectory(atPath: folder)[0]
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder + name))
      let size = try file.seekToEnd()
      try file.truncate(atOffset: size * 2 / 3)
      try file.close()
    }
    let failed = try maker.make(data.lesson.id)
    #expect(failed.files == [])
    #expect(failed.problems.count == 1)
    guard case .notVerified(feed: "camera", _) = try #require(failed.problems.first) else {
      Issue.record("\(failed.problems)")
      return
    }
    #expect(try data.store.resourceFiles(lesson: data.lesson.id).isEmpty)
    #expect(try data.foundFeeds().count == 1)
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(data.lessonFiles == ["camera.jpg", "camera.mp4"])
  }

  @Test func aFolderThatCannotBeWrittenKeepsTheLog() async throws {
    let data = try DataFolder()
    try await data.record([Session(seconds: 1)])
    // A folder stands where the unfinished file would.
    let obstacle = data.path + "/lessons/\(data.lesson.id)/.unfinished-camera.mp4"
    var maker = data.maker
    maker.checkpoint = { step in
      if step == .planned {
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
      }
    }
    let failed = try maker.make(data.lesson.id)
    guard case .cannotWrite(feed: "camera", _) = try #require(failed.problems.first) else {
      Issue.record("\(failed.problems)")
      return
    }
    #expect(try data.foundFeeds().count == 1)
    #expect(try data.maker.make(data.lesson.id).problems == [])
  }

  /// A lesson that was interrupted, made into files, and then taught on has both stretches, neither twice.
  @Test func aLessonTaughtOnAfterItsFilesWereMadeGetsAnother() async throws {
    let data = try DataFolder(state: .interrupted)
    try await data.record([Session(track: 4, seconds: 2)], isFinished: false)
    var maker = data.maker
    maker.checkpoint = { if $0 == .beforeRelease { throw Crash() } }
    #expect(throws: Crash.self) { try maker.make(data.lesson.id) }
    // The log of the first stretch is still there when the second is recorded.
    try data.store.append(LedgerEvent(kind: .lessonLive, lesson: data.lesson.id))
    try await data.record([Session(track: 4, from: 30, seconds: 3)])
    #expect(try data.maker.pending() == [])
    try data.store.append(LedgerEvent(kind: .lessonEnded, lesson: data.lesson.id))
    #expect(try data.maker.pending() == [data.lesson.id])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files.map(\.path) == ["lessons/\(data.lesson.id)/camera-2.mp4"])
    #expect(made.files[0].videoFrames == 45)
    #expect(try data.report("lessons/\(data.lesson.id)/camera.mp4").videoFrames == 30)
    #expect(try data.foundFeeds().isEmpty)
  }

  @Test func twoRunsOfOneLessonAreOneFile() async throws {
    let data = try DataFolder(state: .interrupted)
    try await data.record([Session(track: 4, seconds: 2)], isFinished: false)
    try await data.record([Session(track: 4, from: 5, seconds: 2)])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.problems == [])
    #expect(made.files.map(\.videoFrames) == [60])
    #expect(abs(made.files[0].durationSeconds - 7) < 0.5)
  }

  @Test func whatIsBeingRecordedIsLeftForLater() async throws {
    let data = try DataFolder()
    let recorder = try LessonRecorder(folder: data.logs, configuration: RecorderConfiguration())
    defer { recorder.stop() }
    let maker = ResourceMaker(
      logFolder: data.logs, dataFolder: data.path, store: data.store, recorder: recorder, words: DataFolder.words)
    let publisher = Publisher(data.feed("camera"), to: recorder)
    try publisher.publish(Session(seconds: 1))
    #expect(try maker.pending() == [])
    #expect(try maker.make(data.lesson.id).files == [])
    _ = await withCheckedContinuation { continuation in
      recorder.finish(data.feed("camera")) { continuation.resume(returning: $0) }
    }
    #expect(try maker.pending() == [data.lesson.id])
    #expect(try maker.make(data.lesson.id).files.count == 1)
    #expect(try data.foundFeeds().isEmpty)
  }

  @Test func whatCannotBePlayedStaysInTheLog() async throws {
    let data = try DataFolder()
    // All of it is lost but the middle of the only group of pictures.
    try await data.record([Session(hasAudio: false, seconds: 0.9, lost: 0...0.2)])
    let made = try data.maker.make(data.lesson.id)
    #expect(made.files == [])
    #expect(made.problems == [.nothingPlayable(feed: "camera")])
    #expect(try data.foundFeeds().count == 1)
    #expect(throws: ResourceError.unknownLesson) { try data.maker.make(Identifier(high: 9, low: 9)) }
  }
}

/// Counts over threads.
final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0
  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
  var count: Int { lock.withLock { value } }
}
