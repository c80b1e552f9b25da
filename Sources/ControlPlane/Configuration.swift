import Foundation
import RTCWire
import Yams

/// The address and port something listens at.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  public var host: String
  /// 0 takes any free port.
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port`, `[v6]:port` or `:port`, which is all addresses; nil when it is none of these.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard !host.contains("["), !host.contains("]") else { return nil }
    self.init(host: host.isEmpty || host == "*" ? "::" : host, port: port)
  }

  public var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How a relay is set up. `Configs/tongke.yaml` describes each key.
public struct RelayConfiguration: Sendable, Equatable {
  /// Plain HTTP. Serves everything to this machine itself, to others only `/trust` and a redirect.
  public var http = ListenAddress(host: "::", port: 8080)
  /// HTTPS; nil leaves it out, for a proxy on this machine that has the certificate.
  public var https: ListenAddress? = ListenAddress(host: "::", port: 8443)
  public var data = "/var/lib/tongke"
  /// Media: worker n takes `udpPort` + n, UDP and TCP alike; 0 takes any free port for each.
  public var udpPort: UInt16 = 8189
  /// Media threads; 0 takes one for each processor the process may use.
  public var workers = 0
  /// Whether each media thread stays on a processor of its own.
  public var pinsWorkers = false
  /// Whether the packet memory asks for pages of 2 MiB.
  public var wantsHugePages = false
  public var cipher = CipherChoice.auto
  /// Whether the kernel cuts trains of datagrams, where it can.
  public var segmentsTrains = true
  public var coalescing = CoalescingChoice.auto
  /// Whether media may come by TCP as well, for networks that carry no UDP.
  public var takesTCP = true
  /// When joins are refused; nil never refuses one for load.
  public var admission: AdmissionLimits? = AdmissionLimits()
  /// Media on 127.0.0.1 alone.
  public var loopbackOnly = false
  /// Addresses told to clients in place of the machine's own.
  public var announce: [String] = []
  /// Certificate chain and key of the operator, PEM files; both or none.
  public var certificate: String?
  public var privateKey: String?
  /// Sessions of all lessons together.
  public var sessionLimit = 4_000
  public var recordsLessons = true
  /// Whether lessons without a window are recorded too, each stretch of teaching by itself.
  public var recordsAlwaysLive = false
  /// Free bytes under which what sites send back is no more recorded, and the operator told.
  public var lowSpaceBytes: Int64 = 20_000_000_000
  /// Days after which recordings go that nobody keeps.
  public var unreviewedDays = 30
  /// File of the table of subjects; nil takes the one that is built in.
  public var subjects: String?
  /// File of the profile that rooms are accepted by; nil takes the one that is built in.
  public var acceptance: String?
  /// How people sign in.
  public var access = AccessConfiguration()
  /// How usage is told to platforms.
  public var reporting = ReportingConfiguration()
  public var logLevel = "info"
  /// Share of datagrams lost on purpose each way, 0…1. For the demonstration alone: no key sets it.
  package var faultDropFraction = 0.0

  public init() {}

  /// Reads a YAML file; keys that are not known are errors.
  public init(file: String) throws(ConfigurationError) {
    try self.init(yaml: ConfigurationError.contents(of: file))
  }

  public init(yaml: String) throws(ConfigurationError) {
    self.init()
    guard let root = try ConfigurationError.compose(yaml) else { return }
    guard let mapping = root.mapping else { throw ConfigurationError(reason: .notAMapping, line: 1, key: "") }
    for (key, value) in mapping { try apply(key, value) }
    if (certificate == nil) != (privateKey == nil) {
      throw ConfigurationError(reason: .wrongValue, line: mapping["tls"]?.mark?.line ?? 0, key: "tls")
    }
    // A provider sends people back to an address that it knows beforehand.
    if access.openID != nil, access.publicAddress == nil {
      throw ConfigurationError(
        reason: .wrongValue, line: mapping["openid"]?.mark?.line ?? 0, key: "publicAddress")
    }
  }

  private mutating func apply(_ key: Node, _ value: Node) throws(ConfigurationError) {
    let name = key.string ?? ""
    let line = key.mark?.line ?? 0
    func wrong(_ key: String? = nil) -> ConfigurationError {
      ConfigurationError(reason: .wrongValue, line: value.mark?.line ?? line, key: key ?? name)
    }
    switch name {
    case "http":
      guard let address = value.string.flatMap({ ListenAddress($0) }) else { throw wrong() }
      http = address
    case "https":
      if value.string == "none" {
        https = nil
        return
      }
      guard let address = value.string.flatMap({ ListenAddress($0) }) else { throw wrong() }
      https = address
    case "data":
      guard let path = value.string, !path.isEmpty else { throw wrong() }
      data = path
    case "udpPort":
      guard let port = Self.number(value, in: 0...65_535) else { throw wrong() }
      udpPort = UInt16(port)
    case "announce":
      let entries = value.sequence.map { Array($0) } ?? [value]
      let addresses = entries.compactMap(\.string)
      guard addresses.count == entries.count, addresses.allSatisfy(Self.isAddress) else { throw wrong() }
      announce = addresses
    case "tls": try applyTLS(value, line: line)
    case "sessionLimit":
      guard let limit = Self.number(value, in: 1...20_000) else { throw wrong() }
      sessionLimit = limit
    case "record":
      guard let records = value.bool else { throw wrong() }
      recordsLessons = records
    case "recordAlwaysLive":
      guard let records = value.bool else { throw wrong() }
      recordsAlwaysLive = records
    case "recording", "retention": try applyRecording(name, value, line: line)
    case "subjects", "acceptance":
      guard let path = value.string, !path.isEmpty else { throw wrong() }
      let file = path == "standard" ? nil : path
      if name == "subjects" { subjects = file } else { acceptance = file }
    case "reporting": reporting = try ReportingConfiguration(value)
    case "logLevel":
      guard let level = value.string, Self.logLevels.contains(level) else { throw wrong() }
      logLevel = level
    default:
      if try applyAccess(name, value, line: line) { return }
      guard let isRight = try applyMedia(name, value) else {
        throw ConfigurationError(reason: .unknownKey, line: line, key: name)
      }
      guard isRight else { throw wrong() }
    }
  }

  private mutating func applyTLS(_ value: Node, line: Int) throws(ConfigurationError) {
    guard let mapping = value.mapping else {
      throw ConfigurationError(reason: .wrongValue, line: line, key: "tls")
    }
    for (key, value) in mapping {
      let name = key.string ?? ""
      let line = key.mark?.line ?? line
      guard name == "certificate" || name == "privateKey" else {
        throw ConfigurationError(reason: .unknownKey, line: line, key: "tls." + name)
      }
      guard let path = value.string, !path.isEmpty else {
        throw ConfigurationError(reason: .wrongValue, line: line, key: "tls." + name)
      }
      if name == "certificate" { certificate = path } else { privateKey = path }
    }
  }

  static func isAddress(_ text: String) -> Bool { SocketAddress(address: text, port: 0) != nil }

  /// A decimal number; Yams' own reading takes sums of sixties as well, whose overflow traps.
  static func number(_ value: Node, in range: ClosedRange<Int>) -> Int? {
    value.string.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
  }

  /// Keys of the file, for the test that each is documented.
  package static let keys = [
    "http", "https", "data", "udpPort", "workers", "pinWorkers", "hugePages", "announce", "tls", "cipher",
    "segmentation",
    "coalescing", "tcp", "admission", "sessionLimit", "record", "recordAlwaysLive", "recording", "retention",
    "subjects",
    "acceptance", "publicAddress", "secondFactor", "openid", "ticket", "reporting", "logLevel",
  ]
  static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
}
