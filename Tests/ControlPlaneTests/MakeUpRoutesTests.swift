// Goal: a site that missed a recorded lesson is offered it in its next free period, and no longer than unpublished
// recordings may be shown. Method: HTTP requests to a running relay whose clock the test sets.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct MakeUpRoutesTests {
  private static let missed = "/api/v1/missed-lessons"

  /// The first lesson of K1, on a Monday in the second period, taught and recorded while its site was away.
  private func recorded() async throws -> (county: TimetableRelay, clock: GivenClock, lesson: Lesson) {
    let clock = GivenClock()
    let county = try await TimetableRelay(clock: clock)
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    #expect(try await county.ask("POST", "/api/v1/terms/\(TimetableRelay.term)/publish").status == 200)
    let list: LessonList = try await county.ask(
      "GET", "/api/v1/lessons?course=K1&from=\(county.monday)&to=\(county.monday)"
    ).value()
    let id = try #require(list.lessons.first.flatMap { Identifier($0.id) })
    let store = county.relay.store
    let file = ResourceFile(
      id: Identifier(high: 5, low: 1), lesson: id, kind: .recording, path: "resources/camera.mp4",
      mediaType: "video/mp4", byteCount: 10, sha256: String(repeating: "0", count: 64),
      durationMilliseconds: 2_400_000,
      state: .verified, madeAt: 1)
    try store.upsert(file)
    try store.append([
      LedgerEvent(kind: .lessonArmed, lesson: id), LedgerEvent(kind: .lessonLive, lesson: id),
      LedgerEvent(
        kind: .resourceMade, lesson: id,
        payload: [("resource", "\(file.id)"), ("feed", "camera"), ("sha256", file.sha256), ("startsAt", "1")]),
      LedgerEvent(kind: .lessonEnded, lesson: id, payload: [("reason", "limit")]),
    ])
    let lesson = try #require(try store.lesson(id))
    clock.set(lesson.plannedEnd + 60_000)
    return (county, clock, lesson)
  }

  @Test func theNextFreePeriodIsOfferedAndTaken() async throws {
    let (county, clock, lesson) = try await recorded()
    // The period right behind it is taken by another lesson of the same room.
    let added = try await county.ask(
      "POST", "/api/v1/terms/\(TimetableRelay.term)/lessons",
      body: LessonAddRequest(course: "K1", start: "\(county.monday) 10:20", reason: "加课"))
    #expect((200...201).contains(added.status), "\(added.text)")
    let list: MissedList = try await county.ask("GET", Self.missed + "?site=B01-1").value()
    let row = try #require(list.missed.first)
    #expect(list.missed.count == 1 && row.lesson == "\(lesson.id)" && row.site == "B01-1" && row.attendedSeconds == 0)
    #expect(row.freeStart == "\(county.monday + 1) 08:20" && row.freeEnd == "\(county.monday + 1) 09:00")
    let others: MissedList = try await county.ask("GET", Self.missed + "?site=B01-2").value()
    #expect(others.missed.isEmpty, "who has no seat misses nothing")

    let path = "/api/v1/lessons/\(lesson.id)/make-up"
    let school = try #require(try county.relay.store.institution(number: "B01"))
    let teacher = try county.token(.localTeacher, .school(school.id))
    #expect(try await county.ask("POST", path, token: teacher, body: MakeUpRequest(site: "B01-1")).status == 403)
    let taken = try await county.ask(
      "POST", path, body: MakeUpRequest(site: "B01-1", start: "\(county.monday) 10:20"))
    #expect(taken.status == 409 && taken.kind == "noFreePeriod", "\(taken.text)")
    let made: LessonReply = try await county.ask("POST", path, body: MakeUpRequest(site: "B01-1")).value()
    #expect(made.start == row.freeStart && made.end == row.freeEnd && made.rooms == ["B01-1"])
    let store = county.relay.store
    let id = try #require(Identifier(made.id))
    #expect(try store.playback(lesson: id)?.source == lesson.id)
    let course = try #require(try store.lesson(id)?.course.flatMap { try store.course($0) })
    #expect(course.mode == .asyncDual && course.weeklyTimes.isEmpty && course.subject == "music")
    #expect(try store.seats(lesson: id).map(\.role) == [.receiver])
    #expect(try store.events(lesson: id).first?["makesUpFor"] == "\(lesson.id)")

    // Offered once; and the period is taken by now.
    let rest: MissedList = try await county.ask("GET", Self.missed).value()
    #expect(rest.missed.isEmpty)
    let again = try await county.ask("POST", path, body: MakeUpRequest(site: "B01-1"))
    #expect(again.status == 409 && again.kind == "notMissed")
    #expect(try await county.ask("POST", "/api/v1/terms/\(TimetableRelay.term)/publish").status == 200)
    #expect(try store.lesson(id)?.state == .published, "a later publication leaves it alone")
    _ = clock
    await county.relay.stop()
  }

  @Test func afterTwoWeeksNothingIsOffered() async throws {
    let (county, clock, lesson) = try await recorded()
    clock.set(lesson.plannedEnd + ReplayRule.ownSeatsSpan - 60_000)
    let last: MissedList = try await county.ask("GET", Self.missed).value()
    #expect(
      last.missed.count == 1 && last.missed[0].freeStart == nil, "no period is left before it may be shown no more")
    clock.set(lesson.plannedEnd + ReplayRule.ownSeatsSpan + 60_000)
    let list: MissedList = try await county.ask("GET", Self.missed).value()
    #expect(list.missed.isEmpty)
    await county.relay.stop()
  }
}
