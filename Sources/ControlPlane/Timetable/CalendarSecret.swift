package import Crypto
import Foundation

/// The secret of a link to a calendar: random, and signed, so that a guess is turned away before anything is looked up.
package struct CalendarSecret: Sendable {
  /// Bytes of chance, and of the signature behind them.
  private static let chance = 24
  private static let signature = 16
  private let key: SymmetricKey

  package init(key: SymmetricKey) { self.key = key }

  /// A new one, in the characters that a path takes; it is told once.
  package func make() -> String {
    let bytes = SymmetricKey(size: .init(bitCount: Self.chance * 8)).withUnsafeBytes { Array($0) }
    return Self.text(bytes + sign(bytes))
  }

  /// What the ledger knows a secret by, SHA-256; nil for what was not made here.
  package func hash(of text: String) -> [UInt8]? {
    guard text.utf8.count == Self.text(Array(repeating: 0, count: Self.chance + Self.signature)).utf8.count,
      let data = Data(base64Encoded: Self.padded(text)), data.count == Self.chance + Self.signature
    else { return nil }
    let bytes = Array(data)
    let expected = sign(Array(bytes.prefix(Self.chance)))
    // Every byte is looked at, wherever the first difference is.
    let difference = zip(expected, bytes.dropFirst(Self.chance)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
    guard difference == 0, Self.text(bytes) == text else { return nil }
    return Array(SHA256.hash(data: Data(text.utf8)))
  }

  private func sign(_ bytes: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key).prefix(Self.signature))
  }

  private static func text(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private static func padded(_ text: String) -> String {
    let plain = text.replacing("-", with: "+").replacing("_", with: "/")
    return plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
  }
}
