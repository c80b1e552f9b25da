// Goal: after publication single lessons change with a reason, an actor and a trace, and refusals are typed; the
// merging of schools changes no past figure. Method: each change on a published term, its counter-examples, and what
// is stored.
import Classroom
import GRDB
import Ledger
import Testing

@Suite struct LessonChangeTests {
  static let actor = PublicationTests.actor
  let folder: LedgerFolder
  let store: LedgerStore
  let county: County
  let lessons: [Lesson]

  init() throws {
    (folder, store, county) = try County.published(by: Self.actor)
    lessons = try store.lessons(course: county.courses[0].id)
  }

  @Test func eachChangeIsTold() throws {
    let id = lessons[0].id
    let start = lessons[0].plannedStart
    let seat = try #require(try store.seats(lesson: id).last)
    folder.advance(9)
    try store.moveLesson(id, to: (start + 60_000)..<(start + 120_000), reason: "调课", by: Self.actor)
    try store.substitute(id, teacher: county.persons[2].id, reason: "代课", by: Self.actor)
    try store.changeRoom(ofSeat: seat.id, to: county.rooms[9].id, reason: "换教室", by: Self.actor)
    try store.cancelLesson(id, reason: "取消", by: Self.actor)
    let lesson = try #require(try store.lesson(id))
    #expect(lesson.state == .cancelled && lesson.revision == 4 && lesson.teacher == county.persons[2].id)
    #expect(lesson.plannedStart == start + 60_000 && lesson.plannedEnd == start + 120_000)
    #expect(lesson.origin == lessons[0].origin && lesson.registration == lessons[0].registration)
    #expect(try store.seat(seat.id)?.room == county.rooms[9].id)
    #expect(try store.seats(lesson: id).first { $0.role == .lead }?.person == county.persons[2].id)
    let changes = try store.changes(lesson: id)
    let kinds: [EventKind] = [.lessonMoved, .lessonSubstituted, .lessonRoomChanged, .lessonCancelled]
    #expect(changes.map(\.kind) == kinds && changes.map(\.revision) == [1, 2, 3, 4])
    #expect(changes.map(\.reason) == ["调课", "代课", "换教室", "取消"])
    #expect(changes.allSatisfy { $0.actor == Self.actor && $0.at == folder.now && $0.lesson == id })
    let events = try store.events(lesson: id)
    #expect(events.map(\.kind) == kinds && events.map(\.id) == changes.map(\.event))
    #expect(events.allSatisfy { $0["by"] == Self.actor.description })
    #expect(events[0]["oldStart"] == "\(start)" && events[0]["newStart"] == "\(start + 60_000)")
    #expect(events[1]["old"] == "" && events[1]["new"] == county.persons[2].id.description)
    #expect(events[2].seat == seat.id && events[2]["old"] == seat.room?.description)
    #expect(events[3]["oldState"] == "published" && events[3]["revision"] == "4")
    #expect(!events.contains { event in event.payload.contains { $0.1.contains("课") } }, "no words in the chain")
    #expect(try store.eraseReason(ofChange: changes[0].id) && !store.eraseReason(ofChange: 999))
    #expect(try store.changes(lesson: id).map(\.reason) == ["", "代课", "换教室", "取消"])
    #expect(try store.verifyChain().isIntact)
  }

  @Test func aLessonIsAddedFiveMinutesBeforeTheBell() throws {
    let course = county.courses[1]
    let start = folder.now + 300_000
    let lesson = try store.addLesson(
      course: course.id, span: start..<(start + 2_400_000), title: "加课", teacher: county.persons[3].id, reason: "补课",
      by: Self.actor)
    #expect(try store.lesson(lesson.id) == lesson && lesson.state == .published && lesson.origin == nil)
    let seats = try store.seats(lesson: lesson.id)
    #expect(seats.map(\.room) == ([course.lead] + course.receivers).map(\.room))
    #expect(seats.map(\.role) == [.lead] + course.receivers.map { _ in .receiver })
    #expect(seats[0].person == county.persons[3].id)
    #expect(try store.changes(lesson: lesson.id).map(\.kind) == [.lessonAdded])
    #expect(try store.lessons(room: course.lead.room, startingIn: start...start) == [lesson], "seen at once")
    let timetable = try #require(try store.timetable(term: County.code))
    #expect(timetable.lessons.contains(lesson))
    try store.publish(timetable, by: Self.actor) { _ in "音乐" }
    #expect(try store.lesson(lesson.id) == lesson)
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: lesson.id))
    // The teacher is held up: an hour later, with the lesson's doors closed until then.
    let moved = try store.moveLesson(
      lesson.id, to: (start + 3_600_000)..<(start + 6_000_000), reason: "调课", by: Self.actor)
    #expect(moved.state == .published && moved.plannedStart == start + 3_600_000)
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: lesson.id))
    #expect(try store.report(lesson: lesson.id).plannedStart == start + 3_600_000, "counted against the new plan")
    try store.append(LedgerEvent(kind: .lessonLive, lesson: lesson.id))
    #expect(throws: LedgerError.immutable) {
      try store.moveLesson(lesson.id, to: 10..<20, reason: "调课", by: Self.actor)
    }
  }

  @Test func whatIsWrongIsRefusedAndChangesNothing() throws {
    let id = lessons[0].id
    let nobody = Identifier(high: 9, low: 9)
    let chain = try store.verifyChain()
    let seats = try store.seats(lesson: id)
    func move(_ span: Range<Int64>, _ reason: String = "调课", version: String? = nil, id: Identifier) throws {
      try store.moveLesson(id, to: span, reason: reason, by: Self.actor, ifVersion: version)
    }
    #expect(throws: LedgerError.notFound) { try move(10..<20, id: nobody) }
    #expect(throws: ClassroomError.badRange) { try move(10..<10, id: id) }
    #expect(throws: ClassroomError.badRange) { try move(10..<(10 + 86_400_001), id: id) }
    #expect(throws: ClassroomError.badRange) { try move(Int64.min..<Int64.max, id: id) }
    #expect(throws: ClassroomError.badName) { try move(10..<20, "", id: id) }
    #expect(throws: ClassroomError.badName) { try move(10..<20, String(repeating: "因", count: 201), id: id) }
    #expect(throws: LedgerError.notFound) {
      try store.substitute(id, teacher: nobody, reason: "代课", by: Self.actor)
    }
    #expect(throws: LedgerError.notFound) {
      try store.changeRoom(ofSeat: seats[1].id, to: nobody, reason: "换", by: Self.actor)
    }
    #expect(throws: ClassroomError.duplicate) {
      try store.changeRoom(ofSeat: seats[1].id, to: county.rooms[0].id, reason: "换", by: Self.actor)
    }
    #expect(throws: LedgerError.notFound) {
      try store.addLesson(course: nobody, span: 10..<20, title: "加", reason: "补", by: Self.actor)
    }
    #expect(throws: ClassroomError.badRange) {
      try store.addLesson(
        course: county.courses[0].id, span: (folder.now - 20)..<folder.now, title: "加", reason: "补", by: Self.actor)
    }
    let version = try LedgerStore.version(of: lessons[0])
    #expect(throws: LedgerError.stale(current: version, changed: ["plannedStart", "revision"])) {
      var other = lessons[0]
      other.plannedStart += 1
      other.revision += 1
      try move(10..<20, version: try LedgerStore.version(of: other), id: id)
    }
    #expect(try store.lesson(id) == lessons[0] && store.seats(lesson: id) == seats)
    #expect(try store.verifyChain() == chain && store.changes(lesson: id).isEmpty)
    try store.cancelLesson(id, reason: "停电", by: Self.actor, ifVersion: version)
    #expect(throws: LedgerError.badTransition) { try move(10..<20, id: id) }
    #expect(throws: LedgerError.badTransition) { try store.cancelLesson(id, reason: "又", by: Self.actor) }
  }

  @Test func mergingASchoolChangesNoPastFigure() throws {
    let lesson = lessons[0]
    let seats = try store.seats(lesson: lesson.id)
    let room = try #require(seats[1].room)
    try store.append([
      LedgerEvent(kind: .lessonArmed, lesson: lesson.id), LedgerEvent(kind: .lessonLive, lesson: lesson.id),
      LedgerEvent(kind: .seatJoined, lesson: lesson.id, seat: seats[1].id),
    ])
    folder.advance(2_400_000)
    let counter = AttendanceCounter(
      lesson: lesson.id, seat: seats[1].id, effectiveMilliseconds: 2_000_000, connected: true)
    try store.checkpoint([counter])
    try store.append(LedgerEvent(kind: .lessonEnded, lesson: lesson.id))
    let report = try store.report(lesson: lesson.id)
    #expect(report.taught && report.seats[1].attended)
    let id = try #require(try store.room(room)?.institution)
    var school = try #require(try store.institution(id))
    (school.validUntil, school.successor, school.name) = (folder.now, county.institutions[0].id, "旧校")
    try store.upsert(school)
    // Its classes move over, and its courses go on without it.
    var pupils = try #require(try store.classes(institution: id).first)
    pupils.institution = county.institutions[0].id
    try store.upsert(pupils)
    for var course in county.courses {
      course.receivers.removeAll { $0.room == room }
      try store.upsert(course)
    }
    let timetable = try #require(try store.timetable(term: County.code))
    try store.publish(timetable, by: Self.actor) { _ in "音乐" }
    #expect(try store.report(lesson: lesson.id) == report)
    #expect(try store.seats(lesson: lesson.id) == seats)
    #expect(try store.seats(lesson: lessons[1].id).count == seats.count - 1)
    #expect(throws: LedgerError.referenced(LedgerRow(.rooms, room), by: LedgerRow(.seats, seats[1].id))) {
      try store.transaction { try $0.remove(LedgerRow(.rooms, room)) }
    }
  }
}
