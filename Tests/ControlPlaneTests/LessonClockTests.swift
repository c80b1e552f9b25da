// Goal: lessons are armed before their bell by themselves and lapse when nobody comes, whatever is changed meanwhile
// and whatever the clock does. Method: a relay with a clock that the test sets, asked over HTTP.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

extension TimetableRelay {
  /// Tries a lesson's door with an offer that is none: what refuses it, or `malformedOffer` where the door is open.
  func knock(_ lesson: String, token: String) async throws -> String {
    var request = URLRequest(url: try #require(URL(string: relay.localBase + "/whep/lessons/" + lesson)))
    request.httpMethod = "POST"
    request.setValue("Bearer " + token, forHTTPHeaderField: "Authorization")
    request.setValue("application/sdp", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data("x".utf8)
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    return Answer(status: status, data: data, tag: nil).kind
  }

  /// The token of a receiving seat, as a coordinator gets it.
  func key(_ lesson: String) async throws -> String {
    let links: SeatLinks = try await ask("GET", "/api/v1/lessons/\(lesson)/links").value()
    return try #require(links.links.first { $0.role == "receiver" }?.token)
  }

  func metric(_ name: String) async throws -> String? {
    let lines = try await ask("GET", "/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix("tongke_\(name) ") }.map { String($0.split(separator: " ")[1]) }
  }

  func state(_ lesson: Identifier) throws -> LessonState? { try relay.store.lesson(lesson)?.state }
}

@Suite struct LessonClockTests {
  private static func lessons(_ count: Int, in county: TimetableRelay, minutes: Int64) throws -> [Lesson] {
    let start = (county.clock?.now ?? 0) + minutes * 60_000
    return try (0..<count).map { _ in
      try county.relay.store.makeLesson(
        title: "音乐", plannedStart: start, plannedEnd: start + 2_400_000, receivers: 1
      ).lesson
    }
  }

  @Test func threeHundredLessonsAreArmedBeforeTheirBell() async throws {
    let clock = GivenClock()
    let county = try await TimetableRelay(clock: clock)
    let lessons = try Self.lessons(300, in: county, minutes: 20)
    let later = try Self.lessons(1, in: county, minutes: 120)[0]
    await county.relay.advance()
    #expect(try county.relay.store.lessons(in: .armed).isEmpty)
    let token = try await county.key("\(lessons[0].id)")
    #expect(try await county.knock("\(lessons[0].id)", token: token) == "beforeWindow")

    clock.advance(minutes: 5)
    await county.relay.advance()
    #expect(try county.relay.store.lessons(in: .armed).count == 300)
    #expect(try county.state(later.id) == .published)
    let events = try county.relay.store.events(lesson: lessons[299].id)
    #expect(events.map(\.kind) == [.lessonArmed])
    #expect(events[0]["plannedStart"] == "\(lessons[299].plannedStart)")
    #expect(try await county.metric("lessons_armed_total") == "300")
    #expect(try await county.metric(#"lessons{state="armed"}"#) == "0", "arming takes nothing of the relay")
    #expect(try await county.metric("lessons_over_limit_total") == "0")
    #expect(try await county.knock("\(lessons[0].id)", token: token) == "malformedOffer")

    // A clock that is set back takes nothing back, also not from a relay that starts anew by it.
    clock.advance(minutes: -180)
    await county.relay.advance()
    #expect(try county.relay.store.lessons(in: .armed).count == 300)
    #expect(try await county.knock("\(lessons[1].id)", token: county.key("\(lessons[1].id)")) == "malformedOffer")
    await county.relay.stop()
    let again = try await TimetableRelay(clock: clock, scratch: county.scratch)
    await again.relay.advance()
    #expect(try again.relay.store.lessons(in: .armed).count == 300)
    #expect(try await again.knock("\(lessons[2].id)", token: again.key("\(lessons[2].id)")) == "malformedOffer")

    clock.advance(minutes: 180 + 54)
    await again.relay.advance()
    #expect(try again.relay.store.lessons(in: .armed).count == 300)
    clock.advance(minutes: 1)
    await again.relay.advance()
    #expect(try again.relay.store.lessons(in: .notHeld).count == 300)
    #expect(try again.state(later.id) == .published)
    let told = try again.relay.store.events(lesson: lessons[5].id)
    #expect(told.map(\.kind) == [.lessonArmed, .lessonNotHeld] && told[1]["reason"] == "unheld")
    #expect(try await again.metric("lessons_not_held_total") == "300")
    #expect(try await again.knock("\(lessons[0].id)", token: token) == "lessonEnded")
    #expect(try again.relay.store.verifyChain().isIntact)
    await again.relay.stop()
  }

  @Test func whatPassedWhileTheRelayWasDownIsClosed() async throws {
    let clock = GivenClock()
    let county = try await TimetableRelay(clock: clock)
    let unheld = try Self.lessons(70, in: county, minutes: 20)
    let broken = try Self.lessons(2, in: county, minutes: 20)
    let store = county.relay.store
    for lesson in broken {
      try store.append([
        LedgerEvent(kind: .lessonArmed, lesson: lesson.id), LedgerEvent(kind: .lessonLive, lesson: lesson.id),
      ])
    }
    await county.relay.stop()
    // In the middle of it the relay is back; the lead may come back as well.
    clock.advance(minutes: 30)
    let second = try await TimetableRelay(clock: clock, scratch: county.scratch)
    #expect(try second.state(broken[0].id) == .interrupted)
    await second.relay.stop()
    clock.advance(minutes: 24 * 60)
    let third = try await TimetableRelay(clock: clock, scratch: county.scratch)
    #expect(try unheld.allSatisfy { try third.state($0.id) == .notHeld })
    #expect(try broken.allSatisfy { try third.state($0.id) == .ended })
    #expect(try third.relay.store.endReason(lesson: broken[1].id) == "leadGone")
    await third.relay.stop()
  }

  @Test func moreThanTheRelayRunsAreArmedAndToldAndMakeRoomForEachOther() async throws {
    let clock = GivenClock()
    let county = try await TimetableRelay(clock: clock)
    let lessons = try Self.lessons(520, in: county, minutes: 10)
    await county.relay.advance()
    #expect(try county.relay.store.lessons(in: .armed).count == 520)
    #expect(try await county.metric("lessons_over_limit_total") == "8")
    var answers: Set<String> = []
    for lesson in lessons { answers.insert(try await county.knock("\(lesson.id)", token: county.key("\(lesson.id)"))) }
    // Where nobody stays nobody is in the way.
    #expect(answers == ["malformedOffer"])
    #expect(try await county.metric(#"lessons{state="armed"}"#) == "512")
    await county.relay.stop()
  }

  @Test func changesAreTakenUpAtOnce() async throws {
    let clock = GivenClock()
    let county = try await TimetableRelay(clock: clock)
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    func moment(_ minutes: Int64) -> String {
      let time = clock.now + minutes * 60_000
      return "\(CivilTime.date(of: time)) \(CivilTime.time(of: time))"
    }
    func change(_ lesson: LessonReply, _ change: LessonChangeRequest) async throws -> LessonReply {
      let path = "/api/v1/lessons/\(lesson.id)/changes"
      return try await county.ask("POST", path, body: change, headers: ["If-Match": "\"\(lesson.revision)\""]).value()
    }
    func becomes(_ lesson: LessonReply, _ state: LessonState) async throws -> Bool {
      let id = try #require(Identifier(lesson.id))
      for _ in 0..<200 {
        if try county.state(id) == state { return true }
        try await Task.sleep(for: .milliseconds(20))
      }
      return false
    }
    // 加课 five minutes before the bell.
    let add = LessonAddRequest(course: "K1", start: moment(5), reason: "补课", force: true)
    let path = "/api/v1/terms/\(TimetableRelay.term)/lessons"
    let added: LessonReply = try await county.ask("POST", path, body: add).value()
    #expect(try await becomes(added, .armed))
    let token = try await county.key(added.id)
    #expect(try await county.knock(added.id, token: token) == "malformedOffer")
    // 调课 while the room waits: its doors close, and open again when the new time comes.
    let moved = try await change(
      added, LessonChangeRequest(action: .move, start: moment(180), reason: "教师外出", force: true))
    #expect(moved.state == "published")
    #expect(try await county.knock(added.id, token: token) == "beforeWindow")
    clock.advance(minutes: 166)
    await county.relay.advance()
    #expect(try await becomes(moved, .armed))
    let fresh = try await county.key(added.id)
    #expect(try await county.knock(added.id, token: fresh) == "malformedOffer")
    let cancelled = try await change(moved, LessonChangeRequest(action: .cancel, reason: "停电"))
    #expect(cancelled.state == "cancelled")
    #expect(try await county.knock(added.id, token: fresh) == "lessonEnded")
    await county.relay.stop()
  }
}
