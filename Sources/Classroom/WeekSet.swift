/// Weeks of a term, 1…60, as a set: the whole of a term, single and double weeks, or any others.
public struct WeekSet: Hashable, Sendable {
  /// Weeks that can be named; a term has at most 30, and summer weeks may follow.
  public static let weeks = 1...60

  /// Bit n stands for week n; bits 0 and 61…63 are clear.
  public private(set) var bits: UInt64

  /// Every week that can be named.
  public static let all = WeekSet(weeks)
  public static let odd = WeekSet(weeks.filter { $0 % 2 == 1 })
  public static let even = WeekSet(weeks.filter { $0 % 2 == 0 })
  public static let none = WeekSet([])

  /// Weeks outside 1…60 are left out.
  public init(_ numbers: some Sequence<Int>) {
    bits = 0
    for week in numbers where Self.weeks.contains(week) { bits |= 1 << UInt64(week) }
  }

  public func contains(_ week: Int) -> Bool { Self.weeks.contains(week) && bits & (1 << UInt64(week)) != 0 }
  public var isEmpty: Bool { bits == 0 }
  public var count: Int { bits.nonzeroBitCount }
  public func intersection(_ other: WeekSet) -> WeekSet {
    var both = self
    both.bits &= other.bits
    return both
  }

  /// Ascending.
  public var numbers: [Int] { Self.weeks.filter(contains) }
}

extension WeekSet: CustomStringConvertible, LosslessStringConvertible {
  /// Such as `all`, `odd`, `1-16`, `1-15单`, `2-16双`, `1-4、7、9-12`: the form of the timetable programs schools use.
  /// `none` when it is empty.
  public var description: String {
    if self == .all { return "all" }
    if self == .odd { return "odd" }
    if self == .even { return "even" }
    var left = numbers[...]
    guard let first = left.first, let last = left.last else { return "none" }
    if left.count >= 3, left.elementsEqual(stride(from: first, through: last, by: 2)) {
      return "\(first)-\(last)\(first % 2 == 1 ? "单" : "双")"
    }
    var spans: [String] = []
    while let start = left.first {
      var end = start
      left = left.dropFirst()
      while let next = left.first, next == end + 1 {
        end = next
        left = left.dropFirst()
      }
      spans.append(start == end ? "\(start)" : "\(start)-\(end)")
    }
    return spans.joined(separator: "、")
  }

  /// Reads what `description` writes, and `全`, `单`, `双`, `每周`, `单周`, `双周`, commas of either width, and an empty text as
  /// every week; nil for anything else, for week 0, for weeks past 60, and for a part that names no week, such as `2单`.
  public init?(_ description: String) {
    // All weeks one by one are under 300 bytes.
    guard description.utf8.count <= 400 else { return nil }
    switch description {
    case "all", "全", "每周", "": self = .all
    case "odd", "单", "单周": self = .odd
    case "even", "双", "双周": self = .even
    case "none": self = .none
    default:
      var weeks: [Int] = []
      for part in description.split(omittingEmptySubsequences: false, whereSeparator: { "、,，".contains($0) }) {
        guard let span = Self.span(part) else { return nil }
        weeks += span
      }
      self.init(weeks)
    }
  }

  private static func span(_ part: Substring) -> [Int]? {
    var part = part
    var parity: Int?
    if part.hasSuffix("周") { part.removeLast() }
    if part.hasSuffix("单") { parity = 1 } else if part.hasSuffix("双") { parity = 0 }
    if parity != nil { part.removeLast() }
    if part.hasSuffix("周") { part.removeLast() }
    let ends = part.split(separator: "-", omittingEmptySubsequences: false)
    let isPlain = ends.allSatisfy {
      (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard (1...2).contains(ends.count), isPlain, let first = Int(ends[0]), let last = Int(ends[ends.count - 1]),
      weeks.contains(first), weeks.contains(last), first <= last
    else { return nil }
    let weeks = (first...last).filter { parity == nil || $0 % 2 == parity }
    return weeks.isEmpty ? nil : weeks
  }
}

extension WeekSet: Codable {
  public init(from decoder: any Decoder) throws { self = try TextForm.decode(decoder, "weeks such as 1-16 or odd") }
  public func encode(to encoder: any Encoder) throws { try TextForm.encode(self, encoder) }
}
