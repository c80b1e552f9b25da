internal import Foundation
internal import GRDB

extension LedgerStore {
  /// Copies the ledger to a new file while reading and writing go on; the copy is one file, verified by reading it
  /// back before it takes its name, mode 0600.
  ///
  /// Throws `alreadyExists` when `path` exists, `chainBroken` when the copy's chain does not hold.
  public func backup(to path: String) throws {
    let files = FileManager.default
    guard !files.fileExists(atPath: path) else { throw LedgerError.alreadyExists }
    let partial = path + ".partial"
    try Self.discard(partial)
    do {
      try translating { try gate.pass { try Self.copy(pool, to: partial, migrating: false) } }
      try Self.sync(partial)
      // A link refuses a name that was taken meanwhile, a rename would replace it.
      try files.linkItem(atPath: partial, toPath: path)
    } catch {
      try? Self.discard(partial)
      throw error
    }
    try Self.discard(partial)
    try Self.sync((path as NSString).deletingLastPathComponent, isFolder: true)
  }

  /// Puts a backup in the place of the ledger at `path`, or makes it. The backup is copied, migrated and its chain
  /// verified first; only then is it swapped in by a rename, and the ledger before it stays as `path.replaced`.
  ///
  /// Throws `notFound`, `notALedger`, `newerVersion`, `chainBroken` with nothing changed, and `inUse` while a relay
  /// has the ledger open.
  public static func restore(from backup: String, to path: String) throws {
    let files = FileManager.default
    guard files.fileExists(atPath: backup) else { throw LedgerError.notFound }
    let incoming = path + ".restoring"
    try discard(incoming)
    do {
      try translating {
        let size = try files.attributesOfItem(atPath: backup)[.size] as? Int
        guard size != 0 else { throw LedgerError.notALedger }
        try refuseForeign(backup)
        var configuration = configuration()
        configuration.readonly = true
        let source = try DatabaseQueue(path: backup, configuration: configuration)
        defer { try? source.close() }
        try copy(source, to: incoming, migrating: true)
      }
      keepOwner(of: path, on: incoming)
      try sync(incoming)
      try setAside(path)
    } catch {
      try? discard(incoming)
      throw error
    }
    guard rename(incoming, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    try sync((path as NSString).deletingLastPathComponent, isFolder: true)
  }

  /// Copies a database in one step of one snapshot into a new file, and proves the copy.
  private static func copy(_ source: some DatabaseReader, to path: String, migrating: Bool) throws {
    let made = FileManager.default.createFile(
      atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    guard made else { throw CocoaError(.fileWriteUnknown) }
    var configuration = configuration()
    configuration.journalMode = .default
    let target = try DatabaseQueue(path: path, configuration: configuration)
    try source.backup(to: target)
    // One file that needs nothing beside it; opening it as a ledger turns the log on again.
    try target.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = DELETE") }
    if migrating { try Schema.migrator.migrate(target) }
    try target.read { db in
      guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID,
        try String.fetchOne(db, sql: "PRAGMA integrity_check") == "ok"
      else { throw LedgerError.notALedger }
      guard try EventChain.verify(db).isIntact else { throw LedgerError.chainBroken }
    }
    try target.close()
  }

  /// What root restores stays the relay's own, whose user has to open it: the owner of the ledger before it, or of the
  /// folder when there is none.
  private static func keepOwner(of path: String, on made: String) {
    guard geteuid() == 0 else { return }
    var state = stat()
    let folder = (path as NSString).deletingLastPathComponent
    guard stat(path, &state) == 0 || stat(folder.isEmpty ? "." : folder, &state) == 0 else { return }
    _ = chown(made, state.st_uid, state.st_gid)
  }

  /// Keeps the file at `path` as `path.replaced` and leaves no log beside it that would be played into the new one.
  private static func setAside(_ path: String) throws {
    let files = FileManager.default
    guard files.fileExists(atPath: path) else {
      // A log without its file belongs to nothing, and SQLite would apply it to the file that comes.
      try discard(path)
      return
    }
    let aside = path + ".replaced"
    try discard(aside)
    do {
      var configuration = configuration()
      configuration.busyMode = .immediateError
      let old = try DatabaseQueue(path: path, configuration: configuration)
      // Fails while any other connection stands; then moves the log into the file and removes it.
      try old.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA journal_mode = DELETE")
        try db.execute(sql: "BEGIN EXCLUSIVE; COMMIT")
      }
      try old.close()
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw LedgerError.inUse
    } catch is DatabaseError {
      // A damaged ledger is what a restore is for: keep its parts as they are, logs first.
      for suffix in ["-wal", "-shm", "-journal"] where files.fileExists(atPath: path + suffix) {
        try files.moveItem(atPath: path + suffix, toPath: aside + suffix)
      }
    }
    try files.linkItem(atPath: path, toPath: aside)
  }

  private static func discard(_ path: String) throws {
    for suffix in ["", "-wal", "-shm", "-journal"]
    where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.removeItem(atPath: path + suffix)
    }
  }

  /// Makes a file's bytes, or a folder's names, durable.
  private static func sync(_ path: String, isFolder: Bool = false) throws {
    let descriptor = open(path.isEmpty ? "." : path, isFolder ? O_RDONLY : O_RDWR)
    guard descriptor >= 0 else { throw CocoaError(.fileReadUnknown) }
    defer { _ = Foundation.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
