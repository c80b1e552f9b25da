internal import Classroom
internal import Foundation
internal import GRDB

extension Identifier {
  /// A 16-byte blob.
  var databaseValue: DatabaseValue { bytes.databaseValue }
}

extension [UInt8] {
  var databaseValue: DatabaseValue { Data(self).databaseValue }
}

/// Reads columns of a file that something else may have written: throws `corruptRow`, never traps.
enum RowReading {
  static func blob(_ value: DatabaseValue) -> [UInt8]? {
    guard case .blob(let data) = value.storage else { return nil }
    return Array(data)
  }

  static func bytes(_ row: Row, _ column: String) throws -> [UInt8] {
    guard let bytes = blob(row[column]) else { throw LedgerError.corruptRow }
    return bytes
  }

  static func value<T: DatabaseValueConvertible>(_ row: Row, _ column: String) throws -> T {
    guard let value = T.fromDatabaseValue(row[column]) else { throw LedgerError.corruptRow }
    return value
  }

  static func optional<T: DatabaseValueConvertible>(_ row: Row, _ column: String) throws -> T? {
    let value: DatabaseValue = row[column]
    return value.isNull ? nil : try self.value(row, column)
  }

  static func identifier(_ row: Row, _ column: String) throws -> Identifier {
    guard let identifier = Identifier(bytes: try bytes(row, column)) else { throw LedgerError.corruptRow }
    return identifier
  }

  static func optionalIdentifier(_ row: Row, _ column: String) throws -> Identifier? {
    let value: DatabaseValue = row[column]
    return value.isNull ? nil : try identifier(row, column)
  }

  static func choice<T: RawRepresentable<String>>(_ row: Row, _ column: String) throws -> T {
    guard let choice = T(rawValue: try value(row, column)) else { throw LedgerError.corruptRow }
    return choice
  }
}

extension StoredEvent {
  init(row: Row) throws {
    id = try RowReading.value(row, "id")
    at = try RowReading.value(row, "at")
    hash = try RowReading.bytes(row, "hash")
    event = LedgerEvent(
      kind: try RowReading.choice(row, "kind"), lesson: try RowReading.optionalIdentifier(row, "lesson"),
      seat: try RowReading.optionalIdentifier(row, "seat"),
      payload: try PayloadCoding.decode(try RowReading.value(row, "payload")))
  }
}
