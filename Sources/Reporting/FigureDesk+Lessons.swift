internal import Classroom
internal import Ledger

extension FigureDesk {
  func addAttendance(to report: inout FigureReport, _ query: FigureQuery) throws {
    let lessons = try lessons(query)
    let places = try places()
    report.tables.append(Self.table(of: PlanFigures(lessons, minimumLessons: query.minimumLessons)))
    report.tables.append(Self.rooms(lessons, places))
    var table = FigureReport.Table(
      "seats",
      [
        .init("plannedStart", .time), .init("institution"), .init("room"), .init("outcome", .word),
        .init("planned", .seconds), .init("attendedSeconds", .seconds), .init("originalSeconds", .seconds),
        .init("confirmedSeconds", .seconds), .init("attended", .word), .init("headCount", .count),
        .init("hands", .count), .init("calls", .count), .init("spokenSeconds", .seconds), .init("lesson"),
      ])
    // What was played is no live attendance.
    for lesson in lessons where lesson.isSync {
      let attended = Set(lesson.attended.map(\.seat))
      for seat in lesson.fact.receivers {
        table.add([
          FigureCell(lesson.fact.plannedStart), places.institution(seat.institution), places.room(seat.room),
          .text(lesson.outcome.rawValue), FigureCell(lesson.fact.plannedMilliseconds / 1_000),
          FigureCell(seat.effectiveMilliseconds / 1_000),
          seat.correctedFrom.map { FigureCell($0 / 1_000) } ?? .none, FigureCell(seat.confirmedMilliseconds / 1_000),
          .text(attended.contains(seat.seat) ? "yes" : "no"), FigureCell(seat.headCount), FigureCell(seat.hands),
          FigureCell(seat.calls), FigureCell(seat.spokenMilliseconds / 1_000), .text("\(lesson.fact.id)"),
        ])
      }
    }
    report.tables.append(table)
  }

  /// What each receiving room had of all its lessons.
  private static func rooms(_ lessons: [CountedLesson], _ places: FigurePlaces) -> FigureReport.Table {
    struct Sum {
      var institution: Identifier?
      var planned = 0
      var attended = 0
      var seconds: Int64 = 0
      var confirmed: Int64 = 0
      var hands = 0
      var calls = 0
      var spoken: Int64 = 0
    }
    var sums: [Identifier: Sum] = [:]
    for lesson in lessons where lesson.isSync && lesson.outcome != .excluded && lesson.outcome != .pending {
      let attended = lesson.outcome == .taught ? Set(lesson.attended.map(\.seat)) : []
      for seat in lesson.fact.receivers {
        guard let room = seat.room else { continue }
        var sum = sums[room] ?? Sum(institution: seat.institution)
        sum.planned += 1
        if attended.contains(seat.seat) { sum.attended += 1 }
        sum.seconds &+= seat.effectiveMilliseconds / 1_000
        sum.confirmed &+= seat.confirmedMilliseconds / 1_000
        sum.hands += seat.hands
        sum.calls += seat.calls
        sum.spoken &+= seat.spokenMilliseconds / 1_000
        sums[room] = sum
      }
    }
    var table = FigureReport.Table(
      "rooms",
      [
        .init("room"), .init("institution"), .init("planned", .count), .init("classHours", .count),
        .init("attendedSeconds", .seconds), .init("confirmedSeconds", .seconds), .init("hands", .count),
        .init("calls", .count), .init("spokenSeconds", .seconds),
      ], plotted: "classHours")
    for (room, sum) in sums.sorted(by: { $0.key < $1.key }) {
      table.add([
        places.room(room), places.institution(sum.institution), FigureCell(sum.planned), FigureCell(sum.attended),
        FigureCell(sum.seconds), FigureCell(sum.confirmed), FigureCell(sum.hands), FigureCell(sum.calls),
        FigureCell(sum.spoken),
      ])
    }
    return table
  }

  func addQuality(to report: inout FigureReport, _ query: FigureQuery) throws {
    let places = try places()
    var table = FigureReport.Table(
      "lines",
      [
        .init("month"), .init("institution"), .init("room"), .init("quality", .word), .init("lessons", .count),
        .init("minutes", .count), .init("poorMinutes", .count), .init("loss", .permille), .init("roundTrip", .count),
        .init("jitter", .count), .init("bitrate", .count), .init("freezes", .count), .init("frozenSeconds", .seconds),
        .init("degradedSeconds", .seconds), .init("reconnects", .count),
      ], plotted: "poorMinutes")
    for row in QualityFigures(try lessons(query)).rows {
      let line = row.line
      let month = row.month < 10 ? "0\(row.month)" : "\(row.month)"
      table.add([
        .text("\(row.year)-\(month)"), places.institution(row.institution), places.room(row.room),
        line.quality(.current).map { .text($0.rawValue) } ?? .none, FigureCell(row.lessons), FigureCell(line.minutes),
        FigureCell(line.poorMinutes), FigureCell(line.mean(line.loss)), FigureCell(line.mean(line.roundTrip)),
        FigureCell(line.mean(line.jitter)), FigureCell(line.mean(line.bitrate)), FigureCell(line.freezes),
        FigureCell(line.frozenMilliseconds / 1_000), FigureCell(line.degradedMilliseconds / 1_000),
        FigureCell(row.reconnects),
      ])
    }
    report.tables.append(table)
  }

  func addExceptions(to report: inout FigureReport, _ query: FigureQuery) throws {
    let places = try places()
    let figures = ExceptionFigures(try lessons(query))
    var counts = FigureReport.Table(
      "exceptionCounts", [.init("kind", .word), .init("count", .count)], plotted: "count")
    for kind in ExceptionFigures.Kind.allCases {
      counts.add([.text(kind.rawValue), FigureCell(figures.counts[kind] ?? 0)])
    }
    var table = FigureReport.Table(
      "exceptions",
      [
        .init("plannedStart", .time), .init("kind", .word), .init("institution"), .init("room"),
        .init("amount", .count), .init("lesson"),
      ])
    for row in figures.rows {
      table.add([
        FigureCell(row.plannedStart), .text(row.kind.rawValue), places.institution(row.institution),
        places.room(row.room), FigureCell(row.amount), .text("\(row.lesson)"),
      ])
    }
    table.leftOut = figures.total - figures.rows.count
    report.tables += [counts, table]
  }

  func addTeachers(to report: inout FigureReport, _ query: FigureQuery) throws {
    let figures = TeacherFigures(try lessons(query))
    let persons = Dictionary(
      try store.persons(limit: 500_000).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    var table = FigureReport.Table(
      "teachers",
      [
        .init("staffNumber"), .init("name"), .init("planned", .count), .init("taught", .count),
        .init("taughtSeconds", .seconds), .init("classHours", .count), .init("calls", .count),
        .init("playbacks", .count), .init("teacher"),
      ], plotted: "taught")
    for row in figures.rows {
      let person = persons[row.teacher]
      table.add([
        .text(person?.staffNumber ?? ""), query.namesPersons ? .text(person?.name ?? "") : .none,
        FigureCell(row.planned), FigureCell(row.taught), FigureCell(row.taughtSeconds), FigureCell(row.classHours),
        FigureCell(row.calls), FigureCell(row.playbacks), .text("\(row.teacher)"),
      ])
    }
    table.leftOut = 0
    report.definitions.append(.init("withoutTeacher", figures.withoutTeacher))
    report.tables.append(table)
  }
}
