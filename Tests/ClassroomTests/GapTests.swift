// Goal: what the list of gaps says is true: nothing missing that is taught, nothing called missing that nobody knows,
// and a relay course takes away exactly what it brings. Method: classes of a few pupils with timetables of their own,
// with none, and of several grades; random timetables against the definition written out.
import Classroom
import Testing

@Suite struct GapTests {
  static func id(_ number: UInt64) -> Identifier { Identifier(high: 9, low: number) }
  static let school = id(1)
  static let pupils = id(2)

  static func local(_ names: [String], _ row: Identifier = pupils) -> [LocalLesson] {
    names.map {
      LocalLesson(
        institution: school, term: "2026-2027-1", schoolClass: row, subject: $0, weekday: 1, time: .period(1))
    }
  }

  static func course(
    _ subject: String, mode: Course.Mode = .sync, lead: Identifier? = nil, receiver: Identifier? = pupils
  ) -> Course {
    Course(
      id: id(90), cluster: id(91), term: "2026-2027-1", subject: subject, grades: [3],
      lead: .init(schoolClass: lead, room: id(92)), receivers: [.init(schoolClass: receiver, room: id(93))], mode: mode
    )
  }

  /// Pupils who entered in the given years, in the autumn of 2026.
  static func timetable(_ years: [Int], local: [LocalLesson]?, courses: [Course] = []) throws -> Timetable {
    Timetable(
      term: Term(
        id: id(5), code: "2026-2027-1", name: "秋季", firstDay: try #require(CivilDate("2026-08-31")), weeks: 20),
      institutions: [Institution(id: school, kind: .school, name: "中心小学")],
      classes: [
        SchoolClass(
          id: pupils, number: "B2", institution: school, name: "班",
          cohorts: years.map { .init(entryYear: $0, headCount: 5) })
      ], courses: courses, localLessons: local.map { [pupils: $0] } ?? [:])
  }

  static func lines(_ timetable: Timetable) -> [String] {
    timetable.gaps(subjects: .standard).map { "\($0.subject) \($0.grades) \($0.state)" }
  }

  @Test func whatIsTaughtLocallyIsNoGap() throws {
    let names = ["道法", "语文", "数学", "小学英语", "科学", "信息技术", "体育", "唱歌", "labour"]
    let timetable = try Self.timetable([2024], local: Self.local(names))
    #expect(Self.lines(timetable) == ["integratedPractice [3] missing"])
    // An unknown name covers nothing, and one lesson may be all a class has.
    let few = try Self.timetable([2024], local: Self.local(["自习"]))
    #expect(Self.lines(few).count == 10)
    #expect(Self.lines(few).allSatisfy { $0.hasSuffix("missing") })
    #expect(Self.lines(try Self.timetable([2024], local: [])).count == 10, "an imported timetable without a lesson")
  }

  @Test func aTimetableNeverImportedIsNotKnown() throws {
    let timetable = try Self.timetable([2024], local: nil, courses: [Self.course("音乐")])
    #expect(Self.lines(timetable).count == 9)
    #expect(Self.lines(timetable).allSatisfy { $0.hasSuffix("notKnown") && !$0.hasPrefix("arts") })
  }

  @Test(arguments: [
    ("music", "arts"), ("fineArts", "arts"), ("english", "foreignLanguage"), ("俄语", "foreignLanguage"),
    ("科学", "science"), ("chinese", "chinese"),
  ]) func addingACourseTakesAwayExactlyItsLine(subject: String, line: String) throws {
    for local in [[], nil] as [[LocalLesson]?] {
      for mode in [Course.Mode.sync, .asyncDual] {
        let before = try Self.timetable([2024], local: local)
        for course in [
          Self.course(subject, mode: mode), Self.course(subject, mode: mode, lead: Self.pupils, receiver: nil),
        ] {
          var after = before
          after.courses = [course]
          let (first, second) = (before.gaps(subjects: .standard), after.gaps(subjects: .standard))
          #expect(first.filter { $0.subject != line } == second)
          #expect(first.count == second.count + 1)
        }
      }
    }
  }

  @Test func otherCoursesTakeAwayNothing() throws {
    let before = try Self.timetable([2024], local: [])
    for course in [
      Self.course("music", mode: .research), Self.course("music", receiver: Self.id(77)), Self.course("绘画"),
      Self.course("mentalHealth"), Self.course("chemistry"),
    ] {
      var after = before
      after.courses = [course]
      #expect(before.gaps(subjects: .standard) == after.gaps(subjects: .standard))
    }
  }

  @Test func severalGradesLackTheirUnion() throws {
    let timetable = try Self.timetable([2025, 2024, 2021], local: [])
    let lines = Self.lines(timetable)
    #expect(lines.contains("chinese [2, 3, 6] missing"))
    #expect(lines.contains("foreignLanguage [3, 6] missing"))
    #expect(lines.count == 10)
    // Junior science stands for three; entry next year and long ago have no grade.
    let junior = try Self.timetable([2019, 2027, 2001], local: Self.local(["科学", "历史与社会"]))
    #expect(junior.classes.values.first?.cohorts.count == 3)
    let missing = Self.lines(junior)
    #expect(missing.contains("foreignLanguage [8] missing"))
    for key in ["physics", "biology", "history", "geography"] { #expect(!missing.contains { $0.hasPrefix(key) }) }
    #expect(Self.lines(try Self.timetable([2027], local: [])).isEmpty)
    #expect(Self.lines(try Self.timetable([2016], local: nil)).isEmpty, "the plan ends with grade 9")
  }

  @Test func chosenClassesInTheirOrderAndClosedSchoolsNotAtAll() throws {
    var timetable = try Self.timetable([2024], local: [])
    timetable.classes[Self.id(3)] = SchoolClass(
      id: Self.id(3), number: "A1", institution: Self.id(4), name: "班", cohorts: [.init(entryYear: 2024, headCount: 1)]
    )
    func rows(_ chosen: [Identifier]? = nil) -> [Identifier] {
      timetable.gaps(subjects: .standard, classes: chosen).map(\.schoolClass).reduce(into: []) {
        if $0.last != $1 { $0.append($1) }
      }
    }
    #expect(rows() == [Self.id(3), Self.pupils])
    #expect(rows([Self.pupils, Self.id(99), Self.id(3)]) == [Self.pupils, Self.id(3)])
    #expect(rows([]) == [])
    let begin = CivilTime.instant(try #require(CivilDate("2026-08-31")), .noon + -720)
    timetable.institutions[Self.school]?.validUntil = begin + 1
    #expect(rows() == [Self.id(3), Self.pupils], "closed during the term")
    timetable.institutions[Self.school]?.validUntil = begin
    #expect(rows() == [Self.id(3)])
    timetable.institutions[Self.school]?.validUntil = nil
    timetable.institutions[Self.school]?.validFrom = begin + 140 * 86_400_000
    #expect(rows() == [Self.id(3)])
  }

  /// The same class is asked for more when it is a year older.
  @Test func gradesFollowTheTerm() throws {
    var timetable = try Self.timetable([2024], local: Self.local(["信息科技"]))
    timetable.term.firstDay = try #require(CivilDate("2026-02-23"))
    #expect(!Self.lines(timetable).contains { $0.hasPrefix("foreignLanguage") }, "grade 2 until July")
    timetable.term.firstDay = try #require(CivilDate("2026-09-01"))
    #expect(Self.lines(timetable).contains("foreignLanguage [3] missing"))
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>) func agreesWithTheDefinition(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let names = SubjectTable.standard.subjects.map(\.key) + ["自习"]
    func some(_ count: Int) -> [String] {
      (0..<Int.random(in: 0...count, using: &generator)).compactMap { _ in names.randomElement(using: &generator) }
    }
    let years = Set((0..<3).map { _ in Int.random(in: 2015...2027, using: &generator) }).sorted()
    let local = Bool.random(using: &generator) ? some(20) : nil
    let relayed = some(8)
    let timetable = try Self.timetable(
      years, local: local.map { Self.local($0) }, courses: relayed.map { Self.course($0) })
    let taught = Set((local ?? []) + relayed)
    var expected: Set<Gap> = []
    for subject in SubjectTable.standard.subjects {
      let asking = (1...9).filter { grade in subject.grades.contains(grade) && years.contains(2026 - grade + 1) }
      let isTaught = taught.contains { name in
        name == subject.key || SubjectTable.standard[name]?.satisfies.contains(subject.key) == true
      }
      guard !asking.isEmpty, !isTaught else { continue }
      expected.insert(
        Gap(schoolClass: Self.pupils, grades: asking, subject: subject.key, state: local == nil ? .notKnown : .missing)
      )
    }
    let found = timetable.gaps(subjects: .standard)
    #expect(Set(found) == expected)
    #expect(found.count == expected.count)
  }
}
