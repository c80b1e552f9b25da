// Goal: what spreadsheets write is read as people see it, and hostile bytes are refused by name. Method: files written
// out byte by byte (GB18030 by Python's codec), forms of every program, limits, and seeded random bytes.
import Classroom
import Testing

@Suite struct ImportReadingTests {
  /// The characters of the file below alone, so that the reader is tested without the system's tables.
  static let rooms: [UInt8] = [
    0xD1, 0xA7, 0xD0, 0xA3, 0xB1, 0xE0, 0xBA, 0xC5, 0x2C, 0xBD, 0xCC, 0xCA, 0xD2, 0xB1, 0xE0, 0xBA, 0xC5,
    0x2C, 0xC3, 0xFB, 0xB3, 0xC6, 0x2C, 0xC9, 0xE8, 0xB1, 0xB8, 0x0D, 0x0A, 0x50, 0x30, 0x37, 0x2C, 0x50,
    0x30, 0x37, 0x2D, 0x31, 0x2C, 0xC2, 0xBC, 0xB2, 0xA5, 0xBD, 0xCC, 0xCA, 0xD2, 0x2C, 0x22, 0xC9, 0xE3,
    0xCF, 0xF1, 0xBB, 0xFA, 0xA1, 0xA2, 0xBB, 0xB0, 0xCD, 0xB2, 0xA3, 0xBB, 0xB4, 0xF3, 0xC6, 0xC1, 0x22,
    0x0D, 0x0A, 0x50, 0x30, 0x37, 0x2C, 0x50, 0x30, 0x37, 0x2D, 0x32, 0x2C, 0xD2, 0xF4, 0xC0, 0xD6, 0xBD,
    0xCC, 0xCA, 0xD2, 0xA3, 0xA8, 0xB6, 0xAB, 0xA3, 0xA9, 0x2C, 0x0D, 0x0A, 0x50, 0x30, 0x38, 0x2C, 0x3D,
    0x22, 0x30, 0x30, 0x31, 0x22, 0x2C, 0xB6, 0xE0, 0xB9, 0xA6, 0xC4, 0xDC, 0xCC, 0xFC, 0xA3, 0xAC, 0x95,
    0x34, 0xB2, 0x35, 0x2C, 0xCF, 0xD4, 0xCA, 0xBE, 0xC6, 0xF7, 0x0D, 0x0A, 0x2C, 0x2C, 0x2C, 0x0D, 0x0A,
  ]

  private func rows(_ text: String) throws -> [[String]] { try rows([UInt8](text.utf8)) }

  private func rows(_ bytes: [UInt8], decode: ([UInt8]) -> [UInt8]? = { _ in nil }) throws -> [[String]] {
    var reader = try CSVReader(bytes, decodeGB18030: decode)
    var rows: [[String]] = []
    while let row = try reader.next() { rows.append(row.cells) }
    return rows
  }

  private func refusal(_ bytes: [UInt8]) -> ImportIssue? {
    do {
      _ = try rows(bytes)
      return nil
    } catch { return error as? ImportIssue }
  }

  private func refusal(_ text: String) -> ImportIssue? { refusal([UInt8](text.utf8)) }

  @Test(arguments: ["\n", "\r", "\r\n"]) func rowsEndInAnyWay(end: String) throws {
    let text = ["编号,名称", "P01,\"中心, 小学\"", "P02,\"说\"\"好\"\"\"", "P03,"].joined(separator: end)
    let expected = [["编号", "名称"], ["P01", "中心, 小学"], ["P02", "说\"好\""], ["P03"]]
    #expect(try rows(text) == expected)
    #expect(try rows(text + end) == expected)
  }

  @Test(arguments: [",", ";", "\t"]) func theHeaderTellsTheSeparator(separator: String) throws {
    let text = "编号\(separator)\"a,b;c\td,,;;\"\(separator)c\nP01\(separator)x\(separator)y"
    #expect(try rows(text) == [["编号", "a,b;c\td,,;;", "c"], ["P01", "x", "y"]])
    let told = "sep=\(separator)\r\na\(separator)b,;\r\n"
    #expect(try CSVReader([UInt8](told.utf8)) { _ in nil }.separator == UInt8(separator.utf8.first ?? 0))
  }

  @Test func emptyCornersCostNothingAndRowsKeepTheirNumbers() throws {
    var reader = try CSVReader(
      [UInt8]("a,b,,,\n,,,\n\n\"x\ny\",,\n \u{3000} ,\nz\(String(repeating: ",", count: 500))\n".utf8)
    ) { _ in nil }
    var seen: [CSVRow] = []
    while let row = try reader.next() { seen.append(row) }
    #expect(seen.map(\.number) == [1, 4, 6])
    #expect(seen.map(\.cells) == [["a", "b"], ["x\ny"], ["z"]])
  }

  @Test func textCellsAndDefusedFormulasAreText() throws {
    #expect(
      try rows("a,b,c,d\n=\"001\",\"=\"\"002\"\"\",'=1+1,'abc\n") == [
        ["a", "b", "c", "d"], ["001", "002", "=1+1", "'abc"],
      ])
    #expect(try rows("a,b\n=\"x,y\",z") == [["a", "b"], ["x,y", "z"]])
  }

  @Test func marksTellTheEncoding() throws {
    let text = "编号,名称\r\nP01,𠮷\r\n"
    let marked: [UInt8] = [0xEF, 0xBB, 0xBF] + [UInt8](text.utf8)
    let pairs = text.utf16.map { (low: UInt8(truncatingIfNeeded: $0), high: UInt8(truncatingIfNeeded: $0 >> 8)) }
    let little: [UInt8] = [0xFF, 0xFE] + pairs.map { [$0.low, $0.high] }.joined()
    let big: [UInt8] = [0xFE, 0xFF] + pairs.map { [$0.high, $0.low] }.joined()
    let expected = [["编号", "名称"], ["P01", "𠮷"]]
    for (bytes, encoding) in [
      ([UInt8](text.utf8), CSVReader.Encoding.utf8), (marked, .utf8Marked), (little, .utf16), (big, .utf16),
    ] {
      #expect(try rows(bytes) == expected)
      #expect(try CSVReader(bytes) { _ in nil }.encoding == encoding)
    }
    let gb = try rows(Self.rooms) { bytes in
      #expect(bytes == Self.rooms)
      return [UInt8]("a,b\n编,号\n".utf8)
    }
    #expect(gb == [["a", "b"], ["编", "号"]])
  }

  @Test func unreadableFilesAreNamed() {
    #expect(refusal([0x50, 0x4B, 0x03, 0x04, 0x14])?.code == .isWorkbook)
    #expect(refusal([0xD0, 0xCF, 0x11, 0xE0, 0xA1])?.code == .isWorkbook)
    #expect(refusal([0xEF, 0xBB, 0xBF, 0xB1, 0xE0])?.code == .badEncoding)
    #expect(refusal([0xFF, 0xFE, 0x41])?.code == .badEncoding)
    #expect(refusal([0xFF, 0xFE, 0x00, 0xD8, 0x41, 0x00])?.code == .badEncoding)
    #expect(refusal([0xFE, 0xFF, 0xDC, 0x00])?.code == .badEncoding)
    #expect(refusal(Self.rooms)?.code == .unknownEncoding)
    #expect(refusal([UInt8](repeating: 0x2C, count: CSVReader.byteLimit + 1))?.code == .fileTooLarge)
  }

  @Test func formsThatCannotBeTrustedAreNamedByRowAndColumn() {
    let open = refusal("编号,名称\nP01,a\nP02,\"b\nP03,c\n")
    #expect(
      open
        == ImportIssue(
          .unclosedQuote, row: 3, column: "名称", value: "b\nP03,c", arguments: ["limit": "32767"],
          suggestion: .closeQuote))
    let behind = refusal("编号,名称\n\"P01\"x,a\n")
    #expect(behind?.code == .textAfterQuote && behind?.row == 2 && behind?.column == "编号")
    let long = refusal("a,b\nx," + String(repeating: "长", count: 11_000))
    #expect(long?.code == .cellTooLong && long?.row == 2 && long?.column == "b")
    #expect(refusal("a,b\nx,\"" + String(repeating: "x", count: 40_000))?.code == .cellTooLong)
    let wide = refusal("a,b\n" + String(repeating: ",", count: 64) + "x")
    #expect(wide?.code == .tooManyColumns && wide?.row == 2)
    #expect(refusal("a,b\n" + String(repeating: ",", count: 63) + "x") == nil)
    let many = refusal(String(repeating: "a\n\n", count: 200_002))
    #expect(many?.code == .tooManyRows && many?.row == 400_003)
    #expect(refusal(String(repeating: "a\n\n", count: 200_001)) == nil)
  }

  @Test func columnsOfSpreadsheetsHaveLetters() {
    #expect([0, 25, 26, 51, 52, 701, 702].map(SheetKind.letter) == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"])
  }

  /// Whatever the bytes, rows come out or an issue does; cells are within the limits.
  @Test func hostileBytesNeverTrap() throws {
    var generator = SeededGenerator(seed: 41)
    let pieces: [[UInt8]] = ["\"", "\"\"", ",", ";", "\t", "\r", "\n", "=\"", "编号", "sep=", "'=", "\u{FEFF}", "1月16日"]
      .map { [UInt8]($0.utf8) }
    var refused = 0
    var read = 0
    for _ in 0..<10_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        if Int.random(in: 0..<10, using: &generator) == 0 {
          bytes.append(UInt8.random(in: 0...255, using: &generator))
        } else {
          bytes += pieces.randomElement(using: &generator) ?? []
        }
      }
      do {
        let rows = try rows(bytes) { $0.map { $0 & 0x7F } }
        read += rows.count
        #expect(rows.allSatisfy { !$0.isEmpty && $0.count <= CSVReader.columnLimit && $0.last != "" })
      } catch is ImportIssue { refused += 1 }
    }
    #expect(refused > 500 && read > 1_000)
  }
}
