public import Classroom
internal import GRDB

/// What a lesson of an asynchronous course plays, and where it stands.
public struct LessonPlaybackRow: Hashable, Sendable {
  public var lesson: Identifier
  /// The recorded lesson; nil while nobody has said which.
  public var source: Identifier?
  /// Milliseconds of the recording.
  public var position: Int64
  /// Milliseconds shown in the session that goes on.
  public var played: Int64
  /// The playback that goes on; nil when none does.
  public var session: Identifier?

  public init(
    lesson: Identifier, source: Identifier? = nil, position: Int64 = 0, played: Int64 = 0,
    session: Identifier? = nil
  ) {
    self.lesson = lesson
    self.source = source
    self.position = position
    self.played = played
    self.session = session
  }
}

/// One file of a recorded lesson that can be played.
public struct RecordedFile: Hashable, Sendable {
  public var resource: ResourceFile
  /// `camera` or `screen`.
  public var feed: String
  /// UTC milliseconds at the file's zero.
  public var startsAt: Int64
}

extension LedgerStore {
  /// What a lesson plays; nil for one that is not of an asynchronous course. Throws `notFound`.
  public func playback(lesson: Identifier) throws -> LessonPlaybackRow? {
    try read { db in
      let sql = """
        SELECT courses.mode, lessonPlaybacks.source, coalesce(position, 0), coalesce(played, 0), session
        FROM lessons LEFT JOIN courses ON courses.id = lessons.course
          LEFT JOIN lessonPlaybacks ON lessonPlaybacks.lesson = lessons.id
        WHERE lessons.id = ?
        """
      guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue]) else {
        throw LedgerError.notFound
      }
      var columns = ColumnReader(row)
      guard try columns.optionalText().flatMap({ Course.Mode(rawValue: $0) }) == .asyncDual else { return nil }
      return LessonPlaybackRow(
        lesson: lesson, source: try columns.optionalIdentifier(), position: try columns.integer(),
        played: try columns.integer(), session: try columns.optionalIdentifier())
    }
  }

  /// Says which recorded lesson a lesson plays, from its beginning; nil takes that back.
  ///
  /// Throws `notFound`, and `immutable` for a lesson that is no asynchronous one, that plays or is over, and for one
  /// that would play itself.
  public func setPlaybackSource(_ source: Identifier?, of id: Identifier) throws {
    guard let old = try playback(lesson: id), source != id else { throw LedgerError.immutable }
    try write { db in
      guard let lesson = try Lesson.fetch(db, id: id) else { throw LedgerError.notFound }
      guard !lesson.state.isFinal, old.session == nil else { throw LedgerError.immutable }
      guard let source else {
        return try db.execute(sql: "DELETE FROM lessonPlaybacks WHERE lesson = ?", arguments: [id.databaseValue])
      }
      guard try Lesson.fetch(db, id: source) != nil else { throw LedgerError.notFound }
      try db.execute(
        sql: "INSERT OR REPLACE INTO lessonPlaybacks (lesson, source) VALUES (?, ?)",
        arguments: [id.databaseValue, source.databaseValue])
    }
  }

  /// Keeps where playbacks stand, all in one transaction; those whose lesson plays nothing are ignored.
  public func keep(_ rows: [LessonPlaybackRow]) throws {
    guard !rows.isEmpty else { return }
    try write { db in
      let statement = try db.cachedStatement(
        sql: "UPDATE lessonPlaybacks SET position = ?, played = ?, session = ? WHERE lesson = ?")
      for row in rows {
        try statement.execute(
          arguments: [row.position, row.played, row.session.databaseValue, row.lesson.databaseValue])
      }
    }
  }

  /// The verified files that the lead's camera and screen were recorded to, in the order of their times; at most 64.
  public func recordedFiles(lesson: Identifier) throws -> [RecordedFile] {
    let resources = try resourceFiles(lesson: lesson).filter { $0.kind == .recording && $0.state == .verified }
    guard !resources.isEmpty else { return [] }
    var files: [Identifier: RecordedFile] = [:]
    for event in try events(lesson: lesson, kinds: [.resourceMade]) {
      guard let id = event["resource"].flatMap({ Identifier($0) }), let feed = event["feed"],
        feed == "camera" || feed == "screen",
        let resource = resources.first(where: { $0.id == id && $0.sha256 == event["sha256"] })
      else { continue }
      files[id] = RecordedFile(
        resource: resource, feed: feed, startsAt: event["startsAt"].flatMap { Int64($0) } ?? resource.madeAt)
    }
    return files.values.sorted { ($0.startsAt, $0.resource.path) < ($1.startsAt, $1.resource.path) }
  }

  /// How far the recording of a lesson was published, as the latest event says it; nil where it was not, or was
  /// withdrawn since.
  public func publishedVisibility(lesson: Identifier) throws -> String? {
    let kinds: [EventKind] = [.resourcePublished, .resourceWithdrawn, .resourceDrafted, .resourceExpired]
    guard let last = try events(lesson: lesson, kinds: kinds).last, last.kind == .resourcePublished else { return nil }
    return last["visibility"]
  }

  /// A lesson's events of some kinds in order, at most 1,000. Cost: the lesson's events.
  private func events(lesson: Identifier, kinds: [EventKind]) throws -> [StoredEvent] {
    let marks = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    return try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, at, kind, lesson, seat, payload, hash FROM events
          WHERE lesson = ? AND kind IN (\(marks)) ORDER BY id DESC LIMIT 1000
          """, arguments: [lesson.databaseValue])
      return try rows.reversed().map { try StoredEvent(row: $0) }
    }
  }
}

extension LedgerStore {
  /// Ends in the ledger what a crash left playing, as of a second before it at most. Returns the number of events.
  public func recoverPlaybacks() throws -> Int {
    let now = clock()
    return try write { db in
      let writer = EventWriter(db: db, now: now)
      let rows = try Row.fetchAll(
        db, sql: "SELECT lesson, source, position, played, session FROM lessonPlaybacks WHERE session IS NOT NULL")
      for row in rows {
        var columns = ColumnReader(row)
        let lesson = try columns.identifier()
        let ended = LessonPlaybackRow(
          lesson: lesson, source: try columns.identifier(), position: try columns.integer(),
          played: try columns.integer(), session: try columns.optionalIdentifier())
        _ = try writer.append(
          LedgerEvent(kind: .playbackEnded, lesson: lesson, payload: ended.payload + [("reason", "restart")]))
      }
      try db.execute(sql: "UPDATE lessonPlaybacks SET played = 0, session = NULL WHERE session IS NOT NULL")
      return rows.count
    }
  }

  /// Whether the recording of a lesson may be shown in another: to its own seats, or published widely enough.
  ///
  /// Throws `notFound`, and `ReplayRule.Refusal` where it may not.
  public func checkReplay(of source: Identifier, in lesson: Identifier, now: Int64) throws {
    guard let recorded = try self.lesson(source), let shown = try self.lesson(lesson) else {
      throw LedgerError.notFound
    }
    let isPublished =
      switch try publishedVisibility(lesson: source) {
      case "county", "city", "province": true
      case "cluster": recorded.cluster == shown.cluster
      // Within the school that taught it, which has no need of a relay.
      default: false
      }
    let rooms = try seats(lesson: lesson).filter { $0.role == .receiver }.compactMap(\.room)
    let seated = try seats(lesson: source).compactMap(\.room)
    try ReplayRule.check(
      rooms: Set(rooms), seated: Set(seated), endedAt: recorded.plannedEnd, isPublished: isPublished, now: now)
  }
}

extension LessonPlaybackRow {
  /// What every event of a playback tells.
  public var payload: [(String, String)] {
    [
      ("resource", source.map { "\($0)" } ?? ""), ("session", session.map { "\($0)" } ?? ""),
      ("position", String(position)), ("played", String(played)),
    ]
  }
}
