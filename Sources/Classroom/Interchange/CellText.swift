/// Reads what people write into cells: full-width and half-width, Chinese and English.
///
/// Every reader takes a cell that is not blank and throws a `CellProblem` for what it cannot read.
public enum CellText {
  /// Without blanks at both ends, the ideographic and the unbreakable among them.
  public static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, let last = scalars.last, isBlank(first) || isBlank(last) else { return text }
    guard let start = scalars.firstIndex(where: { !isBlank($0) }) else { return "" }
    var end = scalars.endIndex
    while end > start, isBlank(scalars[scalars.index(before: end)]) { end = scalars.index(before: end) }
    return String(scalars[start..<end])
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09, 0x0A, 0x0D, 0xA0, 0x3000, 0x200B, 0xFEFF: true
    default: false
    }
  }

  /// Trimmed, with full-width letters, digits and signs made half-width and the dashes one: for codes, numbers, times
  /// and lists, not for names.
  public static func plain(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return trimmed(text) }
    var plain = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0xFF01...0xFF5E: plain.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
      case 0x3000, 0xA0: plain.append(" ")
      case 0x2010...0x2015, 0x2212: plain.append("-")
      case 0x301C, 0x223C: plain.append("~")
      case 0x3010: plain.append("[")
      case 0x3011: plain.append("]")
      default: plain.append(scalar)
      }
    }
    return trimmed(String(plain))
  }

  /// The items of a list by `、`, `,`, `;` of either width or lines, each trimmed; empty ones stay, to keep places.
  /// Separators inside brackets do not count.
  public static func list(_ text: String) -> [String] {
    var items: [String] = []
    var item = String.UnicodeScalarView()
    var depth = 0
    for scalar in plain(text).unicodeScalars {
      if scalar == "(" { depth += 1 }
      if scalar == ")" { depth = max(0, depth - 1) }
      if depth == 0, scalar == "、" || scalar == "," || scalar == ";" || scalar == "\n" {
        items.append(trimmed(String(item)))
        item = String.UnicodeScalarView()
      } else {
        item.append(scalar)
      }
    }
    items.append(trimmed(String(item)))
    return items
  }

  /// A name: trimmed, else as it is. `badText` with a control character in it or of more than 200 scalars.
  public static func name(_ text: String) throws(CellProblem) -> String {
    do { try Limits.checkName(text, mayBeEmpty: true) } catch {
      throw CellProblem(.badText, arguments: ["limit": "\(Limits.nameScalars)"])
    }
    return text
  }

  /// A number or code that people refer by, half-width, up to 40 scalars; `numberBecameScientific` for `4.31E+09`.
  public static func code(_ text: String) throws(CellProblem) -> String {
    let plain = plain(text)
    guard !isScientific(plain) else { throw CellProblem(.numberBecameScientific, suggestion: .formatAsText) }
    do { try Limits.checkName(plain, limit: Limits.codeScalars) } catch {
      throw CellProblem(.badText, arguments: ["limit": "\(Limits.codeScalars)"])
    }
    return plain
  }

  /// The ministry's 10-digit code of a school.
  public static func schoolCode(_ text: String) throws(CellProblem) -> String? {
    let code = try code(text)
    guard code.utf8.count == 10, digits(code) != nil else { throw CellProblem(.badCode, arguments: ["digits": "10"]) }
    return code
  }

  /// Digits, a point, and an exponent, as spreadsheets show long numbers.
  static func isScientific(_ plain: String) -> Bool {
    let parts = plain.split(separator: "+", omittingEmptySubsequences: false)
    guard parts.count == 2, let mark = parts[0].last, mark == "E" || mark == "e",
      let exponent = digits(parts[1]), exponent > 0
    else { return false }
    let mantissa = parts[0].dropLast().split(separator: ".", omittingEmptySubsequences: false)
    return (1...2).contains(mantissa.count) && mantissa.allSatisfy { digits($0.prefix(9)) != nil }
  }

  /// Nine ASCII digits or fewer; nil for anything else. Ten are taken when they fit, as in codes of schools.
  static func digits(_ text: some StringProtocol) -> Int? {
    guard (1...10).contains(text.utf8.count) else { return nil }
    var value = 0
    for byte in text.utf8 {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    return value
  }

  private static let numerals: [Character: Int] = [
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
  ]

  /// Digits, or Chinese numerals up to 99.
  static func ordinal(_ text: some StringProtocol) -> Int? {
    if let value = digits(text) { return value }
    guard (1...3).contains(text.count) else { return nil }
    let parts = text.split(separator: "十", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ $0.count <= 1 }) else { return nil }
    func numeral(_ part: some StringProtocol) -> Int? { part.first.flatMap { numerals[$0] } }
    guard parts.count == 2 else { return numeral(parts[0]) }
    let (tens, units) = (parts[0].isEmpty ? 1 : numeral(parts[0]), parts[1].isEmpty ? 0 : numeral(parts[1]))
    guard let tens, let units else { return nil }
    return tens * 10 + units
  }

  /// A whole number, with `.0` and separators of thousands taken off; `badNumber` for another, `outOfRange` outside.
  public static func number(_ text: String, in range: ClosedRange<Int>) throws(CellProblem) -> Int {
    var plain = plain(text)
    guard !isScientific(plain) else { throw CellProblem(.numberBecameScientific, suggestion: .formatAsText) }
    if plain.hasSuffix(".0") { plain.removeLast(2) }
    let groups = plain.split(separator: ",", omittingEmptySubsequences: false)
    if groups.count > 1, groups.dropFirst().allSatisfy({ $0.utf8.count == 3 }) { plain = groups.joined() }
    guard let value = digits(plain) else { throw CellProblem(.badNumber) }
    guard range.contains(value) else {
      throw CellProblem(.outOfRange, arguments: ["least": "\(range.lowerBound)", "most": "\(range.upperBound)"])
    }
    return value
  }

  /// 是, 否 and what else people write for them.
  public static func boolean(_ text: String) throws(CellProblem) -> Bool {
    switch plain(text).lowercased() {
    case "是", "有", "对", "yes", "y", "true", "1", "√", "✓": return true
    case "否", "无", "不", "不是", "no", "n", "false", "0", "×", "x": return false
    default: throw CellProblem(.badBoolean, arguments: ["choices": "是、否"], suggestion: .chooseOne)
    }
  }

  /// One of a few words in Chinese or English; the first of each is what is written.
  struct Choice<Value: Sendable & Equatable>: Sendable {
    let words: [(value: Value, names: [String])]

    func read(_ text: String) throws(CellProblem) -> Value {
      let plain = CellText.plain(text).lowercased()
      guard let word = words.first(where: { $0.names.contains(plain) }) else {
        let names = words.compactMap(\.names.first).joined(separator: "、")
        throw CellProblem(.badChoice, arguments: ["choices": names], suggestion: .chooseOne)
      }
      return word.value
    }

    func text(_ value: Value) -> String { words.first { $0.value == value }?.names.first ?? "" }
  }
}
