extension CellText {
  /// Weekly times of a course: a list of items such as `周一第3节`, `周三4`, `2-3` (Tuesday, third), `周五第2-3节(1-16单)` and
  /// `周五第2节(双周)35分`. `weeks` are those of items that name none. At most as many as a course may have, and none twice
  /// in one week.
  public static func weeklyTimes(
    _ text: String, weeks: WeekSet = .all
  ) throws(CellProblem) -> [Course.WeeklyTime] {
    if let likely = likelySpan(plain(text)) {
      throw CellProblem(.spanBecameDate, arguments: ["likely": likely], suggestion: .formatAsText)
    }
    var times: [Course.WeeklyTime] = []
    for item in list(text) where !item.isEmpty {
      times += try weeklyTime(item, weeks)
      guard times.count <= Limits.weeklyTimes else {
        throw CellProblem(.tooManyEntries, arguments: ["limit": "\(Limits.weeklyTimes)"])
      }
    }
    for (index, time) in times.enumerated() {
      let isTwice = times[..<index].contains {
        $0.weekday == time.weekday && $0.period == time.period && !$0.weeks.intersection(time.weeks).isEmpty
      }
      guard !isTwice else { throw CellProblem(.duplicateEntry) }
    }
    return times
  }

  private static func weeklyTime(_ item: String, _ weeks: WeekSet) throws(CellProblem) -> [Course.WeeklyTime] {
    var text = item
    var own = weeks
    if let open = text.firstIndex(of: "("), let close = text[open...].firstIndex(of: ")") {
      own = try Self.weeks(String(text[text.index(after: open)..<close]))
      text.removeSubrange(open...close)
    }
    text = trimmed(text)
    var minutes: Int?
    for mark in ["分钟", "min", "分"] where text.hasSuffix(mark) {
      text = trimmed(String(text.dropLast(mark.count)))
      let digits = String(text.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())
      minutes = try number(digits, in: 10...120)
      text.removeLast(digits.count)
      break
    }
    let (weekday, rest) = try leadingWeekday(text.filter { $0 != " " })
    return try periods(rest).map { period in
      Course.WeeklyTime(weekday: weekday, period: period, weeks: own, minutes: minutes)
    }
  }

  /// The weekday an item begins with, and what is left: its periods.
  private static func leadingWeekday(_ text: String) throws(CellProblem) -> (Int, String) {
    let word = withoutPrefix(text.lowercased(), ["星期", "礼拜", "周"])
    let length =
      word.first?.isASCII == true && word.first?.isLetter == true ? word.prefix { $0.isASCII && $0.isLetter }.count : 1
    let day = try weekday(String(word.prefix(length)))
    let isNamed = word.count < text.count || length > 1
    var rest = String(word.dropFirst(length))
    // `2-3` and `2.3`; `23` alone would be a guess.
    if let sign = rest.first, "-.".contains(sign) {
      rest.removeFirst()
    } else if !isNamed, !rest.hasPrefix("第") {
      throw CellProblem(.badWeeklyTime)
    }
    guard !rest.isEmpty else { throw CellProblem(.badWeeklyTime) }
    return (day, rest)
  }

  /// `周一第3节(1-16单)35分`, as `weeklyTimes` reads it.
  package static func text(of time: Course.WeeklyTime) -> String {
    let day = weekdayName(time.weekday)
    let weeks = time.weeks == .all ? "" : "(\(time.weeks))"
    return "\(day)第\(time.period)节\(weeks)\(time.minutes.map { "\($0)分" } ?? "")"
  }

  static func weekdayName(_ weekday: Int) -> String {
    let names = ["一", "二", "三", "四", "五", "六", "日"]
    return names.indices.contains(weekday - 1) ? "周\(names[weekday - 1])" : ""
  }
}
