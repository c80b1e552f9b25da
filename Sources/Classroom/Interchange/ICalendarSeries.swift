/// A rule that repeats weekly: `FREQ=WEEKLY` with an interval, a last start and exceptions. Times in UTC seconds.
struct WeeklyRule: Hashable {
  static let week: Int64 = 7 * 86_400
  /// Weeks from the first to the last start: more than a school year, so that no list of exceptions grows without end.
  static let weeks: Int64 = 106

  var first: Int64
  /// The last start, inclusive.
  var last: Int64
  /// Weeks from one start to the next: 1, or 2 for single and double weeks.
  var interval: Int64
  /// Starts of the rule that are none, ascending.
  var exceptions: [Int64]

  /// The rule that yields exactly `starts` (ascending, two at least), nil where there is none.
  init?(yielding starts: [Int64]) {
    guard starts.count > 1, let first = starts.first, let last = starts.last, last > first,
      last - first <= Self.week * Self.weeks
    else { return nil }
    let step = 2 * Self.week
    self.first = first
    self.last = last
    interval = starts.allSatisfy { ($0 - first) % step == 0 } ? 2 : 1
    exceptions = []
    let wanted = Set(starts)
    exceptions = expanded.filter { !wanted.contains($0) }
    guard expanded == starts else { return nil }
  }

  /// What a calendar makes of it, ascending.
  var expanded: [Int64] {
    let left = Set(exceptions)
    return stride(from: first, through: last, by: Int(interval * Self.week)).filter { !left.contains($0) }
  }
}

/// Events of one course that start at the same time of the same weekday, as calendars see them.
///
/// Grouping, and with it the UID, asks nothing but each event's own series: moving, cancelling or adding a lesson
/// never changes the UID of another.
struct EventSeries {
  /// What the plain members have in common; a member with anything else of its own is written as an override.
  struct Common: Hashable {
    var length: Int64
    var summary: String
    var location: String
    var description: String

    init(_ event: CalendarEvent) {
      length = event.endSecond - event.startSecond
      summary = event.summary
      location = event.location
      description = event.description
    }
  }

  let uid: String
  /// By start first published; one at least.
  let members: [CalendarEvent]
  /// Nil for a single event.
  let rule: WeeklyRule?
  let common: Common

  /// A lesson of its own: the UID is the lesson's.
  init(single event: CalendarEvent) {
    uid = "\(event.lesson)@tongke"
    members = [event]
    rule = nil
    common = Common(event)
  }

  /// A series, which has its UID also while it has one member; nil where no rule yields it.
  private init?(slot: Slot, members: [CalendarEvent]) {
    guard let first = members.first else { return nil }
    rule = WeeklyRule(yielding: members.map(\.seriesSecond))
    guard rule != nil || members.count == 1 else { return nil }
    uid = slot.uid
    self.members = members
    let plain = members.filter { !$0.isCancelled && !$0.isMoved }
    var counts: [Common: Int] = [:]
    for event in plain { counts[Common(event), default: 0] += 1 }
    let most = counts.values.max()
    common = plain.map(Common.init).first { counts[$0] == most } ?? Common(first)
  }

  /// Members that the rule does not say all of.
  var overrides: [CalendarEvent] {
    rule == nil ? [] : members.filter { $0.isCancelled || $0.isMoved || Common($0) != common }
  }

  /// The sum of the members' sequences, for all parts of the series: raised by a change of any of them, and an
  /// override is never older than the series it belongs to, which some calendars would drop.
  var sequence: Int {
    members.reduce(0) { sum, event in min(sum + min(max(event.sequence, 0), Self.latest), Self.latest) }
  }
  /// Calendars keep 32 bits.
  private static let latest = Int(Int32.max)

  /// Series and single events, by first start.
  ///
  /// Two members that claim one start, and members that no rule yields, become single events; so `RDATE`, without a
  /// rule ignored by Outlook together with its event, is never needed. Cost: n log n.
  static func grouping(_ events: [CalendarEvent]) -> [EventSeries] {
    var slots: [Slot: [CalendarEvent]] = [:]
    var result: [EventSeries] = []
    for event in events {
      if let slot = Slot(event) { slots[slot, default: []].append(event) } else { result.append(.init(single: event)) }
    }
    for (slot, members) in slots {
      var kept: [CalendarEvent] = []
      for event in members.sorted(by: { ($0.seriesSecond, $0.lesson) < ($1.seriesSecond, $1.lesson) }) {
        if event.seriesSecond == kept.last?.seriesSecond {
          result.append(.init(single: event))
        } else {
          kept.append(event)
        }
      }
      if let series = EventSeries(slot: slot, members: kept) {
        result.append(series)
      } else {
        result += kept.map(EventSeries.init(single:))
      }
    }
    return result.sorted { ($0.members[0].startSecond, $0.uid) < ($1.members[0].startSecond, $1.uid) }
  }
}

/// A course's time of the week, as first published.
private struct Slot: Hashable {
  let course: Identifier
  /// ISO, in Shanghai.
  let weekday: Int
  let second: Int64

  /// Nil for an event of no series, or with a start that is no time.
  init?(_ event: CalendarEvent) {
    guard let series = event.series, CalendarTime.range.contains(series.start) else { return nil }
    course = series.course
    weekday = CivilTime.date(of: series.start).weekday
    second = (series.start + CivilTime.offset) % CivilTime.dayLength / 1_000
  }

  /// Such as `…-1-1010@tongke` for a Monday's 10:10.
  var uid: String {
    let time = CalendarTime.digits(second / 3_600) + CalendarTime.digits(second / 60 % 60)
    return "\(course)-\(weekday)-\(time)\(second % 60 == 0 ? "" : CalendarTime.digits(second % 60))@tongke"
  }
}

extension CalendarEvent {
  var startSecond: Int64 { span.lowerBound / 1_000 }
  var endSecond: Int64 { span.upperBound / 1_000 }
  /// The start first published.
  var seriesSecond: Int64 { (series?.start ?? span.lowerBound) / 1_000 }
  var isMoved: Bool { startSecond != seriesSecond }
}

/// Times in a calendar: 1970-01-01…2999-12-31, in seconds.
enum CalendarTime {
  /// UTC milliseconds, up to the end of 2999 in Shanghai.
  static let range: Range<Int64> = 0..<32_503_651_200_000

  /// Two digits.
  static func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// Such as `20260901T101000` in Shanghai.
  static func local(_ second: Int64) -> String { text(second + CivilTime.offset / 1_000) }
  /// Such as `20260901T021000Z`.
  static func universal(_ second: Int64) -> String { text(second) + "Z" }

  /// Seconds since 1970-01-01 of whichever clock; held in the range.
  private static func text(_ second: Int64) -> String {
    let second = min(max(second, 0), range.upperBound / 1_000 + CivilTime.offset / 1_000 - 1)
    let (year, month, day) = CivilDate(day: Int(second / 86_400))?.parts ?? (1970, 1, 1)
    let date = "\(year)" + digits(Int64(month)) + digits(Int64(day))
    return "\(date)T" + digits(second / 3_600 % 24) + digits(second / 60 % 60) + digits(second % 60)
  }
}
