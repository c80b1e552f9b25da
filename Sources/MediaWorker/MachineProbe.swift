import CLinuxIO
import Glibc
public import RTCWire

/// What this machine can do for a relay, asked of the kernel; nothing is changed.
public enum MachineProbe {
  /// What binding a port came to.
  public enum Port: Sendable, Equatable {
    case free
    case inUse
    /// Below 1,024 without the right to it.
    case forbidden
    /// The machine does not have the address.
    case noSuchAddress
    case failed(errno: Int32)
  }

  /// Binds the port and lets it go again; port 0 is always free. `::` covers IPv4 as well.
  public static func port(_ address: SocketAddress, isUDP: Bool) -> Port {
    let raw = address.raw
    let family: Int32 = address.family == .ipv4 ? 4 : 6
    let result = withUnsafeBytes(of: raw.bytes) {
      tk_probe_port(family, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), address.port, isUDP ? 1 : 0)
    }
    switch -result {
    case 0: return .free
    case EADDRINUSE: return .inUse
    case EACCES, EPERM: return .forbidden
    case EADDRNOTAVAIL, EAFNOSUPPORT: return .noSuchAddress
    default: return .failed(errno: -result)
    }
  }

  /// Whether the kernel takes the wall clock to be synchronised; nil where it does not tell.
  public static var clockIsSynchronised: Bool? {
    let result = tk_probe_clock_synchronised()
    return result < 0 ? nil : result == 1
  }

  /// The processors this process may use, by number, rising; empty where the system does not tell.
  public static var processors: [Int] {
    var numbers = [Int32](repeating: 0, count: 1_024)
    let count = Int(tk_probe_processors(&numbers, Int32(numbers.count)))
    return numbers.prefix(max(count, 0)).map(Int.init)
  }

  /// Whether the kernel sends trains of datagrams in one call (UDP_SEGMENT, Linux 4.18).
  public static var sendsTrains: Bool { tk_probe_segmentation() == 1 }
}
