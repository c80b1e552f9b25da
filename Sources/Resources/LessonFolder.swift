import Classroom
import Foundation

/// The folder of a lesson's files, `lessons/<uuid>` in the data folder.
struct LessonFolder {
  private static let unfinishedPrefix = ".unfinished-"

  /// Relative to the data folder.
  let relative: String
  private let dataFolder: String

  /// Makes it when it is missing, durably.
  init(dataFolder: String, lesson: Identifier) throws(ResourceError) {
    self.dataFolder = dataFolder
    relative = "lessons/\(lesson)"
    let path = dataFolder + "/" + relative
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    } catch {
      throw .folder("cannot make \(path): \(error)")
    }
    for folder in [dataFolder, dataFolder + "/lessons", path] { try Self.sync(folder) }
  }

  private var path: String { dataFolder + "/" + relative }

  /// Where a file is written until it has been read back.
  func unfinished(_ name: String) -> String { path + "/" + Self.unfinishedPrefix + name }

  func finished(_ name: String) -> String { path + "/" + name }

  /// The name in this folder of a path relative to the data folder; nil for another folder's.
  func name(of relativePath: String) -> String? {
    guard relativePath.hasPrefix(relative + "/") else { return nil }
    return String(relativePath.dropFirst(relative.utf8.count + 1))
  }

  /// Takes away what an interrupted attempt left half written.
  func removeUnfinished() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(Self.unfinishedPrefix) {
      try? FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  /// Gives an unfinished file its name, over one that is there, durably.
  func finish(_ name: String) throws(ResourceError) {
    guard rename(unfinished(name), finished(name)) == 0 else {
      throw .folder("cannot rename \(name): errno \(errno)")
    }
    try Self.sync(path)
  }

  /// Takes a finished file away, durably; one that is gone already is no fault.
  func remove(_ name: String) throws(ResourceError) {
    guard unlink(finished(name)) == 0 || errno == ENOENT else {
      throw .folder("cannot remove \(name): errno \(errno)")
    }
    try Self.sync(path)
  }

  /// Forces a file's or folder's content to the disk.
  static func sync(_ path: String) throws(ResourceError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .folder("cannot open \(path): errno \(errno)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .folder("cannot sync \(path): errno \(errno)") }
  }
}
