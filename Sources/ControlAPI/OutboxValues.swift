/// `GET /api/v1/reports/outbox`: what is on its way to platforms.
public struct OutboxReply: Codable, Hashable, Sendable {
  public struct Platform: Codable, Hashable, Sendable {
    public var name: String
    public var waiting: Int
    /// Why the last attempt came to nothing, such as `503`, `unreachable` or `garbage`; nil while it goes well.
    public var trouble: String?
    /// Attempts that came to nothing, one after another.
    public var failures: Int

    public init(name: String, waiting: Int, trouble: String?, failures: Int) {
      self.name = name
      self.waiting = waiting
      self.trouble = trouble
      self.failures = failures
    }
  }

  /// What lessons are known by at platforms.
  public var activityBase: String
  public var paused: Bool
  /// Whether another relay delivers from this ledger, so that this one does not.
  public var refused: Bool
  /// Events that statements were made of, of so many.
  public var cursor: Int64
  public var events: Int64
  public var waiting: Int
  /// Without bytes, since whose they are has no space.
  public var held: Int
  public var parked: Int
  public var sent: Int64
  /// Events that would have been told, of nobody or of a lesson that is not reported.
  public var passedOver: Int64
  /// `2026-09-07 10:10`, civil time of China; nil when nothing waits.
  public var oldestWaiting: String?
  public var platforms: [Platform]

  public init(
    activityBase: String, paused: Bool, refused: Bool, cursor: Int64, events: Int64, waiting: Int, held: Int,
    parked: Int, sent: Int64, passedOver: Int64, oldestWaiting: String?, platforms: [Platform]
  ) {
    self.activityBase = activityBase
    self.paused = paused
    self.refused = refused
    self.cursor = cursor
    self.events = events
    self.waiting = waiting
    self.held = held
    self.parked = parked
    self.sent = sent
    self.passedOver = passedOver
    self.oldestWaiting = oldestWaiting
    self.platforms = platforms
  }
}

/// Whose statements are held: what a row of the sheet of spaces needs besides home page and account.
public struct UnmappedReply: Codable, Hashable, Sendable {
  /// `teacher`, `class`, `school` or `region`.
  public var kind: String
  /// Number or code of the school.
  public var institution: String
  /// Number of the class.
  public var schoolClass: String
  /// Staff number.
  public var teacher: String
  public var region: String
  /// `unmapped`, or `noPlatform` for a space that no configured platform takes.
  public var reason: String
  public var count: Int
  /// When the oldest was made, `2026-09-07 10:10`.
  public var since: String

  public init(
    kind: String, institution: String, schoolClass: String, teacher: String, region: String, reason: String,
    count: Int,
    since: String
  ) {
    self.kind = kind
    self.institution = institution
    self.schoolClass = schoolClass
    self.teacher = teacher
    self.region = region
    self.reason = reason
    self.count = count
    self.since = since
  }
}

/// A statement that a platform would not take.
public struct ParkedReply: Codable, Hashable, Sendable {
  public var id: String
  public var platform: String
  /// The status it answered.
  public var reason: String
  public var lesson: String?
  public var event: Int64
  public var madeAt: String
  public var parkedAt: String

  public init(
    id: String, platform: String, reason: String, lesson: String?, event: Int64, madeAt: String, parkedAt: String
  ) {
    self.id = id
    self.platform = platform
    self.reason = reason
    self.lesson = lesson
    self.event = event
    self.madeAt = madeAt
    self.parkedAt = parkedAt
  }
}

/// `POST /api/v1/reports/outbox/retry`.
public struct OutboxRetryRequest: Codable, Hashable, Sendable {
  /// Of one statement; nil lets all that are parked wait again.
  public var id: String?

  public init(id: String? = nil) { self.id = id }
}

public struct OutboxRetryReply: Codable, Hashable, Sendable {
  /// Statements that wait again.
  public var retried: Int

  public init(retried: Int) { self.retried = retried }
}
