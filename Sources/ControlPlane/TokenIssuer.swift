import Classroom
import Crypto
import Foundation
import JWTKit
public import Ledger
import MediaWorker
import Synchronization

/// Signs and checks bearer tokens (RFC 6750): JSON Web Tokens with EdDSA over Ed25519 (RFC 7519, RFC 8037).
///
/// The keys are kept in the ledger, so tokens survive restarts and backups. The latest key signs; the others verify
/// until their tokens have run out. What is revoked is looked up in memory. Cost of a check: bounded by `byteLimit`,
/// one signature at most, and none for a token that names no key of ours.
public final class TokenIssuer: Sendable {
  /// Bytes of a token.
  public static let byteLimit = 4_096
  private static let algorithm = "EdDSA"

  private struct State {
    var keys: [String: SigningKey] = [:]
    var signing: SigningKey
    var revocations = RevocationList()
  }

  private let state: Mutex<State>
  private let clock: @Sendable () -> Int64

  /// - Parameters:
  ///   - keys: 1…16, the first made first (trap).
  ///   - clock: UTC milliseconds.
  package init(keys: [TokenKey], clock: @escaping @Sendable () -> Int64) {
    self.clock = clock
    state = Mutex(Self.state(of: keys))
  }

  /// The issuer of a ledger; makes its first key when there is none.
  public convenience init(store: LedgerStore, clock: @escaping @Sendable () -> Int64) throws {
    self.init(keys: try store.tokenKeys { Self.newKey(now: clock()) }, clock: clock)
    try reload(from: store)
  }

  private static func state(of keys: [TokenKey]) -> State {
    let known = keys.compactMap(SigningKey.init)
    guard let last = known.last else { preconditionFailure("an issuer has a key") }
    return State(keys: Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { $1 }), signing: last)
  }

  static func newKey(now: Int64) -> TokenKey {
    let name = secureRandomBytes(6).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return TokenKey(id: name, value: Array(Curve25519.Signing.PrivateKey().rawRepresentation), madeAt: now)
  }

  // MARK: Keys and revocation

  /// Takes over what another process, or this one, has changed in the ledger. Cost: two short reads.
  public func reload(from store: LedgerStore) throws {
    let keys = try store.tokenKeys()
    let after = state.withLock { $0.revocations.latest }
    let news = try store.revocations(after: after)
    let now = clock()
    state.withLock { state in
      if Set(keys.map(\.id)) != Set(state.keys.keys), !keys.isEmpty {
        let list = state.revocations
        state = Self.state(of: keys)
        state.revocations = list
      }
      state.revocations.apply(news, now: now)
    }
  }

  /// Makes a new key that signs from now on; keys whose tokens have all run out are let go. Throws `LedgerError.full`
  /// where 16 are still needed.
  ///
  /// `keepingOld` false is for a key that has leaked: every token there is ends at once.
  public func rotate(in store: LedgerStore, keepingOld: Bool = true) throws {
    let now = clock()
    // A key signs until the next is made, so one made that long ago may have signed until much later: keep the last.
    let made = try store.tokenKeys().map(\.madeAt)
    let ended = zip(made, made.dropFirst()).filter { $0.1 < now - AccessClaims.longestLife * 1_000 }.map(\.1)
    let horizon = keepingOld ? ended.last ?? 0 : .max
    try store.rotateTokenKey(Self.newKey(now: now), forgettingBefore: horizon)
    try reload(from: store)
  }

  /// Identifiers of the keys that verify.
  package var keyNames: Set<String> { state.withLock { Set($0.keys.keys) } }

  // MARK: Issuing

  /// Signs claims. Throws `tooLarge` when the token would be over `byteLimit`: too many grants with long names.
  package func sign(_ claims: AccessClaims) throws(Problem) -> String {
    let key = state.withLock { $0.signing }
    let header = JWTHeader(fields: [
      "alg": .string(Self.algorithm), "kid": .string(key.id), "typ": .string("JWT"),
    ])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let head = try? encoder.encode(header), let body = try? encoder.encode(claims) else {
      preconditionFailure("claims always encode")
    }
    let text = Base64URL.encode(head) + "." + Base64URL.encode(body)
    guard let signature = try? key.algorithm.sign(Array(text.utf8)) else {
      preconditionFailure("a private key signs")
    }
    let token = text + "." + Base64URL.encode(Data(signature))
    guard token.utf8.count <= Self.byteLimit else { throw Problem(.tooLarge) }
    return token
  }

  /// A token of a seat, for its link. `expires`: UTC seconds.
  func issue(_ seat: Seat, expires: Int64) -> String {
    guard let token = try? sign(AccessClaims(seat, expires: expires, now: clock())) else {
      preconditionFailure("a seat's claims are short")
    }
    return token
  }

  // MARK: Checking

  private struct Header: Decodable {
    var alg: String
    var kid: String
    var typ: String?
    var crit: [String]?
  }

  /// The claims of a genuine token.
  /// - Throws: `badToken`; `expiredToken` or `revokedToken` when it is genuine and not good any more.
  package func check(_ token: some StringProtocol, now: Int64) throws(Problem) -> AccessClaims {
    guard token.utf8.count <= Self.byteLimit,
      let parts = try? DefaultJWTParser().getTokenParts(Array(token.utf8)),
      // A header is read before its signature is known: no more of it than of ours.
      parts.header.count <= 256, let head = Base64URL.decode(parts.header), let header: Header = decodeJSON(head),
      // The key says the algorithm, never the token.
      header.alg == Self.algorithm, header.crit == nil, header.typ == nil || header.typ == "JWT",
      let key = state.withLock({ $0.keys[header.kid] }), parts.signature.count == 86,
      let signature = Base64URL.decode(parts.signature),
      (try? key.algorithm.verify(signature, signs: Array(parts.header) + [UInt8(ascii: ".")] + parts.payload)) == true,
      let body = Base64URL.decode(parts.payload), let claims: AccessClaims = decodeJSON(body),
      claims.expires.subtractingReportingOverflow(claims.issuedAt).partialValue <= AccessClaims.longestLife
    else { throw Problem(.badToken) }
    guard claims.expires > now / 1_000 else { throw Problem(.expiredToken) }
    guard state.withLock({ !$0.revocations.holds(claims) }) else { throw Problem(.revokedToken) }
    return claims
  }

  /// The claims of the bearer token in an `Authorization` field (RFC 6750 §2.1).
  /// - Throws: `noToken` when there is none; what `check` throws.
  package func check(authorization field: String?, now: Int64) throws(Problem) -> AccessClaims {
    guard let field else { throw Problem(.noToken) }
    let parts = field.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Problem(.noToken) }
    return try check(parts[1], now: now)
  }
}

/// A key ready to sign and verify.
private struct SigningKey: Sendable {
  let id: String
  let algorithm: Ed25519

  /// Nil for bytes that are no key.
  init?(_ key: TokenKey) {
    guard let value = try? Curve25519.Signing.PrivateKey(rawRepresentation: key.value) else { return nil }
    id = key.id
    algorithm = Ed25519(key: value, publicKey: value.publicKey)
  }
}

/// JWT's EdDSA over Ed25519; JWTKit's own can be had only by waiting, which the places that make links cannot.
private struct Ed25519: JWTAlgorithm {
  let key: Curve25519.Signing.PrivateKey
  let publicKey: Curve25519.Signing.PublicKey
  var name: String { "EdDSA" }

  func sign(_ plaintext: some DataProtocol) throws -> [UInt8] { Array(try key.signature(for: plaintext)) }

  func verify(_ signature: some DataProtocol, signs plaintext: some DataProtocol) throws -> Bool {
    publicKey.isValidSignature(signature, for: plaintext)
  }
}

/// RFC 4648 §5 without padding.
enum Base64URL {
  static func encode(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// Nil for whatever is not exactly that: padding, the other alphabet, bits left over.
  static func decode(_ bytes: some Collection<UInt8>) -> Data? {
    let text = String(decoding: bytes, as: UTF8.self)
    let plain = text.replacing("-", with: "+").replacing("_", with: "/")
    let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: plain + padding), encode(data) == text else { return nil }
    return data
  }
}
