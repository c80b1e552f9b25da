import Classroom
import Ledger
import Testing

/// A county of any size with clusters of one lead school and its teaching points, under identifiers that a seed gives.
struct County {
  var institutions: [Institution] = []
  var rooms: [Room] = []
  var classes: [SchoolClass] = []
  var persons: [Person] = []
  var clusters: [Cluster] = []
  var bells: [BellSchedule] = []
  var courses: [Course] = []
  var local: [Identifier: [LocalLesson]] = [:]
  var term: Term

  static let code = "2026-2027-1"
  private var number: UInt64 = 0

  /// Each cluster has a lead school and `points` teaching points; rooms and classes are two and one a school. Courses
  /// are spread over the lead's two rooms and the week so that none overlaps another.
  init(clusters count: Int, points: Int = 4, courses perCluster: Int = 2, localPerClass: Int = 0, weeks: Int = 20) {
    term = Term(
      id: Identifier(high: 0x7E, low: 1), code: Self.code, name: "第一学期", firstDay: CivilDate("2026-09-01")!,
      weeks: weeks,
      rules: [CalendarRule(from: CivilDate("2026-10-01")!, through: CivilDate("2026-10-07")!, kind: .holiday)])
    for index in 0..<count { add(cluster: index, points: points, perCluster, localPerClass) }
  }

  /// A county of one cluster in a ledger of its own, its term published.
  static func published(by actor: Identifier) throws -> (folder: LedgerFolder, store: LedgerStore, county: County) {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 1)
    try county.write(to: store)
    try store.publish(try #require(try store.timetable(term: code)), by: actor) { _ in "音乐" }
    return (folder, store, county)
  }

  private mutating func next(_ section: UInt64) -> Identifier {
    number += 1
    return Identifier(high: 0xC0_0000 + section, low: number)
  }

  private mutating func add(cluster index: Int, points: Int, _ perCluster: Int, _ localPerClass: Int) {
    let first = institutions.count
    for site in 0...points {
      let isLead = site == 0
      let school = Institution(
        id: next(1), number: "S\(index)-\(site)", kind: isLead ? .school : .teachingPoint, name: "学校 \(index)-\(site)",
        parent: isLead ? nil : institutions[first].id, region: "某县")
      institutions.append(school)
      for room in 1...2 {
        rooms.append(
          Room(id: next(2), institution: school.id, number: "S\(index)-\(site)-\(room)", name: "教室", downlink: 10_000))
      }
      let pupils = SchoolClass(
        id: next(3), number: "S\(index)-\(site)-B", institution: school.id, name: "三年级",
        cohorts: [.init(entryYear: 2024, headCount: 20), .init(entryYear: 2023, headCount: 9)])
      classes.append(pupils)
      persons.append(Person(id: next(4), institution: school.id, name: "某", staffNumber: "T\(site)"))
      bells.append(
        BellSchedule(
          id: next(5), institution: school.id, name: "作息",
          periods: (1...7).map { period in
            let start = ClockTime(minute: 480 + period * 50)!
            return .init(number: period, start: start, end: start + 40)
          }))
      local[pupils.id] = (0..<localPerClass).map { place in
        LocalLesson(
          institution: school.id, term: Self.code, schoolClass: pupils.id, teacher: persons[persons.count - 1].id,
          subject: "chinese", weekday: place % 5 + 1, time: .period(place / 5 + 1))
      }
    }
    let cluster = Cluster(
      id: next(6), number: "Q\(index)", name: "群 \(index)",
      members: (0...points).map { .init(institution: institutions[first + $0].id, leads: $0 == 0) })
    clusters.append(cluster)
    for course in 0..<perCluster {
      courses.append(
        Course(
          id: next(7), number: "K\(index)-\(course)", cluster: cluster.id, term: Self.code, subject: "music",
          grades: [3],
          lead: .init(schoolClass: classes[first].id, room: rooms[first * 2].id, teacher: persons[first].id),
          receivers: (1...points).map {
            .init(schoolClass: classes[first + $0].id, room: rooms[(first + $0) * 2].id, teacher: nil)
          }, weeklyTimes: [.init(weekday: course % 5 + 1, period: course / 5 + 1)]))
    }
  }

  func write(to store: LedgerStore) throws {
    try store.transaction { changes in
      for value in institutions { try changes.upsert(value) }
      for value in rooms { try changes.upsert(value) }
      for value in classes { try changes.upsert(value) }
      for value in persons { try changes.upsert(value) }
      for value in clusters { try changes.upsert(value) }
      for value in bells { try changes.upsert(value) }
      try changes.upsert(term)
      for value in courses { try changes.upsert(value) }
      for (schoolClass, lessons) in local {
        try changes.replaceLocalLessons(of: schoolClass, term: term.code, lessons)
      }
    }
  }

  func timetable() -> Timetable {
    Timetable(
      term: term, institutions: institutions, rooms: rooms, classes: classes, persons: persons, clusters: clusters,
      courses: courses.sorted { $0.number < $1.number }, bells: bells, localLessons: local)
  }
}
