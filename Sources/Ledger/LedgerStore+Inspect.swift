internal import Foundation
internal import GRDB

extension LedgerStore {
  /// The outbox of the ledger at `path` in figures, read as `inspect` does; nil in one that has none yet.
  public static func inspectOutbox(path: String) throws -> OutboxStatus? {
    guard FileManager.default.fileExists(atPath: path) else { throw LedgerError.notFound }
    return try translating {
      try refuseForeign(path)
      var configuration = configuration()
      configuration.readonly = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? queue.close() }
      return try queue.read { db in try db.tableExists("outbox") ? try outboxStatus(db) : nil }
    }
  }

  /// Verifies the hash chain of the ledger at `path` without opening it for writing or migrating it, also while a relay
  /// writes to it. One pass over the log.
  ///
  /// Throws `notFound`, `notALedger`, `newerVersion`.
  public static func inspect(path: String) throws -> ChainVerification {
    try inspecting(path: path) { try EventChain.verify($0) }
  }

  /// Reads a ledger that another process may have open, and changes nothing.
  static func inspecting<T>(path: String, _ body: (Database) throws -> T) throws -> T {
    guard FileManager.default.fileExists(atPath: path) else { throw LedgerError.notFound }
    return try translating {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      guard size != 0 else { throw LedgerError.notALedger }
      try refuseForeign(path)
      var configuration = configuration()
      configuration.readonly = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? queue.close() }
      return try queue.read(body)
    }
  }
}
