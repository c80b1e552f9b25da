/// One row of a file of separated values, its trailing empty cells left off.
public struct CSVRow: Hashable, Sendable {
  /// As a spreadsheet numbers it: 1 is the first, blank ones are counted, a cell of several lines is one row.
  public let number: Int
  public let cells: [String]
}

/// Reads separated values (RFC 4180, and what spreadsheets write) row by row.
///
/// The separator is a comma, a semicolon or a tab, whichever the first row has most of outside quotes, or what a line
/// `sep=;` before it says. Rows end in CR, LF or both. `="001"` is the text `001`. Blank rows are left out, and
/// trailing empty cells, so that a sheet's empty corner costs nothing. Throws the first thing that is wrong with the
/// form, since nothing behind it can be trusted. Cost: one pass over the bytes.
public struct CSVReader: Sendable {
  /// Bytes of a file.
  public static let byteLimit = 100_000_000
  /// Rows that are not blank, the header among them.
  public static let rowLimit = 200_001
  /// Cells of a row up to its last that is not empty.
  public static let columnLimit = 64
  /// Bytes of a cell in UTF-8, as many as a spreadsheet's cell has characters.
  public static let cellLimit = 32_767

  public let encoding: Encoding
  public let separator: UInt8
  /// UTF-8, checked, without a mark.
  private let bytes: [UInt8]
  private var place = 0
  private var number = 0
  private var taken = 0
  private var header: [String] = []

  private static let quote = UInt8(ascii: "\"")
  private static let equals = UInt8(ascii: "=")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// `decodeGB18030` makes UTF-8 of GB18030, nil when it is none; it is asked only for what is not UTF-8 or UTF-16.
  ///
  /// Throws `fileTooLarge`, `isWorkbook`, `badEncoding` (not what its mark says) or `unknownEncoding`.
  public init(_ file: [UInt8], decodeGB18030: ([UInt8]) -> [UInt8]?) throws(ImportIssue) {
    guard file.count <= Self.byteLimit else {
      throw ImportIssue(.fileTooLarge, arguments: ["limit": "100"], suggestion: .splitFile)
    }
    (bytes, encoding) = try Self.decode(file, decodeGB18030)
    (separator, place, number) = Self.separator(of: bytes)
  }

  /// The next row that is not blank; nil after the last.
  public mutating func next() throws(ImportIssue) -> CSVRow? {
    while place < bytes.count {
      number += 1
      let cells = try record()
      guard !cells.isEmpty else { continue }
      taken += 1
      guard taken <= Self.rowLimit else {
        throw ImportIssue(
          .tooManyRows, row: number, arguments: ["limit": "\(Self.rowLimit - 1)"], suggestion: .splitFile)
      }
      if taken == 1 { header = cells }
      return CSVRow(number: number, cells: cells)
    }
    return nil
  }

  /// The header over a cell, or the letter of its column.
  private func column(_ index: Int) -> String {
    if index < header.count, !header[index].isEmpty { return header[index] }
    return SheetKind.letter(ofColumn: index)
  }

  private mutating func record() throws(ImportIssue) -> [String] {
    var cells: [String] = []
    var index = 0
    while true {
      let cell = try cell(at: index)
      if !cell.isEmpty {
        guard index < Self.columnLimit else {
          throw ImportIssue(
            .tooManyColumns, row: number, value: cell, arguments: ["limit": "\(Self.columnLimit)"])
        }
        while cells.count < index { cells.append("") }
        cells.append(cell)
      }
      index += 1
      guard place < bytes.count else { return cells }
      let end = bytes[place]
      place += 1
      if end == separator { continue }
      if end == Self.carriageReturn, place < bytes.count, bytes[place] == Self.lineFeed { place += 1 }
      return cells
    }
  }

  private func ends(_ byte: UInt8) -> Bool {
    byte == separator || byte == Self.lineFeed || byte == Self.carriageReturn
  }

  /// Reads a cell and stops at what ends it; its blanks at both ends are left off.
  private mutating func cell(at index: Int) throws(ImportIssue) -> String {
    let next = place + 1
    if place < bytes.count, bytes[place] == Self.equals, next < bytes.count, bytes[next] == Self.quote {
      place = next
      return try quoted(at: index)
    }
    if place < bytes.count, bytes[place] == Self.quote { return try quoted(at: index) }
    let start = place
    while place < bytes.count, !ends(bytes[place]) { place += 1 }
    if place == start { return "" }
    guard place - start <= Self.cellLimit else {
      throw ImportIssue(
        .cellTooLong, row: number, column: column(index), arguments: ["limit": "\(Self.cellLimit)"])
    }
    return Self.text(bytes[start..<place])
  }

  private mutating func quoted(at index: Int) throws(ImportIssue) -> String {
    let start = place + 1
    var escaped: [UInt8] = []
    var run = start
    place = start
    while true {
      guard place < bytes.count, place - start <= Self.cellLimit else {
        let isOpen = place >= bytes.count || bytes[start..<place].contains(Self.lineFeed)
        throw ImportIssue(
          isOpen ? .unclosedQuote : .cellTooLong, row: number, column: column(index),
          value: Self.text(bytes[start..<min(start + 160, place)]), arguments: ["limit": "\(Self.cellLimit)"],
          suggestion: isOpen ? .closeQuote : nil)
      }
      guard bytes[place] == Self.quote else {
        place += 1
        continue
      }
      if place + 1 < bytes.count, bytes[place + 1] == Self.quote {
        escaped += bytes[run...place]
        place += 2
        run = place
        continue
      }
      escaped += bytes[run..<place]
      place += 1
      break
    }
    while place < bytes.count, bytes[place] == 0x20 { place += 1 }
    guard place >= bytes.count || ends(bytes[place]) else {
      throw ImportIssue(
        .textAfterQuote, row: number, column: column(index), value: Self.text(escaped[...]), suggestion: .closeQuote)
    }
    return Self.text(escaped[...])
  }

  /// A cell's text: blanks off, and what kept a spreadsheet from taking it for something else.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let text = CellText.trimmed(String(decoding: bytes, as: UTF8.self))
    guard let first = text.utf8.first, first == equals || first == UInt8(ascii: "'") else { return text }
    return CellText.trimmed(CSVWriter.plain(text))
  }

  /// The separator, where the first row starts, and the number of rows before it.
  private static func separator(of bytes: [UInt8]) -> (UInt8, Int, Int) {
    let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
    if bytes.count >= 5, bytes[..<4].elementsEqual("sep=".utf8), candidates.contains(bytes[4]) {
      var place = 5
      if place < bytes.count, bytes[place] == carriageReturn { place += 1 }
      if place < bytes.count, bytes[place] == lineFeed { place += 1 }
      if place > 5 || place == bytes.count { return (bytes[4], place, 1) }
    }
    var counts = [0, 0, 0]
    var isQuoted = false
    var hasText = false
    // A header is longer only in jest.
    for byte in bytes.prefix(1 << 16) {
      if byte == quote { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == lineFeed || byte == carriageReturn {
        if hasText { break }
        counts = [0, 0, 0]
      } else if let index = candidates.firstIndex(of: byte) {
        counts[index] += 1
      } else if byte != 0x20 {
        hasText = true
      }
    }
    guard let most = counts.max(), let index = counts.firstIndex(of: most) else { return (candidates[0], 0, 0) }
    return (candidates[index], 0, 0)
  }
}
