import Crypto
public import Foundation

/// SHA-256 of content that comes block by block.
public struct ContentDigest {
  private var hash = SHA256()
  /// Bytes so far.
  public private(set) var count: Int64 = 0

  public init() {}

  public init(_ data: Data) { add(data) }

  public mutating func add(_ block: Data) {
    hash.update(data: block)
    count += Int64(block.count)
  }

  /// 64 lower-case hexadecimal digits, of what was added so far.
  public var text: String {
    hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
