// Goal: counties made of a seed are the same every time, sound, as large as asked, and wrong only where mistakes were
// planted. Method: many seeds; every value's own rules; the sizes.
import Classroom
import Simulation
import Testing

@Suite struct TimetablePropertiesCountyTests {
  static func validate(_ county: SyntheticCounty) throws {
    for term in county.terms { try term.validate() }
    for row in county.institutions { try row.validate() }
    for row in county.rooms { try row.validate() }
    for row in county.classes { try row.validate() }
    for row in county.persons { try row.validate() }
    for row in county.clusters { try row.validate() }
    for row in county.bells { try row.validate() }
    for row in county.courses.joined() { try row.validate() }
    for lesson in county.localLessons.flatMap(\.values).joined() { try lesson.validate() }
  }

  /// References lead to rows; in disorder some rooms lead nowhere.
  static func strangers(_ county: SyntheticCounty) -> Int {
    let schools = Set(county.institutions.map(\.id))
    let rooms = Set(county.rooms.map(\.id))
    let classes = Set(county.classes.map(\.id))
    let persons = Set(county.persons.map(\.id))
    let clusters = Set(county.clusters.map(\.id))
    var count = county.institutions.filter { !($0.parent.map(schools.contains) ?? true) }.count
    count += county.rooms.filter { !schools.contains($0.institution) }.count
    count +=
      county.classes.filter { !schools.contains($0.institution) || !($0.homeRoom.map(rooms.contains) ?? true) }.count
    count += county.bells.filter { !schools.contains($0.institution) }.count
    count += county.clusters.flatMap(\.members).filter { !schools.contains($0.institution) }.count
    for course in county.courses.joined() {
      count += clusters.contains(course.cluster) ? 0 : 1
      for party in course.receivers + [course.lead] {
        count += rooms.contains(party.room) ? 0 : 1
        count += party.schoolClass.map(classes.contains) ?? true ? 0 : 1
        count += party.teacher.map(persons.contains) ?? true ? 0 : 1
      }
    }
    for lesson in county.localLessons.flatMap(\.values).joined() {
      count += classes.contains(lesson.schoolClass) && (lesson.teacher.map(persons.contains) ?? true) ? 0 : 1
    }
    return count
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>) func equalSeedsMakeEqualCounties(seed: UInt64) throws {
    let first = SyntheticCounty(seed: seed, doubleBookings: 2)
    let second = SyntheticCounty(seed: seed, doubleBookings: 2)
    let other = SyntheticCounty(seed: seed + 100, doubleBookings: 2)
    #expect(first.courses == second.courses && first.institutions == second.institutions)
    #expect(first.localLessons == second.localLessons && first.bells == second.bells && first.terms == second.terms)
    #expect(first.doubleBookings == second.doubleBookings && first.persons == second.persons)
    #expect(first.courses != other.courses)
    try Self.validate(first)
    #expect(first.institutions.count == 6)
    let plain = SyntheticCounty(
      seed: seed, scale: .init(institutions: 6, rooms: 9, clusters: 2, courses: 12, weeks: 5))
    #expect(Self.strangers(plain) == 0)
    try Self.validate(plain)
  }

  @Test func aDistrictIsVariedAndSound() throws {
    let county = SyntheticCounty(seed: 5, scale: .district, doubleBookings: 10)
    try Self.validate(county)
    #expect(Self.strangers(county) == 0)
    #expect(county.doubleBookings.count == 10)
    #expect(Set(county.doubleBookings.map(\.code)).count == 5)
    #expect(county.courses.map(\.count).reduce(0, +) == 58)
    #expect(county.courses.joined().allSatisfy { !$0.weeklyTimes.isEmpty })
    #expect(county.classes.contains { $0.cohorts.count > 1 }, "复式班")
    #expect(county.bells.contains { $0.weekdays == [5] } && county.bells.contains { $0.from != nil })
    #expect(county.clusters.contains { $0.members.count { $0.leads } > 1 }, "N+N")
    let times = county.courses.joined().flatMap(\.weeklyTimes)
    #expect(times.contains { $0.weeks == .odd } && times.contains { $0.weeks == .even })
    #expect(county.rooms.contains { $0.acceptedAt == nil } && county.rooms.contains { $0.acceptedAt != nil })
    for term in 0...1 {
      let timetable = county.timetable(term)
      let known = timetable.localLessons.count
      #expect(known > county.classes.count / 2 && known < county.classes.count)
      let (dated, undated) = timetable.courses.map(timetable.occurrences).reduce(into: (0, 0)) {
        $0.0 += $1.dated.count
        $0.1 += $1.undated.count
      }
      #expect(dated > timetable.courses.count * 20 && undated > 0)
      #expect(timetable.gaps(subjects: .standard).contains { $0.state == .missing })
    }
  }

  /// Slow without optimization, so that it is asked for the sizes alone.
  @Test func aFullCountyIsAsLargeAsTheBenchmarkWants() throws {
    let county = SyntheticCounty(seed: 1, scale: .full)
    #expect(county.institutions.count == 3_000)
    #expect(county.rooms.count == 6_000)
    #expect(county.clusters.count == 300)
    #expect(county.courses.map(\.count) == [800, 800])
    let weekly = county.courses.joined().flatMap(\.weeklyTimes).reduce(0) { $0 + ($1.weeks == .all ? 20 : 10) }
    #expect((52_000...68_000).contains(weekly), "\(weekly) lessons")
    #expect(county.courses.joined().allSatisfy { !$0.weeklyTimes.isEmpty })
  }
}
