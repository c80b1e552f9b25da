/// How many columns of a terminal a text takes.
public enum DisplayWidth {
  /// Two for wide and full-width scalars (Unicode Standard Annex #11), none for those that join, one for the rest.
  public static func of(_ text: String) -> Int {
    text.reduce(0) { total, character in total + (character.unicodeScalars.first.map(width) ?? 0) }
  }

  static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x0300...0x036F, 0xFE00...0xFE0F: 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }

  static func pad(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - of(text)))
    return right ? space + text : text + space
  }
}

/// Rows for people (columns that line up, also with hanzi) and for programs (CSV).
public struct TextTable: Sendable {
  public struct Column: Sendable {
    public var title: String
    public var isNumber: Bool

    public init(_ title: String, isNumber: Bool = false) {
      self.title = title
      self.isNumber = isNumber
    }
  }

  public var columns: [Column]
  public var rows: [[String]] = []

  public init(_ columns: [Column]) { self.columns = columns }

  /// - Parameter row: as many cells as there are columns (trap).
  public mutating func add(_ row: [String]) {
    precondition(row.count == columns.count, "a row has a cell for each column")
    rows.append(row)
  }

  /// Columns as wide as their widest cell, two spaces between, numbers to the right, no space at a line's end.
  public var text: String {
    let all = [columns.map(\.title)] + rows.map { $0.map(Self.plain) }
    let widths = columns.indices.map { column in all.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { DisplayWidth.pad($1, to: widths[$0], right: columns[$0].isNumber) }
      let text = padded.joined(separator: "  ")
      return String(text.prefix(text.count - text.reversed().prefix { $0 == " " }.count))
    }
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    return ([line(all[0]), rule] + all.dropFirst().map(line)).joined(separator: "\n") + "\n"
  }

  /// RFC 4180: CRLF, quotes where needed. A cell that a spreadsheet would take for a formula gets an apostrophe.
  public var csv: String {
    ([columns.map(\.title)] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  /// A cell stays on its line whatever it holds.
  private static func plain(_ cell: String) -> String {
    String(String.UnicodeScalarView(cell.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }

  private static func quoted(_ cell: String) -> String {
    let isFormula = cell.first.map { "=+-@\t\r".contains($0) } ?? false
    let text = isFormula && Double(cell) == nil ? "'" + cell : cell
    guard text.contains(where: { "\",\r\n".contains($0) || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
