/// One `m=` section and its attributes.
public struct MediaDescription: Sendable {
  public var kind: String
  public var port: UInt16
  public var transport: String
  public var formats: [String]
  public var attributes: [SDPAttribute] = []
  /// 1-based line of the text it was read from, 0 when made here.
  public var line: Int

  public init(kind: String, port: UInt16, transport: String, formats: [String], line: Int = 0) {
    self.kind = kind
    self.port = port
    self.transport = transport
    self.formats = formats
    self.line = line
  }

  public mutating func add(_ name: String, _ value: String? = nil) { attributes.append(SDPAttribute(name, value)) }
  public func first(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
  public func has(_ name: String) -> Bool { attributes.contains { $0.name == name } }
  public func all(_ name: String) -> [String] { attributes.filter { $0.name == name }.compactMap(\.value) }

  public var mid: String? { first("mid") }

  /// `sendonly`, `recvonly`, `inactive` or `sendrecv`, which is the default (RFC 8866 §6.7).
  public var direction: String {
    attributes.first { ["sendrecv", "sendonly", "recvonly", "inactive"].contains($0.name) }?.name ?? "sendrecv"
  }

  /// A section that is refused: port 0 without `bundle-only` (RFC 9143 §6).
  public var isRejected: Bool { port == 0 && !has("bundle-only") }

  public var rtpMaps: [RTPMap] {
    all("rtpmap").compactMap { value in
      let parts = value.split(separator: " ")
      guard parts.count == 2, let payloadType = UInt8(parts[0]), payloadType < 128 else { return nil }
      let codec = parts[1].split(separator: "/")
      guard codec.count >= 2, let rate = UInt32(codec[1]), rate > 0 else { return nil }
      return RTPMap(
        payloadType: payloadType, encoding: codec[0].lowercased(), clockRate: rate,
        channels: codec.count > 2 ? Int(codec[2]) ?? 1 : 1)
    }
  }

  /// Format parameters of a payload type, names in lower case.
  public func formatParameters(_ payloadType: UInt8) -> [String: String] {
    var parameters: [String: String] = [:]
    for value in all("fmtp") {
      let parts = value.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, UInt8(parts[0]) == payloadType else { continue }
      for pair in parts[1].split(separator: ";") {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = sides[0].filter { $0 != " " }.lowercased()
        parameters[name] = sides.count > 1 ? sides[1].trimmingSpaces : ""
      }
    }
    return parameters
  }

  /// Feedback lines that hold for a payload type: `nack`, `nack pli`, `ccm fir`, `goog-remb`, `transport-cc`.
  public func feedback(_ payloadType: UInt8) -> Set<String> {
    var found: Set<String> = []
    for value in all("rtcp-fb") {
      let parts = value.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0] == "*" || UInt8(parts[0]) == payloadType else { continue }
      found.insert(parts[1].trimmingSpaces)
    }
    return found
  }

  /// Header extensions: id and URI; ids 1…255.
  public var extensionMap: [(id: UInt8, uri: String)] {
    all("extmap").compactMap { value in
      let parts = value.split(separator: " ")
      guard parts.count >= 2, let id = UInt8(parts[0].prefix { $0 != "/" }), id > 0 else { return nil }
      return (id, String(parts[1]))
    }
  }

  /// RIDs in send direction, in the order of `a=simulcast` where there is one (RFC 8851, RFC 8853).
  public var sendRIDs: [String] {
    let declared = all("rid").compactMap { value -> String? in
      let parts = value.split(separator: " ")
      return parts.count >= 2 && parts[1] == "send" ? String(parts[0]) : nil
    }
    for value in all("simulcast") {
      let parts = value.split(separator: " ")
      guard let place = parts.firstIndex(of: "send"), place + 1 < parts.count else { continue }
      let ordered = parts[place + 1].split(separator: ";").compactMap { alternatives -> String? in
        alternatives.split(separator: ",").first.map { String($0.first == "~" ? $0.dropFirst() : $0) }
      }
      return ordered.filter(declared.contains)
    }
    return declared
  }

  /// SSRCs by `a=ssrc`, in order and once each.
  public var ssrcs: [UInt32] {
    var seen: [UInt32] = []
    for value in all("ssrc") {
      if let ssrc = UInt32(value.prefix { $0 != " " }), !seen.contains(ssrc) { seen.append(ssrc) }
    }
    return seen
  }

  /// Pairs of media and retransmission SSRC by `a=ssrc-group:FID` (RFC 5576 §4.2).
  public var retransmissionPairs: [(media: UInt32, retransmission: UInt32)] {
    all("ssrc-group").compactMap { value in
      let parts = value.split(separator: " ")
      guard parts.count == 3, parts[0] == "FID", let media = UInt32(parts[1]), let second = UInt32(parts[2]) else {
        return nil
      }
      return (media, second)
    }
  }

  public var candidates: [ICECandidateLine] { all("candidate").compactMap { ICECandidateLine(parsing: $0) } }
}

extension StringProtocol {
  var trimmingSpaces: String {
    var text = self[...]
    while text.first == " " { text = text.dropFirst() }
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}

/// An SDP fragment of a PATCH (RFC 8840 §4.4): credentials and candidates of the bundled transport.
public struct SDPFragment: Sendable {
  public var userFragment: String?
  public var password: String?
  public var candidates: [ICECandidateLine] = []
  public var endOfCandidates = false
  public init() {}

  public init(parsing text: String) throws(SDPError) {
    guard text.utf8.count <= SessionDescription.byteLimit else { throw SDPError(line: 0, reason: .tooLong) }
    var number = 0
    for raw in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
      number += 1
      guard number <= SessionDescription.lineLimit else { throw SDPError(line: number, reason: .tooManyLines) }
      var line = Substring(raw)
      if line.utf8.last == 13 { line = Substring(raw.dropLast()) }
      if line.isEmpty { continue }
      let bytes = line.utf8
      guard bytes.count >= 2, bytes[bytes.index(after: bytes.startIndex)] == UInt8(ascii: "=") else {
        throw SDPError(line: number, reason: .malformedLine)
      }
      guard line.hasPrefix("a=") else { continue }
      let value = line.dropFirst(2)
      if value.hasPrefix("ice-ufrag:") {
        userFragment = String(value.dropFirst(10))
      } else if value.hasPrefix("ice-pwd:") {
        password = String(value.dropFirst(8))
      } else if value.hasPrefix("candidate:") {
        if let candidate = ICECandidateLine(parsing: String(value.dropFirst(10))) { candidates.append(candidate) }
      } else if value == "end-of-candidates" {
        endOfCandidates = true
      }
    }
  }

  public var text: String {
    var lines: [String] = []
    if let userFragment { lines.append("a=ice-ufrag:\(userFragment)") }
    if let password { lines.append("a=ice-pwd:\(password)") }
    lines += candidates.map { "a=candidate:" + $0.text }
    if endOfCandidates { lines.append("a=end-of-candidates") }
    return lines.joined(separator: "\r\n") + "\r\n"
  }
}
