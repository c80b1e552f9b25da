/// A row of `GET /api/v1/terms`.
public struct TermReply: Codable, Hashable, Sendable {
  public var code: String
  public var name: String
  /// `draft` or `published`.
  public var state: String
  /// 0 for a draft never published.
  public var version: Int
  /// `2026-09-01`
  public var firstDay: String
  public var weeks: Int

  public init(code: String, name: String, state: String, version: Int, firstDay: String, weeks: Int) {
    self.code = code
    self.name = name
    self.state = state
    self.version = version
    self.firstDay = firstDay
    self.weeks = weeks
  }
}

/// A row of `GET /api/v1/terms/{term}/courses`.
public struct CourseReply: Codable, Hashable, Sendable {
  public var number: String
  /// Number of the cluster.
  public var cluster: String
  /// Name of the subject, in the language of the request.
  public var subject: String
  public var grades: [Int]
  /// Number of the lead room.
  public var lead: String
  /// Numbers of the receiving rooms.
  public var receivers: [String]
  /// One for each weekly time, such as `周三第3节 1-16`, in the language of the request.
  public var times: [String]
  public var mode: String
  public var label: String
  public var version: Int

  public init(
    number: String, cluster: String, subject: String, grades: [Int], lead: String, receivers: [String],
    times: [String], mode: String, label: String, version: Int
  ) {
    self.number = number
    self.cluster = cluster
    self.subject = subject
    self.grades = grades
    self.lead = lead
    self.receivers = receivers
    self.times = times
    self.mode = mode
    self.label = label
    self.version = version
  }
}

/// One thing that is wrong with a course.
public struct FindingReply: Codable, Hashable, Sendable {
  /// Stable, such as `leadTeacher`.
  public var code: String
  /// `conflict`, `warning` or `note`.
  public var severity: String
  /// Number of the course.
  public var course: String
  /// Names both sides, in the language of the request.
  public var sentence: String
  /// What would resolve it, in the language of the request.
  public var resolutions: [String]
  /// `2026-09-07`, ascending.
  public var dates: [String]

  public init(
    code: String, severity: String, course: String, sentence: String, resolutions: [String], dates: [String]
  ) {
    self.code = code
    self.severity = severity
    self.course = course
    self.sentence = sentence
    self.resolutions = resolutions
    self.dates = dates
  }
}

/// `GET /api/v1/terms/{term}/check`
public struct CheckReply: Codable, Hashable, Sendable {
  /// Code of the term.
  public var term: String
  public var version: Int
  /// How many there are of each severity, whatever `findings` leaves out.
  public var conflicts: Int
  public var warnings: Int
  public var notes: Int
  public var findings: [FindingReply]

  public init(term: String, version: Int, conflicts: Int, warnings: Int, notes: Int, findings: [FindingReply]) {
    self.term = term
    self.version = version
    self.conflicts = conflicts
    self.warnings = warnings
    self.notes = notes
    self.findings = findings
  }
}

/// A row of `GET /api/v1/terms/{term}/free`: a window in which the lead and all sites could meet, best first.
public struct FreeWindowReply: Codable, Hashable, Sendable {
  public struct Site: Codable, Hashable, Sendable {
    /// Number of the room.
    public var room: String
    /// Minutes that the site's own period shares with the window.
    public var overlapMinutes: Int
    public var misfitMinutes: Int
    /// Whether what the site teaches by itself was ever imported.
    public var known: Bool

    public init(room: String, overlapMinutes: Int, misfitMinutes: Int, known: Bool) {
      self.room = room
      self.overlapMinutes = overlapMinutes
      self.misfitMinutes = misfitMinutes
      self.known = known
    }
  }

  /// 1 is Monday.
  public var weekday: Int
  /// The lead's period.
  public var period: Int
  /// `10:10`
  public var start: String
  public var end: String
  /// Such as `1-16`.
  public var weeks: String
  public var sites: [Site]

  public init(weekday: Int, period: Int, start: String, end: String, weeks: String, sites: [Site]) {
    self.weekday = weekday
    self.period = period
    self.start = start
    self.end = end
    self.weeks = weeks
    self.sites = sites
  }
}

/// A row of `GET /api/v1/terms/{term}/gaps`.
public struct GapReply: Codable, Hashable, Sendable {
  public enum State: String, Codable, Hashable, Sendable, CaseIterable {
    case missing, notKnown
  }

  /// Name of the institution.
  public var institution: String
  /// Number of the class.
  public var schoolClass: String
  public var grades: [Int]
  /// Name of the subject, in the language of the request.
  public var subject: String
  public var state: State

  public init(institution: String, schoolClass: String, grades: [Int], subject: String, state: State) {
    self.institution = institution
    self.schoolClass = schoolClass
    self.grades = grades
    self.subject = subject
    self.state = state
  }
}

/// `POST /api/v1/terms/{term}/publish`
public struct PublishReply: Codable, Hashable, Sendable {
  public var version: Int
  /// Lessons.
  public var made: Int
  public var kept: Int
  public var cancelled: Int

  public init(version: Int, made: Int, kept: Int, cancelled: Int) {
    self.version = version
    self.made = made
    self.kept = kept
    self.cancelled = cancelled
  }
}
