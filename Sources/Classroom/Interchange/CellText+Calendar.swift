extension CellText {
  /// `8:00`, `08:00:00`, `8点10分`, `下午2:10`, `2:10 PM`; seconds other than 0 are refused.
  public static func time(_ text: String) throws(CellProblem) -> ClockTime {
    var plain = plain(text).lowercased().filter { $0 != " " }
    if isFraction(plain) { throw CellProblem(.dateBecameNumber, suggestion: .formatAsText) }
    var afternoon: Bool?
    for (mark, isLate) in [("上午", false), ("下午", true), ("晚上", true), ("早上", false), ("中午", nil)]
    where plain.hasPrefix(mark) {
      plain.removeFirst(mark.count)
      afternoon = isLate
    }
    for (mark, isLate) in [("am", false), ("pm", true)] where plain.hasSuffix(mark) {
      plain.removeLast(2)
      afternoon = isLate
    }
    plain = String(plain.map { $0 == "点" || $0 == "时" || $0 == "∶" ? ":" : $0 })
    if plain.hasSuffix("分") { plain.removeLast() }
    if plain.hasSuffix(":半") { plain = plain.dropLast() + "30" }
    if plain.hasSuffix(":") { plain += "00" }
    let parts = plain.split(separator: ":", omittingEmptySubsequences: false).map { part in
      part.utf8.count <= 2 ? digits(part) : nil
    }
    guard (2...3).contains(parts.count), var hour = parts[0], let minute = parts[1] else {
      throw CellProblem(.badTime)
    }
    if parts.count == 3, parts[2] != 0 { throw CellProblem(.badTime) }
    if let afternoon {
      guard hour <= 12 || afternoon else { throw CellProblem(.badTime) }
      if afternoon, hour < 12 { hour += 12 } else if !afternoon, hour == 12 { hour = 0 }
    }
    guard let time = ClockTime(hour: hour, minute: minute) else { throw CellProblem(.badTime) }
    return time
  }

  /// `8:00-8:40`, with `~` or 至 as well; `badTimeSpan` when it does not end after it begins.
  public static func timeSpan(_ text: String) throws(CellProblem) -> (start: ClockTime, end: ClockTime) {
    let ends = span(plain(text)).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { throw CellProblem(.badTimeSpan) }
    let (start, end) = (try time(String(ends[0])), try time(String(ends[1])))
    guard start < end else { throw CellProblem(.badTimeSpan) }
    return (start, end)
  }

  /// Every sign of "to" made a hyphen.
  private static func span(_ plain: String) -> String {
    String(plain.map { $0 == "~" || $0 == "至" || $0 == "到" ? "-" : $0 })
  }

  /// A part of a day in a spreadsheet's own form.
  private static func isFraction(_ plain: String) -> Bool {
    plain.hasPrefix("0.") && plain.utf8.count > 3 && plain.utf8.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) }
  }

  /// A spreadsheet's number of a day of the years 1995…2064.
  private static func serial(_ plain: String) -> CivilDate? {
    guard plain.utf8.count == 5, let number = digits(plain), (34_700...60_300).contains(number) else { return nil }
    return CivilDate(day: number - 25_569)
  }

  /// `2026/9/1`, `2026-09-01`, `2026.9.1`, `2026年9月1日`, `20260901`, each with a midnight behind it or not.
  public static func date(_ text: String) throws(CellProblem) -> CivilDate {
    var plain = plain(text)
    if let space = plain.firstIndex(of: " "), plain[space...].allSatisfy({ "0: ".contains($0) }) {
      plain = String(plain[..<space])
    }
    if let likely = serial(plain) {
      throw CellProblem(.dateBecameNumber, arguments: ["likely": "\(likely)"], suggestion: .formatAsText)
    }
    guard let (year, month, day) = yearMonthDay(plain) else {
      throw CellProblem(.badDate, suggestion: .writeYearFirst)
    }
    guard let date = CivilDate(year: year, month: month, day: day) else { throw CellProblem(.impossibleDate) }
    return date
  }

  private static func yearMonthDay(_ plain: String) -> (Int, Int, Int)? {
    if plain.utf8.count == 8, let number = digits(plain) {
      return (number / 10_000, number / 100 % 100, number % 100)
    }
    let signs = plain.filter { $0 != "日" && $0 != "号" }.map { "/.年月".contains($0) ? "-" : $0 }
    let parts = String(signs).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1...].allSatisfy({ (1...2).contains($0.utf8.count) }),
      let year = digits(parts[0]), let month = digits(parts[1]), let day = digits(parts[2])
    else { return nil }
    return (year, month, day)
  }

  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  /// What a spreadsheet has made a date of, such as `1-16` of `1月16日`, `Jan-16`, `16-Jan`, `2026/1/16` or `46038`; nil
  /// for what is no date.
  static func likelySpan(_ plain: String) -> String? {
    let text = plain.lowercased()
    if let (_, month, day) = yearMonthDay(text) { return "\(month)-\(day)" }
    if let (_, month, day) = serial(text)?.parts { return "\(month)-\(day)" }
    if text.hasSuffix("日"), let month = text.firstIndex(of: "月") {
      let (first, last) = (text[..<month], text[text.index(after: month)...].dropLast())
      if let first = digits(first), let last = digits(last) { return "\(first)-\(last)" }
    }
    let slashed = text.split(separator: "/", omittingEmptySubsequences: false).map { digits($0) }
    if slashed.count == 2, let first = slashed[0], let last = slashed[1] { return "\(first)-\(last)" }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    for (name, number) in [(parts[0], parts[1]), (parts[1], parts[0])] {
      if let month = months.firstIndex(of: String(name)), let number = digits(number.suffix(2)) {
        return "\(month + 1)-\(number)"
      }
    }
    return nil
  }

  /// Weeks as `WeekSet` writes them, and `第1-16周`, `1-16(单)`, `1~16`; `weeksBecameDate` for `1月16日` and its like.
  public static func weeks(_ text: String) throws(CellProblem) -> WeekSet {
    let plain = plain(text)
    if let likely = likelySpan(plain) {
      throw CellProblem(.weeksBecameDate, arguments: ["likely": likely], suggestion: .formatAsText)
    }
    var form = span(plain.lowercased()).filter { !" ()第[]".contains($0) }
    if form.hasSuffix("odd"), form != "odd" { form = form.dropLast(3) + "单" }
    if form.hasSuffix("even"), form != "even" { form = form.dropLast(4) + "双" }
    form = String(form.map { $0 == ";" ? "," : $0 })
    guard form.utf8.count <= 400, let weeks = WeekSet(form), !weeks.isEmpty else { throw CellProblem(.badWeeks) }
    return weeks
  }

  private static let weekdays: [String: Int] = [
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7, "七": 7, "mon": 1, "tue": 2, "wed": 3,
    "thu": 4, "fri": 5, "sat": 6, "sun": 7, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5,
    "saturday": 6, "sunday": 7, "tues": 2, "thur": 4, "thurs": 4,
  ]

  /// `周一`, `星期一`, `礼拜一`, `一`, `1`, `Mon`: ISO, 7 is Sunday.
  public static func weekday(_ text: String) throws(CellProblem) -> Int {
    let word = withoutPrefix(plain(text).lowercased(), ["星期", "礼拜", "周"])
    if let day = digits(word) ?? weekdays[word], (1...7).contains(day) { return day }
    throw CellProblem(.badWeekday)
  }

  static func withoutPrefix(_ text: String, _ prefixes: [String]) -> String {
    for prefix in prefixes where text.hasPrefix(prefix) { return String(text.dropFirst(prefix.count)) }
    return text
  }

  /// Weekdays by lists and spans, such as `周一至周五`, `1-5`, `周一、周三`, `每天`; ascending.
  public static func weekdays(_ text: String) throws(CellProblem) -> [Int] {
    if ["每天", "每日", "all", "daily"].contains(plain(text).lowercased()) { return Array(1...7) }
    return try spans(text, otherwise: .badWeekday, weekday)
  }

  /// Ascending numbers of a list whose items are one or a span of two.
  private static func spans(
    _ text: String, otherwise problem: ImportIssue.Code, _ read: (String) throws(CellProblem) -> Int
  ) throws(CellProblem) -> [Int] {
    if let likely = likelySpan(plain(text)) {
      throw CellProblem(.spanBecameDate, arguments: ["likely": likely], suggestion: .formatAsText)
    }
    var numbers: Set<Int> = []
    for item in list(text) {
      let ends = span(item).split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let start = ends.first, let end = ends.last else {
        throw CellProblem(problem)
      }
      let (first, last) = (try read(String(start)), try read(String(end)))
      guard first <= last, last - first <= 60 else { throw CellProblem(problem) }
      numbers.formUnion(first...last)
    }
    return numbers.sorted()
  }

  /// `第3节`, `3`, `三`, `第三节课`: 1…20.
  public static func period(_ text: String) throws(CellProblem) -> Int {
    var word = withoutPrefix(plain(text), ["第"])
    for suffix in ["节课", "节", "课"] where word.hasSuffix(suffix) {
      word.removeLast(suffix.count)
      break
    }
    guard let period = ordinal(trimmed(word)), (1...20).contains(period) else { throw CellProblem(.badPeriod) }
    return period
  }

  /// Periods by lists and spans, such as `第1-2节`; ascending.
  public static func periods(_ text: String) throws(CellProblem) -> [Int] {
    try spans(text, otherwise: .badPeriod, period)
  }

  /// `三年级`, `3`, `初一` (7), `高一` (10): 1…12.
  public static func grade(_ text: String) throws(CellProblem) -> Int {
    var word = plain(text).lowercased()
    for suffix in ["年级", "年", "级"] where word.hasSuffix(suffix) {
      word.removeLast(suffix.count)
      break
    }
    let stages = [("初中", 6, 3), ("高中", 9, 3), ("小学", 0, 6), ("初", 6, 3), ("高", 9, 3), ("grade", 0, 12), ("g", 0, 12)]
    var (offset, most) = (0, 12)
    for (mark, before, count) in stages where word.hasPrefix(mark) {
      word.removeFirst(mark.count)
      (offset, most) = (before, count)
      break
    }
    guard let number = ordinal(trimmed(word)), (1...most).contains(number) else { throw CellProblem(.badGrade) }
    return number + offset
  }

  /// Grades by lists and spans; ascending.
  public static func grades(_ text: String) throws(CellProblem) -> [Int] {
    try spans(text, otherwise: .badGrade, grade)
  }

  /// `2026`, `2026-2027`, `2026学年`: the year of its September.
  public static func schoolYear(_ text: String) throws(CellProblem) -> Int {
    var word = plain(text)
    for suffix in ["学年度", "学年", "年"] where word.hasSuffix(suffix) { word.removeLast(suffix.count) }
    let years = span(word).split(whereSeparator: { $0 == "-" || $0 == "/" }).map { digits($0) }
    guard (1...2).contains(years.count), let first = years[0], (1950...2998).contains(first),
      years.count == 1 || years[1] == first + 1 || years[1] == (first + 1) % 100
    else { throw CellProblem(.badSchoolYear) }
    return first
  }
}
