/// A report as one HTML file that prints on A4: no script, no other file, plots as inline SVG.
public struct ReportPage: Sendable {
  /// What words are put in.
  public struct Words: Sendable {
    /// BCP 47, for `lang`.
    public var language: String
    /// The catalogue: `title.coverage`, `table.plan`, `column.value`, `definition.attended`, `period`, `leftOut`.
    public var text: @Sendable (_ key: String, _ arguments: [String: String]) -> String
    /// A cell as people read it.
    public var cell: @Sendable (FigureCell, FigureReport.Form) -> String

    public init(
      language: String, text: @escaping @Sendable (String, [String: String]) -> String,
      cell: @escaping @Sendable (FigureCell, FigureReport.Form) -> String
    ) {
      self.language = language
      self.text = text
      self.cell = cell
    }
  }

  /// Bars of one plot; a table of more rows is not plotted.
  static let barLimit = 60
  /// Rows of one printed table; the rest is in the other forms.
  static let rowLimit = 500

  private let report: FigureReport
  private let words: Words

  public init(_ report: FigureReport, words: Words) {
    self.report = report
    self.words = words
  }

  public var html: String {
    let title = Self.escaped(words.text("title.\(report.kind.rawValue)", [:]))
    let period = words.text("period", ["from": report.from, "to": report.through, "scope": report.scope])
    let made = words.text(
      "madeAt", ["time": words.cell(.number(report.madeAt), .time), "relay": report.relay])
    var lines = [
      "<!DOCTYPE html>", "<html lang=\"\(Self.escaped(words.language))\">", "<head>", "<meta charset=\"utf-8\">",
      "<title>\(title)</title>", "<style>\(Self.style)</style>", "</head>", "<body>", "<h1>\(title)</h1>",
      "<p>\(Self.escaped(period))<br>\(Self.escaped(made))</p>",
    ]
    for table in report.tables { lines += section(table) }
    lines.append("<section><h2>\(Self.escaped(words.text("definitions.title", [:])))</h2><table>")
    for definition in report.definitions {
      let name = Self.escaped(words.text("definition.\(definition.key)", [:]))
      lines.append("<tr><td>\(name)</td><td class=\"n\">\(Self.escaped(definition.value))</td></tr>")
    }
    lines += ["</table></section>", "</body>", "</html>", ""]
    return lines.joined(separator: "\n")
  }

  private func section(_ table: FigureReport.Table) -> [String] {
    var lines = ["<section><h2>\(Self.escaped(words.text("table.\(table.name)", [:])))</h2>"]
    if let plot = plot(table) { lines.append(plot) }
    let heads = table.columns.map { column in
      "<th\(Self.isNumber(column.form) ? " class=\"n\"" : "")>"
        + Self.escaped(words.text("column.\(column.key)", [:])) + "</th>"
    }
    lines.append("<table><thead><tr>\(heads.joined())</tr></thead><tbody>")
    for row in table.rows.prefix(Self.rowLimit) {
      let cells = zip(table.columns, row).map { column, cell in
        "<td\(Self.isNumber(column.form) ? " class=\"n\"" : "")>"
          + Self.escaped(words.cell(cell, column.form)) + "</td>"
      }
      lines.append("<tr>\(cells.joined())</tr>")
    }
    lines.append("</tbody></table>")
    let leftOut = table.leftOut + max(0, table.rows.count - Self.rowLimit)
    if leftOut > 0 {
      lines.append("<p class=\"note\">\(Self.escaped(words.text("leftOut", ["count": "\(leftOut)"])))</p>")
    }
    lines.append("</section>")
    return lines
  }

  // MARK: Plots

  /// Horizontal bars of the plotted column over the first one; nothing where there is nothing to see.
  private func plot(_ table: FigureReport.Table) -> String? {
    guard let plotted = table.plotted, let place = table.columns.firstIndex(where: { $0.key == plotted }),
      (1...Self.barLimit).contains(table.rows.count)
    else { return nil }
    let values = table.rows.map { row -> Int64 in
      if case .number(let value) = row[place] { max(0, value) } else { 0 }
    }
    guard let most = values.max(), most > 0 else { return nil }
    let height = table.rows.count * 18 + 4
    var parts = [
      "<svg viewBox=\"0 0 640 \(height)\" role=\"img\" "
        + "aria-label=\"\(Self.escaped(words.text("column.\(plotted)", [:])))\">"
    ]
    for (index, row) in table.rows.enumerated() {
      let y = index * 18 + 2
      // In whole pixels; of 440 the most is all.
      let share = values[index].multipliedReportingOverflow(by: 440)
      let width = share.overflow ? 440 : share.partialValue / most
      let name = Self.escaped(String(words.cell(row[0], table.columns[0].form).prefix(20)))
      let value = Self.escaped(words.cell(row[place], table.columns[place].form))
      parts.append("<text x=\"136\" y=\"\(y + 12)\" text-anchor=\"end\">\(name)</text>")
      parts.append("<rect x=\"142\" y=\"\(y)\" width=\"\(max(1, width))\" height=\"14\"/>")
      parts.append("<text x=\"\(146 + width)\" y=\"\(y + 12)\">\(value)</text>")
    }
    parts.append("</svg>")
    return parts.joined()
  }

  private static func isNumber(_ form: FigureReport.Form) -> Bool {
    switch form {
    case .count, .seconds, .permille: true
    case .text, .word, .time: false
    }
  }

  /// For text and for attributes in double quotes; control characters are left out.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: if scalar.value >= 0x20, scalar.value != 0x7F { escaped.unicodeScalars.append(scalar) }
      }
    }
    return escaped
  }

  private static let style = """
    @page{size:A4;margin:15mm}body{font:10pt/1.4 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;\
    max-width:180mm;color:#111}h1{font-size:16pt}h2{font-size:12pt;margin:1em 0 .3em}table{border-collapse:collapse;\
    width:100%;font-size:8pt}th,td{border:1px solid #999;padding:1px 4px;text-align:left;overflow-wrap:anywhere}\
    thead{display:table-header-group}tr{break-inside:avoid}.n{text-align:right}.note{font-size:8pt}svg{width:100%;\
    height:auto;font-size:10px}rect{fill:#3572b0}@media print{section{break-inside:auto}}
    """
}
