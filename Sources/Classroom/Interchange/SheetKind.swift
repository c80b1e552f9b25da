/// What one file of an import holds.
public enum SheetKind: String, Hashable, Sendable, Codable, CaseIterable {
  case institutions
  case rooms
  case persons
  case classes
  case clusters
  case bells
  /// Terms with the rules of their calendars: one row for a term, one for each rule.
  case terms
  case courses
  /// Pupils and teachers of an institution in a school year.
  case rosterTotals
  /// Lessons that schools give by themselves, of a class, of a teacher or of many.
  case localLessons
  /// Spaces of the learning platform, and whose they are.
  case spaces

  /// A spreadsheet's letters of a column; 0 is A.
  package static func letter(ofColumn index: Int) -> String {
    var letters = ""
    var rest = index + 1
    while rest > 0 {
      let (more, letter) = (rest - 1).quotientAndRemainder(dividingBy: 26)
      letters = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(letter))) + letters
      rest = more
    }
    return letters
  }
}

/// What a column of a sheet means, whatever its header says.
public enum SheetField: String, Hashable, Sendable, Codable, CaseIterable {
  case number, code, name, kind, institution, parent, setting, region, validFrom, validUntil, successor
  case equipment, acceptedOn, downlink, uplink
  case staffNumber, issuer, account
  case typeCode, entryYears, grades, headCounts, homeRoom, consentRecord
  case leads, receivers
  case term, cluster, subject, textbook, leadClass, leadRoom, leadTeacher, rooms, classes, teachers, mode, label
  case times, weeks, audio, adoptedBy
  case from, through, weekdays
  case period1, period2, period3, period4, period5, period6, period7, period8, period9, period10
  case period11, period12, period13, period14, period15, period16, period17, period18, period19, period20
  case firstDay, weekCount, part, rule, followedWeekday, followedWeek, note
  case schoolYear, grade, pupils, teacherCount
  case homePage, spaceNumber
  case schoolClass, weekday, periods, firstPeriod, lastPeriod, start, end, teacher, place, origin

  /// The columns of a bell schedule's periods, in order.
  static let periodColumns: [SheetField] = (1...20).compactMap { SheetField(rawValue: "period\($0)") }
}

/// A column that a sheet may have.
public struct SheetColumn: Hashable, Sendable {
  public let field: SheetField
  /// What is written in Chinese and in English.
  public let chinese: String
  public let english: String
  /// What is read besides.
  public let aliases: [String]
  public let isRequired: Bool
  /// Whether it is part of what rows are found by.
  public let isKey: Bool

  init(
    _ field: SheetField, _ chinese: String, _ english: String, _ aliases: [String] = [], required: Bool = false,
    key: Bool = false
  ) {
    self.field = field
    self.chinese = chinese
    self.english = english
    self.aliases = aliases
    isRequired = required
    isKey = key
  }

  /// A header as it is compared: half-width, lower case, without blanks, stars and what stands in brackets.
  package static func form(_ header: String) -> String {
    var form = ""
    for character in CellText.plain(header).lowercased() {
      if character == "(" || character == "[" { break }
      if !" _-*\n\r\t".contains(character) { form.append(character) }
    }
    return form
  }

  /// Every header it is read by, as it is compared.
  package var forms: [String] { ([chinese, english, field.rawValue] + aliases).map(Self.form) }
}
