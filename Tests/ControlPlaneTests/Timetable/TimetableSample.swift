import Classroom

/// Two schools and a teaching point with names, rooms, classes and teachers, as sentences are made of.
enum TimetableSample {
  static func id(_ high: UInt64, _ low: UInt64) -> Identifier { Identifier(high: high, low: low) }
  static func date(_ text: String) -> CivilDate { CivilDate(text) ?? CivilTime.date(of: 0) }
  static func time(_ text: String) -> ClockTime { ClockTime(text) ?? .noon }

  static let (school, point, other) = (id(1, 1), id(1, 7), id(1, 9))
  static let (leadRoom, pointRoom, otherRoom) = (id(2, 1), id(2, 7), id(2, 9))
  static let (leadClass, pointClass) = (id(3, 1), id(3, 7))
  static let (leadTeacher, pointTeacher) = (id(4, 1), id(4, 7))
  static let (music, art) = (id(5, 1), id(5, 2))
  static let cluster = id(8, 1)
  static let mondays = ["2026-09-07", "2026-09-14", "2026-09-21"].map(date)

  static func bells(_ school: Identifier, _ spans: [String]) -> BellSchedule {
    let periods = spans.enumerated().map { index, span in
      BellSchedule.Period(
        number: index + 1, start: time(String(span.prefix(5))), end: time(String(span.suffix(5))))
    }
    return BellSchedule(id: id(6, school.low), institution: school, name: "作息", periods: periods)
  }

  static func course(_ id: Identifier, _ number: String, _ subject: String, _ grades: [Int]) -> Course {
    Course(
      id: id, number: number, cluster: cluster, term: "2026-2027-1", subject: subject, grades: grades,
      lead: Course.Party(schoolClass: leadClass, room: leadRoom, teacher: leadTeacher),
      receivers: [Course.Party(schoolClass: pointClass, room: pointRoom, teacher: pointTeacher)],
      weeklyTimes: [Course.WeeklyTime(weekday: 1, period: 3)])
  }

  static let timetable = Timetable(
    term: Term(
      id: id(9, 1), code: "2026-2027-1", name: "第一学期", firstDay: date("2026-09-07"), weeks: 3),
    institutions: [
      Institution(id: school, number: "P01", kind: .school, name: "石桥中心小学", region: "道县"),
      Institution(id: point, number: "P07", kind: .teachingPoint, name: "石壁坳教学点", parent: school, region: "道县"),
      Institution(id: other, number: "P09", kind: .school, name: "上坪小学", region: "道县"),
    ],
    rooms: [
      Room(id: leadRoom, institution: school, number: "P01-1", name: "录播教室", acceptedAt: 1),
      Room(
        id: pointRoom, institution: point, number: "P07-2", name: "多功能室", acceptedAt: 1, downlink: 2_000, uplink: 300),
      Room(id: otherRoom, institution: other, number: "P09-1", name: "多功能室", acceptedAt: 1),
    ],
    classes: [
      SchoolClass(
        id: leadClass, number: "P01-B31", institution: school, name: "三年级1班",
        cohorts: [SchoolClass.Cohort(entryYear: 2024, headCount: 38)]),
      SchoolClass(
        id: pointClass, number: "P07-B23", institution: point, name: "二、三年级",
        cohorts: [
          SchoolClass.Cohort(entryYear: 2024, headCount: 5), SchoolClass.Cohort(entryYear: 2025, headCount: 4),
        ]),
    ],
    persons: [
      Person(id: leadTeacher, institution: school, name: "王丽", staffNumber: "002"),
      Person(id: pointTeacher, institution: point, name: "李强", staffNumber: "001"),
    ],
    clusters: [
      Cluster(
        id: cluster, number: "Q1", name: "石桥联校群",
        members: [Cluster.Member(institution: school, leads: true), Cluster.Member(institution: point, leads: false)])
    ],
    courses: [course(music, "K0137", "music", [3]), course(art, "", "fineArts", [3, 4])],
    bells: [
      bells(school, ["08:00-08:40", "08:50-09:30", "10:10-10:50"]),
      bells(point, ["08:10-08:50", "09:00-09:40", "10:18-10:58"]),
    ])
}
