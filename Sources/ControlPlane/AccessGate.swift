public import Classroom
import HTTPTypes
import Hummingbird
import Ledger
import Logging
import RTCWire
import Synchronization

/// Who asks: what a request's token says, and where it comes from.
public struct Caller: Sendable, Hashable {
  public var claims: AccessClaims
  /// The client's address as the kernel sees it; empty where it is not known.
  public var address: String

  public init(claims: AccessClaims, address: String) {
    self.claims = claims
    self.address = address
  }

  public var subject: Identifier { claims.subject }
  public var grants: [Grant] { claims.grants }
  public var token: Identifier { claims.id }
}

/// One line of the audit trail: who did or tried what, where, from where.
public struct AccessRecord: Sendable, Hashable {
  /// Nil for somebody without a genuine token.
  public var actor: Identifier?
  /// The roles that were held, joined by a comma; at most 40 characters.
  public var role: String
  /// Raw value of the operation; for a token that is refused, `token`.
  public var operation: String
  /// Such as `lesson/UUID`, `room/UUID` or `city`.
  public var target: String
  public var address: String
  /// Nil when it was done.
  public var refusal: String?
  /// JSON of what it was before, and is now; nil where nothing changes or nothing is known.
  public var old: String?
  public var new: String?
}

/// How somebody without a token comes by one, as the audit trail says it. What the ledger holds for timetables is not
/// changed by any.
package enum AccessEntry: String, Sendable, CaseIterable {
  case link = "signIn.link"
  case terminal = "signIn.terminal"
  case openID = "signIn.openID"
  case ticket = "signIn.ticket"
  case device = "enrol.device"
  case signOut = "signOut"
  /// That a second factor was begun, and that it holds.
  case secondFactorBegun = "secondFactor.begun"
  case secondFactorHolds = "secondFactor.holds"
  /// That a code for a terminal was made.
  case terminalCode = "signIn.code"
}

public typealias AuditSink = @Sendable (AccessRecord) -> Void

/// The one place where a request is let through: it makes a caller of its token, asks the rules, and audits every
/// refusal and every change.
package struct AccessGate: Sendable {
  let tokens: TokenIssuer
  let clock: @Sendable () -> Int64
  /// What encloses the scopes of grants.
  let places: @Sendable () -> AccessPlaces
  let audit: AuditSink
  private let strangers = StrangerPace()

  package init(
    tokens: TokenIssuer, clock: @escaping @Sendable () -> Int64,
    places: @escaping @Sendable () -> AccessPlaces = { AccessPlaces() }, audit: @escaping AuditSink
  ) {
    self.tokens = tokens
    self.clock = clock
    self.places = places
    self.audit = audit
  }

  /// Who a request comes from.
  /// - Throws: `noToken`, `badToken`, `expiredToken`, `revokedToken`; each audited, strangers' at most 20 a second.
  func caller(of request: Request, _ context: RelayContext) throws(Problem) -> Caller {
    try caller(authorization: request.headers[.authorization], address: request.clientAddress(context))
  }

  package func caller(authorization: String?, address: String) throws(Problem) -> Caller {
    let now = clock()
    do {
      return Caller(claims: try tokens.check(authorization: authorization, now: now), address: address)
    } catch {
      // Who shows no token at all has tried nothing.
      if error.kind != .noToken, strangers.takes(now: now) {
        audit(
          AccessRecord(
            actor: nil, role: "", operation: "token", target: "", address: address, refusal: error.kind.rawValue))
      }
      throw error
    }
  }

  /// Lets a caller through, or not.
  ///
  /// A change that is allowed is audited by `changed`, once it is done and its old and new are known.
  /// - Throws: `wrongLesson` for a lesson that is not the caller's, `outsideScope`, `wrongRole`, `conflictingRoles`,
  ///   `noGrant`; each audited.
  package func require(_ operation: AccessOperation, on target: AccessTarget, by caller: Caller) throws(Problem) {
    guard case .refused(let reason) = decide(operation, target, caller) else { return }
    audit(record(operation, target, caller, refusal: reason.rawValue))
    if reason == .outsideScope, case .joint(let joint) = target, joint.lesson != nil { throw Problem(.wrongLesson) }
    throw Problem(refusedFor: reason)
  }

  /// Whether a caller may, without a trace: to choose what is shown.
  package func allows(_ operation: AccessOperation, on target: AccessTarget, by caller: Caller) -> Bool {
    decide(operation, target, caller).isAllowed
  }

  private func decide(
    _ operation: AccessOperation, _ target: AccessTarget, _ caller: Caller
  ) -> AccessDecision {
    let decision = AccessRules.decide(grants: caller.grants, operation: operation, target: target)
    // What encloses a scope matters for single places alone, and costs a look into the ledger.
    guard decision == .refused(.outsideScope), case .place = target else { return decision }
    return AccessRules.decide(grants: caller.grants, operation: operation, target: target, places: places())
  }

  /// Lets a caller give or take a role, or have what a holder of it has.
  /// - Throws: `conflictingRoles`, `outsideScope`, `wrongRole`; audited.
  package func requireGiving(
    _ grant: Grant, at target: AccessTarget, to held: [Grant] = [], by caller: Caller
  ) throws(Problem) {
    let decision = AccessRules.decideGiving(grant, at: target, to: held, by: caller.grants)
    guard case .refused(let reason) = decision else { return }
    audit(record(.manageAccounts, target, caller, refusal: reason.rawValue))
    throw Problem(refusedFor: reason)
  }

  /// Audits that somebody without a token came in, or tried to; refusals at most 20 a second.
  package func entered(_ actor: Identifier?, by way: AccessEntry, from address: String, refusal: Problem.Kind? = nil) {
    guard refusal == nil || strangers.takes(now: clock()) else { return }
    audit(
      AccessRecord(
        actor: actor, role: "", operation: way.rawValue, target: "", address: address, refusal: refusal?.rawValue))
  }

  /// Audits a change that was made. `old` and `new`: JSON, at most 4 KiB.
  package func changed(
    _ operation: AccessOperation, on target: AccessTarget, by caller: Caller, old: String? = nil, new: String? = nil
  ) {
    var record = record(operation, target, caller, refusal: nil)
    record.old = old
    record.new = new
    audit(record)
  }

  private func record(
    _ operation: AccessOperation, _ target: AccessTarget, _ caller: Caller, refusal: String?
  ) -> AccessRecord {
    let roles = caller.grants.map(\.role.rawValue)
    return AccessRecord(
      actor: caller.subject, role: String(roles.joined(separator: ",").prefix(40)), operation: operation.rawValue,
      target: target.auditName, address: caller.address, refusal: refusal)
  }
}

extension AccessTarget {
  /// What the audit trail calls it: at most 200 scalars.
  var auditName: String {
    switch self {
    case .city: return "city"
    case .place(let place):
      if let room = place.room { return "room/\(room)" }
      if let school = place.school { return "institution/\(school)" }
      return String(("county/" + place.county).unicodeScalars.prefix(200).map(Character.init))
    case .joint(let joint):
      let lesson = joint.lesson.map { "lesson/\($0)" } ?? "joint"
      return joint.actedOn?.room.map { "\(lesson)/room/\($0)" } ?? lesson
    }
  }
}

extension Request {
  /// The client's address: the connection's, or where a proxy on this machine stands between, what that says of it.
  func clientAddress(_ context: RelayContext) -> String {
    let own = context.remote?.addressText ?? ""
    // Only the last entry is the proxy's own; those before it are whatever the client claims.
    guard context.remote?.isLoopback == true, let field = headers[.xForwardedFor],
      let last = field.split(separator: ",").last,
      let address = RTCWire.SocketAddress(address: last.filter { $0 != " " }, port: 0)
    else { return own }
    return address.addressText
  }
}

/// Bounds what strangers can write into the trail, whatever they send.
private final class StrangerPace: Sendable {
  private let state = Mutex<(second: Int64, count: Int)>((0, 0))

  func takes(now: Int64) -> Bool {
    state.withLock { state in
      if state.second != now / 1_000 { state = (now / 1_000, 0) }
      state.count += 1
      return state.count <= 20
    }
  }
}

extension Problem {
  /// A refusal of the rules, for whoever is refused.
  init(refusedFor reason: AccessDecision.Reason) {
    switch reason {
    case .conflictingRoles: self.init(.conflictingRoles)
    case .outsideScope: self.init(.outsideScope)
    case .noGrant: self.init(.noGrant)
    case .wrongRole, .parentNeverLive, .auditorNeverChanges: self.init(.wrongRole)
    }
  }
}
