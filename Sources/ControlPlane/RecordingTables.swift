public import ControlAPI
import Foundation

/// What becomes of recordings, as rows for people and spreadsheets.
public enum RecordingTables {
  private static let columns = [
    "number", "name", "at", "consent", "reference", "course", "sites", "recorded", "missing", "lesson", "title",
    "size",
    "made", "expires", "noticed", "expired",
  ]
  private static let words = ["given", "withdrawn", "on", "off"]

  /// Keys of the words that tables put together.
  package static var keys: [String] {
    columns.map { "cli.recording.column.\($0)" } + words.map { "cli.recording.\($0)" }
  }

  private static func table(_ names: [String], _ language: Language) -> TextTable {
    TextTable(names.map { TextTable.Column(Text.of("cli.recording.column.\($0)", in: language)) })
  }

  private static func word(_ name: String, _ language: Language) -> String {
    Text.of("cli.recording.\(name)", in: language)
  }

  /// What holds now first, then what was noted when.
  public static func consent(_ reply: ConsentReply, in language: Language) -> TextTable {
    var table = table(["number", "name", "at", "consent", "reference"], language)
    let latest = reply.history.first
    let isLatest = latest.map { $0.given == reply.given } ?? false
    table.add([
      reply.number, reply.name, isLatest ? latest.map { CivilText.text($0.at) } ?? "" : "",
      word(reply.given ? "given" : "withdrawn", language), reply.reference,
    ])
    for entry in reply.history.dropFirst(isLatest ? 1 : 0) {
      table.add([
        reply.number, reply.name, CivilText.text(entry.at), word(entry.given ? "given" : "withdrawn", language),
        entry.reference ?? "",
      ])
    }
    return table
  }

  public static func course(_ reply: CourseRecordingReply, in language: Language) -> TextTable {
    var table = table(["course", "sites", "recorded", "missing"], language)
    table.add([
      reply.course, word(reply.sites ? "on" : "off", language), word(reply.recorded ? "on" : "off", language),
      reply.missing.joined(separator: Text.of("control.list", in: language)),
    ])
    return table
  }

  public static func expiry(_ list: ExpiryList, in language: Language) -> TextTable {
    var table = table(["lesson", "title", "size", "made", "expires", "noticed"], language)
    for entry in list.lessons {
      table.add([
        entry.lesson, entry.title, String(format: "%.1f MB", Double(entry.byteCount) / 1e6),
        CivilText.text(entry.madeAt), CivilText.text(entry.expiresAt), entry.noticedAt.map(CivilText.text) ?? "",
      ])
    }
    return table
  }

  public static func expired(_ reply: ExpiryReply, in language: Language) -> TextTable {
    var table = table(["noticed", "expired"], language)
    table.add([String(reply.noticed), String(reply.expired)])
    return table
  }
}
