import Classroom

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

  /// The rule under the last column's title at most: sentences and links are wider than a screen.
  private static let lastRule = 40

  /// Columns as wide as their widest cell, two spaces between, numbers to the right, no space at a line's end.
  public var text: String {
    let all = [columns.map(\.title)] + rows.map { $0.map(Self.plain) }
    let widths = columns.indices.map { column in all.map { TextWidth.of($0[column]) }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { TextWidth.padded($1, to: widths[$0], right: columns[$0].isNumber) }
      let text = padded.joined(separator: "  ")
      return String(text.prefix(text.count - text.reversed().prefix { $0 == " " }.count))
    }
    let ruled = widths.dropLast() + widths.suffix(1).map { min($0, Self.lastRule) }
    let rule = ruled.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    return ([line(all[0]), rule] + all.dropFirst().map(line)).joined(separator: "\n") + "\n"
  }

  /// RFC 4180 without a mark before it: CRLF, quotes where needed, text guarded as `CSVWriter` does, so that
  /// spreadsheets neither run nor change it.
  public var csv: String {
    let header = columns.map { CSVCell.text($0.title) }
    let cells = rows.map { row in
      zip(columns, row).map { column, cell in
        column.isNumber ? Int(cell).map(CSVCell.number) ?? .text(cell) : .text(cell)
      }
    }
    return ([header] + cells).map { $0.map(CSVWriter.field).joined(separator: ",") + "\r\n" }.joined()
  }

  /// A cell stays on its line whatever it holds.
  private static func plain(_ cell: String) -> String {
    String(String.UnicodeScalarView(cell.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }
}
