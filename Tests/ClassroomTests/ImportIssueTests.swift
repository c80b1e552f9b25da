// Goal: everything wrong with a file is told at once, by code, row and column, and nothing is planned then. Method: one
// sheet of faults for each kind, with the codes they must give and no others.
import Classroom
import Testing

@Suite struct ImportIssueTests {
  @Test func headersAreCheckedAsAWhole() throws {
    let codes = try ImportSupport.codes([(.rooms, "教室编号,面积,教室编号,名称\nP01-1,40,x,y\n")])
    #expect(codes == ["unknownColumn 1 面积", "duplicateColumn 1 教室编号", "missingColumn 1 学校编号"])
    #expect(
      try ImportSupport.codes([(.rooms, "教室编号,,学校编号\nA,x,P01,,y\n")]) == [
        "extraCell 2 B", "extraCell 2 E", "unknownReference 2 学校编号",
      ])
    let empty = #expect(throws: ImportIssue.self) { try ImportSupport.sheet(.rooms, " \n,,\n") }
    #expect(empty?.code == .emptyFile && empty?.sheet == .rooms)
  }

  @Test func institutionsAreChecked() throws {
    let text = """
      编号,学校标识码,名称,类型,中心校,城乡,启用日期,停用日期
      P01,2143000001,甲,学校,,镇区,2026/2/30,
      P02,2.143E+09,乙,学园,,,9/1/2026,
      P02,,丙,教学点,,,,
      ,,丁,,,,,
      P04,214300,,教学点,P99,城里,,
      P05,,戊,教学点,甲,,2026/9/1,2026/8/1
      """
    #expect(
      try ImportSupport.codes([(.institutions, text)]) == [
        "impossibleDate 2 启用日期", "numberBecameScientific 3 学校标识码", "badChoice 3 类型", "badDate 3 启用日期",
        "duplicateRow 4 编号", "missingKey 5 编号", "badCode 6 学校标识码", "missingValue 6 名称", "unknownReference 6 中心校",
        "badChoice 6 城乡", "unknownReference 7 中心校",
      ])
    let issues = try ImportSupport.issues([
      (.institutions, "编号,名称,类型,中心校,启用日期,停用日期\nP05,戊,教学点,,,\nP06,己,学校,,2026/9/1,2026/8/1")
    ])
    #expect(issues.map(\.code) == [.missingParent, .outOfRange] && issues.map(\.column) == ["中心校", "停用日期"])
  }

  @Test func circlesOfParentsAreToldOfTheRowsInThem() throws {
    let text = "编号,名称,类型,中心校,并入学校\nA,a,教学点,B,\nB,b,教学点,C,\nC,c,教学点,B,\nD,d,学校,,E\nE,e,学校,,D\nF,f,学校,F,\n"
    #expect(
      try ImportSupport.codes([(.institutions, text)]) == [
        "cyclicReference 3 中心校", "cyclicReference 4 中心校", "cyclicReference 5 并入学校", "cyclicReference 6 并入学校",
        "duplicateEntry 7 中心校", "cyclicReference 7 中心校",
      ])
  }

  @Test func namesAreNoKeys() throws {
    let base = try SampleCounty.base()
    let course = SampleCounty.courses
    let twoOfAName = try ImportSupport.issues([(.courses, course.replacing(",002,", with: ",王丽,"))], onto: base)
    #expect(twoOfAName.map(\.code) == [.ambiguousName] && twoOfAName[0].column == "主讲教师" && twoOfAName[0].row == 2)
    #expect(twoOfAName[0].arguments == ["candidates": "001、002"] && twoOfAName[0].suggestion == .useStaffNumber)
    #expect(
      try ImportSupport.codes([(.courses, course.replacing(",002,", with: ",赵四,"))], onto: base) == [
        "unknownReference 2 主讲教师"
      ])
    let elsewhere = try ImportSupport.plan([(.courses, course.replacing(",002,", with: ",P07/001,"))], onto: base)
    #expect(elsewhere.changes.courses.first?.lead.teacher == base.persons[2].id)
    let school = try ImportSupport.issues([(.rooms, "教室编号,学校编号\nP09-1,上坪教学点")], onto: base)
    #expect(school.map(\.code) == [.unknownReference] && school[0].arguments["candidates"] == "P08")
    #expect(school[0].suggestion == .useNumber)
  }

  @Test func peopleAndClassesAreChecked() throws {
    let base = try SampleCounty.base()
    let persons = """
      学校编号,工号,姓名,账号来源,账号
      P01,4.31E+09,甲,,
      P01,,乙,,
      P01,003,丙,https://id.example.cn,
      P07,001,丁,https://id.example.cn,u-17
      P99,001,戊,,
      P01,005,,,
      """
    let found = try ImportSupport.codes([(.persons, persons)], onto: base)
    #expect(
      found == [
        "numberBecameScientific 2 工号", "missingKey 3 工号", "missingValue 4 账号", "keyConflict 5 学校编号",
        "unknownReference 6 学校编号", "missingValue 7 姓名",
      ])
    let classes = """
      编号,学校编号,班级名称,入学年份,年级,人数,教室
      A1,P01,a,2023、2024,,5,
      A2,P01,b,,三年级,500,P01-9
      A3,P01,c,2024级、2024,,1、2,
      A4,P01,d,,十三年级,,
      """
    #expect(
      try ImportSupport.codes([(.classes, classes)], onto: base, options: SampleCounty.options) == [
        "unequalLists 2 人数", "unknownReference 3 教室", "outOfRange 3 人数", "duplicateEntry 4 入学年份", "badGrade 5 年级",
      ])
    #expect(try ImportSupport.codes([(.classes, SampleCounty.classes)], onto: base).first == "missingColumn 2 入学年份")
  }

  @Test func coursesAreChecked() throws {
    let base = try SampleCounty.base()
    let header = "课程编号,学期,联校群编号,学科,年级,主讲教室,接收教室,接收班级,上课时间,周次,方式"
    let rows = [
      "K1,2026-2027-1,Q1,音乐,3,P01-1,P07-2,P07-B23,周一3,1月16日,同步", "K2,2026-2027-2,Q9,星象,十,P01-9,P07-2,,周九3,,",
      "K3,2026-2027-1,Q1,音乐,3,P01-1,P07-2、P07-9,,1月3日,,", "K4,2026-2027-1,Q1,音乐,3,P01-1,P07-2、P07-2,,,,线下",
      "K5,2026-2027-1,Q1,音乐,3,P01-1,P01-1,,,,", "K6,2026-2027-1,Q1,音乐,3,P01-1,P07-2、P08-1,P07-B23,,,",
      "K7,,Q1,音乐,3,P01-1,P07-2,,,,", "K6,2026-2027-1,Q1,音乐,3,P01-1,P07-2,,,,",
    ]
    let issues = try ImportSupport.issues([(.courses, ([header] + rows).joined(separator: "\n"))], onto: base)
    #expect(
      issues.map { "\($0.code) \($0.row) \($0.column)" } == [
        "weeksBecameDate 2 周次", "unknownReference 3 学期",
        "unknownReference 4 接收教室",
        "spanBecameDate 4 上课时间", "badChoice 5 方式", "duplicateEntry 5 接收教室", "duplicateEntry 6 接收教室",
        "unequalLists 7 接收班级",
        "missingValue 8 学期", "duplicateRow 9 课程编号",
      ])
    #expect(issues[0].arguments["likely"] == "1-16" && issues[0].suggestion == .formatAsText)
    let all = try ImportSupport.codes(
      [(.courses, header + "\nK2,2026-2027-1,Q9,星象,十,P01-9,P07-2,,周九3,,\n")], onto: base)
    #expect(
      all == [
        "unknownReference 2 联校群编号", "unknownReference 2 主讲教室", "unknownSubject 2 学科", "badWeekday 2 上课时间",
      ])
  }

  @Test func bellsAndTermsAreChecked() throws {
    let base = try SampleCounty.base()
    let bells = """
      学校编号,作息名称,开始日期,结束日期,星期,第1节,第2节,第3节
      P01,一,2026/9/1,2026/8/1,周八,8:00-8:40,8:30-9:10,9:00
      P01,二,,,,9:00-8:00,8:00-8:40,0.375
      P01,二,,,,,,
      """
    #expect(
      try ImportSupport.codes([(.bells, bells)], onto: base) == [
        "outOfRange 2 结束日期", "badWeekday 2 星期", "overlappingPeriods 2 第2节", "badTimeSpan 2 第3节", "badTimeSpan 3 第1节",
        "badTimeSpan 3 第3节", "duplicateRow 4 学校编号",
      ])
    let terms = """
      学期,名称,第一周日期,周数,区县,学校编号,开始日期,结束日期,时段,安排,按星期
      T1,秋,2026/9/1,20,,,,,,,
      T1,春,,,,,2026/10/1,2026/9/1,,放假,
      T1,,,,,,2026/10/1,,夜里,放假,
      T1,,,,,,2026/10/2,,,调休,
      T1,,,,,,,2026/10/2,,,
      T1,,,,,,2026/10/3,,,放假,
      T1,,,,,,2026/10/3,,,上课,
      T1,,,,道县,P01,2026/10/3,,,放假,
      T1,,,,道县,,,,,,
      T2,,2026/9/1,31,,,,,,,
      """
    #expect(
      try ImportSupport.codes([(.terms, terms)], onto: base) == [
        "disagreeingRows 3 名称", "outOfRange 3 结束日期", "badChoice 4 时段", "missingValue 5 按星期", "missingValue 6 开始日期",
        "duplicateRow 8 开始日期", "keyConflict 9 区县", "missingValue 10 开始日期", "outOfRange 11 周数", "missingValue 11 名称",
      ])
  }

  @Test func totalsAndLocalLessonsAreChecked() throws {
    let base = try SampleCounty.base()
    let totals =
      "学校编号,学年,学生数,教师数\nP01,2026,1e+5,3\nP01,26,5,\nP01,2026,7,x\nP01,2025,,\nP01,2024,1,1\nP01,2024-2025,2,2"
    #expect(
      try ImportSupport.codes([(.rosterTotals, totals)], onto: base) == [
        "numberBecameScientific 2 学生数", "badSchoolYear 3 学年", "badNumber 4 教师数", "missingValue 5 学生数",
        "duplicateRow 7 学校编号",
      ])
    let local = """
      班级,课程名称,星期,节次,开始时间,下课时间,老师,周数
      P07-B23,语文,1,3,,,009,Jan-16
      P07-B23,语文,1,1月2日,,,,
      P07-B23,语文,2,,10:00,9:00,,
      P07-B23,语文,3,1-2,,,,单
      P07-B23,数学,3,2,,,,1-16
      P07-B23,数学,4,,,,,
      ,数学,4,1,,,,
      """
    let options = ImportOptions(term: "2026-2027-1")
    #expect(
      try ImportSupport.codes([(.localLessons, local)], onto: base, options: options) == [
        "weeksBecameDate 2 周数", "unknownReference 2 老师", "spanBecameDate 3 节次",
        "badTimeSpan 4 下课时间", "overlappingLessons 6 星期", "missingValue 7 节次", "missingValue 8 班级",
      ])
    #expect(
      try ImportSupport.codes([(.localLessons, "班级,课程名称,星期,节次\nP07-B23,语文,1,1")], onto: base) == ["missingColumn 2 学期"]
    )
    #expect(
      try ImportSupport.codes([(.localLessons, "课程名称,星期\n语文,1")], onto: base, options: options) == [
        "missingColumn 2 班级编号", "missingColumn 2 节次",
      ])
  }

  @Test func calendarsHaveLimits() throws {
    let day = CivilDate("2026-09-01")!  // a date
    let rules = (0..<130).map { "T1,秋,2026/9/1,20,\(day + $0),上课" }
    let text = "学期,名称,第一周日期,周数,日期,安排\n" + rules.joined(separator: "\n")
    #expect(try ImportSupport.codes([(.terms, text)]) == ["tooManyEntries 2 日期"])
  }

  @Test func issuesAreCountedPastAThousand() throws {
    let text = "教室编号,学校编号\n" + String(repeating: "A,P99\n", count: 1_500)
    let refusal = #expect(throws: ImportRefusal.self) { try ImportSupport.plan([(.rooms, text)]) }
    #expect(refusal?.issues.count == 1_000 && refusal?.more == 1_500 - 1_000)
    #expect(ImportIssue(.badText, value: String(repeating: "字", count: 60)).value == String(repeating: "字", count: 40))
    #expect(ImportIssue(.badText, value: "e" + String(repeating: "\u{301}", count: 9_000)).value.utf8.count <= 400)
  }
}
