import Classroom
public import ControlAPI
import Foundation
import Reporting

/// Figures in the words of people.
public enum FigureWords {
  static func page(_ language: Language) -> ReportPage.Words {
    ReportPage.Words(
      language: language.rawValue, text: { Text.of("figures.\($0)", in: language, $1) },
      cell: { cell, form in text(ReportCell(cell), form.rawValue, language) })
  }

  /// A cell as people read it: civil time of China, hours, percent; a word that has no text as its code.
  static func text(_ cell: ReportCell, _ form: String, _ language: Language) -> String {
    switch cell {
    case .none: return ""
    case .text(let text):
      guard form == "word" else { return text }
      let key = "figures.word.\(text)"
      return Text.has(key, in: language) ? Text.of(key, in: language) : text
    case .number(let number):
      switch form {
      case "seconds": return duration(number)
      case "permille": return "\(number / 10).\(abs(number) % 10) %"
      case "time": return CivilText.text(number)
      default: return "\(number)"
      }
    }
  }

  /// What a code means.
  public static func word(_ code: String, in language: Language) -> String { text(.text(code), "word", language) }

  private static func duration(_ seconds: Int64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
    let rest = String(format: "%02d", seconds % 60)
    return hours > 0 ? "\(hours):\(String(format: "%02d", minutes)):\(rest)" : "\(minutes):\(rest)"
  }

  private static func isNumber(_ form: String) -> Bool { form == "count" || form == "seconds" || form == "permille" }

  private static func name(_ kind: String, _ key: String, _ language: Language) -> String {
    let key = "figures.\(kind).\(key)"
    return Text.has(key, in: language) ? Text.of(key, in: language) : key
  }

  /// A report for a terminal: its tables, what it was counted by, and what was left out.
  public static func text(_ report: ReportReply, in language: Language) -> String {
    func say(_ key: String, _ arguments: [String: String]) -> String {
      Text.of("figures.\(key)", in: language, arguments)
    }
    var parts = [
      name("title", report.kind, language) + "\n"
        + say("period", ["from": report.from, "to": report.through, "scope": report.scope])
    ]
    for table in report.tables {
      var text = TextTable(
        table.columns.map { TextTable.Column(name("column", $0.key, language), isNumber: isNumber($0.form)) })
      for row in table.rows where row.count == table.columns.count {
        text.add(zip(table.columns, row).map { Self.text($1, $0.form, language) })
      }
      var lines = name("table", table.name, language) + "\n" + text.text
      if table.leftOut > 0 { lines += say("leftOut", ["count": "\(table.leftOut)"]) + "\n" }
      parts.append(lines)
    }
    let definitions = report.definitions.map { "  \(name("definition", $0.key, language)): \($0.value)" }
    parts.append(
      ([Text.of("figures.definitions.title", in: language)] + definitions).joined(separator: "\n") + "\n"
        + say("madeAt", ["time": CivilText.text(report.madeAt), "relay": report.relay]) + "\n")
    return parts.joined(separator: "\n\n").replacingOccurrences(of: "\n\n\n", with: "\n\n")
  }

  /// One table for programs: columns and words by their codes, times and durations as numbers. Nil without the table.
  public static func csv(_ report: ReportReply, table name: String?) -> String? {
    let main = name ?? mainTable[report.kind]
    guard let table = report.tables.first(where: { $0.name == main }) ?? (name == nil ? report.tables.first : nil)
    else {
      return nil
    }
    var text = TextTable(
      table.columns.map { TextTable.Column($0.key, isNumber: isNumber($0.form) || $0.form == "time") })
    for row in table.rows where row.count == table.columns.count {
      text.add(
        row.map { cell in
          switch cell {
          case .text(let text): text
          case .number(let number): "\(number)"
          case .none: ""
          }
        })
    }
    return text.csv
  }

  /// The table that a program wants first.
  private static let mainTable = ["attendance": "seats", "coverage": "plan", "exceptions": "exceptions"]

  /// Kept figures as a list.
  public static func snapshots(_ list: [SnapshotReply], in language: Language) -> TextTable {
    var table = TextTable(
      ["number", "madeAt", "report", "from", "through", "scope", "signed"].map {
        TextTable.Column(name("column", $0, language), isNumber: $0 == "number")
      })
    for each in list {
      table.add([
        "\(each.number)", each.madeAt, each.report, each.from, each.through, each.scope,
        text(.text(each.signed ? "yes" : "no"), "word", language),
      ])
    }
    return table
  }

  public static func differences(_ list: [SnapshotComparison.Difference], in language: Language) -> TextTable {
    var table = TextTable(
      [
        .init(name("column", "table", language)), .init(name("column", "row", language)),
        .init(name("column", "figure", language)), .init(name("column", "was", language), isNumber: true),
        .init(name("column", "now", language), isNumber: true),
      ])
    for each in list {
      table.add([
        name("table", each.table, language), text(.text(each.row), "word", language),
        name("column", each.column, language), text(each.was, "word", language), text(each.now, "word", language),
      ])
    }
    return table
  }
}
