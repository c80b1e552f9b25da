/// A file of one kind: its header understood, its rows as text.
public struct ImportSheet: Sendable {
  public let kind: SheetKind
  public let encoding: CSVReader.Encoding
  /// The header as the file has it.
  public let header: [String]
  let rows: [CSVRow]
  /// Where each column lies.
  let places: [SheetField: Int]
  /// What is wrong with the header and with rows that are wider than it.
  let issues: [ImportIssue]

  /// Reads a file; `kind` nil lets its header say what it is. `decodeGB18030` as for `CSVReader`.
  ///
  /// Throws what makes the file unreadable as a whole; what is wrong with its header or its rows is told by the plan
  /// that is made of it, with all else. Cost: one pass, and memory for the text of its cells.
  public init(
    _ file: [UInt8], kind: SheetKind? = nil, decodeGB18030: ([UInt8]) -> [UInt8]?
  ) throws(ImportIssue) {
    do throws(ImportIssue) {
      var reader = try CSVReader(file, decodeGB18030: decodeGB18030)
      guard let first = try reader.next() else { throw ImportIssue(.emptyFile) }
      guard let kind = kind ?? SheetKind.recognise(first.cells) else {
        throw ImportIssue(.unknownColumn, row: first.number, value: first.cells.joined(separator: ","))
      }
      var rows: [CSVRow] = []
      while let row = try reader.next() { rows.append(row) }
      self.init(kind: kind, encoding: reader.encoding, header: first, rows: rows)
    } catch {
      var issue = error
      issue.sheet = kind
      throw issue
    }
  }

  private init(kind: SheetKind, encoding: CSVReader.Encoding, header: CSVRow, rows: [CSVRow]) {
    var issues: [ImportIssue] = []
    var fields: [String: SheetField] = [:]
    for column in kind.columns { for form in column.forms { fields[form] = column.field } }
    var places: [SheetField: Int] = [:]
    for (index, title) in header.cells.enumerated() where !title.isEmpty {
      let place = ImportIssue.cut(title)
      guard let field = fields[SheetColumn.form(title)] else {
        let known = kind.columns.map(\.chinese).joined(separator: "、")
        issues.append(
          ImportIssue(
            .unknownColumn, sheet: kind, row: header.number, column: place, value: title,
            arguments: ["choices": known], suggestion: .removeColumn))
        continue
      }
      guard places.updateValue(index, forKey: field) == nil else {
        issues.append(
          ImportIssue(
            .duplicateColumn, sheet: kind, row: header.number, column: place, value: title, suggestion: .removeColumn))
        continue
      }
    }
    for column in kind.columns where column.isRequired && places[column.field] == nil {
      issues.append(ImportIssue(.missingColumn, sheet: kind, row: header.number, column: column.chinese))
    }
    for row in rows {
      guard issues.count < IssueList.limit else { break }
      for (index, cell) in row.cells.enumerated() where !cell.isEmpty {
        guard index >= header.cells.count || header.cells[index].isEmpty else { continue }
        issues.append(
          ImportIssue(
            .extraCell, sheet: kind, row: row.number, column: SheetKind.letter(ofColumn: index), value: cell))
      }
    }
    self.kind = kind
    self.encoding = encoding
    self.header = header.cells
    self.rows = rows
    self.places = places
    self.issues = issues
  }
}

/// One row while it is read: hands out its cells by their meaning and gathers what is wrong with them.
struct SheetRow {
  let sheet: ImportSheet
  let row: CSVRow
  let issues: IssueList

  var number: Int { row.number }
  var kind: SheetKind { sheet.kind }

  /// Whether the file has the column.
  func has(_ field: SheetField) -> Bool { sheet.places[field] != nil }

  /// The text of a cell, empty where there is none.
  func text(_ field: SheetField) -> String {
    guard let place = sheet.places[field], place < row.cells.count else { return "" }
    return row.cells[place]
  }

  func isBlank(_ field: SheetField) -> Bool { text(field).isEmpty }

  /// The header as the file has it, or as it would be.
  func title(_ field: SheetField) -> String {
    if let place = sheet.places[field] { return ImportIssue.cut(sheet.header[place]) }
    return kind.columns.first { $0.field == field }?.chinese ?? field.rawValue
  }

  func issue(
    _ code: ImportIssue.Code, _ field: SheetField, value: String? = nil, arguments: [String: String] = [:],
    suggestion: ImportIssue.Suggestion? = nil
  ) {
    issues.add(
      ImportIssue(
        code, sheet: kind, row: number, column: title(field), value: value ?? text(field), arguments: arguments,
        suggestion: suggestion))
  }

  /// Reads a text of a cell; nil, and the problem noted, when it cannot be read.
  func read<Value>(
    _ field: SheetField, _ text: String, _ reader: (String) throws(CellProblem) -> Value
  ) -> Value? {
    do throws(CellProblem) { return try reader(text) } catch {
      issue(error.code, field, value: text, arguments: error.arguments, suggestion: error.suggestion)
      return nil
    }
  }

  /// Reads a cell that is not blank; nil when it is, or cannot be read.
  func value<Value>(_ field: SheetField, _ reader: (String) throws(CellProblem) -> Value) -> Value? {
    isBlank(field) ? nil : read(field, text(field), reader)
  }

  /// As `value`, a blank cell being an issue where the file has the column.
  func required<Value>(_ field: SheetField, _ reader: (String) throws(CellProblem) -> Value) -> Value? {
    if isBlank(field) {
      if has(field) { issue(.missingValue, field, suggestion: .fillCell) }
      return nil
    }
    return read(field, text(field), reader)
  }

  /// Puts a cell in its place: what the file has no column for stays, a blank cell means `blank`, or is an issue
  /// where that is nil.
  func update<Value>(
    _ target: inout Value, _ field: SheetField, blank: Value?, _ reader: (String) throws(CellProblem) -> Value
  ) {
    guard has(field) else { return }
    guard !isBlank(field) else {
      if let blank { target = blank } else { issue(.missingValue, field, suggestion: .fillCell) }
      return
    }
    if let value = read(field, text(field), reader) { target = value }
  }
}
