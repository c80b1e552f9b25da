// Goal: files are read in ranges by those who may, by links until their time, and every reading is kept. Method: HTTP
// requests to a running relay whose clock the test sets.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct ResourceFileTests {
  @Test func rangesAndTagsAreAnswered() async throws {
    let shelf = try await ResourceShelf()
    let (size, tag) = (ResourceShelf.content.count, "\"\(shelf.file.sha256)\"")
    func get(_ headers: [String: String], _ method: String = "GET") async throws
      -> (status: Int, data: Data, headers: [String: String])
    { try await shelf.fetch(method, shelf.filePath, token: shelf.teacher, headers: headers) }
    let whole = try await get([:])
    #expect(whole.status == 200 && whole.data == ResourceShelf.content)
    #expect(whole.headers["content-type"] == "video/mp4" && whole.headers["etag"] == tag)
    #expect(whole.headers["accept-ranges"] == "bytes" && whole.headers["content-length"] == "\(size)")
    #expect(whole.headers["content-disposition"]?.hasSuffix(".mp4") == true)
    for (range, first, last) in [
      ("bytes=0-0", 0, 0), ("bytes=1000-200000", 1_000, 200_000), ("bytes=-5", size - 5, size - 1),
      ("bytes=299999-", 299_999, 299_999), ("bytes=0-", 0, size - 1),
    ] {
      let part = try await get(["Range": range])
      #expect(part.status == 206 && part.data == ResourceShelf.content[first...last], "\(range) \(part.status)")
      #expect(part.headers["content-range"] == "bytes \(first)-\(last)/\(size)")
    }
    for range in ["bytes=300000-", "bytes=0-1,3-4", "bytes=-0"] {
      let refused = try await get(["Range": range])
      #expect(refused.status == 416 && refused.headers["content-range"] == "bytes */\(size)", "\(range)")
    }
    #expect(try await get(["Range": "bytes=9-1"]).status == 200)
    #expect(try await get(["Range": "bytes=0-9", "If-Range": tag]).status == 206)
    #expect(try await get(["Range": "bytes=0-9", "If-Range": "\"other\""]).status == 200)
    let same = try await get(["If-None-Match": tag])
    #expect(same.status == 304 && same.data.isEmpty)
    let head = try await get(["Range": "bytes=0-9"], "HEAD")
    #expect(head.status == 200 && head.data.isEmpty && head.headers["content-length"] == "\(size)")
    #expect(
      try await shelf.fetch("GET", shelf.path + "/files/\(Identifier(high: 1, low: 1))", token: shelf.teacher).status
        == 404)
    let reads = try shelf.county.relay.store.reads(resource: try #require(Identifier(shelf.resource)))
    #expect(reads.count == 1 && reads[0].actor == Identifier(high: 3, low: 11), "one reading, however many ranges")
    shelf.clock.advance(minutes: 6)
    _ = try await get([:])
    #expect(try shelf.county.relay.store.reads(resource: try #require(Identifier(shelf.resource))).count == 2)
    await shelf.stop()
  }

  @Test func withoutPublicationOnlyOwnSeatsReplayForFourteenDays() async throws {
    let shelf = try await ResourceShelf()
    let point = try shelf.token(.localTeacher, .school(try shelf.school("B01")), 41)
    let parent = try shelf.token(.parent, .school(try shelf.school("B01")), 42)
    let far = try shelf.token(.localTeacher, .school(Identifier(high: 9, low: 9)), 43)
    let board = try shelf.token(
      .device, .room(try #require(try shelf.county.relay.store.rooms(number: "B01-1").first).id), 44)
    func status(_ token: String?) async throws -> Int {
      try await shelf.fetch("GET", shelf.filePath, token: token, headers: ["Range": "bytes=0-9"]).status
    }
    #expect(try await status(nil) == 401)
    for (token, expected) in [(shelf.teacher, 206), (point, 206), (board, 206), (parent, 403), (far, 403)] {
      #expect(try await status(token) == expected)
    }
    shelf.clock.advance(minutes: 14 * 1_440 - 1)
    #expect(try await status(point) == 206)
    shelf.clock.advance(minutes: 2)
    #expect(try await [status(point), status(board)] == [403, 403])
    #expect(try await status(shelf.teacher) == 206, "its school has it as ever")
    try await shelf.publish("cluster")
    #expect(try await [status(point), status(parent), status(far)] == [206, 206, 403])
    await shelf.stop()
  }

  @Test func linksPlayUntilTheirTimeOrAWithdrawal() async throws {
    let shelf = try await ResourceShelf()
    func link(_ token: String, _ minutes: Int = 60) async throws -> TimetableRelay.Answer {
      try await shelf.county.ask(
        "POST", shelf.path + "/links", token: token, body: ResourceLinkRequest(minutes: minutes))
    }
    func path(_ link: ResourceLinkReply) throws -> String {
      let start = try #require(link.url.range(of: "/api/v1/"))
      #expect(link.page.hasSuffix("/play#" + link.url[start.lowerBound...]))
      return String(link.url[start.lowerBound...])
    }
    func status(_ path: String) async throws -> Int {
      try await shelf.fetch("GET", path, token: nil, headers: ["Range": "bytes=0-9"]).status
    }
    try await shelf.publish()
    let parent = try shelf.token(.parent, .school(try shelf.school("B01")))
    let made: ResourceLinkReply = try await link(parent).value()
    #expect(try await status(try path(made)) == 206)
    #expect(try await status(try path(made) + "0") == 403)
    #expect(
      try await status(
        try path(made).replacing("/files/\(shelf.file.id)", with: "/files/\(Identifier(high: 1, low: 1))")) == 403)
    for minutes in [0, -1, 10_081] { #expect(try await link(parent, minutes).status == 400) }
    let reads = try shelf.county.relay.store.reads(resource: try #require(Identifier(shelf.resource)))
    #expect(reads.first?.actor == nil && reads.first?.link.count == 16 && reads.first?.address == "127.0.0.1")
    shelf.clock.advance(minutes: 60)
    #expect(try await shelf.county.ask("GET", try path(made)).kind == "linkExpired")
    let next = try path(try await link(shelf.teacher).value())
    #expect(try await status(next) == 206)
    #expect(try await shelf.step(.withdraw, by: shelf.teacher).status == 200)
    #expect(try await status(next) == 403)
    #expect(try await link(parent).status == 403)
    // A seat that replays has its link no longer than its right.
    let point = try shelf.token(.localTeacher, .school(try shelf.school("B01")), 41)
    shelf.clock.advance(minutes: 13 * 1_440)
    let replay: ResourceLinkReply = try await link(point, 10_080).value()
    #expect(replay.expires == (shelf.file.madeAt + LessonResource.replayMilliseconds) / 1_000)
    await shelf.stop()
  }

  @Test func playbackIsCountedInOrderAndBounded() async throws {
    let shelf = try await ResourceShelf()
    try await shelf.publish()
    let store = shelf.county.relay.store
    let session = "018f0000-0000-4000-8000-000000000001"
    func tell(
      _ act: PlayerRequest.Act, _ session: String = session, token: String? = nil, position: Int64 = 0,
      from: Int64? = nil, played: Int64? = nil
    ) async throws -> Int {
      try await shelf.county.ask(
        "POST", shelf.path + "/playback", token: token ?? shelf.teacher,
        body: PlayerRequest(
          session: session, file: "\(shelf.file.id)", act: act, position: position, length: 2_400_000, from: from,
          played: played)
      ).status
    }
    #expect(try await tell(.paused) == 404, "nobody started")
    #expect(try await tell(.started) == 204)
    #expect(try await tell(.started) == 204)
    #expect(try await tell(.paused, token: shelf.district) == 404, "another's session")
    shelf.clock.advance(minutes: 1)
    #expect(try await tell(.seeked, position: 60_000, from: 1_000) == 204)
    #expect(try await tell(.ended, position: 90_000, played: 999_999_999 / 100) == 204)
    #expect(try await tell(.ended) == 404, "it is over")
    #expect(try await tell(.started, "x") == 400)
    #expect(try await tell(.started, position: -1) == 400)
    let told = try store.events(lesson: shelf.lesson).filter { $0["session"] == session }
    #expect(told.map(\.kind) == [.playbackStarted, .playbackSeeked, .playbackEnded])
    #expect(told[1]["from"] == "1000" && told[1]["position"] == "60000" && told[1]["length"] == "2400000")
    #expect(told[2]["played"] == "\(4 * 60_000 + 1_000)", "nobody sees more than the time there was")
    #expect(told.allSatisfy { $0["resource"] == shelf.resource && $0["file"] == "\(shelf.file.id)" })
    // One session tells sixty things a minute at most.
    var statuses: [Int] = []
    let busy = "018f0000-0000-4000-8000-000000000002"
    #expect(try await tell(.started, busy) == 204)
    for _ in 0..<70 { statuses.append(try await tell(.paused, busy)) }
    #expect(statuses.contains(429) && statuses.first == 204)
    await shelf.stop()
  }

  @Test func filesThatAreGoneAreSaidToBe() async throws {
    let shelf = try await ResourceShelf()
    try FileManager.default.removeItem(atPath: shelf.county.scratch.path + "/" + shelf.file.path)
    #expect(try await shelf.county.ask("GET", shelf.filePath, token: shelf.teacher).kind == "resourceExpired")
    try shelf.county.relay.store.append(LedgerEvent(kind: .resourceExpired, lesson: shelf.lesson))
    #expect(try await shelf.step(.submit, by: shelf.teacher).kind == "resourceExpired")
    await shelf.stop()
  }
}
