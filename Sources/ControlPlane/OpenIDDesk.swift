import Crypto
package import Foundation

/// Signs people in by an identity provider: authorization code with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636).
///
/// What it knows of the provider is kept for an hour; sign-ins that are under way are kept in memory for ten minutes,
/// each for one try. Requests go out one for each sign-in, bounded in time and size by `fetch`.
package actor OpenIDDesk {
  /// How the relay is known at the provider.
  package struct Settings: Sendable, Equatable {
    package var issuer: String
    package var client: String
    /// Nil for a public client.
    package var secret: String?
    /// Separated by spaces.
    package var scopes: String
    /// Where the provider sends people back to.
    package var redirect: String

    package init(issuer: String, client: String, secret: String?, scopes: String = "openid", redirect: String) {
      self.issuer = issuer
      self.client = client
      self.secret = secret
      self.scopes = scopes
      self.redirect = redirect
    }
  }

  /// Where a browser is sent, and the secret by which it goes on when it is back; the secret is in no address.
  package struct Begun: Sendable {
    package var address: URL
    package var attempt: String
  }

  private struct Attempt {
    var values: OpenIDAttempt
    var address: String
    var begun: Int64
  }

  package static let attemptMilliseconds: Int64 = 600_000
  package static let attemptLimit = 10_000
  /// Sign-ins under way of one address; a school behind one address has many hands.
  package static let attemptsPerAddress = 200
  /// Milliseconds that the provider's description serves.
  static let providerAge: Int64 = 3_600_000
  private static let codeLimit = 4_096

  private let settings: Settings
  private let clock: @Sendable () -> Int64
  private let fetch: OutgoingFetch
  private var provider: (value: OpenIDProvider, readAt: Int64)?
  private var keys = OpenIDKeys()
  private var attempts: [String: Attempt] = [:]

  package init(settings: Settings, clock: @escaping @Sendable () -> Int64, fetch: @escaping OutgoingFetch) {
    self.settings = settings
    self.clock = clock
    self.fetch = fetch
  }

  // MARK: Steps

  /// Begins a sign-in from a client's address.
  /// - Throws: `tooFast` past the limits, `providerUnreachable`.
  package func begin(from address: String) async throws -> Begun {
    try makeRoom(for: address)
    let provider = try await described()
    // Others have begun while the provider answered.
    try makeRoom(for: address)
    let values = OpenIDAttempt()
    guard
      let target = values.address(
        at: provider, client: settings.client, redirect: settings.redirect, scopes: settings.scopes)
    else { throw Problem(.providerUnreachable, retryAfter: 60) }
    // What the browser keeps is none of the values that travel in addresses.
    let name = OpenIDAttempt().verifier
    attempts[name] = Attempt(values: values, address: address, begun: clock())
    return Begun(address: target, attempt: name)
  }

  private func makeRoom(for address: String) throws {
    let now = clock()
    if attempts.count >= Self.attemptsPerAddress {
      attempts = attempts.filter { (0..<Self.attemptMilliseconds).contains(now - $0.value.begun) }
    }
    guard attempts.count < Self.attemptLimit,
      attempts.values.count(where: { $0.address == address }) < Self.attemptsPerAddress
    else { throw Problem(.tooFast, retryAfter: 60) }
  }

  /// Ends a sign-in with what the provider sent the browser back with, and says who it is.
  /// - Throws: `staleSignIn` for one that is not under way, or was tried before; `providerUnreachable`;
  ///   `providerRefused` with the check that failed.
  package func finish(attempt name: String, state: String, code: String) async throws -> OpenIDIdentity {
    guard let attempt = attempts.removeValue(forKey: name),
      (0..<Self.attemptMilliseconds).contains(clock() - attempt.begun), state == attempt.values.state,
      (1...Self.codeLimit).contains(code.utf8.count)
    else { throw Problem(.staleSignIn) }
    let provider = try await described()
    let token = try await redeem(code, attempt.values, at: provider)
    if keys.wantsFetch(for: OpenIDToken.keyName(of: token), now: clock()) {
      let document = try await reaching { try await fetch(OutgoingRequest(url: provider.keysAddress.absoluteString)) }
      keys.take(document, now: clock())
    }
    do throws(OpenIDRefusal) {
      return try await OpenIDToken.check(
        token, provider: provider, keys: keys, client: settings.client, nonce: attempt.values.nonce, now: clock())
    } catch { throw Problem(.providerRefused, arguments: ["check": error.rawValue]) }
  }

  private struct TokenAnswer: Decodable {
    var token: String
    enum CodingKeys: String, CodingKey { case token = "id_token" }
  }

  private func redeem(_ code: String, _ attempt: OpenIDAttempt, at provider: OpenIDProvider) async throws -> String {
    var fields = [
      ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", settings.redirect),
      ("client_id", settings.client), ("code_verifier", attempt.verifier),
    ]
    var authorization: String?
    if let secret = settings.secret {
      if provider.takesSecretInBody {
        fields.append(("client_secret", secret))
      } else {
        // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
        let pair = FormText.encoded(settings.client) + ":" + FormText.encoded(secret)
        authorization = "Basic " + Data(pair.utf8).base64EncodedString()
      }
    }
    let data = Data(FormText.text(fields).utf8)
    let answer: Data
    do {
      answer = try await fetch(
        OutgoingRequest(
          url: provider.tokenEndpoint.absoluteString, body: ("application/x-www-form-urlencoded", data),
          authorization: authorization))
    } catch OutgoingError.refused(let status) where (400..<500).contains(status) {
      // A code that was made up, or is another's.
      throw Problem(.providerRefused, arguments: ["check": "code"])
    } catch { throw Problem(.providerUnreachable, retryAfter: 30) }
    guard let read: TokenAnswer = decodeJSON(answer) else {
      throw Problem(.providerRefused, arguments: ["check": OpenIDRefusal.malformed.rawValue])
    }
    return read.token
  }

  // MARK: The provider

  private func described() async throws -> OpenIDProvider {
    if let provider, (0..<Self.providerAge).contains(clock() - provider.readAt) { return provider.value }
    let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
    let document = try await reaching {
      try await fetch(OutgoingRequest(url: base + "/.well-known/openid-configuration"))
    }
    guard let read = OpenIDProvider(document: document, issuer: settings.issuer) else {
      throw Problem(.providerUnreachable, retryAfter: 60)
    }
    provider = (read, clock())
    return read
  }

  private func reaching(_ body: () async throws -> Data) async throws -> Data {
    do { return try await body() } catch { throw Problem(.providerUnreachable, retryAfter: 30) }
  }
}

/// `application/x-www-form-urlencoded`.
enum FormText {
  static func text(_ fields: [(String, String)]) -> String {
    fields.map { encoded($0.0) + "=" + encoded($0.1) }.joined(separator: "&")
  }

  static func encoded(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    var encoded = ""
    for byte in text.utf8 {
      if plain.contains(byte) {
        encoded.unicodeScalars.append(UnicodeScalar(byte))
      } else {
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}
