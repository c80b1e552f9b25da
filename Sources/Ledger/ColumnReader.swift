internal import Classroom
internal import Foundation
internal import GRDB

/// Takes the columns of a row one after another: throws `corruptRow` for what another program wrote, never traps.
///
/// By place and not by name: looking names up took most of the time of a term's snapshot.
struct ColumnReader {
  private let row: Row
  private var place = 0

  init(_ row: Row) { self.row = row }

  mutating func next() -> DatabaseValue {
    defer { place += 1 }
    return row[place]
  }

  mutating func text() throws -> String {
    guard case .string(let text) = next().storage else { throw LedgerError.corruptRow }
    return text
  }

  mutating func optionalText() throws -> String? {
    switch next().storage {
    case .string(let text): return text
    case .null: return nil
    default: throw LedgerError.corruptRow
    }
  }

  mutating func integer<T: FixedWidthInteger>() throws -> T {
    guard let value: T = try optionalInteger() else { throw LedgerError.corruptRow }
    return value
  }

  mutating func optionalInteger<T: FixedWidthInteger>() throws -> T? {
    switch next().storage {
    case .int64(let value):
      guard let exact = T(exactly: value) else { throw LedgerError.corruptRow }
      return exact
    case .null: return nil
    default: throw LedgerError.corruptRow
    }
  }

  mutating func truth() throws -> Bool { try integer() != 0 }

  mutating func identifier() throws -> Identifier {
    guard let identifier = try optionalIdentifier() else { throw LedgerError.corruptRow }
    return identifier
  }

  mutating func optionalIdentifier() throws -> Identifier? {
    switch next().storage {
    case .blob(let data):
      return try data.withUnsafeBytes { bytes in
        guard bytes.count == Identifier.byteCount else { throw LedgerError.corruptRow }
        return Identifier(
          high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    case .null: return nil
    default: throw LedgerError.corruptRow
    }
  }

  mutating func bytes() throws -> [UInt8] {
    guard case .blob(let data) = next().storage else { throw LedgerError.corruptRow }
    return Array(data)
  }

  mutating func choice<T: RawRepresentable<String>>() throws -> T {
    guard let choice = T(rawValue: try text()) else { throw LedgerError.corruptRow }
    return choice
  }

  mutating func date() throws -> CivilDate {
    guard let date = CivilDate(try text()) else { throw LedgerError.corruptRow }
    return date
  }

  mutating func optionalDate() throws -> CivilDate? {
    guard let text = try optionalText() else { return nil }
    guard let date = CivilDate(text) else { throw LedgerError.corruptRow }
    return date
  }

  /// JSON in the form of this part, or any other form that decodes.
  mutating func list<T: ListElement>() throws -> T {
    let text = try text()
    if let value = ListScanner.read(text, T.init) { return value }
    return try ListText.decode(text)
  }

  mutating func list<T: ListElement>() throws -> [T] {
    let text = try text()
    if let values = ListScanner.read(text, { (scanner: inout ListScanner) in scanner.array(T.init) }) { return values }
    return try ListText.decode(text)
  }

  /// JSON that is read seldom.
  mutating func decoded<T: Decodable>() throws -> T { try ListText.decode(try text()) }
}

/// Lists and small values as JSON, which `sqlite3` and people can read.
enum ListText {
  static func encode(_ list: some Encodable) throws -> DatabaseValue { try text(list).databaseValue }

  static func text(_ list: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(list), as: UTF8.self)
  }

  static func decode<T: Decodable>(_ text: String) throws -> T {
    guard let list = try? JSONDecoder().decode(T.self, from: Data(text.utf8)) else { throw LedgerError.corruptRow }
    return list
  }
}
