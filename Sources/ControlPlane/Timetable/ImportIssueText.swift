public import Classroom

/// What people are told about a file that cannot be imported: where, what, and how to put it right.
public enum ImportIssueText {
  /// One line, such as `第 12 行「周次」：Excel 把 1-16 改成了日期“1月16日”。请把这一列设成“文本”后重新输入。`
  ///
  /// - Parameter namesSheet: whether the sheet is said too, for an import of several.
  public static func text(of issue: ImportIssue, in language: Language, namesSheet: Bool = false) -> String {
    var arguments = issue.arguments.mapValues { $0.onOneLine(limit: 2_000) }
    arguments["value"] = issue.value.onOneLine()
    arguments["column"] = issue.column.onOneLine()
    // Of what still refers to something that would be removed.
    if let sheet = arguments["sheet"].flatMap(SheetKind.init) { arguments["sheet"] = name(of: sheet, in: language) }
    let sentences = [
      text("import.\(issue.code.rawValue)", arguments, language), remedy(of: issue, arguments, language),
    ].compactMap { $0 }
    let sentence = sentences.joined(separator: language == .chinese ? "" : " ")
    let place = place(of: issue, in: language, namesSheet: namesSheet)
    if place.isEmpty { return sentence }
    return Text.of("import.line", in: language, ["place": place, "sentence": sentence])
  }

  /// A line for each issue, and one for those that were not kept.
  public static func lines(of refusal: ImportRefusal, in language: Language) -> [String] {
    let namesSheet = Set(refusal.issues.map(\.sheet)).count > 1
    var lines = refusal.issues.map { text(of: $0, in: language, namesSheet: namesSheet) }
    if refusal.more > 0 { lines.append(Text.of("import.more", in: language, ["count": "\(refusal.more)"])) }
    return lines
  }

  public static func name(of sheet: SheetKind, in language: Language) -> String {
    Text.of("import.sheet.\(sheet.rawValue)", in: language)
  }

  /// Empty for what is about no row, no column and, where it is said, no sheet.
  private static func place(of issue: ImportIssue, in language: Language, namesSheet: Bool) -> String {
    let sheet = namesSheet ? issue.sheet.map { name(of: $0, in: language) } : nil
    let key =
      switch (issue.row > 0, !issue.column.isEmpty) {
      case (true, true): "cell"
      case (true, false): "row"
      case (false, true): "column"
      case (false, false): ""
      }
    let arguments = ["row": "\(issue.row)", "column": issue.column.onOneLine()]
    let place = key.isEmpty ? nil : Text.of("import.place.\(key)", in: language, arguments)
    return [sheet, place].compactMap { $0 }.joined(separator: " ")
  }

  /// What the suggestion says, else what always helps; nil where nothing more is to be said.
  private static func remedy(
    of issue: ImportIssue, _ arguments: [String: String], _ language: Language
  ) -> String? {
    // A column that is missing has no cells to fill.
    if let suggestion = issue.suggestion, issue.code != .missingColumn {
      return text("import.do.\(suggestion.rawValue)", arguments, language)
    }
    let key = "import.\(issue.code.rawValue).do"
    return Text.has(key, in: language) ? text(key, arguments, language) : nil
  }

  /// The text of a key, or the one that asks for less, `key.plain`, where an argument is not known.
  private static func text(_ key: String, _ arguments: [String: String], _ language: Language) -> String {
    let missing = Text.arguments(of: key, in: language).filter { (arguments[$0] ?? "").isEmpty }
    if missing.isEmpty { return Text.of(key, in: language, arguments) }
    let plain = key + ".plain"
    if Text.has(plain, in: language) { return Text.of(plain, in: language, arguments) }
    let filled = missing.reduce(into: arguments) { filled, name in filled[name] = "" }
    return Text.of(key, in: language, filled)
  }
}
