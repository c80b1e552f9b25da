// What the fuzz targets of imported files and exported calendars do with their bytes.
import Classroom
import ControlPlane

let importTargets: [FuzzTarget] = [
  ("sheet", fuzzSheet), ("celltext", fuzzCellText), ("cses", fuzzCSES), ("importplan", fuzzImportPlan),
  ("calendar", fuzzCalendar),
]

/// The bytes are a file in any encoding.
@Sendable func fuzzSheet(_ bytes: UnsafeRawBufferPointer) {
  let file = Array(bytes)
  for kind in [nil, SheetKind.rooms, .courses, .localLessons] {
    do throws(ImportIssue) {
      let sheet = try ImportSheet(file, kind: kind)
      use(sheet)
    } catch {
      check(error)
    }
  }
}

private func check(_ issue: ImportIssue) {
  precondition(issue.row >= 0 && issue.value.unicodeScalars.count <= 100, "an issue that says too much")
}

/// The bytes are the text of one cell, as each column would read it.
@Sendable func fuzzCellText(_ bytes: UnsafeRawBufferPointer) {
  let text = String(decoding: bytes, as: UTF8.self)
  precondition(CellText.plain(CellText.plain(text)) == CellText.plain(text), "plain text is plain")
  for item in CellText.list(text) { use(item) }
  use(try? CellText.name(text))
  use(try? CellText.code(text))
  use(try? CellText.schoolCode(text))
  use(try? CellText.number(text, in: 0...1_000_000))
  use(try? CellText.boolean(text))
  use(try? CellText.weekday(text))
  use(try? CellText.weekdays(text))
  use(try? CellText.grades(text))
  use(try? CellText.periods(text))
  use(try? CellText.schoolYear(text))
  if let time = try? CellText.time(text) {
    precondition((try? CellText.time(time.description)) == time, "a time reads back otherwise")
  }
  if let date = try? CellText.date(text) {
    precondition((try? CellText.date(date.description)) == date, "a date reads back otherwise")
  }
  if let span = try? CellText.timeSpan(text) { precondition(span.start < span.end, "a span without a length") }
  if let weeks = try? CellText.weeks(text) {
    precondition((try? CellText.weeks(weeks.description)) == weeks, "weeks read back otherwise")
  }
  if let times = try? CellText.weeklyTimes(text) {
    let form = times.map(CellText.text).joined(separator: "、")
    precondition(times.isEmpty || (try? CellText.weeklyTimes(form)) == times, "times read back otherwise")
  }
}

/// The bytes are a class's timetable in YAML.
@Sendable func fuzzCSES(_ bytes: UnsafeRawBufferPointer) {
  guard let file = try? CSESDocument.read(Array(bytes)) else { return }
  let base = FuzzCounty.base
  let options = ImportOptions(term: "T1", schoolClass: base.classes[0].id)
  guard let plan = try? ImportPlan.make(file, onto: base, options: options) else { return }
  FuzzCounty.apply(plan)
}

/// The first byte says which sheet, the second how it is meant, the rest is the sheet.
@Sendable func fuzzImportPlan(_ bytes: UnsafeRawBufferPointer) {
  guard bytes.count > 2 else { return }
  let kind = SheetKind.allCases[Int(bytes[0]) % SheetKind.allCases.count]
  guard let sheet = try? ImportSheet(Array(bytes[2...]), kind: kind) else { return }
  let base = FuzzCounty.base
  let options = ImportOptions(
    deleteMissing: bytes[1] & 1 != 0, schoolYear: bytes[1] & 2 != 0 ? 2026 : nil, term: "T1",
    schoolClass: bytes[1] & 4 != 0 ? base.classes[0].id : nil,
    teacher: bytes[1] & 8 != 0 ? base.persons[0].id : nil)
  var count: UInt64 = 0
  let plan = try? ImportPlan.make([sheet], onto: base, options: options) {
    count += 1
    return Identifier(high: 9, low: count)
  }
  if let plan { FuzzCounty.apply(plan) }
}

/// A county that plans are laid onto.
private enum FuzzCounty {
  static let base: ImportBase = {
    let sheets: [(SheetKind, String)] = [
      (.institutions, "编号,名称,类型,中心校\nP01,石桥中心小学,学校,\nP07,石壁坳教学点,教学点,P01"),
      (.rooms, "教室编号,学校编号\nP01-1,P01\nP07-2,P07"),
      (.persons, "学校编号,工号,姓名\nP01,001,王丽\nP01,002,王丽"),
      (.classes, "班级编号,学校编号,班级名称,入学年份,人数\nP07-B3,P07,三年级,2024,6"),
      (.clusters, "联校群编号,名称,主讲学校,接收学校\nQ1,群,P01,P07"),
      (.bells, "学校编号,作息名称,第1节,第2节\nP01,作息,8:00-8:40,8:50-9:30"),
      (.terms, "学期,名称,第一周日期,周数\nT1,上学期,2026-09-01,20"),
      (
        .courses,
        "课程编号,学期,联校群编号,学科,年级,主讲教室,接收教室,上课时间\nK1,T1,Q1,音乐,三年级,P01-1,P07-2,周一第1节"
      ),
    ]
    var count: UInt64 = 0
    var base = ImportBase()
    do {
      let plan = try ImportPlan.make(sheets.map { try ImportSheet([UInt8]($1.utf8), kind: $0) }, onto: base) {
        count += 1
        return Identifier(high: 8, low: count)
      }
      base.apply(plan.changes)
    } catch { preconditionFailure("the county of the targets cannot be imported: \(error)") }
    return base
  }()

  /// What a plan makes of the county is sound and can be written out.
  static func apply(_ plan: ImportPlan) {
    var after = base
    after.apply(plan.changes)
    for kind in SheetKind.allCases { use(after.table(of: kind).count) }
    guard let timetable = Timetable(after, term: "T1") else { return }
    let checker = ConflictChecker(timetable)
    for conflict in checker.check() { use(conflict.dates.count) }
  }
}

/// The bytes are texts, times and sequences of events; what is written keeps to the format.
@Sendable func fuzzCalendar(_ bytes: UnsafeRawBufferPointer) {
  var events: [CalendarEvent] = []
  var offset = 0
  func number() -> Int64 {
    defer { offset += 8 }
    guard offset + 8 <= bytes.count else { return 0 }
    return Int64(bitPattern: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
  while offset + 17 <= bytes.count, events.count < 64 {
    let start = number() % 40_000_000_000_000
    let length = number() % 100_000_000
    let kind = bytes[offset]
    let end = min(bytes.count, offset + 1 + Int(kind))
    let text = String(decoding: bytes[(offset + 1)..<end], as: UTF8.self)
    offset = end
    let course = Identifier(high: 3, low: UInt64(kind % 3))
    let (last, overflow) = start.addingReportingOverflow(max(length, 0))
    events.append(
      CalendarEvent(
        lesson: Identifier(high: 4, low: UInt64(events.count)),
        series: kind & 1 == 0 ? nil : .init(course: course, start: start - start % 604_800_000), summary: text,
        location: text, description: text, span: start..<max(start, overflow ? start : last), sequence: Int(kind),
        isCancelled: kind & 2 != 0))
  }
  let calendar = ICalendarWriter.text(of: CalendarFeed(name: "课表", stampedAt: number(), events: events)).text
  precondition(calendar.utf8.starts(with: "BEGIN:VCALENDAR\r\n".utf8), "a calendar begins as one")
  for line in Array(calendar.utf8).split(separator: 0x0A) {
    precondition(line.last == 0x0D && line.count <= 76, "a line that is too long")
    precondition(!line.dropLast().contains { $0 < 0x20 && $0 != 0x09 }, "a control character")
  }
}
