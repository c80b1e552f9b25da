/// Lessons as iCalendar text (RFC 5545), to be served as `text/calendar; charset=utf-8`.
public enum ICalendarWriter {
  /// Events of one calendar; about 200 bytes each.
  public static let eventLimit = 100_000
  /// Unicode scalars of one text; the rest is cut.
  public static let textLimit = 4_000

  /// The whole calendar: `METHOD:PUBLISH`, one `VTIMEZONE`, and exactly the events given, less those told as left out.
  ///
  /// Lessons of one course and weekly time become one event with an `RRULE`, `EXDATE` for weeks without one, and
  /// `RECURRENCE-ID` overrides for those moved, cancelled or otherwise different; the rule is written only when
  /// expanding it yields exactly those lessons, else each is an event by itself. UIDs depend on the lesson, or on the
  /// course and the weekly time, alone. CRLF, lines of at most 75 octets. Cost: n log n.
  public static func text(of feed: CalendarFeed) -> (text: String, leftOut: [CalendarOmission]) {
    var leftOut: [CalendarOmission] = []
    let events = accepted(feed.events, &leftOut)
    let stamp = CalendarTime.universal(min(max(feed.stampedAt, 0), CalendarTime.range.upperBound - 1) / 1_000)
    var lines = ContentLines()
    lines.add("BEGIN:VCALENDAR")
    lines.add("VERSION:2.0")
    lines.add("PRODID:-//Tongke//Joint timetable//ZH")
    lines.add("CALSCALE:GREGORIAN")
    lines.add("METHOD:PUBLISH")
    lines.add("X-WR-CALNAME", text: feed.name)
    lines.add("X-WR-TIMEZONE:Asia/Shanghai")
    lines.add("REFRESH-INTERVAL;VALUE=DURATION:PT\(min(max(feed.refreshMinutes, 1), 10_080))M")
    addTimeZone(to: &lines)
    for series in EventSeries.grouping(events) { add(series, stamp: stamp, to: &lines) }
    lines.add("END:VCALENDAR")
    return (lines.text, leftOut)
  }

  private static func accepted(
    _ events: [CalendarEvent], _ leftOut: inout [CalendarOmission]
  ) -> [CalendarEvent] {
    var places: [Identifier: Int] = [:]
    var kept: [CalendarEvent] = []
    for event in events {
      let (span, range) = (event.span, CalendarTime.range)
      guard range.contains(span.lowerBound), span.upperBound <= range.upperBound,
        (1...86_400).contains(event.endSecond - event.startSecond)
      else {
        leftOut.append(CalendarOmission(lesson: event.lesson, reason: .badTime))
        continue
      }
      if let place = places[event.lesson] {
        if event.sequence > kept[place].sequence { kept[place] = event }
        leftOut.append(CalendarOmission(lesson: event.lesson, reason: .duplicate))
      } else if kept.count < eventLimit {
        places[event.lesson] = kept.count
        kept.append(event)
      } else {
        leftOut.append(CalendarOmission(lesson: event.lesson, reason: .tooMany))
      }
    }
    return kept
  }

  /// China has had no summer time since 1991, and no timetable here is older.
  private static func addTimeZone(to lines: inout ContentLines) {
    lines.add("BEGIN:VTIMEZONE")
    lines.add("TZID:Asia/Shanghai")
    lines.add("BEGIN:STANDARD")
    lines.add("DTSTART:19700101T000000")
    lines.add("TZOFFSETFROM:+0800")
    lines.add("TZOFFSETTO:+0800")
    lines.add("TZNAME:CST")
    lines.add("END:STANDARD")
    lines.add("END:VTIMEZONE")
  }

  private static func add(_ series: EventSeries, stamp: String, to lines: inout ContentLines) {
    func begin(_ start: Int64, _ length: Int64, instance: Int64? = nil) {
      lines.add("BEGIN:VEVENT")
      lines.add("UID:\(series.uid)")
      lines.add("DTSTAMP:\(stamp)")
      lines.add("SEQUENCE:\(series.sequence)")
      if let instance { lines.add("RECURRENCE-ID;TZID=Asia/Shanghai:\(CalendarTime.local(instance))") }
      lines.add("DTSTART;TZID=Asia/Shanghai:\(CalendarTime.local(start))")
      lines.add("DTEND;TZID=Asia/Shanghai:\(CalendarTime.local(start + length))")
    }
    func end(_ common: EventSeries.Common, isCancelled: Bool) {
      lines.add("SUMMARY", text: common.summary)
      if !common.location.isEmpty { lines.add("LOCATION", text: common.location) }
      if !common.description.isEmpty { lines.add("DESCRIPTION", text: common.description) }
      lines.add(isCancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED")
      lines.add("END:VEVENT")
    }
    guard let rule = series.rule else {
      for event in series.members {
        let common = EventSeries.Common(event)
        begin(event.startSecond, common.length)
        end(common, isCancelled: event.isCancelled)
      }
      return
    }
    begin(rule.first, series.common.length)
    let day = weekdays[CivilTime.date(of: rule.first * 1_000).weekday - 1]
    let until = CalendarTime.universal(rule.last)
    lines.add("RRULE:FREQ=WEEKLY;INTERVAL=\(rule.interval);UNTIL=\(until);BYDAY=\(day)")
    if !rule.exceptions.isEmpty {
      let times = rule.exceptions.map(CalendarTime.local).joined(separator: ",")
      lines.add("EXDATE;TZID=Asia/Shanghai:\(times)")
    }
    end(series.common, isCancelled: false)
    for event in series.overrides {
      let common = EventSeries.Common(event)
      begin(event.startSecond, common.length, instance: event.seriesSecond)
      end(common, isCancelled: event.isCancelled)
    }
  }

  private static let weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
}

/// Content lines: CRLF, at most 75 octets each, cut between Unicode scalars only.
struct ContentLines {
  private var bytes: [UInt8] = []

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// `line` is written as it is, without a control character in it.
  mutating func add(_ line: String) {
    var octets = 0
    for scalar in line.unicodeScalars {
      let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
      if octets + encoded.count > 75 {
        bytes += [0x0D, 0x0A, 0x20]
        octets = 1
      }
      bytes += encoded
      octets += encoded.count
    }
    bytes += [0x0D, 0x0A]
  }

  /// A property whose value is a TEXT: its marks escaped, line ends as `\n`, other control characters left out.
  mutating func add(_ name: String, text: String) {
    var escaped = String.UnicodeScalarView()
    var former: Unicode.Scalar = " "
    for scalar in text.unicodeScalars.prefix(ICalendarWriter.textLimit) {
      switch scalar.value {
      case 0x0A where former == "\r": break
      case 0x0A, 0x0D, 0x85, 0x2028, 0x2029: escaped.append(contentsOf: "\\n".unicodeScalars)
      case 0x2C, 0x3B, 0x5C:
        escaped.append("\\")
        escaped.append(scalar)
      case 0x09: escaped.append(" ")
      case 0..<0x20, 0x7F..<0xA0: break
      default: escaped.append(scalar)
      }
      former = scalar
    }
    add("\(name):\(String(escaped))")
  }
}
