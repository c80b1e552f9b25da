internal import Classroom
internal import GRDB

/// How a value of the domain is kept in its table.
protocol CatalogueRow {
  static var table: String { get }
  /// `id` first.
  static var columns: [String] { get }
  /// Rows the table may hold. Rows are never deleted, so the highest rowid counts them.
  static var limit: Int { get }
  var id: Identifier { get }
  func values() throws -> [DatabaseValue]
  /// Rows named inside JSON lists, which SQLite's foreign keys do not see.
  var references: [(table: String, id: Identifier)] { get }
  func check() throws(ClassroomError)
  init(row: Row) throws
}

extension CatalogueRow {
  var references: [(table: String, id: Identifier)] { [] }

  static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> [Self] {
    let sql = "SELECT \(columns.joined(separator: ", ")) FROM \(table) WHERE \(condition)"
    return try Row.fetchAll(db, sql: sql, arguments: arguments).map { try Self(row: $0) }
  }

  static func fetch(_ db: Database, id: Identifier) throws -> Self? {
    try fetch(db, where: "id = ?", [id.databaseValue]).first
  }

  func put(_ db: Database) throws {
    try check()
    for reference in references {
      let isKnown = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM \(reference.table) WHERE id = ?)",
        arguments: [reference.id.databaseValue])
      guard isKnown == true else { throw LedgerError.notFound }
    }
    let isKnown = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM \(Self.table) WHERE id = ?)", arguments: [id.databaseValue])
    if isKnown != true {
      let rows = try Int.fetchOne(db, sql: "SELECT MAX(rowid) FROM \(Self.table)") ?? 0
      guard rows < Self.limit else { throw LedgerError.full }
    }
    let places = Self.columns.map { _ in "?" }.joined(separator: ", ")
    let updates = Self.columns.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    try db.execute(
      sql: """
        INSERT INTO \(Self.table) (\(Self.columns.joined(separator: ", "))) VALUES (\(places))
        ON CONFLICT (id) DO UPDATE SET \(updates)
        """, arguments: StatementArguments(try values()))
  }
}

extension Optional where Wrapped == Identifier {
  var databaseValue: DatabaseValue { map(\.databaseValue) ?? .null }
}

extension Institution: CatalogueRow {
  static let table = "institutions"
  static let columns = [
    "id", "kind", "name", "code", "parent", "setting", "region", "validFrom", "validUntil", "successor",
  ]
  static let limit = 100_000
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, kind.rawValue.databaseValue, name.databaseValue, code?.databaseValue ?? .null,
      parent.databaseValue, setting.rawValue.databaseValue, region.databaseValue,
      validFrom?.databaseValue ?? .null, validUntil?.databaseValue ?? .null, successor.databaseValue,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), kind: try RowReading.choice(row, "kind"),
      name: try RowReading.value(row, "name"), code: try RowReading.optional(row, "code"),
      parent: try RowReading.optionalIdentifier(row, "parent"), setting: try RowReading.choice(row, "setting"),
      region: try RowReading.value(row, "region"), validFrom: try RowReading.optional(row, "validFrom"),
      validUntil: try RowReading.optional(row, "validUntil"),
      successor: try RowReading.optionalIdentifier(row, "successor"))
  }
}

extension Room: CatalogueRow {
  static let table = "rooms"
  static let columns = ["id", "institution", "number", "name", "equipment", "acceptedAt"]
  static let limit = 200_000
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, institution.databaseValue, number.databaseValue, name.databaseValue,
      equipment.databaseValue, acceptedAt?.databaseValue ?? .null,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), institution: try RowReading.identifier(row, "institution"),
      number: try RowReading.value(row, "number"), name: try RowReading.value(row, "name"),
      equipment: try RowReading.value(row, "equipment"), acceptedAt: try RowReading.optional(row, "acceptedAt"))
  }
}

extension SchoolClass: CatalogueRow {
  static let table = "classes"
  static let columns = ["id", "institution", "name", "typeCode", "cohorts", "homeRoom", "consentRecord"]
  static let limit = 500_000
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, institution.databaseValue, name.databaseValue, typeCode.databaseValue,
      try RowReading.text(cohorts), homeRoom.databaseValue, consentRecord.databaseValue,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), institution: try RowReading.identifier(row, "institution"),
      name: try RowReading.value(row, "name"), typeCode: try RowReading.value(row, "typeCode"),
      cohorts: try RowReading.list(row, "cohorts"), homeRoom: try RowReading.optionalIdentifier(row, "homeRoom"),
      consentRecord: try RowReading.value(row, "consentRecord"))
  }
}

extension Cluster: CatalogueRow {
  static let table = "clusters"
  static let columns = ["id", "name", "members"]
  static let limit = 10_000
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [id.databaseValue, name.databaseValue, try RowReading.text(members)]
  }
  var references: [(table: String, id: Identifier)] { members.map { ("institutions", $0.institution) } }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), name: try RowReading.value(row, "name"),
      members: try RowReading.list(row, "members"))
  }
}
