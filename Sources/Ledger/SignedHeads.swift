public import Classroom
internal import Crypto
internal import Foundation

/// Heads of days as they are lodged elsewhere, signed, so that a later rewriting of the ledger shows.
///
/// As JSON; hashes in lower-case hexadecimal, key and signature (Ed25519, RFC 8032) in Base64.
public struct SignedHeads: Codable, Hashable, Sendable {
  public struct Head: Codable, Hashable, Sendable {
    /// The day in China that the event ended.
    public var day: String
    /// Number of the day's last event.
    public var event: Int64
    public var hash: String
  }

  public var format = 1
  public var relay: Identifier
  /// UTC milliseconds.
  public var madeAt: Int64
  /// The days that are over, in the order of their events, and the latest event of all as the last one.
  public var heads: [Head]
  public var key: String
  public var signature = ""

  /// What is signed: the other fields a line each.
  private var signedBytes: [UInt8] {
    var lines = ["tongke heads \(format)", "\(relay)", String(madeAt), key]
    lines += heads.map { "\($0.day) \($0.event) \($0.hash)" }
    return Array(lines.joined(separator: "\n").utf8)
  }

  init(relay: Identifier, madeAt: Int64, heads: [Head], key: FigureKey) throws {
    self.relay = relay
    self.madeAt = madeAt
    self.heads = heads
    self.key = key.publicText
    signature = try key.sign(signedBytes)
  }

  /// Whether its own key signed it as it is.
  public var isSigned: Bool { FigureKey.isSignature(signature, of: signedBytes, by: key) }
}

/// The key that figures and heads are signed with: Ed25519, made once, kept among the ledger's secrets.
struct FigureKey {
  static let name = "figure key"
  private let key: Curve25519.Signing.PrivateKey

  init(bytes: [UInt8]) throws {
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes) else { throw LedgerError.corruptRow }
    self.key = key
  }

  static func make() -> [UInt8] { Array(Curve25519.Signing.PrivateKey().rawRepresentation) }

  var publicText: String { Data(key.publicKey.rawRepresentation).base64EncodedString() }

  func sign(_ bytes: [UInt8]) throws -> String { Data(try key.signature(for: bytes)).base64EncodedString() }

  static func isSignature(_ text: String, of bytes: [UInt8], by key: String) -> Bool {
    guard let signature = Data(base64Encoded: text), let raw = Data(base64Encoded: key),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw)
    else { return false }
    return key.isValidSignature(signature, for: bytes)
  }
}

/// What a ledger is found to be when it is held against heads that were lodged.
public enum HeadFinding: Hashable, Sendable {
  /// The file of heads was changed after it was signed.
  case badSignature
  /// It is of another relay.
  case otherRelay
  /// The ledger signs with another key: it was made anew.
  case otherKey
  /// The ledger ends before an event that was lodged; how many it has.
  case cutTail(lodged: Int64, events: Int64)
  /// No event of the day is left.
  case missingDay(String)
  /// The chain holds in itself, and another one was lodged for the end of that day.
  case rebuilt(String)
  /// The chain does not hold in itself, from this event on.
  case broken(Int64)

  /// What it is called in the interface.
  public var code: String {
    switch self {
    case .badSignature: "badSignature"
    case .otherRelay: "otherRelay"
    case .otherKey: "otherKey"
    case .cutTail: "cutTail"
    case .missingDay: "missingDay"
    case .rebuilt: "rebuilt"
    case .broken: "broken"
    }
  }
}
