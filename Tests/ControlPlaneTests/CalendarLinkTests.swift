// Goal: a link opens one calendar to programs that send no token, follows every change of it, and nothing else; it can
// be listed and taken back, cannot be guessed, and is kept and told nowhere. Method: HTTP requests to a running relay.
import Classroom
import ControlAPI
import ControlPlane
import Crypto
import Foundation
import Ledger
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite struct CalendarLinkTests {
  private static let term = "/api/v1/terms/" + TimetableRelay.term

  private func published() async throws -> TimetableRelay {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    #expect(try await county.ask("POST", Self.term + "/publish").status == 200)
    return county
  }

  private func share(
    _ county: TimetableRelay, _ kind: String, _ of: String, token: String? = nil
  ) async throws -> TimetableRelay.Answer {
    try await county.ask(
      "POST", "/api/v1/calendars/links", token: token,
      body: CalendarLinkRequest(kind: kind, of: of, label: "教务处手机"))
  }

  /// As a calendar program asks: without a token.
  private func fetch(
    _ county: TimetableRelay, _ path: String, tag: String? = nil
  ) async throws -> (status: Int, text: String, tag: String?) {
    var request = URLRequest(url: try #require(URL(string: county.relay.localBase + path)))
    request.cachePolicy = .reloadIgnoringLocalCacheData
    if let tag { request.setValue(tag, forHTTPHeaderField: "If-None-Match") }
    let (data, response) = try await URLSession.shared.data(for: request)
    let answer = try #require(response as? HTTPURLResponse)
    return (answer.statusCode, String(decoding: data, as: UTF8.self), answer.value(forHTTPHeaderField: "ETag"))
  }

  private func path(_ link: CalendarLinkReply) throws -> String {
    let url = try #require(link.url.flatMap { URL(string: $0) })
    #expect(link.webcal == "webcal" + url.absoluteString.drop { $0 != ":" })
    return url.path
  }

  @Test func aLinkFollowsItsCalendarUntilItIsTakenBack() async throws {
    let county = try await published()
    let made: CalendarLinkReply = try await share(county, "room", "B01-1").value()
    let path = try path(made)
    let first = try await fetch(county, path)
    #expect(first.status == 200 && first.text.hasPrefix("BEGIN:VCALENDAR"))
    #expect(first.text.contains("SEQUENCE:0") && !first.text.contains("CANCELLED"))
    #expect(try await fetch(county, path, tag: first.tag).status == 304)

    let list: LessonList = try await county.ask("GET", "/api/v1/lessons?course=K1&to=2999-12-31").value()
    let (moved, cancelled) = (try #require(list.lessons.first), try #require(list.lessons.last))
    let move = LessonChangeRequest(action: .move, start: "\(county.monday + 3) 10:20", reason: "x")
    let cancel = LessonChangeRequest(action: .cancel, reason: "停电")
    for (lesson, change) in [(moved, move), (cancelled, cancel)] {
      let answer = try await county.ask(
        "POST", "/api/v1/lessons/\(lesson.id)/changes", body: change, headers: ["If-Match": "\"0\""])
      #expect(answer.status == 200)
    }
    let second = try await fetch(county, path, tag: first.tag)
    #expect(second.status == 200 && second.tag != first.tag)
    #expect(second.text.contains("STATUS:CANCELLED") && second.text.contains("SEQUENCE:2"))
    let day = (county.monday + 3).description.filter { $0 != "-" }
    #expect(second.text.contains("DTSTART;TZID=Asia/Shanghai:\(day)T102000"))

    let listed: [CalendarLinkReply] = try await county.ask("GET", "/api/v1/calendars/links").value()
    #expect(listed.map(\.id) == [made.id] && listed[0].url == nil && listed[0].usedAt != nil)
    #expect(listed[0].of == "B01-1" && listed[0].label == "教务处手机")
    #expect(try await county.ask("DELETE", "/api/v1/calendars/links/\(made.id)").status == 204)
    #expect(try await fetch(county, path).status == 404)
    #expect(try await county.ask("DELETE", "/api/v1/calendars/links/\(made.id)").status == 404)
    await county.relay.stop()
  }

  @Test func onlyWhoMayShareSharesAndOnlyThat() async throws {
    let county = try await published()
    let own = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    let auditor = try county.token(.auditor, .city)
    let made: CalendarLinkReply = try await share(county, "cluster", "Q1", token: own).value()
    let teacher: CalendarLinkReply = try await share(county, "teacher", "A01/1001", token: own).value()
    #expect(try await share(county, "room", "B01-1", token: foreign).kind == "outsideScope")
    #expect(try await share(county, "room", "B01-1", token: auditor).kind == "wrongRole")
    #expect(try await share(county, "room", "Z99").status == 404)
    #expect(try await share(county, "county", "B01-1").status == 400)
    #expect(try await county.ask("DELETE", "/api/v1/calendars/links/\(made.id)", token: foreign).status == 403)
    #expect(try await county.ask("GET", "/api/v1/calendars/links", token: foreign).status == 403)
    let listed: [CalendarLinkReply] = try await county.ask("GET", "/api/v1/calendars/links", token: own).value()
    #expect(Set(listed.map(\.of)) == ["Q1", "A01/1001"])
    #expect(try await fetch(county, path(teacher)).text.contains("SUMMARY"))
    // The link is no token for anything else.
    let secret = try path(made).split(separator: "/").last.map { String($0.dropLast(4)) } ?? ""
    #expect(try await county.ask("GET", "/api/v1/terms", token: secret).status == 401)
    let trail = try county.relay.store.auditEntries().filter { $0.entry.operation == "shareCalendars" }
    #expect(trail.filter { $0.entry.outcome == .allowed }.count == 2)
    #expect(trail.filter { $0.entry.outcome == .refused }.count >= 3)
    // Nothing that is kept has the secret.
    let folder = URL(filePath: county.scratch.path)
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.hasPrefix("ledger") }
    #expect(!files.isEmpty)
    for file in files {
      #expect(try Data(contentsOf: file).range(of: Data(secret.utf8)) == nil, "\(file.lastPathComponent)")
    }
    await county.relay.stop()
  }

  @Test func guessesAreTurnedAwayAndCounted() async throws {
    let county = try await published()
    var statuses: [Int] = []
    // A minute that ends meanwhile begins the count again, so there may be as many once more.
    while statuses.last != 429, statuses.count <= CalendarPace.wrongPerAddress * 2 {
      let secret = String(repeating: "A", count: 53) + "\(statuses.count % 10)"
      statuses.append(try await fetch(county, "/calendar/\(secret).ics").status)
    }
    #expect(statuses.count > CalendarPace.wrongPerAddress && statuses.last == 429)
    #expect(Set(statuses) == [404, 429])
    await county.relay.stop()
  }

  @Test func aSecretIsTakenWholeAndUnchangedAlone() throws {
    let secret = CalendarSecret(key: SymmetricKey(data: Array(repeating: UInt8(7), count: 32)))
    let other = CalendarSecret(key: SymmetricKey(data: Array(repeating: UInt8(8), count: 32)))
    let text = secret.make()
    #expect(text.utf8.count == 54 && secret.make() != text)
    #expect(secret.hash(of: text)?.count == 32)
    #expect(other.hash(of: text) == nil, "signed with another key")
    for place in text.indices {
      var changed = text
      let letter: Character = changed[place] == "x" ? "y" : "x"
      changed.replaceSubrange(place...place, with: String(letter))
      #expect(secret.hash(of: changed) == nil, "\(place)")
    }
    for wrong in ["", text + "=", " " + text, String(text.dropLast()), text + text, "学校"] {
      #expect(secret.hash(of: wrong) == nil)
    }
  }

  @Test func aMinuteHasItsLimits() {
    let pace = CalendarPace()
    let link = [UInt8](repeating: 1, count: 32)
    for _ in 0..<CalendarPace.perLink { #expect(pace.takesFetch(of: link, now: 60_000)) }
    #expect(!pace.takesFetch(of: link, now: 119_999))
    #expect(pace.takesFetch(of: [2], now: 119_999), "another link")
    #expect(pace.takesFetch(of: link, now: 120_000), "the next minute")
    // A clock that is set back begins a minute as well.
    #expect(pace.takesFetch(of: link, now: 0))
    for number in 0..<20_000 { _ = pace.takesFetch(of: Array("\(number)".utf8), now: 0) }
    #expect(!pace.takesFetch(of: Array("new".utf8), now: 0), "what is remembered has a limit")
  }
}
