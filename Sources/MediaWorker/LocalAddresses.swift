import CLinuxIO
public import RTCWire

/// An address of this machine.
public struct LocalAddress: Sendable {
  public var address: SocketAddress
  public var interface: String
  /// Container and virtual-machine bridges, which nobody outside can reach.
  public var isBridge: Bool
}

public enum LocalAddresses {
  /// Addresses of all interfaces that are up, the likeliest to be reached first: routable, then loopback, then
  /// link-local and bridges. Ports are 0.
  public static func list() -> [LocalAddress] {
    var entries = [tk_interface](repeating: tk_interface(), count: 64)
    let count = Int(tk_interfaces(&entries, 64))
    let found = entries.prefix(count).map { entry in
      LocalAddress(
        address: SocketAddress(entry.address),
        interface: withUnsafeBytes(of: entry.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) },
        isBridge: entry.is_bridge != 0)
    }
    func rank(_ entry: LocalAddress) -> Int {
      if entry.isBridge { return 4 }
      if entry.address.isLinkLocal { return 3 }
      if entry.address.isLoopback { return 2 }
      return entry.address.family == .ipv4 ? 0 : 1
    }
    return found.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }
}

extension SocketAddress {
  init(_ raw: tk_address) {
    let words = withUnsafeBytes(of: raw.bytes) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    self.init(
      family: raw.family == 4 ? .ipv4 : .ipv6, high: words.0, low: words.1, port: raw.port, scope: raw.scope)
  }

  var raw: tk_address {
    var raw = tk_address()
    raw.family = family == .ipv4 ? 4 : 6
    raw.port = port
    raw.scope = scope
    withUnsafeMutableBytes(of: &raw.bytes) { bytes in
      bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return raw
  }
}
