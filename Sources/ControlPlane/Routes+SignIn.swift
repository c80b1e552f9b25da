import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// How somebody without a token comes by one: by a link, by a code at a terminal, by an identity provider, by a
/// platform's ticket. What is secret comes in bodies alone.
///
/// There is no caller yet whom the rules could judge; the desk counts what is wrong against addresses, accounts and
/// schools, and the gate audits who came in and who was refused.
struct SignInRoutes: Sendable {
  let relay: RelayParts
  /// Bytes of a body, from whoever has no token yet.
  private static let byteLimit = 16_384
  private var gate: AccessGate { relay.gate }
  private var desk: AccessDesk { relay.desk }

  var all: [Route] {
    let base = "/api/v1/sign-in"
    return [
      Route(.get, base, ways), Route(.post, base, signIn), Route(.post, base + "/second-factor", startSecondFactor),
      Route(.post, base + "/openid", beginOpenID), Route(.post, base + "/openid/answer", finishOpenID),
      Route(.post, base + "/ticket", ticket), Route(.post, "/api/v1/enrolment", enrol),
    ]
  }

  // MARK: Links and terminals

  private struct Ways: Encodable {
    struct Way: Encodable {
      var name: String
      var login: String?
    }
    var openid: Way?
    var ticket: Way?
  }

  /// What the page offers besides links.
  private func ways(_ request: Request, _ context: RelayContext) async throws -> Response {
    try json(
      Ways(
        openid: relay.ways.openID.map { Ways.Way(name: $0.name) },
        ticket: relay.ways.ticket.map { Ways.Way(name: $0.name, login: $0.login) }))
  }

  private func signIn(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: SignInRequest = try await request.json(limit: Self.byteLimit)
    let address = request.clientAddress(context)
    // 43 characters are a link's; what is shorter somebody has typed.
    let isLink = wanted.code.utf8.count > 40
    let access = try entering(isLink ? .link : .terminal, address) {
      isLink
        ? try desk.signIn(link: wanted.code, secondFactor: wanted.secondFactor, from: address)
        : try desk.signIn(terminal: wanted.code, from: address)
    }
    gate.entered(access.claims.subject, by: isLink ? .link : .terminal, from: address)
    return try json(SessionView(relay).reply(access.claims, token: access.token))
  }

  private struct LinkCode: Decodable {
    var code: String
  }

  /// Whoever has a link may set up the second factor that is asked for, where none holds yet.
  private func startSecondFactor(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: LinkCode = try await request.json(limit: Self.byteLimit)
    let from = request.clientAddress(context)
    let (person, address) = try entering(.link, from) {
      let person = try desk.subject(ofLink: wanted.code, from: from)
      return (
        person,
        try desk.startSecondFactor(link: wanted.code, account: try SessionView(relay).account(person), from: from)
      )
    }
    gate.entered(person, by: .secondFactorBegun, from: from)
    return try json(SecondFactorReply(address: address, secret: SessionView.secret(in: address)))
  }

  /// Audits what is refused; that a second factor is still to come is no refusal.
  private func entering<T>(_ way: AccessEntry, _ address: String, _ body: () throws -> T) throws -> T {
    do { return try body() } catch let problem as Problem {
      tell(problem, way, address)
      throw problem
    }
  }

  private func tell(_ problem: Problem, _ way: AccessEntry, _ address: String) {
    switch problem.kind {
    case .secondFactorNeeded, .secondFactorMissing: break
    default: gate.entered(nil, by: way, from: address, refusal: problem.kind)
    }
  }

  // MARK: Identity providers

  private struct Begun: Encodable {
    var address: String
    var attempt: String
  }

  private func beginOpenID(_ request: Request, _ context: RelayContext) async throws -> Response {
    guard let way = relay.ways.openID else { throw Problem(.notFound) }
    let begun = try await way.desk.begin(from: request.clientAddress(context))
    return try json(Begun(address: begun.address.absoluteString, attempt: begun.attempt))
  }

  private struct OpenIDAnswer: Decodable {
    var attempt: String
    var state: String
    var code: String
  }

  private func finishOpenID(_ request: Request, _ context: RelayContext) async throws -> Response {
    guard let way = relay.ways.openID else { throw Problem(.notFound) }
    let answer: OpenIDAnswer = try await request.json(limit: Self.byteLimit)
    return try await vouched(.openID, request, context) {
      try await way.desk.finish(attempt: answer.attempt, state: answer.state, code: answer.code)
    }
  }

  private struct TicketAnswer: Decodable {
    var ticket: String
  }

  private func ticket(_ request: Request, _ context: RelayContext) async throws -> Response {
    guard let way = relay.ways.ticket else { throw Problem(.notFound) }
    let answer: TicketAnswer = try await request.json(limit: Self.byteLimit)
    let address = request.clientAddress(context)
    // Each try asks the platform: who guesses has to stop.
    try desk.checkLock(AccessDesk.key(address: address))
    return try await vouched(.ticket, request, context) {
      do { return try await way.desk.identity(ticket: answer.ticket) } catch let problem as Problem {
        if problem.kind == .staleSignIn {
          try relay.store.countFailure(AccessDesk.key(address: address), desk.policy.perAddress)
        }
        throw problem
      }
    }
  }

  /// Makes a link, good for minutes, of what somebody else vouches for: from there on every way in is the same.
  private func vouched(
    _ way: AccessEntry, _ request: Request, _ context: RelayContext, _ identify: () async throws -> OpenIDIdentity
  ) async throws -> Response {
    let address = request.clientAddress(context)
    do {
      let identity = try await identify()
      guard let person = try relay.store.person(issuer: identity.issuer, subject: identity.subject) else {
        // The name there is the caller's own, and what an administrator needs to bind the account.
        throw Problem(.unknownIdentity, arguments: ["subject": identity.subject.onOneLine(limit: 80)])
      }
      let link = try desk.makeVouchedLink(for: person.id)
      return try json(
        LinkReply(code: link.code, expires: CivilText.text(link.expires), page: relay.pageBase() + "/sign-in"),
        status: .created)
    } catch let problem as Problem {
      tell(problem, way, address)
      throw problem
    }
  }

  // MARK: Devices

  private struct Enrolment: Decodable {
    /// Of a link.
    var code: String?
    /// The school's number, and 6 digits.
    var institution: String?
    var digits: String?
  }

  private func enrol(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: Enrolment = try await request.json(limit: Self.byteLimit)
    let address = request.clientAddress(context)
    let device = try entering(.device, address) {
      if let code = wanted.code { return try desk.enrol(link: code, from: address) }
      let number = wanted.institution ?? ""
      // A school that is not there takes no digits; the desk counts it against the address.
      let school = try relay.store.institution(number: number)?.id ?? AccessClaims.operator
      return try desk.enrol(digits: wanted.digits ?? "", institution: school, from: address)
    }
    gate.entered(device.device, by: .device, from: address)
    return try json(SessionView(relay).reply(device.access.claims, token: device.access.token), status: .created)
  }
}

/// What a session or a token is told of itself.
struct SessionView {
  private let relay: RelayParts
  private var store: LedgerStore { relay.store }

  init(_ relay: RelayParts) { self.relay = relay }

  func reply(_ claims: AccessClaims, token: String? = nil) throws -> SessionReply {
    let people = relay.accountPlaces
    let person = try store.person(claims.subject)
    var kind = "person"
    var name = person?.name ?? ""
    if claims.subject == AccessClaims.operator {
      kind = "operator"
    } else if case .room(let room) = claims.grants.first?.scope, claims.grants.first?.role == .device {
      kind = "device"
      name = try store.room(room)?.number ?? ""
    } else if claims.seat != nil {
      kind = "seat"
    }
    return SessionReply(
      token: token, kind: kind, id: "\(claims.subject)", name: name, grants: try claims.grants.map(people.reply),
      expires: claims.expires * 1_000, ends: claims.sessionEnds.map { $0 * 1_000 },
      secondFactor: try AccountPlaces.secondFactor(claims.subject, store))
  }

  /// What an authenticator app calls the account.
  func account(_ person: Identifier) throws -> String {
    guard let known = try store.person(person) else { return "\(person)" }
    return try relay.accountPlaces.key(of: known)
  }

  /// The secret of an `otpauth:` address, to be typed.
  static func secret(in address: String) -> String {
    URLComponents(string: address)?.queryItems?.first { $0.name == "secret" }?.value ?? ""
  }
}
