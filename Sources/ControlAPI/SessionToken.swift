import Foundation

/// What a token says of its session, for whoever keeps it; that it is genuine is the relay's to say.
public struct SessionToken: Hashable, Sendable {
  /// UTC seconds.
  public var issued: Int64
  public var expires: Int64
  /// UTC seconds until which the session may be gone on with; nil for a token that is no session's.
  public var ends: Int64?

  private struct Payload: Decodable {
    var iat: Int64
    var exp: Int64
    var ses: Int64?
  }

  /// Nil for what is no token of a relay.
  public init?(_ token: String) {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard token.utf8.count <= 16_384, parts.count == 3 else { return nil }
    let plain = parts[1].replacing("-", with: "+").replacing("_", with: "/")
    let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: plain + padding), let read: Payload = try? ControlTransport.decode(data)
    else {
      return nil
    }
    issued = read.iat
    expires = read.exp
    ends = read.ses
  }

  /// Whether the next token should be asked for: a session in use, a minute after its last, before it has run out.
  public func wantsNext(now: Int64) -> Bool {
    guard let ends else { return false }
    return now < expires && now < ends && !(0..<60).contains(now.subtractingReportingOverflow(issued).partialValue)
  }
}
