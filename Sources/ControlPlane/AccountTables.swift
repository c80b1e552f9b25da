public import ControlAPI

/// What a relay answers about accounts and devices, as rows for people and spreadsheets.
public enum AccountTables {
  enum Column: String, CaseIterable {
    case id, name, institution, staffNumber, grants, secondFactor, lock
    case grant, role, scope, place, from, until
    case device, room, enrolled, expires, state
  }

  /// Values that have words, `account.<kind>.<value>`.
  package static let worded: [String: [String]] = [
    "secondFactor": ["none", "started", "confirmed"], "lock": ["open", "waiting", "locked"],
    "state": ["good", "revoked"],
  ]

  /// Keys of all words that tables put together.
  package static var keys: [String] {
    Column.allCases.map { "account.column.\($0.rawValue)" }
      + worded.flatMap { kind, values in values.map { "account.\(kind).\($0)" } }
  }

  private static func word(_ kind: String, _ value: String, _ language: Language) -> String {
    worded[kind]?.contains(value) == true ? Text.of("account.\(kind).\(value)", in: language) : value
  }

  private static func table(_ columns: [Column], _ language: Language) -> TextTable {
    TextTable(columns.map { TextTable.Column(Text.of("account.column.\($0.rawValue)", in: language)) })
  }

  public static func accounts(_ accounts: [AccountReply], in language: Language) -> TextTable {
    var table = table([.institution, .staffNumber, .name, .grants, .secondFactor, .lock, .id], language)
    for account in accounts {
      let grants = account.grants.map { "\($0.role) \($0.scope)" }
      table.add([
        account.institution ?? "", account.staffNumber, account.name,
        grants.joined(separator: Text.of("control.list", in: language)),
        word("secondFactor", account.secondFactor, language), word("lock", account.lock, language), account.id,
      ])
    }
    return table
  }

  public static func grants(_ grants: [GrantReply], in language: Language) -> TextTable {
    var table = table([.role, .scope, .place, .from, .until, .grant], language)
    for grant in grants {
      table.add([grant.role, grant.scope, grant.place, grant.from ?? "", grant.until ?? "", grant.id ?? ""])
    }
    return table
  }

  public static func devices(_ devices: [DeviceReply], in language: Language) -> TextTable {
    var table = table([.room, .enrolled, .expires, .state, .device], language)
    for device in devices {
      table.add([
        device.room, device.enrolled, device.expires, word("state", device.revoked ? "revoked" : "good", language),
        device.id,
      ])
    }
    return table
  }
}
