internal import Classroom
internal import Crypto
internal import GRDB

/// The version of a row, made of what it holds: the same content has the same version, whoever wrote it when.
///
/// 12 characters of SHA-256 over all columns, then 4 for each column so that what changed can be told without the old
/// row; base64url (RFC 4648 §5), fit for an ETag.
struct RowVersion {
  let text: String
  private let names: [String]

  private static let wholeLength = 12
  private static let columnLength = 4
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  init<Value: CatalogueRow>(_ value: Value) throws {
    names = Value.form.columns
    var whole = SHA256()
    var columns: [UInt8] = []
    for value in try value.values() {
      let bytes = Self.bytes(value)
      withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { whole.update(bufferPointer: $0) }
      whole.update(data: bytes)
      columns += Self.digest(bytes)
    }
    var digits = Self.digits(Array(whole.finalize().prefix(9)))
    digits += Self.digits(columns)
    text = String(decoding: digits, as: UTF8.self)
  }

  /// The columns that differ in a version of the same table; all of them for anything that is no version of it.
  func columns(changedSince version: String) -> [String] {
    let (now, old) = (Array(text.utf8), Array(version.utf8))
    guard now.count == old.count else { return names }
    return names.enumerated().filter { index, _ in
      let start = Self.wholeLength + index * Self.columnLength
      return now[start..<(start + Self.columnLength)] != old[start..<(start + Self.columnLength)]
    }.map(\.element)
  }

  private static func bytes(_ value: DatabaseValue) -> [UInt8] {
    switch value.storage {
    case .null: [0]
    case .int64(let number): [1] + withUnsafeBytes(of: number.bigEndian, Array.init)
    case .double(let number): [2] + withUnsafeBytes(of: number.bitPattern.bigEndian, Array.init)
    case .string(let text): [3] + Array(text.utf8)
    case .blob(let data): [4] + Array(data)
    }
  }

  /// 24 bits of FNV-1a: it only says which column, the whole is what counts.
  private static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash ^= hash >> 32
    return [
      UInt8(truncatingIfNeeded: hash >> 16), UInt8(truncatingIfNeeded: hash >> 8), UInt8(truncatingIfNeeded: hash),
    ]
  }

  /// Four digits for each three bytes.
  private static func digits(_ bytes: [UInt8]) -> [UInt8] {
    stride(from: 0, to: bytes.count - 2, by: 3).flatMap { index in
      let bits = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
      return [18, 12, 6, 0].map { alphabet[bits >> $0 & 63] }
    }
  }
}

extension LedgerStore {
  /// The version of a value as the ledger would hold it: URL-safe text of at most 72 characters, equal for equal
  /// content, for ETags and `upsert(_:ifVersion:)`. Microseconds; asks no file.
  public static func version(of value: some CatalogueValue) throws -> String {
    guard let row = value as? any CatalogueRow else { throw LedgerError.corruptRow }
    return try RowVersion(row).text
  }

  /// The columns of a value, as the ledger would hold it, that differ from a version of it; all of them for what is no
  /// version of such a value.
  public static func columns(of value: some CatalogueValue, changedSince version: String) throws -> [String] {
    guard let row = value as? any CatalogueRow else { throw LedgerError.corruptRow }
    return try RowVersion(row).columns(changedSince: version)
  }

  /// The version of a row as it stands; nil when there is none.
  public func version(of row: LedgerRow) throws -> String? {
    try read { db in try row.fetch(db).map { try RowVersion($0).text } }
  }
}

extension LedgerRow {
  /// Nil when there is none, and for what has no identifier of its own.
  func fetch(_ db: Database) throws -> (any CatalogueRow)? {
    switch table {
    case .institutions: try Institution.fetch(db, id: id)
    case .rooms: try Room.fetch(db, id: id)
    case .classes: try SchoolClass.fetch(db, id: id)
    case .persons: try Person.fetch(db, id: id)
    case .clusters: try Cluster.fetch(db, id: id)
    case .terms: try Term.fetch(db, id: id)
    case .bells: try BellSchedule.fetch(db, id: id)
    case .courses: try Course.fetch(db, id: id)
    case .lessons: try Lesson.fetch(db, id: id)
    case .seats: try Seat.fetch(db, id: id)
    case .resourceFiles: try ResourceFile.fetch(db, id: id)
    case .localTimetables, .rosterTotals: nil
    }
  }
}
