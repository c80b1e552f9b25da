/// Work on a lesson's recordings that waits for its turn, survives restarts, and is done again until it succeeds.
public struct RecordingJob: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Files of the lesson's logs.
    case makeFiles
    /// Withdrawn files are taken off the disk.
    case deleteFiles
  }

  public enum State: String, Sendable, CaseIterable {
    case waiting
    case running
    /// Doing it again changes nothing: what was recorded cannot be played. Asked for again it waits anew.
    case failed
  }

  public var lesson: Identifier
  public var kind: Kind
  public var state: State
  /// Those that ended with a problem.
  public var attempts: Int
  /// UTC milliseconds.
  public var notBefore: Int64
  /// What the last attempt ended with, English words for an operator; empty before.
  public var problem: String
  /// UTC milliseconds.
  public var askedAt: Int64

  public init(
    lesson: Identifier, kind: Kind, state: State, attempts: Int, notBefore: Int64, problem: String, askedAt: Int64
  ) {
    self.lesson = lesson
    self.kind = kind
    self.state = state
    self.attempts = attempts
    self.notBefore = notBefore
    self.problem = problem
    self.askedAt = askedAt
  }

  /// Milliseconds until the next attempt after so many that ended with a problem: half a minute, doubled each time, at
  /// most six hours.
  public static func pause(afterAttempts count: Int) -> Int64 {
    min(30_000 << Int64(min(max(count, 1), 11) - 1), 21_600_000)
  }
}

/// How long the room on a disk lasts.
public struct DiskOutlook: Hashable, Sendable {
  /// The span that growth is taken from, milliseconds.
  public static let span: Int64 = 7 * 86_400_000
  public var freeBytes: Int64
  /// What was added in the last seven days.
  public var grownBytes: Int64

  public init(freeBytes: Int64, grownBytes: Int64) {
    self.freeBytes = freeBytes
    self.grownBytes = grownBytes
  }

  /// Nil while nothing grows.
  public var daysLeft: Double? { grownBytes > 0 ? Double(max(freeBytes, 0)) / (Double(grownBytes) / 7) : nil }
}
