import Crypto
import Foundation

/// Signs people in by the ticket with which a platform of the eduyun kind sends them here.
///
/// Unofficial: the calls are those that public client programs made about 2018 to 2021; no platform has confirmed them.
/// The relay gets an access token by an HMAC of its key, asks with it whose the ticket is, and takes the answer's
/// `userId` as the name of a person at this gateway.
package actor TicketDesk {
  package struct Settings: Sendable, Equatable {
    /// Without a slash at the end, such as `https://gateway.example.cn/apigateway`.
    package var gateway: String
    package var appID: String
    package var appKey: String
    /// The platform's code.
    package var system: String

    package init(gateway: String, appID: String, appKey: String, system: String = "0") {
      self.gateway = gateway
      self.appID = appID
      self.appKey = appKey
      self.system = system
    }
  }

  /// Milliseconds that an access token is used; how long it is good nobody says.
  package static let accessAge: Int64 = 1_200_000
  /// Bytes of a ticket, and of a platform's code.
  private static let ticketLimit = 1_024
  private static let done = "000000"

  private let settings: Settings
  private let clock: @Sendable () -> Int64
  private let fetch: OutgoingFetch
  private var access: (token: String, madeAt: Int64)?

  package init(settings: Settings, clock: @escaping @Sendable () -> Int64, fetch: @escaping OutgoingFetch) {
    self.settings = settings
    self.clock = clock
    self.fetch = fetch
  }

  /// Whose a ticket is.
  /// - Throws: `staleSignIn` for one that the platform does not take; `providerRefused`, `providerUnreachable`.
  package func identity(ticket: String) async throws -> OpenIDIdentity {
    guard (1...Self.ticketLimit).contains(ticket.utf8.count) else { throw Problem(.staleSignIn) }
    let wasKept = access != nil
    var answer = try await validate(ticket)
    // A token that the gateway has forgotten is no fault of the ticket.
    if answer.retCode != Self.done, wasKept {
      access = nil
      answer = try await validate(ticket)
    }
    guard answer.retCode == Self.done else { throw Problem(.staleSignIn) }
    guard let user = answer.data?.userId, (1...200).contains(user.utf8.count) else {
      throw Problem(.providerRefused, arguments: ["check": OpenIDRefusal.malformed.rawValue])
    }
    return OpenIDIdentity(issuer: settings.gateway, subject: user)
  }

  private struct Answer: Decodable {
    struct Content: Decodable {
      var accessToken: String?
      var userId: String?
    }
    var retCode: String
    var data: Content?
  }

  private func validate(_ ticket: String) async throws -> Answer {
    let token = try await accessToken()
    return try await post("/userSession/validaTicket?accessToken=" + FormText.encoded(token), ["ticket": ticket])
  }

  private func accessToken() async throws -> String {
    if let access, (0..<Self.accessAge).contains(clock() - access.madeAt) { return access.token }
    let now = clock()
    let answer = try await post(
      "/getAccessToken",
      [
        "appId": settings.appID, "timeStamp": String(now), "keyInfo": Self.keyInfo(settings, at: now),
        "sysCode": settings.system,
      ])
    guard answer.retCode == Self.done, let token = answer.data?.accessToken,
      (1...Self.ticketLimit).contains(token.utf8.count)
    else { throw Problem(.providerRefused, arguments: ["check": "application"]) }
    access = (token, now)
    return token
  }

  /// `HEX(HMAC-SHA1(key, id + key + time))`, upper case.
  package static func keyInfo(_ settings: Settings, at now: Int64) -> String {
    let message = settings.appID + settings.appKey + String(now)
    let code = HMAC<Insecure.SHA1>.authenticationCode(
      for: Array(message.utf8), using: SymmetricKey(data: Array(settings.appKey.utf8)))
    return code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }.joined()
  }

  private func post(_ path: String, _ body: [String: String]) async throws -> Answer {
    let data = try JSONEncoder().encode(body)
    let answer: Data
    do {
      answer = try await fetch(OutgoingRequest(url: settings.gateway + path, body: ("application/json", data)))
    } catch { throw Problem(.providerUnreachable, retryAfter: 30) }
    guard let read: Answer = decodeJSON(answer) else {
      throw Problem(.providerRefused, arguments: ["check": OpenIDRefusal.malformed.rawValue])
    }
    return read
  }
}
