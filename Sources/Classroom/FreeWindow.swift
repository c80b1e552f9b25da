/// What a common time is looked for.
public struct FreeRequest: Hashable, Sendable {
  public var lead: Course.Party
  public var sites: [Course.Party]
  /// Nil leaves open who may teach whom.
  public var cluster: Identifier?
  public var mode: Course.Mode
  /// Key of the subject: a local lesson of it is the slot that the course fills. Nil when every local lesson is in the
  /// way.
  public var subject: String?
  public var grades: [Int]
  /// As the lead's school counts them.
  public var weeks: WeekSet
  /// A lesson shorter than the period; nil for the whole of it.
  public var minutes: Int?
  /// A course that is moved, and so in nobody's way.
  public var replacing: Identifier?

  public init(
    lead: Course.Party, sites: [Course.Party], cluster: Identifier? = nil, mode: Course.Mode = .sync,
    subject: String? = nil, grades: [Int] = [], weeks: WeekSet = .all, minutes: Int? = nil,
    replacing: Identifier? = nil
  ) {
    self.lead = lead
    self.sites = sites
    self.cluster = cluster
    self.mode = mode
    self.subject = subject
    self.grades = grades
    self.weeks = weeks
    self.minutes = minutes
    self.replacing = replacing
  }

  /// Another time for a course, or for one that is not in the timetable yet.
  public init(for course: Course, weeks: WeekSet = .all, minutes: Int? = nil) {
    self.init(
      lead: course.lead, sites: course.receivers, cluster: course.cluster, mode: course.mode, subject: course.subject,
      grades: course.grades, weeks: weeks, minutes: minutes, replacing: course.id)
  }
}

/// A weekly time at which a course would have no conflict.
public struct FreeWindow: Hashable, Sendable, Codable {
  /// How it suits one receiving room, on the worst of its dates.
  public struct SiteFit: Hashable, Sendable, Codable {
    public var room: Identifier
    /// Minutes of the lesson that lie in the period of the site that shares most with it; 0 when its bells are not
    /// known.
    public var overlapMinutes: Int
    /// Minutes by which that period departs from the lesson; nil when its bells are not known.
    public var misfit: Int?
    /// Whether the local timetable of the class was imported: if not, nobody knows that it is free. True in research.
    public var isKnown: Bool

    public init(room: Identifier, overlapMinutes: Int, misfit: Int?, isKnown: Bool) {
      self.room = room
      self.overlapMinutes = overlapMinutes
      self.misfit = misfit
      self.isKnown = isKnown
    }
  }

  /// ISO, 1…7.
  public var weekday: Int
  /// 第几节 of the lead's bells.
  public var period: Int
  /// Of the season that most lessons lie in.
  public var start: ClockTime
  public var end: ClockTime
  /// In which it is free: those asked for, when it is so in all of them.
  public var weeks: WeekSet
  /// In the order of the request.
  public var sites: [SiteFit]

  public init(
    weekday: Int, period: Int, start: ClockTime, end: ClockTime, weeks: WeekSet = .all, sites: [SiteFit] = []
  ) {
    self.weekday = weekday
    self.period = period
    self.start = start
    self.end = end
    self.weeks = weeks
    self.sites = sites
  }
}
