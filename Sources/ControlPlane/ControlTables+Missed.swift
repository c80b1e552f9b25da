public import ControlAPI

extension ControlTables {
  /// A row for each lesson that a site missed.
  public static func missed(_ list: MissedList, in language: Language) -> TextTable {
    let columns = ["missedStart", "missedSite", "missedSchool", "missedFree", "missedLesson"]
    var table = TextTable(columns.map { .init(Text.of("control.column.\($0)", in: language)) })
    for row in list.missed {
      table.add([
        row.start, row.site, row.institution, row.freeStart ?? "–", "\(row.title) \(row.lesson)",
      ])
    }
    return table
  }
}
