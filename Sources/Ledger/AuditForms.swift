internal import Classroom
internal import Crypto
internal import GRDB

extension LedgerStore {
  /// Old and new of a change as the audit trail wants them: JSON objects of the columns that differ, at most 4 KiB
  /// each.
  ///
  /// Nil stands for no row: all columns of the other are told then. What names a person is told as `"-"`, so that a
  /// reader sees that it changed and not to what; a value over 200 bytes by its SHA-256.
  public static func auditForms<Value: CatalogueValue>(
    from old: Value?, to new: Value?
  ) throws -> (old: String?, new: String?) {
    let (before, after) = (try AuditForm(old), try AuditForm(new))
    return (before?.object(against: after), after?.object(against: before))
  }
}

/// A row as JSON for people to read in the audit trail.
private struct AuditForm {
  private static let valueByteLimit = 200
  private static let personal: Set<String> = ["name", "issuer", "subject"]

  private let form: RowForm
  private let values: [DatabaseValue]

  /// Nil for no row.
  init?(_ value: (any CatalogueValue)?) throws {
    guard let value else { return nil }
    guard let row = value as? any CatalogueRow else { throw LedgerError.corruptRow }
    form = type(of: row).form
    values = try row.values()
  }

  /// At most 14 columns of 200 bytes: under the limit whatever they hold.
  func object(against other: AuditForm?) -> String {
    let members = values.indices.filter { other == nil || other?.values[$0] != values[$0] }.map { index in
      let isPersonal = form.table == .persons && Self.personal.contains(form.columns[index])
      return "\"\(form.columns[index])\":\(isPersonal ? "\"-\"" : Self.text(values[index]))"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func text(_ value: DatabaseValue) -> String {
    let text: String
    switch value.storage {
    case .null: return "null"
    case .int64(let number): return String(number)
    case .double(let number): return String(number)
    case .string(let string): text = (try? ListText.text(string)) ?? "\"\""
    case .blob(let data): text = "\"\(Identifier(bytes: data).map(\.description) ?? "")\""
    }
    if text.utf8.count <= valueByteLimit { return text }
    return "\"sha256:\(EventChain.hexadecimal(Array(SHA256.hash(data: Array(text.utf8)))))\""
  }
}
