/// An IPv4 or IPv6 transport address as a flat value, without a system structure behind it.
///
/// Layout: sixteen address bytes in network order (IPv4 in the first four), port in host order.
public struct SocketAddress: Hashable, Sendable {
  public enum Family: UInt8, Sendable {
    case ipv4 = 4
    case ipv6 = 6
  }

  public var family: Family
  /// Host order, 0…65535.
  public var port: UInt16
  /// Scope of a link-local IPv6 address (interface index), otherwise 0.
  public var scope: UInt32
  /// First eight address bytes, big-endian; an IPv4 address fills the upper 32 bits.
  public var high: UInt64
  /// Last eight address bytes, big-endian; 0 for IPv4.
  public var low: UInt64

  public init(family: Family, high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0) {
    self.family = family
    self.high = high
    self.low = low
    self.port = port
    self.scope = scope
  }

  /// An IPv4 address from its value in host order, `0x7F000001` for 127.0.0.1.
  public init(ipv4: UInt32, port: UInt16) {
    self.init(family: .ipv4, high: UInt64(ipv4) << 32, low: 0, port: port)
  }
}
