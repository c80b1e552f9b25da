extension WeekGrid {
  /// The week for a terminal of `width` columns (40…1,000), drawn with ASCII because lines of other characters are
  /// wide in some terminals; every line ends in a newline. Columns that need less take less.
  public func text(width: Int = 100) -> String {
    let first = rows.flatMap(heading) + [Self.cleaned(labels.periods)]
    let firstWidth = min(max(first.map { TextWidth.of($0) }.max() ?? 1, 1), 20)
    // A bar and two spaces for each column, and the last bar.
    let free = min(max(width, 40), 1_000) - firstWidth - 4 - days.count * 3
    let widths = [firstWidth] + widths(free)
    let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
    var result = ""
    if !labels.title.isEmpty { result += Self.cleaned(labels.title) + "\n" }
    let header = [[Self.cleaned(labels.periods)]] + days.map { [name(ofDay: $0)] }
    result += rule + Self.block(header, widths) + rule
    for row in rows {
      let cells = row.cells.map { lessons in
        Array(lessons.map { self.lines($0, in: row) }.joined(separator: ["--"]))
      }
      result += Self.block([heading(of: row)] + cells, widths) + rule
    }
    return result
  }

  private func lines(_ lesson: WeekLesson, in row: Row) -> [String] {
    let entry = entry(lesson, in: row)
    return [entry.heading] + entry.details
  }

  /// An equal part of `free` for each day, less where nothing needs it; what is saved goes to the others.
  private func widths(_ free: Int) -> [Int] {
    let natural = days.indices.map { column in
      let texts = rows.flatMap { row in row.cells[column].flatMap { lines($0, in: row) } }
      return max((texts + [name(ofDay: days[column])]).map { TextWidth.of($0) }.max() ?? 0, 6)
    }
    var widths = days.map { _ in 0 }
    var (left, count) = (max(free, days.count * 6), days.count)
    // The narrowest first, so that what it leaves is there for the wider ones.
    for column in days.indices.sorted(by: { natural[$0] < natural[$1] }) {
      widths[column] = min(natural[column], left / count)
      left -= widths[column]
      count -= 1
    }
    return widths
  }

  /// Cells side by side, each wrapped to its column.
  private static func block(_ cells: [[String]], _ widths: [Int]) -> String {
    let wrapped = cells.enumerated().map { column, lines in
      lines.flatMap { TextWidth.wrapped($0, to: widths[column]) }
    }
    var result = ""
    for line in 0..<(wrapped.map(\.count).max() ?? 0) {
      for (column, lines) in wrapped.enumerated() {
        result += "| " + TextWidth.padded(line < lines.count ? lines[line] : "", to: widths[column]) + " "
      }
      result += "|\n"
    }
    return result
  }
}
