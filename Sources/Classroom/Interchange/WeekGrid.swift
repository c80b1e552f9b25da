/// A printable week: a row for each period, a column for each day.
///
/// Saturday and Sunday have a column only when they are used. A lesson stands in every period of which it takes half
/// or more, else in the one it shares most time with, else in a row of its own; where its time is not the row's it is
/// said.
public struct WeekGrid: Hashable, Sendable {
  /// Words, which are the caller's. `{period}` and `{weeks}` are replaced.
  public struct Labels: Hashable, Sendable {
    /// BCP 47, such as `zh-CN`.
    public var language: String
    /// Over the grid.
    public var title: String
    /// Over the periods, such as 节次.
    public var periods: String
    /// Such as `第{period}节`.
    public var period: String
    /// Of Monday…Sunday; a missing one is its number.
    public var days: [String]
    /// Such as 单周.
    public var odd: String
    public var even: String
    /// Of other weeks, such as `第{weeks}周`.
    public var weeks: String
    /// What stands before a school's own lesson, such as `[本校]`.
    public var local: String

    public init(
      language: String, title: String, periods: String, period: String, days: [String], odd: String, even: String,
      weeks: String, local: String = ""
    ) {
      self.language = language
      self.title = title
      self.periods = periods
      self.period = period
      self.days = days
      self.odd = odd
      self.even = even
      self.weeks = weeks
      self.local = local
    }
  }

  /// What one cell says of one lesson: the subject, then lines of a smaller kind.
  struct Entry: Hashable {
    var heading: String
    var details: [String]
  }

  struct Row: Hashable {
    /// Nil for a time outside all periods.
    var period: Int?
    var start: ClockTime
    var end: ClockTime
    /// As many as there are columns.
    var cells: [[WeekLesson]]
  }

  public let labels: Labels
  /// Lessons that no week can show: without a weekday, ending before they begin, in no week of the term, or past the
  /// first 1,000.
  public let leftOut: [WeekLesson]
  /// ISO weekdays of the columns.
  let days: [Int]
  let rows: [Row]
  let termWeeks: Int

  /// `periods`: at most 20 in the order of the day are taken. `termWeeks`: weeks of the term, so that `1-20` is every
  /// week of twenty.
  public init(periods: [BellSchedule.Period], lessons: [WeekLesson], termWeeks: Int, labels: Labels) {
    self.labels = labels
    self.termWeeks = termWeeks
    func isShown(_ lesson: WeekLesson) -> Bool {
      (1...7).contains(lesson.weekday) && lesson.start < lesson.end && lesson.pattern(termWeeks: termWeeks) != .none
    }
    let looked = lessons.prefix(WeekLesson.limit)
    let shown = looked.filter(isShown).sorted(by: WeekLesson.precedes)
    leftOut = looked.filter { !isShown($0) } + lessons.dropFirst(WeekLesson.limit)
    let days = (1...7).filter { day in day <= 5 || shown.contains { $0.weekday == day } }
    self.days = days
    let empty = days.map { _ in [WeekLesson]() }
    var rows = periods.prefix(20).filter { $0.start < $0.end }.map {
      Row(period: $0.number, start: $0.start, end: $0.end, cells: empty)
    }
    for lesson in shown {
      guard let column = days.firstIndex(of: lesson.weekday) else { continue }
      let places = Self.places(of: lesson, in: rows)
      for place in places { rows[place].cells[column].append(lesson) }
      if places.isEmpty {
        var row = Row(period: nil, start: lesson.start, end: lesson.end, cells: empty)
        row.cells[column].append(lesson)
        rows.append(row)
      }
    }
    self.rows = rows.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
  }

  private static func places(of lesson: WeekLesson, in rows: [Row]) -> [Int] {
    let shared = rows.map { row in
      // A time of its own is a row for lessons of that very time.
      if row.period == nil { return row.start == lesson.start && row.end == lesson.end ? row.end - row.start : 0 }
      return max(0, min(row.end, lesson.end) - max(row.start, lesson.start))
    }
    let half = rows.indices.filter { shared[$0] * 2 >= rows[$0].end - rows[$0].start }
    if !half.isEmpty { return half }
    guard let most = shared.max(), most > 0, let place = shared.firstIndex(of: most) else { return [] }
    return [place]
  }

  /// Unicode scalars of one text in a cell; the rest is cut.
  static let textLimit = 200

  /// Without controls and marks that turn the direction of writing, which would spoil lines around them.
  static func cleaned(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(textLimit) {
      switch scalar.value {
      case 0..<0x20, 0x2028, 0x2029: result.append(" ")
      case 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: break
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  func name(ofDay day: Int) -> String {
    Self.cleaned(day <= labels.days.count ? labels.days[day - 1] : "\(day)")
  }

  /// The period's name, then its times.
  func heading(of row: Row) -> [String] {
    let time = "\(row.start)-\(row.end)"
    guard let period = row.period else { return [time] }
    return [Self.filled(labels.period, "{period}", "\(period)"), time]
  }

  func entry(_ lesson: WeekLesson, in row: Row) -> Entry {
    let names = [lesson.subject, lesson.title].map(Self.cleaned).filter { !$0.isEmpty }
    var details: [String] = []
    if names.count > 1, names[0] != names[1] { details.append(names[1]) }
    details += [lesson.teacher, lesson.room].map(Self.cleaned).filter { !$0.isEmpty }
    if lesson.start != row.start || lesson.end != row.end { details.append("\(lesson.start)-\(lesson.end)") }
    switch lesson.pattern(termWeeks: termWeeks) {
    case .all, .none: break
    case .odd: details.append(Self.cleaned(labels.odd))
    case .even: details.append(Self.cleaned(labels.even))
    case .others: details.append(Self.filled(labels.weeks, "{weeks}", "\(lesson.weeks)"))
    }
    let mark = lesson.isLocal ? Self.cleaned(labels.local) : ""
    let heading = [mark, names.first ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    return Entry(heading: heading, details: details)
  }

  /// The first `place` in `pattern` replaced.
  private static func filled(_ pattern: String, _ place: String, _ value: String) -> String {
    let pattern = cleaned(pattern)
    guard let range = pattern.firstRange(of: place) else { return pattern }
    return pattern.replacingCharacters(range, with: value)
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<String.Index>, with value: String) -> String {
    String(self[..<range.lowerBound]) + value + String(self[range.upperBound...])
  }
}
