/// Where a lesson stands. Resources are made of `ended` and `interrupted` lessons.
public enum LessonState: String, Sendable, Codable, CaseIterable {
  /// In the timetable, not yet told to the sites.
  case planned
  /// Told to the sites.
  case published
  /// Its window is open: peers may connect, panes fill when media comes.
  case armed
  /// The lead's media has come.
  case live
  case ended
  case cancelled
  /// Its window passed and nobody taught.
  case notHeld
  /// The relay stopped in the middle of it; goes on when the lead comes back, or ends.
  case interrupted

  /// The state after `step`, nil when the machine has no such step from here.
  ///
  /// ```
  /// planned → published → armed → live → ended
  ///    └─────────┴──────────┴→ cancelled, notHeld      live ⇄ interrupted → ended
  /// ```
  ///
  /// An armed lesson that is moved is `published` again: its doors may open much later.
  public func after(_ step: LessonStep) -> LessonState? {
    switch (self, step) {
    case (.planned, .publish): .published
    case (.published, .arm): .armed
    case (.armed, .disarm): .published
    case (.armed, .goLive), (.interrupted, .goLive): .live
    case (.live, .end), (.interrupted, .end): .ended
    case (.planned, .cancel), (.published, .cancel), (.armed, .cancel): .cancelled
    case (.planned, .lapse), (.published, .lapse), (.armed, .lapse): .notHeld
    case (.live, .interrupt): .interrupted
    default: nil
    }
  }

  /// Whether one step of the machine leads from here to `other`.
  public func leads(to other: LessonState) -> Bool {
    LessonStep.allCases.contains { after($0) == other }
  }

  /// Whether no step leads on.
  public var isFinal: Bool { LessonStep.allCases.allSatisfy { after($0) == nil } }

  /// Whether peers may connect.
  public var isOpen: Bool { self == .armed || self == .live || self == .interrupted }
}

/// What can happen to a lesson.
public enum LessonStep: String, Sendable, Codable, CaseIterable {
  case publish
  case arm
  /// It was moved before anybody taught.
  case disarm
  case goLive
  case end
  case cancel
  /// The window passed without a lesson.
  case lapse
  case interrupt
}

/// What a lesson of a course was first planned as: with the course, what a later import finds it by.
public struct LessonOrigin: Hashable, Sendable, Codable {
  public var date: CivilDate
  /// 第几节 of the lead's bells.
  public var period: Int
  public init(date: CivilDate, period: Int) {
    self.date = date
    self.period = period
  }
}

/// One dated occurrence. Its identifier and registration survive moving, substitution and re-import.
public struct Lesson: Hashable, Sendable, Codable {
  public var id: Identifier
  /// The xAPI registration, given when the lesson is first made.
  public var registration: Identifier
  public var course: Identifier?
  public var cluster: Identifier
  public var title: String
  /// UTC milliseconds.
  public var plannedStart: Int64
  /// UTC milliseconds.
  public var plannedEnd: Int64
  public private(set) var state: LessonState
  /// A sample lesson without a window: any time is inside, and it is never closed.
  public var isAlwaysLive: Bool
  /// The attendance definitions of its day.
  public var thresholdsVersion: Int
  /// Nil for a lesson of no course, and for one added beside the weekly times.
  public var origin: LessonOrigin?
  /// 代课: who leads it instead of the course's teacher.
  public var teacher: Identifier?
  /// Raised by every change after publication (RFC 5545 `SEQUENCE`).
  public var revision: Int

  public init(
    id: Identifier, registration: Identifier, course: Identifier? = nil, cluster: Identifier, title: String,
    plannedStart: Int64, plannedEnd: Int64, state: LessonState = .planned, isAlwaysLive: Bool = false,
    thresholdsVersion: Int = AttendanceThresholds.current.version, origin: LessonOrigin? = nil,
    teacher: Identifier? = nil, revision: Int = 0
  ) {
    self.id = id
    self.registration = registration
    self.course = course
    self.cluster = cluster
    self.title = title
    self.plannedStart = plannedStart
    self.plannedEnd = plannedEnd
    self.state = state
    self.isAlwaysLive = isAlwaysLive
    self.thresholdsVersion = thresholdsVersion
    self.origin = origin
    self.teacher = teacher
    self.revision = revision
  }

  /// Planned length in milliseconds, never negative.
  public var plannedMilliseconds: Int64 { max(0, plannedEnd &- plannedStart) }

  /// Takes one step of the state machine; false, and nothing changed, when there is no such step.
  public mutating func take(_ step: LessonStep) -> Bool {
    guard let next = state.after(step) else { return false }
    state = next
    return true
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(title)
    try Limits.checkInterval(plannedStart, plannedEnd)
    guard (1...Limits.plannedMilliseconds).contains(plannedMilliseconds) else { throw .badRange }
    guard AttendanceThresholds.version(thresholdsVersion) != nil, revision >= 0 else { throw .badRange }
  }
}

/// A place in a lesson, held by a class or a person in a room; connections come and go, the seat stays.
public struct Seat: Hashable, Sendable, Codable {
  public enum Role: String, Sendable, Codable, CaseIterable {
    /// 主讲: teaches.
    case lead
    /// 教学点: learns; the only role that attendance is counted for.
    case receiver
    /// 听课: watches unseen.
    case observer
    case `operator`
  }

  public var id: Identifier
  public var lesson: Identifier
  public var role: Role
  public var room: Identifier?
  public var schoolClass: Identifier?
  public var person: Identifier?

  public init(
    id: Identifier, lesson: Identifier, role: Role, room: Identifier? = nil, schoolClass: Identifier? = nil,
    person: Identifier? = nil
  ) {
    self.id = id
    self.lesson = lesson
    self.role = role
    self.room = room
    self.schoolClass = schoolClass
    self.person = person
  }
}
