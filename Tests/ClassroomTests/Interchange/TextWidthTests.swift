// Goal: columns of hanzi, Latin and emoji line up in a terminal, and wrapped text loses nothing. Method: known widths,
// and random texts wrapped to random widths.
import Classroom
import Testing

@Suite struct TextWidthTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("同课 P07-2", 10), ("（全角）", 8), ("e\u{301}", 1), ("ﾊﾟ", 2), ("ｶ", 1), ("한국", 4),
    ("\u{1112}\u{1161}\u{11AB}", 2), ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧‍👦", 2), ("🇨🇳", 2), ("❤️", 2), ("☎", 1), ("⌚", 2), ("𠮷", 2),
    ("“”", 2),
    ("…—", 2), ("\u{200B}\u{FEFF}", 0), ("\u{1B}\u{7F}\u{9B}\n", 0), ("\r\n", 0), ("①", 1), ("㊀", 2), ("　", 2),
    ("\u{AD}", 1), ("\u{E000}", 1), ("\u{3099}", 0),
  ]) func widthsAreThoseOfTerminals(text: String, width: Int) {
    #expect(TextWidth.of(text) == width)
  }

  @Test func paddingFillsColumns() {
    #expect(TextWidth.padded("同课", to: 6) == "同课  ")
    #expect(TextWidth.padded("5", to: 3, right: true) == "  5")
    #expect(TextWidth.padded("同课", to: 3) == "同课")
    #expect(TextWidth.padded("", to: -1) == "")
  }

  @Test func linesBreakAtSpacesAndBetweenHanzi() {
    #expect(TextWidth.wrapped("道德与法治", to: 6) == ["道德与", "法治"])
    #expect(TextWidth.wrapped("道德与法治", to: 7) == ["道德与", "法治"])
    #expect(TextWidth.wrapped("a long title", to: 6) == ["a long", "title"])
    #expect(TextWidth.wrapped("unbreakable", to: 4) == ["unbr", "eaka", "ble"])
    #expect(TextWidth.wrapped("第1-2、5周", to: 6) == ["第", "1-2、5", "周"])
    #expect(TextWidth.wrapped("语文，数学", to: 4) == ["语", "文，", "数学"])
    #expect(TextWidth.wrapped("", to: 5) == [""])
    #expect(TextWidth.wrapped("   ", to: 5) == [""])
    #expect(TextWidth.wrapped("同", to: 1) == ["同"])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingIsLostAndNothingIsTooWide(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet: [Character] = ["a", "b", "-", " ", " ", "同", "课", "，", "👨‍👩‍👧‍👦", "e\u{301}", "1"]
    for _ in 0..<50 {
      let text = String(
        (0..<Int.random(in: 0...60, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      let width = Int.random(in: 2...30, using: &generator)
      let lines = TextWidth.wrapped(text, to: width)
      #expect(!lines.isEmpty)
      #expect(lines.allSatisfy { TextWidth.of($0) <= width }, "\(text) to \(width)")
      #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
      #expect(lines.allSatisfy { $0.last != " " && ($0.first != " ") })
    }
  }
}
