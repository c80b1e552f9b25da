import Classroom

/// Three schools of one cluster with the same bells, each with rooms, classes and teachers, and a school beside it;
/// four weeks from Monday 2026-08-31. Nothing is wrong with it: tests change one thing. Screen time is not limited.
struct ConflictTown {
  enum School: UInt64, CaseIterable {
    case lead = 1
    case second, third, stranger
  }

  var term = Term(
    id: Identifier(high: 9, low: 9), code: "2026-2027-1", name: "第一学期", firstDay: date(8, 31), weeks: 4)
  var policy = TimetablePolicy.standard
  var institutions: [Institution] = []
  var rooms: [Room] = []
  var classes: [SchoolClass] = []
  var persons: [Person] = []
  var cluster: Cluster
  var bells: [BellSchedule] = []
  var courses: [Course] = []
  var locals: [Identifier: [LocalLesson]] = [:]
  var lessons: [Lesson] = []

  static let bell = ["08:00-08:40", "08:50-09:30", "10:10-10:50", "11:00-11:40", "14:00-14:40", "14:50-15:30"]

  init() {
    policy.screenTime.weeklyShare = 1_000
    policy.screenTime.continuousMinutes = 1_000
    policy.screenTime.dailyMinutes = [1_000, 1_000, 1_000]
    cluster = Cluster(
      id: Identifier(high: 8, low: 1), name: "联校群",
      members: [
        Cluster.Member(institution: Self.institution(.lead), leads: true),
        Cluster.Member(institution: Self.institution(.second), leads: false),
        Cluster.Member(institution: Self.institution(.third), leads: true),
      ])
    for school in School.allCases {
      let institution = Self.institution(school)
      institutions.append(
        Institution(id: institution, kind: .school, name: "学校", region: school == .third ? "乙县" : "甲县"))
      for number in UInt64(1)...3 {
        rooms.append(
          Room(
            id: Self.room(school, number), institution: institution, number: "\(number)", name: "教室", acceptedAt: 1,
            downlink: 10_000, uplink: 10_000))
        classes.append(
          SchoolClass(
            id: Self.schoolClass(school, number), institution: institution, name: "班",
            cohorts: [SchoolClass.Cohort(entryYear: 2024, headCount: 20)]))
        persons.append(
          Person(id: Self.person(school, number), institution: institution, name: "老师", staffNumber: "\(number)"))
      }
      ring(school, Self.bell)
    }
  }

  static func institution(_ school: School) -> Identifier { Identifier(high: 1, low: school.rawValue) }
  static func room(_ school: School, _ number: UInt64 = 1) -> Identifier {
    Identifier(high: 2, low: school.rawValue * 100 + number)
  }
  static func schoolClass(_ school: School, _ number: UInt64 = 1) -> Identifier {
    Identifier(high: 3, low: school.rawValue * 100 + number)
  }
  static func person(_ school: School, _ number: UInt64 = 1) -> Identifier {
    Identifier(high: 4, low: school.rawValue * 100 + number)
  }
  static func course(_ number: UInt64) -> Identifier { Identifier(high: 5, low: number) }
  static func party(_ school: School, _ number: UInt64 = 1) -> Course.Party {
    Course.Party(
      schoolClass: schoolClass(school, number), room: room(school, number), teacher: person(school, number))
  }
  static func date(_ month: Int, _ day: Int) -> CivilDate {
    guard let date = CivilDate(year: 2026, month: month, day: day) else { preconditionFailure("a date of 2026") }
    return date
  }
  static func time(_ text: some StringProtocol) -> ClockTime {
    guard let time = ClockTime(text) else { preconditionFailure("a time of the day") }
    return time
  }
  static func weekly(
    _ weekday: Int, _ period: Int, _ weeks: WeekSet = .all, minutes: Int? = nil, adoptedBy: [Identifier] = []
  ) -> Course.WeeklyTime {
    Course.WeeklyTime(weekday: weekday, period: period, weeks: weeks, minutes: minutes, adoptedBy: adoptedBy)
  }

  /// Replaces the bells of a school; Monday to Friday.
  mutating func ring(_ school: School, _ spans: [String], weekdays: [Int] = [1, 2, 3, 4, 5]) {
    bells.removeAll { $0.institution == Self.institution(school) }
    let periods = spans.enumerated().map { index, span in
      let ends = span.split(separator: "-")
      return BellSchedule.Period(number: index + 1, start: Self.time(ends[0]), end: Self.time(ends[1]))
    }
    bells.append(
      BellSchedule(
        id: Identifier(high: 6, low: school.rawValue), institution: Self.institution(school), name: "作息",
        weekdays: weekdays, periods: periods))
  }

  /// A course of the lead school's first party for the second school's first, where nothing else is said.
  func course(
    _ number: UInt64, lead: Course.Party = party(.lead), sites: [Course.Party] = [party(.second)],
    mode: Course.Mode = .sync, subject: String = "music", _ times: Course.WeeklyTime...
  ) -> Course {
    Course(
      id: Self.course(number), cluster: cluster.id, term: term.code, subject: subject, grades: [3], lead: lead,
      receivers: sites, mode: mode, weeklyTimes: times)
  }

  mutating func teachLocally(
    _ school: School, _ number: UInt64 = 1, teacher: Identifier? = nil, subject: String = "chinese", weekday: Int,
    _ time: LocalLesson.Time, _ weeks: WeekSet = .all
  ) {
    locals[Self.schoolClass(school, number), default: []].append(
      LocalLesson(
        institution: Self.institution(school), term: term.code, schoolClass: Self.schoolClass(school, number),
        teacher: teacher, subject: subject, weekday: weekday, time: time, weeks: weeks))
  }

  mutating func change(room: Identifier, _ change: (inout Room) -> Void) {
    for index in rooms.indices where rooms[index].id == room { change(&rooms[index]) }
  }

  func timetable(_ courses: Course...) -> Timetable { timetable(courses) }
  func timetable(_ courses: [Course]) -> Timetable {
    Timetable(
      term: term, policy: policy, institutions: institutions, rooms: rooms, classes: classes, persons: persons,
      clusters: [cluster], courses: courses, bells: bells, localLessons: locals, lessons: lessons)
  }

  func check(_ courses: Course...) -> [Conflict] { ConflictChecker(timetable(courses)).check() }

  /// Codes of a check, each with its severity unless that is `conflict`, and the number of its dates.
  func codes(_ courses: Course...) -> [String] {
    ConflictChecker(timetable(courses)).check().map {
      "\($0.code)\($0.severity == .conflict ? "" : " \($0.severity)") \($0.dates.count)"
    }
  }
}
