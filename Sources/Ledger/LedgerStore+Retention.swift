public import Classroom
internal import GRDB

/// Files that nobody keeps, and those that may not be kept.
extension LedgerStore {
  private static let keeping: [EventKind] = [
    .resourceSubmitted, .resourceApproved, .resourcePublished, .resourceNominated, .resourceHeld,
  ]
  private static let lettingGo: [EventKind] = [.resourceReleased, .resourceWithdrawn]

  private static func marks(_ kinds: [EventKind]) -> String {
    kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
  }

  /// Lessons with files of which the latest is older than a moment, UTC milliseconds; the oldest first.
  ///
  /// `noticedAt` is that of the last notice after the latest file was made.
  public func filesMade(before moment: Int64, limit: Int = 1_000) throws -> [FileExpiry] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT files.lesson, lessons.title, COUNT(*), SUM(files.byteCount), MAX(files.madeAt), (
            SELECT MAX(at) FROM events
            WHERE events.lesson = files.lesson AND kind = 'resourceExpiring' AND at >= MAX(files.madeAt))
          FROM resourceFiles AS files JOIN lessons ON lessons.id = files.lesson
          WHERE files.state <> 'withdrawn' GROUP BY files.lesson
          HAVING MAX(files.madeAt) < ? ORDER BY MAX(files.madeAt), files.lesson LIMIT ?
          """, arguments: [moment, limit])
      return try rows.map { row in
        var columns = ColumnReader(row)
        return FileExpiry(
          lesson: try columns.identifier(), title: try columns.text(), files: try columns.integer(),
          byteCount: try columns.integer(), madeAt: try columns.integer(), noticedAt: try columns.optionalInteger())
      }
    }
  }

  /// Whether somebody keeps a lesson's files: it was submitted, approved, published, nominated or held, and neither
  /// released nor withdrawn since.
  public func isKept(_ lesson: Identifier) throws -> Bool {
    let kinds = Self.marks(Self.keeping + Self.lettingGo)
    return try read { db in
      let last = try String.fetchOne(
        db, sql: "SELECT kind FROM events WHERE lesson = ? AND kind IN (\(kinds)) ORDER BY id DESC LIMIT 1",
        arguments: [lesson.databaseValue])
      return last.map { kind in Self.keeping.contains { $0.rawValue == kind } } ?? false
    }
  }

  /// Withdraws a lesson's files with an event, and asks for them to be taken off the disk, in one transaction.
  public func expireFiles(of lesson: Identifier, events: [LedgerEvent]) throws {
    try transaction { transaction in
      for event in events { try transaction.append(event) }
      try transaction.withdrawFiles("lesson = ?", lesson)
    }
  }

  /// Says that a class consents to being recorded, or takes it back; then every file that shows it is withdrawn at
  /// once.
  ///
  /// Returns the lessons whose files are to be taken off the disk. Throws `notFound`, `ClassroomError` for a reference
  /// that is no name, empty where consent is given.
  @discardableResult
  public func setConsent(of schoolClass: Identifier, reference: String?, by actor: Identifier?) throws -> [Identifier]
  {
    guard var value = try self.schoolClass(schoolClass) else { throw LedgerError.notFound }
    if let reference { try Limits.checkName(reference) }
    value.consentRecord = reference ?? ""
    var payload = [("class", "\(schoolClass)")]
    if let reference { payload.append(("reference", reference)) }
    if let actor { payload.append(("by", "\(actor)")) }
    return try transaction { transaction in
      try transaction.upsert(value)
      try transaction.append(
        LedgerEvent(kind: reference == nil ? .consentWithdrawn : .consentGiven, payload: payload))
      return reference == nil ? try transaction.withdrawFiles("schoolClass = ?", schoolClass) : []
    }
  }

  /// The classes of a course whose sites may be recorded: all of them where it says so and each has consented, none
  /// otherwise. A receiving room without a class has nobody who could consent.
  public func consentsToRecording(course id: Identifier) throws -> Set<Identifier> {
    guard let course = try course(id), course.recordsSites else { return [] }
    guard course.receivers.allSatisfy({ $0.schoolClass != nil }) else { return [] }
    let classes = Set(([course.lead] + course.receivers).compactMap(\.schoolClass))
    return try withoutConsent(classes).isEmpty ? classes : []
  }

  /// Those of some classes that have not consented.
  public func withoutConsent(_ classes: Set<Identifier>) throws -> [SchoolClass] {
    try classes.compactMap { try schoolClass($0) }.filter(\.consentRecord.isEmpty).sorted { $0.number < $1.number }
  }

  /// The last consents and withdrawals of a class, the latest first.
  public func consents(of schoolClass: Identifier, limit: Int = 20) throws -> [StoredEvent] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, at, kind, lesson, seat, payload, hash FROM events
          WHERE kind IN ('consentGiven', 'consentWithdrawn') AND instr(payload, ?) > 0 ORDER BY id DESC LIMIT ?
          """, arguments: ["\(schoolClass)", limit])
      return try rows.map { try StoredEvent(row: $0) }
    }
  }
}

extension LedgerTransaction {
  /// Withdraws files and asks for them to be deleted; returns their lessons.
  @discardableResult
  func withdrawFiles(_ condition: String, _ id: Identifier) throws -> [Identifier] {
    let files = try ResourceFile.fetch(db, where: condition + " AND state <> 'withdrawn'", [id.databaseValue])
    let lessons = Set(files.map(\.lesson)).sorted { "\($0)" < "\($1)" }
    for var file in files {
      file.state = .withdrawn
      try put(file, nil)
    }
    for lesson in lessons {
      try followFiles(of: lesson)
      try LedgerStore.ask(db, for: .deleteFiles, of: lesson, now: now)
    }
    return lessons
  }
}
