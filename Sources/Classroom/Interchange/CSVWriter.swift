/// One cell of a table for spreadsheets.
public enum CSVCell: Hashable, Sendable {
  /// Kept as it is read, whatever a spreadsheet would make of it.
  case text(String)
  case number(Int)
  /// Written with a point; blank when it is no finite number.
  case decimal(Double)
  case blank
}

/// A table that opens in a Chinese Excel by a double click and can be read back (RFC 4180).
///
/// UTF-8 with byte order mark, CRLF, quotes where needed. Excel takes every field for what it looks like, quoted or
/// not, so text is guarded in two ways, and `plain` undoes both:
/// - Text that Excel and WPS would turn into another number or a date is written as the formula `="0123"`,
///   which shows `0123`, is found by its value, and is saved again as `0123`. An apostrophe or a tab before the digits
///   would show, or spoil every comparison.
/// - Text that begins like a formula gets an apostrophe before it.
public struct CSVWriter: Sendable {
  /// Rows below the header that Excel opens.
  public static let rowLimit = 1_048_575
  /// UTF-16 units of a cell that Excel keeps; the rest is cut.
  public static let cellLimit = 32_767

  private var lines: [String]
  private let columns: Int
  /// Rows that came after the last one Excel opens.
  public private(set) var leftOut = 0

  public init(header: [String]) {
    columns = header.count
    lines = [Self.line(header.map(CSVCell.text))]
  }

  /// - Parameter row: as many cells as the header has (trap).
  public mutating func add(_ row: [CSVCell]) {
    precondition(row.count == columns, "a row has a cell for each column")
    guard lines.count <= Self.rowLimit else {
      leftOut += 1
      return
    }
    lines.append(Self.line(row))
  }

  /// The whole file.
  public var text: String { "\u{FEFF}" + lines.joined() }

  private static func line(_ row: [CSVCell]) -> String { row.map(field).joined(separator: ",") + "\r\n" }

  /// One field, quoted where it has to be.
  public static func field(_ cell: CSVCell) -> String {
    switch cell {
    case .blank: ""
    case .number(let number): "\(number)"
    case .decimal(let number): number.isFinite ? "\(number)" : ""
    case .text(let text): quoted(guarded(cleaned(text)))
    }
  }

  /// What `text` cells hold, of a field that was read back and unquoted.
  public static func plain(_ field: String) -> String {
    let scalars = field.unicodeScalars
    if scalars.starts(with: "=\"".unicodeScalars), scalars.last == "\"", scalars.count >= 3 {
      let inner = String(String.UnicodeScalarView(scalars.dropFirst(2).dropLast()))
      // Only what this writer makes: a formula of somebody else stays one.
      return inner.unicodeScalars.contains("\"") ? field : inner
    }
    let rest = scalars.drop { $0 == "'" }
    guard scalars.first == "'", beginsFormula(rest) else { return field }
    return String(String.UnicodeScalarView(scalars.dropFirst()))
  }

  /// Without control characters other than tab and line ends, and no longer than a cell.
  private static func cleaned(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var units = 0
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20, !"\t\r\n".unicodeScalars.contains(scalar) { continue }
      if (0x7F..<0xA0).contains(scalar.value) { continue }
      units += scalar.value > 0xFFFF ? 2 : 1
      // Two stay free for a guard.
      if units > cellLimit - 2 { break }
      result.append(scalar)
    }
    return String(result)
  }

  private static func guarded(_ text: String) -> String {
    if isMisread(text) { return "=\"\(text)\"" }
    let rest = text.unicodeScalars.drop { $0 == "'" }
    guard beginsFormula(rest), !isNumber(text.unicodeScalars[...]) else { return text }
    return "'" + text
  }

  /// Full-width signs too: a Chinese Excel takes them for the narrow ones.
  private static func beginsFormula(_ text: Substring.UnicodeScalarView) -> Bool {
    guard let first = text.first(where: { $0 != " " && $0 != "\u{3000}" }) else { return false }
    return "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(first)
  }

  /// A negative or plain decimal number, which is no formula.
  private static func isNumber(_ text: Substring.UnicodeScalarView) -> Bool {
    let digits = text.first == "-" ? text.dropFirst() : text
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

  /// Whether Excel would show another value: digits with zeros before them or 12 and more of them, `1E5`, `(3)`, and
  /// what reads as a day of some month, such as the weeks `1-16` or `Jan-16`.
  private static func isMisread(_ text: String) -> Bool {
    let scalars = text.unicodeScalars.drop { $0 == " " }
    guard scalars.count <= 64, !scalars.isEmpty, scalars.allSatisfy({ $0.isASCII && $0 != "\"" }) else { return false }
    if scalars.allSatisfy(isDigit) { return scalars.count >= 12 || (scalars.count > 1 && scalars.first == "0") }
    if scalars.first == "(", scalars.last == ")" {
      let inner = scalars.dropFirst().dropLast()
      return !inner.isEmpty && inner.allSatisfy(isDigit)
    }
    let power = scalars.split(omittingEmptySubsequences: false) { $0 == "E" || $0 == "e" }
    if power.count == 2, isNumber(power[0]), !power[1].isEmpty {
      let exponent = power[1].first == "+" || power[1].first == "-" ? power[1].dropFirst() : power[1]
      if !exponent.isEmpty, exponent.allSatisfy(isDigit) { return true }
    }
    let parts = scalars.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "/" }
    guard parts.count == 2, parts.allSatisfy({ (1...4).contains($0.count) }) else { return false }
    return parts.allSatisfy { $0.allSatisfy(isDigit) || isMonth($0) }
  }

  private static func isMonth(_ text: Substring.UnicodeScalarView) -> Bool {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    return months.contains(String(text).lowercased())
  }

  /// By scalars: a quote with an accent over it is a quote still.
  private static func quoted(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return text }
    var result = String.UnicodeScalarView("\"".unicodeScalars)
    for scalar in text.unicodeScalars {
      if scalar == "\"" { result.append(scalar) }
      result.append(scalar)
    }
    result.append("\"")
    return String(result)
  }
}
