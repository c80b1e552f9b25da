public import RTCWire

/// Which of the two HTTP protocols an offer came by: who publishes (RFC 9725) or who watches (WHEP draft-03).
public enum NegotiationRole: Sendable { case whip, whep }

/// Why an offer or answer cannot be used, and the line of it that says so.
public struct NegotiationError: Error, Equatable, Sendable {
  public enum Reason: String, Sendable {
    // Malformed: answered 400.
    case noMedia, noCredentials, badCredentials, noFingerprint, badFingerprint, badSetup, duplicateMID
    // Well-formed and unusable: answered 422.
    case wrongDirection, tooManyTracks, noCommonCodec, notBundled, noMultiplexing, unsupportedFingerprint
    case tooManyLines, unsupportedTransport
  }

  public var reason: Reason
  /// 1-based line of the offer; nil when something is missing rather than wrong.
  public var line: Int?

  /// Whether a client that sends the same again would need another offer, not a better-formed one.
  public var isUnusable: Bool {
    switch reason {
    case .noMedia, .noCredentials, .badCredentials, .noFingerprint, .badFingerprint, .badSetup, .duplicateMID: false
    default: true
    }
  }
}

/// What this side puts into its description.
public struct LocalTransport: Sendable {
  public var credentials: ICECredentials
  public var fingerprint: CertificateFingerprint
  /// All of them, best first: some clients use only the first.
  public var candidates: [ICECandidateLine]
  public var sessionID: UInt64
  public init(
    credentials: ICECredentials, fingerprint: CertificateFingerprint, candidates: [ICECandidateLine],
    sessionID: UInt64
  ) {
    self.credentials = credentials
    self.fingerprint = fingerprint
    self.candidates = candidates
    self.sessionID = sessionID
  }
}

/// What the other side said of its transport, the same for all bundled sections.
struct RemoteTransport {
  var credentials: ICECredentials
  var fingerprints: [CertificateFingerprint]
  var setup: String
  var candidates: [SocketAddress]
}

public enum Negotiation {
  static let extensions: [(uri: String, place: any WritableKeyPath<ExtensionIDs, UInt8> & Sendable)] = [
    ("urn:ietf:params:rtp-hdrext:sdes:mid", \.mid),
    ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", \.rid),
    ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", \.repairedRID),
    ("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", \.transportSequence),
    ("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", \.absoluteSendTime),
    ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", \.audioLevel),
  ]

  static let feedback: [(text: String, flag: FeedbackSet)] = [
    ("nack", .nack), ("nack pli", .pli), ("ccm fir", .fir), ("goog-remb", .remb), ("transport-cc", .transportWide),
  ]

  /// Panes one WHEP offer may ask for.
  public static let lineLimit = 32

  // MARK: Transport

  static func transport(of description: SessionDescription) throws(NegotiationError) -> RemoteTransport {
    let used = description.media.filter { !$0.isRejected }
    guard let first = used.first else { throw NegotiationError(reason: .noMedia, line: nil) }
    func value(_ name: String) -> SDPAttribute? {
      first.attributes.first { $0.name == name } ?? description.attributes.first { $0.name == name }
    }
    guard let fragment = value("ice-ufrag")?.value, let password = value("ice-pwd")?.value else {
      throw NegotiationError(reason: .noCredentials, line: first.line)
    }
    guard (4...256).contains(fragment.utf8.count), (22...256).contains(password.utf8.count) else {
      throw NegotiationError(reason: .badCredentials, line: value("ice-ufrag")?.line)
    }
    let marks = (first.attributes + description.attributes).filter { $0.name == "fingerprint" }
    guard !marks.isEmpty else { throw NegotiationError(reason: .noFingerprint, line: first.line) }
    var fingerprints: [CertificateFingerprint] = []
    for mark in marks.prefix(8) {
      guard let fingerprint = fingerprint(mark.value ?? "") else {
        throw NegotiationError(reason: .badFingerprint, line: mark.line)
      }
      if ["sha-256", "sha-384", "sha-512"].contains(fingerprint.algorithm) { fingerprints.append(fingerprint) }
    }
    guard !fingerprints.isEmpty else { throw NegotiationError(reason: .unsupportedFingerprint, line: marks[0].line) }
    let setup = value("setup")?.value ?? "actpass"
    guard ["actpass", "active", "passive"].contains(setup) else {
      throw NegotiationError(reason: .badSetup, line: value("setup")?.line)
    }
    let candidates = used.flatMap(\.candidates).filter { $0.transport == "udp" }.compactMap(\.socketAddress)
    return RemoteTransport(
      credentials: ICECredentials(userFragment: fragment, password: password), fingerprints: fingerprints,
      setup: setup, candidates: Array(candidates.prefix(ICEAgent.pairLimit)))
  }

  /// Reads "sha-256 AB:CD:…"; nil when malformed.
  static func fingerprint(_ text: String) -> CertificateFingerprint? {
    let parts = text.split(separator: " ")
    guard parts.count == 2 else { return nil }
    var digest: [UInt8] = []
    for pair in parts[1].split(separator: ":", omittingEmptySubsequences: false) {
      guard pair.utf8.count == 2, let byte = UInt8(pair, radix: 16) else { return nil }
      digest.append(byte)
    }
    let sizes = ["sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64]
    let algorithm = parts[0].lowercased()
    if let size = sizes[algorithm], size != digest.count { return nil }
    return CertificateFingerprint(algorithm: algorithm, digest: digest)
  }

  static func text(of fingerprint: CertificateFingerprint) -> String {
    let digits = fingerprint.digest.map { byte in
      let text = String(byte, radix: 16, uppercase: true)
      return text.utf8.count == 1 ? "0" + text : text
    }
    return fingerprint.algorithm + " " + digits.joined(separator: ":")
  }

  // MARK: Codecs

  /// The codecs of a section that the relay forwards, each with its retransmission payload type, in the section's
  /// order.
  static func codecs(of section: MediaDescription) -> [Codec] {
    let maps = section.rtpMaps
    var repairs: [UInt8: UInt8] = [:]
    for map in maps where map.encoding == "rtx" {
      if let original = section.formatParameters(map.payloadType)["apt"].flatMap({ UInt8($0) }) {
        repairs[original] = repairs[original] ?? map.payloadType
      }
    }
    let offered = Set(section.formats)
    return maps.compactMap { map in
      guard offered.contains(String(map.payloadType)), let encoding = encoding(map, kind: section.kind) else {
        return nil
      }
      var codec = Codec(
        encoding: encoding, payloadType: map.payloadType, retransmissionPayloadType: repairs[map.payloadType],
        clockRate: map.clockRate)
      if encoding == .h264 {
        let parameters = section.formatParameters(map.payloadType)
        codec.packetizationMode = UInt8(parameters["packetization-mode"] ?? "0") ?? 0
        // Interleaved packets (mode 2) are sent in another order than they are decoded in: nobody in WebRTC does it.
        guard codec.packetizationMode <= 1 else { return nil }
        codec.profileLevelID = UInt32(parameters["profile-level-id"] ?? "42e01f", radix: 16) ?? 0x42E01F
      } else if encoding == .vp9 || encoding == .av1 {
        let name = encoding == .vp9 ? "profile-id" : "profile"
        codec.profileLevelID = section.formatParameters(map.payloadType)[name].flatMap { UInt32($0) } ?? 0
      }
      return codec
    }
  }

  private static func encoding(_ map: RTPMap, kind: String) -> Encoding? {
    if kind == "audio" { return map.encoding == "opus" && map.clockRate == 48_000 ? .opus : nil }
    guard map.clockRate == 90_000 else { return nil }
    switch map.encoding {
    case "h264": return .h264
    case "vp8": return .vp8
    case "vp9": return .vp9
    case "av1": return .av1
    case "h265": return .h265
    default: return nil
    }
  }

  static func extensionIDs(of section: MediaDescription) -> ExtensionIDs {
    var ids = ExtensionIDs()
    for entry in section.extensionMap {
      guard let known = extensions.first(where: { $0.uri == entry.uri }) else { continue }
      if section.kind != "audio", known.place == \ExtensionIDs.audioLevel { continue }
      ids[keyPath: known.place] = entry.id
    }
    return ids
  }

  static func feedbackSet(of section: MediaDescription, codecs: [Codec]) -> FeedbackSet {
    var set: FeedbackSet = []
    for codec in codecs {
      let offered = section.feedback(codec.payloadType)
      for known in feedback where offered.contains(known.text) { set.insert(known.flag) }
    }
    return set
  }
}
