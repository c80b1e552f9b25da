import Classroom
import Foundation
import Ledger
import Media
import Recorder

/// Small files that lie beside a recording and have its name.
extension FeedMaker {
  /// The poster's path; nil, and a problem, when there is none to be had.
  func makePoster(of file: MadeFile, _ part: Int, into made: inout MadeLesson) throws -> String? {
    try makeSide(of: file, part, .poster, "image/jpeg", suffix: ".jpg", renamed: .posterRenamed) { from, to in
      do {
        try writePoster(from: from, to: to)
        return true
      } catch let error as MediaError {
        made.problems.append(.noPoster(feed: found.feed.name, words: error.message))
        return false
      }
    }
  }

  /// The chapters of a recording as WebVTT, where it has any.
  func makeChapters(of file: MadeFile, _ part: Int, into made: inout MadeLesson) throws {
    let chapters = moments.chapters(
      startsAt: file.startsAt, milliseconds: milliseconds(file.durationSeconds), of: found,
      offsets: UnitFlow(found).offsets)
    guard !chapters.isEmpty else { return }
    _ = try makeSide(of: file, part, .chapters, "text/vtt", suffix: ".vtt", renamed: .chaptersRenamed) { _, to in
      if FileManager.default.createFile(atPath: to, contents: Data(WebVTT.text(chapters).utf8)) { return true }
      made.problems.append(.noChapters(feed: found.feed.name, words: "errno \(errno)"))
      return false
    }
  }

  /// - Parameter write: from the recording's path to another; false when it could not, which is told.
  private func makeSide(
    of file: MadeFile, _ part: Int, _ kind: ResourceFile.Kind, _ mediaType: String, suffix: String,
    renamed: ResourceMaker.Step, write: (_ from: String, _ to: String) throws -> Bool
  ) throws -> String? {
    let id = identifier(part, kind.rawValue)
    if let resource = try maker.store.resourceFile(id), isThere(resource) { return resource.path }
    guard let name = folder.name(of: file.path) else { return nil }
    let side = name.prefix { $0 != "." } + suffix
    let path = folder.unfinished(String(side))
    guard try write(folder.finished(name), path) else {
      try? FileManager.default.removeItem(atPath: path)
      return nil
    }
    try LessonFolder.sync(path)
    let digest = try Digests.file(path)
    try folder.finish(String(side))
    try maker.checkpoint(renamed)
    let resource = ResourceFile(
      id: id, lesson: lesson, kind: kind, path: folder.relative + "/" + side, mediaType: mediaType,
      byteCount: digest.byteCount, sha256: digest.sha256, durationMilliseconds: 0, state: .verified, madeAt: now(),
      containsFaces: kind == .poster && subject.containsFaces, schoolClass: subject.schoolClass)
    try maker.store.upsert(resource)
    if kind == .poster { try maker.checkpoint(.posterInLedger) }
    return resource.path
  }
}
