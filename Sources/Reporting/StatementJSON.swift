internal import Classroom

/// JSON whose bytes are the same whenever the same value is written: members in the order given, no blanks.
indirect enum StatementJSON {
  case text(String)
  /// Digits as they are to stand.
  case number(String)
  case truth(Bool)
  case list([StatementJSON])
  case object([(String, StatementJSON)])

  var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(1_024)
    write(&out)
    return out
  }

  private func write(_ out: inout [UInt8]) {
    switch self {
    case .text(let text): Self.write(text, &out)
    case .number(let digits): out += digits.utf8
    case .truth(let value): out += (value ? "true" : "false").utf8
    case .list(let values):
      out.append(UInt8(ascii: "["))
      for (place, value) in values.enumerated() {
        if place > 0 { out.append(UInt8(ascii: ",")) }
        value.write(&out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (place, member) in members.enumerated() {
        if place > 0 { out.append(UInt8(ascii: ",")) }
        Self.write(member.0, &out)
        out.append(UInt8(ascii: ":"))
        member.1.write(&out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, _ out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        out += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}

/// Times and lengths in the one form that statements have.
enum StatementTime {
  /// `2026-11-28T06:30:57.123Z`; held at the ends of the calendar.
  static func text(_ milliseconds: Int64) -> String {
    let held = min(max(milliseconds, 0), Limits.latestTime)
    let (days, rest) = held.quotientAndRemainder(dividingBy: 86_400_000)
    let date: (year: Int, month: Int, day: Int) = CivilDate(day: Int(days))?.parts ?? (2999, 12, 31)
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
    let (second, millisecond) = (rest / 1_000 % 60, rest % 1_000)
    let day = [two(date.month), two(date.day)].joined(separator: "-")
    let time = [two(Int(hour)), two(Int(minute)), two(Int(second))].joined(separator: ":")
    let fraction = (millisecond < 100 ? "0" : "") + two(Int(millisecond))
    return "\(date.year)-\(day)T\(time).\(fraction)Z"
  }

  /// ISO 8601, `PT2400S` or `PT2399.35S`: hundredths are the finest that receivers compare.
  static func duration(_ milliseconds: Int64) -> String {
    let hundredths = max(0, milliseconds) / 10
    let (seconds, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    return rest == 0 ? "PT\(seconds)S" : "PT\(seconds).\(two(Int(rest)))S"
  }

  /// Seconds as a number with at most three decimals.
  static func seconds(_ milliseconds: Int64) -> String { decimals(max(0, milliseconds)) }

  /// A part of a whole, 0…1 with at most three decimals.
  static func share(_ part: Int64, of whole: Int64) -> String {
    guard whole > 0 else { return "0" }
    let held = min(max(0, part), whole)
    return decimals(Int64((Double(held) / Double(whole) * 1_000).rounded()))
  }

  private static func decimals(_ thousandths: Int64) -> String {
    let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1_000)
    if rest == 0 { return "\(whole)" }
    var digits = "\(rest < 100 ? "0" : "")\(two(Int(rest)))"
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(whole).\(digits)"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
