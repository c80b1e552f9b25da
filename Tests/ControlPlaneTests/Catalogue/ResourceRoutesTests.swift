// Goal: a resource is reviewed, found and given away by those who may, and by nobody else. Method: HTTP requests to a
// running relay with one lesson and a file of it.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct ResourceRoutesTests {
  @Test func eachLevelApprovesForItself() async throws {
    let shelf = try await ResourceShelf()
    #expect(try await shelf.step(.publish, "school", by: shelf.teacher).kind == "noSuchStep")
    #expect(try await shelf.step(.submit, by: shelf.teacher).status == 200)
    // Who submitted, who has no such right, and who has it for a narrower level alone.
    #expect(try await shelf.step(.approve, "school", by: shelf.teacher).kind == "wrongRole")
    #expect(try await shelf.step(.approve, "county", by: shelf.school).kind == "outsideScope")
    #expect(try await shelf.step(.approve, "city", by: shelf.district).kind == "outsideScope")
    let other = try shelf.token(.schoolAdmin, .school(try shelf.school("B01")))
    #expect(try await shelf.step(.approve, "school", by: other).kind == "outsideScope")
    #expect(try await shelf.step(.reject, reason: "", by: shelf.school).kind == "noReason")
    #expect(try await shelf.step(.approve, "village", by: shelf.school).status == 400)
    #expect(try await shelf.step(.approve, "school", by: shelf.school).status == 200)
    #expect(try await shelf.step(.publish, "county", by: shelf.teacher).kind == "notApproved")
    let published: ResourceReply = try await shelf.step(.publish, by: shelf.teacher).value()
    #expect(published.state == "published" && published.visibility == "school")
    #expect(try await shelf.step(.approve, "county", by: shelf.district).status == 200)
    let wider: ResourceReply = try await shelf.step(.publish, "county", by: shelf.teacher).value()
    #expect(wider.visibility == "county" && wider.approvedFor == "county")
    #expect(try await shelf.step(.submit, by: shelf.teacher).kind == "noSuchStep")
    let withdrawn: ResourceReply = try await shelf.step(.withdraw, by: shelf.district).value()
    #expect(withdrawn.state == "withdrawn")
    // Its own submission is nobody's to approve, though the role could.
    #expect(try await shelf.county.ask("PATCH", shelf.path, token: shelf.school, body: ["title": "x"]).status == 428)
    await shelf.stop()
  }

  @Test func nobodyApprovesWhatTheySubmitted() async throws {
    let shelf = try await ResourceShelf()
    #expect(try await shelf.step(.submit, by: shelf.school).status == 200)
    #expect(try await shelf.step(.approve, "school", by: shelf.school).kind == "ownSubmission")
    let rejected: ResourceReply = try await shelf.step(
      .reject, "county", reason: "声音太小", by: shelf.district
    ).value()
    #expect(rejected.state == "rejected" && rejected.reason == "声音太小")
    let audit: Page<AuditReply> = try await shelf.county.ask(
      "GET", "/api/v1/audit?operation=reviewResources", token: try shelf.token(.auditor, .city)
    ).value()
    #expect(audit.rows.count == 1 && audit.rows[0].new?.contains("reject") == true)
    await shelf.stop()
  }

  @Test func wordsAreChangedByTagAndMakeADraft() async throws {
    let shelf = try await ResourceShelf()
    try await shelf.publish()
    let shown = try await shelf.county.ask("GET", shelf.path, token: shelf.teacher)
    let row: ResourceReply = try shown.value()
    #expect(row.school == "A01" && row.teacher == "A01/1001" && row.teacherName == "李红" && row.subject == "music")
    #expect(row.missing.contains("chapter") && row.files?.count == 1 && row.files?[0].name == "camera.mp4")
    let tag = try #require(shown.tag)
    let change = ResourceChangeRequest(subject: "美术", volume: "上册", chapter: "第三单元", keywords: ["民歌"])
    func send(_ tag: String, _ token: String) async throws -> TimetableRelay.Answer {
      try await shelf.county.ask("PATCH", shelf.path, token: token, body: change, headers: ["If-Match": tag])
    }
    #expect(try await send("\"x\"", shelf.teacher).kind == "staleRow")
    let other = try shelf.token(.leadTeacher, .school(try shelf.school("B01")))
    #expect(try await send(tag, other).kind == "wrongLesson")
    let changed: ResourceReply = try await send(tag, shelf.teacher).value()
    #expect(changed.state == "draft" && changed.chapter == "第三单元" && changed.subject == "fineArts")
    #expect(!changed.missing.contains("chapter"))
    #expect(try await send(tag, shelf.teacher).status == 412, "the old tag is worth nothing")
    await shelf.stop()
  }

  @Test func whatIsNotPublishedIsForItsSchoolAndReviewers() async throws {
    let shelf = try await ResourceShelf()
    let (lead, point) = (try shelf.school("A01"), try shelf.school("B01"))
    let near = try shelf.token(.leadTeacher, .school(point))
    let far = try shelf.token(.countyCoordinator, .county("乙县"))
    let parent = try shelf.token(.parent, .school(lead))
    let reviewer = try shelf.token(.reviewer, .county(TimetableRelay.county))
    func finds(_ token: String, _ query: String = "") async throws -> Bool {
      let page: Page<ResourceReply> = try await shelf.county.ask(
        "GET", "/api/v1/resources" + query, token: token
      ).value()
      let shown = try await shelf.county.ask("GET", shelf.path, token: token)
      if query.isEmpty { #expect((shown.status == 200) == !page.rows.isEmpty, "list and show say the same") }
      return page.rows.map(\.id) == [shelf.resource]
    }
    for (token, sees) in [
      (shelf.teacher, true), (shelf.school, true), (shelf.district, true), (reviewer, true), (near, false),
      (far, false), (parent, false),
    ] { #expect(try await finds(token) == sees) }
    // Level by level more people find it.
    let expected: [(String, [Bool])] = [
      ("school", [true, false, false]), ("cluster", [true, true, false]), ("county", [true, true, false]),
      ("city", [true, true, true]),
    ]
    try await shelf.publish("school")
    let city = try shelf.token(.cityCoordinator, .city, 77)
    for (level, sees) in expected {
      #expect(try await shelf.step(.approve, level, by: city).status == 200)
      #expect(try await shelf.step(.publish, level, by: shelf.teacher).status == 200)
      for (token, sees) in zip([parent, near, far], sees) { #expect(try await finds(token) == sees, "\(level)") }
    }
    #expect(
      try await finds(
        parent, "?text=%E9%9F%B3%E4%B9%90&grade=3&subject=%E9%9F%B3%E4%B9%90&school=A01&teacher=A01/1001"))
    #expect(try await finds(parent, "?text=%E7%BE%8E%E6%9C%AF") == false)
    for bad in ["?grade=13", "?state=x", "?cursor=x", "?limit=0"] {
      #expect(try await shelf.county.ask("GET", "/api/v1/resources" + bad).status == 400, "\(bad)")
    }
    #expect(try await shelf.county.ask("GET", "/api/v1/resources?school=none").kind == "unknownName")
    await shelf.stop()
  }

  @Test func pushesStayWithinTheVisibilityAndAreAnswered() async throws {
    let shelf = try await ResourceShelf()
    let push = ResourcePushRequest(school: "B01")
    func send(_ body: ResourcePushRequest, _ token: String) async throws -> TimetableRelay.Answer {
      try await shelf.county.ask("POST", shelf.path + "/pushes", token: token, body: body)
    }
    #expect(try await send(push, shelf.teacher).kind == "notApproved")
    try await shelf.publish("county")
    let point = try shelf.token(.localTeacher, .school(try shelf.school("B01")), 41)
    #expect(try await send(push, point).kind == "wrongRole")
    #expect(try await send(push, shelf.teacher).status == 200)
    #expect(try await send(push, shelf.teacher).kind == "taken")
    // Whoever of the school fetches it has opened it.
    #expect(try await shelf.fetch("GET", shelf.filePath, token: point).status == 200)
    let opened: ResourceReply = try await shelf.county.ask("GET", shelf.path, token: point).value()
    #expect(opened.pushes?.map(\.state) == ["opened"])
    let answer = ResourcePushRequest(school: "B01", answer: "accepted")
    #expect(try await send(answer, shelf.teacher).kind == "outsideScope")
    let accepted: ResourceReply = try await send(answer, point).value()
    #expect(accepted.pushes?.map(\.state) == ["accepted"])
    #expect(try await send(answer, point).kind == "noSuchStep")
    let given: Page<ResourceReply> = try await shelf.county.ask(
      "GET", "/api/v1/resources?pushedto=B01", token: point
    ).value()
    #expect(given.rows.map(\.id) == [shelf.resource])
    let named: ResourceReply = try await shelf.step(.nominate, by: shelf.district).value()
    #expect(named.nominated)
    #expect(try await shelf.step(.hold, by: point).kind == "wrongRole")
    let held: ResourceReply = try await shelf.step(.hold, by: shelf.teacher).value()
    #expect(held.held)
    await shelf.stop()
  }

  @Test func metadataIsGivenInEveryForm() async throws {
    let shelf = try await ResourceShelf()
    for (form, words) in [
      ("lom.xml", "http://ltsc.ieee.org/xsd/LOM"), ("lom.json", "\"lom\""), ("dublin-core.xml", "<dc:creator>李红"),
      ("collection.json", "\"主讲教师\": \"李红\""),
    ] {
      let answer = try await shelf.county.ask("GET", shelf.path + "/metadata?form=" + form, token: shelf.teacher)
      #expect(answer.status == 200 && answer.text.contains(words), "\(answer.text)")
      #expect(answer.text.contains("中心小学"))
    }
    #expect(try await shelf.county.ask("GET", shelf.path + "/metadata?form=word").status == 400)
    let other = try shelf.token(.schoolAdmin, .school(try shelf.school("B01")))
    #expect(try await shelf.county.ask("GET", shelf.path + "/metadata?form=lom.xml", token: other).status == 403)
    await shelf.stop()
  }
}
