internal import Classroom
internal import GRDB

/// How a value of the domain is kept in its table.
protocol CatalogueRow: CatalogueValue {
  static var form: RowForm { get }
  /// In the order of the form's columns.
  func values() throws -> [DatabaseValue]
  /// Rows named inside JSON lists, which SQLite's foreign keys do not see.
  var references: [LedgerRow] { get }
  var keys: [RowKey] { get }
  func check() throws(ClassroomError)
  /// Takes the columns in the order of the form.
  init(_ columns: inout ColumnReader) throws
}

extension CatalogueRow {
  var references: [LedgerRow] { [] }
  var keys: [RowKey] { [] }

  static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> [Self] {
    let rows = try Row.fetchCursor(db.cachedStatement(sql: form.select + condition), arguments: arguments)
    var values: [Self] = []
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      values.append(try Self(&columns))
    }
    return values
  }

  static func fetch(_ db: Database, id: Identifier) throws -> Self? {
    try fetch(db, where: "id = ?", [id.databaseValue]).first
  }

  static func isKnown(_ db: Database, _ id: Identifier) throws -> Bool {
    try Bool.fetchOne(db.cachedStatement(sql: form.exists), arguments: [id.databaseValue]) == true
  }

  /// Makes the row or changes it, after everything that can be wrong with it.
  func put(_ db: Database) throws {
    try check()
    for reference in references {
      let known = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM \(reference.table) WHERE id = ?)")
      guard try Bool.fetchOne(known, arguments: [reference.id.databaseValue]) == true else {
        throw LedgerError.notFound
      }
    }
    try checkKeys(db)
    if try !Self.isKnown(db, id) { try Self.checkRoom(db) }
    try db.cachedStatement(sql: Self.form.save).execute(arguments: StatementArguments(try values()))
  }

  /// Rows are seldom removed: the highest rowid counts them nearly always, and never too few.
  private static func checkRoom(_ db: Database) throws {
    if try Int.fetchOne(db.cachedStatement(sql: form.highest)) ?? 0 < form.limit { return }
    guard try Int.fetchOne(db.cachedStatement(sql: form.count)) ?? 0 < form.limit else { throw LedgerError.full }
  }

  /// A row may keep a key that another has too: the first ledgers let rooms of one school share a number.
  private func checkKeys(_ db: Database) throws {
    for key in keys {
      let taken = try db.cachedStatement(
        sql: "SELECT id FROM \(Self.form.table) WHERE \(key.condition) AND id <> ? LIMIT 1")
      let arguments = StatementArguments(key.arguments + [id.databaseValue])
      guard let row = try Row.fetchOne(taken, arguments: arguments) else { continue }
      if let old = try Self.fetch(db, id: id), old.keys.contains(key) { continue }
      var columns = ColumnReader(row)
      throw LedgerError.taken(key: key.name, value: key.text, by: LedgerRow(Self.form.table, try columns.identifier()))
    }
  }
}

extension Optional where Wrapped == Identifier {
  var databaseValue: DatabaseValue { map(\.databaseValue) ?? .null }
}

extension Institution: CatalogueRow {
  static let form = RowForm(
    .institutions, limit: 100_000,
    [
      "id", "number", "kind", "name", "code", "parent", "setting", "region", "validFrom", "validUntil", "successor",
    ])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, number.databaseValue, kind.rawValue.databaseValue, name.databaseValue,
      code?.databaseValue ?? .null, parent.databaseValue, setting.rawValue.databaseValue, region.databaseValue,
      validFrom?.databaseValue ?? .null, validUntil?.databaseValue ?? .null, successor.databaseValue,
    ]
  }
  var keys: [RowKey] { RowKey.number(number) }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), number: try columns.text(), kind: try columns.choice(), name: try columns.text(),
      code: try columns.optionalText(), parent: try columns.optionalIdentifier(), setting: try columns.choice(),
      region: try columns.text(), validFrom: try columns.optionalInteger(), validUntil: try columns.optionalInteger(),
      successor: try columns.optionalIdentifier())
  }
}

extension RowKey {
  /// A number that is unique in its whole table, where it is given.
  static func number(_ number: String) -> [RowKey] {
    number.isEmpty ? [] : [RowKey("number", number, "number = ? AND number <> ''", [number.databaseValue])]
  }
}

extension Room: CatalogueRow {
  static let form = RowForm(
    .rooms, limit: 200_000,
    ["id", "institution", "number", "name", "equipment", "acceptedAt", "downlink", "uplink"])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, institution.databaseValue, number.databaseValue, name.databaseValue,
      equipment.databaseValue, acceptedAt?.databaseValue ?? .null, downlink?.databaseValue ?? .null,
      uplink?.databaseValue ?? .null,
    ]
  }
  var keys: [RowKey] {
    [RowKey("number", number, "institution = ? AND number = ?", [institution.databaseValue, number.databaseValue])]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), institution: try columns.identifier(), number: try columns.text(),
      name: try columns.text(), equipment: try columns.text(), acceptedAt: try columns.optionalInteger(),
      downlink: try columns.optionalInteger(), uplink: try columns.optionalInteger())
  }
}

extension SchoolClass: CatalogueRow {
  static let form = RowForm(
    .classes, limit: 500_000,
    ["id", "number", "institution", "name", "typeCode", "cohorts", "homeRoom", "consentRecord"])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, number.databaseValue, institution.databaseValue, name.databaseValue,
      typeCode.databaseValue, try ListText.encode(cohorts), homeRoom.databaseValue, consentRecord.databaseValue,
    ]
  }
  var keys: [RowKey] { RowKey.number(number) }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), number: try columns.text(), institution: try columns.identifier(),
      name: try columns.text(), typeCode: try columns.text(), cohorts: try columns.list(),
      homeRoom: try columns.optionalIdentifier(), consentRecord: try columns.text())
  }
}

extension Cluster: CatalogueRow {
  static let form = RowForm(.clusters, limit: 10_000, ["id", "number", "name", "members"])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [id.databaseValue, number.databaseValue, name.databaseValue, try ListText.encode(members)]
  }
  var references: [LedgerRow] { members.map { LedgerRow(.institutions, $0.institution) } }
  var keys: [RowKey] { RowKey.number(number) }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), number: try columns.text(), name: try columns.text(),
      members: try columns.list())
  }
}
