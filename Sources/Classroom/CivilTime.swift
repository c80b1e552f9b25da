/// A date of the calendar people use, without a zone.
///
/// Held as days since 1970-01-01; 1900-01-01…2999-12-31, so that no arithmetic of a term can leave the range of `Int`.
public struct CivilDate: Hashable, Comparable, Sendable {
  /// Days since 1970-01-01, negative before it.
  public let day: Int

  /// Dates that are taken: 1900-01-01…2999-12-31.
  static let days = -25_567...376_199

  /// Nil outside 1900…2999.
  public init?(day: Int) {
    guard Self.days.contains(day) else { return nil }
    self.day = day
  }

  fileprivate init(held day: Int) {
    self.day = min(max(day, Self.days.lowerBound), Self.days.upperBound)
  }

  /// Nil for a date the calendar does not have, and outside 1900…2999.
  public init?(year: Int, month: Int, day: Int) {
    guard (1900...2999).contains(year), (1...12).contains(month), day >= 1, day <= Self.length(year, month) else {
      return nil
    }
    // Years that begin in March: the leap day is the last of one.
    let shifted = month <= 2 ? year - 1 : year
    let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    self.day = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + ofYear - 719_468
  }

  /// Reads `2026-09-01`; nil for anything else, other forms being the importer's to put right.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 10 else { return nil }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  private static func length(_ year: Int, _ month: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Year, month 1…12 and day of the month.
  public var parts: (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * ofYear + 2) / 153
    return (
      yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
      ofYear - (153 * month + 2) / 5 + 1
    )
  }

  /// ISO 8601: 1 is Monday, 7 Sunday.
  public var weekday: Int { (day + 25_567) % 7 + 1 }

  /// The Monday of its week.
  public var monday: CivilDate { self - (weekday - 1) }

  /// The calendar year in which its school year began. August counts to the coming one, as first weeks reach into it
  /// (the Monday of 2026-09-01 is 2026-08-31) and no term of the year before lasts so long.
  public var schoolYear: Int {
    let (year, month, _) = parts
    return month >= 8 ? year : year - 1
  }

  public static func < (first: Self, second: Self) -> Bool { first.day < second.day }

  /// Moved by days; held at the ends of the range.
  public static func + (date: Self, days: Int) -> Self {
    let (day, overflow) = date.day.addingReportingOverflow(days)
    return CivilDate(held: overflow ? (days < 0 ? .min : .max) : day)
  }
  public static func - (date: Self, days: Int) -> Self { date + (days == .min ? .max : -days) }
  /// Days from the second to the first.
  public static func - (first: Self, second: Self) -> Int { first.day - second.day }
}

/// A time of the day to the minute, 00:00…24:00; the last is an end only.
public struct ClockTime: Hashable, Comparable, Sendable {
  /// Minutes since midnight, 0…1440.
  public let minute: Int

  /// Nil outside 0…1440.
  public init?(minute: Int) {
    guard (0...1_440).contains(minute) else { return nil }
    self.minute = minute
  }

  /// Nil for an hour or minute that no clock shows.
  public init?(hour: Int, minute: Int) {
    guard (0...24).contains(hour), (0...59).contains(minute) else { return nil }
    self.init(minute: hour * 60 + minute)
  }

  /// Reads `08:00`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 5 else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2,
      parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let hour = Int(parts[0]), let minute = Int(parts[1])
    else { return nil }
    self.init(hour: hour, minute: minute)
  }

  /// What lies before it is the morning.
  public static let noon = ClockTime(held: 720)

  private init(held minute: Int) { self.minute = min(max(minute, 0), 1_440) }

  public static func < (first: Self, second: Self) -> Bool { first.minute < second.minute }
  /// Moved by minutes; held inside the day.
  public static func + (time: Self, minutes: Int) -> Self {
    ClockTime(held: time.minute + min(max(minutes, -1_440), 1_440))
  }
  /// Minutes from the second to the first.
  public static func - (first: Self, second: Self) -> Int { first.minute - second.minute }
}

/// Civil time in China, whatever zone the machine is set to: eight hours before UTC, without summer time since 1991.
public enum CivilTime {
  static let offset: Int64 = 8 * 3_600_000
  static let dayLength: Int64 = 86_400_000

  /// UTC milliseconds of a time on a date.
  public static func instant(_ date: CivilDate, _ time: ClockTime) -> Int64 {
    Int64(date.day) * dayLength + Int64(time.minute) * 60_000 - offset
  }

  /// The date of an instant; held at the ends of the range.
  public static func date(of milliseconds: Int64) -> CivilDate {
    // Whole days first: the offset could overflow at the ends of `Int64`, a remainder cannot.
    let (days, ofDay) = milliseconds.quotientAndRemainder(dividingBy: dayLength)
    return CivilDate(held: Int(days) + Int((ofDay + offset + dayLength) / dayLength) - 1)
  }

  /// The time of day of an instant, its seconds cut off.
  public static func time(of milliseconds: Int64) -> ClockTime {
    let ofDay = (milliseconds % dayLength + offset + dayLength) % dayLength
    guard let time = ClockTime(minute: Int(ofDay / 60_000)) else { preconditionFailure("a day has 1,440 minutes") }
    return time
  }
}

extension CivilDate: CustomStringConvertible, LosslessStringConvertible {
  /// `2026-09-01`
  public var description: String {
    let (year, month, day) = parts
    return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
  }
  public init?(_ description: String) { self.init(description[...]) }
}

extension ClockTime: CustomStringConvertible, LosslessStringConvertible {
  /// `08:00`
  public var description: String {
    let (hour, minute) = minute.quotientAndRemainder(dividingBy: 60)
    return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
  }
  public init?(_ description: String) { self.init(description[...]) }
}

extension CivilDate: Codable {
  public init(from decoder: any Decoder) throws { self = try TextForm.decode(decoder, "a date such as 2026-09-01") }
  public func encode(to encoder: any Encoder) throws { try TextForm.encode(self, encoder) }
}

extension ClockTime: Codable {
  public init(from decoder: any Decoder) throws { self = try TextForm.decode(decoder, "a time such as 08:00") }
  public func encode(to encoder: any Encoder) throws { try TextForm.encode(self, encoder) }
}

/// Values that are written as their text.
enum TextForm {
  static func decode<Value: LosslessStringConvertible>(_ decoder: any Decoder, _ form: String) throws -> Value {
    let container = try decoder.singleValueContainer()
    guard let value = Value(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not \(form)")
    }
    return value
  }

  static func encode(_ value: some CustomStringConvertible, _ encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value.description)
  }
}
