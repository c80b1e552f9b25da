// Goal: which sites keep the lead's bell stands in the sheet of courses, in either language, and comes back as it was;
// what one teacher's file tells of a class never makes its whole timetable known. Method: the small county, sheets
// written out and read again.
import Classroom
import Testing

@Suite struct ImportAdoptionTests {
  private static func sheet(_ adopted: String, header: String = "采用主讲作息") -> String {
    """
    课程编号,学期,联校群编号,学科,年级,主讲教室,接收教室,上课时间,\(header)
    K0137,2026-2027-1,Q1,音乐,三年级,P01-1,P07-2、P08-1,"周一第3节(1-16)、周三第2节(1-16单)、周三第2节(2-16双)","\(adopted)"
    """
  }

  private func adopted(_ text: String, header: String = "采用主讲作息") throws -> [[String]] {
    let base = try SampleCounty.base()
    let plan = try ImportSupport.plan([(.courses, Self.sheet(text, header: header))], onto: base)
    let course = try #require(plan.changes.courses.first)
    let numbers = Dictionary(uniqueKeysWithValues: base.rooms.map { ($0.id, $0.number) })
    return course.weeklyTimes.map { $0.adoptedBy.compactMap { numbers[$0] } }
  }

  @Test func roomsStandForAllTimesOrBehindOne() throws {
    #expect(try adopted("P07-2") == [["P07-2"], ["P07-2"], ["P07-2"]])
    #expect(try adopted("P07-2、P08-1", header: "adoptedBy") == Array(repeating: ["P07-2", "P08-1"], count: 3))
    #expect(try adopted("周一第3节：P07-2、P08-1、周三第2节:P08-1") == [["P07-2", "P08-1"], ["P08-1"], ["P08-1"]])
    #expect(try adopted("周三第2节(2-16双):P07-2") == [[], [], ["P07-2"]])
    #expect(try adopted("") == [[], [], []])
  }

  @Test func whatIsNoRoomOfTheCourseIsTold() throws {
    func codes(_ text: String) throws -> [String] {
      try ImportSupport.codes([(.courses, Self.sheet(text))], onto: SampleCounty.base())
    }
    #expect(try codes("P01-1") == ["unknownReference 2 采用主讲作息"], "the lead's own")
    #expect(try codes("P99-1") == ["unknownReference 2 采用主讲作息"])
    #expect(try codes("周五第1节:P07-2") == ["unknownReference 2 采用主讲作息"], "a time the course does not have")
    #expect(try codes("周九第1节:P07-2").count == 1)
    #expect(try codes("周一第3节:").count == 1)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    for text in ["P07-2", "周一第3节:P07-2、P08-1、周三第2节:P08-1", "周三第2节(2-16双):P07-2"] {
      var base = try SampleCounty.base()
      base.apply(try ImportSupport.plan([(.courses, Self.sheet(text))], onto: base).changes)
      for inEnglish in [false, true] {
        let table = base.table(of: .courses, inEnglish: inEnglish)
        #expect(table[0].contains(inEnglish ? "adoptedBy" : "采用主讲作息"))
        var writer = CSVWriter(header: table[0])
        for row in table.dropFirst() { writer.add(row.map(CSVCell.text)) }
        #expect(try ImportSupport.plan([(.courses, writer.text)], onto: base).changes.isEmpty, "\(text)")
        // Into an empty place of the course it brings the same.
        var bare = base
        for index in bare.courses[0].weeklyTimes.indices { bare.courses[0].weeklyTimes[index].adoptedBy = [] }
        bare.apply(try ImportSupport.plan([(.courses, writer.text)], onto: bare).changes)
        #expect(
          bare.courses[0].weeklyTimes.map { Set($0.adoptedBy) }
            == base.courses[0].weeklyTimes.map { Set($0.adoptedBy) })
      }
      // A sheet without the column leaves what was agreed.
      let plain = Self.sheet("").split(separator: "\n").map { line in
        line.split(separator: ",", omittingEmptySubsequences: false).dropLast().joined(separator: ",")
      }.joined(separator: "\n")
      #expect(try ImportSupport.plan([(.courses, plain)], onto: base).changes.isEmpty)
    }
  }

  // MARK: Whole and partial local timetables

  private static let teachers = "班级,课程名称,星期,节次,周次\nP08-B31,语文,周二,3,1-16\n"
  private static let classes = "班级,课程名称,星期,节次,周次\nP08-B31,语文,周二,3,1-16\nP08-B31,数学,周三,1,1-16\n"

  private func gaps(_ base: ImportBase) throws -> Set<Gap.State> {
    let timetable = try #require(Timetable(base, term: "2026-2027-1"))
    return Set(timetable.gaps(subjects: .standard, classes: [base.classes[2].id]).map(\.state))
  }

  @Test func oneTeachersFileMakesNoTimetableWhole() throws {
    var base = try SampleCounty.base()
    let teacher = ImportOptions(term: "2026-2027-1", teacher: base.persons[2].id)
    let own = ImportOptions(term: "2026-2027-1")
    #expect(try gaps(base) == [.notKnown])
    base.apply(try ImportSupport.plan([(.localLessons, Self.teachers)], onto: base, options: teacher).changes)
    #expect(base.partialLocals.count == 1)
    #expect(try gaps(base) == [.notKnown], "one teacher's lessons do not tell what the class lacks")
    let timetable = try #require(Timetable(base, term: "2026-2027-1"))
    #expect(!timetable.knowsLocals(of: base.classes[2].id) && timetable.knowsLocals(of: base.classes[1].id))
    #expect(timetable.localLessons[base.classes[2].id]?.count == 1, "but the class is taken then")
    #expect(
      try ImportSupport.plan([(.localLessons, Self.teachers)], onto: base, options: teacher).changes.isEmpty)
    // The class's own file makes it whole, also when it says the same.
    let same = try ImportSupport.plan([(.localLessons, Self.teachers)], onto: base, options: own)
    #expect(same.changes.localTimetables.map(\.isWhole) == [true])
    base.apply(try ImportSupport.plan([(.localLessons, Self.classes)], onto: base, options: own).changes)
    #expect(base.partialLocals.isEmpty)
    #expect(try gaps(base) == [.missing])
    // And whole it stays when a teacher's file changes some of it.
    let moved = "班级,课程名称,星期,节次,周次\nP08-B31,语文,周四,3,1-16\n"
    let after = try ImportSupport.plan([(.localLessons, moved)], onto: base, options: teacher)
    #expect(after.changes.localTimetables.map(\.isWhole) == [true])
  }

  @Test func jointLessonsOfAPrintedWeekAreNotTakenForLocalOnes() throws {
    let base = try SampleCounty.base()
    let week = """
      星期,开始时间,结束时间,课程名称,教师,地点,来源
      周一,10:20,11:00,音乐,王丽,P01-1,联校课
      周二,8:10,8:50,语文,李强,P08-B31,本校课
      """
    let options = ImportOptions(term: "2026-2027-1", schoolClass: base.classes[2].id)
    let plan = try ImportSupport.plan([(.localLessons, week)], onto: base, options: options)
    #expect(plan.changes.localTimetables.flatMap(\.lessons).map(\.subject) == ["chinese"])
  }

  // MARK: A week

  @Test func aWeekOfLocalLessonsFollowsCalendarAndBells() throws {
    let base = try SampleCounty.base()
    let timetable = try #require(Timetable(base, term: "2026-2027-1"))
    let schoolClass = base.classes[1].id
    func week(_ text: String) throws -> [String] {
      let monday = try #require(CivilDate(text))
      return timetable.localOccurrences(of: schoolClass, from: monday).map {
        "\($0.date) \($0.start)-\($0.end) \($0.lesson.subject)"
      }
    }
    #expect(
      try week("2026-08-31") == [
        "2026-08-31 08:10-08:50 chinese", "2026-08-31 09:00-09:40 chinese",
        "2026-09-04 09:00-09:40 红领巾广播",
      ])
    #expect(try week("2026-09-07").last == "2026-09-11 09:00-09:40 mathematics", "an even week")
    #expect(try week("2026-09-28").count == 2, "the National Day takes Friday's")
    #expect(timetable.localOccurrences(of: base.classes[2].id, from: try #require(CivilDate("2026-09-07"))) == [])
    #expect(try week("2999-12-30").isEmpty)
  }
}
