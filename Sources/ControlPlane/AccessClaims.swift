public import Classroom
import Crypto
import Foundation

/// What a bearer token says: who may do what in which lesson. It names no person.
public struct AccessClaims: Codable, Hashable, Sendable {
  /// The lesson and seat it is for; nil for the operator of the whole relay.
  public var lesson: Identifier?
  public var seat: Identifier?
  public var role: Seat.Role
  /// UTC seconds after which it is worth nothing.
  public var expires: Int64

  public init(lesson: Identifier?, seat: Identifier?, role: Seat.Role, expires: Int64) {
    self.lesson = lesson
    self.seat = seat
    self.role = role
    self.expires = expires
  }

  enum CodingKeys: String, CodingKey {
    case lesson = "l"
    case seat = "s"
    case role = "r"
    case expires = "e"
  }
}

/// Issues and checks bearer tokens (RFC 6750): `base64url(claims).base64url(HMAC-SHA256)`.
///
/// The key is kept in the ledger, so tokens survive restarts and backups; nothing about a token is stored.
public struct TokenIssuer: Sendable {
  static let byteLimit = 1_024
  private let key: SymmetricKey

  public init(key: [UInt8]) {
    precondition(key.count >= 32, "a token key has at least 256 bits")
    self.key = SymmetricKey(data: key)
  }

  public func issue(_ claims: AccessClaims) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let body = try? encoder.encode(claims) else { preconditionFailure("claims always encode") }
    let text = Self.encode(body)
    return text + "." + Self.encode(Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)))
  }

  /// The claims of a genuine token; compares in constant time.
  /// - Throws: `badToken`, or `expiredToken` when it is genuine and too old.
  package func check(_ token: some StringProtocol, now: Int64) throws(Problem) -> AccessClaims {
    guard token.utf8.count <= Self.byteLimit else { throw Problem(.badToken) }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let signature = Self.decode(parts[1]),
      HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Data(parts[0].utf8), using: key),
      let body = Self.decode(parts[0]), let claims: AccessClaims = decodeJSON(body)
    else { throw Problem(.badToken) }
    guard claims.expires > now / 1_000 else { throw Problem(.expiredToken) }
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

  private static func encode(_ data: Data) -> String {
    data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      .replacingOccurrences(of: "=", with: "")
  }

  private static func decode(_ text: some StringProtocol) -> Data? {
    let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
  }
}
