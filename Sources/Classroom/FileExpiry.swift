/// How long a lesson's files stay that nobody keeps.
public struct FileExpiry: Hashable, Sendable {
  /// Days that the owner is told beforehand.
  public static let noticeDays = 7

  public var lesson: Identifier
  public var title: String
  public var files: Int
  public var byteCount: Int64
  /// UTC milliseconds of the latest file.
  public var madeAt: Int64
  /// UTC milliseconds of the notice; nil before.
  public var noticedAt: Int64?

  public init(
    lesson: Identifier, title: String, files: Int, byteCount: Int64, madeAt: Int64, noticedAt: Int64?
  ) {
    self.lesson = lesson
    self.title = title
    self.files = files
    self.byteCount = byteCount
    self.madeAt = madeAt
    self.noticedAt = noticedAt
  }

  /// UTC milliseconds when the files go: so many days after they were made, and never before the notice is old enough.
  public func expiresAt(unreviewedDays days: Int, now: Int64) -> Int64 {
    max(madeAt &+ Int64(days) &* 86_400_000, (noticedAt ?? now) &+ Int64(Self.noticeDays) &* 86_400_000)
  }
}
