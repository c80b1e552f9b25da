// Goal: a sign-in by an identity provider is the one that was begun, once, in time, by a key of the provider's; what
// the provider does wrong is told and lets nobody in. Method: a provider of the test's own (P-256) behind the function
// that fetches, and a clock that the test sets.
import ControlPlane
import Crypto
import Foundation
import Synchronization
import Testing

@Suite struct OpenIDDeskTests {
  private static let issuer = "https://id.example.cn"

  /// What the provider answers, and what it was asked.
  private final class Provider: Sendable {
    struct State {
      var now: Int64 = 1_800_000_000_000
      var key = P256.Signing.PrivateKey()
      var keyName = "e1"
      var nonce = ""
      var claims: [String: String] = [:]
      var asked: [OutgoingRequest] = []
      var failing: Set<String> = []
      var methods = #"["client_secret_basic"]"#
      var named = OpenIDDeskTests.issuer
    }
    let state = Mutex(State())

    var now: Int64 { state.withLock { $0.now } }
    func advance(seconds: Int64) { state.withLock { $0.now += seconds * 1_000 } }

    func answer(_ request: OutgoingRequest) throws -> Data {
      try state.withLock { state in
        state.asked.append(request)
        let path = URL(string: request.url)?.path() ?? ""
        if state.failing.contains(path) { throw OutgoingError.unreachable }
        switch path {
        case "/.well-known/openid-configuration":
          let base = OpenIDDeskTests.issuer
          return Data(
            (#"{"issuer":"\#(state.named)","authorization_endpoint":"\#(base)/auth","token_endpoint":"\#(base)/token","#
              + #""jwks_uri":"\#(base)/keys","token_endpoint_auth_methods_supported":\#(state.methods)}"#).utf8)
        case "/keys":
          let point = state.key.publicKey.rawRepresentation
          return Data(
            (#"{"keys":[{"kty":"EC","crv":"P-256","kid":"\#(state.keyName)","x":"\#(Self.encode(point.prefix(32)))","#
              + #""y":"\#(Self.encode(point.suffix(32)))"}]}"#).utf8)
        case "/token":
          if String(decoding: request.body?.data ?? Data(), as: UTF8.self).contains("code=wrong") {
            throw OutgoingError.refused(status: 400)
          }
          return Data(#"{"access_token":"x","id_token":"\#(try Self.token(state))"}"#.utf8)
        default: throw OutgoingError.refused(status: 404)
        }
      }
    }

    private static func token(_ state: State) throws -> String {
      var claims = [
        "iss": "\"\(OpenIDDeskTests.issuer)\"", "sub": "\"u7\"", "aud": "\"tongke\"",
        "exp": "\(state.now / 1_000 + 60)", "nonce": "\"\(state.nonce)\"",
      ]
      claims.merge(state.claims) { $1 }
      let payload = "{" + claims.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
      let header = #"{"alg":"ES256","kid":"\#(state.keyName)"}"#
      let signed = encode(Data(header.utf8)) + "." + encode(Data(payload.utf8))
      return signed + "." + encode(try state.key.signature(for: Data(signed.utf8)).rawRepresentation)
    }

    static func encode(_ data: some DataProtocol) -> String {
      Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
  }

  private let provider = Provider()
  private let desk: OpenIDDesk

  init() {
    let provider = provider
    desk = OpenIDDesk(
      settings: OpenIDDesk.Settings(
        issuer: Self.issuer, client: "tongke", secret: "s+ecret", scopes: "openid profile",
        redirect: "https://relay.example/sign-in"),
      clock: { provider.now }, fetch: { try provider.answer($0) })
  }

  private func values(_ begun: OpenIDDesk.Begun) -> [String: String] {
    let items = URLComponents(url: begun.address, resolvingAgainstBaseURL: false)?.queryItems ?? []
    return Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
  }

  /// Begins, and has the provider take the nonce as an honest one does.
  private func begin() async throws -> (attempt: String, state: String) {
    let begun = try await desk.begin(from: "192.0.2.7")
    let values = values(begun)
    provider.state.withLock { $0.nonce = values["nonce"] ?? "" }
    return (begun.attempt, values["state"] ?? "")
  }

  private func finish(_ begun: (attempt: String, state: String), code: String = "c") async throws -> OpenIDIdentity {
    try await desk.finish(attempt: begun.attempt, state: begun.state, code: code)
  }

  private func problem(_ body: () async throws -> Void) async -> Problem? {
    do { try await body() } catch { return error as? Problem }
    return nil
  }

  @Test func anHonestSignInSaysWhoItIs() async throws {
    let begun = try await desk.begin(from: "192.0.2.7")
    let values = values(begun)
    #expect(values["scope"] == "openid profile" && values["redirect_uri"] == "https://relay.example/sign-in")
    #expect(!begun.address.absoluteString.contains(begun.attempt), "what the browser keeps travels nowhere")
    provider.state.withLock { $0.nonce = values["nonce"] ?? "" }
    let identity = try await desk.finish(attempt: begun.attempt, state: values["state"] ?? "", code: "c d&e")
    #expect(identity.issuer == Self.issuer && identity.subject == "u7")
    let asked = provider.state.withLock { $0.asked }
    let sent = try #require(asked.first { $0.url.hasSuffix("/token") })
    let form = String(decoding: try #require(sent.body).data, as: UTF8.self)
    let fields = Dictionary(
      form.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts[1]).removingPercentEncoding ?? "")
      }, uniquingKeysWith: { $1 })
    #expect(fields["code"] == "c d&e" && fields["grant_type"] == "authorization_code")
    #expect(OpenIDAttempt.challenge(of: fields["code_verifier"] ?? "") == values["code_challenge"])
    #expect(sent.authorization == "Basic " + Data("tongke:s%2Becret".utf8).base64EncodedString())
    #expect(fields["client_secret"] == nil)
    _ = try await finish(try await begin())
    #expect(provider.state.withLock { $0.asked.count(where: { $0.url.hasSuffix("/keys") }) } == 1, "keys are kept")
  }

  @Test func theSecretGoesWhereTheProviderTakesIt() async throws {
    provider.state.withLock { $0.methods = #"["client_secret_post"]"# }
    _ = try await finish(try await begin())
    let sent = try #require(provider.state.withLock { $0.asked }.first { $0.url.hasSuffix("/token") })
    #expect(sent.authorization == nil)
    let form = String(decoding: try #require(sent.body).data, as: UTF8.self)
    #expect(form.contains("client_secret=s%2Becret"))
  }

  @Test func anAttemptIsTriedOnceInTimeWithItsOwnState() async throws {
    let first = try await begin()
    _ = try await finish(first)
    #expect(await problem { _ = try await finish(first) }?.kind == .staleSignIn, "replayed")
    let second = try await begin()
    let forged = (attempt: second.attempt, state: first.state)
    #expect(await problem { _ = try await finish(forged) }?.kind == .staleSignIn, "another's state")
    #expect(await problem { _ = try await finish(second) }?.kind == .staleSignIn, "a wrong state uses it up")
    let third = try await begin()
    provider.advance(seconds: 600)
    #expect(await problem { _ = try await finish(third) }?.kind == .staleSignIn, "ten minutes later")
    for hostile in ["", String(repeating: "c", count: 5_000)] {
      let begun = try await begin()
      #expect(await problem { _ = try await finish(begun, code: hostile) }?.kind == .staleSignIn)
    }
    let fourth = try await begin()
    #expect(await problem { _ = try await finish(fourth, code: "wrong") }?.arguments["check"] == "code")
  }

  @Test(arguments: [
    ("nonce", #""another""#, "nonce"), ("aud", #""other""#, "audience"), ("iss", #""https://evil.example""#, "issuer"),
    ("exp", "1799999939", "expired"), ("sub", "\"\"", "issuer"),
  ])
  func aTokenThatIsWrongLetsNobodyIn(_ claim: String, _ value: String, _ check: String) async throws {
    let begun = try await begin()
    provider.state.withLock { $0.claims = [claim: value] }
    let problem = await problem { _ = try await finish(begun) }
    #expect(problem?.kind == .providerRefused && problem?.arguments["check"] == check)
  }

  @Test func keysAreFetchedAgainWhenTheProviderChangesThem() async throws {
    _ = try await finish(try await begin())
    let old = provider.state.withLock { state in
      defer { (state.key, state.keyName) = (P256.Signing.PrivateKey(), "e2") }
      return state.key
    }
    provider.advance(seconds: 60)
    #expect(try await finish(try await begin()).subject == "u7", "signed by the new one")
    provider.state.withLock { $0.key = old }
    provider.advance(seconds: 10)
    let begun = try await begin()
    #expect(await problem { _ = try await finish(begun) }?.arguments["check"] == "signature", "the old one is none")
  }

  @Test(arguments: ["/.well-known/openid-configuration", "/token", "/keys"])
  func whatCannotBeReachedIsSaidSo(_ path: String) async throws {
    provider.state.withLock { $0.failing = [path] }
    let problem = await problem { _ = try await finish(try await begin()) }
    #expect(problem?.kind == .providerUnreachable && problem?.retryAfter != nil)
    provider.state.withLock { $0.failing = [] }
    #expect(try await finish(try await begin()).subject == "u7", "and nothing of it stays")
  }

  @Test func anotherIssuersDescriptionIsNone() async {
    provider.state.withLock { $0.named = "https://evil.example" }
    #expect(await problem { _ = try await desk.begin(from: "192.0.2.7") }?.kind == .providerUnreachable)
  }

  @Test func attemptsOfOneAddressHaveAnEnd() async throws {
    for _ in 0..<OpenIDDesk.attemptsPerAddress { _ = try await desk.begin(from: "192.0.2.9") }
    #expect(await problem { _ = try await desk.begin(from: "192.0.2.9") }?.kind == .tooFast)
    _ = try await desk.begin(from: "192.0.2.10")
    provider.advance(seconds: 600)
    _ = try await desk.begin(from: "192.0.2.9")
  }
}
