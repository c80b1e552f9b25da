public import Classroom
internal import GRDB

/// The tables of the catalogue, named as they are stored.
public enum CatalogueTable: String, Hashable, Sendable, CaseIterable {
  case institutions
  case rooms
  case classes
  case persons
  case clusters
  case terms
  case bells
  case courses
  case lessons
  case seats
  case resourceFiles
  /// Named by their class.
  case localTimetables
  /// Named by their institution.
  case rosterTotals
}

/// One row of the catalogue: which table, and which row of it.
public struct LedgerRow: Hashable, Sendable {
  public var table: CatalogueTable
  public var id: Identifier
  public init(_ table: CatalogueTable, _ id: Identifier) {
    self.table = table
    self.id = id
  }
}

/// A value that the ledger keeps as a row of its own.
public protocol CatalogueValue: Hashable, Sendable {
  var id: Identifier { get }
}

/// A table's columns and the statements made of them, spelled once.
struct RowForm: Sendable {
  let table: CatalogueTable
  /// `id` first.
  let columns: [String]
  /// Rows the table may hold.
  let limit: Int
  /// Up to the condition.
  let select: String
  let insert: String
  /// `insert`, or the change of the row that is there.
  let save: String
  let exists: String
  let highest: String
  let count: String

  init(_ table: CatalogueTable, limit: Int, _ columns: [String]) {
    self.table = table
    self.columns = columns
    self.limit = limit
    let names = columns.joined(separator: ", ")
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    let updates = columns.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    select = "SELECT \(names) FROM \(table) WHERE "
    insert = "INSERT INTO \(table) (\(names)) VALUES (\(places))"
    save = insert + " ON CONFLICT (id) DO UPDATE SET \(updates)"
    exists = "SELECT EXISTS (SELECT 1 FROM \(table) WHERE id = ?)"
    highest = "SELECT MAX(rowid) FROM \(table)"
    count = "SELECT COUNT(*) FROM \(table)"
  }
}

/// What no two rows of a table share, where a row has it at all.
struct RowKey: Hashable {
  /// Such as `number`.
  let name: String
  /// What people know it by.
  let text: String
  /// The rows that have it; `?` for each of `arguments`.
  let condition: String
  let arguments: [DatabaseValue]

  init(_ name: String, _ text: String, _ condition: String, _ arguments: [DatabaseValue]) {
    self.name = name
    self.text = text
    self.condition = condition
    self.arguments = arguments
  }
}
