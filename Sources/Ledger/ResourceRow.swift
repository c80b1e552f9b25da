package import Classroom
internal import Crypto
internal import GRDB

/// How a resource is kept: its row, its words for search, and what approval is bound to.
///
/// Written apart from `CatalogueRow`: migrations make rows with it too, so it names its columns itself.
enum ResourceRow {
  private static let columns = """
    id, lesson, number, madeAt, changedAt, title, subject, grades, term, volume, textbook, chapter, lessonName, \
    keywords, summary, containsFaces, consent, institution, author, cluster, state, submitter, approver, approvedFor, \
    visibility, digest, reason, isNominated, isHeld, isExpired, epoch
    """

  static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws
    -> [LessonResource]
  {
    let rows = try Row.fetchCursor(
      db.cachedStatement(sql: "SELECT \(columns) FROM resources WHERE \(condition)"), arguments: arguments)
    var found: [LessonResource] = []
    while let row = try rows.next() { found.append(try read(row)) }
    return found
  }

  static func fetch(_ db: Database, id: Identifier) throws -> LessonResource? {
    try fetch(db, where: "id = ?", [id.databaseValue]).first
  }

  static func fetch(_ db: Database, lesson: Identifier) throws -> LessonResource? {
    try fetch(db, where: "lesson = ?", [lesson.databaseValue]).first
  }

  private static func read(_ row: Row) throws -> LessonResource {
    var columns = ColumnReader(row)
    let id = try columns.identifier()
    let lesson = try columns.identifier()
    let (number, madeAt, changedAt): (Int64, Int64, Int64) = (
      try columns.integer(), try columns.integer(), try columns.integer()
    )
    let metadata = ResourceMetadata(
      title: try columns.text(), subject: try columns.text(), grades: try columns.list(), term: try columns.text(),
      volume: try columns.text(), textbook: try columns.text(), chapter: try columns.text(),
      lessonName: try columns.text(), keywords: try ListText.decode(try columns.text()), summary: try columns.text(),
      containsFaces: try columns.truth(), consent: try columns.text(), institution: try columns.optionalIdentifier(),
      author: try columns.optionalIdentifier(), cluster: try columns.optionalIdentifier())
    let review = ResourceReview(
      state: try columns.choice(), submitter: try columns.optionalIdentifier(),
      approver: try columns.optionalIdentifier(), approvedFor: try columns.level(), visibility: try columns.level(),
      digest: try columns.optionalText(), reason: try columns.text())
    guard let review else { throw LedgerError.corruptRow }
    return LessonResource(
      id: id, lesson: lesson, number: number, madeAt: madeAt, changedAt: changedAt, metadata: metadata,
      review: review, isNominated: try columns.truth(), isHeld: try columns.truth(),
      isExpired: try columns.truth(), epoch: try columns.integer())
  }

  static func save(_ db: Database, _ resource: LessonResource) throws {
    try resource.metadata.validate()
    let (metadata, review) = (resource.metadata, resource.review)
    let values: [DatabaseValue] = [
      resource.changedAt.databaseValue, metadata.title.databaseValue, metadata.subject.databaseValue,
      try ListText.encode(metadata.grades), metadata.term.databaseValue, metadata.volume.databaseValue,
      metadata.textbook.databaseValue, metadata.chapter.databaseValue, metadata.lessonName.databaseValue,
      try ListText.encode(metadata.keywords), metadata.summary.databaseValue, metadata.containsFaces.databaseValue,
      metadata.consent.databaseValue, metadata.institution.databaseValue, metadata.author.databaseValue,
      metadata.cluster.databaseValue, review.state.rawValue.databaseValue, review.submitter.databaseValue,
      review.approver.databaseValue, review.approvedFor?.rank.databaseValue ?? .null,
      review.visibility?.rank.databaseValue ?? .null, review.digest?.databaseValue ?? .null,
      review.reason.databaseValue, resource.isNominated.databaseValue, resource.isHeld.databaseValue,
      resource.isExpired.databaseValue, resource.epoch.databaseValue, resource.id.databaseValue,
    ]
    try db.cachedStatement(
      sql: """
        UPDATE resources SET changedAt = ?, title = ?, subject = ?, grades = ?, term = ?, volume = ?, textbook = ?,
          chapter = ?, lessonName = ?, keywords = ?, summary = ?, containsFaces = ?, consent = ?, institution = ?,
          author = ?, cluster = ?, state = ?, submitter = ?, approver = ?, approvedFor = ?, visibility = ?,
          digest = ?, reason = ?, isNominated = ?, isHeld = ?, isExpired = ?, epoch = ?
        WHERE id = ?
        """
    ).execute(arguments: StatementArguments(values))
  }

  // MARK: Digest and words

  /// What approval is bound to: SHA-256 of the words in their canonical form and of what stands for each file that is
  /// there, in the order of their identifiers.
  static func digest(_ db: Database, _ resource: LessonResource) throws -> String {
    var hash = SHA256()
    hash.update(data: Array(resource.metadata.canonical.utf8))
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT id, kind, sha256, byteCount FROM resourceFiles
          WHERE lesson = ? AND state = 'verified' AND kind <> 'metadata' ORDER BY id
          """), arguments: [resource.lesson.databaseValue])
    while let row = try rows.next() {
      var columns = ColumnReader(row)
      let (id, kind, sha256) = (try columns.identifier(), try columns.text(), try columns.text())
      let byteCount: Int64 = try columns.integer()
      hash.update(data: Array("file=\(id) \(kind) \(sha256) \(byteCount)\n".utf8))
    }
    return hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  /// Has search find the resource by what it says now. The teacher's name is not among it: whoever is forgotten would
  /// have to be taken out of the index as well.
  static func index(_ db: Database, _ resource: LessonResource) throws {
    let metadata = resource.metadata
    let subject = SubjectTable.standard.subject(named: metadata.subject)
    let school = try metadata.institution.flatMap {
      try String.fetchOne(db, sql: "SELECT name FROM institutions WHERE id = ?", arguments: [$0.databaseValue])
    }
    let texts =
      [
        metadata.title, metadata.subject, subject?.name, subject?.englishName, metadata.term, metadata.volume,
        metadata.textbook, metadata.chapter, metadata.lessonName, metadata.summary, school,
      ].compactMap(\.self) + metadata.keywords
    // A phrase does not reach from one field into the next: no query has two hanzi in one word.
    let words = texts.map(SearchWords.indexed).filter { !$0.isEmpty }.joined(separator: " 一一 ")
    try db.execute(sql: "DELETE FROM resourceWords WHERE rowid = ?", arguments: [resource.number])
    try db.execute(
      sql: "INSERT INTO resourceWords (rowid, words) VALUES (?, ?)", arguments: [resource.number, words])
  }

  // MARK: Making

  /// The row of a lesson's resource, made at its first file; nothing when it is there.
  static func make(_ db: Database, lesson: Identifier, at now: Int64) throws {
    let isThere = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM resources WHERE lesson = ?)"),
      arguments: [lesson.databaseValue])
    guard isThere != true, let metadata = try planned(db, lesson) else { return }
    let id = LessonResource.identifier(ofLesson: lesson)
    try db.execute(
      sql: """
        INSERT INTO resources (id, lesson, madeAt, changedAt, title, subject, grades, term, volume, textbook, chapter,
          lessonName, keywords, summary, containsFaces, consent, state, reason)
        VALUES (?, ?, ?, ?, ?, '', '[]', '', '', '', '', '', '[]', '', 1, '', 'recorded', '')
        """, arguments: [id.databaseValue, lesson.databaseValue, now, now, metadata.title])
    guard var resource = try fetch(db, id: id) else { throw LedgerError.corruptRow }
    resource.metadata = metadata
    try save(db, resource)
    try index(db, resource)
  }

  /// What the timetable says of a lesson; columns by name, as they were when resources began.
  private static func planned(_ db: Database, _ lesson: Identifier) throws -> ResourceMetadata? {
    let lessons = "SELECT title, course, cluster, teacher FROM lessons WHERE id = ?"
    guard let row = try Row.fetchOne(db, sql: lessons, arguments: [lesson.databaseValue]) else { return nil }
    var columns = ColumnReader(row)
    var metadata = ResourceMetadata(title: try columns.text())
    let course = try columns.optionalIdentifier()
    metadata.cluster = try columns.optionalIdentifier()
    metadata.author = try columns.optionalIdentifier()
    if let course {
      let courses = "SELECT term, subject, grades, textbook, lead FROM courses WHERE id = ?"
      if let row = try Row.fetchOne(db, sql: courses, arguments: [course.databaseValue]) {
        var columns = ColumnReader(row)
        metadata.term = try columns.text()
        metadata.subject = try columns.text()
        metadata.grades = try columns.list()
        metadata.textbook = try columns.text()
        let lead: Course.Party = try columns.list()
        metadata.author = metadata.author ?? lead.teacher
      }
    }
    let seats = """
      SELECT rooms.institution, seats.person FROM seats LEFT JOIN rooms ON rooms.id = seats.room
      WHERE seats.lesson = ? AND seats.role = 'lead' ORDER BY seats.rowid LIMIT 1
      """
    if let row = try Row.fetchOne(db, sql: seats, arguments: [lesson.databaseValue]) {
      var columns = ColumnReader(row)
      metadata.institution = try columns.optionalIdentifier()
      let person = try columns.optionalIdentifier()
      metadata.author = metadata.author ?? person
    }
    return metadata
  }

  /// Rows for the files of ledgers that had none.
  static func makeAll(_ db: Database) throws {
    let rows = try Row.fetchAll(
      db, sql: "SELECT lesson, MIN(madeAt) FROM resourceFiles GROUP BY lesson ORDER BY MIN(madeAt), lesson")
    for row in rows {
      var columns = ColumnReader(row)
      try make(db, lesson: try columns.identifier(), at: try columns.integer())
    }
  }
}

extension ColumnReader {
  /// 1…5, or nothing.
  fileprivate mutating func level() throws -> ResourceVisibility? {
    guard let rank: Int = try optionalInteger() else { return nil }
    guard let level = ResourceVisibility(rank: rank) else { throw LedgerError.corruptRow }
    return level
  }
}

extension LessonResource {
  /// The identifier of a lesson's resource: a version 8 UUID (RFC 9562 §5.8) of a SHA-256 of the lesson's.
  package static func identifier(ofLesson lesson: Identifier) -> Identifier {
    var hash = SHA256()
    hash.update(data: Array("resource".utf8))
    hash.update(data: lesson.bytes)
    let bytes = Array(hash.finalize())
    func word(_ offset: Int) -> UInt64 { bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    return Identifier(
      high: word(0) & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: word(8) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }
}
