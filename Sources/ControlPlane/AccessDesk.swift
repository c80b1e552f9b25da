public import Classroom
import Crypto
import Foundation
public import Ledger
import MediaWorker
import RTCWire

/// How people and devices come by their tokens.
public struct AccessPolicy: Sendable, Equatable {
  /// Whether administrators and coordinators (`Role.needsSecondFactor`) have to give a second factor.
  public var requiresSecondFactor = false
  /// Seconds that a page's token lives when nobody asks for the next.
  public var idleSeconds: Int64 = 30 * 60
  /// Seconds after which a session ends however busy.
  public var sessionSeconds: Int64 = 12 * 3_600
  /// Seconds that a link for signing in or enrolling may wait.
  public var linkSeconds: Int64 = 24 * 3_600
  /// Seconds that a code of 6 digits may wait.
  public var digitsSeconds: Int64 = 600
  /// Seconds that a code for a terminal may wait.
  public var terminalSeconds: Int64 = 300
  /// Seconds that somebody whom a provider vouches for has for the second factor.
  public var vouchedSeconds: Int64 = 300
  /// Days that a device's token lives.
  public var deviceDays: Int64 = 365
  /// Second factors of one person, and tries at one link.
  public var perAccount = LockoutPolicy(limit: 5, window: 600_000, lock: 900_000)
  /// Wrong links and codes from one address; a school behind one address has many hands.
  public var perAddress = LockoutPolicy(limit: 10, window: 600_000, lock: 600_000)
  /// Wrong digits for one school: with 20 codes open, 20 guesses in 10 minutes hit once in 2,500 tries at it.
  public var perInstitution = LockoutPolicy(limit: 20, window: 600_000, lock: 600_000)

  public init() {}
}

/// A token with what its holder has to know of it.
public struct IssuedAccess: Sendable {
  public var token: String
  public var claims: AccessClaims
}

/// Makes, renews and takes back what people and devices come in with. No password is kept anywhere: a person comes in
/// by a one-time link, a device by a link or 6 digits, and an administrator with a second factor besides.
///
/// Whether its caller may ask for it is for `AccessGate` to say before. Calls wait for the disk (milliseconds). Throws
/// `Problem`, or the ledger's errors.
public struct AccessDesk: Sendable {
  let store: LedgerStore
  let tokens: TokenIssuer
  let clock: @Sendable () -> Int64
  public var policy: AccessPolicy

  public init(
    store: LedgerStore, tokens: TokenIssuer, policy: AccessPolicy = AccessPolicy(),
    clock: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.tokens = tokens
    self.policy = policy
    self.clock = clock
  }

  /// The desk of a data folder on this machine, beside a relay that may be running: for whoever may read its files.
  /// Throws `LedgerError.notFound` where there is no ledger.
  public init(dataDirectory: String) throws {
    let path = dataDirectory + "/ledger.sqlite"
    guard FileManager.default.fileExists(atPath: path) else { throw LedgerError.notFound }
    let clock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }
    let store = try LedgerStore(path: path, clock: clock)
    self.init(store: store, tokens: try TokenIssuer(store: store, clock: clock), clock: clock)
  }

  /// The operator's token, good for 30 days, made on the machine itself: the way in to an empty relay.
  public static func firstAdminToken(dataDirectory: String) throws -> String {
    let desk = try AccessDesk(dataDirectory: dataDirectory)
    defer { try? desk.store.close() }
    return try desk.issue(
      to: AccessClaims.operator, grants: operatorGrants, days: 30, label: "operator"
    ).token
  }

  /// What the machine's own operator may do: run the relay and, until others are appointed, coordinate the city.
  public static let operatorGrants = [Grant(.systemAdmin, .city), Grant(.cityCoordinator, .city)]

  public func close() throws { try store.close() }

  // MARK: Tokens to keep

  /// A token for a program or person to keep, listed until it runs out. `days`: 1…400.
  public func issue(
    to subject: Identifier, grants: [Grant], days: Int64, label: String
  ) throws -> IssuedAccess {
    guard !grants.isEmpty, !AccessRules.conflicts(grants) else { throw Problem(.conflictingRoles) }
    for grant in grants { try grant.validate() }
    guard (1...AccessClaims.longestLife / 86_400).contains(days) else { throw Problem(.badRange) }
    let now = clock()
    let claims = AccessClaims(subject: subject, grants: grants, expires: now / 1_000 + days * 86_400, now: now)
    return try note(claims, label: label)
  }

  func note(_ claims: AccessClaims, label: String) throws -> IssuedAccess {
    let token = try tokens.sign(claims)
    try store.noteIssued(
      IssuedToken(
        id: claims.id, subject: claims.subject, grants: claims.grants, label: label, madeAt: clock(),
        expires: (claims.sessionEnds ?? claims.expires) * 1_000))
    return IssuedAccess(token: token, claims: claims)
  }

  /// Tokens that were made to be kept, and sessions, that have not run out; with whether each is revoked.
  public func list(subject: Identifier? = nil) throws -> [(token: IssuedToken, isRevoked: Bool)] {
    var list = RevocationList()
    list.apply(try store.revocations(), now: clock())
    return try store.issuedTokens(subject: subject).map { ($0, list.holds($0)) }
  }

  /// Ends one token, or the session that began with it, at once; a relay that runs beside hears of it within seconds.
  public func revoke(token id: Identifier, by actor: Identifier? = nil) throws {
    try store.revoke(.token, id, until: lastExpiry, by: actor)
    try tokens.reload(from: store)
  }

  /// Ends every token that a person, device or seat has been given until now.
  public func revoke(subject: Identifier, by actor: Identifier? = nil) throws {
    try store.revoke(.subject, subject, until: lastExpiry, by: actor)
    try tokens.reload(from: store)
  }

  /// No token made until now lives longer, UTC milliseconds.
  private var lastExpiry: Int64 { clock() + AccessClaims.longestLife * 1_000 }

  // MARK: Roles

  /// Gives a person a role from one time to another (UTC milliseconds). `target` is the place of the grant's scope.
  /// - Throws: `conflictingRoles`, `wrongRole` or `outsideScope` where the rules refuse it.
  @discardableResult
  public func give(
    _ grant: Grant, at target: AccessTarget, to person: Identifier, from: Int64? = nil, until: Int64? = nil,
    by caller: Caller
  ) throws -> HeldGrant {
    let others = try store.heldGrants(subject: person).filter { $0.endedAt == nil && clock() < $0.validUntil ?? .max }
    let decision = AccessRules.decideGiving(grant, at: target, to: others.map(\.grant), by: caller.grants)
    if case .refused(let reason) = decision { throw Problem(refusedFor: reason) }
    var random = SystemRandomNumberGenerator()
    let held = HeldGrant(
      id: Identifier(milliseconds: clock(), using: &random), subject: person, grant: grant, validFrom: from,
      validUntil: until, givenBy: caller.subject)
    do { try store.give(held) } catch LedgerError.conflictingRoles { throw Problem(.conflictingRoles) }
    return held
  }

  /// Takes a role back, and ends the person's tokens, which still say it. `target` is the place of the grant's scope.
  public func takeBack(_ held: HeldGrant, at target: AccessTarget, by caller: Caller) throws {
    let decision = AccessRules.decideGiving(held.grant, at: target, by: caller.grants)
    if case .refused(let reason) = decision { throw Problem(refusedFor: reason) }
    try store.takeBack(grant: held.id)
    try revoke(subject: held.subject, by: caller.subject)
  }
}
