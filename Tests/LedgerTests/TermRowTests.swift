// Goal: terms, bells, persons and local lessons are kept as they are, no two rows share what is unique, and a second
// writer is refused. Method: writing values to a ledger, reading them back after it was closed, and counter-examples.
import Classroom
import GRDB
import Ledger
import Testing

@Suite struct TermRowTests {
  @Test func everyValueOfATermComesBackAsItWasKept() throws {
    let folder = try LedgerFolder()
    var store = try folder.open()
    var county = County(clusters: 2, localPerClass: 3)
    county.rooms[0].uplink = 77
    county.institutions[0].successor = county.institutions[5].id
    county.persons[0].issuer = "https://id.example"
    county.persons[0].subject = "用户 \"1\""
    county.bells[0].from = CivilDate("2026-10-01")
    county.bells[0].through = CivilDate("2027-04-30")
    county.bells[0].weekdays = [1, 3]
    county.term.rules.append(
      CalendarRule(
        from: CivilDate("2026-10-10")!, through: CivilDate("2026-10-10")!, part: .morning,
        kind: .follows(weekday: 4, week: 3), name: "调休"))
    county.term.deviations = [
      .init(
        institution: county.institutions[1].id, firstDay: CivilDate("2026-08-31")!,
        rules: [
          CalendarRule(from: CivilDate("2026-10-01")!, through: CivilDate("2026-10-01")!, kind: .ordinary)
        ]), .init(region: "某县"),
    ]
    county.courses[0].audio = .music
    county.courses[0].weeklyTimes = [
      .init(weekday: 7, period: 20, weeks: .odd, minutes: 35, adoptedBy: [county.rooms[2].id]),
      .init(weekday: 1, period: 1, weeks: WeekSet([1, 2, 7])),
    ]
    let pupils = county.classes[0].id
    county.local[pupils]?[0].time = .clock(ClockTime("08:05")!, ClockTime("24:00")!)
    county.local[pupils]?[0].weeks = WeekSet([60, 1])
    county.local[pupils]?[1].teacher = nil
    county.local[county.classes[1].id] = []
    // A successor that is made later than what it succeeds.
    let successor = county.institutions[5]
    try store.upsert(successor)
    try county.write(to: store)
    try county.write(to: store)
    try store.close()
    store = try folder.open()
    #expect(try store.institutions() == [successor] + county.institutions.filter { $0 != successor })
    #expect(try store.rooms() == county.rooms && store.classes() == county.classes)
    #expect(try store.persons() == county.persons && store.bells() == county.bells)
    #expect(try store.persons(institution: county.institutions[1].id) == [county.persons[1]])
    #expect(try store.bells(institution: county.institutions[1].id) == [county.bells[1]])
    #expect(try store.person(county.persons[0].id) == county.persons[0])
    #expect(try store.bells(county.bells[0].id) == county.bells[0])
    #expect(try store.terms() == [county.term] && store.term(county.term.id) == county.term)
    #expect(try store.courses(term: County.code) == county.courses)
    #expect(try store.clusters() == county.clusters)
    #expect(try store.localLessons(of: pupils, term: County.code) == county.local[pupils])
    #expect(try store.localLessons(of: county.classes[1].id, term: County.code) == [])
    #expect(try store.localLessons(of: pupils, term: "2026-2027-2") == nil, "not known")
    #expect(try store.localLessonsImportedAt(of: pupils, term: County.code) == folder.now)
    let other = County.code
    #expect(try store.timetable(term: other)?.localLessons == county.local)
  }

  @Test func valuesAreFoundByWhatPeopleSay() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 1)
    try county.write(to: store)
    #expect(try store.institution(number: "S0-1") == county.institutions[1] && store.institution(number: "") == nil)
    #expect(try store.rooms(number: "S0-1-2") == [county.rooms[3]] && store.rooms(number: "?").isEmpty)
    #expect(try store.schoolClass(number: "S0-2-B") == county.classes[2])
    #expect(try store.cluster(number: "Q0") == county.clusters[0])
    #expect(try store.course(number: "K0-1", term: County.code) == county.courses[1])
    #expect(try store.course(number: "K0-1", term: "2027") == nil)
    #expect(try store.term(code: County.code) == county.term)
    let bureau = Person(id: Identifier(high: 1, low: 1), institution: nil, name: "某", issuer: "i", subject: "s")
    try store.upsert(bureau)
    #expect(try store.person(institution: county.institutions[2].id, staffNumber: "T2") == county.persons[2])
    #expect(try store.person(institution: nil, staffNumber: "") == nil)
    #expect(try store.person(issuer: "i", subject: "s") == bureau && store.person(issuer: "i", subject: "") == nil)
    #expect(try store.institutions(after: county.institutions[1].id, limit: 2) == Array(county.institutions[2...3]))
    let lead = county.institutions[0].id
    #expect(try store.rooms(institution: lead, after: county.rooms[0].id) == [county.rooms[1]])
  }

  @Test func whatIsUniqueIsSharedByNoTwo() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 2)
    try county.write(to: store)
    let id = Identifier(high: 9, low: 9)
    func refusal(_ key: String, _ value: String, _ table: CatalogueTable, _ other: Identifier) -> LedgerError {
      .taken(key: key, value: value, by: LedgerRow(table, other))
    }
    var school = county.institutions[5]
    school.number = "S0-0"
    #expect(throws: refusal("number", "S0-0", .institutions, county.institutions[0].id)) { try store.upsert(school) }
    var room = county.rooms[1]
    room.number = "S0-0-1"
    #expect(throws: refusal("number", "S0-0-1", .rooms, county.rooms[0].id)) { try store.upsert(room) }
    room.institution = county.institutions[1].id
    try store.upsert(room)
    var pupils = county.classes[1]
    pupils.number = "S0-0-B"
    #expect(throws: refusal("number", "S0-0-B", .classes, county.classes[0].id)) { try store.upsert(pupils) }
    #expect(throws: refusal("number", "Q0", .clusters, county.clusters[0].id)) {
      try store.upsert(Cluster(id: id, number: "Q0", name: "群", members: []))
    }
    var course = county.courses[1]
    course.number = "K0-0"
    #expect(throws: refusal("number", "K0-0", .courses, county.courses[0].id)) { try store.upsert(course) }
    course.term = "2027-2028-1"
    try store.upsert(course)
    #expect(throws: refusal("code", County.code, .terms, county.term.id)) {
      try store.upsert(Term(id: id, code: County.code, name: "又", firstDay: CivilDate("2026-09-01")!, weeks: 1))
    }
    let lead = county.institutions[0].id
    #expect(throws: refusal("staffNumber", "T0", .persons, county.persons[0].id)) {
      try store.upsert(Person(id: id, institution: lead, name: "同名", staffNumber: "T0"))
    }
    try store.upsert(Person(id: id, institution: nil, name: "某", staffNumber: "T0", issuer: "i", subject: "s"))
    #expect(throws: refusal("staffNumber", "T0", .persons, id)) {
      try store.upsert(Person(id: Identifier(high: 9, low: 8), institution: nil, name: "某", staffNumber: "T0"))
    }
    #expect(throws: refusal("subject", "s", .persons, id)) {
      try store.upsert(
        Person(id: Identifier(high: 9, low: 8), institution: lead, name: "某", issuer: "i", subject: "s"))
    }
    // The indexes hold what another program writes to it too.
    let stranger = try folder.stranger()
    for table in ["institutions", "classes", "clusters"] {
      #expect(throws: DatabaseError.self, "\(table)") {
        try stranger.write { try $0.execute(sql: "UPDATE \(table) SET number = 'same'") }
      }
    }
  }

  @Test func whatIsWrongIsRefused() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 2)
    try county.write(to: store)
    let nobody = Identifier(high: 9, low: 9)
    var (first, second) = (county.institutions[0], county.institutions[5])
    first.parent = second.id
    try store.upsert(first)
    second.parent = county.institutions[1].id
    #expect(throws: LedgerError.cyclic(LedgerRow(.institutions, second.id))) { try store.upsert(second) }
    #expect(try store.institution(second.id)?.parent == nil, "undone")
    second.parent = nil
    second.successor = first.id
    try store.upsert(second)
    first.successor = second.id
    #expect(throws: LedgerError.cyclic(LedgerRow(.institutions, first.id))) { try store.upsert(first) }
    var course = county.courses[0]
    course.lead.teacher = nobody
    #expect(throws: LedgerError.notFound) { try store.upsert(course) }
    course = county.courses[0]
    course.weeklyTimes[0].adoptedBy = [nobody]
    #expect(throws: LedgerError.notFound) { try store.upsert(course) }
    #expect(throws: LedgerError.notFound) {
      try store.upsert(BellSchedule(id: nobody, institution: nobody, name: "作息", periods: []))
    }
    var term = county.term
    term.state = .published
    #expect(throws: LedgerError.immutable) { try store.upsert(term) }
    term = county.term
    term.version = 1
    #expect(throws: LedgerError.immutable) { try store.upsert(term) }
    term = county.term
    term.code = "2027"
    let user = LedgerRow(.courses, county.courses[0].id)
    #expect(throws: LedgerError.referenced(LedgerRow(.terms, term.id), by: user)) { try store.upsert(term) }
    term.deviations = [.init(institution: nobody)]
    term.code = County.code
    #expect(throws: LedgerError.notFound) { try store.upsert(term) }
  }

  @Test func wrongLocalTimetablesChangeNothing() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 2)
    try county.write(to: store)
    let nobody = Identifier(high: 9, low: 9)
    let pupils = county.classes[0].id
    let lesson = LocalLesson(
      institution: county.institutions[0].id, term: County.code, schoolClass: pupils, subject: "chinese", weekday: 1,
      time: .period(1))
    for (lessons, error) in [
      (Array(repeating: lesson, count: 401), ClassroomError.tooMany), ([lesson], .badRange),
    ] {
      #expect(throws: error) {
        try store.transaction { try $0.replaceLocalLessons(of: county.classes[1].id, term: County.code, lessons) }
      }
    }
    #expect(throws: ClassroomError.badRange) {
      try store.transaction { try $0.replaceLocalLessons(of: pupils, term: "2027", [lesson]) }
    }
    var stray = lesson
    stray.teacher = nobody
    #expect(throws: LedgerError.notFound) {
      try store.transaction { try $0.replaceLocalLessons(of: pupils, term: County.code, [lesson, stray]) }
    }
    #expect(try store.localLessons(of: pupils, term: County.code) == [], "as before")
    for isKnown in [true, false] {
      #expect(try store.transaction { try $0.removeLocalLessons(of: pupils, term: County.code) } == isKnown)
    }
    #expect(try store.localLessons(of: pupils, term: County.code) == nil)
  }

  @Test func theSecondOfTwoWritersIsRefusedAndToldWhatChanged() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 1)
    try county.write(to: store)
    let row = LedgerRow(.courses, county.courses[0].id)
    let read = try #require(try store.version(of: row))
    #expect(try LedgerStore.version(of: county.courses[0]) == read)
    #expect(read.count <= 72 && read.utf8.allSatisfy { $0 > 0x2c && $0 < 0x7b })
    var (first, second) = (county.courses[0], county.courses[0])
    first.textbook = "人音版 三年级上册"
    first.weeklyTimes = [.init(weekday: 2, period: 3)]
    second.textbook = "人教版"
    try store.upsert(first, ifVersion: read)
    let current = try #require(try store.version(of: row))
    #expect(current != read)
    #expect(throws: LedgerError.stale(current: current, changed: ["textbook", "weeklyTimes"])) {
      try store.upsert(second, ifVersion: read)
    }
    #expect(try store.course(row.id) == first)
    try store.upsert(second, ifVersion: current)
    #expect(try store.course(row.id) == second)
    #expect(throws: LedgerError.notFound) {
      try store.upsert(Cluster(id: Identifier(high: 9, low: 9), name: "群", members: []), ifVersion: read)
    }
    let changed = "id,number,institution,name,typeCode,cohorts,homeRoom,consentRecord".split(separator: ",")
    let version = try LedgerStore.version(of: county.classes[0])
    #expect(throws: LedgerError.stale(current: version, changed: changed.map(String.init))) {
      try store.upsert(county.classes[0], ifVersion: "no version")
    }
    #expect(try store.version(of: LedgerRow(.rooms, row.id)) == nil)
    // Equal content has one version, whoever wrote it.
    try store.upsert(county.courses[0])
    #expect(try store.version(of: row) == read)
  }

  @Test func listsThatAnotherProgramWroteAreReadOrRefused() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 1)
    try county.write(to: store)
    let stranger = try folder.stranger()
    let id = county.classes[0].id
    func keep(_ text: String) throws {
      try stranger.write {
        try $0.execute(sql: "UPDATE classes SET cohorts = ? WHERE number = 'S0-0-B'", arguments: [text])
      }
    }
    for text in [
      "[{\"entryYear\":2020,\"headCount\":5}]", " [ {\"headCount\" : 5.0, \"entryYear\":2020, \"more\": [null]} ] ",
      "[{\"entry\\u0059ear\":2020,\"headCount\":5}]",
    ] {
      try keep(text)
      #expect(try store.schoolClass(id)?.cohorts == [.init(entryYear: 2020, headCount: 5)], "\(text)")
    }
    for text in [
      "", "[", "[{]", "[{\"entryYear\":2020}]", "[{\"entryYear\":2020,\"headCount\":5}]x", "{}", "[1]", "[{}}",
      "[{\"entryYear\":99999999999999999999,\"headCount\":5}]", "[{\"entryYear\":2020,\"headCount\":5.5}]",
      "[{\"entryYear\":2020,\"headCount\":-}]", "[{\"entryYear\":2020,\"headCount\":\"5", "[,]", "\u{0}",
    ] {
      try keep(text)
      #expect(throws: LedgerError.corruptRow, "\(text)") { try store.schoolClass(id) }
    }
  }
}
