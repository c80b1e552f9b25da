import Foundation

/// A strict reader of the iCalendar that this project writes, with arithmetic of its own (Foundation's calendar).
struct ICalendarReader {
  struct Instance: Hashable {
    var uid: String
    var sequence: Int
    /// UTC seconds.
    var start: Int
    var end: Int
    var summary: String
    var location: String
    var description: String
    var isCancelled: Bool
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
  }

  private typealias Property = (name: String, parameters: String, value: String)

  private(set) var instances: [Instance] = []
  private(set) var calendarName = ""
  private(set) var eventCount = 0
  private let calendar: Calendar

  init(_ text: String) throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 8 * 3_600) ?? .gmt
    self.calendar = calendar
    let properties = try Self.contentLines(text).map(Self.property)
    guard properties.first?.name == "BEGIN", properties.last?.name == "END" else { throw Failure("no calendar") }
    var open: [String] = []
    var event: [Property] = []
    var events: [[Property]] = []
    for property in properties {
      switch property.name {
      case "BEGIN":
        open.append(property.value)
        event = []
      case "END":
        guard open.popLast() == property.value else { throw Failure("END:\(property.value) without BEGIN") }
        if property.value == "VEVENT" { events.append(event) }
      case "X-WR-CALNAME": calendarName = try Self.plain(property.value)
      default: event.append(property)
      }
    }
    guard open.isEmpty else { throw Failure("open: \(open)") }
    eventCount = events.count
    try expand(events)
  }

  /// Unfolded lines; throws for a line over 75 octets, one that does not end in CRLF, and one cut inside a scalar.
  private static func contentLines(_ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    guard bytes.suffix(2) == [13, 10] else { throw Failure("no CRLF at the end") }
    var lines: [String] = []
    var start = 0
    for place in bytes.indices where bytes[place] == 10 {
      guard place > 0, bytes[place - 1] == 13 else { throw Failure("a line feed alone") }
      let line = bytes[start..<(place - 1)]
      guard line.count <= 75, !line.contains(13) else { throw Failure("\(line.count) octets, or CR alone") }
      guard let line = String(validating: line, as: UTF8.self) else { throw Failure("cut inside a scalar") }
      guard line.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }) else {
        throw Failure("a control character")
      }
      if line.unicodeScalars.first == " " {
        guard let last = lines.popLast() else { throw Failure("nothing to continue") }
        lines.append(String(String.UnicodeScalarView(last.unicodeScalars + line.unicodeScalars.dropFirst())))
      } else {
        lines.append(line)
      }
      start = place + 1
    }
    return lines
  }

  private static func property(_ line: String) throws -> Property {
    let scalars = line.unicodeScalars
    guard let colon = scalars.firstIndex(of: ":") else { throw Failure("no colon: \(line)") }
    let head = String(scalars[..<colon]).split(separator: ";", maxSplits: 1).map(String.init)
    let isName = head[0].utf8.allSatisfy { (65...90).contains($0) || $0 == 45 }
    guard isName else { throw Failure("no name: \(line)") }
    return (head[0], head.count > 1 ? head[1] : "", String(scalars[scalars.index(after: colon)...]))
  }

  /// The text of a TEXT value; throws for a mark that is not escaped.
  private static func plain(_ value: String) throws -> String {
    var result = String.UnicodeScalarView()
    var isEscaped = false
    for scalar in value.unicodeScalars {
      if isEscaped {
        guard "\\,;n".unicodeScalars.contains(scalar) else { throw Failure("\\\(scalar)") }
        result.append(scalar == "n" ? "\n" : scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else {
        guard scalar != ",", scalar != ";" else { throw Failure("not escaped: \(value)") }
        result.append(scalar)
      }
    }
    guard !isEscaped else { throw Failure("a backslash at the end") }
    return String(result)
  }

  private func second(_ value: String, _ parameters: String) throws -> Int {
    let parts = value.split(separator: "T", omittingEmptySubsequences: false).map(String.init)
    let isUniversal = value.hasSuffix("Z")
    guard parts.count == 2, parts[0].utf8.count == 8, parts[1].utf8.count == (isUniversal ? 7 : 6),
      let date = Int(parts[0]), let time = Int(parts[1].prefix(6)),
      parameters == (isUniversal ? "" : "TZID=Asia/Shanghai")
    else { throw Failure("no time: \(parameters):\(value)") }
    var components = DateComponents()
    (components.year, components.month, components.day) = (date / 10_000, date / 100 % 100, date % 100)
    (components.hour, components.minute, components.second) = (time / 10_000, time / 100 % 100, time % 100)
    guard components.isValidDate(in: calendar), let instant = calendar.date(from: components) else {
      throw Failure("no date: \(value)")
    }
    return Int(instant.timeIntervalSince1970) + (isUniversal ? 8 * 3_600 : 0)
  }

  private mutating func expand(_ events: [[Property]]) throws {
    var series: [String: [Int: Instance]] = [:]
    var masters: Set<String> = []
    for isOverride in [false, true] {
      for event in events where event.contains(where: { $0.name == "RECURRENCE-ID" }) == isOverride {
        let instance = try self.instance(event)
        if let id = event.first(where: { $0.name == "RECURRENCE-ID" }) {
          let start = try second(id.value, id.parameters)
          guard let former = series[instance.uid]?[start] else { throw Failure("overrides no instance: \(id.value)") }
          guard instance.sequence >= former.sequence else { throw Failure("older than its series") }
          series[instance.uid]?[start] = instance
        } else {
          guard masters.insert(instance.uid).inserted else { throw Failure("\(instance.uid) twice") }
          for start in try starts(event, first: instance.start) {
            var copy = instance
            (copy.start, copy.end) = (start, start + instance.end - instance.start)
            series[instance.uid, default: [:]][start] = copy
          }
        }
      }
    }
    instances = series.values.flatMap(\.values)
  }

  private func instance(_ event: [Property]) throws -> Instance {
    func only(_ name: String) throws -> Property {
      let found = event.filter { $0.name == name }
      guard found.count == 1 else { throw Failure("\(found.count) × \(name)") }
      return found[0]
    }
    func text(_ name: String) throws -> String {
      try event.contains { $0.name == name } ? Self.plain(only(name).value) : ""
    }
    let (start, end, stamp) = (try only("DTSTART"), try only("DTEND"), try only("DTSTAMP"))
    let status = try only("STATUS").value
    guard stamp.value.hasSuffix("Z"), let sequence = Int(try only("SEQUENCE").value), sequence >= 0,
      ["CONFIRMED", "CANCELLED"].contains(status)
    else { throw Failure("stamp, sequence or status") }
    _ = try second(stamp.value, stamp.parameters)
    let result = Instance(
      uid: try only("UID").value, sequence: sequence, start: try second(start.value, start.parameters),
      end: try second(end.value, end.parameters), summary: try text("SUMMARY"), location: try text("LOCATION"),
      description: try text("DESCRIPTION"), isCancelled: status == "CANCELLED")
    guard result.start < result.end, !result.uid.isEmpty else { throw Failure("ends before it begins") }
    return result
  }

  /// Day by day, so that nothing is shared with the writer's arithmetic.
  private func starts(_ event: [Property], first: Int) throws -> [Int] {
    guard let rule = event.first(where: { $0.name == "RRULE" }) else { return [first] }
    var parts: [String: String] = [:]
    for part in rule.value.split(separator: ";") {
      let pair = part.split(separator: "=").map(String.init)
      guard pair.count == 2, parts.updateValue(pair[1], forKey: pair[0]) == nil else { throw Failure(rule.value) }
    }
    guard Set(parts.keys) == ["FREQ", "INTERVAL", "UNTIL", "BYDAY"], parts["FREQ"] == "WEEKLY",
      let interval = Int(parts["INTERVAL"] ?? ""), interval > 0
    else { throw Failure(rule.value) }
    let until = try second(parts["UNTIL"] ?? "", "")
    var exceptions: Set<Int> = []
    for property in event where property.name == "EXDATE" {
      for value in property.value.split(separator: ",") {
        exceptions.insert(try second(String(value), property.parameters))
      }
    }
    var result: [Int] = []
    var day = Date(timeIntervalSince1970: TimeInterval(first))
    var offset = 0
    while day.timeIntervalSince1970 <= TimeInterval(until) {
      let second = Int(day.timeIntervalSince1970)
      let name = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"][calendar.component(.weekday, from: day) - 1]
      if offset / 7 % interval == 0, name == parts["BYDAY"], exceptions.remove(second) == nil {
        result.append(second)
      }
      guard let next = calendar.date(byAdding: .day, value: 1, to: day) else { throw Failure("no next day") }
      (day, offset) = (next, offset + 1)
    }
    guard exceptions.isEmpty, result.first == first || event.contains(where: { $0.name == "EXDATE" }) else {
      throw Failure("exceptions of nothing, or a first start that is none")
    }
    return result
  }
}
