public import RTCWire

/// What a client offers to publish: the encodings of its source.
public struct OfferedTrack: Sendable {
  public var kind: MediaKind
  public var encoding: Encoding
  public init(kind: MediaKind, encoding: Encoding) {
    self.kind = kind
    self.encoding = encoding
  }
}

/// An offer this side made, kept until the answer comes.
public struct PendingOffer: Sendable {
  public let description: SessionDescription
  let role: NegotiationRole
  let local: LocalTransport
  let lines: [MediaLine]
  /// The lines as offered; codecs may be fewer after the answer.
  public var mediaLines: [MediaLine] { lines }
}

extension Negotiation {
  /// A client's offer: it publishes the given tracks (`whip`), or receives one audio and one video (`whep`).
  ///
  /// The client controls ICE and asks to be either side of DTLS.
  public static func offer(
    role: NegotiationRole, tracks: [OfferedTrack], local: LocalTransport, random: inout some RandomNumberGenerator
  ) -> PendingOffer {
    var lines: [MediaLine] = []
    var description = SessionDescription(origin: "- \(local.sessionID) 1 IN IP4 127.0.0.1")
    for (index, track) in tracks.enumerated() {
      let encodings: [Encoding] =
        role == .whip ? [track.encoding] : (track.kind == .audio ? [.opus] : [.h264, .vp8])
      var line = MediaLine(
        mid: String(index), kind: track.kind, direction: role == .whip ? .send : .receive,
        codecs: encodings.map(clientCodec), extensions: clientExtensions(track.kind),
        feedback: track.kind == .audio ? [.transportWide] : [.nack, .pli, .fir, .remb, .transportWide])
      if role == .whip {
        line.sources = [
          AnnouncedSource(
            ssrc: UInt32.random(in: 1..<UInt32.max, using: &random),
            retransmission: track.kind == .video ? UInt32.random(in: 1..<UInt32.max, using: &random) : nil)
        ]
      }
      lines.append(line)
      description.media.append(section(for: line, role: role, local: local, isFirst: index == 0))
    }
    description.attributes = [
      SDPAttribute("group", "BUNDLE " + lines.map(\.mid).joined(separator: " ")), SDPAttribute("extmap-allow-mixed"),
    ]
    return PendingOffer(description: description, role: role, local: local, lines: lines)
  }

  private static func clientCodec(_ encoding: Encoding) -> Codec {
    switch encoding {
    case .opus, .red:
      Codec(encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000)
    case .h264:
      Codec(
        encoding: .h264, payloadType: 102, retransmissionPayloadType: 103, clockRate: 90_000, packetizationMode: 1,
        profileLevelID: 0x42E01F)
    case .vp8: Codec(encoding: .vp8, payloadType: 96, retransmissionPayloadType: 97, clockRate: 90_000)
    case .vp9: Codec(encoding: .vp9, payloadType: 98, retransmissionPayloadType: 99, clockRate: 90_000)
    case .av1: Codec(encoding: .av1, payloadType: 45, retransmissionPayloadType: 46, clockRate: 90_000)
    case .h265: Codec(encoding: .h265, payloadType: 49, retransmissionPayloadType: 50, clockRate: 90_000)
    }
  }

  private static func clientExtensions(_ kind: MediaKind) -> ExtensionIDs {
    var ids = ExtensionIDs()
    ids.mid = 4
    ids.transportSequence = 3
    ids.absoluteSendTime = 2
    if kind == .audio { ids.audioLevel = 1 }
    return ids
  }

  private static func names(_ encoding: Encoding) -> String {
    switch encoding {
    case .opus, .red: "opus/48000/2"
    case .h264: "H264/90000"
    case .vp8: "VP8/90000"
    case .vp9: "VP9/90000"
    case .av1: "AV1/90000"
    case .h265: "H265/90000"
    }
  }

  private static func section(
    for line: MediaLine, role: NegotiationRole, local: LocalTransport, isFirst: Bool
  ) -> MediaDescription {
    let formats = line.codecs.flatMap { [$0.payloadType, $0.retransmissionPayloadType].compactMap(\.self) }
    var section = MediaDescription(
      kind: line.kind == .audio ? "audio" : "video", port: 9, transport: "UDP/TLS/RTP/SAVPF",
      formats: formats.map { String($0) })
    section.add("mid", line.mid)
    section.add("ice-ufrag", local.credentials.userFragment)
    section.add("ice-pwd", local.credentials.password)
    section.add("fingerprint", text(of: local.fingerprint))
    section.add("setup", "actpass")
    section.add(role == .whip ? "sendonly" : "recvonly")
    section.add("rtcp-mux")
    section.add("rtcp-mux-only")
    section.add("rtcp-rsize")
    for codec in line.codecs {
      section.add("rtpmap", "\(codec.payloadType) \(names(codec.encoding))")
      if codec.encoding == .h264 {
        section.add(
          "fmtp", "\(codec.payloadType) level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
      }
      for known in feedback where line.feedback.contains(known.flag) {
        section.add("rtcp-fb", "\(codec.payloadType) \(known.text)")
      }
      if let repair = codec.retransmissionPayloadType {
        section.add("rtpmap", "\(repair) rtx/\(codec.clockRate)")
        section.add("fmtp", "\(repair) apt=\(codec.payloadType)")
      }
    }
    for known in extensions where line.extensions[keyPath: known.place] != 0 {
      section.add("extmap", "\(line.extensions[keyPath: known.place]) \(known.uri)")
    }
    if let source = line.sources.first {
      section.add("msid", "lesson lesson-\(section.kind)")
      if let repair = source.retransmission { section.add("ssrc-group", "FID \(source.ssrc) \(repair)") }
      for ssrc in [source.ssrc, source.retransmission].compactMap(\.self) {
        section.add("ssrc", "\(ssrc) cname:\(Peer.cname)")
      }
    }
    if isFirst { for candidate in local.candidates { section.add("candidate", candidate.text) } }
    return section
  }

  /// The peer a client sees behind an answer to its offer.
  /// - Throws: `NegotiationError` when nothing usable was accepted.
  public static func apply(
    answer: SessionDescription, to offer: PendingOffer, peer: PeerID, lesson: LessonID, feed: FeedID?
  ) throws(NegotiationError) -> PeerDescription {
    let remote = try transport(of: answer)
    var lines: [MediaLine] = []
    for (index, var line) in offer.lines.enumerated() {
      guard index < answer.media.count, !answer.media[index].isRejected else { continue }
      let section = answer.media[index]
      let accepted = codecs(of: section)
      line.codecs = line.codecs.compactMap { mine in
        guard let theirs = accepted.first(where: { $0.payloadType == mine.payloadType }) else { return nil }
        var codec = mine
        codec.retransmissionPayloadType = theirs.retransmissionPayloadType
        return codec
      }
      guard !line.codecs.isEmpty else { continue }
      line.extensions = extensionIDs(of: section)
      line.feedback = line.feedback.intersection(feedbackSet(of: section, codecs: accepted))
      if line.direction == .receive {
        let pairs = section.retransmissionPairs
        line.sources = section.ssrcs.filter { ssrc in !pairs.contains { $0.retransmission == ssrc } }.map { ssrc in
          AnnouncedSource(ssrc: ssrc, retransmission: pairs.first { $0.media == ssrc }?.retransmission)
        }
      } else if line.codecs.allSatisfy({ $0.retransmissionPayloadType == nil }), let source = line.sources.first {
        line.sources = [AnnouncedSource(ssrc: source.ssrc, retransmission: nil)]
      }
      lines.append(line)
    }
    guard !lines.isEmpty else { throw NegotiationError(reason: .noCommonCodec, line: nil) }
    return PeerDescription(
      id: peer, lesson: lesson, feed: offer.role == .whep ? feed : nil, iceRole: .controlling,
      local: offer.local.credentials, remote: remote.credentials, remoteCandidates: remote.candidates,
      dtlsRole: remote.setup == "active" ? .server : .client, remoteFingerprints: remote.fingerprints,
      reducedSizeRTCP: answer.media.allSatisfy { $0.isRejected || $0.has("rtcp-rsize") }, lines: lines)
  }
}
