// Goal: whoever looks after a lesson sees its seats, hands out its keys and ends it, and nobody sees, gets or ends more
// than is theirs. Method: HTTP requests to a relay whose clock stands before the first lessons' bell, in every role.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct RunningLessonRoutesTests {
  /// A relay ten minutes before its first two lessons, of K1 and one that was added to K2.
  private struct Morning {
    let county: TimetableRelay
    let lessons: [LessonReply]
    let schools: [String: Identifier]

    init() async throws {
      let clock = GivenClock()
      county = try await TimetableRelay(clock: clock)
      #expect(try await county.send(county.places + [county.courses()]).status == 200)
      let path = "/api/v1/terms/\(TimetableRelay.term)"
      #expect(try await county.ask("POST", path + "/publish").status == 200)
      clock.set(CivilTime.instant(county.monday, try #require(ClockTime("09:00"))))
      let add = LessonAddRequest(course: "K2", start: "\(county.monday) 09:10", reason: "补课", force: true)
      #expect(try await county.ask("POST", path + "/lessons", body: add).status == 200)
      await county.relay.advance()
      let span = "from=\(county.monday)&to=\(county.monday)"
      lessons = try await county.ask("GET", "/api/v1/lessons?" + span).value(LessonList.self).lessons
      #expect(lessons.map(\.state) == ["armed", "armed"])
      let all = try county.relay.store.institutions()
      schools = Dictionary(all.map { ($0.number, $0.id) }, uniquingKeysWith: { $1 })
    }

    func admin(_ school: String) throws -> String {
      try county.token(.schoolAdmin, .school(try #require(schools[school])))
    }
  }

  @Test func seatsAreShownToThoseWhoseTheyAre() async throws {
    let morning = try await Morning()
    let county = morning.county
    let path = "/api/v1/lessons/\(morning.lessons[0].id)/seats"
    let all: SeatList = try await county.ask("GET", path).value()
    #expect(all.seats.map(\.room) == ["A01-1", "B01-1"] && all.seats.map(\.role) == ["lead", "receiver"])
    #expect(all.seats.map(\.institution) == ["中心小学", "石壁坳教学点"])
    #expect(all.seats.allSatisfy { $0.state == .neverCame && $0.attendedMilliseconds == 0 && $0.loss == nil })
    #expect(all.state == "armed" && all.endReason == nil && all.feeds.isEmpty && !all.isRecording)
    #expect(all.now == county.clock?.now && all.plannedStart - all.now == 600_000)
    let first: SeatList = try await county.ask("GET", path + "?limit=1").value()
    #expect(first.seats == [all.seats[0]] && first.next == "1")
    let rest: SeatList = try await county.ask("GET", path + "?limit=1&cursor=1").value()
    #expect(rest.seats == [all.seats[1]] && rest.next == nil)
    #expect(try await county.ask("GET", path + "?limit=513").status == 400)
    #expect(try await county.ask("GET", path + "?cursor=x").status == 400)

    // The lead's school sees every row, a site its own.
    let lead: SeatList = try await county.ask("GET", path, token: morning.admin("A01")).value()
    #expect(lead.seats.count == 2)
    let site: SeatList = try await county.ask("GET", path, token: morning.admin("B01")).value()
    #expect(site.seats.map(\.room) == ["B01-1"])
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    #expect(try await county.ask("GET", path, token: foreign).status == 403)
    #expect(
      try await county.ask("GET", path, token: county.token(.parent, .school(morning.schools["B01"]!))).status == 403)
    #expect(try await county.ask("GET", path, token: county.token(.auditor, .city)).status == 200)
    let nothing = "/api/v1/lessons/\(Identifier(high: 9, low: 9))/seats"
    #expect(try await county.ask("GET", nothing).status == 404)
    await county.relay.stop()
  }

  @Test func keysAreGivenToThoseWhoHandThemOut() async throws {
    let morning = try await Morning()
    let county = morning.county
    let path = "/api/v1/lessons/\(morning.lessons[0].id)/links"
    let all: SeatLinks = try await county.ask(
      "GET", path, token: county.token(.countyCoordinator, .county(TimetableRelay.county))
    ).value()
    #expect(all.links.map(\.room) == ["A01-1", "B01-1"])
    #expect(all.links.map { $0.whip.keys.sorted() } == [["camera", "screen"], ["site"]])
    for link in all.links {
      // A token stands behind # alone, which goes to no server and into no log.
      let parts = link.page.split(separator: "#", maxSplits: 1)
      #expect(parts.count == 2 && !parts[0].contains("token") && parts[1].hasSuffix("&token=\(link.token)"))
      #expect(!link.whep.contains(link.token))
    }
    // 09:10 to 09:50, ten minutes of overtime, and an hour.
    #expect(all.expires == "\(county.monday) 11:00")
    let own: SeatLinks = try await county.ask("GET", path, token: morning.admin("B01")).value()
    #expect(own.links.map(\.room) == ["B01-1"])
    let refused = [
      try county.token(.countyCoordinator, .county("乙县")), try county.token(.auditor, .city),
      try county.token(.researcher, .city), try county.token(.parent, .school(morning.schools["B01"]!)),
      all.links[1].token,
    ]
    for token in refused { #expect(try await county.ask("GET", path, token: token).status == 403) }
    let trail = try county.relay.store.auditEntries().map(\.entry)
    let handed = trail.filter { $0.outcome == .allowed && $0.new?.contains(#""links""#) == true }
    #expect(handed.map(\.operation) == ["changeLesson", "enrolDevices"])
    #expect(handed.allSatisfy { !($0.new ?? "").contains("eyJ") }, "no token in the trail")
    #expect(trail.count { $0.outcome == .refused && $0.operation == "changeLesson" } >= refused.count)
    // The key opens its door.
    let id = morning.lessons[0].id
    #expect(try await county.knock(id, token: all.links[1].token) == "malformedOffer")
    #expect(try await county.ask("POST", "/api/v1/lessons/\(id)/end").status == 202)
    #expect(try await county.ask("GET", path).kind == "lessonEnded")
    let over: SeatList = try await county.ask("GET", "/api/v1/lessons/\(id)/seats").value()
    #expect(over.state == "notHeld" && over.endReason == "operator")
    await county.relay.stop()
  }

  @Test func allIsStoppedWithinTheScope() async throws {
    let morning = try await Morning()
    let county = morning.county
    let now = county.clock?.now ?? 0
    // A lesson of nobody's county, and one that is not due.
    let open = try county.relay.store.makeLesson(
      title: "别处", plannedStart: now + 60_000, plannedEnd: now + 2_400_000, receivers: 1
    ).lesson
    let later = try county.relay.store.makeLesson(
      title: "以后", plannedStart: now + 7_200_000, plannedEnd: now + 9_600_000, receivers: 1
    ).lesson
    await county.relay.advance()
    let path = "/api/v1/lessons/end-all"
    for token in [try county.token(.auditor, .city), try county.token(.leadTeacher, .school(morning.schools["A01"]!))]
    {
      #expect(try await county.ask("POST", path, token: token).status == 403)
    }
    let foreign: StopAllReply = try await county.ask(
      "POST", path, token: county.token(.countyCoordinator, .county("乙县"))
    ).value()
    #expect(foreign == StopAllReply(stopped: [], failed: []))
    // A school has not all of a lesson that it shares.
    let school: StopAllReply = try await county.ask("POST", path, token: morning.admin("B01")).value()
    #expect(school.stopped.isEmpty && Set(school.failed.map(\.id)) == Set(morning.lessons.map(\.id)))
    #expect(school.failed.allSatisfy { $0.problem == "outsideScope" })
    let id = morning.lessons[0].id
    #expect(try await county.knock(id, token: county.key(id)) == "malformedOffer")

    let own = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let stopped: StopAllReply = try await county.ask("POST", path, token: own).value()
    #expect(Set(stopped.stopped.map(\.id)) == Set(morning.lessons.map(\.id)) && stopped.failed.isEmpty)
    #expect(try county.state(open.id) == .armed && county.state(later.id) == .published)
    for lesson in morning.lessons {
      let list: SeatList = try await county.ask("GET", "/api/v1/lessons/\(lesson.id)/seats").value()
      #expect(list.state == "notHeld" && list.endReason == "stopAll")
    }
    let emergency: StopAllReply = try await county.ask("POST", path, token: county.token(.securityAdmin, .city))
      .value()
    #expect(emergency.stopped.map(\.id) == ["\(open.id)"])
    #expect(try await county.ask("POST", path).value(StopAllReply.self).stopped.isEmpty)
    let trail = try county.relay.store.auditEntries().map(\.entry).filter { $0.operation == "stopAll" }
    #expect(trail.count { $0.outcome == .allowed } == 3 && trail.count { $0.outcome == .refused } == 2)
    await county.relay.stop()
  }
}
