// Goal: only who may conducts a lesson, sites answer for themselves alone, and what is decided outlives the relay.
// Method: a running relay over HTTP, without media; two relays one after the other in one folder.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Logging
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite struct FloorRoutesTests {
  private struct Wanted: Encodable {
    var title = "古诗"
    var plannedStart = Int64(Date().timeIntervalSince1970 * 1_000) - 60_000
    var plannedEnd = Int64(Date().timeIntervalSince1970 * 1_000) + 2_400_000
    var receivers = 2
  }

  private struct Made: Decodable {
    struct Place: Decodable {
      var seat: String?
      var site: String?
      var url: String
      var token: String
    }
    var lesson: String
    var whip: [Place]
    var whep: [Place]

    var floor: String { "/api/v1/lessons/\(lesson)/floor" }
    var lead: String { whip[0].token }
  }

  private func make(_ relay: TimetableRelay) async throws -> Made {
    let answer = try await relay.ask("POST", "/api/v1/lessons", body: Wanted())
    #expect(answer.status == 201)
    return try answer.value()
  }

  private func act(
    _ relay: TimetableRelay, _ made: Made, _ act: FloorRequest.Act, site: Int? = nil, token: String? = nil,
    medium: FloorRequest.Medium? = nil, on: Bool? = nil, reason: String? = nil
  ) async throws -> TimetableRelay.Answer {
    try await relay.ask(
      "POST", made.floor, token: token ?? made.lead,
      body: FloorRequest(
        act: act, seat: site.flatMap { made.whep[$0].seat }, medium: medium, on: on, reason: reason))
  }

  /// What a WHEP or WHIP POST without an offer is refused for: what is wrong with its bearer comes first.
  private func knock(_ relay: TimetableRelay, _ made: Made, _ path: String, site: Int) async throws
    -> TimetableRelay.Answer
  {
    var request = URLRequest(url: try #require(URL(string: relay.relay.localBase + path)))
    request.httpMethod = "POST"
    request.setValue("Bearer " + made.whep[site].token, forHTTPHeaderField: "Authorization")
    request.setValue("application/sdp", forHTTPHeaderField: "Content-Type")
    request.setValue("zh-CN", forHTTPHeaderField: "Accept-Language")
    request.httpBody = Data("nonsense".utf8)
    let (data, response) = try await URLSession.shared.data(for: request)
    let answer = try #require(response as? HTTPURLResponse)
    return TimetableRelay.Answer(status: answer.statusCode, data: data, tag: nil)
  }

  @Test func whoMayDoesAndOthersAreRefused() async throws {
    let relay = try await TimetableRelay()
    let made = try await make(relay)
    let site = made.whep[0].token
    let foreign = try relay.token(.countyCoordinator, .county("别县"))
    let auditor = try relay.token(.auditor, .city)
    for request in FloorRequest.Act.allCases where request != .raiseHand && request != .lowerHand {
      for token in [site, foreign, auditor] {
        let answer = try await act(relay, made, request, site: 0, token: token, medium: .video, on: false)
        #expect(answer.status == 403, "\(request): \(answer.text)")
      }
    }
    let before: FloorReply = try await relay.ask("GET", made.floor, token: made.lead).value()
    #expect(!before.paused && before.called == nil && before.sites.allSatisfy { !$0.muted && !$0.banned })
    #expect(before.sites.map(\.room) == made.whep.map(\.site) && before.sites.count == 2)
    #expect(before.sites.allSatisfy { $0.video && $0.audio && !$0.screen && !$0.text })
    // The lead by its link, the operator by office.
    for token in [made.lead, try relay.token(.cityCoordinator, .city)] {
      let muted = try await act(relay, made, .mute, site: 1, token: token)
      #expect(muted.status == 200, "\(muted.text)")
      #expect(try muted.value(FloorReply.self).sites.map(\.muted) == [false, true])
      #expect(try await act(relay, made, .unmute, token: token).value(FloorReply.self).sites.allSatisfy { !$0.muted })
    }
    // A site is told of itself alone.
    let own: FloorReply = try await relay.ask("GET", made.floor, token: made.whep[1].token).value()
    #expect(own.sites.map(\.seat) == [made.whep[1].seat])
    #expect(try await relay.ask("GET", made.floor, token: foreign).status == 403)
    await relay.relay.stop()
  }

  @Test func refusalsSayWhy() async throws {
    let relay = try await TimetableRelay()
    let made = try await make(relay)
    #expect(try await act(relay, made, .call, site: 0).kind == "siteNotConnected")
    #expect(try await act(relay, made, .eject, site: 0).kind == "siteNotConnected")
    let unknown = try await relay.ask(
      "POST", made.floor, token: made.lead, body: FloorRequest(act: .call, seat: "\(Identifier(high: 1, low: 1))"))
    #expect(unknown.status == 404 && unknown.kind == "notASite")
    let id = try #require(Identifier(made.lesson))
    let lead = try #require(try relay.relay.store.seats(lesson: id).first { $0.role == .lead })
    let own = try await relay.ask(
      "POST", made.floor, token: made.lead, body: FloorRequest(act: .ban, seat: "\(lead.id)"))
    #expect(own.kind == "notASite", "the lead cannot be thrown out of its own lesson")
    #expect(try await act(relay, made, .call).kind == "badJSON")
    #expect(try await act(relay, made, .grant, site: 0, medium: .video).kind == "badJSON")
    #expect(try await relay.ask("POST", made.floor, token: made.lead, body: ["act": "sing"]).kind == "badJSON")
    // A site raises its own hand, not another's, and nobody else has one.
    let site = made.whep[0].token
    #expect(try await act(relay, made, .raiseHand, token: site).kind == "siteNotConnected")
    #expect(try await act(relay, made, .raiseHand, site: 1, token: site).kind == "wrongLesson")
    #expect(try await act(relay, made, .raiseHand, token: made.lead).kind == "notASite")
    #expect(try await act(relay, made, .lowerHand, token: site).status == 200)
    #expect(try await act(relay, made, .lowerHand, site: 1, token: site).status == 403)
    #expect(try await act(relay, made, .grant, site: 0, medium: .video, on: false).status == 200)
    let withdrawn: FloorReply = try await relay.ask("GET", made.floor, token: made.lead).value()
    #expect(withdrawn.sites.map(\.video) == [false, true])
    let whip = "/whip/lessons/\(made.lesson)/site"
    let refused = try await knock(relay, made, whip, site: 0)
    #expect(refused.status == 403 && refused.kind == "notGranted", "\(refused.text)")
    #expect(try await knock(relay, made, whip, site: 1).kind == "malformedOffer", "let in as far as its offer")
    #expect(try await knock(relay, made, "/whep/lessons/\(made.lesson)", site: 0).kind == "malformedOffer")
    #expect(try await knock(relay, made, "/whip/lessons/\(made.lesson)/camera", site: 0).status == 403)
    await relay.relay.stop()
  }

  @Test func bansAndPausesOutliveTheRelay() async throws {
    let relay = try await TimetableRelay()
    let made = try await make(relay)
    let whep = "/whep/lessons/\(made.lesson)"
    #expect(try await act(relay, made, .ban, site: 0, reason: "吵闹\n\u{202E}").status == 200)
    #expect(try await act(relay, made, .pause).value(FloorReply.self).paused)
    #expect(try await act(relay, made, .call, site: 1).kind == "floorPaused")
    let refused = try await knock(relay, made, whep, site: 0)
    #expect(refused.status == 403 && refused.kind == "banned" && refused.text.contains("吵闹"))
    let paused = try await knock(relay, made, "/whip/lessons/\(made.lesson)/site", site: 1)
    #expect(paused.status == 409 && paused.kind == "floorPaused")
    await relay.relay.stop()

    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let second = try await Relay.start(configuration: relay.relay.configuration, logger: logger)
    let id = try #require(Identifier(made.lesson))
    let seats = try second.store.seats(lesson: id).filter { $0.role == .receiver }.map(\.id)
    let floor = try second.store.floor(lesson: id, sites: Set(seats))
    #expect(floor.isPaused && floor.banned.count == 1)
    let base = second.localBase
    var request = URLRequest(url: try #require(URL(string: base + whep)))
    request.httpMethod = "POST"
    request.setValue("Bearer " + made.whep[0].token, forHTTPHeaderField: "Authorization")
    request.setValue("application/sdp", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data("nonsense".utf8)
    let (data, response) = try await URLSession.shared.data(for: request)
    #expect((response as? HTTPURLResponse)?.statusCode == 403)
    #expect(String(decoding: data, as: UTF8.self).contains("problem:banned"))
    // Who did what is in the trail, with before and after.
    let trail = try second.store.auditEntries().map(\.entry).filter { ["ban", "pause"].contains($0.operation) }
    #expect(trail.map(\.operation) == ["ban", "pause"] && trail.allSatisfy { $0.outcome == .allowed })
    #expect(trail.allSatisfy { $0.old?.contains("\"paused\":false") == true && $0.actor != nil })
    #expect(trail[0].new?.contains("\"banned\":true") == true && trail[0].target.contains("/room/"))
    #expect(trail[1].new?.contains("\"paused\":true") == true)
    await second.stop()
  }
}
