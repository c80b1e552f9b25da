/// One thing that is wrong with an imported file, told by a stable code and the values a sentence needs; the sentence
/// itself is made from the catalogue of texts.
public struct ImportIssue: Error, Hashable, Sendable, Codable {
  public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
    // The file as a whole.
    case fileTooLarge, isWorkbook, badEncoding, unknownEncoding, emptyFile
    case tooManyRows, tooManyColumns, cellTooLong, unclosedQuote, textAfterQuote
    // Its header.
    case unknownColumn, missingColumn, duplicateColumn, extraCell
    // One cell.
    case missingValue, badText, badNumber, outOfRange, badCode, badChoice, badBoolean
    case badDate, impossibleDate, badTime, badTimeSpan, badWeekday, badPeriod, badWeeks, badGrade, badWeeklyTime
    case badSchoolYear
    // One cell, as a spreadsheet has spoilt it.
    case numberBecameScientific, weeksBecameDate, spanBecameDate, dateBecameNumber
    // One row beside others.
    case missingKey, duplicateRow, keyConflict, unequalLists, disagreeingRows, overlappingPeriods, overlappingLessons
    case duplicateEntry, tooManyEntries
    // What a row refers to.
    case unknownReference, ambiguousName, cyclicReference, missingParent, unknownSubject
    // What would be removed.
    case stillReferenced, courseHasLessons
    // A file of another form.
    case badVersion, notYAML, badStructure
  }

  /// What would put it right.
  public enum Suggestion: String, Hashable, Sendable, Codable, CaseIterable {
    /// Give the column the format "text" and type the value again, as `likely` of the arguments says where it does.
    case formatAsText
    /// Save as "CSV UTF-8" or as plain CSV, not as a workbook.
    case saveAsCSV
    case splitFile
    case closeQuote
    case fillCell
    /// `choices` of the arguments are what may stand there.
    case chooseOne
    /// Year, month, day, such as 2026-09-01.
    case writeYearFirst
    case useNumber
    /// `candidates` of the arguments are those of the name.
    case useStaffNumber
    case removeRow
    case removeColumn
  }

  public var code: Code
  /// Which sheet of an import of several; nil for a file that is no sheet.
  public var sheet: SheetKind?
  /// As a spreadsheet shows it: 1 is the header. 0 for what is about no row.
  public var row: Int
  /// The header as the file has it, a spreadsheet's letter where there is none, a path in a file of another form.
  public var column: String
  /// As the file has it, cut to 40 characters.
  public var value: String
  /// What the sentence names besides, such as `row` for another row.
  public var arguments: [String: String]
  public var suggestion: Suggestion?

  public init(
    _ code: Code, sheet: SheetKind? = nil, row: Int = 0, column: String = "", value: String = "",
    arguments: [String: String] = [:], suggestion: Suggestion? = nil
  ) {
    self.code = code
    self.sheet = sheet
    self.row = row
    self.column = column
    self.value = Self.cut(value)
    self.arguments = arguments
    self.suggestion = suggestion
  }

  /// The first 40 characters, and no more than 400 bytes of a hostile one.
  static func cut(_ value: String) -> String {
    guard value.utf8.count > 40 else { return value }
    var cut = String.UnicodeScalarView()
    for scalar in value.unicodeScalars.prefix(100) { cut.append(scalar) }
    return String(String(cut).prefix(40))
  }
}

/// Why an import changes nothing: all that is wrong, by sheet and row.
public struct ImportRefusal: Error, Hashable, Sendable {
  /// At most 1,000, in the order of the sheets and their rows.
  public let issues: [ImportIssue]
  /// How many more there are.
  public let more: Int

  public init(_ issues: [ImportIssue], more: Int = 0) {
    self.issues = issues
    self.more = more
  }
}

/// What is wrong with the text of one cell; who knows the row and the column makes an issue of it.
public struct CellProblem: Error, Hashable, Sendable {
  public var code: ImportIssue.Code
  public var arguments: [String: String]
  public var suggestion: ImportIssue.Suggestion?

  public init(
    _ code: ImportIssue.Code, arguments: [String: String] = [:], suggestion: ImportIssue.Suggestion? = nil
  ) {
    self.code = code
    self.arguments = arguments
    self.suggestion = suggestion
  }
}

/// Gathers issues while one import is read; a class so that readers of rows share it.
final class IssueList {
  static let limit = 1_000
  private(set) var issues: [ImportIssue] = []
  private(set) var more = 0

  var count: Int { issues.count + more }

  func add(_ issue: ImportIssue) {
    if issues.count < Self.limit { issues.append(issue) } else { more += 1 }
  }

  /// Nil when nothing is wrong.
  var refusal: ImportRefusal? {
    guard !issues.isEmpty else { return nil }
    let order = Dictionary(uniqueKeysWithValues: SheetKind.allCases.enumerated().map { ($1, $0) })
    func place(_ found: (offset: Int, element: ImportIssue)) -> (Int, Int, Int) {
      (found.element.sheet.flatMap { order[$0] } ?? -1, found.element.row, found.offset)
    }
    let sorted = issues.enumerated().sorted { place($0) < place($1) }
    return ImportRefusal(sorted.map { $0.element }, more: more)
  }
}
