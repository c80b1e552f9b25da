import Crypto
package import Foundation
import JWTKit
import MediaWorker

/// What an identity provider says of itself (OpenID Connect Discovery 1.0), read from a fetched document.
package struct OpenIDProvider: Sendable, Equatable {
  /// Bytes of a document that is fetched from a provider.
  package static let byteLimit = 65_536

  package let issuer: String
  package let authorizationEndpoint: URL
  package let tokenEndpoint: URL
  package let keysAddress: URL
  /// Whether a client's secret goes into the body, for a provider that does not take it in the header.
  package let takesSecretInBody: Bool

  private struct Document: Decodable {
    var issuer: String
    var authorization: String
    var token: String
    var keys: String
    var methods: [String]?

    enum CodingKeys: String, CodingKey {
      case issuer
      case authorization = "authorization_endpoint"
      case token = "token_endpoint"
      case keys = "jwks_uri"
      case methods = "token_endpoint_auth_methods_supported"
    }
  }

  /// - Parameters:
  ///   - document: what `<issuer>/.well-known/openid-configuration` answered.
  ///   - issuer: the one configured; another in the document is a provider that speaks for somebody else.
  /// - Returns: nil for a document that is not one, is too large, or names an address without TLS.
  package init?(document: Data, issuer: String) {
    guard document.count <= Self.byteLimit, let read: Document = decodeJSON(document), read.issuer == issuer,
      let authorization = Self.secure(read.authorization), let token = Self.secure(read.token),
      let keys = Self.secure(read.keys), Self.secure(issuer) != nil
    else { return nil }
    self.issuer = issuer
    authorizationEndpoint = authorization
    tokenEndpoint = token
    keysAddress = keys
    // The header is what counts where nothing is said (OpenID Connect Discovery 1.0 §3).
    let methods = read.methods ?? []
    takesSecretInBody = methods.contains("client_secret_post") && !methods.contains("client_secret_basic")
  }

  /// Plain HTTP is for a provider on this machine itself, which is how it is tried out.
  private static func secure(_ text: String) -> URL? {
    guard text.utf8.count <= 2_048, let url = URL(string: text), let host = url.host(), !host.isEmpty else {
      return nil
    }
    let isHere = ["127.0.0.1", "localhost", "::1"].contains(host)
    return url.scheme == "https" || (url.scheme == "http" && isHere) ? url : nil
  }
}

/// One sign-in that is under way: what has to come back with the code (RFC 6749 §4.1, RFC 7636).
package struct OpenIDAttempt: Sendable, Equatable {
  package let state: String
  package let nonce: String
  /// Proves that whoever redeems the code began the sign-in.
  package let verifier: String

  package init() {
    state = Base64URL.encode(Data(secureRandomBytes(32)))
    nonce = Base64URL.encode(Data(secureRandomBytes(32)))
    verifier = Base64URL.encode(Data(secureRandomBytes(32)))
  }

  /// `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
  package static func challenge(of verifier: String) -> String {
    Base64URL.encode(Data(SHA256.hash(data: Array(verifier.utf8))))
  }

  /// Where the browser is sent.
  package func address(
    at provider: OpenIDProvider, client: String, redirect: String, scopes: String = "openid"
  ) -> URL? {
    var components = URLComponents(url: provider.authorizationEndpoint, resolvingAgainstBaseURL: false)
    let own = components?.queryItems ?? []
    components?.queryItems =
      own + [
        URLQueryItem(name: "response_type", value: "code"), URLQueryItem(name: "client_id", value: client),
        URLQueryItem(name: "redirect_uri", value: redirect), URLQueryItem(name: "scope", value: scopes),
        URLQueryItem(name: "state", value: state), URLQueryItem(name: "nonce", value: nonce),
        URLQueryItem(name: "code_challenge", value: Self.challenge(of: verifier)),
        URLQueryItem(name: "code_challenge_method", value: "S256"),
      ]
    return components?.url
  }
}

/// The keys of a provider, as fetched; and when they may be fetched again.
package struct OpenIDKeys: Sendable {
  /// Seconds that keys serve, and that a missing one keeps from asking again.
  package static let age: Int64 = 3_600
  package static let pause: Int64 = 60
  private static let limit = 100
  /// Characters of an RSA modulus: 8,192 bits. A larger one would cost seconds a token.
  private static let modulusLimit = 1_400

  private struct Document: Decodable {
    var keys: [Entry]
  }

  /// A key of a kind not known here is no reason to refuse the others.
  private struct Entry: Decodable {
    var key: JWK?
    init(from decoder: any Decoder) throws { key = try? JWK(from: decoder) }
  }

  private var keys: [JWK] = []
  private var fetchedAt: Int64?

  package init() {}

  /// Whether the document should be fetched before a token of key `kid` is checked, `now` in UTC milliseconds.
  package func wantsFetch(for kid: String?, now: Int64) -> Bool {
    guard let fetchedAt, now >= fetchedAt else { return true }
    let age = (now - fetchedAt) / 1_000
    return age >= Self.age || (key(kid) == nil && age >= Self.pause)
  }

  /// Takes a fetched document over; one that is no key set, or too large, leaves the keys and counts as an attempt.
  package mutating func take(_ document: Data, now: Int64) {
    fetchedAt = now
    guard document.count <= OpenIDProvider.byteLimit, let read: Document = decodeJSON(document),
      read.keys.count <= Self.limit
    else { return }
    keys = read.keys.compactMap(\.key).filter { ($0.modulus?.utf8.count ?? 0) <= Self.modulusLimit }
  }

  /// The key of that name; without a name the only one there is.
  func key(_ kid: String?) -> JWK? {
    guard let kid else { return keys.count == 1 ? keys[0] : nil }
    return keys.first { $0.keyIdentifier?.string == kid }
  }
}

/// Who somebody is at a provider.
package struct OpenIDIdentity: Sendable, Equatable {
  package let issuer: String
  package let subject: String
}

/// Why an id_token counts for nothing.
package enum OpenIDRefusal: String, Error, Sendable, CaseIterable {
  case malformed, algorithm, unknownKey, signature, issuer, audience, expired, nonce
}

package enum OpenIDToken {
  package static let byteLimit = 16_384
  /// Seconds that clocks may differ.
  package static let leeway: Int64 = 60

  /// The algorithms taken, each with the kind of key it goes with: never a shared secret, never none.
  private static let algorithms: [String: JWK.KeyType] = [
    "RS256": .rsa, "RS384": .rsa, "RS512": .rsa, "PS256": .rsa, "PS384": .rsa, "PS512": .rsa, "ES256": .ecdsa,
    "ES384": .ecdsa, "ES512": .ecdsa, "EdDSA": .octetKeyPair,
  ]

  private struct Header: Decodable {
    var alg: String
    var kid: String?
    var crit: [String]?
  }

  private struct Claims: JWTPayload {
    var iss: String
    var sub: String
    var aud: Audience
    var exp: Double
    var nonce: String?
    var azp: String?
    func verify(using algorithm: some JWTAlgorithm) async throws {}
  }

  /// One text or several (RFC 7519 §4.1.3).
  private struct Audience: Codable {
    var names: [String]
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      names = try (try? container.decode([String].self)) ?? [container.decode(String.self)]
    }
    func encode(to encoder: any Encoder) throws { try names.encode(to: encoder) }
  }

  /// The key that a token names; nil for none, or for what is no token.
  package static func keyName(of token: String) -> String? { try? header(of: token).kid }

  private static func header(of token: String) throws(OpenIDRefusal) -> Header {
    guard token.utf8.count <= byteLimit else { throw .malformed }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count <= 1_024, let head = Base64URL.decode(Array(parts[0])),
      let body = Base64URL.decode(Array(parts[1])), let header: Header = decodeJSON(head),
      header.crit == nil, body.count(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }) <= 256
    else { throw .malformed }
    return header
  }

  /// Who an id_token says has signed in (OpenID Connect Core 1.0 §3.1.3.7).
  ///
  /// `now`: UTC milliseconds. Cost: one signature at most.
  package static func check(
    _ token: String, provider: OpenIDProvider, keys: OpenIDKeys, client: String, nonce: String, now: Int64
  ) async throws(OpenIDRefusal) -> OpenIDIdentity {
    let header = try header(of: token)
    guard let kind = algorithms[header.alg] else { throw .algorithm }
    guard let key = keys.key(header.kid) else { throw .unknownKey }
    // The key says what it is for; a token cannot turn a public key into something else.
    guard key.keyType == kind, key.algorithm == nil || key.algorithm?.rawValue == header.alg else { throw .algorithm }
    let claims: Claims
    do {
      var named = key
      named.keyIdentifier = JWKIdentifier(string: header.kid ?? "only")
      let collection = try await JWTKeyCollection().add(jwk: named)
      claims = try await collection.verify(token, as: Claims.self)
    } catch { throw .signature }
    guard claims.iss == provider.issuer, (1...255).contains(claims.sub.utf8.count) else { throw .issuer }
    guard claims.aud.names.contains(client), claims.azp == nil || claims.azp == client,
      claims.aud.names.count == 1 || claims.azp == client
    else { throw .audience }
    guard claims.exp > Double(now / 1_000 - leeway) else { throw .expired }
    guard claims.nonce == nonce, !nonce.isEmpty else { throw .nonce }
    return OpenIDIdentity(issuer: claims.iss, subject: claims.sub)
  }
}
