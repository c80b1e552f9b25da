public import Classroom
internal import GRDB

extension LedgerStore {
  /// Persons who hold a role or have an identity elsewhere, or all, in the order they were made, behind the row
  /// `after`; of one school or of every place. Cost: O(persons) for a first page without a school.
  public func accounts(
    institution: Identifier? = nil, all: Bool = false, after: Identifier? = nil, limit: Int = listLimit
  ) throws -> [Person] {
    try read { db in
      var conditions: [String] = []
      var arguments: [DatabaseValue] = []
      if let institution {
        conditions.append("institution = ?")
        arguments.append(institution.databaseValue)
      }
      if let after {
        conditions.append("rowid > (SELECT rowid FROM persons WHERE id = ?)")
        arguments.append(after.databaseValue)
      }
      if !all {
        conditions.append("(subject <> '' OR id IN (SELECT subject FROM grants WHERE endedAt IS NULL))")
      }
      let condition = conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
      return try Person.fetch(
        db, where: "\(condition) ORDER BY rowid LIMIT ?", StatementArguments(arguments + [limit.databaseValue]))
    }
  }

  /// Tokens of devices that have not run out, the latest first; revoked ones among them.
  public func deviceTokens(limit: Int = listLimit) throws -> [IssuedToken] {
    let devices = try issuedTokens(holding: .device, limit: limit)
    return devices.filter { $0.grants.count == 1 }
  }
}
