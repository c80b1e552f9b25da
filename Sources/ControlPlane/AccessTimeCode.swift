import Crypto
import Foundation

/// Time-based one-time passwords (RFC 6238): HMAC-SHA-1, steps of 30 s, 6 digits; what every authenticator app makes.
package enum TimeCode {
  package static let stepSeconds: Int64 = 30
  /// Steps before and after the present one that are taken, for clocks that differ.
  package static let drift: Int64 = 1
  package static let secretByteCount = 20

  /// The time step of a UTC millisecond since 1970.
  package static func step(at now: Int64) -> Int64 { now / 1_000 / stepSeconds }

  /// The code of a step, `digits` (6…8) of them (RFC 4226 §5.3).
  package static func code(secret: [UInt8], step: Int64, digits: Int = 6) -> String {
    let message = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Array($0) }
    let hash = Array(
      HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: secret)))
    let offset = Int(hash[19] & 0xf)
    let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    let modulus: UInt32 = digits >= 8 ? 100_000_000 : digits == 7 ? 10_000_000 : 1_000_000
    let text = String(number % modulus)
    return String(repeating: "0", count: max(0, min(max(digits, 6), 8) - text.count)) + text
  }

  /// The step that a code is of, when it is a right one later than `last`; each is compared in constant time.
  package static func matchingStep(_ code: String, secret: [UInt8], now: Int64, after last: Int64) -> Int64? {
    guard code.utf8.count == 6 else { return nil }
    let present = step(at: now)
    var found: Int64?
    for step in present - drift...present + drift where step > last {
      var difference: UInt8 = 0
      for (mine, theirs) in zip(self.code(secret: secret, step: step).utf8, code.utf8) { difference |= mine ^ theirs }
      if difference == 0, found == nil { found = step }
    }
    return found
  }

  /// The secret as apps take it: base32 without padding (RFC 4648 §6).
  package static func base32(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    var text: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    for byte in bytes {
      buffer = buffer << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
      }
      buffer &= 0xff
    }
    if bits > 0 { text.append(alphabet[Int(buffer << UInt32(5 - bits) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// What a QR code for an authenticator app holds.
  package static func address(secret: [UInt8], account: String, issuer: String = "Tongke") -> String {
    var components = URLComponents()
    components.scheme = "otpauth"
    components.host = "totp"
    components.path = "/\(issuer):\(account)"
    components.queryItems = [
      URLQueryItem(name: "secret", value: base32(secret)), URLQueryItem(name: "issuer", value: issuer),
    ]
    return components.string ?? ""
  }
}
