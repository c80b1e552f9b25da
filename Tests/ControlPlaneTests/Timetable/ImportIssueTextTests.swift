// Goal: a teacher reads what is wrong with a file, where, and what to do. Method: a sample of every code and suggestion
// in both languages; whole sentences for what happens most; real sheets with mistakes in them.
import Classroom
import ControlPlane
import Testing

@Suite struct ImportIssueTextTests {
  /// Every argument that an issue may have.
  static let arguments = [
    "limit": "200", "choices": "甲、乙", "likely": "1-16", "least": "1", "most": "9", "digits": "10", "row": "7",
    "expected": "2", "found": "3", "other": "1", "candidates": "001、002", "sheet": "courses", "key": "K0137",
  ]

  static func sample(
    _ code: ImportIssue.Code, isFull: Bool, suggestion: ImportIssue.Suggestion? = nil
  ) -> ImportIssue {
    ImportIssue(
      code, sheet: .courses, row: 12, column: "周次", value: isFull ? "一月" : "", arguments: isFull ? arguments : [:],
      suggestion: suggestion)
  }

  /// Suggestions that always come with a code, so that it needs no advice of its own.
  static let alwaysSuggested: Set<ImportIssue.Code> = [
    .fileTooLarge, .isWorkbook, .badEncoding, .unknownEncoding, .tooManyRows, .unclosedQuote, .textAfterQuote,
    .duplicateColumn, .numberBecameScientific, .weeksBecameDate, .spanBecameDate, .dateBecameNumber, .ambiguousName,
  ]

  @Test(arguments: ImportIssue.Code.allCases)
  func everyCodeHasASentenceAndAdvice(_ code: ImportIssue.Code) {
    for language in Language.allCases {
      #expect(Text.has("import.\(code.rawValue)", in: language))
      #expect(Text.has("import.\(code.rawValue).do", in: language) != Self.alwaysSuggested.contains(code))
      for isFull in [true, false] {
        let text = ImportIssueText.text(of: Self.sample(code, isFull: isFull), in: language)
        #expect(!text.contains("{") && !text.contains("import.\(code.rawValue)"), "\(text)")
        #expect(text.hasPrefix(language == .chinese ? "第 12 行「周次」：" : "Row 12, “周次”: "))
        #expect(text.hasSuffix(language == .chinese ? "。" : "."))
        #expect(!text.contains("。。") && !(isFull && text.contains("  ")), "\(text)")
      }
    }
  }

  @Test(arguments: ImportIssue.Suggestion.allCases)
  func everySuggestionHasASentence(_ suggestion: ImportIssue.Suggestion) {
    for language in Language.allCases {
      for isFull in [true, false] {
        let issue = Self.sample(.badText, isFull: isFull, suggestion: suggestion)
        let advice = Text.of(
          "import.do.\(suggestion.rawValue)\(isFull || !Self.asks(suggestion, language) ? "" : ".plain")",
          in: language,
          Self.arguments)
        #expect(!advice.contains("{") && !advice.contains("import."), "\(advice)")
        #expect(ImportIssueText.text(of: issue, in: language).hasSuffix(advice))
      }
    }
  }

  private static func asks(_ suggestion: ImportIssue.Suggestion, _ language: Language) -> Bool {
    !Text.arguments(of: "import.do.\(suggestion.rawValue)", in: language).isEmpty
  }

  @Test func theSamplesKnowEveryArgumentThatATextAsksFor() {
    let known = Set(Self.arguments.keys).union(["value", "column"])
    for code in ImportIssue.Code.allCases {
      for suffix in ["", ".do", ".plain"] {
        let key = "import.\(code.rawValue)\(suffix)"
        #expect(Text.arguments(of: key, in: .chinese).isSubset(of: known), "\(key)")
      }
    }
  }

  @Test func everySheetHasAName() {
    for language in Language.allCases {
      let names = Set(SheetKind.allCases.map { ImportIssueText.name(of: $0, in: language) })
      #expect(names.count == SheetKind.allCases.count)
      #expect(!names.contains { $0.contains("import.") })
    }
  }

  @Test func whatSpreadsheetsSpoil() throws {
    func texts(_ csv: String, in language: Language, _ kind: SheetKind) throws -> [String] {
      let sheet = try ImportSheet([UInt8](csv.utf8), kind: kind)
      let refusal = #expect(throws: ImportRefusal.self) {
        try ImportPlan.make([sheet], onto: ImportBase(), options: ImportOptions()) { Identifier(high: 1, low: 1) }
      }
      return refusal.map { ImportIssueText.lines(of: $0, in: language) } ?? []
    }
    let rows = String(repeating: ",,,\n", count: 10)
    let local = "班级编号,课程名称,星期,周次\n" + rows + "B1,音乐,周一,1月16日\n"
    #expect(
      try texts(local, in: .chinese, .localLessons).contains("第 12 行「周次」：Excel 把 1-16 改成了日期“1月16日”。请把这一列设成“文本”后重新输入。"))
    #expect(
      try texts(local, in: .english, .localLessons).contains(
        "Row 12, “周次”: Excel has turned 1-16 into the date “1月16日”. Set this column to the format “Text”, then type it "
          + "again."))
    #expect(
      try texts("编号,名称,类型\nP01,石桥小学,学园\n", in: .chinese, .institutions) == ["第 2 行「类型」：不认识“学园”这种写法。可以填：学校、教学点。"])
    #expect(
      try texts("编号,名称,学校标识码\nP01,石桥小学,2.143E+09\n", in: .chinese, .institutions)
        == ["第 2 行「学校标识码」：Excel 把长数字改成了“2.143E+09”，后面的几位已经丢失。请把这一列设成“文本”后重新输入。"])
    let unknown = try texts("编号,名称,星座\nP01,石桥小学,\n", in: .chinese, .institutions)
    #expect(unknown.first?.hasPrefix("第 1 行「星座」：这种表没有“星座”这一列；可以用的列名有：编号、学校标识码、") == true)
    let none = #expect(throws: ImportIssue.self) { try ImportSheet([UInt8]("编号,名称,星座\n".utf8)) }
    #expect(
      none.map { ImportIssueText.text(of: $0, in: .chinese) }
        == "第 1 行：看不出这是哪一种表：表头是“编号,名称,星座”。请对照样表改正表头，或者在导入时指明是哪一种表。")
  }

  @Test func theSheetIsSaidWhereThereAreSeveral() {
    let first = ImportIssue(.missingValue, sheet: .rooms, row: 3, column: "教室编号", suggestion: .fillCell)
    let second = ImportIssue(.emptyFile, sheet: .courses)
    let one = ImportRefusal([first])
    #expect(ImportIssueText.lines(of: one, in: .chinese) == ["第 3 行「教室编号」：没有填写。请填写这一格。"])
    let two = ImportRefusal([first, second], more: 5)
    #expect(
      ImportIssueText.lines(of: two, in: .chinese) == [
        "教室表 第 3 行「教室编号」：没有填写。请填写这一格。", "课程表：文件是空的，连表头也没有。请检查选的是不是要导入的文件。",
        "还有 5 处错误没有列出；请先改正上面的，再检查一遍。",
      ])
    let used = ImportIssue(.stillReferenced, value: "P01", arguments: ["sheet": "courses", "key": "K0137"])
    #expect(
      ImportIssueText.text(of: used, in: .chinese)
        == "“P01”不能删除：课程表的“K0137”还在用它。请先改掉用到它的地方，或者把它留在表里。")
  }

  @Test func whatACellHoldsIsNeverTakenForMore() {
    let issue = ImportIssue(.badWeeks, row: 2, column: "{value}", value: "{column}\u{1B}[31m\n\u{202E}单")
    let text = ImportIssueText.text(of: issue, in: .chinese)
    #expect(text.hasPrefix("第 2 行「{value}」：看不懂周次“{column} [31m 单”。"))
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
  }
}
