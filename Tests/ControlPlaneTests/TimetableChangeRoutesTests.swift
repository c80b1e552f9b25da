// Goal: a single lesson is changed only after it was held against the term: conflicts are refused with both sides and
// what helps, unless forced, which the audit trail says; and what was changed counts from then on. Method: HTTP
// requests to a running relay.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct TimetableChangeRoutesTests {
  private static let term = "/api/v1/terms/" + TimetableRelay.term

  /// K1 on Mondays and K2 on Wednesdays, both of one teacher and in the second period, published.
  private func published() async throws -> (county: TimetableRelay, lessons: [LessonReply]) {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    #expect(try await county.ask("POST", Self.term + "/publish").status == 200)
    let span = "from=\(county.monday)&to=\(county.monday + 27)"
    let list: LessonList = try await county.ask("GET", "/api/v1/lessons?" + span).value()
    return (county, list.lessons)
  }

  private func change(
    _ county: TimetableRelay, _ lesson: LessonReply, _ wanted: LessonChangeRequest, language: String = "zh-CN"
  ) async throws -> TimetableRelay.Answer {
    try await county.ask(
      "POST", "/api/v1/lessons/\(lesson.id)/changes", body: wanted,
      headers: ["If-Match": "\"\(lesson.revision)\"", "Accept-Language": language])
  }

  @Test func aMoveIntoAnotherLessonIsRefusedUnlessForced() async throws {
    let (county, lessons) = try await published()
    let lesson = try #require(lessons.first { $0.course == "K1" })
    let wednesday = county.monday + 2
    let onto = LessonChangeRequest(action: .move, start: "\(wednesday) 09:10", reason: "教师外出")
    let refused = try await change(county, lesson, onto)
    #expect(refused.status == 409 && refused.kind == "lessonConflicts", "\(refused.text)")
    let problem: ProblemReply = try refused.value()
    let finding = try #require(problem.findings?.first)
    #expect(finding.code == "leadTeacher" && finding.course == "K1" && finding.dates == ["\(wednesday)"])
    #expect(finding.sentence.contains("李红") && finding.sentence.contains("K2"), "both sides: \(finding.sentence)")
    #expect(!finding.resolutions.isEmpty)
    let english: ProblemReply = try await change(county, lesson, onto, language: "en").value()
    #expect(english.title.contains("1 conflicts") && english.findings?.first?.sentence.contains("K2") == true)
    let unchanged: LessonList = try await county.ask("GET", "/api/v1/lessons?course=K1&to=2999-12-31").value()
    #expect(unchanged.lessons.first?.start == lesson.start && unchanged.lessons.first?.revision == 0)

    var forced = onto
    forced.force = true
    let made: LessonReply = try await change(county, lesson, forced).value()
    #expect(made.start == "\(wednesday) 09:10" && made.revision == 1)
    #expect(made.findings?.map(\.code) == ["leadTeacher"], "what was forced through is said")
    let trail = try county.relay.store.auditEntries().filter { $0.entry.operation == "changeLesson" }
    #expect(trail.last?.entry.new?.contains(#""forced":["leadTeacher"]"#) == true)
    // What is written by people can be taken back: it stands beside the trail.
    #expect(trail.last?.entry.new?.contains("教师外出") == false)
    let id = try #require(Identifier(lesson.id))
    #expect(try county.relay.store.changes(lesson: id).last?.reason == "教师外出")
    let check: CheckReply = try await county.ask("GET", Self.term + "/check").value()
    #expect(check.conflicts == 1, "it is still told")
    // A further change that makes nothing worse is in nobody's way.
    let room = LessonChangeRequest(action: .room, room: "A01-2", reason: "设备故障")
    let other = try await change(county, made, room)
    #expect(other.status == 409, "K2 is led from there at that time")
    let back = LessonChangeRequest(action: .move, start: lesson.start, reason: "改回")
    #expect(try await change(county, made, back).status == 200)
    let after: CheckReply = try await county.ask("GET", Self.term + "/check").value()
    #expect(after.conflicts == 0)
    await county.relay.stop()
  }

  @Test func aRoomOfOneLessonCountsFromThenOn() async throws {
    let (county, lessons) = try await published()
    let first = try #require(lessons.first { $0.course == "K1" })
    let second = try #require(lessons.first { $0.course == "K2" })
    let moved: LessonReply = try await change(
      county, first, LessonChangeRequest(action: .room, room: "B01-2", reason: "换教室")
    ).value()
    #expect(moved.rooms == ["A01-1", "B01-2"] && moved.findings == nil)
    // K2's site sits there; its lesson of another day may not come into that hour any more.
    let onto = LessonChangeRequest(
      action: .substitute, teacher: "A01/1002", reason: "教师外出")
    let substituted: LessonReply = try await change(county, second, onto).value()
    let clash = try await change(
      county, substituted, LessonChangeRequest(action: .move, start: first.start, reason: "x"))
    let found = try #require(try clash.value(ProblemReply.self).findings)
    #expect(found.contains { $0.code == "siteRoom" && $0.sentence.contains("B01-2") }, "\(clash.text)")
    let windows: [FreeWindowReply] = try await county.ask(
      "GET", Self.term + "/free?lead=A01-2&sites=B01-2"
    ).value()
    let window = windows.first { $0.weekday == 1 && $0.period == 2 }
    #expect(window?.weeks == "2-4", "the room is taken in the first week")
    await county.relay.stop()
  }

  @Test func anAddedLessonIsHeldAgainstTheTerm() async throws {
    let (county, _) = try await published()
    func add(_ start: String, force: Bool? = nil) async throws -> TimetableRelay.Answer {
      try await county.ask(
        "POST", Self.term + "/lessons",
        body: LessonAddRequest(course: "K2", start: start, reason: "补课", force: force))
    }
    #expect(try await add("\(county.monday) 09:10").kind == "lessonConflicts")
    let forced: LessonReply = try await add("\(county.monday) 09:10", force: true).value()
    #expect(forced.findings?.contains { $0.code == "leadTeacher" } == true)
    let free = try await add("\(county.monday + 1) 10:20")
    #expect(free.status == 200)
    #expect(try await add("\(county.monday + 1) 10:20").kind == "lessonConflicts", "the first one is there")
    await county.relay.stop()
  }

  @Test func twoWhoChangeAtOnceDoNotBothGetThrough() async throws {
    let (county, lessons) = try await published()
    let first = try #require(lessons.first { $0.course == "K1" })
    let second = try #require(lessons.first { $0.course == "K2" })
    // Both of one teacher, to one free hour.
    let there = LessonChangeRequest(action: .move, start: "\(county.monday + 3) 10:20", reason: "x")
    async let one = change(county, first, there)
    async let other = change(county, second, there)
    let answers = try await [one, other]
    #expect(answers.map(\.status).sorted() == [200, 409], "\(answers.map(\.text))")
    // Of one lesson the second is told what the first has done.
    let third = try #require(lessons.last { $0.course == "K1" })
    async let left = change(county, third, LessonChangeRequest(action: .cancel, reason: "停电"))
    async let right = change(county, third, LessonChangeRequest(action: .cancel, reason: "停电"))
    let both = try await [left, right]
    #expect(both.map(\.status).sorted() == [200, 412], "\(both.map(\.text))")
    await county.relay.stop()
  }
}
