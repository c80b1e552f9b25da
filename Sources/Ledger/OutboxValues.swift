public import Classroom

/// What becomes of a statement on its way to the platform. The raw values are stored.
public enum StatementState: String, Hashable, Sendable, Codable, CaseIterable {
  /// Its bytes are there, the platform's answer is not.
  case waiting
  /// It has no bytes: whose it is has no space, or no platform is configured for the space.
  case held
  case sent
  /// The platform will not take it; somebody has to look.
  case parked
  /// Taken back before it was ever made.
  case withdrawn
}

/// An event with all that is needed to tell a platform of it, read in one snapshot.
public struct UsageEvent: Sendable {
  public var event: StoredEvent
  /// Nil for an event of no lesson.
  public var lesson: Lesson?
  /// Nil for a lesson of no course.
  public var mode: Course.Mode?
  /// How often the lesson was interrupted before: the number of its technical session.
  public var session: Int
  /// When the running technical session went live, UTC milliseconds; nil while none is live.
  public var liveSince: Int64?
  /// Whether the event's seat was in the lesson before it.
  public var wasPresent: Bool
  /// Whose seat it is, or who played it; nil where it is about none, or nobody answers for it.
  public var owner: Space.Owner?
  public var space: Space?
  /// Who teaches.
  public var leadOwner: Space.Owner?
  public var leadSpace: Space?
  /// The seat's effective milliseconds as they were corrected later; nil when they were not.
  public var correctedMilliseconds: Int64?
  /// How long the lesson was live, as it was corrected later; nil when it was not.
  public var correctedLiveMilliseconds: Int64?
  /// The `lessonCorrected` event for which it is told again; nil for the first time.
  public var correction: Int64?

  public init(
    event: StoredEvent, lesson: Lesson? = nil, mode: Course.Mode? = nil, session: Int = 0, liveSince: Int64? = nil,
    wasPresent: Bool = false, owner: Space.Owner? = nil, space: Space? = nil, leadOwner: Space.Owner? = nil,
    leadSpace: Space? = nil, correctedMilliseconds: Int64? = nil, correction: Int64? = nil
  ) {
    self.event = event
    self.lesson = lesson
    self.mode = mode
    self.session = session
    self.liveSince = liveSince
    self.wasPresent = wasPresent
    self.owner = owner
    self.space = space
    self.leadOwner = leadOwner
    self.leadSpace = leadSpace
    self.correctedMilliseconds = correctedMilliseconds
    self.correction = correction
  }
}

/// A statement that was made and is to be taken back.
public struct StatementToVoid: Sendable {
  public var id: Identifier
  public var owner: Space.Owner
  public var space: Space?
  public var platform: String
  /// The correction.
  public var event: StoredEvent

  public init(id: Identifier, owner: Space.Owner, space: Space?, platform: String, event: StoredEvent) {
    self.id = id
    self.owner = owner
    self.space = space
    self.platform = platform
    self.event = event
  }
}

/// A statement as it goes into the outbox.
public struct StatementDraft: Hashable, Sendable {
  public var id: Identifier
  /// Which of its event's statements: 0, 1, 2 …
  public var place: Int
  public var owner: Space.Owner
  /// Which platform takes it; empty while it is held.
  public var platform: String
  /// The exact bytes; nil while whose it is has no space, or no platform takes it.
  public var body: [UInt8]?
  /// Why there are no bytes: `unmapped` or `noPlatform`.
  public var reason: String
  /// The statement that this one takes back.
  public var voids: Identifier?

  public init(
    id: Identifier, place: Int, owner: Space.Owner, platform: String = "", body: [UInt8]? = nil, reason: String = "",
    voids: Identifier? = nil
  ) {
    self.id = id
    self.place = place
    self.owner = owner
    self.platform = platform
    self.body = body
    self.reason = reason
    self.voids = voids
  }
}

/// How statements are made of events: pure, and the same for the same event and spaces.
public protocol StatementMaking: Sendable {
  /// Events that platforms may be told of.
  var kinds: Set<EventKind> { get }
  /// Those of them that a correction tells again.
  var correctedKinds: Set<EventKind> { get }
  /// Nothing for an event that platforms are not told of; nil when they would be, and nobody answers for it.
  func statements(of event: UsageEvent) -> [StatementDraft]?
  func void(of statement: StatementToVoid) -> StatementDraft
}

/// A statement to send.
public struct WaitingStatement: Hashable, Sendable {
  /// 1, 2, 3 … in the order they were made.
  public var number: Int64
  public var id: Identifier
  public var body: [UInt8]

  public init(number: Int64, id: Identifier, body: [UInt8]) {
    self.number = number
    self.id = id
    self.body = body
  }
}

/// What a platform's answer means for one statement.
public struct StatementSettlement: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case sent
    case parked(reason: String)
  }

  public var number: Int64
  public var outcome: Outcome

  public init(number: Int64, outcome: Outcome) {
    self.number = number
    self.outcome = outcome
  }
}

/// A line of the outbox, for people.
public struct StatementLine: Hashable, Sendable {
  public var number: Int64
  public var id: Identifier
  public var event: Int64
  public var lesson: Identifier?
  public var owner: String
  public var platform: String
  public var state: StatementState
  public var reason: String
  /// UTC milliseconds.
  public var madeAt: Int64
  public var settledAt: Int64?
}

/// Under which space a seat is counted.
public struct UsageSeat: Hashable, Sendable {
  public var seat: Identifier
  /// Number or ministry's code of the room's institution; empty where it has none.
  public var institution: String
  public var owner: Space.Owner?
  public var space: Space?
}

/// Who has statements held, and how many.
public struct HeldOwner: Hashable, Sendable {
  public var owner: String
  /// `unmapped` or `noPlatform`.
  public var reason: String
  public var count: Int
  /// When the oldest was made, UTC milliseconds.
  public var since: Int64
}

/// The outbox in figures.
public struct OutboxStatus: Hashable, Sendable {
  public var activityBase = ""
  public var isPaused = false
  /// Events that statements were made of, and events there are.
  public var cursor: Int64 = 0
  public var events: Int64 = 0
  public var waiting = 0
  public var held = 0
  public var parked = 0
  public var sent: Int64 = 0
  public var passedOver: Int64 = 0
  /// When the oldest that waits was made, UTC milliseconds.
  public var oldestWaiting: Int64?
  /// By platform.
  public var waitingByPlatform: [String: Int] = [:]
  /// The machine that delivers, and until when it has said so, UTC milliseconds.
  public var host = ""
  public var heldUntil: Int64 = 0

  public init() {}
}
