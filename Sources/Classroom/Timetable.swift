/// How far lessons may depart from what schools have, as data with a version.
public struct TimetablePolicy: Hashable, Sendable, Codable {
  public enum Severity: String, Hashable, Sendable, Codable, CaseIterable {
    /// Said, and in nobody's way.
    case note
    /// To be looked at; publication goes on.
    case warning
    /// Stops publication.
    case conflict
  }

  /// Screen time of pupils (facts of the ministries' plans of 2018 and 2021).
  public struct ScreenTime: Hashable, Sendable, Codable {
    public var severity: Severity
    /// Of all teaching time of a class in a week, in permille; asked only where its local timetable is known.
    public var weeklyShare: Int
    /// Minutes of screen lessons without a break of `breakMinutes`.
    public var continuousMinutes: Int
    public var breakMinutes: Int
    /// Minutes a day of grades 1–6, 7–9 and 10–12.
    public var dailyMinutes: [Int]
  }

  public var version: Int
  /// A departure of a site's bell from the lead's up to this is a note. Minutes.
  public var bellTolerance: Int
  /// A lesson may be cut to this to fit. Minutes.
  public var shortestLesson: Int
  /// Sessions that the relay carries at one time, each lead and receiver being one.
  public var relaySeats: Int
  /// What a receiving room needs of its line, in kbit/s.
  public var siteDownlink: Int
  public var siteUplink: Int
  public var screenTime: ScreenTime

  /// What ships.
  public static let standard = TimetablePolicy(
    version: 1, bellTolerance: 5, shortestLesson: 35, relaySeats: 4_000, siteDownlink: 2_500, siteUplink: 500,
    screenTime: ScreenTime(
      severity: .warning, weeklyShare: 300, continuousMinutes: 40, breakMinutes: 10, dailyMinutes: [120, 180, 240]))
}

/// Everything the timetable of one term is computed from, as values; what is absent is not known.
///
/// The ledger makes one from its rows; `check`, `free` and `gaps` ask nothing else.
public struct Timetable: Sendable {
  public var term: Term
  public var policy: TimetablePolicy
  public var subjects: [Subject]
  public var institutions: [Identifier: Institution]
  public var rooms: [Identifier: Room]
  public var classes: [Identifier: SchoolClass]
  public var persons: [Identifier: Person]
  public var clusters: [Identifier: Cluster]
  /// Of this term, in the order of their numbers.
  public var courses: [Course]
  public var bells: [Identifier: SchoolBells]
  /// By class. A class without an entry has no imported timetable: whether it is free is not known.
  public var localLessons: [Identifier: [LocalLesson]]
  /// Classes of `localLessons` that may have others besides: one teacher's timetable told of them.
  public var partialLocals: Set<Identifier>
  /// Lessons of a published term, dated; empty for a draft, whose lessons follow from its courses.
  public var lessons: [Lesson]
  /// Rooms that lessons have in place of their courses', by lesson.
  public var roomChanges: [Identifier: [RoomChange]]

  public init(
    term: Term, policy: TimetablePolicy = .standard, subjects: [Subject] = [], institutions: [Institution] = [],
    rooms: [Room] = [], classes: [SchoolClass] = [], persons: [Person] = [], clusters: [Cluster] = [],
    courses: [Course] = [], bells: [BellSchedule] = [], localLessons: [Identifier: [LocalLesson]] = [:],
    partialLocals: Set<Identifier> = [], lessons: [Lesson] = [], roomChanges: [Identifier: [RoomChange]] = [:]
  ) {
    self.term = term
    self.policy = policy
    self.subjects = subjects
    self.institutions = Dictionary(institutions.map { ($0.id, $0) }) { $1 }
    self.rooms = Dictionary(rooms.map { ($0.id, $0) }) { $1 }
    self.classes = Dictionary(classes.map { ($0.id, $0) }) { $1 }
    self.persons = Dictionary(persons.map { ($0.id, $0) }) { $1 }
    self.clusters = Dictionary(clusters.map { ($0.id, $0) }) { $1 }
    self.courses = courses
    self.bells = Dictionary(grouping: bells, by: \.institution).mapValues(SchoolBells.init)
    self.localLessons = localLessons
    self.partialLocals = partialLocals
    self.lessons = lessons
    self.roomChanges = roomChanges
  }

  /// Whether all local lessons of a class are known: if not, nobody knows when it is free or what it lacks.
  public func knowsLocals(of schoolClass: Identifier) -> Bool {
    localLessons[schoolClass] != nil && !partialLocals.contains(schoolClass)
  }

  /// The school of a room; nil when either is not known.
  public func institution(ofRoom room: Identifier) -> Institution? {
    rooms[room].flatMap { institutions[$0.institution] }
  }

  /// The days of a school in this term.
  public func calendar(of institution: Institution) -> SchoolCalendar {
    term.calendar(of: institution.id, region: institution.region)
  }
}
