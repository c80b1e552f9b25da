import Classroom
public import ControlAPI

/// What is on its way to platforms, as rows for people and spreadsheets.
public enum OutboxTables {
  private enum Column: String, CaseIterable {
    case platform, waiting, trouble, failures
    case kind, institution, schoolClass, teacher, region, reason, count, since
    case statement, lesson, event, madeAt, parkedAt

    var isNumber: Bool { [.waiting, .failures, .count, .event].contains(self) }
  }

  private static let reasons = ["unmapped", "noPlatform"]

  /// Keys of all words that tables put together.
  package static var keys: [String] {
    Column.allCases.map { "outbox.column.\($0.rawValue)" } + reasons.map { "outbox.reason.\($0)" }
      + Space.Kind.allCases.map { "outbox.kind.\($0.rawValue)" }
  }

  private static func table(_ columns: [Column], _ language: Language) -> TextTable {
    TextTable(
      columns.map {
        TextTable.Column(Text.of("outbox.column.\($0.rawValue)", in: language), isNumber: $0.isNumber)
      })
  }

  private static func kind(_ value: String, _ language: Language) -> String {
    Space.Kind(rawValue: value) == nil ? value : Text.of("outbox.kind.\(value)", in: language)
  }

  public static func platforms(_ reply: OutboxReply, in language: Language) -> TextTable {
    var table = table([.platform, .waiting, .failures, .trouble], language)
    for row in reply.platforms {
      table.add([row.name, "\(row.waiting)", "\(row.failures)", row.trouble ?? ""])
    }
    return table
  }

  /// Sentences above the platforms.
  public static func lines(_ reply: OutboxReply, in language: Language) -> [String] {
    var lines = [
      Text.of(
        "cli.outbox.counts", in: language,
        [
          "waiting": "\(reply.waiting)", "held": "\(reply.held)", "parked": "\(reply.parked)", "sent": "\(reply.sent)",
        ]),
      Text.of("cli.outbox.cursor", in: language, ["cursor": "\(reply.cursor)", "events": "\(reply.events)"]),
    ]
    if let oldest = reply.oldestWaiting { lines.append(Text.of("cli.outbox.oldest", in: language, ["at": oldest])) }
    if reply.paused { lines.append(Text.of("cli.outbox.paused", in: language)) }
    if reply.refused { lines.append(Text.of("cli.outbox.refused", in: language)) }
    if reply.platforms.isEmpty { lines.append(Text.of("cli.outbox.filesAlone", in: language)) }
    return lines
  }

  public static func unmapped(_ rows: [UnmappedReply], in language: Language) -> TextTable {
    var table = table([.kind, .institution, .schoolClass, .teacher, .region, .reason, .count, .since], language)
    for row in rows {
      let reason = reasons.contains(row.reason) ? Text.of("outbox.reason.\(row.reason)", in: language) : row.reason
      table.add([
        kind(row.kind, language), row.institution, row.schoolClass, row.teacher, row.region, reason, "\(row.count)",
        row.since,
      ])
    }
    return table
  }

  /// The sheet of spaces with what is known filled in, to be completed and imported.
  public static func sheet(_ rows: [UnmappedReply], in language: Language) -> TextTable {
    let columns = SheetKind.spaces.columns
    var table = TextTable(columns.map { TextTable.Column(language == .chinese ? $0.chinese : $0.english) })
    for row in rows where row.reason == "unmapped" {
      table.add(
        columns.map { column in
          switch column.field {
          case .kind: kind(row.kind, language)
          case .institution: row.institution
          case .schoolClass: row.schoolClass
          case .teacher: row.teacher
          case .region: row.region
          default: ""
          }
        })
    }
    return table
  }

  public static func parked(_ rows: [ParkedReply], in language: Language) -> TextTable {
    var table = table([.statement, .platform, .reason, .event, .lesson, .madeAt, .parkedAt], language)
    for row in rows {
      table.add([row.id, row.platform, row.reason, "\(row.event)", row.lesson ?? "", row.madeAt, row.parkedAt])
    }
    return table
  }
}
