public import Classroom
internal import GRDB

/// What was done to one lesson after its term was published, why and by whom.
public struct LessonChange: Hashable, Sendable {
  public var id: Int64
  public var lesson: Identifier
  /// The lesson's after it.
  public var revision: Int
  /// UTC milliseconds.
  public var at: Int64
  /// `lessonMoved`, `lessonSubstituted`, `lessonCancelled`, `lessonAdded`, `lessonRoomChanged`, `lessonReinstated` or
  /// `lessonRevised`.
  public var kind: EventKind
  public var actor: Identifier
  /// What people wrote, or `publication`; empty when it was erased.
  public var reason: String
  /// The event that has old and new.
  public var event: Int64
}

/// Writes down one change of a lesson: the row, the event, and why.
struct LessonChangeWriter {
  let db: Database
  let now: Int64
  let actor: Identifier
  let reason: String

  /// Keeps a changed lesson with its revision raised. `byHand` keeps later publications away from it.
  func keep(
    _ lesson: inout Lesson, _ kind: EventKind, seat: Identifier? = nil, byHand: Bool, _ payload: [(String, String)]
  ) throws {
    let (revision, overflow) = lesson.revision.addingReportingOverflow(1)
    guard !overflow else { throw LedgerError.full }
    lesson.revision = revision
    try lesson.put(db)
    try note(lesson, kind, seat: seat, byHand: byHand, payload)
  }

  /// Tells of a lesson that is in the catalogue already.
  func note(
    _ lesson: Lesson, _ kind: EventKind, seat: Identifier? = nil, byHand: Bool, _ payload: [(String, String)]
  ) throws {
    if byHand {
      try db.cachedStatement(sql: "UPDATE lessons SET isByHand = 1 WHERE id = ?")
        .execute(arguments: [lesson.id.databaseValue])
    }
    let facts = [("by", actor.description), ("revision", String(lesson.revision))]
    let event = try EventWriter(db: db, now: now).append(
      LedgerEvent(kind: kind, lesson: lesson.id, seat: seat, payload: facts + payload))
    try db.cachedStatement(
      sql: """
        INSERT INTO lessonChanges (lesson, revision, at, kind, actor, reason, event) VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      lesson.id.databaseValue, lesson.revision, now, kind.rawValue, actor.databaseValue, reason, event,
    ])
  }

  static func moved(from old: Lesson, to new: Lesson) -> [(String, String)] {
    [
      ("oldStart", String(old.plannedStart)), ("oldEnd", String(old.plannedEnd)),
      ("newStart", String(new.plannedStart)), ("newEnd", String(new.plannedEnd)),
    ]
  }
}

extension LedgerStore {
  /// A lesson's changes in order: the latest says why it is as it is.
  public func changes(lesson: Identifier, limit: Int = 1_000) throws -> [LessonChange] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, lesson, revision, at, kind, actor, reason, event FROM lessonChanges
          WHERE lesson = ? ORDER BY id LIMIT ?
          """, arguments: [lesson.databaseValue, limit])
      return try rows.map { row in
        var columns = ColumnReader(row)
        return LessonChange(
          id: try columns.integer(), lesson: try columns.identifier(), revision: try columns.integer(),
          at: try columns.integer(), kind: try columns.choice(), actor: try columns.identifier(),
          reason: try columns.text(), event: try columns.integer())
      }
    }
  }

  /// Erases the words of a change, such as a name somebody wrote into them; what was changed stays told. False when
  /// there is no such change.
  public func eraseReason(ofChange id: Int64) throws -> Bool {
    try write { db in
      try db.execute(sql: "UPDATE lessonChanges SET reason = '' WHERE id = ?", arguments: [id])
      return db.changesCount == 1
    }
  }
}
