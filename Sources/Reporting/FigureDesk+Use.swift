internal import Classroom
internal import Ledger

extension FigureDesk {
  func addScreenTime(to report: inout FigureReport, _ query: FigureQuery) throws {
    let places = try places()
    let classes = Dictionary(
      try store.classes(limit: 500_000).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    var table = FigureReport.Table(
      "screenTime",
      [
        .init("class"), .init("institution"), .init("days", .count), .init("minutes", .count),
        .init("mostInADay", .count), .init("dailyLimit", .count), .init("daysOver", .count),
        .init("longestStretch", .count), .init("stretchesOver", .count),
      ], plotted: "mostInADay")
    for row in ScreenTimeFigures(try lessons(query), classes: classes).rows {
      let known = classes[row.schoolClass]
      let number = known?.number ?? ""
      table.add([
        .text(number.isEmpty ? "\(row.schoolClass)" : number), places.institution(known?.institution),
        FigureCell(row.days), FigureCell(row.minutes), FigureCell(row.mostInADay), FigureCell(row.dailyLimit),
        FigureCell(row.daysOver), FigureCell(row.longest), FigureCell(row.stretchesOver),
      ])
    }
    report.tables.append(table)
  }

  func addSpaces(to report: inout FigureReport, _ query: FigureQuery) throws {
    var table = FigureReport.Table(
      "spaces",
      [.init("space", .word), .init("active", .count), .init("lessons", .count), .init("seconds", .seconds)],
      plotted: "lessons")
    for row in SpaceFigures(try lessons(query)).rows {
      table.add([.text(row.kind.rawValue), FigureCell(row.active), FigureCell(row.lessons), FigureCell(row.seconds)])
    }
    report.tables.append(table)
  }

  func addResources(to report: inout FigureReport, _ query: FigureQuery) throws {
    let use = try store.resourceUse(query.span.instants, institutions: query.institutions)
    var table = FigureReport.Table("resources", [.init("figure", .word), .init("value", .count)], plotted: "value")
    for kind in ResourceUse.kinds where kind.rawValue.hasPrefix("resource") || kind.rawValue.hasPrefix("playback") {
      table.add([.text(kind.rawValue), FigureCell(use.counts[kind] ?? 0)])
    }
    table.add([.text("resourcesPlayed"), FigureCell(use.resources)])
    table.add([.text("playedSeconds"), FigureCell(use.playedMilliseconds / 1_000)])
    report.tables.append(table)
  }

  /// What is kept of minors: head counts and consent, and recordings as far as their faces may be in them. Pupils are
  /// rows of no table.
  func addMinors(to report: inout FigureReport, _ query: FigureQuery) throws {
    let chosen = query.institutions
    let classes = try store.classes(limit: 500_000).filter { chosen?.contains($0.institution) ?? true }
    let use = try store.resourceUse(query.span.instants, institutions: chosen)
    var table = FigureReport.Table("minors", [.init("figure", .word), .init("value", .count)])
    let rows: [(String, Int)] = [
      ("classes", classes.count), ("classesWithConsent", classes.count { !$0.consentRecord.isEmpty }),
      ("pupilsCounted", classes.reduce(0) { $0 &+ $1.headCount }),
      ("consentGiven", use.counts[.consentGiven] ?? 0), ("consentWithdrawn", use.counts[.consentWithdrawn] ?? 0),
      ("recordingStarted", use.counts[.recordingStarted] ?? 0),
      ("resourcePublished", use.counts[.resourcePublished] ?? 0),
      ("resourceWithdrawn", use.counts[.resourceWithdrawn] ?? 0),
      ("resourceExpired", use.counts[.resourceExpired] ?? 0),
      ("playbackStarted", use.counts[.playbackStarted] ?? 0), ("personErased", use.counts[.personErased] ?? 0),
    ]
    for (key, value) in rows { table.add([.text(key), FigureCell(value)]) }
    report.tables.append(table)
  }
}
