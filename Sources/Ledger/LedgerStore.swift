public import Classroom
internal import Foundation
internal import GRDB

/// The relay's memory: catalogue, hash-chained event log, attendance and secrets, in one SQLite file.
///
/// Write-ahead log with `synchronous = FULL`: what a call has returned from survives `kill -9` and power loss. Calls
/// block for a sync of the disk (milliseconds) and may come from any thread; writes are made one after another.
public final class LedgerStore: Sendable {
  /// Events of one lesson; past it, all but the lesson's own steps are refused with `full`.
  public static let eventsPerLesson = 1_000_000
  /// Bytes of one secret.
  public static let secretByteLimit = 4096

  let pool: DatabasePool
  let gate = OpenGate()
  let clock: @Sendable () -> Int64

  /// Opens the ledger at `path`, making it (mode 0600) or migrating it when needed.
  ///
  /// `clock` gives UTC milliseconds. Throws `notALedger` for another kind of file and `newerVersion` for a file of a
  /// later release, both left as they were.
  public init(path: String, clock: @escaping @Sendable () -> Int64) throws {
    self.clock = clock
    if !FileManager.default.fileExists(atPath: path) {
      // SQLite gives the -wal and -shm files the mode of the main one.
      _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    pool = try translating {
      try Self.refuseForeign(path)
      let pool = try DatabasePool(path: path, configuration: Self.configuration())
      // Opening a pool sets NORMAL, with which a power cut may take back acknowledged commits.
      try pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA synchronous = FULL")
        // KiB: the pages that a publication of a county changes, so that it writes each of them once.
        try db.execute(sql: "PRAGMA cache_size = -65536")
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else { throw LedgerError.notALedger }
      }
      try Schema.migrator.migrate(pool)
      return pool
    }
  }

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.label = "tongke.ledger"
    configuration.busyMode = .timeout(10)
    configuration.maximumReaderCount = 4
    return configuration
  }

  /// Looks before anything is written: a file of something else, or of a later release, must not be touched.
  static func refuseForeign(_ path: String) throws {
    var configuration = configuration()
    configuration.readonly = true
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    if size == 0 { return }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    try queue.read { db in
      let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
      // A crash between making the file and the first migration leaves an empty database.
      if tables == 0 { return }
      guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
        throw LedgerError.notALedger
      }
      if try Schema.migrator.hasBeenSuperseded(db) { throw LedgerError.newerVersion }
    }
  }

  /// Waits for running reads and writes and closes the file; calls after it throw `closed`.
  public func close() throws {
    guard gate.shut() else { return }
    // The file alone is then the whole ledger, for whoever copies it. A reader in another process may prevent that.
    _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    try pool.close()
  }

  func write<T>(_ body: (Database) throws -> T) throws -> T {
    try translating { try gate.pass { try pool.write(body) } }
  }

  func read<T>(_ body: (Database) throws -> T) throws -> T {
    try translating { try gate.pass { try pool.read(body) } }
  }

  // MARK: Events

  /// Appends an event and returns its number; durable before it returns.
  ///
  /// `lessonArmed`, `lessonLive`, `lessonEnded`, `lessonNotHeld` and a lesson's `interrupted` also take the lesson's
  /// step, or throw `badTransition`; told again they are kept as they come. A lesson's end closes seats that are still
  /// open with the attendance last checkpointed. Throws `notFound` for an unknown lesson or seat, `payloadTooLarge`,
  /// `full`.
  @discardableResult
  public func append(_ event: LedgerEvent) throws -> Int64 {
    let now = clock()
    return try write { db in try EventWriter(db: db, now: now).append(event) }
  }

  /// Appends several events in one transaction with one sync of the disk: all or none. Returns their numbers.
  @discardableResult
  public func append(_ events: [LedgerEvent]) throws -> [Int64] {
    let now = clock()
    return try write { db in
      let writer = EventWriter(db: db, now: now)
      return try events.map { try writer.append($0) }
    }
  }

  /// A lesson's events in order, at most `limit` of those numbered above `after`.
  public func events(lesson: Identifier, after: Int64 = 0, limit: Int = 100_000) throws -> [StoredEvent] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT id, at, kind, lesson, seat, payload, hash FROM events
          WHERE lesson = ? AND id > ? ORDER BY id LIMIT ?
          """,
        arguments: [lesson.databaseValue, after, limit])
      var events: [StoredEvent] = []
      while let row = try rows.next() { events.append(try StoredEvent(row: row)) }
      return events
    }
  }

  /// How many events name the lesson.
  public func eventCount(lesson: Identifier) throws -> Int {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT COUNT(*) FROM events WHERE lesson = ?", arguments: [lesson.databaseValue]) ?? 0
    }
  }

  /// How many events the ledger holds in all.
  public func eventCount() throws -> Int {
    try read { db in try Int.fetchOne(db, sql: "SELECT COALESCE(MAX(id), 0) FROM events") ?? 0 }
  }

  /// Recomputes the whole hash chain and that of the audit trail in one snapshot, while writing goes on.
  public func verifyChain() throws -> ChainVerification {
    try read { db in try EventChain.verify(db) }
  }

  // MARK: Secrets

  /// The secret of that name, made and kept durably at the first call. `name` has 1…40 scalars, the secret 1…4,096
  /// bytes. Backups carry it.
  public func secret(_ name: String, make: () -> [UInt8]) throws -> [UInt8] {
    try Limits.checkName(name, limit: Limits.codeScalars)
    let now = clock()
    return try write { db in
      if let row = try Row.fetchOne(db, sql: "SELECT value FROM secrets WHERE name = ?", arguments: [name]) {
        return try RowReading.bytes(row, "value")
      }
      let value = make()
      precondition((1...Self.secretByteLimit).contains(value.count), "a secret has 1…4,096 bytes")
      try db.execute(
        sql: "INSERT INTO secrets (name, value, madeAt) VALUES (?, ?, ?)",
        arguments: [name, value.databaseValue, now])
      return value
    }
  }
}

extension LedgerStore {
  /// A setting of the writing connection, for `doctor` and tests; `name` is never user input.
  package func pragma(_ name: StaticString) throws -> String? {
    try translating {
      try gate.pass { try pool.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(name)") } }
    }
  }
}
