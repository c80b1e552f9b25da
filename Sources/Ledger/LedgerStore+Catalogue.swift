public import Classroom
internal import GRDB

/// The catalogue. Each `upsert` is a transaction of its own and durable; what it throws is said by `LedgerTransaction`.
/// Reads give nil for an unknown identifier; lists are in the order their rows were made, bounded by `limit`, and go on
/// behind the row `after`.
extension LedgerStore {
  /// Rows of one list unless asked otherwise.
  public static let listLimit = 10_000

  public func upsert(_ institution: Institution, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(institution, ifVersion: ifVersion) }
  }
  public func upsert(_ room: Room, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(room, ifVersion: ifVersion) }
  }
  public func upsert(_ schoolClass: SchoolClass, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(schoolClass, ifVersion: ifVersion) }
  }
  public func upsert(_ person: Person, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(person, ifVersion: ifVersion) }
  }
  public func upsert(_ cluster: Cluster, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(cluster, ifVersion: ifVersion) }
  }
  public func upsert(_ term: Term, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(term, ifVersion: ifVersion) }
  }
  public func upsert(_ bells: BellSchedule, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(bells, ifVersion: ifVersion) }
  }
  public func upsert(_ course: Course, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(course, ifVersion: ifVersion) }
  }
  public func upsert(_ lesson: Lesson, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(lesson, ifVersion: ifVersion) }
  }
  public func upsert(_ seat: Seat, ifVersion: String? = nil) throws {
    try transaction { try $0.upsert(seat, ifVersion: ifVersion) }
  }
  public func upsert(_ resource: ResourceFile) throws { try transaction { try $0.upsert(resource) } }

  public func institution(_ id: Identifier) throws -> Institution? { try read { try Institution.fetch($0, id: id) } }
  public func room(_ id: Identifier) throws -> Room? { try read { try Room.fetch($0, id: id) } }
  public func schoolClass(_ id: Identifier) throws -> SchoolClass? { try read { try SchoolClass.fetch($0, id: id) } }
  public func person(_ id: Identifier) throws -> Person? { try read { try Person.fetch($0, id: id) } }
  public func cluster(_ id: Identifier) throws -> Cluster? { try read { try Cluster.fetch($0, id: id) } }
  public func term(_ id: Identifier) throws -> Term? { try read { try Term.fetch($0, id: id) } }
  public func bells(_ id: Identifier) throws -> BellSchedule? { try read { try BellSchedule.fetch($0, id: id) } }
  public func course(_ id: Identifier) throws -> Course? { try read { try Course.fetch($0, id: id) } }
  public func lesson(_ id: Identifier) throws -> Lesson? { try read { try Lesson.fetch($0, id: id) } }
  public func seat(_ id: Identifier) throws -> Seat? { try read { try Seat.fetch($0, id: id) } }
  public func resourceFile(_ id: Identifier) throws -> ResourceFile? {
    try read { try ResourceFile.fetch($0, id: id) }
  }

  // MARK: By what people say

  public func institution(number: String) throws -> Institution? {
    try read { try Institution.fetch($0, where: "number = ? AND number <> ''", [number]).first }
  }
  /// Rooms of one number, each of another school; more than one only where schools number alike.
  public func rooms(number: String) throws -> [Room] {
    try read { try Room.fetch($0, where: "number = ? ORDER BY rowid LIMIT ?", [number, Self.listLimit]) }
  }
  public func schoolClass(number: String) throws -> SchoolClass? {
    try read { try SchoolClass.fetch($0, where: "number = ? AND number <> ''", [number]).first }
  }
  public func cluster(number: String) throws -> Cluster? {
    try read { try Cluster.fetch($0, where: "number = ? AND number <> ''", [number]).first }
  }
  public func course(number: String, term: String) throws -> Course? {
    try read { try Course.fetch($0, where: "term = ? AND number = ? AND number <> ''", [term, number]).first }
  }
  public func term(code: String) throws -> Term? {
    try read { try Term.fetch($0, where: "code = ?", [code]).first }
  }
  /// `institution` nil is the staff of bureaus.
  public func person(institution: Identifier?, staffNumber: String) throws -> Person? {
    try read {
      try Person.fetch(
        $0, where: "institution IS ? AND staffNumber = ? AND staffNumber <> ''",
        [institution.databaseValue, staffNumber]
      ).first
    }
  }
  public func person(issuer: String, subject: String) throws -> Person? {
    try read { try Person.fetch($0, where: "issuer = ? AND subject = ? AND subject <> ''", [issuer, subject]).first }
  }

  // MARK: Lists

  public func institutions(after: Identifier? = nil, limit: Int = listLimit) throws -> [Institution] {
    try list(after: after, limit)
  }
  public func rooms(
    institution: Identifier? = nil, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [Room] {
    try list("institution", institution, after: after, limit)
  }
  public func classes(
    institution: Identifier? = nil, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [SchoolClass] {
    try list("institution", institution, after: after, limit)
  }
  public func persons(
    institution: Identifier? = nil, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [Person] {
    try list("institution", institution, after: after, limit)
  }
  public func clusters(after: Identifier? = nil, limit: Int = listLimit) throws -> [Cluster] {
    try list(after: after, limit)
  }
  public func terms(after: Identifier? = nil, limit: Int = listLimit) throws -> [Term] {
    try list(after: after, limit)
  }
  public func bells(
    institution: Identifier? = nil, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [BellSchedule] {
    try list("institution", institution, after: after, limit)
  }
  public func courses(
    cluster: Identifier? = nil, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [Course] {
    try list("cluster", cluster, after: after, limit)
  }
  /// Courses of a term in the order of their numbers.
  public func courses(term: String, limit: Int = listLimit) throws -> [Course] {
    try read { try Course.fetch($0, where: "term = ? ORDER BY number, rowid LIMIT ?", [term, limit]) }
  }

  /// A lesson's seats.
  public func seats(lesson: Identifier) throws -> [Seat] { try list("lesson", lesson, after: nil, Limits.seats) }

  /// Files of one lesson: three of each stretch of one that is always live, for years.
  public static let filesPerLesson = 4_096

  /// The files made of a lesson.
  public func resourceFiles(lesson: Identifier) throws -> [ResourceFile] {
    try list("lesson", lesson, after: nil, Self.filesPerLesson)
  }

  private func list<R: CatalogueRow>(
    _ column: String? = nil, _ owner: Identifier? = nil, after: Identifier?, _ limit: Int
  ) throws -> [R] {
    try read { db in
      var conditions: [String] = []
      var arguments: [DatabaseValue] = []
      if let column, let owner {
        conditions.append("\(column) = ?")
        arguments.append(owner.databaseValue)
      }
      if let after {
        conditions.append("rowid > (SELECT rowid FROM \(R.form.table) WHERE id = ?)")
        arguments.append(after.databaseValue)
      }
      let condition = conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
      return try R.fetch(
        db, where: "\(condition) ORDER BY rowid LIMIT ?", StatementArguments(arguments + [limit.databaseValue]))
    }
  }
}
