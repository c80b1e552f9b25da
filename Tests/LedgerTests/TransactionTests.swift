// Goal: an import is made whole or not at all, and nothing goes that something else names. Method: transactions that
// fail at their end, the files as a crash leaves them in the middle of one, and removals in right and wrong order.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct TransactionTests {
  struct Failure: Error {}

  @Test func aFailedTransactionLeavesNothing() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 2, localPerClass: 5)
    #expect(throws: Failure.self) {
      try store.transaction { changes in
        for value in county.institutions { try changes.upsert(value) }
        for value in county.rooms { try changes.upsert(value) }
        try changes.upsert(county.term)
        try changes.audit(AuditEntry(actor: nil, role: "", operation: "import", address: "", outcome: .allowed))
        try changes.append(LedgerEvent(kind: .tokenIssued))
        throw Failure()
      }
    }
    #expect(try store.institutions().isEmpty && store.rooms().isEmpty && store.terms().isEmpty)
    #expect(try store.auditEntries().isEmpty && store.verifyChain().events == 0 && store.verifyChain().isIntact)
    try county.write(to: store)
    #expect(try store.timetable(term: County.code)?.localLessons == county.local)
  }

  /// What `kill -9` leaves is the files as they are at that moment.
  @Test func aCrashInTheMiddleOfATransactionLeavesNothing() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 60, localPerClass: 10)
    let first = county.institutions[0]
    try store.upsert(first)
    try store.transaction { changes in
      for value in county.institutions.dropFirst() { try changes.upsert(value) }
      for value in county.rooms { try changes.upsert(value) }
      for value in county.classes { try changes.upsert(value) }
      for value in county.persons { try changes.upsert(value) }
      for (schoolClass, lessons) in county.local {
        try changes.replaceLocalLessons(of: schoolClass, term: County.code, lessons)
      }
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(
          atPath: folder.file() + suffix, toPath: folder.file("crash.sqlite") + suffix)
      }
    }
    let after = try folder.open("crash.sqlite")
    #expect(try after.institutions() == [first] && after.rooms().isEmpty && after.classes().isEmpty)
    #expect(try after.verifyChain().isIntact)
    #expect(try store.institutions() == county.institutions)
  }

  @Test func nothingGoesThatSomethingNames() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    var county = County(clusters: 2, localPerClass: 2)
    county.courses[0].weeklyTimes[0].adoptedBy = [county.rooms[3].id]
    county.term.deviations = [.init(institution: county.institutions[9].id)]
    try county.write(to: store)
    let timetable = try #require(try store.timetable(term: County.code))
    func refuses(_ row: LedgerRow, _ other: LedgerRow) {
      #expect(throws: LedgerError.referenced(row, by: other)) { try store.transaction { try $0.remove(row) } }
    }
    func remove(_ rows: [LedgerRow]) throws -> Int { try store.transaction { try $0.remove(rows) } }
    let (institutions, rooms) = (county.institutions, county.rooms)
    let course = LedgerRow(.courses, county.courses[0].id)
    refuses(LedgerRow(.institutions, institutions[0].id), LedgerRow(.institutions, institutions[1].id))
    refuses(LedgerRow(.institutions, institutions[1].id), LedgerRow(.rooms, rooms[2].id))
    refuses(LedgerRow(.rooms, rooms[3].id), course)
    refuses(LedgerRow(.classes, county.classes[1].id), LedgerRow(.localTimetables, county.classes[1].id))
    refuses(LedgerRow(.persons, county.persons[1].id), LedgerRow(.localTimetables, county.classes[1].id))
    refuses(LedgerRow(.clusters, county.clusters[0].id), course)
    refuses(LedgerRow(.terms, county.term.id), course)
    #expect(throws: LedgerError.immutable) { try remove([LedgerRow(.lessons, course.id)]) }
    #expect(try remove([LedgerRow(.bells, Identifier(high: 9, low: 9))]) == 0)
    // Wrong order in the middle undoes what went before.
    #expect(throws: LedgerError.self) { try remove([course, LedgerRow(.clusters, county.clusters[0].id)]) }
    #expect(try store.course(course.id) != nil)
    let all: [LedgerRow] =
      county.courses.map { LedgerRow(.courses, $0.id) } + county.clusters.map { LedgerRow(.clusters, $0.id) }
      + county.bells.map { LedgerRow(.bells, $0.id) } + county.rooms.map { LedgerRow(.rooms, $0.id) }
      + county.persons.map { LedgerRow(.persons, $0.id) } + county.classes.map { LedgerRow(.classes, $0.id) }
      + [LedgerRow(.terms, county.term.id)]
      + [1, 2, 3, 4, 0, 6, 7, 8, 9, 5].map { LedgerRow(.institutions, institutions[$0].id) }
    let removed = try store.transaction { changes in
      for schoolClass in county.classes { try changes.removeLocalLessons(of: schoolClass.id, term: County.code) }
      return try changes.remove(all)
    }
    #expect(removed == all.count)
    #expect(try store.institutions().isEmpty && store.rooms().isEmpty && store.terms().isEmpty)
    try county.write(to: store)
    #expect(try store.timetable(term: County.code)?.courses == timetable.courses)
  }

  @Test func aLessonsCourseStays() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let county = County(clusters: 1)
    try county.write(to: store)
    let timetable = try #require(try store.timetable(term: County.code))
    try store.publish(timetable, by: PublicationTests.actor) { _ in "课" }
    let course = county.courses[0].id
    let first = try #require(try store.lessons(course: course).map(\.id).min())
    do {
      try store.transaction { _ = try $0.remove(LedgerRow(.courses, course)) }
      Issue.record("a course with lessons was removed")
    } catch LedgerError.referenced(let row, let other) {
      #expect(row == LedgerRow(.courses, course) && other.table == .lessons)
      #expect(try store.lesson(other.id)?.course == course && other.id >= first)
    }
  }
}
