/// Lessons for the calendars of a site, a teacher or a cluster: a file, or a feed that is fetched again and again.
public struct CalendarFeed: Hashable, Sendable {
  /// What calendar programs call it.
  public var name: String
  /// UTC milliseconds: `DTSTAMP` of every event. The time of the last change keeps the text of an unchanged feed the
  /// same.
  public var stampedAt: Int64
  /// Minutes after which programs should fetch it again, 1…10,080.
  public var refreshMinutes: Int
  public var events: [CalendarEvent]

  public init(name: String, stampedAt: Int64, refreshMinutes: Int = 60, events: [CalendarEvent]) {
    self.name = name
    self.stampedAt = stampedAt
    self.refreshMinutes = refreshMinutes
    self.events = events
  }
}

/// One lesson in a calendar.
public struct CalendarEvent: Hashable, Sendable {
  /// What makes lessons of one course and one weekly time a series.
  public struct Series: Hashable, Sendable {
    public var course: Identifier
    /// UTC milliseconds of the start first published. It is the event's identity within the series, so it stays what
    /// it was when the lesson is moved.
    public var start: Int64
    public init(course: Identifier, start: Int64) {
      self.course = course
      self.start = start
    }
  }

  public var lesson: Identifier
  /// Nil for a lesson of no course, and for one added beside the weekly times.
  public var series: Series?
  public var summary: String
  /// May be empty.
  public var location: String
  /// May be empty.
  public var description: String
  /// When it is held, UTC milliseconds, end exclusive; written to the second.
  public var span: Range<Int64>
  /// Raised by every change after publication: `Lesson.revision`.
  public var sequence: Int
  /// Also for a lesson that is no longer this feed's, such as one taken over by a substitute: calendars that keep what
  /// they once had take it out.
  public var isCancelled: Bool

  public init(
    lesson: Identifier, series: Series? = nil, summary: String, location: String = "", description: String = "",
    span: Range<Int64>, sequence: Int = 0, isCancelled: Bool = false
  ) {
    self.lesson = lesson
    self.series = series
    self.summary = summary
    self.location = location
    self.description = description
    self.span = span
    self.sequence = sequence
    self.isCancelled = isCancelled
  }
}

/// An event that is not in the calendar, and why.
public struct CalendarOmission: Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    /// Shorter than a second, longer than a day, or outside 1970…2999.
    case badTime
    /// The lesson is in the feed twice; the one with the higher sequence stayed.
    case duplicate
    /// More events than a calendar takes.
    case tooMany
  }
  public var lesson: Identifier
  public var reason: Reason
}
