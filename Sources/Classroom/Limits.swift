/// Why a value of the domain is refused.
public enum ClassroomError: Error, Hashable, Sendable {
  /// Empty where it must not be, too long, or with a control character in it.
  case badName
  /// A code with another form than its standard says.
  case badCode
  /// A teaching point without the school it belongs to.
  case missingParent
  /// An interval that ends before it begins, or a number outside its range.
  case badRange
  /// More entries than a list may have.
  case tooMany
  /// The same thing named twice in one list.
  case duplicate
}

/// The sizes that bound every value of the domain; storage and the HTTP surface rely on them.
public enum Limits {
  /// Unicode scalars of a name; at most 800 bytes in UTF-8.
  public static let nameScalars = 200
  /// Unicode scalars of a code, a room number or a term.
  public static let codeScalars = 40
  /// Institutions in one cluster: one lead and the points of the largest county seen, with room to spare.
  public static let clusterMembers = 256
  /// Receiving seats of one course or lesson.
  public static let seats = 512
  /// Cohorts of one class; a 复式班 teaches at most all grades of a primary school and its kindergarten.
  public static let cohorts = 12
  /// Pupils in one cohort of one class.
  public static let headCount = 200
  /// Weeks of one term.
  public static let termWeeks = 30
  /// Counties and schools with a calendar of their own in one term.
  public static let deviations = 4_096
  /// Rules of one calendar: more than a day each week.
  public static let calendarRules = 120
  /// Weekly times of one course.
  public static let weeklyTimes = 40
  /// Subjects of one table.
  public static let subjects = 200
  /// Other names of one subject, and subjects that it counts for.
  public static let subjectNames = 40
  /// Longest planned lesson, in milliseconds: a research day.
  public static let plannedMilliseconds: Int64 = 24 * 3_600_000
  /// The latest UTC millisecond accepted anywhere: the end of the year 9999.
  public static let latestTime: Int64 = 253_402_300_799_999

  /// Throws `badName` unless `text` has 1…`limit` scalars (0… when `mayBeEmpty`), none of them a control character.
  public static func checkName(
    _ text: String, limit: Int = nameScalars, mayBeEmpty: Bool = false
  ) throws(ClassroomError) {
    // Bytes first: counting the scalars of a hostile megabyte is not needed to refuse it.
    guard text.utf8.count <= limit * 4, mayBeEmpty || !text.isEmpty else { throw .badName }
    var count = 0
    for scalar in text.unicodeScalars {
      count += 1
      if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) { throw .badName }
    }
    guard count <= limit else { throw .badName }
  }

  /// Throws `badRange` unless `from` ≤ `until` and both are times this project accepts; nil is open-ended.
  static func checkInterval(_ from: Int64?, _ until: Int64?) throws(ClassroomError) {
    for time in [from, until] {
      if let time, !(0...latestTime).contains(time) { throw .badRange }
    }
    if let from, let until, until < from { throw .badRange }
  }
}
