public import Classroom
internal import GRDB

/// The catalogue. `upsert` makes a row or changes it, durably; it throws `ClassroomError` for a value that is wrong by
/// itself, `notFound` when the value names a row that does not exist, `full` at the table's limit. Reads give nil for
/// an unknown identifier, and lists are bounded by `limit`.
extension LedgerStore {
  /// Rows of one list unless asked otherwise.
  public static let listLimit = 10_000

  public func upsert(_ institution: Institution) throws { try write { try institution.put($0) } }
  public func upsert(_ room: Room) throws { try write { try room.put($0) } }
  public func upsert(_ schoolClass: SchoolClass) throws { try write { try schoolClass.put($0) } }
  public func upsert(_ cluster: Cluster) throws { try write { try cluster.put($0) } }
  public func upsert(_ course: Course) throws { try write { try course.put($0) } }

  /// Makes or changes a lesson. A new one is `planned`, `published` or `cancelled`; from *armed* on only events move
  /// it. Throws `badTransition`, and `immutable` for another registration or other attendance definitions.
  public func upsert(_ lesson: Lesson) throws {
    try write { db in
      let steps: [LessonStep] = [.publish, .cancel, .lapse]
      if let old = try Lesson.fetch(db, id: lesson.id) {
        guard old.registration == lesson.registration, old.isAlwaysLive == lesson.isAlwaysLive,
          old.thresholdsVersion == lesson.thresholdsVersion
        else { throw LedgerError.immutable }
        let isReached = old.state == lesson.state || steps.contains { old.state.after($0) == lesson.state }
        guard isReached else { throw LedgerError.badTransition }
      } else {
        let first: [LessonState] = [.planned, .published, .cancelled]
        guard first.contains(lesson.state) else { throw LedgerError.badTransition }
      }
      try lesson.put(db)
    }
  }

  /// Makes or changes a seat. Throws `immutable` for another lesson or role, `full` past 512 seats of a lesson.
  public func upsert(_ seat: Seat) throws {
    try write { db in
      if let old = try Seat.fetch(db, id: seat.id) {
        guard old.lesson == seat.lesson, old.role == seat.role else { throw LedgerError.immutable }
      } else {
        let count = try Int.fetchOne(
          db, sql: "SELECT COUNT(*) FROM seats WHERE lesson = ?", arguments: [seat.lesson.databaseValue])
        guard count ?? 0 < Limits.seats else { throw LedgerError.full }
      }
      try seat.put(db)
    }
  }

  /// Makes or changes a resource. Throws `full` past 64 resources of a lesson.
  public func upsert(_ resource: LessonResource) throws {
    try write { db in
      let others = try Int.fetchOne(
        db, sql: "SELECT COUNT(*) FROM resources WHERE lesson = ? AND id <> ?",
        arguments: [resource.lesson.databaseValue, resource.id.databaseValue])
      guard others ?? 0 < 64 else { throw LedgerError.full }
      try resource.put(db)
    }
  }

  public func institution(_ id: Identifier) throws -> Institution? { try read { try Institution.fetch($0, id: id) } }
  public func room(_ id: Identifier) throws -> Room? { try read { try Room.fetch($0, id: id) } }
  public func schoolClass(_ id: Identifier) throws -> SchoolClass? { try read { try SchoolClass.fetch($0, id: id) } }
  public func cluster(_ id: Identifier) throws -> Cluster? { try read { try Cluster.fetch($0, id: id) } }
  public func course(_ id: Identifier) throws -> Course? { try read { try Course.fetch($0, id: id) } }
  public func lesson(_ id: Identifier) throws -> Lesson? { try read { try Lesson.fetch($0, id: id) } }
  public func seat(_ id: Identifier) throws -> Seat? { try read { try Seat.fetch($0, id: id) } }
  public func resource(_ id: Identifier) throws -> LessonResource? {
    try read { try LessonResource.fetch($0, id: id) }
  }

  /// In the order they were made.
  public func institutions(limit: Int = listLimit) throws -> [Institution] {
    try read { try Institution.fetch($0, where: "1 ORDER BY rowid LIMIT ?", [limit]) }
  }

  /// Of one institution or of all, in the order they were made.
  public func rooms(institution: Identifier? = nil, limit: Int = listLimit) throws -> [Room] {
    try list("institution", institution, limit)
  }

  /// Of one institution or of all, in the order they were made.
  public func classes(institution: Identifier? = nil, limit: Int = listLimit) throws -> [SchoolClass] {
    try list("institution", institution, limit)
  }

  /// In the order they were made.
  public func clusters(limit: Int = listLimit) throws -> [Cluster] {
    try read { try Cluster.fetch($0, where: "1 ORDER BY rowid LIMIT ?", [limit]) }
  }

  /// Of one cluster or of all, in the order they were made.
  public func courses(cluster: Identifier? = nil, limit: Int = listLimit) throws -> [Course] {
    try list("cluster", cluster, limit)
  }

  /// Lessons planned to start in a span of UTC milliseconds, in that order; of one cluster or of all.
  public func lessons(
    cluster: Identifier? = nil, startingIn span: ClosedRange<Int64> = 0...Limits.latestTime,
    limit: Int = listLimit
  ) throws -> [Lesson] {
    try read { db in
      try Lesson.fetch(
        db, where: "plannedStart BETWEEN ? AND ? AND (? IS NULL OR cluster = ?) ORDER BY plannedStart, rowid LIMIT ?",
        [span.lowerBound, span.upperBound, cluster.databaseValue, cluster.databaseValue, limit])
    }
  }

  /// Lessons in a state, in the order they are planned.
  public func lessons(in state: LessonState, limit: Int = listLimit) throws -> [Lesson] {
    try read { db in
      try Lesson.fetch(db, where: "state = ? ORDER BY plannedStart, rowid LIMIT ?", [state.rawValue, limit])
    }
  }

  /// A lesson's seats in the order they were made.
  public func seats(lesson: Identifier) throws -> [Seat] {
    try list("lesson", lesson, Limits.seats)
  }

  /// A lesson's resources in the order they were made.
  public func resources(lesson: Identifier) throws -> [LessonResource] {
    try list("lesson", lesson, 64)
  }

  private func list<R: CatalogueRow>(_ column: String, _ owner: Identifier?, _ limit: Int) throws -> [R] {
    try read { db in
      guard let owner else { return try R.fetch(db, where: "1 ORDER BY rowid LIMIT ?", [limit]) }
      return try R.fetch(db, where: "\(column) = ? ORDER BY rowid LIMIT ?", [owner.databaseValue, limit])
    }
  }
}
