/// A 16-byte UUID (RFC 9562) given once to everything that figures are later counted by.
///
/// Two big-endian words, so that comparing identifiers compares their bytes and UUIDv7 sorts by time of making.
public struct Identifier: Hashable, Comparable, Sendable {
  /// Bytes 0…7, big-endian.
  public var high: UInt64
  /// Bytes 8…15, big-endian.
  public var low: UInt64

  public static let byteCount = 16

  /// Bytes 0…7 in `high`, 8…15 in `low`; any value is accepted, so that foreign UUIDs survive unchanged.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Makes a version 7 UUID (RFC 9562 §5.7) of a time and given randomness; reads neither clock nor generator itself.
  ///
  /// `milliseconds`: UTC since 1970, clamped to 0…2^48-1. Of the 128 random bits 74 are used: the low 12 of
  /// `randomHigh` and the low 62 of `randomLow`.
  public init(milliseconds: Int64, randomHigh: UInt64, randomLow: UInt64) {
    let time = UInt64(min(max(milliseconds, 0), 0xffff_ffff_ffff))
    high = time << 16 | 0x7000 | (randomHigh & 0x0fff)
    low = 0x8000_0000_0000_0000 | (randomLow & 0x3fff_ffff_ffff_ffff)
  }

  /// Makes a version 7 UUID of a time and a generator; two 64-bit draws.
  public init(milliseconds: Int64, using generator: inout some RandomNumberGenerator) {
    self.init(milliseconds: milliseconds, randomHigh: generator.next(), randomLow: generator.next())
  }

  /// Reads 16 bytes in network order; nil when there are not exactly 16.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (position, byte) in bytes.enumerated() {
      if position < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
    }
    self.init(high: high, low: low)
  }

  /// Reads the text form `8-4-4-4-12` in either case; nil for anything else (no braces, no `urn:uuid:`).
  public init?(_ text: some StringProtocol) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var position = 0
    for unit in text.utf8 {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard unit == UInt8(ascii: "-") else { return nil }
      } else {
        guard position < 36, let digit = Self.hexDigit(unit) else { return nil }
        if position < 18 { high = high << 4 | digit } else { low = low << 4 | digit }
      }
      position += 1
    }
    guard position == 36 else { return nil }
    self.init(high: high, low: low)
  }

  /// The 16 bytes in network order.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      for index in 0..<8 {
        buffer[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
        buffer[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
      }
      count = Self.byteCount
    }
  }

  /// The UUID's version number, 0…15; 7 for those made here.
  public var version: Int { Int(high >> 12 & 0xf) }

  /// UTC milliseconds of a version 7 UUID; nil for another version.
  public var milliseconds: Int64? { version == 7 ? Int64(high >> 16) : nil }

  public static func < (first: Self, second: Self) -> Bool {
    (first.high, first.low) < (second.high, second.low)
  }

  private static func hexDigit(_ unit: UInt8) -> UInt64? {
    switch unit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(unit - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(unit - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(unit - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension Identifier: CustomStringConvertible, LosslessStringConvertible {
  /// The lower-case text form, 36 characters (RFC 9562 §4).
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var units: [UInt8] = []
    units.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { units.append(UInt8(ascii: "-")) }
      units.append(digits[Int(byte >> 4)])
      units.append(digits[Int(byte & 0xf)])
    }
    return String(decoding: units, as: UTF8.self)
  }

  public init?(_ description: String) {
    self.init(description[...])
  }
}

extension Identifier: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Identifier(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
