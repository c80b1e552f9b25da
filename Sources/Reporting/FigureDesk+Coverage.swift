internal import Classroom
internal import Ledger

extension FigureDesk {
  func addCoverage(to report: inout FigureReport, _ query: FigureQuery) throws {
    let lessons = try lessons(query, .counts)
    let plan = PlanFigures(lessons, minimumLessons: query.minimumLessons)
    report.tables.append(Self.table(of: plan))
    let coverage = try coverage(lessons, query)
    report.tables.append(Self.summary(coverage.figures, plan))
    report.tables.append(Self.years(coverage.figures))
    let places = try places()
    var covered = FigureReport.Table("covered", [.init("institution"), .init("name"), .init("lessons", .count)])
    for id in coverage.figures.covered {
      covered.add([places.institution(id), places.name(id), FigureCell(coverage.attended[id] ?? 0)])
    }
    var never = FigureReport.Table("neverReached", [.init("institution"), .init("name")])
    for id in coverage.figures.neverReached { never.add([places.institution(id), places.name(id)]) }
    report.tables += [covered, never, try reach(lessons, query, places)]
  }

  /// One figure a row.
  static func table(of plan: PlanFigures) -> FigureReport.Table {
    var table = FigureReport.Table("plan", [.init("figure", .word), .init("value", .count)])
    let rows: [(String, Int64)] = [
      ("planned", Int64(plan.planned)), ("taught", Int64(plan.taught)), ("cancelled", Int64(plan.cancelled)),
      ("notTaught", Int64(plan.notTaught)), ("withoutReceiver", Int64(plan.withoutReceiver)),
      ("notHeld", Int64(plan.notHeld)), ("tooShort", Int64(plan.tooShort)), ("pending", Int64(plan.pending)),
      ("excluded", Int64(plan.excluded)), ("classHours", Int64(plan.classHours)),
      ("offerings", Int64(plan.offerings)), ("offeringsBegun", Int64(plan.offeringsBegun)),
      ("clusters", Int64(plan.clusters)), ("playbacks", Int64(plan.playbacks)), ("meetings", Int64(plan.meetings)),
      ("taughtSeconds", plan.taughtSeconds), ("attendedSeconds", plan.attendedSeconds),
      ("confirmedSeconds", plan.confirmedSeconds),
    ]
    for (key, value) in rows { table.add([.text(key), .number(value)]) }
    return table
  }

  private func coverage(
    _ lessons: [CountedLesson], _ query: FigureQuery
  ) throws -> (figures: CoverageFigures, attended: [Identifier: Int]) {
    var attended: [Identifier: Int] = [:]
    for lesson in lessons where lesson.isSync && lesson.outcome == .taught {
      for case let institution? in lesson.attended.map(\.institution) { attended[institution, default: 0] += 1 }
    }
    let first = try store.firstAttended().map { CivilTime.date(of: $0) } ?? query.span.from
    var history: [(name: Int, span: FigureSpan, attended: [Identifier: Int])] = []
    let whole = FigureSpan(from: min(first, query.span.from), through: query.span.through) ?? query.span
    for year in whole.years(query.years) {
      let end = min(year.span.through, query.span.through)
      guard let part = FigureSpan(from: year.span.from, through: end) else { continue }
      history.append((year.name, part, try store.attendedLessons(part.instants)))
    }
    let figures = CoverageFigures(
      institutions: try institutions(query), span: query.span, attended: attended, history: history)
    return (figures, attended)
  }

  private static func summary(_ coverage: CoverageFigures, _ plan: PlanFigures) -> FigureReport.Table {
    var table = FigureReport.Table(
      "coverage", [.init("figure", .word), .init("value", .count), .init("of", .count), .init("share", .permille)])
    func add(_ key: String, _ value: Int, of whole: Int?) {
      let share = whole.flatMap { $0 > 0 ? value * 1_000 / $0 : nil }
      table.add([.text(key), FigureCell(value), FigureCell(whole), FigureCell(share)])
    }
    let definitions = FigureDefinitions.current
    add("coveredInstitutions", coverage.covered.count, of: coverage.open.count)
    add("neverReachedInstitutions", coverage.neverReached.count, of: coverage.open.count)
    add("newlyCovered", coverage.years.last?.newly ?? 0, of: coverage.years.last?.open ?? 0)
    add("cumulativeCovered", coverage.years.last?.cumulative ?? 0, of: nil)
    add("lapsed", coverage.years.last?.lapsed ?? 0, of: nil)
    add("clusters", plan.clusters, of: definitions.clusterGoal)
    add("offerings", plan.offerings, of: definitions.offeringGoal)
    return table
  }

  private static func years(_ coverage: CoverageFigures) -> FigureReport.Table {
    var table = FigureReport.Table(
      "years",
      [
        .init("year"), .init("open", .count), .init("coveredInstitutions", .count), .init("newlyCovered", .count),
        .init("newShare", .permille), .init("cumulativeCovered", .count), .init("lapsed", .count),
      ], plotted: "coveredInstitutions")
    for year in coverage.years {
      table.add([
        .text("\(year.name)"), FigureCell(year.open), FigureCell(year.covered), FigureCell(year.newly),
        FigureCell(year.newShare), FigureCell(year.cumulative), FigureCell(year.lapsed),
      ])
    }
    return table
  }

  private func reach(
    _ lessons: [CountedLesson], _ query: FigureQuery, _ places: FigurePlaces
  ) throws -> FigureReport.Table {
    let classes = try store.classes(limit: 500_000)
    let chosen = query.institutions
    let rosters = try store.rosterTotals().filter { chosen?.contains($0.institution) ?? true }
    let figures = ReachFigures(
      lessons, classes: Dictionary(classes.map { ($0.id, $0) }, uniquingKeysWith: { $1 }), rosters: rosters,
      schoolYear: query.span.through.schoolYear)
    var table = FigureReport.Table(
      "reach",
      [
        .init("institution"), .init("name"), .init("pupils", .count), .init("roster", .count),
        .init("share", .permille),
      ], plotted: "share")
    for row in figures.rows {
      table.add([
        places.institution(row.institution), places.name(row.institution), FigureCell(row.pupils),
        FigureCell(row.roster), FigureCell(row.share),
      ])
    }
    return table
  }
}
