public import Classroom
internal import Foundation
internal import GRDB

/// Work on recordings: one row for each lesson and kind, gone once it is done.
extension LedgerStore {
  /// Jobs that are kept at one time: a hundred lessons a day for years of a broken disk.
  public static let jobLimit = 100_000
  /// Characters of a problem.
  public static let problemLimit = 1_000

  /// Asks for a job of each lesson, durably; one that is there already is due at once, and its attempts count anew
  /// where it failed. Lessons that the ledger does not know are passed over.
  ///
  /// Throws `full` past `jobLimit`, and then asks for none.
  public func ask(for kind: RecordingJob.Kind, of lessons: [Identifier]) throws {
    let now = clock()
    try write { db in
      let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM recordingJobs") ?? 0
      guard count + lessons.count <= Self.jobLimit else { throw LedgerError.full }
      for lesson in lessons { try Self.ask(db, for: kind, of: lesson, now: now) }
    }
  }

  static func ask(_ db: Database, for kind: RecordingJob.Kind, of lesson: Identifier, now: Int64) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO recordingJobs (lesson, kind, state, attempts, notBefore, problem, askedAt)
        SELECT ?1, ?2, 'waiting', 0, ?3, '', ?3 WHERE EXISTS (SELECT 1 FROM lessons WHERE id = ?1)
        ON CONFLICT (lesson, kind) DO UPDATE SET
          attempts = CASE state WHEN 'failed' THEN 0 ELSE attempts END,
          notBefore = excluded.notBefore, state = 'waiting'
        """
    ).execute(arguments: [lesson.databaseValue, kind.rawValue, now])
  }

  /// What a crash left running waits again.
  public func reviveJobs() throws {
    try write { try $0.execute(sql: "UPDATE recordingJobs SET state = 'waiting' WHERE state = 'running'") }
  }

  /// The job that has been due longest, begun; nil when none is. One that is due later than any pause lasts was written
  /// by a clock that has been put right since.
  /// - Parameter passing: lessons that are not ready yet.
  public func beginJob(passing: Set<Identifier> = []) throws -> RecordingJob? {
    let now = clock()
    return try write { db in
      let rows = try Row.fetchCursor(
        db,
        sql: Self.jobColumns + """
          WHERE state = 'waiting' AND (notBefore <= ?1 OR notBefore > ?1 + 21600000) ORDER BY notBefore, id
          """, arguments: [now])
      while let row = try rows.next() {
        var job = try Self.job(row)
        guard !passing.contains(job.lesson) else { continue }
        job.state = .running
        try db.execute(
          sql: "UPDATE recordingJobs SET state = 'running' WHERE lesson = ? AND kind = ?",
          arguments: [job.lesson.databaseValue, job.kind.rawValue])
        return job
      }
      return nil
    }
  }

  /// Ends a job's attempt: with nil it is done and gone; with a problem it waits for its next turn, or, when it is
  /// hopeless, for somebody who asks again. One asked for anew while it ran stays.
  public func endJob(_ job: RecordingJob, problem: String?, isHopeless: Bool = false) throws {
    let now = clock()
    let isThis = "lesson = ? AND kind = ? AND state = 'running'"
    try write { db in
      let key: [any DatabaseValueConvertible] = [job.lesson.databaseValue, job.kind.rawValue]
      guard let problem else {
        try db.execute(sql: "DELETE FROM recordingJobs WHERE \(isThis)", arguments: StatementArguments(key))
        return
      }
      let attempts = job.attempts + 1
      let values: [any DatabaseValueConvertible] = [
        isHopeless ? "failed" : "waiting", attempts, now + RecordingJob.pause(afterAttempts: attempts),
        String(problem.unicodeScalars.prefix(Self.problemLimit).map(Character.init)),
      ]
      try db.execute(
        sql: "UPDATE recordingJobs SET state = ?, attempts = ?, notBefore = ?, problem = ? WHERE \(isThis)",
        arguments: StatementArguments(values + key))
    }
  }

  /// When the next waiting job is due, UTC milliseconds; nil without any.
  public func nextJobDue() throws -> Int64? {
    try read { try Int64.fetchOne($0, sql: "SELECT MIN(notBefore) FROM recordingJobs WHERE state = 'waiting'") }
  }

  /// Jobs in the order they were asked for, of one lesson or of all.
  public func jobs(lesson: Identifier? = nil, limit: Int = 1_000) throws -> [RecordingJob] {
    try read { try Self.jobs($0, lesson: lesson, limit: limit) }
  }

  /// Jobs whose last attempt ended with a problem, and the bytes of files made since a moment: what `doctor` asks of a
  /// ledger that a relay may be writing to. Opens for reading, migrates nothing; nil for one of another release.
  public static func inspectRecordings(
    path: String, since: Int64
  ) throws -> (troubled: [RecordingJob], grownBytes: Int64)? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try translating {
      try refuseForeign(path)
      var configuration = configuration()
      configuration.readonly = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? queue.close() }
      return try queue.read { db in
        guard try db.tableExists("recordingJobs") else { return nil }
        return (try jobs(db, lesson: nil, limit: 1_000).filter { !$0.problem.isEmpty }, try grown(db, since: since))
      }
    }
  }

  /// Bytes of files made since a moment, UTC milliseconds.
  public func bytesMade(since: Int64) throws -> Int64 { try read { try Self.grown($0, since: since) } }

  private static func grown(_ db: Database, since: Int64) throws -> Int64 {
    try Int64.fetchOne(
      db, sql: "SELECT COALESCE(SUM(byteCount), 0) FROM resourceFiles WHERE madeAt >= ?", arguments: [since]) ?? 0
  }

  private static let jobColumns =
    "SELECT lesson, kind, state, attempts, notBefore, problem, askedAt FROM recordingJobs "

  private static func jobs(_ db: Database, lesson: Identifier?, limit: Int) throws -> [RecordingJob] {
    let rows =
      if let lesson {
        try Row.fetchAll(
          db, sql: jobColumns + "WHERE lesson = ? ORDER BY id LIMIT ?", arguments: [lesson.databaseValue, limit])
      } else {
        try Row.fetchAll(db, sql: jobColumns + "ORDER BY id LIMIT ?", arguments: [limit])
      }
    return try rows.map(job)
  }

  private static func job(_ row: Row) throws -> RecordingJob {
    var columns = ColumnReader(row)
    return RecordingJob(
      lesson: try columns.identifier(), kind: try columns.choice(), state: try columns.choice(),
      attempts: try columns.integer(), notBefore: try columns.integer(), problem: try columns.text(),
      askedAt: try columns.integer())
  }
}
