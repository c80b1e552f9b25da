internal import Classroom
internal import Crypto
internal import GRDB

/// Puts statements into the outbox, inside one transaction.
struct StatementWriting {
  let db: Database
  let now: Int64

  static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }

  func make(
    _ event: StoredEvent, _ maker: some StatementMaking, _ reader: inout UsageReader, correction: Int64?
  ) throws {
    guard let drafts = maker.statements(of: try reader.usage(event, correction: correction)) else {
      try db.execute(sql: "UPDATE outbox SET passedOver = passedOver + 1 WHERE id = 1")
      return
    }
    for draft in drafts { try insert(draft, event: event, correction: correction) }
  }

  /// Takes back what was told of the lesson, and tells it again with what holds now.
  func correct(_ correction: StoredEvent, _ maker: some StatementMaking, _ reader: inout UsageReader) throws {
    guard let lesson = correction.lesson else { return }
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT statements.number, statements.id, owner, platform, statements.state, events.kind
        FROM statements JOIN events ON events.id = statements.event
        WHERE statements.lesson = ? AND voids IS NULL AND voidedBy IS NULL AND statements.state <> 'withdrawn'
        ORDER BY statements.number
        """, arguments: [lesson.databaseValue])
    for row in rows {
      var columns = ColumnReader(row)
      let (number, id): (Int64, Identifier) = (try columns.integer(), try columns.identifier())
      let (owner, platform) = (try columns.text(), try columns.text())
      let (state, kind): (StatementState, EventKind) = (try columns.choice(), try columns.choice())
      guard maker.correctedKinds.contains(kind) else { continue }
      guard state == .waiting || state == .sent, let owner = Space.Owner(text: owner) else {
        // No platform ever took it.
        try db.cachedStatement(sql: "UPDATE statements SET state = 'withdrawn', settledAt = ? WHERE number = ?")
          .execute(arguments: [now, number])
        continue
      }
      let void = maker.void(
        of: StatementToVoid(
          id: id, owner: owner, space: try LedgerStore.space(db, of: owner), platform: platform, event: correction))
      try insert(void, event: correction, correction: correction.id)
      try db.cachedStatement(sql: "UPDATE statements SET voidedBy = ? WHERE number = ?")
        .execute(arguments: [void.id.databaseValue, number])
    }
    // What does not count is not told.
    if try reader.isExcluded(lesson, through: correction.id) { return }
    for event in try reader.events(of: maker.correctedKinds, lesson: lesson, before: correction.id) {
      try make(event, maker, &reader, correction: correction.id)
    }
  }

  private func insert(_ draft: StatementDraft, event: StoredEvent, correction: Int64?) throws {
    let state: StatementState = draft.body == nil ? .held : .waiting
    try db.cachedStatement(
      sql: """
        INSERT INTO statements
          (id, event, place, lesson, correction, owner, voids, platform, state, reason, body, hash, madeAt)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
        """
    ).execute(arguments: [
      draft.id.databaseValue, event.id, draft.place, event.lesson?.databaseValue, correction, draft.owner.text,
      draft.voids?.databaseValue, draft.platform, state.rawValue, draft.reason, draft.body?.databaseValue,
      draft.body.map(Self.hash)?.databaseValue, now,
    ])
  }
}

extension EventKind {
  fileprivate var isPlayback: Bool {
    switch self {
    case .playbackStarted, .playbackPaused, .playbackResumed, .playbackSeeked, .playbackEnded: true
    default: false
    }
  }
}

/// Reads events with what statements are made of; what lessons have in common is read once.
struct UsageReader {
  let db: Database
  private var lessons: [Identifier: Lesson] = [:]
  private var courses: [Identifier: Course] = [:]
  private var corrections: [Identifier: [StoredEvent]] = [:]

  init(db: Database) { self.db = db }

  private static let columns = "SELECT id, at, kind, lesson, seat, payload, hash FROM events "

  private static func list(_ kinds: Set<EventKind>) -> String {
    kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
  }

  func events(of kinds: Set<EventKind>, after cursor: Int64, limit: Int) throws -> [StoredEvent] {
    // By number alone: an index of another order would make the scan wait for a sort.
    let sql = Self.columns + "WHERE id > ? AND kind IN (\(Self.list(kinds))) ORDER BY id LIMIT ?"
    return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [cursor, limit]).map { try StoredEvent(row: $0) }
  }

  func events(of kinds: Set<EventKind>, lesson: Identifier, before: Int64) throws -> [StoredEvent] {
    let sql = Self.columns + "WHERE lesson = ? AND id < ? AND kind IN (\(Self.list(kinds))) ORDER BY id"
    return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue, before])
      .map { try StoredEvent(row: $0) }
  }

  func event(_ id: Int64) throws -> StoredEvent? {
    try Row.fetchOne(db.cachedStatement(sql: Self.columns + "WHERE id = ?"), arguments: [id])
      .map { try StoredEvent(row: $0) }
  }

  mutating func usage(_ event: StoredEvent, correction: Int64?) throws -> UsageEvent {
    var usage = UsageEvent(event: event)
    usage.correction = correction
    let lesson = try event.lesson.flatMap { try self.lesson($0) }
    let course = try lesson?.course.flatMap { try self.course($0) }
    usage.lesson = lesson
    usage.mode = course?.mode
    if let lesson {
      let session = try session(of: lesson.id, before: event.id)
      usage.session = session.number
      usage.liveSince = session.liveSince
      let lead = try Seat.fetch(
        db, where: "lesson = ? AND role = 'lead' ORDER BY rowid LIMIT 1",
        [
          lesson.id.databaseValue
        ]
      ).first
      if let correction {
        usage.correctedLiveMilliseconds = try corrected("liveMilliseconds", lesson.id, nil, through: correction)
      }
      usage.leadOwner = try lead.flatMap { try owner(of: $0, lesson, course) }
    }
    if let seat = event.seat {
      usage.wasPresent = try wasPresent(seat, before: event.id)
      usage.owner = try Seat.fetch(db, id: seat).flatMap { try owner(of: $0, lesson, course) }
      if let correction, let lesson {
        usage.correctedMilliseconds = try corrected("effectiveMilliseconds", lesson.id, seat, through: correction)
      }
    } else if let lesson, event.kind.isPlayback {
      // The relay plays for the room, whoever pauses.
      let seat = try Seat.fetch(
        db, where: "lesson = ? AND role = 'receiver' ORDER BY rowid LIMIT 1", [lesson.id.databaseValue]
      ).first
      usage.owner = try seat.flatMap { try owner(of: $0, lesson, course) }
    } else if let person = event["by"].flatMap({ Identifier($0) }), try Person.isKnown(db, person) {
      usage.owner = .person(person)
    }
    usage.space = try usage.owner.flatMap { try LedgerStore.space(db, of: $0) }
    usage.leadSpace = try usage.leadOwner.flatMap { try LedgerStore.space(db, of: $0) }
    return usage
  }

  mutating func seats(of id: Identifier) throws -> [UsageSeat] {
    let lesson = try lesson(id)
    let course = try lesson?.course.flatMap { try self.course($0) }
    return try Seat.fetch(db, where: "lesson = ? ORDER BY rowid", [id.databaseValue]).map { seat in
      let school = try seat.room.flatMap { try Room.fetch(db, id: $0) }
        .flatMap { try Institution.fetch(db, id: $0.institution) }
      let owner = try owner(of: seat, lesson, course)
      return UsageSeat(
        seat: seat.id, institution: school.map { $0.number.isEmpty ? $0.code ?? "" : $0.number } ?? "", owner: owner,
        space: try owner.flatMap { try LedgerStore.space(db, of: $0) })
    }
  }

  private mutating func lesson(_ id: Identifier) throws -> Lesson? {
    if let known = lessons[id] { return known }
    let lesson = try Lesson.fetch(db, id: id)
    lessons[id] = lesson
    return lesson
  }

  private mutating func course(_ id: Identifier) throws -> Course? {
    if let known = courses[id] { return known }
    let course = try Course.fetch(db, id: id)
    courses[id] = course
    return course
  }

  /// A teacher for the lead's seat, otherwise the class before the screen, otherwise the school that the room is of.
  private func owner(of seat: Seat, _ lesson: Lesson?, _ course: Course?) throws -> Space.Owner? {
    if seat.role == .lead, let teacher = lesson?.teacher ?? course?.lead.teacher { return .person(teacher) }
    if let person = seat.person { return .person(person) }
    if let pupils = seat.schoolClass { return .schoolClass(pupils) }
    return try seat.room.flatMap { try Room.fetch(db, id: $0) }.map { .institution($0.institution) }
  }

  /// How often the lesson was interrupted before an event, and since when it is live.
  private func session(of lesson: Identifier, before: Int64) throws -> (number: Int, liveSince: Int64?) {
    let sql = """
      SELECT kind, at FROM events WHERE lesson = ? AND id < ?
        AND seat IS NULL AND kind IN ('lessonLive', 'lessonEnded', 'interrupted') ORDER BY id
      """
    var session: (number: Int, liveSince: Int64?) = (0, nil)
    let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [lesson.databaseValue, before])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let kind: EventKind = try columns.choice()
      if kind == .lessonLive {
        session.liveSince = try session.liveSince ?? columns.integer()
      } else {
        session.liveSince = nil
      }
      if kind == .interrupted { session.number += 1 }
    }
    return session
  }

  private func wasPresent(_ seat: Identifier, before: Int64) throws -> Bool {
    let sql = """
      SELECT kind FROM events WHERE seat = ? AND id < ?
        AND kind IN ('seatJoined', 'peerConnected', 'seatLeft', 'interrupted') ORDER BY id DESC LIMIT 1
      """
    let kind = try String.fetchOne(db.cachedStatement(sql: sql), arguments: [seat.databaseValue, before])
    return kind == EventKind.seatJoined.rawValue || kind == EventKind.peerConnected.rawValue
  }

  /// The latest figure of a correction of the seat, or of the lesson as such.
  private mutating func corrected(
    _ key: String, _ lesson: Identifier, _ seat: Identifier?, through correction: Int64
  ) throws -> Int64? {
    try corrections(of: lesson).last { $0.seat == seat && $0.id <= correction && $0[key] != nil }
      .flatMap { $0[key] }.flatMap { Int64($0) }
  }

  /// Whether the lesson is left out of all figures by then.
  mutating func isExcluded(_ lesson: Identifier, through correction: Int64) throws -> Bool {
    try corrections(of: lesson).last { $0.id <= correction && $0["excluded"] != nil }?["excluded"] == "1"
  }

  private mutating func corrections(of lesson: Identifier) throws -> [StoredEvent] {
    if let known = corrections[lesson] { return known }
    let all = try events(of: [.lessonCorrected], lesson: lesson, before: .max)
    corrections[lesson] = all
    return all
  }
}
