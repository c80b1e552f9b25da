// Goal: a term's timetable is whole, of one moment, and made in under a second. Method: comparing it with the values it
// was written from, small and at the size of a large county.
import Classroom
import Ledger
import Testing

@Suite struct SnapshotTests {
  private func expectEqual(_ found: Timetable, _ expected: Timetable) {
    #expect(found.term == expected.term && found.institutions == expected.institutions)
    #expect(found.rooms == expected.rooms && found.classes == expected.classes)
    #expect(found.persons == expected.persons && found.clusters == expected.clusters)
    #expect(found.courses == expected.courses && found.bells == expected.bells)
    #expect(found.localLessons == expected.localLessons && found.lessons == expected.lessons)
  }

  @Test func aTimetableIsWhatWasKeptOfItsTerm() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    var county = County(clusters: 3, localPerClass: 10)
    county.local[county.classes[1].id] = nil
    county.local[county.classes[2].id] = []
    try county.write(to: store)
    var other = county.courses[0]
    other.id = Identifier(high: 9, low: 9)
    other.term = "2025-2026-2"
    try store.upsert(other)
    try store.transaction { try $0.replaceLocalLessons(of: county.classes[1].id, term: "2025-2026-2", []) }
    let found = try #require(try store.timetable(term: County.code))
    expectEqual(found, county.timetable())
    #expect(found.localLessons[county.classes[1].id] == nil && found.localLessons[county.classes[2].id] == [])
    #expect(try store.timetable(term: "2025-2026-2") == nil, "no such term, though a course names it")
    let subject = Subject(key: "music", name: "音乐", englishName: "Music")
    #expect(try store.timetable(term: County.code, subjects: [subject])?.subjects == [subject])
  }

  /// 3,000 institutions, 6,000 rooms, 1,600 courses, 60,000 local lessons.
  @Test func aLargeCountyIsReadInUnderASecond() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 320, points: 9, courses: 5, localPerClass: 20)
    let clock = ContinuousClock()
    let writing = try clock.measure { try county.write(to: store) }
    var found: Timetable?
    var reading = Duration.seconds(60)
    for _ in 0..<3 { reading = min(reading, try clock.measure { found = try store.timetable(term: County.code) }) }
    print("county: written in \(writing), read in \(reading)")
    expectEqual(try #require(found), county.timetable())
    // A machine under load is no reason to fail; ten times the aim is.
    #expect(reading < .seconds(5) && writing < .seconds(30))
  }
}
