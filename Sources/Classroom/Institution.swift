/// A school or a teaching point. Its name, code and parent are attributes of a time, never its identity.
public struct Institution: Hashable, Sendable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case school
    case teachingPoint
  }

  /// 城乡: where the institution lies, by the statistics bureau's three classes.
  public enum Setting: String, Sendable, Codable, CaseIterable {
    case urban
    case town
    case rural
  }

  public var id: Identifier
  /// The short number people use, such as `P07`; unique where it is given. A teaching point has no code of its own.
  public var number: String
  public var kind: Kind
  public var name: String
  /// The ministry's 10-digit school code, where the institution has one.
  public var code: String?
  /// 中心小学: the school that a teaching point belongs to; required for a teaching point.
  public var parent: Identifier?
  public var setting: Setting
  /// Name or code of the administrative region.
  public var region: String
  /// UTC milliseconds; nil is "always was".
  public var validFrom: Int64?
  /// UTC milliseconds; nil is "still is".
  public var validUntil: Int64?
  /// The institution that took this one over when it was merged.
  public var successor: Identifier?

  public init(
    id: Identifier, number: String = "", kind: Kind, name: String, code: String? = nil, parent: Identifier? = nil,
    setting: Setting = .rural, region: String = "", validFrom: Int64? = nil, validUntil: Int64? = nil,
    successor: Identifier? = nil
  ) {
    self.id = id
    self.number = number
    self.kind = kind
    self.name = name
    self.code = code
    self.parent = parent
    self.setting = setting
    self.region = region
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.successor = successor
  }

  /// Throws what is wrong with the value by itself; whether the rows it names exist is the ledger's to say.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(number, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(name)
    try Limits.checkName(region, mayBeEmpty: true)
    if let code {
      guard code.utf8.count == 10, code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .badCode }
    }
    if kind == .teachingPoint, parent == nil { throw .missingParent }
    if parent == id || successor == id { throw .duplicate }
    try Limits.checkInterval(validFrom, validUntil)
  }
}

/// A room with its equipment (a site); what it does in a lesson is said by courses and seats.
public struct Room: Hashable, Sendable, Codable {
  public var id: Identifier
  public var institution: Identifier
  /// The short number people use, such as `P07-2`.
  public var number: String
  public var name: String
  /// What stands in it, in words.
  public var equipment: String
  /// UTC milliseconds of the last acceptance (验收); nil before the first.
  public var acceptedAt: Int64?
  /// What the last acceptance measured of its line, in kbit/s; nil before the first.
  public var downlink: Int?
  public var uplink: Int?

  public init(
    id: Identifier, institution: Identifier, number: String, name: String, equipment: String = "",
    acceptedAt: Int64? = nil, downlink: Int? = nil, uplink: Int? = nil
  ) {
    self.id = id
    self.institution = institution
    self.number = number
    self.name = name
    self.equipment = equipment
    self.acceptedAt = acceptedAt
    self.downlink = downlink
    self.uplink = uplink
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(number, limit: Limits.codeScalars)
    try Limits.checkName(name)
    try Limits.checkName(equipment, mayBeEmpty: true)
    try Limits.checkInterval(acceptedAt, nil)
    for rate in [downlink, uplink] {
      if let rate, !(0...100_000_000).contains(rate) { throw .badRange }
    }
  }
}

/// A class of pupils, known by head counts alone.
public struct SchoolClass: Hashable, Sendable, Codable {
  /// The pupils of one entry year within a class; a 复式班 has several.
  public struct Cohort: Hashable, Sendable, Codable {
    /// The calendar year in which they entered the first grade.
    public var entryYear: Int
    public var headCount: Int
    public init(entryYear: Int, headCount: Int) {
      self.entryYear = entryYear
      self.headCount = headCount
    }

    /// The grade in a school year, 1…12, derived and never stored; nil before entry and after the twelfth.
    public func grade(inSchoolYearStarting year: Int) -> Int? {
      let (grade, overflow) = year.subtractingReportingOverflow(entryYear)
      guard !overflow, (0..<12).contains(grade) else { return nil }
      return grade + 1
    }
  }

  public var id: Identifier
  /// The short number people use, such as `P07-B23`; unique where it is given. Names change from year to year.
  public var number: String
  public var institution: Identifier
  public var name: String
  /// Type code of the class by JY/T 1001; empty when unknown.
  public var typeCode: String
  public var cohorts: [Cohort]
  public var homeRoom: Identifier?
  /// Where the guardians' consent for recording is filed; empty without one.
  public var consentRecord: String

  public init(
    id: Identifier, number: String = "", institution: Identifier, name: String, typeCode: String = "",
    cohorts: [Cohort] = [],
    homeRoom: Identifier? = nil, consentRecord: String = ""
  ) {
    self.id = id
    self.number = number
    self.institution = institution
    self.name = name
    self.typeCode = typeCode
    self.cohorts = cohorts
    self.homeRoom = homeRoom
    self.consentRecord = consentRecord
  }

  /// Pupils over all cohorts.
  public var headCount: Int { cohorts.reduce(0) { $0 &+ $1.headCount } }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(number, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(name)
    try Limits.checkName(typeCode, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(consentRecord, mayBeEmpty: true)
    guard cohorts.count <= Limits.cohorts else { throw .tooMany }
    for cohort in cohorts {
      guard (1950...2999).contains(cohort.entryYear), (0...Limits.headCount).contains(cohort.headCount) else {
        throw .badRange
      }
    }
    guard Set(cohorts.map(\.entryYear)).count == cohorts.count else { throw .duplicate }
  }
}
