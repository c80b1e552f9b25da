public import Classroom
internal import GRDB

/// Several changes of the ledger that are made together or not at all, seen by nobody before they are all made.
///
/// It is good inside the closure it is given to and nowhere else. Each `upsert` makes a row or changes it, and throws
/// `ClassroomError` for a value that is wrong by itself, `notFound` when the value names a row that does not exist,
/// `taken` for a number that another row has, `full` at the table's limit; and, when `ifVersion` is given, `notFound`
/// for a row that is not there and `stale` for one that is of another version. A thrown error undoes all of them.
public struct LedgerTransaction {
  let db: Database
  /// The ledger's time, one for all changes.
  let now: Int64

  /// Also throws `cyclic` when it would be above itself.
  public func upsert(_ institution: Institution, ifVersion: String? = nil) throws {
    try put(institution, ifVersion)
    try checkAcyclic(institution.id, by: "parent", from: institution.parent)
    try checkAcyclic(institution.id, by: "successor", from: institution.successor)
  }

  public func upsert(_ room: Room, ifVersion: String? = nil) throws { try put(room, ifVersion) }
  public func upsert(_ schoolClass: SchoolClass, ifVersion: String? = nil) throws { try put(schoolClass, ifVersion) }
  public func upsert(_ person: Person, ifVersion: String? = nil) throws { try put(person, ifVersion) }
  public func upsert(_ cluster: Cluster, ifVersion: String? = nil) throws { try put(cluster, ifVersion) }
  public func upsert(_ bells: BellSchedule, ifVersion: String? = nil) throws { try put(bells, ifVersion) }

  /// Also throws `notFound` for a teacher who is new in the course and no person.
  public func upsert(_ course: Course, ifVersion: String? = nil) throws {
    let old = try Course.fetch(db, id: course.id)
    let known = Set(old?.teachers ?? [])
    for teacher in course.teachers where !known.contains(teacher) {
      guard try Person.isKnown(db, teacher) else { throw LedgerError.notFound }
    }
    try put(course, ifVersion)
  }

  /// Also throws `immutable` for a new term that is not a draft and for another state or version, which publication
  /// alone changes, and `referenced` for another code while courses have the old one.
  public func upsert(_ term: Term, ifVersion: String? = nil) throws {
    if let old = try Term.fetch(db, id: term.id) {
      try checkVersion(of: old, ifVersion)
      guard old.state == term.state, old.version == term.version else { throw LedgerError.immutable }
      if old.code != term.code { try refuseReferencedTerm(old) }
    } else {
      guard term.state == .draft, term.version == 0 else { throw LedgerError.immutable }
    }
    try put(term, ifVersion)
  }

  /// A new lesson is `planned`, `published` or `cancelled`; from *armed* on only events move it. Also throws
  /// `badTransition`, and `immutable` for another registration or other attendance definitions.
  public func upsert(_ lesson: Lesson, ifVersion: String? = nil) throws {
    let steps: [LessonStep] = [.publish, .cancel, .lapse]
    if let old = try Lesson.fetch(db, id: lesson.id) {
      try checkVersion(of: old, ifVersion)
      guard old.registration == lesson.registration, old.isAlwaysLive == lesson.isAlwaysLive,
        old.thresholdsVersion == lesson.thresholdsVersion
      else { throw LedgerError.immutable }
      let isReached = old.state == lesson.state || steps.contains { old.state.after($0) == lesson.state }
      guard isReached else { throw LedgerError.badTransition }
    } else {
      let first: [LessonState] = [.planned, .published, .cancelled]
      guard first.contains(lesson.state) else { throw LedgerError.badTransition }
    }
    try put(lesson, ifVersion)
  }

  /// Also throws `immutable` for another lesson or role, `full` past 512 seats of a lesson.
  public func upsert(_ seat: Seat, ifVersion: String? = nil) throws {
    if let old = try Seat.fetch(db, id: seat.id) {
      guard old.lesson == seat.lesson, old.role == seat.role else { throw LedgerError.immutable }
    } else {
      let count = try Int.fetchOne(
        db.cachedStatement(sql: "SELECT COUNT(*) FROM seats WHERE lesson = ?"),
        arguments: [seat.lesson.databaseValue])
      guard count ?? 0 < Limits.seats else { throw LedgerError.full }
    }
    try put(seat, ifVersion)
  }

  /// Also throws `full` past `LedgerStore.filesPerLesson`.
  public func upsert(_ file: ResourceFile) throws {
    let others = try Int.fetchOne(
      db, sql: "SELECT COUNT(*) FROM resourceFiles WHERE lesson = ? AND id <> ?",
      arguments: [file.lesson.databaseValue, file.id.databaseValue])
    guard others ?? 0 < LedgerStore.filesPerLesson else { throw LedgerError.full }
    try put(file, nil)
    try followFiles(of: file.lesson)
  }

  /// Appends an event, as `LedgerStore.append` does.
  @discardableResult
  public func append(_ event: LedgerEvent) throws -> Int64 { try EventWriter(db: db, now: now).append(event) }

  func put<Value: CatalogueRow>(_ value: Value, _ version: String?) throws {
    if version != nil {
      guard let old = try Value.fetch(db, id: value.id) else { throw LedgerError.notFound }
      try checkVersion(of: old, version)
    }
    try value.put(db)
  }

  func checkVersion(of value: some CatalogueRow, _ version: String?) throws {
    guard let version else { return }
    let current = try RowVersion(value)
    guard current.text == version else {
      throw LedgerError.stale(current: current.text, changed: current.columns(changedSince: version))
    }
  }

  /// Walks up from `from`; a ledger that another program made a ring in ends the walk too.
  private func checkAcyclic(_ id: Identifier, by column: String, from above: Identifier?) throws {
    guard above != nil else { return }
    let isAbove = try Bool.fetchOne(
      db.cachedStatement(
        sql: """
          WITH RECURSIVE above(id) AS (
            SELECT ?1 UNION SELECT \(column) FROM institutions JOIN above USING (id) WHERE \(column) IS NOT NULL)
          SELECT EXISTS (SELECT 1 FROM above WHERE id = ?2)
          """), arguments: [above.databaseValue, id.databaseValue])
    guard isAbove != true else { throw LedgerError.cyclic(LedgerRow(.institutions, id)) }
  }
}

extension Course {
  /// Lead's and receivers', where named.
  var teachers: [Identifier] { ([lead] + receivers).compactMap(\.teacher) }
}

extension LedgerStore {
  /// Makes several changes in one transaction with one sync of the disk: all, or none when the body throws. `kill -9`
  /// in the middle of it leaves none. Other writers wait for its end.
  public func transaction<T>(_ body: (LedgerTransaction) throws -> T) throws -> T {
    let now = clock()
    return try write { try body(LedgerTransaction(db: $0, now: now)) }
  }
}
