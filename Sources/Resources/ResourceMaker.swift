public import Classroom
import Foundation
public import Ledger
import Media
public import Recorder

/// Makes a lesson's files of its logs, and lets a log go when its files have been read back.
///
/// One MP4 (H.264 as it came, AAC made of the Opus, and the Opus) or WebM (VP8, Opus) for each feed, over all
/// sessions that published it, on the line of lesson time; a change of codec begins a further file. Everything may be
/// interrupted at any point and called again: what was finished is found again, the rest is made anew, with the same
/// names. Calls block for as long as the lesson takes to copy and decode; one at a time for a data folder.
public struct ResourceMaker: Sendable {
  /// Moments between which an attempt may end; in order, for each file.
  package enum Step: CaseIterable, Sendable {
    case planned, written, verified, renamed, inLedger, told, posterRenamed, posterInLedger, chaptersRenamed
    case beforeRelease, released
  }

  let logFolder: String
  let dataFolder: String
  let store: LedgerStore
  let recorder: LessonRecorder?
  let words: ChapterWords
  /// Throws to end an attempt there, for tests.
  package var checkpoint: @Sendable (Step) throws -> Void = { _ in }

  /// - Parameters:
  ///   - recorder: the one that writes in `logFolder`, through which logs are released; nil when none does.
  ///   - words: what chapters are called that have no name of their own.
  public init(
    logFolder: String, dataFolder: String, store: LedgerStore, recorder: LessonRecorder?, words: ChapterWords
  ) {
    self.words = words
    self.logFolder = logFolder
    self.dataFolder = dataFolder
    self.store = store
    self.recorder = recorder
  }

  /// Lessons that have logs and are not being taught: ended, interrupted, or always live with a feed that is over.
  ///
  /// Reads all logs once. Logs of lessons that the ledger does not know are left alone.
  public func pending() throws -> [Identifier] {
    var lessons: [Identifier] = []
    for found in try LessonLog.scan(folder: logFolder) where !isRecording(found) {
      let id = Identifier(high: found.feed.lesson.high, low: found.feed.lesson.low)
      guard !lessons.contains(id), let lesson = try store.lesson(id) else { continue }
      if lesson.isAlwaysLive || lesson.state == .interrupted || lesson.state.isFinal { lessons.append(id) }
    }
    return lessons
  }

  /// Makes all files of a lesson; feeds that are still being recorded are left for later.
  ///
  /// What concerns one log is told in `problems`, and that log stays. Throws `ResourceError`, `RecorderError` for logs
  /// that cannot be read or released, `LedgerError`.
  public func make(_ lesson: Identifier) throws -> MadeLesson {
    guard let known = try store.lesson(lesson) else { throw ResourceError.unknownLesson }
    let moments = try LessonMoments(of: known, in: store, words: words)
    let folder = try LessonFolder(dataFolder: dataFolder, lesson: lesson)
    folder.removeUnfinished()
    var made = MadeLesson()
    for found in try LessonLog.scan(folder: logFolder)
    where found.feed.lesson == LogIdentity(high: lesson.high, low: lesson.low) && !isRecording(found) {
      let maker = try FeedMaker(of: found, lesson: lesson, maker: self, folder: folder, moments: moments)
      try maker.make(into: &made)
    }
    return made
  }

  /// Takes the files of a lesson that were withdrawn off the disk; their rows stay, so that it is known what they were.
  ///
  /// May be interrupted and called again. Throws `ResourceError`, `LedgerError`.
  public func deleteWithdrawn(_ lesson: Identifier) throws {
    let folder = try LessonFolder(dataFolder: dataFolder, lesson: lesson)
    for file in try store.resourceFiles(lesson: lesson) where file.state == .withdrawn {
      guard let name = folder.name(of: file.path), !name.contains("/") else { continue }
      try folder.remove(name)
    }
  }

  private func isRecording(_ found: FoundFeed) -> Bool { recorder?.isRecording(found.feed) ?? false }

  func release(_ found: FoundFeed) throws(RecorderError) {
    if let recorder { try recorder.release(found) } else { try LessonLog.release(found, folder: logFolder) }
  }
}
