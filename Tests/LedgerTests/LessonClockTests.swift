// Goal: the clock's questions find what is due and nothing else, whatever stands around it. Method: lessons in every
// state around an instant.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct LessonClockTests {
  let folder: LedgerFolder
  let store: LedgerStore
  let sample: SampleCluster

  init() throws {
    folder = try LedgerFolder()
    store = try folder.open()
    sample = try store.installSampleCluster()
  }

  /// Lessons of `minutes` after now, 40 minutes long.
  @discardableResult
  private func lesson(_ number: UInt64, minutes: Int64, _ state: LessonState, course: Identifier? = nil) throws
    -> Lesson
  {
    let start = folder.now + minutes * 60_000
    let lesson = Lesson(
      id: Identifier(high: 0xA, low: number), registration: Identifier(high: 0xB, low: number), course: course,
      cluster: sample.cluster.id, title: "课", plannedStart: start, plannedEnd: start + 2_400_000,
      state: .published)
    try store.upsert(lesson)
    if state != .published {
      let stranger = try folder.stranger()
      try stranger.write { db in
        try db.execute(
          sql: "UPDATE lessons SET state = ? WHERE id = ?",
          arguments: [state.rawValue, Data(lesson.id.bytes)])
      }
      try stranger.close()
    }
    return lesson
  }

  @Test func onlyPublishedLessonsWhoseTimeHasComeAreToBeArmed() throws {
    var number: UInt64 = 0
    for state in LessonState.allCases {
      for minutes in [Int64(-60), -40, -10, 15, 16] {
        number += 1
        try lesson(number, minutes: minutes, state)
      }
    }
    let now = folder.now
    let due = try store.lessonsToArm(startingBy: now + 15 * 60_000, now: now, limit: 10)
    // Over: −60 and, ending this moment, −40. Too early: 16. The sample is always live.
    #expect(due.map(\.state) == [.published, .published])
    #expect(due.map { ($0.plannedStart - now) / 60_000 } == [-10, 15])
    #expect(try store.lessonsToArm(startingBy: now + 15 * 60_000, now: now, limit: 1).count == 1)
    let passed = try store.lessonsWithoutEnd(plannedEndBy: now, limit: 100)
    #expect(Set(passed.map(\.state)) == [.planned, .published, .armed, .interrupted])
    #expect(passed.count == 8 && passed.map(\.plannedEnd) == passed.map(\.plannedEnd).sorted(by: >))
    #expect(try store.openLessonCount() == 15)
  }

  @Test func stepsAreTakenByTheirEvents() throws {
    let held = try lesson(1, minutes: 5, .published)
    let unheld = try lesson(2, minutes: -50, .published)
    try store.append([
      LedgerEvent(kind: .lessonArmed, lesson: held.id),
      LedgerEvent(kind: .lessonNotHeld, lesson: unheld.id, payload: [("reason", "unheld")]),
    ])
    #expect(try store.lesson(held.id)?.state == .armed && store.lesson(unheld.id)?.state == .notHeld)
    #expect(try store.endReason(lesson: held.id) == nil && store.endReason(lesson: unheld.id) == "unheld")
    #expect(throws: LedgerError.badTransition) { try store.append(LedgerEvent(kind: .lessonLive, lesson: unheld.id)) }
    try store.append(LedgerEvent(kind: .lessonLive, lesson: held.id))
    #expect(throws: LedgerError.badTransition) { try store.append(LedgerEvent(kind: .lessonNotHeld, lesson: held.id)) }
    try store.append(LedgerEvent(kind: .lessonEnded, lesson: held.id, payload: [("reason", "limit")]))
    #expect(try store.endReason(lesson: held.id) == "limit")
    #expect(try store.verifyChain().isIntact)
  }

  @Test func bookingsAroundABellAreThoseThatShareTimeWithTheOvertime() throws {
    let bell = folder.now + 40 * 60_000
    let ending = try lesson(1, minutes: 0, .live)
    let long = try lesson(2, minutes: 20, .published)
    let soon = try lesson(3, minutes: 49, .published)
    try lesson(4, minutes: 50, .published)
    try lesson(5, minutes: 45, .cancelled)
    for lesson in [ending, long, soon] {
      try store.upsert(
        Seat(
          id: Identifier(high: 0xC, low: lesson.id.low), lesson: lesson.id, role: .receiver, room: sample.rooms[1].id))
    }
    let found = try store.bookings(atBell: bell, within: 600_000)
    // What ends with the bell needs nothing after it; what starts when the overtime is over takes nothing of it.
    #expect(found.map(\.seat.lesson) == [long.id, soon.id])
    #expect(found.map(\.start) == [long.plannedStart, soon.plannedStart] && found.allSatisfy(\.takesClass))
    #expect(try store.bookings(atBell: .max, within: 600_000).isEmpty)
    #expect(try store.bookings(atBell: .min, within: 600_000).isEmpty)
  }

  @Test func aRecordedLessonNeedsNoLeadAndResearchNoClass() throws {
    let bell = folder.now
    for (index, mode) in Course.Mode.allCases.enumerated() {
      let number = UInt64(index + 1)
      let course = Course(
        id: Identifier(high: 0xD, low: number), number: "K\(number)", cluster: sample.cluster.id, term: "T",
        subject: "music", grades: [3], lead: Course.Party(room: sample.rooms[0].id),
        receivers: [Course.Party(room: sample.rooms[1].id)], mode: mode, label: .dedicated, weeklyTimes: [])
      try store.upsert(course)
      let lesson = try lesson(number, minutes: Int64(number), .published, course: course.id)
      for (place, role) in [Seat.Role.lead, .receiver].enumerated() {
        try store.upsert(
          Seat(
            id: Identifier(high: 0xE, low: number * 2 + UInt64(place)), lesson: lesson.id, role: role,
            room: sample.rooms[place].id))
      }
    }
    let found = try store.bookings(atBell: bell, within: 600_000)
    #expect(
      found.map { "\($0.start - bell) \($0.seat.role) \($0.takesClass)" } == [
        "60000 lead true", "60000 receiver true", "120000 receiver true", "180000 lead false", "180000 receiver false",
      ])
  }

  @Test func seatsCarryTheNumbersOfTheirRooms() throws {
    let places = try store.seatPlaces(lesson: sample.lesson.id)
    #expect(places.map(\.room) == ["L01-1", "P01-1", "P02-1", "P03-1"] && places[0].seat.role == .lead)
    #expect(places.map(\.institution) == ["示范中心小学", "东山教学点", "西河教学点", "南坪教学点"])
    #expect(try store.seatPlaces(lesson: Identifier(high: 9, low: 9)).isEmpty)
  }
}
