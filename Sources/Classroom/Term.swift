/// A part of the day that a rule of the calendar is about; the morning ends at noon.
public enum DayPart: String, Hashable, Sendable, Codable, CaseIterable {
  case whole
  case morning
  case afternoon

  /// Whether a lesson that starts at `time` lies in it.
  public func covers(_ time: ClockTime) -> Bool {
    switch self {
    case .whole: true
    case .morning: time < .noon
    case .afternoon: time >= .noon
    }
  }
}

/// What the calendar says of some days other than their week does.
public struct CalendarRule: Hashable, Sendable, Codable {
  public enum Kind: Hashable, Sendable, Codable {
    /// No lessons.
    case holiday
    /// 调休: lessons of another weekday (1…7), and of another week where one is named.
    case follows(weekday: Int, week: Int?)
    /// As the week has it, against a rule of a higher level.
    case ordinary
  }

  public var from: CivilDate
  /// The last day, `from` itself for one.
  public var through: CivilDate
  public var part: DayPart
  public var kind: Kind
  /// Such as 国庆节; may be empty.
  public var name: String

  public init(from: CivilDate, through: CivilDate, part: DayPart = .whole, kind: Kind, name: String = "") {
    self.from = from
    self.through = through
    self.part = part
    self.kind = kind
    self.name = name
  }

  func isAbout(_ date: CivilDate, _ time: ClockTime) -> Bool { from <= date && date <= through && part.covers(time) }
}

/// A term: its weeks, and the days on which it departs from them, by county and by school.
///
/// Of several rules about one day the school's own wins over the county's, the county's over the term's, and among
/// rules of one level the last.
public struct Term: Hashable, Sendable, Codable {
  /// What a county or a school has of its own.
  public struct Deviation: Hashable, Sendable, Codable {
    /// The region of the county, or nil when it is about a school.
    public var region: String?
    public var institution: Identifier?
    /// A day of its own first week; nil for the term's. Single and double weeks follow it.
    public var firstDay: CivilDate?
    public var rules: [CalendarRule]
    public init(
      region: String? = nil, institution: Identifier? = nil, firstDay: CivilDate? = nil, rules: [CalendarRule] = []
    ) {
      self.region = region
      self.institution = institution
      self.firstDay = firstDay
      self.rules = rules
    }
  }

  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    /// May be changed as a whole; its lessons are not made yet.
    case draft
    /// Its lessons stand, and are changed one by one.
    case published
  }

  public var id: Identifier
  /// What people call it and courses name it by, such as `2026-2027-1`; unique.
  public var code: String
  public var name: String
  /// A day of the first week.
  public var firstDay: CivilDate
  /// 1…30.
  public var weeks: Int
  public var rules: [CalendarRule]
  public var deviations: [Deviation]
  public var state: State
  /// 0 for a draft never published; one more with every publication.
  public var version: Int

  public init(
    id: Identifier, code: String, name: String, firstDay: CivilDate, weeks: Int, rules: [CalendarRule] = [],
    deviations: [Deviation] = [], state: State = .draft, version: Int = 0
  ) {
    self.id = id
    self.code = code
    self.name = name
    self.firstDay = firstDay
    self.weeks = weeks
    self.rules = rules
    self.deviations = deviations
    self.state = state
    self.version = version
  }

  /// Throws what is wrong with the value by itself; `duplicate` for a county or a school with two calendars.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(code, limit: Limits.codeScalars)
    try Limits.checkName(name)
    guard (1...Limits.termWeeks).contains(weeks), version >= 0 else { throw .badRange }
    guard deviations.count <= Limits.deviations else { throw .tooMany }
    for rules in [rules] + deviations.map(\.rules) {
      guard rules.count <= Limits.calendarRules else { throw .tooMany }
      for rule in rules {
        try Limits.checkName(rule.name, mayBeEmpty: true)
        guard rule.from <= rule.through, rule.through - rule.from <= 366 else { throw .badRange }
        if case .follows(let weekday, let week) = rule.kind {
          guard (1...7).contains(weekday), week.map(WeekSet.weeks.contains) ?? true else { throw .badRange }
        }
      }
    }
    for deviation in deviations {
      guard (deviation.region == nil) != (deviation.institution == nil) else { throw .badName }
      if let region = deviation.region { try Limits.checkName(region) }
    }
    let counties = deviations.compactMap(\.region)
    let schools = deviations.compactMap(\.institution)
    guard Set(counties).count == counties.count, Set(schools).count == schools.count else { throw .duplicate }
  }

  /// The calendar of one school, with its rules in the order they win; weeks are held to 1…30.
  public func calendar(of institution: Identifier, region: String) -> SchoolCalendar {
    let county = deviations.last { $0.region == region }
    let school = deviations.last { $0.institution == institution }
    return SchoolCalendar(
      monday: (school?.firstDay ?? county?.firstDay ?? firstDay).monday,
      weeks: min(max(weeks, 1), Limits.termWeeks),
      rules: (rules + (county?.rules ?? []) + (school?.rules ?? [])).reversed())
  }
}

/// The days of one school in one term.
public struct SchoolCalendar: Hashable, Sendable {
  /// Which day of which week is taught.
  public struct TaughtDay: Hashable, Sendable {
    /// ISO weekday, 1…7.
    public var weekday: Int
    /// 1…30, as the school counts.
    public var week: Int
    /// The rule that made it another day than its date says.
    public var rule: CalendarRule?
  }

  /// The Monday of the first week.
  public let monday: CivilDate
  public let weeks: Int
  /// The first that is about a day wins.
  let rules: [CalendarRule]

  /// All dates of the term's weeks, Monday of the first to Sunday of the last.
  public var dates: ClosedRange<CivilDate> { monday...(monday + (weeks * 7 - 1)) }

  /// The week a date lies in; nil outside the term.
  public func week(of date: CivilDate) -> Int? { dates.contains(date) ? (date - monday) / 7 + 1 : nil }

  /// The rule about a time of a date, if there is one.
  public func rule(on date: CivilDate, at time: ClockTime) -> CalendarRule? { rules.first { $0.isAbout(date, time) } }

  /// What is taught at a time of a date; nil on a holiday and outside the term.
  public func taught(on date: CivilDate, at time: ClockTime) -> TaughtDay? {
    guard let week = week(of: date) else { return nil }
    let rule = rule(on: date, at: time)
    switch rule?.kind {
    case nil, .ordinary: return TaughtDay(weekday: date.weekday, week: week, rule: nil)
    case .holiday: return nil
    case .follows(let weekday, let other): return TaughtDay(weekday: weekday, week: other ?? week, rule: rule)
    }
  }
}
