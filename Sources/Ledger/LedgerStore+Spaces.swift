public import Classroom
internal import GRDB

extension LedgerTransaction {
  /// Spaces of one relay.
  public static let spaceLimit = 1_000_000

  /// Makes the owner's space, or changes it. Throws `ClassroomError`, `notFound` for an unknown owner, `full`.
  public func upsert(_ space: Space) throws {
    try space.validate()
    let (column, value) = space.owner.place
    let known = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM spaces WHERE \(column) = ?)"), arguments: [value])
    if known != true {
      guard try Int.fetchOne(db, sql: "SELECT MAX(id) FROM spaces") ?? 0 < Self.spaceLimit else {
        throw LedgerError.full
      }
    }
    try db.cachedStatement(
      sql: """
        INSERT INTO spaces (kind, \(column), homePage, name) VALUES (?, ?, ?, ?)
        ON CONFLICT (\(column)) DO UPDATE SET kind = excluded.kind, homePage = excluded.homePage, name = excluded.name
        """
    ).execute(arguments: [space.kind.rawValue, value, space.homePage, space.name])
  }

  /// Takes the owner's space away; false when there is none. What waits under it still goes.
  @discardableResult
  public func remove(spaceOf owner: Space.Owner) throws -> Bool {
    let (column, value) = owner.place
    try db.cachedStatement(sql: "DELETE FROM spaces WHERE \(column) = ?").execute(arguments: [value])
    return db.changesCount > 0
  }
}

extension LedgerStore {
  /// All spaces, in the order they were first made.
  public func spaces() throws -> [Space] { try read { try Self.spaces($0) } }

  public func space(of owner: Space.Owner) throws -> Space? { try read { try Self.space($0, of: owner) } }

  private static let spaceColumns = "SELECT kind, person, schoolClass, institution, region, homePage, name FROM spaces"

  static func spaces(_ db: Database) throws -> [Space] {
    let rows = try Row.fetchCursor(db, sql: spaceColumns + " ORDER BY id")
    var spaces: [Space] = []
    while let row = try rows.next() { spaces.append(try Space(row: row)) }
    return spaces
  }

  static func space(_ db: Database, of owner: Space.Owner) throws -> Space? {
    let (column, value) = owner.place
    return try Row.fetchOne(
      db.cachedStatement(sql: spaceColumns + " WHERE \(column) = ?"), arguments: [value]
    ).map { try Space(row: $0) }
  }
}

extension Space.Owner {
  /// The column it stands in, and what stands there.
  var place: (column: String, value: DatabaseValue) {
    switch self {
    case .person(let id): ("person", id.databaseValue)
    case .schoolClass(let id): ("schoolClass", id.databaseValue)
    case .institution(let id): ("institution", id.databaseValue)
    case .region(let name): ("region", name.databaseValue)
    }
  }
}

extension Space {
  init(row: Row) throws {
    var columns = ColumnReader(row)
    let kind: Kind = try columns.choice()
    let person = try columns.optionalIdentifier()
    let schoolClass = try columns.optionalIdentifier()
    let institution = try columns.optionalIdentifier()
    let region = try columns.optionalText()
    let owner =
      person.map(Owner.person) ?? schoolClass.map(Owner.schoolClass) ?? institution.map(Owner.institution)
      ?? region.map(Owner.region)
    guard let owner else { throw LedgerError.corruptRow }
    self.init(owner: owner, kind: kind, homePage: try columns.text(), name: try columns.text())
  }
}
