// Goal: an identity provider's token counts only when it is theirs, for us, fresh and signed by a key of theirs; what
// is fetched from it has an end. Method: a small provider of the test's own (P-256), and a token that OpenSSL signed.
import ControlPlane
import Crypto
import Foundation
import Testing

@Suite struct AccessOpenIDTests {
  private static let issuer = "https://id.example.cn"
  private static let now: Int64 = 1_800_000_000_000
  private let key = P256.Signing.PrivateKey()
  private let provider: OpenIDProvider

  init() throws { provider = try #require(Self.provider()) }

  private static func provider(
    issuer: String = issuer, named: String = issuer, token: String = "https://id.example.cn/token"
  ) -> OpenIDProvider? {
    let document =
      #"{"issuer":"\#(named)","authorization_endpoint":"https://id.example.cn/auth?a=1","#
      + #""token_endpoint":"\#(token)","jwks_uri":"https://id.example.cn/keys"}"#
    return OpenIDProvider(document: Data(document.utf8), issuer: issuer)
  }

  private func encode(_ data: some DataProtocol) -> String {
    Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// The key set, with keys of kinds that are not known among them.
  private func keys(algorithm: String = "") -> OpenIDKeys {
    let point = key.publicKey.rawRepresentation
    let more = algorithm.isEmpty ? "" : #","alg":"\#(algorithm)""#
    let document = """
      {"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"shared"},{"kty":"XX"},7,
      {"kty":"EC","crv":"P-256","kid":"e1","x":"\(encode(point.prefix(32)))","y":"\(encode(point.suffix(32)))"\(more)},
      {"kty":"RSA","kid":"r1","e":"AQAB","n":"\(Self.modulus)"}]}
      """
    var keys = OpenIDKeys()
    keys.take(Data(document.utf8), now: Self.now)
    return keys
  }

  private func token(
    header: String = #"{"alg":"ES256","kid":"e1"}"#, issuer: String = issuer, audience: String = #""tongke""#,
    expires: Int64 = now / 1_000 + 60, nonce: String = "n-1", more: String = "",
    key other: P256.Signing.PrivateKey? = nil
  ) throws -> String {
    let payload = #"{"iss":"\#(issuer)","sub":"u7","aud":\#(audience),"exp":\#(expires),"nonce":"\#(nonce)"\#(more)}"#
    let signed = encode(Data(header.utf8)) + "." + encode(Data(payload.utf8))
    return signed + "." + encode(try (other ?? key).signature(for: Data(signed.utf8)).rawRepresentation)
  }

  private func refusal(_ token: String, keys: OpenIDKeys? = nil, nonce: String = "n-1") async -> OpenIDRefusal? {
    do throws(OpenIDRefusal) {
      let identity = try await OpenIDToken.check(
        token, provider: provider, keys: keys ?? self.keys(), client: "tongke", nonce: nonce, now: Self.now)
      #expect(identity.issuer == Self.issuer && identity.subject == "u7")
      return nil
    } catch { return error }
  }

  @Test func genuineTokensCount() async throws {
    #expect(await refusal(try token()) == nil)
    #expect(await refusal(try token(), keys: keys(algorithm: "ES256")) == nil)
    #expect(await refusal(try token(audience: #"["other","tongke"]"#, more: #","azp":"tongke""#)) == nil)
    #expect(await refusal(Self.signedByOpenSSL) == nil, "RS256")
    #expect(OpenIDToken.keyName(of: Self.signedByOpenSSL) == "r1")
  }

  @Test func eachClaimIsChecked() async throws {
    #expect(await refusal(try token(issuer: "https://id.example.com")) == .issuer)
    #expect(await refusal(try token(audience: #""other""#)) == .audience)
    #expect(await refusal(try token(audience: "[]")) == .audience)
    #expect(await refusal(try token(audience: #"["other","tongke"]"#)) == .audience, "several, and for none of them")
    #expect(await refusal(try token(more: #","azp":"other""#)) == .audience)
    #expect(await refusal(try token(expires: Self.now / 1_000 - 60)) == .expired)
    #expect(await refusal(try token(expires: Self.now / 1_000 - 59)) == nil, "clocks differ a little")
    #expect(await refusal(try token(nonce: "n-2")) == .nonce)
    #expect(await refusal(try token(nonce: ""), nonce: "") == .nonce)
  }

  @Test func algorithmsAndKeysAreTheProviders() async throws {
    #expect(await refusal(try token(key: P256.Signing.PrivateKey())) == .signature)
    #expect(await refusal(try token(header: #"{"alg":"none","kid":"e1"}"#)) == .algorithm)
    #expect(await refusal(try token(header: #"{"alg":"HS256","kid":"e1"}"#)) == .algorithm)
    #expect(await refusal(try token(header: #"{"alg":"HS256","kid":"shared"}"#)) == .algorithm)
    #expect(await refusal(try token(header: #"{"alg":"RS256","kid":"e1"}"#)) == .algorithm)
    #expect(await refusal(try token(), keys: keys(algorithm: "ES384")) == .algorithm)
    #expect(await refusal(try token(header: #"{"alg":"ES256","kid":"e2"}"#)) == .unknownKey)
    #expect(await refusal(try token(header: #"{"alg":"ES256"}"#)) == .unknownKey, "several keys, none named")
    #expect(await refusal(try token(), keys: OpenIDKeys()) == .unknownKey)
    #expect(await refusal(try token(header: #"{"alg":"ES256","kid":"e1","crit":["b64"]}"#)) == .malformed)
  }

  @Test func nothingHostileTraps() async throws {
    let open = String(repeating: "[", count: 513)
    let texts = [
      "", ".", "..", "a.b.c", encode(Data(open.utf8)) + ".e30.AA", "e30." + encode(Data(open.utf8)) + ".AA",
      String(repeating: ".", count: 20_000), String(repeating: "a", count: 5_000_000), "e30.e30.",
    ]
    for text in texts { #expect(await refusal(text) == .malformed, "\(text.prefix(20))") }
    let huge = try token(expires: .max)
    #expect(await refusal(huge) == nil)
  }

  @Test func discoveryIsHeldToTheConfiguredIssuer() {
    #expect(Self.provider()?.tokenEndpoint.absoluteString == "https://id.example.cn/token")
    #expect(Self.provider(named: "https://evil.example") == nil)
    #expect(Self.provider(token: "http://id.example.cn/token") == nil, "without TLS")
    #expect(Self.provider(token: "http://127.0.0.1:9/token") != nil, "a trial on this machine")
    for hostile in ["", "[]", String(repeating: "[", count: 600), String(repeating: " ", count: 100_000)] {
      #expect(OpenIDProvider(document: Data(hostile.utf8), issuer: Self.issuer) == nil)
    }
  }

  @Test func keysAreFetchedSeldom() {
    var keys = keys()
    let now = Self.now
    #expect(OpenIDKeys().wantsFetch(for: "e1", now: now))
    #expect(!keys.wantsFetch(for: "e1", now: now + 3_599_000) && keys.wantsFetch(for: "e1", now: now + 3_600_000))
    #expect(!keys.wantsFetch(for: "new", now: now + 59_000), "made-up names do not hammer the provider")
    #expect(keys.wantsFetch(for: "new", now: now + 60_000))
    keys.take(Data("nonsense".utf8), now: now + 60_000)
    #expect(!keys.wantsFetch(for: "e1", now: now + 61_000), "what was there stays")
    keys.take(Data(repeating: UInt8(ascii: " "), count: 100_000), now: now + 62_000)
    #expect(!keys.wantsFetch(for: "e1", now: now + 63_000))
  }

  /// RFC 7636 appendix B.
  @Test func theChallengeIsThatOfTheRFC() throws {
    #expect(
      OpenIDAttempt.challenge(of: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    let attempt = OpenIDAttempt()
    #expect(attempt != OpenIDAttempt() && attempt.verifier.utf8.count == 43)
    let address = try #require(attempt.address(at: provider, client: "tongke", redirect: "https://relay/callback"))
    let items = URLComponents(url: address, resolvingAgainstBaseURL: false)?.queryItems ?? []
    let values = Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
    #expect(values["a"] == "1" && values["response_type"] == "code" && values["code_challenge_method"] == "S256")
    #expect(values["state"] == attempt.state && values["nonce"] == attempt.nonce)
    #expect(values["code_challenge"] == OpenIDAttempt.challenge(of: attempt.verifier))
    #expect(!address.absoluteString.contains(attempt.verifier))
  }

  private static let modulus =
    "jR0xMo4XIxOmJps8PFsw0XBwNmfao_aZpBm_SB4J1Gp_lrECGiEn7BS5wdT12A9qHwl8-wA4Ml_yCvqi374Daw3XDymWFKg7R-xI"
    + "D_dBfYr12ftn2Vp-Hc4sF_Q5ZqwisDgK5-KUhco5Dp0zlSZSkdSl45LyUrO5Qi4pMWGz93vqrYB-zkca9SRAfqxG_1H1bWsvo34r"
    + "JItdeT9qzB-cx5Z-oh9BfPCHmKUues3JYu5PjxRwJ6QjYL1eo4X7i_yeppJ9PrshUVIve9jLlWuZUZcSQT31Nbue6TmAKMHab3sr"
    + "M0xWIrleZEcrNz1lvpKx1xCapU8XRQTkndOwWa8vCQ"

  private static let signedByOpenSSL =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIxIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY24iLCJzdWIiOiJ1NyIsImF1ZCI6"
    + "InRvbmdrZSIsImV4cCI6MTgwMDAwMDYwMCwibm9uY2UiOiJuLTEifQ.WWe1wTxpP3Ap0PcPoZ6M9NE4FdVI65r1yuMtm5cMfK2X2"
    + "Gw5yo_Rhq4rsb09sIjL3pqkq7mB6LPfnpP7227ne5x03Wm45asF1yRlD79XbZSG8okgSINns58Z_g8vfay59_rega8RSeFGx06cA"
    + "eadlw5XyTzY4wH8L_eMguG0BpEFS59zo6bba9YWhR_JLf8eCyG9jukilSbp1VeFZF8to1CAzIL53o1xA87GEXvSUSnXbXp3oS1en"
    + "xJnICmzGuOkpSFUVOBOrOiG4wr_I2jz83yE8nFYQ5FUWeeTypzcGSarrcauppGh4g-904bMaSvoHgchlkNszA6yq3SETAm6jQ"
}
