import Classroom
import ControlAPI
import Ledger

/// Numbers and names by which answers tell of rows, read once for each answer.
struct PlaceDirectory: Sendable {
  let institutions: [Identifier: Institution]
  let now: Int64
  let language: Language

  init(_ store: LedgerStore, now: Int64, language: Language) throws {
    institutions = Dictionary(try store.institutions(limit: 100_000).map { ($0.id, $0) }) { first, _ in first }
    self.now = now
    self.language = language
  }

  func number(_ id: Identifier?) -> String? {
    guard let value = id.flatMap({ institutions[$0] }) else { return nil }
    return value.number.isEmpty ? value.code ?? "" : value.number
  }

  private func day(_ instant: Int64?) -> String? { instant.map { "\(CivilTime.date(of: $0))" } }

  func reply(_ value: Institution) -> InstitutionReply {
    InstitutionReply(
      id: "\(value.id)", number: value.number, code: value.code, name: value.name, kind: value.kind.rawValue,
      parent: number(value.parent), setting: value.setting.rawValue, region: value.region,
      validFrom: day(value.validFrom), validUntil: day(value.validUntil), successor: number(value.successor),
      open: value.isOpen(at: now))
  }

  func reply(_ value: Room, testedAt: Int64?) -> RoomReply {
    RoomReply(
      id: "\(value.id)", number: value.number, institution: number(value.institution) ?? "", name: value.name,
      equipment: value.equipment, acceptedOn: day(value.acceptedAt), downlink: value.downlink, uplink: value.uplink,
      testedAt: testedAt.map(CivilText.text))
  }

  func reply(_ value: SchoolClass, homeRoom: String?) -> ClassReply {
    let today = CivilTime.date(of: now).parts
    let year = today.month >= 9 ? today.year : today.year - 1
    return ClassReply(
      id: "\(value.id)", number: value.number, institution: number(value.institution) ?? "", name: value.name,
      typeCode: value.typeCode,
      cohorts: value.cohorts.map {
        ClassReply.Cohort(
          entryYear: $0.entryYear, grade: $0.grade(inSchoolYearStarting: year), headCount: $0.headCount)
      }, homeRoom: homeRoom, consentRecord: value.consentRecord)
  }

  func reply(_ value: Person) -> PersonReply {
    PersonReply(
      id: "\(value.id)", institution: number(value.institution), staffNumber: value.staffNumber, name: value.name,
      hasAccount: !value.subject.isEmpty)
  }

  func reply(_ value: Cluster) -> ClusterReply {
    ClusterReply(
      id: "\(value.id)", number: value.number, name: value.name,
      members: value.members.map { member in
        let institution = institutions[member.institution]
        return ClusterReply.Member(
          institution: number(member.institution) ?? "", name: institution?.name ?? "", leads: member.leads,
          open: institution?.isOpen(at: now) ?? false)
      })
  }
}

/// A row that is looked up and changed by itself.
enum PlaceValue: Sendable {
  case institution(Institution)
  case room(Room)
  case schoolClass(SchoolClass)
  case person(Person)
  case cluster(Cluster)

  var id: Identifier { value.id }

  private var value: any CatalogueValue {
    switch self {
    case .institution(let value): value
    case .room(let value): value
    case .schoolClass(let value): value
    case .person(let value): value
    case .cluster(let value): value
    }
  }

  func version() throws -> String { try LedgerStore.version(of: value) }

  /// Columns of the ledger that differ from what they were in a version.
  func columns(changedSince version: String) throws -> [String] {
    try LedgerStore.columns(of: value, changedSince: version)
  }

  func write(_ changes: LedgerTransaction, ifVersion version: String?) throws {
    switch self {
    case .institution(let value): try changes.upsert(value, ifVersion: version)
    case .room(let value): try changes.upsert(value, ifVersion: version)
    case .schoolClass(let value): try changes.upsert(value, ifVersion: version)
    case .person(let value): try changes.upsert(value, ifVersion: version)
    case .cluster(let value): try changes.upsert(value, ifVersion: version)
    }
  }

  /// Where it lies, as the rules see it.
  func target(_ places: AccessPlaces) -> AccessTarget {
    switch self {
    // Its own region is the one that counts, whatever was read before.
    case .institution(let value): .place(AccessPlace(county: value.region, school: value.id))
    case .room(let value): .place(room(value, places))
    case .schoolClass(let value): .place(places.place(school: value.institution))
    case .person(let value): value.institution.map { .place(places.place(school: $0)) } ?? .city
    case .cluster(let value): places.target(cluster: value)
    }
  }

  private func room(_ value: Room, _ places: AccessPlaces) -> AccessPlace {
    var place = places.place(school: value.institution)
    place.room = value.id
    return place
  }

  /// Old and new for the audit trail.
  static func forms(from old: PlaceValue?, to new: PlaceValue) throws -> (old: String?, new: String?) {
    switch (old, new) {
    case (.institution(let old), .institution(let new)): try LedgerStore.auditForms(from: old, to: new)
    case (.room(let old), .room(let new)): try LedgerStore.auditForms(from: old, to: new)
    case (.schoolClass(let old), .schoolClass(let new)): try LedgerStore.auditForms(from: old, to: new)
    case (.person(let old), .person(let new)): try LedgerStore.auditForms(from: old, to: new)
    case (.cluster(let old), .cluster(let new)): try LedgerStore.auditForms(from: old, to: new)
    case (_, .institution(let new)): try LedgerStore.auditForms(from: nil, to: new)
    case (_, .room(let new)): try LedgerStore.auditForms(from: nil, to: new)
    case (_, .schoolClass(let new)): try LedgerStore.auditForms(from: nil, to: new)
    case (_, .person(let new)): try LedgerStore.auditForms(from: nil, to: new)
    case (_, .cluster(let new)): try LedgerStore.auditForms(from: nil, to: new)
    }
  }
}

extension PlaceKind {
  var sheet: SheetKind {
    switch self {
    case .institutions: .institutions
    case .rooms: .rooms
    case .classes: .classes
    case .persons: .persons
    case .clusters: .clusters
    }
  }

  var reading: AccessOperation {
    switch self {
    case .institutions: .readInstitutions
    case .rooms: .readRooms
    case .classes: .readClasses
    case .persons: .readPersons
    case .clusters: .readClusters
    }
  }

  var changing: AccessOperation {
    switch self {
    case .institutions: .changeInstitutions
    case .rooms: .changeRooms
    case .classes: .changeClasses
    case .persons: .changePersons
    case .clusters: .changeClusters
    }
  }
}
