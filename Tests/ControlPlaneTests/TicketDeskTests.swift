// Goal: a ticket counts as what the platform says of it, its signature is the one that client programs send, and what
// goes wrong lets nobody in. Method: a platform of the test's own behind the function that fetches; a signature that
// another program has made.
import ControlPlane
import Foundation
import Synchronization
import Testing

@Suite struct TicketDeskTests {
  private static let settings = TicketDesk.Settings(
    gateway: "https://gateway.example.cn/apigateway", appID: "1000", appKey: "key7")

  private final class Platform: Sendable {
    struct State {
      var now: Int64 = 1_800_000_000_000
      var asked: [OutgoingRequest] = []
      var access = "a1"
      var answer: String?
    }
    let state = Mutex(State())

    func answer(_ request: OutgoingRequest) -> Data {
      state.withLock { state in
        state.asked.append(request)
        if let answer = state.answer { return Data(answer.utf8) }
        if request.url.hasSuffix("/getAccessToken") {
          return Data(#"{"retCode":"000000","data":{"accessToken":"\#(state.access)"}}"#.utf8)
        }
        let body = String(decoding: request.body?.data ?? Data(), as: UTF8.self)
        guard request.url.hasSuffix("/userSession/validaTicket?accessToken=\(state.access)"),
          body == #"{"ticket":"good"}"#
        else { return Data(#"{"retCode":"300001"}"#.utf8) }
        return Data(#"{"retCode":"000000","data":{"userId":"p42","name":"x"}}"#.utf8)
      }
    }
  }

  private let platform = Platform()
  private let desk: TicketDesk

  init() {
    let platform = platform
    desk = TicketDesk(
      settings: Self.settings, clock: { platform.state.withLock { $0.now } }, fetch: { platform.answer($0) })
  }

  private func problem(_ ticket: String) async -> Problem? {
    do { _ = try await desk.identity(ticket: ticket) } catch { return error as? Problem }
    return nil
  }

  @Test func theSignatureIsThatOfOtherPrograms() {
    #expect(TicketDesk.keyInfo(Self.settings, at: 1_800_000_000_000) == "39F819B3CADF5EB31B7C3E8C35663B169A2EAD07")
  }

  @Test func aTicketSaysWhoseItIs() async throws {
    let identity = try await desk.identity(ticket: "good")
    #expect(identity.issuer == "https://gateway.example.cn/apigateway" && identity.subject == "p42")
    _ = try await desk.identity(ticket: "good")
    let asked = platform.state.withLock { $0.asked }
    #expect(asked.count(where: { $0.url.hasSuffix("/getAccessToken") }) == 1, "the access token is kept")
    platform.state.withLock { $0.access = "a2" }
    #expect(try await desk.identity(ticket: "good").subject == "p42", "one that was forgotten is made anew")
  }

  @Test func whatIsNoTicketIsNone() async {
    for ticket in ["", "bad", String(repeating: "t", count: 2_000)] {
      #expect(await problem(ticket)?.kind == .staleSignIn, "\(ticket.prefix(9))")
    }
    for answer in ["", "[]", #"{"retCode":7}"#, String(repeating: "[", count: 600)] {
      platform.state.withLock { $0.answer = answer }
      #expect(await problem("good")?.kind == .providerRefused, "\(answer.prefix(20))")
    }
    // The application itself is not known there.
    platform.state.withLock { $0.answer = #"{"retCode":"100"}"# }
    #expect(await problem("good")?.arguments["check"] == "application")
  }
}
