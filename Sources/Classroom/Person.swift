/// A teacher or an administrator; pupils are never persons.
///
/// The name is for people to read and stands in this one row: events, statements and logs carry the identifier alone.
public struct Person: Hashable, Sendable, Codable {
  public var id: Identifier
  /// Where the person works; nil for staff of a bureau.
  public var institution: Identifier?
  public var name: String
  /// 工号, unique within the institution; empty when unknown.
  public var staffNumber: String
  /// Who vouches for the account, and its name there (OpenID Connect `iss`, `sub`); unique together. Empty without one.
  public var issuer: String
  public var subject: String

  public init(
    id: Identifier, institution: Identifier?, name: String, staffNumber: String = "", issuer: String = "",
    subject: String = ""
  ) {
    self.id = id
    self.institution = institution
    self.name = name
    self.staffNumber = staffNumber
    self.issuer = issuer
    self.subject = subject
  }

  /// Throws what is wrong with the value by itself; `badCode` for one without a key: a name is none.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(name)
    try Limits.checkName(staffNumber, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(issuer, mayBeEmpty: true)
    try Limits.checkName(subject, mayBeEmpty: true)
    guard !staffNumber.isEmpty || !subject.isEmpty, issuer.isEmpty == subject.isEmpty else { throw .badCode }
  }
}

/// A weekly lesson that a school gives by itself, imported so that joint lessons can keep clear of it.
public struct LocalLesson: Hashable, Sendable, Codable {
  /// When on its weekday: a period of the school's bells, or times of its own.
  public enum Time: Hashable, Sendable, Codable {
    case period(Int)
    case clock(ClockTime, ClockTime)
  }

  public var institution: Identifier
  public var term: String
  public var schoolClass: Identifier
  /// The person who gives it, where known.
  public var teacher: Identifier?
  public var subject: String
  /// ISO weekday, 1…7.
  public var weekday: Int
  public var time: Time
  /// Weeks as the school counts them.
  public var weeks: WeekSet

  public init(
    institution: Identifier, term: String, schoolClass: Identifier, teacher: Identifier? = nil, subject: String,
    weekday: Int, time: Time, weeks: WeekSet = .all
  ) {
    self.institution = institution
    self.term = term
    self.schoolClass = schoolClass
    self.teacher = teacher
    self.subject = subject
    self.weekday = weekday
    self.time = time
    self.weeks = weeks
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(subject)
    try Limits.checkName(term, limit: Limits.codeScalars)
    guard (1...7).contains(weekday), !weeks.isEmpty else { throw .badRange }
    switch time {
    case .period(let number): guard (1...20).contains(number) else { throw .badRange }
    case .clock(let start, let end): guard start < end else { throw .badRange }
    }
  }
}
