// Goal: the county's figures are those that were agreed on, figure by figure. Method: the golden county as facts, and
// single facts on both sides of each threshold.
import Classroom
import Testing

@Suite struct GoldenCountyTests {
  static let planned: Int64 = 2_400_000
  static let span = FigureSpan(from: CivilDate("2026-09-01")!, through: CivilDate("2027-01-31")!)!
  static let start = CivilTime.instant(CivilDate("2026-09-07")!, ClockTime("08:00")!)

  static func id(_ section: UInt64, _ number: UInt64) -> Identifier { Identifier(high: section, low: number) }
  static func point(_ number: UInt64) -> Identifier { id(1, number) }

  static let institutions: [Institution] =
    [Institution(id: point(0), number: "L", kind: .school, name: "中心小学", setting: .town)]
    + (1...4).map {
      Institution(
        id: point($0), number: "P\($0)", kind: .teachingPoint, name: "教学点", parent: point(0), setting: .rural)
    }

  /// - Parameter attended: seconds by point.
  static func lesson(
    _ number: UInt64, cluster: UInt64, course: UInt64, subject: String = "music", grades: [Int],
    mode: Course.Mode = .sync, state: LessonState = .ended, attended: [(point: UInt64, seconds: Int64)] = []
  ) -> LessonFact {
    let begin = start + Int64(number) * 86_400_000
    var fact = LessonFact(
      id: id(2, number), course: id(3, course), cluster: id(4, cluster), term: "2026-2027-1", subject: subject,
      grades: grades, mode: mode, teacher: id(5, course), plannedStart: begin, plannedEnd: begin + planned,
      state: state)
    fact.events = 1
    if state == .ended {
      fact.liveMilliseconds = planned
      fact.endedAt = begin + planned
    }
    fact.seats = [SeatFact(seat: id(6, number * 100), role: .lead, institution: point(0), room: id(7, 0))]
    fact.seats += attended.map {
      SeatFact(
        seat: id(6, number * 100 + $0.point), role: .receiver, institution: point($0.point),
        schoolClass: id(8, $0.point), room: id(7, $0.point), effectiveMilliseconds: $0.seconds * 1_000)
    }
    return fact
  }

  static let lessons: [LessonFact] =
    [
      lesson(1, cluster: 1, course: 1, grades: [3], attended: [(1, 2_400), (2, 2_400)]),
      lesson(2, cluster: 1, course: 1, grades: [3], attended: [(1, 2_400), (2, 1_599)]),
      lesson(3, cluster: 1, course: 1, grades: [3], attended: [(1, 2_400), (2, 0)]),
      lesson(4, cluster: 1, course: 1, grades: [3], state: .cancelled, attended: [(1, 0), (2, 0)]),
    ]
    + (5...8).map { lesson($0, cluster: 1, course: $0 < 7 ? 2 : 3, grades: [4], attended: [(1, 2_400)]) }
    + [
      lesson(9, cluster: 2, course: 4, subject: "english", grades: [3], attended: [(3, 0)])
    ]
    + (10...12).map {
      lesson($0, cluster: 2, course: 4, subject: "english", grades: [3], state: .notHeld, attended: [(3, 0)])
    }
    + [
      lesson(13, cluster: 2, course: 5, grades: [3], mode: .asyncDual, attended: [(3, 2_400)]),
      lesson(14, cluster: 1, course: 6, grades: [], mode: .research, attended: [(1, 2_400), (4, 2_400)]),
    ]

  static func figures(_ facts: [LessonFact]) -> (plan: PlanFigures, coverage: CoverageFigures) {
    let counted = facts.map { CountedLesson($0) }
    var attended: [Identifier: Int] = [:]
    for lesson in counted where lesson.isSync && lesson.outcome == .taught {
      for seat in lesson.attended { attended[seat.institution!, default: 0] += 1 }
    }
    let year = span.years(.school)
    return (
      PlanFigures(counted, minimumLessons: 1),
      CoverageFigures(
        institutions: institutions, span: span, attended: attended,
        history: year.map { ($0.name, $0.span, attended) })
    )
  }

  @Test func theGoldenCountyCountsAsAgreed() {
    let (plan, coverage) = Self.figures(Self.lessons)
    #expect(plan.planned == 12 && plan.taught == 7 && plan.cancelled == 1 && plan.notTaught == 4)
    #expect(plan.withoutReceiver == 1 && plan.notHeld == 3 && plan.tooShort == 0 && plan.pending == 0)
    #expect(plan.classHours == 8 && plan.offerings == 2 && plan.clusters == 1)
    #expect(plan.playbacks == 1 && plan.meetings == 1 && plan.excluded == 0)
    #expect(coverage.open == (1...4).map { Self.point($0) })
    #expect(coverage.covered == [Self.point(1), Self.point(2)])
    #expect(coverage.neverReached == [Self.point(3), Self.point(4)])
    #expect(coverage.years.map(\.newShare) == [500] && coverage.years[0].cumulative == 2)
  }

  @Test func offeringsNeedTheirMinimum() {
    let counted = Self.lessons.map { CountedLesson($0) }
    // Three lessons of grade 3, four of grade 4 by two courses.
    #expect(PlanFigures(counted, minimumLessons: 4).offerings == 1)
    #expect(PlanFigures(counted, minimumLessons: 5).offerings == 0)
    let usual = PlanFigures(counted)
    #expect(usual.offerings == 0 && usual.offeringsBegun == 2 && usual.minimumLessons == 12)
  }

  @Test func aRoomWithTwoDevicesCountsOnce() {
    var fact = Self.lessons[0]
    var second = fact.seats[1]
    second.seat = Self.id(6, 9_999)
    second.effectiveMilliseconds = 2_000_000
    fact.seats.append(second)
    let counted = CountedLesson(fact)
    #expect(counted.attended.count == 2 && counted.attended.map(\.effectiveMilliseconds) == [2_400_000, 2_400_000])
    // The longer of both holds, whichever comes first.
    fact.seats.swapAt(1, 3)
    #expect(CountedLesson(fact).attended.reduce(0) { $0 + $1.effectiveMilliseconds } == 4_800_000)
  }

  @Test func confirmedNeedsSomebodyWhoWasSeen() {
    var fact = Self.lessons[0]
    #expect(PlanFigures([CountedLesson(fact)]).confirmedSeconds == 0)
    fact.seats[1].headCount = 9
    #expect(PlanFigures([CountedLesson(fact)]).confirmedSeconds == 2_400)
    fact.seats[2].hands = 1
    let plan = PlanFigures([CountedLesson(fact)])
    #expect(plan.confirmedSeconds == 4_800 && plan.attendedSeconds == 4_800)
    fact.seats[1].headCount = 0
    #expect(PlanFigures([CountedLesson(fact)]).confirmedSeconds == 2_400, "nobody was counted")
  }

  @Test func severalRelaysAddUpWithoutDoubleCount() {
    var older = Self.lessons
    older[0].events = 0
    older[0].seats = []
    let (plan, _) = Self.figures(LessonFact.merged([older, Array(Self.lessons[0..<5]), Self.lessons]))
    #expect(plan.planned == 12 && plan.taught == 7 && plan.classHours == 8)
    let halves = LessonFact.merged([Array(Self.lessons[0..<6]), Array(Self.lessons[6...])])
    #expect(halves == Self.lessons)
  }

  @Test func aScopeSeesItsOwnPart() {
    let own: Set = [Self.point(2)]
    let counted = Self.lessons.compactMap { CountedLesson($0).restricted(to: own) }
    let plan = PlanFigures(counted, minimumLessons: 1)
    // That others attended makes a lesson taught; what is counted is one's own.
    #expect(plan.planned == 4 && plan.taught == 3 && plan.classHours == 1)
  }
}

@Suite struct FigureRuleTests {
  typealias Golden = GoldenCountyTests

  @Test func mergersLeavePastFiguresAlone() {
    let end = CivilTime.instant(CivilDate("2027-07-01")!, ClockTime("00:00")!)
    var institutions = Golden.institutions
    institutions[2].validUntil = end
    institutions[2].successor = Golden.point(1)
    let first = FigureSpan(from: CivilDate("2026-08-01")!, through: CivilDate("2027-07-31")!)!
    let second = FigureSpan(from: CivilDate("2027-08-01")!, through: CivilDate("2028-07-31")!)!
    func figures(_ institutions: [Institution], _ span: FigureSpan) -> CoverageFigures {
      CoverageFigures(
        institutions: institutions, span: span, attended: span == first ? [Golden.point(2): 3] : [:],
        history: [(2026, first, [Golden.point(2): 3, Golden.point(1): 1]), (2027, second, [:])])
    }
    let before = figures(Golden.institutions, first)
    let after = figures(institutions, first)
    var same = after
    same.years[1] = before.years[1]
    #expect(same == before)
    #expect(after.years[0].open == 4 && after.years[1].open == 3)
    // The merged one is gone, not lapsed; the other lapsed.
    #expect(after.years[1].lapsed == 1 && before.years[1].lapsed == 2 && after.years[1].cumulative == 2)
    #expect(!figures(institutions, second).open.contains(Golden.point(2)))
  }

  @Test func screenTimeIsHeldAgainstThePolicy() {
    var facts: [LessonFact] = []
    for number in 0..<4 as Range<UInt64> {
      var fact = Golden.lesson(number, cluster: 1, course: 1, grades: [3], attended: [(1, 2_400)])
      // One day, each five minutes after the other.
      fact.plannedStart = Golden.start + Int64(number) * 2_700_000
      fact.plannedEnd = fact.plannedStart + Golden.planned
      facts.append(fact)
    }
    let pupils = SchoolClass(
      id: Golden.id(8, 1), institution: Golden.point(1), name: "三年级", cohorts: [.init(entryYear: 2024, headCount: 9)])
    let rows = ScreenTimeFigures(facts.map { CountedLesson($0) }, classes: [pupils.id: pupils]).rows
    #expect(rows.count == 1 && rows[0].minutes == 160 && rows[0].mostInADay == 160 && rows[0].dailyLimit == 120)
    #expect(rows[0].daysOver == 1 && rows[0].longest == 160 && rows[0].stretchesOver == 1)
    let calm = ScreenTimeFigures(facts.prefix(1).map { CountedLesson($0) }, classes: [pupils.id: pupils]).rows
    #expect(calm[0].daysOver == 0 && calm[0].stretchesOver == 0 && calm[0].longest == 40)
  }

  @Test func linesAreGoodFairOrPoor() {
    let definitions = FigureDefinitions.current
    #expect(SeatMinute(minute: 0, loss: 10, roundTrip: 150, jitter: 30).quality(definitions) == .good)
    #expect(SeatMinute(minute: 0, loss: 11).quality(definitions) == .fair)
    #expect(SeatMinute(minute: 0, degradedMilliseconds: 1, degradedTo: "layer").quality(definitions) == .fair)
    #expect(SeatMinute(minute: 0, loss: 50).quality(definitions) == .poor)
    #expect(SeatMinute(minute: 0, frozenMilliseconds: 3_000).quality(definitions) == .poor)
    #expect(SeatMinute(minute: 0, degradedTo: "none").quality(definitions) == .poor)
    var line = LineFact()
    #expect(line.quality(definitions) == nil)
    for _ in 0..<9 { line.take(SeatMinute(minute: 0), definitions) }
    #expect(line.quality(definitions) == .good)
    line.take(SeatMinute(minute: 0, loss: 60), definitions)
    #expect(line.quality(definitions) == .poor && line.mean(line.loss) == 6)
  }

  @Test func exceptionsNameWhatWentWrong() {
    var late = Golden.lessons[0]
    late.endedAt = late.plannedEnd + 300_001
    late.seats[1].headCount = 9
    late.seats[1].line.take(SeatMinute(minute: 0, loss: 900), .current)
    var corrected = Golden.lessons[4]
    corrected.corrections = 1
    corrected.seats[1].hands = 2
    let figures = ExceptionFigures(([late, corrected] + Golden.lessons[8...9]).map { CountedLesson($0) })
    #expect(
      figures.counts == [
        .overTime: 1, .poorQuality: 1, .unconfirmed: 1, .corrected: 1, .withoutReceiver: 1, .notHeld: 1,
      ])
    #expect(figures.total == 6 && figures.rows.first?.lesson == late.id)
    late.endedAt = late.plannedEnd + 300_000
    #expect(ExceptionFigures([CountedLesson(late)]).counts[.overTime] == nil)
  }

  @Test func teachersAndSpacesAreCounted() {
    let counted = Golden.lessons.map { CountedLesson($0) }
    let teachers = TeacherFigures(counted)
    #expect(teachers.rows.map(\.taught) == [3, 2, 2, 0, 0] && teachers.rows.map(\.planned) == [4, 2, 2, 4, 0])
    #expect(teachers.rows.map(\.classHours) == [4, 2, 2, 0, 0] && teachers.rows[4].playbacks == 1)
    let spaces = SpaceFigures(counted).rows
    #expect(spaces[0].kind == .personal && spaces[0].active == 3 && spaces[0].lessons == 7)
    #expect(spaces[1].active == 3 && spaces[1].lessons == 15)
  }

  @Test func reachIsHeldAgainstTheRoster() {
    let counted = Golden.lessons.map { CountedLesson($0) }
    let classes = Dictionary(
      uniqueKeysWithValues: (1...2 as ClosedRange<UInt64>).map {
        (
          Golden.id(8, $0),
          SchoolClass(
            id: Golden.id(8, $0), institution: Golden.point($0), name: "班",
            cohorts: [.init(entryYear: 2024, headCount: 10)])
        )
      })
    let rosters = [
      RosterTotal(institution: Golden.point(1), schoolYear: 2026, pupils: 40),
      RosterTotal(institution: Golden.point(1), schoolYear: 2026, grade: 3, pupils: 10),
      RosterTotal(institution: Golden.point(3), schoolYear: 2026, grade: 3, pupils: 7),
      RosterTotal(institution: Golden.point(2), schoolYear: 2025, pupils: 99),
    ]
    let rows = ReachFigures(counted, classes: classes, rosters: rosters, schoolYear: 2026).rows
    #expect(rows.map(\.pupils) == [10, 10, 0] && rows.map(\.roster) == [40, nil, 7])
    #expect(rows.map(\.share) == [250, nil, 0])
  }
}
