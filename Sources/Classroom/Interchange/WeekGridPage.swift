extension WeekGrid {
  /// The week as a `table` for a page that brings its own style.
  public var htmlTable: String {
    var result = "<table class=\"week\">\n"
    if !labels.title.isEmpty { result += "<caption>\(Self.escaped(labels.title))</caption>\n" }
    result += "<thead><tr><th scope=\"col\">\(Self.escaped(labels.periods))</th>"
    for day in days { result += "<th scope=\"col\">\(Self.escaped(name(ofDay: day)))</th>" }
    result += "</tr></thead>\n<tbody>\n"
    for row in rows {
      result += "<tr><th scope=\"row\">\(heading(of: row).map(Self.escaped).joined(separator: "<br>"))</th>"
      for lessons in row.cells {
        result += "<td>"
        for lesson in lessons {
          let entry = entry(lesson, in: row)
          result += lesson.isLocal ? "<div class=\"local\">" : "<div>"
          result += "<b>\(Self.escaped(entry.heading))</b>"
          for detail in entry.details { result += "<br><span>\(Self.escaped(detail))</span>" }
          result += "</div>"
        }
        result += "</td>"
      }
      result += "</tr>\n"
    }
    return result + "</tbody>\n</table>\n"
  }

  /// The week as a page by itself, UTF-8, without scripts and without anything to load; prints on one sheet across.
  public var htmlPage: String {
    """
    <!DOCTYPE html>
    <html lang="\(Self.escaped(labels.language))">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.escaped(labels.title))</title>
    <style>
    body { font-family: system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 1rem; color: #000; }
    table { border-collapse: collapse; width: 100%; table-layout: fixed; }
    caption { font-size: 1.3rem; font-weight: bold; padding: .5rem; }
    th, td { border: 1px solid #444; padding: .3rem; vertical-align: top; overflow-wrap: anywhere; }
    td span { font-size: .85em; }
    td div.local { color: #444; background: #eee; } td div.local b { font-weight: normal; }
    td div + div { border-top: 1px dashed #888; margin-top: .3rem; padding-top: .3rem; }
    @page { size: A4 landscape; margin: 1cm; }
    @media print { body { margin: 0; font-size: 10pt; } tr { break-inside: avoid; } }
    </style>
    </head>
    <body>
    \(htmlTable)</body>
    </html>

    """
  }

  /// For text and for attributes in double quotes.
  private static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in cleaned(text).unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
