/// Why an SDP could not be read, and where.
public struct SDPError: Error, Equatable, Sendable {
  public enum Reason: String, Sendable {
    case tooLong, notUTF8, malformedLine, missingVersion, malformedMedia, tooManyMedia, tooManyLines
  }
  /// 1-based.
  public var line: Int
  public var reason: Reason
}

/// One `a=` line.
public struct SDPAttribute: Hashable, Sendable {
  public var name: String
  /// Nil for a flag such as `a=rtcp-mux`.
  public var value: String?
  /// 1-based line of the text it was read from, 0 when made here.
  public var line: Int
  public init(_ name: String, _ value: String? = nil, line: Int = 0) {
    self.name = name
    self.value = value
    self.line = line
  }
}

/// A session description (RFC 8866) as WHIP and WHEP use it: the session's attributes and its media sections.
public struct SessionDescription: Sendable {
  /// The limits of what is read: 64 KiB, 2,000 lines, 32 media sections.
  public static let byteLimit = 65_536
  static let lineLimit = 2_000
  static let mediaLimit = 32

  public var origin: String
  public var attributes: [SDPAttribute] = []
  public var media: [MediaDescription] = []

  public init(origin: String) { self.origin = origin }

  /// Reads an SDP; lines end in CRLF or LF, anything before `v=0` is refused.
  public init(parsing text: String) throws(SDPError) {
    guard text.utf8.count <= Self.byteLimit else { throw SDPError(line: 0, reason: .tooLong) }
    origin = "- 0 0 IN IP4 127.0.0.1"
    var number = 0
    for raw in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
      number += 1
      guard number <= Self.lineLimit else { throw SDPError(line: number, reason: .tooManyLines) }
      var line = Substring(raw)
      if line.utf8.last == 13 { line = Substring(raw.dropLast()) }
      if number == 1 {
        guard line == "v=0" else { throw SDPError(line: 1, reason: .missingVersion) }
        continue
      }
      if line.isEmpty { continue }
      try read(line, number: number)
    }
    guard number > 0, text.utf8.first == UInt8(ascii: "v") else { throw SDPError(line: 1, reason: .missingVersion) }
  }

  private mutating func read(_ line: Substring, number: Int) throws(SDPError) {
    let bytes = line.utf8
    guard bytes.count >= 2, bytes[bytes.index(after: bytes.startIndex)] == UInt8(ascii: "=") else {
      throw SDPError(line: number, reason: .malformedLine)
    }
    let value = line.dropFirst(2)
    switch line.first {
    case "o": origin = String(value)
    case "m":
      guard media.count < Self.mediaLimit else { throw SDPError(line: number, reason: .tooManyMedia) }
      let parts = value.split(separator: " ")
      guard parts.count >= 4, let port = UInt16(parts[1].prefix { $0 != "/" }) else {
        throw SDPError(line: number, reason: .malformedMedia)
      }
      media.append(
        MediaDescription(
          kind: String(parts[0]), port: port, transport: String(parts[2]), formats: parts[3...].map(String.init),
          line: number))
    case "a":
      let name = value.prefix { $0 != ":" }
      let rest = value.dropFirst(name.count)
      let attribute = SDPAttribute(String(name), rest.isEmpty ? nil : String(rest.dropFirst()), line: number)
      if media.isEmpty { attributes.append(attribute) } else { media[media.count - 1].attributes.append(attribute) }
    default: break
    }
  }

  public func first(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

  /// MIDs of the first BUNDLE group, in order; nil without one.
  public var bundle: [String]? {
    for attribute in attributes where attribute.name == "group" {
      let parts = (attribute.value ?? "").split(separator: " ")
      if parts.first == "BUNDLE" { return parts.dropFirst().map(String.init) }
    }
    return nil
  }

  /// The text, lines ended by CRLF.
  public var text: String {
    var lines = ["v=0", "o=" + origin, "s=-", "t=0 0"]
    lines += attributes.map(\.text)
    for section in media {
      lines.append(
        "m=\(section.kind) \(section.port) \(section.transport) " + section.formats.joined(separator: " "))
      lines.append("c=IN IP4 0.0.0.0")
      lines += section.attributes.map(\.text)
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }
}

extension SDPAttribute {
  var text: String { value.map { "a=\(name):\($0)" } ?? "a=\(name)" }
}

/// An `a=rtpmap` (RFC 8866 §6.6).
public struct RTPMap: Equatable, Sendable {
  public var payloadType: UInt8
  /// Lower case.
  public var encoding: String
  public var clockRate: UInt32
  public var channels: Int
}

/// An `a=candidate` (RFC 8839 §5.1), component 1 only.
public struct ICECandidateLine: Hashable, Sendable {
  public var foundation: String
  /// Lower case: `udp` or `tcp`.
  public var transport: String
  public var priority: UInt32
  /// An address or an mDNS name.
  public var address: String
  public var port: UInt16
  public var type: String
  public var tcpType: String?
  public init(
    foundation: String, transport: String, priority: UInt32, address: String, port: UInt16, type: String,
    tcpType: String? = nil
  ) {
    self.foundation = foundation
    self.transport = transport
    self.priority = priority
    self.address = address
    self.port = port
    self.type = type
    self.tcpType = tcpType
  }

  /// Reads the value of the attribute; nil when malformed or of another component.
  public init?(parsing value: String) {
    let parts = value.split(separator: " ")
    guard parts.count >= 8, parts[1] == "1", let priority = UInt32(parts[3]), let port = UInt16(parts[5]),
      parts[6] == "typ"
    else { return nil }
    self.init(
      foundation: String(parts[0]), transport: parts[2].lowercased(), priority: priority, address: String(parts[4]),
      port: port, type: String(parts[7]))
    if let place = parts.firstIndex(of: "tcptype"), place + 1 < parts.count { tcpType = String(parts[place + 1]) }
  }

  public var text: String {
    "\(foundation) 1 \(transport) \(priority) \(address) \(port) typ \(type)"
      + (tcpType.map { " tcptype \($0)" } ?? "")
  }

  /// The address it stands for; nil for mDNS names, which only the browser's own network could resolve.
  public var socketAddress: SocketAddress? { SocketAddress(address: address, port: port) }
}
