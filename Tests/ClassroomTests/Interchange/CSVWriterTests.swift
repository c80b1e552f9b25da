// Goal: a table opens in a Chinese Excel as it was meant, harms nobody, and reads back the same. Method: known fields,
// and random hostile texts written, read by RFC 4180 and undone.
import Classroom
import Testing

@Suite struct CSVWriterTests {
  @Test func aFileHasMarkHeaderAndCarriageReturns() {
    var table = CSVWriter(header: ["编号", "名称"])
    table.add([.text("P07-2"), .blank])
    #expect(table.text == "\u{FEFF}编号,名称\r\nP07-2,\r\n")
    #expect(Array(table.text.utf8.prefix(3)) == [0xEF, 0xBB, 0xBF])
  }

  @Test(arguments: [
    ("0123", #""=""0123""""#), ("2143001234", "2143001234"), ("123456789012", #""=""123456789012""""#),
    ("0", "0"), ("1-16", #""=""1-16""""#), ("9/1", #""=""9/1""""#), ("Jan-16", #""=""Jan-16""""#),
    ("1E5", #""=""1E5""""#), ("(3)", #""=""(3)""""#), ("2026-09-01", "2026-09-01"), ("1-15单", "1-15单"),
    ("P07-2", "P07-2"), ("三年级", "三年级"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\""),
    ("\"\u{301},", "\"\"\"\u{301},\""), ("a\u{0}b\u{1B}", "ab"),
  ]) func textIsKeptAsItReads(text: String, field: String) {
    #expect(CSVWriter.field(.text(text)) == field)
  }

  @Test func formulasAreDefusedAndNumbersAreNot() {
    for text in [
      "=1+1", "+86 138", "-cmd|' /C calc'!A0", "@SUM(A1)", "＝1", "＋1", "－1", "＠x", " =1", "\t=1", "\r=1", "'=1",
    ] {
      let field = CSVWriter.field(.text(text))
      #expect(field.hasPrefix("'") || field.hasPrefix("\"'"), "\(text)")
    }
    #expect(CSVWriter.field(.number(-5)) == "-5")
    #expect(CSVWriter.field(.number(.min)) == "-9223372036854775808")
    #expect(CSVWriter.field(.decimal(-0.25)) == "-0.25")
    #expect(CSVWriter.field(.decimal(.nan)) == "")
    #expect(CSVWriter.field(.decimal(-.infinity)) == "")
    #expect(CSVWriter.field(.text("-5")) == "-5")
    #expect(CSVWriter.field(.text("-5.5")) == "-5.5")
    #expect(CSVWriter.field(.text("-")) == "'-")
  }

  /// Fields of one file by RFC 4180, the mark taken off.
  private static func read(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field = String.UnicodeScalarView()
    var isQuoted = false
    var wasQuote = false
    for scalar in text.unicodeScalars.dropFirst() {
      if isQuoted, scalar != "\"" {
        field.append(scalar)
      } else if scalar == "\"" {
        if wasQuote, !isQuoted { field.append("\"") }
        isQuoted.toggle()
      } else if scalar == "," || scalar == "\n" {
        row.append(String(field))
        field = .init()
        if scalar == "\n" { (rows, row) = (rows + [row], []) }
      } else if scalar != "\r" {
        field.append(scalar)
      }
      wasQuote = scalar == "\"" && !isQuoted
    }
    return rows
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func whatIsWrittenReadsBack(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet: [String] = [
      "0", "1", "9", "-", "/", "=", "+", "@", "'", "\"", ",", "\n", " ", "(", ")", "E", "同", "\u{301}", "＝",
    ]
    var table = CSVWriter(header: ["a", "b"])
    var texts: [[String]] = [["a", "b"]]
    for _ in 0..<100 {
      let row = (0..<2).map { _ in
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        }.joined()
      }
      // What looks like a guard already cannot be told from one.
      if row.contains(where: { $0.unicodeScalars.starts(with: "=\"".unicodeScalars) }) { continue }
      texts.append(row)
      table.add(row.map(CSVCell.text))
    }
    let read = Self.read(table.text)
    #expect(texts.count > 50)
    #expect(
      read.map { $0.map { Array(CSVWriter.plain($0).unicodeScalars) } }
        == texts.map { $0.map { Array($0.unicodeScalars) } })
  }

  @Test func hugeCellsAreCut() {
    let field = CSVWriter.field(.text(String(repeating: "👍", count: 100_000)))
    #expect(field.utf16.count <= CSVWriter.cellLimit)
    #expect(field.utf16.count > CSVWriter.cellLimit - 4)
    #expect(CSVWriter.field(.text("=" + String(repeating: "\"", count: 200))).count == 2 + 1 + 1 + 400)
  }
}
