internal import Classroom
internal import GRDB

extension Term: CatalogueRow {
  static let form = RowForm(
    .terms, limit: 1_000,
    ["id", "code", "name", "firstDay", "weeks", "rules", "deviations", "state", "version"])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, code.databaseValue, name.databaseValue, firstDay.description.databaseValue,
      weeks.databaseValue, try ListText.encode(rules), try ListText.encode(deviations), state.rawValue.databaseValue,
      version.databaseValue,
    ]
  }
  var references: [LedgerRow] { deviations.compactMap(\.institution).map { LedgerRow(.institutions, $0) } }
  var keys: [RowKey] { [RowKey("code", code, "code = ?", [code.databaseValue])] }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), code: try columns.text(), name: try columns.text(),
      firstDay: try columns.date(), weeks: try columns.integer(), rules: try columns.decoded(),
      deviations: try columns.decoded(), state: try columns.choice(), version: try columns.integer())
  }
}

extension BellSchedule: CatalogueRow {
  static let form = RowForm(
    .bells, limit: 400_000,
    ["id", "institution", "name", "fromDate", "throughDate", "weekdays", "periods"])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, institution.databaseValue, name.databaseValue,
      from?.description.databaseValue ?? .null, through?.description.databaseValue ?? .null,
      try ListText.encode(weekdays), try ListText.encode(periods),
    ]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), institution: try columns.identifier(), name: try columns.text(),
      from: try columns.optionalDate(), through: try columns.optionalDate(), weekdays: try columns.list(),
      periods: try columns.list())
  }
}

extension Person: CatalogueRow {
  static let form = RowForm(
    .persons, limit: 500_000, ["id", "institution", "name", "staffNumber", "issuer", "subject"])
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, institution.databaseValue, name.databaseValue, staffNumber.databaseValue,
      issuer.databaseValue, subject.databaseValue,
    ]
  }
  var keys: [RowKey] {
    var keys: [RowKey] = []
    if !staffNumber.isEmpty {
      keys.append(
        RowKey(
          "staffNumber", staffNumber, "institution IS ? AND staffNumber = ? AND staffNumber <> ''",
          [institution.databaseValue, staffNumber.databaseValue]))
    }
    if !subject.isEmpty {
      keys.append(
        RowKey(
          "subject", subject, "issuer = ? AND subject = ? AND subject <> ''",
          [issuer.databaseValue, subject.databaseValue]))
    }
    return keys
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), institution: try columns.optionalIdentifier(), name: try columns.text(),
      staffNumber: try columns.text(), issuer: try columns.text(), subject: try columns.text())
  }
}
