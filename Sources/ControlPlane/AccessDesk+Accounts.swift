public import Classroom
import Crypto
import Foundation
import Ledger
import MediaWorker

extension AccessDesk {
  // MARK: Locks

  /// Whether somebody may come in at all.
  package enum AccountLock: String, Sendable, CaseIterable {
    case open
    /// Closed for a while: too many wrong attempts.
    case waiting
    /// Closed by an administrator.
    case locked
  }

  package func lock(of person: Identifier) throws -> AccountLock {
    guard let until = try store.lockedUntil(Self.key(account: person)) else { return .open }
    return until >= LedgerStore.lockedForGood ? .locked : .waiting
  }

  /// Closes an account until somebody opens it, and ends its tokens.
  public func lockAccount(of person: Identifier, by actor: Identifier? = nil) throws {
    try store.lock(Self.key(account: person))
    try revoke(subject: person, by: actor)
  }

  /// Opens an account that an administrator, or too many wrong attempts, have closed.
  public func unlockAccount(of person: Identifier) throws { try store.clearFailures(Self.key(account: person)) }

  /// - Throws: `accountLocked`; `lockedOut` with the seconds to wait.
  func checkAccount(_ person: Identifier) throws {
    if try lock(of: person) == .locked { throw Problem(.accountLocked) }
    try checkLock(Self.key(account: person))
  }

  // MARK: Terminals

  /// 8 characters that let a person in at a terminal, shown on a page where the person is signed in.
  public struct TerminalCode: Sendable {
    /// Such as `K7QM-2XRT`: 40 bits in the digits and letters that cannot be taken for one another.
    public var code: String
    /// UTC milliseconds.
    public var expires: Int64
  }

  private static let terminalAlphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

  /// - Throws: `wrongRole` for a token that is no session's, `tooFast` when ten codes are open.
  public func makeTerminalCode(for claims: AccessClaims) throws -> TerminalCode {
    guard claims.sessionEnds != nil else { throw Problem(.wrongRole) }
    let symbols = String(secureRandomBytes(8).map { Self.terminalAlphabet[Int($0 & 31)] })
    let expires = clock() + policy.terminalSeconds * 1_000
    try tellingFull(policy.terminalSeconds) {
      try store.put(
        OneTimeCode(
          hash: try hash(terminal: symbols), kind: claims.hasSecondFactor ? .terminalVerified : .terminal,
          subject: claims.subject, expires: expires))
    }
    return TerminalCode(code: "\(symbols.prefix(4))-\(symbols.suffix(4))", expires: expires)
  }

  /// With a key, as for digits.
  private func hash(terminal symbols: String) throws -> [UInt8] {
    let key = SymmetricKey(data: try store.secret("deviceCodeKey") { secureRandomBytes(32) })
    return Array(HMAC<SHA256>.authenticationCode(for: Array("terminal:\(symbols)".utf8), using: key))
  }

  /// What somebody has typed, as it was made: small letters, hyphens and look-alikes are taken.
  static func terminalSymbols(_ typed: String) -> String? {
    guard typed.utf8.count <= 40 else { return nil }
    let symbols = typed.uppercased().filter { $0 != "-" && $0 != " " }.map { symbol -> Character in
      symbol == "O" ? "0" : symbol == "I" || symbol == "L" ? "1" : symbol
    }
    guard symbols.count == 8, symbols.allSatisfy(terminalAlphabet.contains) else { return nil }
    return String(symbols)
  }

  /// Lets a person in at a terminal: a session of its own, as strong as the page's.
  /// - Throws: `lockedOut`, `badCode`, `accountLocked`, `noGrant`, `secondFactorNeeded` for a role given meanwhile.
  public func signIn(terminal code: String, from address: String) throws -> IssuedAccess {
    let key = Self.key(address: address)
    try checkLock(key)
    guard let symbols = Self.terminalSymbols(code), let taken = try store.takeCode(try hash(terminal: symbols)),
      taken.kind == .terminal || taken.kind == .terminalVerified
    else {
      try store.countFailure(key, policy.perAddress)
      throw Problem(.badCode)
    }
    try checkAccount(taken.subject)
    let grants = try store.grants(of: taken.subject)
    guard !grants.isEmpty else { throw Problem(.noGrant) }
    let isStrong = taken.kind == .terminalVerified
    if !isStrong, policy.requiresSecondFactor, grants.contains(where: \.role.needsSecondFactor) {
      throw Problem(.secondFactorNeeded)
    }
    return try openSession(for: taken.subject, grants: grants, hasSecondFactor: isStrong)
  }

  // MARK: One's own second factor

  /// Begins a second factor for whoever is signed in: its address for an authenticator app.
  /// - Throws: `notFound` for a token that is no person's, `secondFactorSet` when one holds already.
  public func startSecondFactor(of claims: AccessClaims, account: String) throws -> String {
    guard try store.person(claims.subject) != nil else { throw Problem(.notFound) }
    return try startSecondFactor(of: claims.subject, account: account)
  }

  func startSecondFactor(of person: Identifier, account: String) throws -> String {
    let secret = secureRandomBytes(TimeCode.secretByteCount)
    do { try store.setSecondFactor(of: person, secret: secret) } catch LedgerError.immutable {
      throw Problem(.secondFactorSet)
    }
    return TimeCode.address(secret: secret, account: account)
  }

  /// Takes the first code of one's own second factor; from then on it is asked for. The session goes on as one with a
  /// second factor; nil for a token that is no session's.
  /// - Throws: `secondFactorMissing` when none was begun, `lockedOut`, `badSecondFactor`.
  public func confirmSecondFactor(_ code: String, of claims: AccessClaims, from address: String) throws
    -> IssuedAccess?
  {
    guard try store.secondFactor(of: claims.subject) != nil else { throw Problem(.secondFactorMissing) }
    _ = try checkSecondFactor(code, of: claims.subject, grants: claims.grants, from: address) {}
    guard claims.sessionEnds != nil else { return nil }
    return try goOn(claims, hasSecondFactor: true)
  }

  // MARK: Devices

  /// An enrolled device.
  public struct Device: Sendable {
    public var id: Identifier
    public var room: Identifier
    /// UTC milliseconds.
    public var enrolled: Int64
    public var expires: Int64
    public var isRevoked: Bool
  }

  /// Devices whose tokens have not run out, the latest first; revoked ones among them.
  public func devices() throws -> [Device] {
    var list = RevocationList()
    list.apply(try store.revocations(), now: clock())
    return try store.deviceTokens().compactMap { entry in
      guard case .room(let room) = entry.grants[0].scope else { return nil }
      return Device(
        id: entry.subject, room: room, enrolled: entry.madeAt, expires: entry.expires, isRevoked: list.holds(entry))
    }
  }

  // MARK: Seats

  /// A token for a seat of a lesson, for whoever was found to have it: no right besides, and worth nothing once the
  /// session or the device's token that it was made by is. `expires`: UTC seconds.
  func seatAccess(_ seat: Seat, for claims: AccessClaims, expires: Int64) throws -> IssuedAccess {
    var own = AccessClaims(seat, expires: expires, now: clock())
    own.subject = claims.subject
    own.session = claims.session
    own.hasSecondFactor = claims.hasSecondFactor
    // A device in a lead room sends and receives; it does not direct.
    if claims.grants.contains(where: { $0.role == .device }) { own.grants = claims.grants }
    return IssuedAccess(token: try tokens.sign(own), claims: own)
  }

  /// Tells that codes have no room as something to wait for.
  func tellingFull(_ seconds: Int64, _ body: () throws -> Void) throws {
    do { try body() } catch LedgerError.full { throw Problem(.tooFast, retryAfter: Int(clamping: seconds)) }
  }
}

extension RevocationList {
  /// Whether a token that was noted is revoked.
  func holds(_ entry: IssuedToken) -> Bool {
    var claims = AccessClaims(subject: entry.subject, grants: [], expires: 0, now: entry.madeAt)
    claims.id = entry.id
    claims.session = entry.id
    return holds(claims)
  }
}
