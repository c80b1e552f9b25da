import Classroom
import Ledger
import Synchronization
import Testing

@Suite struct CatalogueTests {
  @Test func everyValueComesBackAsItWasKept() throws {
    let folder = try LedgerFolder()
    var store = try folder.open()
    var number: UInt64 = 0
    func next() -> Identifier {
      number += 1
      return Identifier(milliseconds: folder.now, randomHigh: number, randomLow: number)
    }
    let school = Institution(
      id: next(), kind: .school, name: "中心小学", code: "0123456789", setting: .town, region: "某县", validFrom: 1)
    let point = Institution(
      id: next(), kind: .teachingPoint, name: "东山教学点", parent: school.id, validFrom: 1, validUntil: 2,
      successor: school.id)
    let rooms = [school, point].map {
      Room(id: next(), institution: $0.id, number: "P07-2", name: "O'Brien \"室\"", equipment: "一体机", acceptedAt: 5)
    }
    let pupils = SchoolClass(
      id: next(), institution: point.id, name: "复式班", typeCode: "2", cohorts: [.init(entryYear: 2024, headCount: 7)],
      homeRoom: rooms[1].id, consentRecord: "卷 12")
    let cluster = Cluster(
      id: next(), name: "群",
      members: [.init(institution: school.id, leads: true), .init(institution: point.id, leads: false)])
    let teacher = Person(id: next(), institution: school.id, name: "某", staffNumber: "001")
    let course = Course(
      id: next(), cluster: cluster.id, term: "2026-2027-1", subject: "音乐", grades: [1, 3], textbook: "人音版",
      lead: .init(room: rooms[0].id, teacher: teacher.id),
      receivers: [.init(schoolClass: pupils.id, room: rooms[1].id)],
      mode: .asyncDual, label: .masterTeacher, weeklyTimes: [.init(weekday: 5, period: 2)])
    let lesson = Lesson(
      id: next(), registration: next(), course: course.id, cluster: cluster.id, title: "第一课", plannedStart: 10,
      plannedEnd: 20)
    let seat = Seat(
      id: next(), lesson: lesson.id, role: .receiver, room: rooms[1].id, schoolClass: pupils.id, person: next())
    let resource = ResourceFile(
      id: next(), lesson: lesson.id, kind: .recording, path: "resources/a.mp4", mediaType: "video/mp4",
      byteCount: 1 << 40, sha256: String(repeating: "ab", count: 32), durationMilliseconds: 3, state: .verified,
      madeAt: 4)
    for _ in 0..<2 {
      try store.upsert(school)
      try store.upsert(point)
      for room in rooms { try store.upsert(room) }
      try store.upsert(pupils)
      try store.upsert(teacher)
      try store.upsert(cluster)
      try store.upsert(course)
      try store.upsert(lesson)
      try store.upsert(seat)
      try store.upsert(resource)
    }
    try store.close()
    store = try folder.open()
    #expect(try store.institutions() == [school, point] && store.institution(point.id) == point)
    #expect(try store.rooms() == rooms && store.rooms(institution: point.id) == [rooms[1]])
    #expect(try store.room(rooms[0].id) == rooms[0])
    #expect(try store.classes() == [pupils] && store.classes(institution: school.id).isEmpty)
    #expect(try store.schoolClass(pupils.id) == pupils)
    #expect(try store.clusters() == [cluster] && store.cluster(cluster.id) == cluster)
    #expect(try store.courses(cluster: cluster.id) == [course] && store.course(course.id) == course)
    #expect(try store.lessons() == [lesson] && store.lesson(lesson.id) == lesson)
    #expect(try store.lessons(in: .planned) == [lesson] && store.lessons(in: .live).isEmpty)
    #expect(try store.lessons(cluster: cluster.id, startingIn: 10...10) == [lesson])
    #expect(try store.lessons(startingIn: 11...20).isEmpty)
    #expect(try store.seats(lesson: lesson.id) == [seat] && store.seat(seat.id) == seat)
    #expect(try store.resourceFiles(lesson: lesson.id) == [resource] && store.resourceFile(resource.id) == resource)
    #expect(try store.institution(lesson.id) == nil)
  }

  @Test func whatIsWrongOrUnknownIsRefused() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let nobody = Identifier(high: 9, low: 9)
    #expect(throws: LedgerError.notFound) {
      try store.upsert(Room(id: nobody, institution: nobody, number: "1", name: "室"))
    }
    #expect(throws: LedgerError.notFound) {
      try store.upsert(Cluster(id: nobody, name: "群", members: [.init(institution: nobody, leads: true)]))
    }
    #expect(throws: LedgerError.notFound) { try store.upsert(Seat(id: nobody, lesson: nobody, role: .lead)) }
    #expect(throws: ClassroomError.badName) {
      try store.upsert(Institution(id: nobody, kind: .school, name: ""))
    }
    #expect(try store.institution(nobody) == nil)
    var seat = classes.lead
    seat.role = .observer
    #expect(throws: LedgerError.immutable) { try store.upsert(seat) }
    for index in 4..<512 {
      try store.upsert(Seat(id: Identifier(high: 77, low: UInt64(index)), lesson: classes.lesson.id, role: .observer))
    }
    #expect(throws: LedgerError.full) {
      try store.upsert(Seat(id: nobody, lesson: classes.lesson.id, role: .observer))
    }
    seat = classes.lead
    seat.person = nobody
    try store.upsert(seat)
    #expect(try store.seat(seat.id)?.person == nobody)
  }

  @Test func onlyEventsMoveALessonFromArmedOn() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    func with(_ state: LessonState, _ id: Identifier, registration: Identifier? = nil) -> Lesson {
      Lesson(
        id: id, registration: registration ?? classes.lesson.registration, cluster: classes.lesson.cluster,
        title: "改", plannedStart: folder.now, plannedEnd: folder.now + 1, state: state)
    }
    let id = classes.lesson.id
    for state in [LessonState.armed, .live, .ended, .interrupted, .planned] {
      #expect(throws: LedgerError.badTransition) { try store.upsert(with(state, id)) }
    }
    let new = Identifier(high: 8, low: 8)
    for state in [LessonState.armed, .live, .ended, .interrupted, .notHeld] {
      #expect(throws: LedgerError.badTransition) { try store.upsert(with(state, new, registration: new)) }
    }
    #expect(throws: LedgerError.immutable) { try store.upsert(with(.published, id, registration: new)) }
    try store.upsert(with(.published, id))
    #expect(try store.lesson(id)?.title == "改")
    try store.append(classes.event(.lessonArmed))
    try store.upsert(with(.notHeld, id))
    #expect(try store.lesson(id)?.state == .notHeld)
  }

  @Test func theSampleClusterIsTheSameEveryTime() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let first = try store.installSampleCluster()
    #expect(first.lesson.state == .live && first.lesson.isAlwaysLive)
    #expect(first.leadSeat.role == .lead && first.receiverSeats.map(\.role) == [.receiver, .receiver, .receiver])
    #expect(first.rooms.map(\.id) == ([first.leadSeat] + first.receiverSeats).map(\.room))
    #expect(first.lesson.id.description == "746f6e67-6b65-8005-8000-000000000001")
    let events = try store.verifyChain().events
    folder.advance(86_400_000)
    try store.append(LedgerEvent(kind: .seatJoined, lesson: first.lesson.id, seat: first.leadSeat.id))
    #expect(try store.recover() == 1)
    #expect(try store.installSampleCluster() == first)
    #expect(try store.verifyChain().events == events + 2)
    var room = first.rooms[1]
    room.name = "新名"
    try store.upsert(room)
    #expect(try store.installSampleCluster().rooms[1].name == "新名")
  }

  @Test func aSecretIsMadeOnce() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    var made = 0
    for name in ["tokens", "sessions", "tokens"] {
      let secret = try store.secret(name) {
        made += 1
        return Array(name.utf8)
      }
      #expect(secret == Array(name.utf8))
    }
    #expect(made == 2)
    #expect(try folder.open().secret("tokens") { [] } == Array("tokens".utf8))
    #expect(throws: ClassroomError.badName) { try store.secret("") { [1] } }
    #expect(throws: ClassroomError.badName) { try store.secret(String(repeating: "n", count: 41)) { [1] } }
  }
}
