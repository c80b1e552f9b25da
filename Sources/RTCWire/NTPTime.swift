/// A 64-bit NTP timestamp: seconds since 1900 in 32.32 fixed point (RFC 3550 §4).
public struct NTPTime: Hashable, Comparable, Sendable {
  public var rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Seconds between the NTP epoch (1900) and the Unix epoch (1970).
  public static let unixEpochSeconds: UInt64 = 2_208_988_800

  /// From microseconds since 1970.
  public init(unixMicroseconds: Int64) {
    // Rounded down, so that a clock before 1970 has a fraction too.
    let remainder = unixMicroseconds % 1_000_000
    let part = remainder < 0 ? remainder + 1_000_000 : remainder
    let whole = (unixMicroseconds - part) / 1_000_000
    let seconds = UInt64(bitPattern: whole) &+ Self.unixEpochSeconds
    let fraction = UInt64(part) * 4_294_967_296 / 1_000_000
    rawValue = (seconds & 0xFFFF_FFFF) << 32 | fraction
  }

  /// Microseconds since 1970, to the nearest.
  public var unixMicroseconds: Int64 {
    let seconds = Int64(rawValue >> 32) - Int64(Self.unixEpochSeconds)
    return seconds * 1_000_000 + Int64(((rawValue & 0xFFFF_FFFF) * 1_000_000 + 0x8000_0000) >> 32)
  }

  /// The middle 32 bits, as LSR and DLSR use them (RFC 3550 §6.4.1).
  public var middle32: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }

  public static func < (left: NTPTime, right: NTPTime) -> Bool { left.rawValue < right.rawValue }
}
