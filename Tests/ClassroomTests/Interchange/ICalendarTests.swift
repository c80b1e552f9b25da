// Goal: calendar programs see exactly the lessons given, and changes replace what they had. Method: random terms
// (single and double weeks, holidays, winter bells, lessons moved, cancelled, shortened, added) are written and read
// back by a strict reader with arithmetic of its own; UIDs are compared over changes.
import Classroom
import Testing

@Suite struct ICalendarTests {
  /// A term of lessons as a coordinator may leave it.
  static func lessons(seed: UInt64) -> [CalendarEvent] {
    var generator = SeededGenerator(seed: seed)
    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
    let monday = CivilDate(year: 2026, month: 8, day: 31)
    let patterns = ["all", "odd", "even", "1-16", "2-16双", "1-4、7、9-12", "3", "1、20"].compactMap { WeekSet($0) }
    var events: [CalendarEvent] = []
    for course in 0..<3 {
      let identifier = Identifier(high: seed, low: UInt64(course))
      for time in 0..<Int.random(in: 1...3, using: &generator) {
        let weeks = patterns[Int.random(in: 0..<patterns.count, using: &generator)]
        let weekday = Int.random(in: 1...5, using: &generator)
        let period = Int.random(in: 1...7, using: &generator)
        for week in 1...20 where weeks.contains(week) && !(chance(8) || week == 6) {
          // A bridge day follows another weekday now and then, and winter bells ring later.
          let offset = (week - 1) * 7 + (chance(4) ? 5 : weekday - 1)
          let minute = 8 * 60 + period * 50 + (week > 9 ? 10 : 0)
          guard let date = monday.map({ $0 + offset }), let clock = ClockTime(minute: minute) else { continue }
          let start = CivilTime.instant(date, clock)
          var event = CalendarEvent(
            lesson: Identifier(high: seed, low: UInt64(1_000 * (course + 1) + time * 100 + week)),
            series: .init(course: identifier, start: start), summary: "音乐, 第\(course)课；\\ \"x\"; y",
            location: chance(90) ? "东山小学 P0\(course)-1" : "", description: "1+N\n三年级", span: start..<start + 2_400_000)
          if chance(8) {
            let moved = start + Int64.random(in: -200...200, using: &generator) * 300_000
            event.span = moved..<moved + (chance(50) ? 2_400_000 : 2_100_000)
            event.sequence = 1
          }
          if chance(5) { (event.isCancelled, event.sequence) = (true, event.sequence + 1) }
          if chance(5) { (event.summary, event.sequence) = ("代课", event.sequence + 1) }
          if chance(5) { event.series = nil }
          events.append(event)
        }
      }
    }
    return events
  }

  struct Seen: Hashable {
    var start: Int, end: Int
    var summary: String, location: String, description: String
    var isCancelled: Bool
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>) func everyLessonComesBackAtItsInstant(seed: UInt64) throws {
    let events = Self.lessons(seed: seed)
    try #require(events.count >= 3)
    let written = ICalendarWriter.text(of: CalendarFeed(name: "东山", stampedAt: 1_788_000_000_000, events: events))
    #expect(written.leftOut.isEmpty)
    let reader = try ICalendarReader(written.text)
    let wanted = events.map {
      Seen(
        start: Int($0.span.lowerBound / 1_000), end: Int($0.span.upperBound / 1_000), summary: $0.summary,
        location: $0.location, description: $0.description, isCancelled: $0.isCancelled)
    }
    let seen = reader.instances.map {
      Seen(
        start: $0.start, end: $0.end, summary: $0.summary, location: $0.location, description: $0.description,
        isCancelled: $0.isCancelled)
    }
    #expect(
      Dictionary(grouping: wanted) { $0 }.mapValues(\.count) == Dictionary(grouping: seen) { $0 }.mapValues(\.count))
    // The order in which lessons are given says nothing.
    let shuffled = CalendarFeed(name: "东山", stampedAt: 1_788_000_000_000, events: events.reversed())
    #expect(ICalendarWriter.text(of: shuffled).text == written.text)
  }

  @Test func seriesAreUsedWhereTheyFit() {
    let texts = (1...60 as ClosedRange<UInt64>).map { seed in
      ICalendarWriter.text(of: CalendarFeed(name: "", stampedAt: 0, events: Self.lessons(seed: seed))).text
    }
    for form in ["INTERVAL=1", "INTERVAL=2", "EXDATE", "RECURRENCE-ID", "STATUS:CANCELLED"] {
      #expect(texts.filter { $0.contains(form) }.count > 5, "\(form)")
    }
    #expect(!texts.contains { $0.contains("RDATE") })
  }

  private static func weekly(_ count: Int, every weeks: Int64 = 1) -> [CalendarEvent] {
    let first: Int64 = 1_788_228_600_000  // 2026-09-01 10:10 in Shanghai, a Tuesday
    return (0..<count).map { index in
      let start = first + Int64(index) * weeks * 7 * 86_400_000
      return CalendarEvent(
        lesson: Identifier(high: 7, low: UInt64(index)),
        series: .init(course: Identifier(high: 1, low: 2), start: start),
        summary: "音乐", span: start..<start + 2_400_000)
    }
  }

  private static func read(_ events: [CalendarEvent]) throws -> ICalendarReader {
    try ICalendarReader(ICalendarWriter.text(of: CalendarFeed(name: "a", stampedAt: 0, events: events)).text)
  }

  @Test func doubleWeeksWithAHolidayAreOneEvent() {
    var events = Self.weekly(8, every: 2)
    events.remove(at: 2)
    let text = ICalendarWriter.text(of: CalendarFeed(name: "a", stampedAt: 0, events: events)).text
    #expect(text.contains("DTSTART;TZID=Asia/Shanghai:20260901T101000\r\n"))
    #expect(text.contains("RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20261208T021000Z;BYDAY=TU\r\n"))
    #expect(text.contains("EXDATE;TZID=Asia/Shanghai:20260929T101000\r\n"))
    #expect(text.contains("UID:00000000-0000-0001-0000-000000000002-2-1010@tongke\r\n"))
    #expect(text.split(separator: "BEGIN:VEVENT").count == 2)
  }

  /// Moving, cancelling and substituting change no UID, and raise the sequence of what a calendar has to replace.
  @Test func changesReplaceAndNeverDuplicate() throws {
    let events = Self.weekly(10)
    let before = try Self.read(events)
    let changes: [(inout CalendarEvent) -> Void] = [
      { $0.span = $0.span.lowerBound + 86_400_000..<$0.span.upperBound + 86_400_000 }, { $0.isCancelled = true },
      { $0.summary = "代课" },
    ]
    for (index, change) in changes.enumerated() {
      // Also the first, which is the series' own start, and the last, which is its end.
      for place in [0, 4, 9] {
        var changed = events
        change(&changed[place])
        changed[place].sequence += 1
        let after = try Self.read(changed)
        #expect(Set(after.instances.map(\.uid)) == Set(before.instances.map(\.uid)), "\(index)")
        #expect(after.instances.count == 10)
        #expect(after.instances.map(\.sequence).min() == 1, "the series is newer")
        #expect(after.instances.filter(\.isCancelled).count == (index == 1 ? 1 : 0))
      }
    }
    // A second change is newer than the first, though each lesson changed once.
    var twice = events
    for place in [3, 5] { (twice[place].isCancelled, twice[place].sequence) = (true, 1) }
    #expect(try Self.read(twice).instances.allSatisfy { $0.sequence == 2 })
  }

  @Test func anAddedLessonLeavesTheSeriesAlone() throws {
    let events = Self.weekly(5)
    var added = events[2]
    added.lesson = Identifier(high: 9, low: 9)
    added.series = nil
    let (before, after) = (try Self.read(events), try Self.read(events + [added]))
    let new = Set(after.instances).subtracting(before.instances)
    #expect(new.map(\.uid) == ["00000000-0000-0009-0000-000000000009@tongke"])
    #expect(after.instances.count == 6)
  }

  @Test func twoLessonsOfOneStartAreBothThere() throws {
    let events = Self.weekly(4)
    var second = events[1]
    second.lesson = Identifier(high: 8, low: 8)
    second.summary = "另一"
    let reader = try Self.read(events + [second])
    #expect(reader.instances.count == 5)
    #expect(reader.instances.filter { $0.summary == "另一" }.count == 1)
  }

  @Test func hostileTextStaysText() throws {
    let texts = [
      String(repeating: "联", count: 5_000), String(repeating: "👨‍👩‍👧‍👦", count: 60), "a\r\nBEGIN:VEVENT\rX\u{2028}Y\u{85}Z",
      "\u{0}\u{1B}[31m\u{7F}\u{9B}x\u{FEFF}", "\\n\\,;:\"", "", String(repeating: "e\u{301}", count: 100),
      String(repeating: "\u{301}", count: 3_000), "\u{10FFFF}\u{FFFF}", "=\tcmd",
    ]
    for text in texts {
      // Every length before the fold, so that a scalar meets it at each of its octets.
      for padding in 0..<8 {
        var event = Self.weekly(1)[0]
        event.summary = String(repeating: "x", count: padding + 60) + text
        event.location = text
        event.description = text + "\n" + text
        let feed = CalendarFeed(name: text, stampedAt: .max, refreshMinutes: .min, events: [event])
        let reader = try ICalendarReader(ICalendarWriter.text(of: feed).text)
        #expect(reader.eventCount == 1)
        #expect(reader.instances.count == 1)
        #expect(reader.instances[0].summary.hasPrefix("xxxx"))
      }
    }
  }

  @Test func impossibleEventsAreToldAndLeftOut() throws {
    let times: [Range<Int64>] = [
      0..<0, -5..<10_000, 0..<999, 0..<86_401_000, .min..<Int64.max, Int64.max - 1..<Int64.max,
      32_503_651_199_000..<32_503_651_201_000,
    ]
    let good = Self.weekly(3)
    var events = good
    for (index, span) in times.enumerated() {
      events.append(CalendarEvent(lesson: Identifier(high: 3, low: UInt64(index)), summary: "x", span: span))
    }
    var newer = good[0]
    newer.sequence = .max
    newer.summary = "newer"
    events.append(newer)
    let written = ICalendarWriter.text(of: CalendarFeed(name: "a", stampedAt: .min, events: events))
    #expect(written.leftOut.filter { $0.reason == .badTime }.map(\.lesson.high) == times.map { _ in 3 })
    #expect(written.leftOut.filter { $0.reason == .duplicate }.map(\.lesson) == [good[0].lesson])
    let reader = try ICalendarReader(written.text)
    #expect(reader.instances.count == 3)
    #expect(reader.instances.filter { $0.summary == "newer" }.count == 1)
  }

  /// Starts first published that are no times, or centuries apart, still leave every lesson in.
  @Test func seriesWithoutARuleBecomeSingleEvents() throws {
    var events = Self.weekly(4)
    for (index, start) in [Int64.min, .max, -1, 0].enumerated() { events[index].series?.start = start }
    #expect(try Self.read(events).instances.count == 4)
    let step: Int64 = 7 * 86_400_000
    for index in 0..<4 { events[index].series?.start = Int64(index) * 10_000 * step }
    let reader = try Self.read(events)
    #expect(Set(reader.instances.map(\.uid)).count == 4)
    #expect(Set(reader.instances.map(\.start)).count == 4)
  }
}
