public import ControlAPI

/// Tables of schools, rooms, persons, acceptances and the audit trail, as rows for people and spreadsheets.
public enum PlaceTables {
  /// The headers; each has `place.column.<name>` in the catalogue.
  enum Column: String, CaseIterable {
    case number, code, name, kind, parent, setting, region, open, until, successor, id
    case institution, equipment, acceptedOn, downlink, uplink, testedAt
    case grades, pupils, homeRoom, staffNumber, account, leads, receivers
    case requirement, needed, measured, state, remedy
    case problem, cluster, room, role, connectedAt
    case entry, at, actor, operation, target, address, outcome, old, new

    var isNumber: Bool {
      switch self {
      case .downlink, .uplink, .pupils, .entry: true
      default: false
      }
    }
  }

  /// Values that have words, `place.<kind>.<value>`; another one is shown as it came.
  private static let worded: [String: [String]] = [
    "kind": ["school", "teachingPoint"], "setting": ["urban", "town", "rural"], "yes": ["true", "false"],
    "state": ["met", "notMet", "notMeasured"], "role": ["lead", "receiver"], "outcome": ["allowed", "refused"],
  ]

  /// Keys of all words that tables put together.
  package static var keys: [String] {
    Column.allCases.map { "place.column.\($0.rawValue)" }
      + worded.flatMap { kind, values in values.map { "place.\(kind).\($0)" } } + AcceptanceText.keys
      + PairingText.keys
  }

  private static func word(_ kind: String, _ value: String, _ language: Language) -> String {
    worded[kind]?.contains(value) == true ? Text.of("place.\(kind).\(value)", in: language) : value
  }

  private static func table(_ columns: [Column], _ language: Language) -> TextTable {
    TextTable(
      columns.map {
        TextTable.Column(Text.of("place.column.\($0.rawValue)", in: language), isNumber: $0.isNumber)
      })
  }

  private static func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }

  public static func institutions(_ rows: [InstitutionReply], in language: Language) -> TextTable {
    var table = table(
      [.number, .name, .kind, .parent, .setting, .region, .open, .until, .successor, .code, .id], language)
    for row in rows {
      table.add([
        row.number, row.name, word("kind", row.kind, language), row.parent ?? "",
        word("setting", row.setting, language), row.region, word("yes", "\(row.open)", language),
        row.validUntil ?? "", row.successor ?? "", row.code ?? "", row.id,
      ])
    }
    return table
  }

  public static func rooms(_ rows: [RoomReply], in language: Language) -> TextTable {
    var table = table(
      [.number, .institution, .name, .equipment, .acceptedOn, .downlink, .uplink, .testedAt, .id], language)
    for row in rows {
      table.add([
        row.number, row.institution, row.name, row.equipment, row.acceptedOn ?? "", number(row.downlink),
        number(row.uplink), row.testedAt ?? "", row.id,
      ])
    }
    return table
  }

  public static func classes(_ rows: [ClassReply], in language: Language) -> TextTable {
    var table = table([.number, .institution, .name, .grades, .pupils, .homeRoom, .id], language)
    for row in rows {
      table.add([
        row.number, row.institution, row.name,
        row.cohorts.map { $0.grade.map(String.init) ?? "\($0.entryYear)" }.joined(separator: language.listSeparator),
        // Figures of a server that is no relay may be of any size.
        "\(row.cohorts.reduce(0) { $0 &+ $1.headCount })", row.homeRoom ?? "", row.id,
      ])
    }
    return table
  }

  public static func persons(_ rows: [PersonReply], in language: Language) -> TextTable {
    var table = table([.institution, .staffNumber, .name, .account, .id], language)
    for row in rows {
      table.add([
        row.institution ?? "", row.staffNumber, row.name, word("yes", "\(row.hasAccount)", language), row.id,
      ])
    }
    return table
  }

  public static func clusters(_ rows: [ClusterReply], in language: Language) -> TextTable {
    var table = table([.number, .name, .leads, .receivers, .id], language)
    func members(_ row: ClusterReply, _ leads: Bool) -> String {
      row.members.filter { $0.leads == leads }.map(\.institution).joined(separator: language.listSeparator)
    }
    for row in rows { table.add([row.number, row.name, members(row, true), members(row, false), row.id]) }
    return table
  }

  /// A row for each member.
  public static func members(_ row: ClusterReply, in language: Language) -> TextTable {
    var table = table([.cluster, .institution, .name, .leads, .open], language)
    for member in row.members {
      table.add([
        row.number, member.institution, member.name, word("yes", "\(member.leads)", language),
        word("yes", "\(member.open)", language),
      ])
    }
    return table
  }

  public static func pairing(_ rows: [PairingReply], in language: Language) -> TextTable {
    var table = table([.code, .institution, .cluster, .problem, .remedy], language)
    for row in rows { table.add([row.code, row.institution ?? "", row.cluster ?? "", row.sentence, row.remedy]) }
    return table
  }

  public static func findings(_ rows: [AcceptanceFindingReply], in language: Language) -> TextTable {
    var table = table([.requirement, .needed, .measured, .state, .remedy], language)
    for row in rows {
      table.add([row.name, row.needed, row.measured, word("state", row.state, language), row.remedy])
    }
    return table
  }

  public static func sites(_ rows: [LessonCheckReply.Site], in language: Language) -> TextTable {
    var table = table([.room, .institution, .role, .state, .testedAt, .connectedAt, .problem, .remedy], language)
    let never = Text.of("site.never", in: language)
    for row in rows {
      table.add([
        row.room, row.institution, word("role", row.role, language),
        word("state", row.good ? "met" : "notMet", language),
        row.testedAt ?? never, row.connectedAt ?? never, row.sentence, row.remedies.joined(separator: " "),
      ])
    }
    return table
  }

  public static func audit(_ rows: [AuditReply], in language: Language) -> TextTable {
    var table = table(
      [.entry, .at, .actor, .role, .operation, .target, .address, .outcome, .old, .new], language)
    for row in rows {
      table.add([
        "\(row.id)", row.at, row.actor ?? "", row.role, row.operation, row.target, row.address,
        word("outcome", row.outcome, language), row.old ?? "", row.new ?? "",
      ])
    }
    return table
  }
}
