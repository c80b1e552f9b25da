// Goal: only a token of ours, whole, in time and not taken back, is worth anything, and nothing hostile traps.
// Method: genuine tokens, each wrong in one way; tokens made outside with keys that the test holds.
import Classroom
import ControlPlane
import Crypto
import Foundation
import Ledger
import Testing

@Suite struct AccessTokenTests {
  private let folder: AccessFolder
  private var tokens: TokenIssuer { folder.tokens }

  init() throws { folder = try AccessFolder() }

  private func problem(_ token: String) -> Problem.Kind? {
    refusal { _ = try tokens.check(token, now: folder.now) }
  }

  @Test func claimsReadBack() throws {
    var claims = folder.claims()
    claims.sessionEnds = folder.now / 1_000 + 9
    claims.hasSecondFactor = true
    claims.session = Identifier(high: 5, low: 5)
    #expect(try tokens.check(try tokens.sign(claims), now: folder.now) == claims)
    let seat = Seat(id: Identifier(high: 6, low: 1), lesson: Identifier(high: 6, low: 2), role: .lead)
    let ofSeat = AccessClaims(seat, expires: folder.now / 1_000 + 60, now: folder.now)
    let read = try tokens.check(authorization: "bearer " + tokens.sign(ofSeat), now: folder.now)
    #expect(read.lesson == seat.lesson && read.seat == seat.id && read.seatRole == .lead)
    #expect(read.grants == [Grant(.leadTeacher, .lesson(seat.lesson))])
  }

  /// The roles of links: what each seat's token may.
  @Test func seatsHoldOneRoleOfTheirLessonAlone() {
    let expected: [Seat.Role: [Role]] = [
      .lead: [.leadTeacher], .receiver: [.localTeacher], .observer: [.researcher], .operator: [],
    ]
    for role in Seat.Role.allCases {
      let seat = Seat(id: Identifier(high: 6, low: 1), lesson: Identifier(high: 6, low: 2), role: role)
      let claims = AccessClaims(seat, expires: 10, now: 0)
      #expect(claims.grants.map(\.role) == expected[role])
      #expect(claims.grants.allSatisfy { $0.scope == .lesson(seat.lesson) })
    }
  }

  @Test func itIsAJSONWebToken() throws {
    let token = try tokens.sign(folder.claims())
    let parts = token.split(separator: ".")
    #expect(parts.count == 3)
    func object(_ part: Substring) throws -> [String: Any] {
      let plain = part.replacing("-", with: "+").replacing("_", with: "/")
      let padding = String(repeating: "=", count: (4 - plain.count % 4) % 4)
      let data = try #require(Data(base64Encoded: plain + padding))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    let header = try object(parts[0])
    #expect(header["alg"] as? String == "EdDSA" && header["typ"] as? String == "JWT")
    #expect(tokens.keyNames == [header["kid"] as? String ?? ""])
    let payload = try object(parts[1])
    #expect(payload["iss"] as? String == "tongke" && payload["aud"] as? String == "tongke")
    #expect(Identifier(payload["jti"] as? String ?? "") != nil && payload["sub"] as? String == "\(folder.person)")
    #expect(payload["exp"] is Int && payload["iat"] is Int)
    #expect(!"\(payload)".contains("中心小学"), "names stand in no token")
  }

  @Test func missingExpiredAndDamaged() throws {
    func field(_ authorization: String?) -> Problem.Kind? {
      refusal { _ = try tokens.check(authorization: authorization, now: folder.now) }
    }
    #expect(field(nil) == .noToken)
    #expect(field("Basic YTpi") == .noToken)
    #expect(field("Bearer") == .noToken)
    let token = try tokens.sign(folder.claims(seconds: 60))
    #expect(problem(token) == nil)
    for index in token.indices where token.distance(from: token.startIndex, to: index) % 7 == 0 {
      var damaged = token
      damaged.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
      #expect(problem(damaged) == .badToken, "character \(token.distance(from: token.startIndex, to: index))")
    }
    #expect(problem(token + "=") == .badToken && problem(String(token.dropLast())) == .badToken)
    folder.advance(seconds: 59)
    #expect(problem(token) == nil)
    folder.advance(seconds: 1)
    #expect(problem(token) == .expiredToken)
  }

  // MARK: Made outside

  private func payload(expires: Int64? = nil, issuer: String = "tongke", audience: String = "tongke") -> String {
    let id = Identifier(high: 0x0190_0000_0000_7000, low: 9)
    let seconds = folder.now / 1_000
    return """
      {"iss":"\(issuer)","aud":"\(audience)","sub":"\(folder.person)","jti":"\(id)","iat":\(seconds),
      "exp":\(expires ?? seconds + 60),"grants":[{"role":"systemAdmin","scope":"city"}]}
      """
  }

  @Test func algorithmAndKeyAreOursToSay() throws {
    let stored = try #require(try folder.store.tokenKeys().last)
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: stored.value)
    let kid = stored.id
    #expect(problem(forge(header: #"{"alg":"EdDSA","kid":"\#(kid)"}"#, payload: payload(), key: key)) == nil)
    // Each of these is signed with the right key, and says something else.
    let headers = [
      #"{"alg":"none","kid":"\#(kid)"}"#, #"{"alg":"HS256","kid":"\#(kid)"}"#, #"{"alg":"ES256","kid":"\#(kid)"}"#,
      #"{"alg":"eddsa","kid":"\#(kid)"}"#, #"{"kid":"\#(kid)"}"#, #"{"alg":"EdDSA"}"#,
      #"{"alg":"EdDSA","kid":"another"}"#, #"{"alg":"EdDSA","kid":""}"#, #"{"alg":"EdDSA","kid":null}"#,
      #"{"alg":"EdDSA","kid":"\#(kid)","typ":"at+jwt"}"#, #"{"alg":"EdDSA","kid":"\#(kid)","crit":["x"],"x":1}"#,
      #"{"alg":"EdDSA","kid":"\#(kid)","x":1e300"#, "[]", "7", "", String(repeating: "[", count: 600),
    ]
    for header in headers {
      #expect(problem(forge(header: header, payload: payload(), key: key)) == .badToken, "\(header)")
    }
    // Without a signature, and with one of another key or by the public key as a shared secret.
    #expect(problem(forge(header: #"{"alg":"none"}"#, payload: payload())) == .badToken)
    let header = #"{"alg":"EdDSA","kid":"\#(kid)"}"#
    #expect(problem(forge(header: header, payload: payload())) == .badToken)
    #expect(problem(forge(header: header, payload: payload(), key: Curve25519.Signing.PrivateKey())) == .badToken)
    #expect(
      problem(forge(header: header, payload: payload(), signature: String(repeating: "A", count: 86))) == .badToken)
  }

  @Test func whatIsSignedHasToBeForUs() throws {
    let stored = try #require(try folder.store.tokenKeys().last)
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: stored.value)
    let header = #"{"alg":"EdDSA","kid":"\#(stored.id)"}"#
    func problem(_ payload: String) -> Problem.Kind? {
      self.problem(forge(header: header, payload: payload, key: key))
    }
    #expect(problem(payload(issuer: "other")) == .badToken)
    #expect(problem(payload(audience: "other")) == .badToken)
    #expect(problem(payload(expires: folder.now / 1_000 + AccessClaims.longestLife + 1)) == .badToken)
    #expect(problem(payload(expires: folder.now / 1_000 - 1)) == .expiredToken)
    #expect(problem(payload(expires: .max)) == .badToken)
    for hostile in ["{}", "[]", "", "null", String(repeating: "[", count: 513), payload() + "x"] {
      #expect(problem(hostile) == .badToken)
    }
  }

  @Test func sizesAreBounded() throws {
    for count in [4_097, 100_000, 5_000_000] {
      #expect(problem(String(repeating: "a", count: count)) == .badToken)
      #expect(problem(String(repeating: ".", count: count)) == .badToken)
    }
    var claims = folder.claims()
    claims.grants = (0..<16).map { _ in Grant(.countyCoordinator, .county(String(repeating: "县", count: 200))) }
    #expect(refusal { _ = try tokens.sign(claims) } == .tooLarge)
    // Nothing lives longer than the longest life, whatever is asked.
    let long = folder.claims(seconds: 10_000_000_000)
    #expect(long.expires - long.issuedAt == AccessClaims.longestLife)
    #expect(problem(try tokens.sign(long)) == nil)
  }

  // MARK: Keys

  @Test func aRotatedKeyVerifiesUntilItsTokensHaveRunOut() throws {
    let old = try tokens.sign(folder.claims(seconds: 390 * 86_400))
    folder.advance(seconds: 86_400)
    try tokens.rotate(in: folder.store)
    #expect(tokens.keyNames.count == 2 && problem(old) == nil)
    let new = try tokens.sign(folder.claims(seconds: 399 * 86_400))
    #expect(new.prefix(60) != old.prefix(60), "another kid")
    // The first key signed until the day of the first rotation, so it stays 400 days from then.
    folder.advance(seconds: 200 * 86_400)
    try tokens.rotate(in: folder.store)
    #expect(tokens.keyNames.count == 3)
    folder.advance(seconds: 198 * 86_400)
    #expect(problem(new) == nil)
    try tokens.rotate(in: folder.store)
    #expect(tokens.keyNames.count == 4)
    folder.advance(seconds: 3 * 86_400)
    try tokens.rotate(in: folder.store)
    #expect(tokens.keyNames.count == 4, "the first is gone, a new one came")
    #expect(problem(old) == .badToken)
  }

  @Test func aLeakedKeyEndsEveryToken() throws {
    let token = try tokens.sign(folder.claims())
    try tokens.rotate(in: folder.store, keepingOld: false)
    #expect(tokens.keyNames.count == 1 && problem(token) == .badToken)
    #expect(problem(try tokens.sign(folder.claims())) == nil)
  }

  @Test func keysSurviveARestartAndReachOtherProcesses() throws {
    let token = try tokens.sign(folder.claims())
    let other = try TokenIssuer(store: folder.store) { [folder] in folder.now }
    #expect(try other.check(token, now: folder.now).subject == folder.person)
    try other.rotate(in: folder.store)
    let new = try other.sign(folder.claims())
    #expect(problem(new) == .badToken, "not heard of yet")
    try tokens.reload(from: folder.store)
    #expect(problem(new) == nil && problem(token) == nil)
  }

  // MARK: Revocation

  @Test func revokedTokensAndSubjects() throws {
    let desk = folder.desk()
    let first = folder.claims()
    let second = folder.claims()
    let texts = try [first, second].map { try tokens.sign($0) }
    try desk.revoke(token: first.id)
    #expect(problem(texts[0]) == .revokedToken && problem(texts[1]) == nil)
    // A token of a session goes with the session's first.
    var later = folder.claims()
    later.session = first.id
    #expect(problem(try tokens.sign(later)) == .revokedToken)
    folder.advance(seconds: 1)
    try desk.revoke(subject: folder.person)
    #expect(problem(texts[1]) == .revokedToken)
    folder.advance(seconds: 1)
    #expect(problem(try tokens.sign(folder.claims())) == nil, "what is made afterwards counts")
    let other = try TokenIssuer(store: folder.store) { [folder] in folder.now }
    #expect(refusal { _ = try other.check(texts[1], now: folder.now) } == .revokedToken, "also after a restart")
  }
}
