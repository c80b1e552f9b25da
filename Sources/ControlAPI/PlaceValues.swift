/// What a coordinator looks up and registers, by the segment of its path.
public enum PlaceKind: String, Sendable, CaseIterable {
  case institutions, rooms, classes, persons, clusters
}

/// A page of a list.
public struct Page<Row: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
  public var rows: [Row]
  /// `cursor` of the next page; nil for the last one.
  public var next: String?

  public init(rows: [Row], next: String? = nil) {
    self.rows = rows
    self.next = next
  }
}

/// A school or teaching point. Days are `2026-09-01`; others are named by their numbers.
public struct InstitutionReply: Codable, Hashable, Sendable {
  /// UUID, by which scopes of tokens name it.
  public var id: String
  public var number: String
  /// The ministry's, of ten digits.
  public var code: String?
  public var name: String
  /// `school` or `teachingPoint`.
  public var kind: String
  /// 中心小学
  public var parent: String?
  /// `urban`, `town` or `rural`.
  public var setting: String
  public var region: String
  public var validFrom: String?
  /// The first day on which it is no more.
  public var validUntil: String?
  /// Who took it over.
  public var successor: String?
  /// Whether it is there today.
  public var open: Bool

  public init(
    id: String, number: String, code: String?, name: String, kind: String, parent: String?, setting: String,
    region: String, validFrom: String?, validUntil: String?, successor: String?, open: Bool
  ) {
    self.id = id
    self.number = number
    self.code = code
    self.name = name
    self.kind = kind
    self.parent = parent
    self.setting = setting
    self.region = region
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.successor = successor
    self.open = open
  }
}

/// A room: a site of lessons.
public struct RoomReply: Codable, Hashable, Sendable {
  public var id: String
  public var number: String
  public var institution: String
  public var name: String
  public var equipment: String
  /// `2026-08-20`, the day of its acceptance; nil for one that is not accepted.
  public var acceptedOn: String?
  /// Kbit/s, as it was accepted with.
  public var downlink: Int?
  public var uplink: Int?
  /// `2026-08-20 10:10`, when it was last measured; nil for never.
  public var testedAt: String?

  public init(
    id: String, number: String, institution: String, name: String, equipment: String, acceptedOn: String?,
    downlink: Int?, uplink: Int?, testedAt: String?
  ) {
    self.id = id
    self.number = number
    self.institution = institution
    self.name = name
    self.equipment = equipment
    self.acceptedOn = acceptedOn
    self.downlink = downlink
    self.uplink = uplink
    self.testedAt = testedAt
  }
}

/// A class of pupils, known by head counts alone.
public struct ClassReply: Codable, Hashable, Sendable {
  public struct Cohort: Codable, Hashable, Sendable {
    public var entryYear: Int
    /// In the school year of today; nil before the first grade and after the twelfth.
    public var grade: Int?
    public var headCount: Int

    public init(entryYear: Int, grade: Int?, headCount: Int) {
      self.entryYear = entryYear
      self.grade = grade
      self.headCount = headCount
    }
  }

  public var id: String
  public var number: String
  public var institution: String
  public var name: String
  public var typeCode: String
  public var cohorts: [Cohort]
  /// Number of its room.
  public var homeRoom: String?
  public var consentRecord: String

  public init(
    id: String, number: String, institution: String, name: String, typeCode: String, cohorts: [Cohort],
    homeRoom: String?, consentRecord: String
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
}

/// A teacher or an administrator.
public struct PersonReply: Codable, Hashable, Sendable {
  public var id: String
  /// Nil for staff of a bureau.
  public var institution: String?
  public var staffNumber: String
  public var name: String
  /// Whether an account of a platform is known; whose it is stays in the ledger.
  public var hasAccount: Bool

  public init(id: String, institution: String?, staffNumber: String, name: String, hasAccount: Bool) {
    self.id = id
    self.institution = institution
    self.staffNumber = staffNumber
    self.name = name
    self.hasAccount = hasAccount
  }
}

/// Schools that teach each other.
public struct ClusterReply: Codable, Hashable, Sendable {
  public struct Member: Codable, Hashable, Sendable {
    /// Number of the institution.
    public var institution: String
    public var name: String
    public var leads: Bool
    /// Whether it is there today.
    public var open: Bool

    public init(institution: String, name: String, leads: Bool, open: Bool) {
      self.institution = institution
      self.name = name
      self.leads = leads
      self.open = open
    }
  }

  public var id: String
  public var number: String
  public var name: String
  public var members: [Member]

  public init(id: String, number: String, name: String, members: [Member]) {
    self.id = id
    self.number = number
    self.name = name
    self.members = members
  }
}

/// Which rows of a list are told; what is nil does not choose.
public struct PlaceQuery: Hashable, Sendable {
  /// Number of the school.
  public var institution: String?
  public var region: String?
  /// `school` or `teachingPoint`.
  public var kind: String?
  /// Number of the 中心小学.
  public var parent: String?
  /// Institutions that are there today, or that are not.
  public var open: Bool?
  /// Rooms that are accepted, or that are not.
  public var accepted: Bool?
  /// Part of a name or number.
  public var search: String?

  public init(
    institution: String? = nil, region: String? = nil, kind: String? = nil, parent: String? = nil, open: Bool? = nil,
    accepted: Bool? = nil, search: String? = nil
  ) {
    self.institution = institution
    self.region = region
    self.kind = kind
    self.parent = parent
    self.open = open
    self.accepted = accepted
    self.search = search
  }

  var items: [(name: String, value: String?)] {
    [
      ("institution", institution), ("region", region), ("kind", kind), ("parent", parent),
      ("open", open.map { $0 ? "1" : "0" }), ("accepted", accepted.map { $0 ? "1" : "0" }), ("search", search),
    ]
  }
}

/// One thing that is wrong with how schools belong together.
public struct PairingReply: Codable, Hashable, Sendable {
  /// Stable, such as `noPartner`.
  public var code: String
  /// Number of the school or teaching point.
  public var institution: String?
  /// Number of the cluster.
  public var cluster: String?
  /// In the language of the request.
  public var sentence: String
  /// What would put it right.
  public var remedy: String

  public init(code: String, institution: String?, cluster: String?, sentence: String, remedy: String) {
    self.code = code
    self.institution = institution
    self.cluster = cluster
    self.sentence = sentence
    self.remedy = remedy
  }
}
