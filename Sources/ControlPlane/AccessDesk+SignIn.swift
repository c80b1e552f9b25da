public import Classroom
import Crypto
import Foundation
import Ledger
import MediaWorker
import RTCWire

extension AccessDesk {
  // MARK: Links

  /// A new link's secret: 256 bits, shown once and kept as a hash.
  public struct Link: Sendable {
    /// 43 characters for the fragment of a page's address.
    public var code: String
    /// UTC milliseconds.
    public var expires: Int64
  }

  /// A way in for a person, to be handed over and used once.
  /// - Throws: `tooFast` when ten links of the person are open.
  public func makeSignInLink(for person: Identifier) throws -> Link {
    try makeLink(.signIn, subject: person, institution: nil)
  }

  /// The same for a person for whom somebody else vouches, such as a provider whose token was checked: it takes the
  /// second factor as any link does, and runs out within minutes.
  public func makeVouchedLink(for person: Identifier) throws -> Link {
    try makeLink(.signIn, subject: person, institution: nil, seconds: policy.vouchedSeconds)
  }

  func makeLink(
    _ kind: OneTimeCode.Kind, subject: Identifier, institution: Identifier?, seconds: Int64? = nil
  ) throws -> Link {
    let code = Base64URL.encode(Data(secureRandomBytes(32)))
    let seconds = seconds ?? policy.linkSeconds
    let expires = clock() + seconds * 1_000
    try tellingFull(min(seconds, 600)) {
      try store.put(
        OneTimeCode(
          hash: Self.hash(code), kind: kind, subject: subject, institution: institution, expires: expires))
    }
    return Link(code: code, expires: expires)
  }

  static func hash(_ code: String) -> [UInt8] { Array(SHA256.hash(data: Array(code.utf8))) }

  // MARK: Sessions

  /// Lets a person in by a link, with the second factor where one is set up or asked for.
  ///
  /// The link is used up by success alone, or by five wrong second factors.
  /// - Throws: `lockedOut`, `badCode`, `accountLocked`, `noGrant`, `secondFactorMissing` (set one up by the link
  ///   first), `secondFactorNeeded` (ask for its code), `badSecondFactor`.
  public func signIn(link code: String, secondFactor: String? = nil, from address: String) throws -> IssuedAccess {
    let hash = try openLink(code, .signIn, from: address)
    guard let link = try store.openCode(hash) else { throw Problem(.badCode) }
    try checkAccount(link.subject)
    let grants = try store.grants(of: link.subject)
    guard !grants.isEmpty else { throw Problem(.noGrant) }
    let isStrong = try checkSecondFactor(secondFactor, of: link.subject, grants: grants, from: address) {
      try store.countAttempt(at: hash, limit: policy.perAccount.limit)
    }
    guard try store.takeCode(hash) != nil else { throw Problem(.badCode) }
    try store.clearFailures(Self.key(address: address))
    return try openSession(for: link.subject, grants: grants, hasSecondFactor: isStrong)
  }

  /// A session for somebody whose identity is known: by a link, or by an external identity provider.
  func openSession(for person: Identifier, grants: [Grant], hasSecondFactor: Bool) throws -> IssuedAccess {
    let now = clock()
    var claims = AccessClaims(subject: person, grants: grants, expires: now / 1_000 + policy.idleSeconds, now: now)
    claims.sessionEnds = now / 1_000 + policy.sessionSeconds
    claims.hasSecondFactor = hasSecondFactor
    return try note(claims, label: "session")
  }

  /// The next token of a session, for a page that is in use: it lives `idleSeconds` from now, at most to the session's
  /// end, with the roles the person has now. The old one runs out by itself.
  /// - Throws: `expiredToken` past the session's end, `wrongRole` for a token that is no session's, `noGrant`.
  public func refresh(_ claims: AccessClaims) throws -> IssuedAccess {
    try goOn(claims, hasSecondFactor: claims.hasSecondFactor)
  }

  func goOn(_ claims: AccessClaims, hasSecondFactor: Bool) throws -> IssuedAccess {
    guard let ends = claims.sessionEnds else { throw Problem(.wrongRole) }
    let now = clock()
    guard ends > now / 1_000 else { throw Problem(.expiredToken) }
    let grants = try store.grants(of: claims.subject)
    guard !grants.isEmpty else { throw Problem(.noGrant) }
    // A role given since asks for more than the person has shown.
    if !hasSecondFactor, policy.requiresSecondFactor, grants.contains(where: \.role.needsSecondFactor) {
      throw Problem(.secondFactorNeeded)
    }
    var next = AccessClaims(
      subject: claims.subject, grants: grants, expires: min(now / 1_000 + policy.idleSeconds, ends), now: now)
    next.session = claims.session
    next.sessionEnds = ends
    next.hasSecondFactor = hasSecondFactor
    return IssuedAccess(token: try tokens.sign(next), claims: next)
  }

  /// Ends the session of a token at once.
  public func signOut(_ claims: AccessClaims) throws { try revoke(token: claims.session, by: claims.subject) }

  // MARK: Second factors

  /// Begins setting up a second factor by a link that has not been used: its address for an authenticator app. It holds
  /// once a code of it has been given to `signIn`.
  /// - Throws: `lockedOut`, `badCode`; `secondFactorSet` when one holds already.
  public func startSecondFactor(link code: String, account: String, from address: String) throws -> String {
    let hash = try openLink(code, .signIn, from: address)
    guard let link = try store.openCode(hash) else { throw Problem(.badCode) }
    return try startSecondFactor(of: link.subject, account: account)
  }

  /// Whom a link that is open would let in, for what its page shows before. Throws `lockedOut`, `badCode`.
  func subject(ofLink code: String, from address: String) throws -> Identifier {
    let hash = try openLink(code, .signIn, from: address)
    guard let link = try store.openCode(hash) else { throw Problem(.badCode) }
    return link.subject
  }

  /// Takes the second factor of somebody who has lost it away, and ends the person's sessions.
  public func removeSecondFactor(of person: Identifier, by actor: Identifier? = nil) throws {
    try store.removeSecondFactor(of: person)
    try store.clearFailures(Self.key(account: person))
    try revoke(subject: person, by: actor)
  }

  /// Whether a second factor was given and is right; false where none is needed.
  func checkSecondFactor(
    _ code: String?, of person: Identifier, grants: [Grant], from address: String, onFailure: () throws -> Void
  ) throws -> Bool {
    let factor = try store.secondFactor(of: person)
    let isAsked = policy.requiresSecondFactor && grants.contains(where: \.role.needsSecondFactor)
    guard let factor, factor.isConfirmed || code != nil else {
      if isAsked { throw Problem(factor == nil ? .secondFactorMissing : .secondFactorNeeded) }
      return false
    }
    let account = Self.key(account: person)
    try checkLock(account)
    guard let code else { throw Problem(.secondFactorNeeded) }
    let step = TimeCode.matchingStep(code, secret: factor.secret, now: clock(), after: factor.lastStep)
    guard let step, try store.takeStep(step, of: person) else {
      try onFailure()
      try store.countFailure(account, policy.perAccount)
      try store.countFailure(Self.key(address: address), policy.perAddress)
      throw Problem(.badSecondFactor)
    }
    try store.clearFailures(account)
    return true
  }

  // MARK: Lockout

  static func key(account: Identifier) -> String { "account:\(account)" }

  /// An address counts as a whole, one of IPv6 by its /64: whoever has one has all of them.
  static func key(address: String) -> String {
    let text = String(address.prefix(80))
    guard text.contains(":"), let parsed = RTCWire.SocketAddress(address: text, port: 0), parsed.family == .ipv6
    else {
      return "address:\(text.isEmpty ? "unknown" : text)"
    }
    let network = RTCWire.SocketAddress(family: .ipv6, high: parsed.high, low: 0, port: 0)
    return "address:\(network.addressText)"
  }

  /// - Throws: `lockedOut` with the seconds to wait.
  func checkLock(_ key: String) throws {
    guard let until = try store.lockedUntil(key) else { return }
    throw Problem(
      .lockedOut, arguments: ["until": CivilText.text(until)],
      retryAfter: Int(clamping: max(1, (until - clock() + 999) / 1_000)))
  }

  /// The hash of a link that is open and of that kind.
  func openLink(_ code: String, _ kind: OneTimeCode.Kind, from address: String) throws -> [UInt8] {
    try checkLock(Self.key(address: address))
    let hash = Self.hash(String(code.prefix(100)))
    guard code.utf8.count == 43, try store.openCode(hash)?.kind == kind else {
      try store.countFailure(Self.key(address: address), policy.perAddress)
      throw Problem(.badCode)
    }
    return hash
  }
}
