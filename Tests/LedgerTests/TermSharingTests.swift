// Goal: what checks and calendars ask of the ledger is there: rooms of single lessons, whole and partial local
// timetables, links that are kept as hashes and taken back; and a clock that is set back loses and mixes up nothing.
// Method: a published county and a clock of the test.
import Classroom
import Ledger
import Testing

@Suite struct TermSharingTests {
  static let actor = PublicationTests.actor
  let folder: LedgerFolder
  let store: LedgerStore
  let county: County
  let lessons: [Lesson]

  init() throws {
    (folder, store, county) = try County.published(by: Self.actor)
    lessons = try store.lessons(course: county.courses[0].id)
  }

  @Test func roomsOfSingleLessonsAreRead() throws {
    let id = lessons[0].id
    let seat = try #require(try store.seats(lesson: id).last)
    let usual = try #require(seat.room)
    #expect(try store.timetable(term: County.code)?.roomChanges == [:])
    try store.changeRoom(ofSeat: seat.id, to: county.rooms[8].id, reason: "换", by: Self.actor)
    try store.changeRoom(ofSeat: seat.id, to: county.rooms[9].id, reason: "换", by: Self.actor)
    let changes = [id: [RoomChange(from: usual, to: county.rooms[9].id)]]
    #expect(try store.timetable(term: County.code)?.roomChanges == changes, "the course's room to the last one")
    let dated = try store.datedLessons(course: county.courses[0].id)
    #expect(dated.roomChanges == changes)
    #expect(dated.lessons == (try store.lessons(course: county.courses[0].id)) && dated.lessons[0].revision == 2)
    #expect(try store.datedLessons(course: county.courses[1].id).roomChanges == [:])
    try store.changeRoom(ofSeat: seat.id, to: usual, reason: "换回", by: Self.actor)
    #expect(try store.timetable(term: County.code)?.roomChanges == [:], "back where it was")
  }

  @Test func aPageOfLessonsIsLookedUpAtOnce() throws {
    let ids = try store.lessons(term: County.code).map(\.id)
    let seats = try store.seats(lessons: ids)
    #expect(seats.count == ids.count)
    for id in ids { #expect(seats[id] == (try store.seats(lesson: id))) }
    let numbers = try store.numbers(of: .rooms, county.rooms.map(\.id))
    #expect(numbers == Dictionary(uniqueKeysWithValues: county.rooms.map { ($0.id, $0.number) }))
    #expect(try store.numbers(of: .courses, [county.courses[0].id, ids[0]]).count == 1)
    #expect(try store.numbers(of: .persons, [county.persons[0].id]) == [:])
    #expect(try store.seats(lessons: []) == [:])
  }

  @Test func addedLessonsOfADraftAreThere() throws {
    var other = County(clusters: 2)
    other.term.code = "T9"
    other.term.id = Identifier(high: 9, low: 9)
    try store.transaction { try $0.upsert(other.term) }
    var course = county.courses[0]
    course.id = Identifier(high: 9, low: 1)
    course.term = "T9"
    try store.upsert(course)
    let start = folder.now + 600_000
    let lesson = try store.addLesson(
      course: course.id, span: start..<(start + 2_400_000), title: "加课", reason: "补课", by: Self.actor)
    let draft = try #require(try store.timetable(term: "T9"))
    #expect(draft.term.state == .draft && draft.lessons == [lesson])
  }

  @Test func partialTimetablesStayPartial() throws {
    let (first, second) = (county.classes[0].id, county.classes[1].id)
    try store.transaction { transaction in
      try transaction.replaceLocalLessons(of: first, term: County.code, [], isWhole: true)
      try transaction.replaceLocalLessons(of: second, term: County.code, [], isWhole: false)
    }
    let timetable = try #require(try store.timetable(term: County.code))
    #expect(timetable.knowsLocals(of: first) && !timetable.knowsLocals(of: second))
    #expect(timetable.partialLocals == [second])
    let base = try store.importBase()
    #expect(base.partialLocals == [ImportBase.LocalClass(schoolClass: second, term: County.code)])
  }

  @Test func linksAreKeptAsHashesAndTakenBack() throws {
    func link(_ number: UInt64, _ kind: CalendarLink.Kind = .room) -> CalendarLink {
      CalendarLink(
        id: Identifier(high: 5, low: number), hash: Array(repeating: UInt8(number), count: 32), kind: kind,
        target: county.rooms[0].id, label: "手机", madeBy: Self.actor, madeAt: folder.now)
    }
    try store.put(link(1))
    try store.put(link(2, .cluster))
    #expect(throws: LedgerError.alreadyExists) { try store.put(link(1)) }
    #expect(throws: ClassroomError.badRange) {
      var short = link(3)
      short.hash = [1]
      try store.put(short)
    }
    #expect(try store.calendarLinks().map(\.id.low) == [2, 1])
    let used = try #require(try store.calendarLink(hash: link(1).hash))
    #expect(used == link(1), "as it was before this use")
    #expect(try store.calendarLink(used.id)?.usedAt == folder.now)
    folder.advance(60_000)
    _ = try store.calendarLink(hash: link(1).hash)
    #expect(try store.calendarLink(used.id)?.usedAt == folder.now - 60_000, "to the hour")
    folder.advance(3_600_000)
    _ = try store.calendarLink(hash: link(1).hash)
    #expect(try store.calendarLink(used.id)?.usedAt == folder.now)
    #expect(try store.calendarLink(hash: Array(repeating: 9, count: 32)) == nil)
    #expect(try store.removeCalendarLink(used.id) && !store.removeCalendarLink(used.id))
    #expect(try store.calendarLink(hash: link(1).hash) == nil)
    for number in 3..<UInt64(2 + LedgerStore.calendarLinksPerTarget) {
      var many = link(number % 250)
      many.id = Identifier(high: 6, low: number)
      many.hash = [UInt8](repeating: 77, count: 24) + withUnsafeBytes(of: number.bigEndian, Array.init)
      try store.put(many)
    }
    #expect(throws: LedgerError.full) {
      for number in 900..<UInt64(903) {
        var many = link(1)
        many.id = Identifier(high: 6, low: number)
        many.hash = [UInt8](repeating: 78, count: 24) + withUnsafeBytes(of: number.bigEndian, Array.init)
        try store.put(many)
      }
    }
  }

  @Test func aClockThatIsSetBackMixesNothingUp() throws {
    let id = lessons[0].id
    let start = lessons[0].plannedStart
    try store.moveLesson(id, to: (start + 60_000)..<(start + 120_000), reason: "先", by: Self.actor)
    folder.advance(-400 * 86_400_000)
    try store.moveLesson(id, to: start..<(start + 60_000), reason: "后", by: Self.actor)
    let changes = try store.changes(lesson: id)
    #expect(changes.map(\.reason) == ["先", "后"] && changes.map(\.revision) == [1, 2])
    #expect(changes[1].at < changes[0].at)
    #expect(try store.lesson(id)?.plannedStart == start)
    let timetable = try #require(try store.timetable(term: County.code))
    let summary = try store.publish(timetable, by: Self.actor) { _ in "音乐" }
    #expect(summary.version == 2 && summary.made == 0 && summary.cancelled == 0)
    #expect(try store.lesson(id)?.revision == 2, "changed by hand, and left alone")
    #expect(try store.verifyChain().isIntact)
    let added = try store.addLesson(
      course: county.courses[0].id, span: start..<(start + 60_000), title: "加课", reason: "补课", by: Self.actor)
    #expect(try store.lesson(added.id) == added)
  }
}
