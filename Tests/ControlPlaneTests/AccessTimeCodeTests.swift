// Goal: second factors are those of RFC 6238, one step of drift, each code once. Method: the RFC's vectors, and codes
// given before, at, after and again.
import ControlPlane
import Testing

@Suite struct AccessTimeCodeTests {
  private let secret = Array("12345678901234567890".utf8)

  /// RFC 6238 appendix B, SHA-1.
  @Test(
    arguments: [
      (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
      (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ] as [(Int64, String)])
  func vectors(seconds: Int64, code: String) {
    let step = TimeCode.step(at: seconds * 1_000)
    #expect(TimeCode.code(secret: secret, step: step, digits: 8) == code)
    #expect(TimeCode.code(secret: secret, step: step) == code.suffix(6), "the last six are the same")
  }

  /// RFC 4226 appendix D.
  @Test func counterVectors() {
    let expected = [
      "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
    ]
    for (count, code) in expected.enumerated() { #expect(TimeCode.code(secret: secret, step: Int64(count)) == code) }
  }

  @Test func oneStepOfDriftAndNoCodeTwice() throws {
    let now: Int64 = 1_800_000_000_000
    let step = TimeCode.step(at: now)
    for drift in -3...3 as ClosedRange<Int64> {
      let code = TimeCode.code(secret: secret, step: step + drift)
      let found = TimeCode.matchingStep(code, secret: secret, now: now, after: 0)
      #expect(found == (abs(drift) <= 1 ? step + drift : nil), "\(drift)")
      #expect(TimeCode.matchingStep(code, secret: secret, now: now, after: step + drift) == nil, "given again")
    }
    let earlier = TimeCode.code(secret: secret, step: step - 1)
    #expect(TimeCode.matchingStep(earlier, secret: secret, now: now, after: step) == nil, "older than one taken")
  }

  @Test func whatIsNoCodeIsNone() {
    let now: Int64 = 59_000
    for text in ["", "28708", "2870820", "２８７０８２", "28708a", "      ", String(repeating: "1", count: 1_000_000)] {
      #expect(TimeCode.matchingStep(text, secret: secret, now: now, after: -1) == nil, "\(text.prefix(9))")
    }
    #expect(TimeCode.matchingStep("287082", secret: secret, now: now, after: -1) == 1)
  }

  /// RFC 4648 §10, without its padding.
  @Test func base32() {
    let vectors = ["": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "foobar": "MZXW6YTBOI"]
    for (plain, text) in vectors { #expect(TimeCode.base32(Array(plain.utf8)) == text) }
    let address = TimeCode.address(secret: secret, account: "P01 管理员")
    #expect(
      address.hasPrefix("otpauth://totp/Tongke:P01%20") && address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
  }
}
