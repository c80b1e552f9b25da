internal import GRDB

/// Why the ledger refused a request. Errors of SQLite without a meaning of their own pass through as they are.
public enum LedgerError: Error, Hashable, Sendable {
  /// A payload is over 4 KiB as stored, has over 64 entries, or a key that is empty or over 64 scalars.
  case payloadTooLarge
  /// A value would change what never changes: a registration, a lesson's definitions, a seat's lesson or role.
  case immutable
  /// The lesson's state machine has no such step.
  case badTransition
  /// Roles that nobody may hold together.
  case conflictingRoles
  /// What the request names does not exist.
  case notFound
  /// The file is not a ledger, or SQLite finds it damaged.
  case notALedger
  /// The file was written by a newer version of this program.
  case newerVersion
  /// The hash chain of a copy does not hold, so the copy was not swapped in.
  case chainBroken
  /// A file stands where a new one was to be made.
  case alreadyExists
  /// Another process has the file open.
  case inUse
  /// A table, or the events of a lesson, are at their limit.
  case full
  /// The disk has no room.
  case diskFull
  /// The ledger was closed before the call.
  case closed
  /// A row does not decode: the file was written by something else.
  case corruptRow
  /// Another row has the number, code, staff number, account or origin already, which no two may share.
  case taken(key: String, value: String, by: LedgerRow)
  /// The row cannot go, or its code cannot change, while the other names it.
  case referenced(LedgerRow, by: LedgerRow)
  /// The row would be above itself, as its own parent's parent or its own successor's successor.
  case cyclic(LedgerRow)
  /// The row is another than the one the change was made for: its version now, and the columns that differ.
  case stale(current: String, changed: [String])
}

/// Gives SQLite's errors that have a meaning here that meaning.
func translating<T>(_ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as DatabaseError {
    switch error.resultCode {
    case .SQLITE_FULL: throw LedgerError.diskFull
    case .SQLITE_NOTADB, .SQLITE_CORRUPT: throw LedgerError.notALedger
    default: break
    }
    if error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY { throw LedgerError.notFound }
    throw error
  }
}
