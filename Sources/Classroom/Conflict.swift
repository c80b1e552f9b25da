/// One thing that is wrong with a course, on all the dates on which it is: what is contended, with whom, what helps.
///
/// Repetitions of one pair of weekly times, about one code, reason, severity and contended thing, are one conflict.
public struct Conflict: Hashable, Sendable, Codable {
  /// The other side.
  public enum Other: Hashable, Sendable, Codable {
    /// Another course; the same one when two of its lessons overlap.
    case course(Identifier)
    /// A local lesson.
    case local(schoolClass: Identifier, subject: String)
  }

  public var code: ConflictCode
  public var reason: ConflictReason?
  public var severity: TimetablePolicy.Severity
  /// The side that is checked: the added one, or of two in a timetable the one listed later.
  public var course: Identifier
  public var other: Other?
  /// What is contended or fails.
  public var room: Identifier?
  public var schoolClass: Identifier?
  public var person: Identifier?
  public var institution: Identifier?
  /// All of them, ascending; empty for what is wrong whatever the day.
  public var dates: [CivilDate]
  /// The course's lesson on the first date; nil without dates.
  public var start: ClockTime?
  public var end: ClockTime?
  /// Measured: misfit or screen time, the worst of all dates; nil where nothing can be measured.
  public var minutes: Int?
  /// What `minutes` may be, or `seats`.
  public var limit: Int?
  /// Seats at the fullest instant, of `relayCapacity`.
  public var seats: Int?
  /// In the order of `Resolution`'s cases.
  public var resolutions: [Resolution]

  public init(
    code: ConflictCode, reason: ConflictReason? = nil, severity: TimetablePolicy.Severity = .conflict,
    course: Identifier, other: Other? = nil, room: Identifier? = nil, schoolClass: Identifier? = nil,
    person: Identifier? = nil, institution: Identifier? = nil, dates: [CivilDate] = [], start: ClockTime? = nil,
    end: ClockTime? = nil, minutes: Int? = nil, limit: Int? = nil, seats: Int? = nil, resolutions: [Resolution] = []
  ) {
    self.code = code
    self.reason = reason
    self.severity = severity
    self.course = course
    self.other = other
    self.room = room
    self.schoolClass = schoolClass
    self.person = person
    self.institution = institution
    self.dates = dates
    self.start = start
    self.end = end
    self.minutes = minutes
    self.limit = limit
    self.seats = seats
    self.resolutions = resolutions
  }
}

/// What would resolve a conflict on all its dates; offered only where it does.
public enum Resolution: Hashable, Sendable, Codable {
  /// The site keeps the lead's bell for this period, and nothing else of the site is in the way of it.
  case siteAdoptsLeadBell(room: Identifier)
  /// The weekly time lasts this long, in minutes, from its period's start.
  case shorten(minutes: Int)
  /// Another weekly time; `free` says which there are.
  case moveLesson
  /// A colleague of the same institution has nothing at those times.
  case changeTeacher
  /// Another room of the same institution has nothing at those times.
  case changeRoom
  /// The institution joins the cluster.
  case pairInstitution
  /// The teaching point names the school it belongs to.
  case nameParent
  case acceptRoom
  /// A thicker line, and its acceptance.
  case widenLine
  /// The cluster lets the institution lead.
  case letLead
  case addReceiver
  case removeClass
  case nameLocalTeacher
  case changeMode
}
