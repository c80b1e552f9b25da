/// 作息时间: when the periods of a school begin and end, for a season and some weekdays.
public struct BellSchedule: Hashable, Sendable, Codable {
  /// 一节: the number people say, and its times.
  public struct Period: Hashable, Sendable, Codable {
    /// 第几节, 1…20.
    public var number: Int
    public var start: ClockTime
    /// Exclusive.
    public var end: ClockTime
    public init(number: Int, start: ClockTime, end: ClockTime) {
      self.number = number
      self.start = start
      self.end = end
    }

    public var minutes: Int { end - start }
    /// Whether it shares time with `start..<end`.
    public func touches(_ start: ClockTime, _ end: ClockTime) -> Bool { self.start < end && start < self.end }
  }

  public var id: Identifier
  public var institution: Identifier
  /// Such as 夏季作息.
  public var name: String
  /// The days it holds for; nil is open-ended.
  public var from: CivilDate?
  public var through: CivilDate?
  /// ISO weekdays, ascending; all seven for every day. A day of 调休 uses those of the weekday it follows.
  public var weekdays: [Int]
  /// In the order of the day.
  public var periods: [Period]

  public init(
    id: Identifier, institution: Identifier, name: String, from: CivilDate? = nil, through: CivilDate? = nil,
    weekdays: [Int] = Array(1...7), periods: [Period]
  ) {
    self.id = id
    self.institution = institution
    self.name = name
    self.from = from
    self.through = through
    self.weekdays = weekdays
    self.periods = periods
  }

  /// Throws what is wrong with the value by itself; `badRange` for periods that overlap or end before they begin.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(name)
    if let from, let through, through < from { throw .badRange }
    guard weekdays.allSatisfy({ (1...7).contains($0) }), !weekdays.isEmpty else { throw .badRange }
    guard weekdays == Set(weekdays).sorted(), Set(periods.map(\.number)).count == periods.count else {
      throw .duplicate
    }
    guard periods.count <= 20 else { throw .tooMany }
    for (index, period) in periods.enumerated() {
      guard (1...20).contains(period.number), period.start < period.end else { throw .badRange }
      if index > 0, period.start < periods[index - 1].end { throw .badRange }
    }
  }

  func holds(on date: CivilDate, weekday: Int) -> Bool {
    (from ?? date) <= date && date <= (through ?? date) && weekdays.contains(weekday)
  }
}

/// The bells of one school, through the seasons.
public struct SchoolBells: Hashable, Sendable {
  /// The narrower season first, one open at an end before one open at both; then the fewer weekdays: what is said of
  /// some days wins over what is said of all. Of equals the first.
  let schedules: [BellSchedule]

  public init(_ schedules: [BellSchedule]) {
    func length(_ schedule: BellSchedule) -> Int {
      guard let from = schedule.from, let through = schedule.through else {
        return schedule.from == nil && schedule.through == nil ? .max : .max - 1
      }
      return through - from
    }
    self.schedules = schedules.enumerated().sorted { first, second in
      let (a, b) = (first.element, second.element)
      return (length(a), a.weekdays.count, first.offset) < (length(b), b.weekdays.count, second.offset)
    }.map(\.element)
  }

  /// The periods of a day that is taught as `weekday`; empty when the school has no bells for it.
  public func periods(on date: CivilDate, weekday: Int) -> [BellSchedule.Period] {
    schedules.first { $0.holds(on: date, weekday: weekday) }?.periods ?? []
  }

  public func period(_ number: Int, on date: CivilDate, weekday: Int) -> BellSchedule.Period? {
    periods(on: date, weekday: weekday).first { $0.number == number }
  }
}
