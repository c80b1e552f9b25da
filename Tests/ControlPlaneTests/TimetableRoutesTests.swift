// Goal: a coordinator's work goes through the interface: import, check, publication, changes, calendars; and nobody
// else's county is in reach. Method: HTTP requests to a running relay with a ledger of its own.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct TimetableRoutesTests {
  private static let term = "/api/v1/terms/" + TimetableRelay.term

  @Test func sheetsAreImportedOnceAndSaidToBeTheSameAfterwards() async throws {
    let county = try await TimetableRelay()
    let files = county.places + [county.courses()]
    let dry: ImportReply = try await county.send(files, dryRun: true).value()
    #expect(!dry.applied)
    #expect(try await county.ask("GET", "/api/v1/terms").value([TermReply].self).isEmpty, "a dry run wrote")
    let first: ImportReply = try await county.send(files).value()
    #expect(first.applied)
    #expect(first.counts.add == 14 && first.counts == dry.counts, "\(first.counts)")
    #expect(first.lines.contains { $0.sheet == "persons" && $0.name == "李红" }, "GB18030 was read")
    let again: ImportReply = try await county.send(files).value()
    #expect(again.counts == ImportReply.Counts(same: 14))
    #expect(again.lines.isEmpty)
    let changed: ImportReply = try await county.send([county.courses(second: "周四第1节")]).value()
    #expect(changed.counts.change == 1)
    #expect(changed.lines.first?.changes.map(\.column) == ["上课时间"])
    let courses: [CourseReply] = try await county.ask("GET", Self.term + "/courses").value()
    #expect(courses.map(\.number) == ["K1", "K2"])
    #expect(courses.first?.lead == "A01-1" && courses.first?.receivers == ["B01-1"])
    await county.relay.stop()
  }

  @Test func aWrongFileIsToldByRowAndColumnAndNothingIsWritten() async throws {
    let county = try await TimetableRelay()
    let answer = try await county.send(
      county.places + [county.courses(weeks: "1月4日")], headers: ["Accept-Language": "zh-CN"])
    #expect(answer.status == 422)
    #expect(answer.kind == "importRefused")
    let issue = try #require(try answer.value(ProblemReply.self).issues?.first)
    #expect(issue.sheet == "courses" && issue.row == 2 && issue.column == "周次", "\(issue)")
    #expect(issue.code == "weeksBecameDate")
    #expect(issue.text.contains("第 2 行"), "\(issue.text)")
    #expect(try await county.ask("GET", "/api/v1/terms").value([TermReply].self).isEmpty)
    #expect(try await county.send([]).status == 400)
    let unreadable = ImportRequest.File(name: "x.csv", data: Data([0xFF, 0x01, 0x00, 0x80]))
    #expect(try await county.send([unreadable]).status == 422)
    await county.relay.stop()
  }

  @Test func aConflictIsToldAndKeepsTheTermFromBeingPublished() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses(second: "周一第2节")]).status == 200)
    let check = try await county.check()
    #expect(check.conflicts == 1)
    let conflict = try #require(check.findings.first { $0.severity == "conflict" })
    #expect(conflict.code == "leadTeacher" && conflict.course == "K2")
    #expect(conflict.sentence.contains("李红") && conflict.sentence.contains("K1"), "\(conflict.sentence)")
    #expect(conflict.dates.count == 4)
    let one: CheckReply = try await county.ask("GET", Self.term + "/check?course=K2&severity=conflict").value()
    #expect(one.findings.map(\.code) == ["leadTeacher"])
    let refused = try await county.ask("POST", Self.term + "/publish", headers: ["Accept-Language": "en"])
    #expect(refused.status == 409 && refused.kind == "hasConflicts")
    #expect(try refused.value(ProblemReply.self).findings?.map(\.code) == ["leadTeacher"])
    let free: [FreeWindowReply] = try await county.ask("GET", Self.term + "/free?course=K2").value()
    #expect(free.count == 14, "three periods of five days, less the one that is taken")
    #expect(!free.contains { $0.weekday == 1 && $0.period == 2 })
    let rooms: [FreeWindowReply] = try await county.ask(
      "GET", Self.term + "/free?lead=A01-2&sites=B01-2&weeks=1-4"
    ).value()
    #expect(rooms.count >= 14)
    #expect(try await county.ask("GET", Self.term + "/free?lead=A01-9&sites=B01-2").status == 404)
    #expect(try await county.ask("GET", Self.term + "/check?severity=bad").status == 400)
    await county.relay.stop()
  }

  @Test func aPublishedLessonIsMovedCancelledAndAdded() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let published: PublishReply = try await county.ask("POST", Self.term + "/publish").value()
    #expect(published == PublishReply(version: 1, made: 8, kept: 0, cancelled: 0))
    let span = "from=\(county.monday)&to=\(county.monday + 27)"
    let all: LessonList = try await county.ask("GET", "/api/v1/lessons?" + span).value()
    #expect(all.lessons.count == 8 && all.next == nil)
    var paged: [LessonReply] = []
    var cursor = ""
    repeat {
      let page: LessonList = try await county.ask(
        "GET", "/api/v1/lessons?\(span)&limit=3" + (cursor.isEmpty ? "" : "&cursor=" + cursor)
      ).value()
      paged += page.lessons
      cursor = page.next ?? ""
    } while !cursor.isEmpty && paged.count < 100
    #expect(paged == all.lessons)
    let lesson = try #require(all.lessons.first)
    #expect(lesson.start == "\(county.monday) 09:10" && lesson.rooms == ["A01-1", "B01-1"] && lesson.course == "K1")

    let path = "/api/v1/lessons/\(lesson.id)/changes"
    // No bell rings then.
    let move = LessonChangeRequest(action: .move, start: "\(county.monday) 14:05", reason: "教师外出", force: true)
    #expect(try await county.ask("POST", path, body: move).kind == "noRevision")
    let moved = try await county.ask("POST", path, body: move, headers: ["If-Match": "\"0\""])
    #expect(moved.tag == "\"1\"")
    #expect(try moved.value(LessonReply.self).end == "\(county.monday) 14:45")
    let stale = try await county.ask(
      "POST", path, body: move, headers: ["If-Match": "\"0\"", "Accept-Language": "zh"])
    #expect(stale.status == 412 && stale.kind == "staleLesson" && stale.tag == "\"1\"")
    let title = try stale.value(ProblemReply.self).title
    #expect(title.contains("调课") && title.contains("教师外出"), "\(title)")
    let bad = LessonChangeRequest(action: .move, start: "tomorrow", reason: "x")
    #expect(try await county.ask("POST", path, body: bad, headers: ["If-Match": "\"1\""]).status == 400)

    let second = try #require(all.lessons.dropFirst().first)
    let cancel = LessonChangeRequest(action: .cancel, reason: "停电")
    let cancelled: LessonReply = try await county.ask(
      "POST", "/api/v1/lessons/\(second.id)/changes", body: cancel, headers: ["If-Match": "\"0\""]
    ).value()
    #expect(cancelled.state == "cancelled")
    let add = LessonAddRequest(course: "K2", start: "\(county.monday + 1) 10:20", reason: "补课")
    let added: LessonReply = try await county.ask("POST", Self.term + "/lessons", body: add).value()
    #expect(added.state == "published" && added.rooms == ["A01-2", "B01-2"])
    let ofRoom: LessonList = try await county.ask("GET", "/api/v1/lessons?room=B01-2&" + span).value()
    #expect(ofRoom.lessons.contains { $0.id == added.id } && !ofRoom.lessons.contains { $0.id == lesson.id })
    try await expectCalendars(county)
    #expect(try county.relay.store.auditEntries().contains { $0.entry.operation == "changeLesson" })
    await county.relay.stop()
  }

  /// The moved lesson has its new time in every calendar, and the week shows it.
  private func expectCalendars(_ county: TimetableRelay) async throws {
    let day = county.monday.description.filter { $0 != "-" }
    let paths = ["rooms/B01-1", "teachers/A01/1001", "clusters/Q1"]
    for path in paths {
      let calendar = try await county.ask("GET", "/api/v1/calendars/\(path).ics")
      #expect(calendar.status == 200)
      #expect(calendar.text.contains("DTSTART;TZID=Asia/Shanghai:\(day)T140500"), "\(path)\n\(calendar.text)")
      let tag = try #require(calendar.tag)
      let again = try await county.ask("GET", "/api/v1/calendars/\(path).ics", headers: ["If-None-Match": tag])
      #expect(again.status == 304 && again.data.isEmpty)
    }
    let week = Self.term + "/week?room=B01-1&week=1&format="
    #expect(try await county.ask("GET", week + "text").text.contains("14:05"))
    #expect(try await county.ask("GET", week + "html").text.contains("<table"))
    #expect(try await county.ask("GET", week + "cses").text.contains("14:05:00"))
    #expect(try await county.ask("GET", week + "csv").text.hasPrefix("\u{FEFF}星期"))
    #expect(try await county.ask("GET", week + "pdf").status == 400)
  }

  @Test func anotherCountySeesAndChangesNothing() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let own = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    let auditor = try county.token(.auditor, .city)
    #expect(try await county.ask("GET", Self.term + "/check", token: own).status == 200)
    #expect(try await county.ask("GET", Self.term + "/check", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("GET", Self.term + "/courses", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("GET", Self.term + "/check?course=K1", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("GET", Self.term + "/free?course=K1", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("POST", Self.term + "/publish", token: foreign).kind == "outsideScope")
    #expect(try await county.ask("GET", "/api/v1/calendars/rooms/B01-1.ics", token: foreign).kind == "outsideScope")
    #expect(try await county.send(county.places, token: foreign).status == 403)
    #expect(try await county.send(county.places, token: auditor).kind == "wrongRole")
    #expect(try await county.send([county.courses(second: "周五第1节")], token: own).status == 200)
    #expect(try await county.ask("POST", Self.term + "/publish", token: own).status == 200)
    let span = "from=\(county.monday)&to=\(county.monday + 27)"
    let list: LessonList = try await county.ask("GET", "/api/v1/lessons?" + span, token: foreign).value()
    #expect(list.lessons.isEmpty)
    let seen: LessonList = try await county.ask("GET", "/api/v1/lessons?" + span, token: own).value()
    let id = try #require(seen.lessons.first?.id)
    let cancel = LessonChangeRequest(action: .cancel, reason: "x")
    let headers = ["If-Match": "\"0\""]
    let path = "/api/v1/lessons/\(id)/changes"
    #expect(try await county.ask("POST", path, token: foreign, body: cancel, headers: headers).status == 403)
    #expect(try await county.ask("POST", path, token: own, body: cancel, headers: headers).status == 200)
    let trail = try county.relay.store.auditEntries()
    #expect(trail.contains { $0.entry.outcome == .refused && $0.entry.operation == "publishTerm" })
    #expect(trail.contains { $0.entry.outcome == .allowed && $0.entry.operation == "publishTerm" })
    await county.relay.stop()
  }
}
