package import MediaWorker
import NIOCore
package import RTCWire

/// How a client reached this relay, as far as that says which of its addresses it can send media to.
package struct Reach: Sendable {
  /// The address the request came to; nil when unknown.
  package var local: RTCWire.SocketAddress?
  /// A proxy stands between, so the address says nothing about the client.
  package var isForwarded: Bool

  package init(local: RTCWire.SocketAddress?, isForwarded: Bool) {
    self.local = local
    self.isForwarded = isForwarded
  }

  /// Host candidates (RFC 8445 §5.1.1), best first, because some clients use only the first: UDP, then passive TCP on
  /// the same addresses and port.
  package func candidates(
    port: UInt16, hasTCP: Bool, announce: [String], loopbackOnly: Bool, machine: [LocalAddress] = LocalAddresses.list()
  ) -> [ICECandidateLine] {
    var addresses: [RTCWire.SocketAddress]
    if !announce.isEmpty {
      addresses = announce.compactMap { RTCWire.SocketAddress(address: $0, port: port) }
    } else {
      let direct = isForwarded ? nil : local
      if loopbackOnly {
        addresses = [RTCWire.SocketAddress(ipv4: 0x7F00_0001, port: port)]
      } else {
        let others = machine.filter { !$0.address.isLoopback }.map(\.address)
        addresses = (direct.map { [$0] } ?? []) + others.filter { !$0.isSameHost(as: direct) }
      }
    }
    for index in addresses.indices { addresses[index].port = port }
    let datagrams = addresses.prefix(16).enumerated().map { place, address in
      // Type preference of a host candidate 126; the local preference falls with the place in the list.
      let priority = UInt32(126) << 24 | UInt32(65_535 - place) << 8 | 255
      return ICECandidateLine(
        foundation: String(place + 1), transport: "udp", priority: priority, address: address.addressText, port: port,
        type: "host")
    }
    guard hasTCP else { return datagrams }
    return datagrams
      + addresses.prefix(16).enumerated().map { place, address in
        // A type preference below every UDP candidate's; of the local preference the upper three bits are the
        // direction's, 4 for a passive host candidate (RFC 6544 §4.2).
        let priority = UInt32(90) << 24 | UInt32(4 << 13 | 8_191 - place) << 8 | 255
        return ICECandidateLine(
          foundation: String(place + 17), transport: "tcp", priority: priority, address: address.addressText,
          port: port, type: "host", tcpType: "passive")
      }
  }
}

extension RTCWire.SocketAddress {
  func isSameHost(as other: Self?) -> Bool {
    guard let other else { return false }
    return family == other.family && high == other.high && low == other.low
  }

  /// The address of a connection; an IPv4 address inside IPv6 is taken out.
  init?(_ address: NIOCore.SocketAddress?) {
    guard let text = address?.ipAddress else { return nil }
    let plain = text.lowercased().hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
    let bare = String(plain.prefix { $0 != "%" })
    guard var parsed = RTCWire.SocketAddress(address: bare, port: UInt16(address?.port ?? 0)) else { return nil }
    // A mapped address may also be spelt in hexadecimal groups.
    if parsed.family == .ipv6, parsed.high == 0, parsed.low >> 32 == 0xFFFF {
      parsed = RTCWire.SocketAddress(ipv4: UInt32(truncatingIfNeeded: parsed.low), port: parsed.port)
    }
    self = parsed
  }
}
