public import RTCWire

extension Negotiation {
  /// Answers a WHIP or WHEP offer and says what the worker needs to know of the peer.
  ///
  /// ICE-lite, one bundled transport, DTLS server unless the client insists on being it. Every accepted section keeps
  /// all codecs both sides share, payload types as offered.
  /// - Throws: `NegotiationError`, which names the line.
  public static func answer(
    offer: SessionDescription, role: NegotiationRole, local: LocalTransport, peer: PeerID, lesson: LessonID,
    feed: FeedID?, random: inout some RandomNumberGenerator
  ) throws(NegotiationError) -> (answer: SessionDescription, peer: PeerDescription) {
    guard offer.media.count <= lineLimit else { throw NegotiationError(reason: .tooManyLines, line: nil) }
    let remote = try transport(of: offer)
    try checkBundle(offer)
    var answer = SessionDescription(origin: "- \(local.sessionID) 1 IN IP4 127.0.0.1")
    var builder = AnswerBuilder(role: role, local: local, isPassive: remote.setup != "passive", random: random)
    var lines: [MediaLine] = []
    var mids: [String] = []
    for section in offer.media {
      let accepted = try builder.line(for: section)
      if let line = accepted {
        guard !mids.contains(line.mid) else { throw NegotiationError(reason: .duplicateMID, line: section.line) }
        mids.append(line.mid)
        answer.media.append(builder.section(for: section, line: line, isFirst: lines.isEmpty))
        lines.append(line)
      } else {
        answer.media.append(builder.rejection(of: section))
      }
    }
    random = builder.random
    guard !lines.isEmpty else { throw builder.firstRefusal ?? NegotiationError(reason: .noMedia, line: nil) }
    answer.attributes.append(SDPAttribute("ice-lite"))
    if offer.bundle != nil { answer.attributes.append(SDPAttribute("group", "BUNDLE " + mids.joined(separator: " "))) }
    if offer.attributes.contains(where: { $0.name == "extmap-allow-mixed" }) {
      answer.attributes.append(SDPAttribute("extmap-allow-mixed"))
    }
    answer.attributes.append(SDPAttribute("msid-semantic", " WMS *"))
    let description = PeerDescription(
      id: peer, lesson: lesson, feed: role == .whip ? feed : nil, iceRole: .lite, local: local.credentials,
      remote: remote.credentials, remoteCandidates: [], dtlsRole: remote.setup == "passive" ? .client : .server,
      remoteFingerprints: remote.fingerprints,
      reducedSizeRTCP: offer.media.allSatisfy { $0.isRejected || $0.has("rtcp-rsize") }, lines: lines)
    return (answer, description)
  }

  /// One transport only: several sections must be bundled, each of RTP's must multiplex RTCP.
  private static func checkBundle(_ offer: SessionDescription) throws(NegotiationError) {
    let used = offer.media.filter { !$0.isRejected }
    let bundle = offer.bundle ?? []
    for section in used {
      guard section.kind == "application" || section.has("rtcp-mux") || section.has("rtcp-mux-only") else {
        throw NegotiationError(reason: .noMultiplexing, line: section.line)
      }
      guard used.count == 1 || bundle.contains(section.mid ?? "") else {
        throw NegotiationError(reason: .notBundled, line: section.line)
      }
    }
  }
}

/// Builds the answer section by section.
private struct AnswerBuilder<Random: RandomNumberGenerator> {
  let role: NegotiationRole
  let local: LocalTransport
  let isPassive: Bool
  var random: Random
  /// Why the first line that is refused alone is refused; the reason for the whole when none is left.
  private(set) var firstRefusal: NegotiationError?
  private var counts: [String: Int] = [:]

  init(role: NegotiationRole, local: LocalTransport, isPassive: Bool, random: Random) {
    self.role = role
    self.local = local
    self.isPassive = isPassive
    self.random = random
  }

  /// A receiver's line may be refused alone (RFC 3264 §6); a publisher's refuses the whole offer (RFC 9725 §4.2).
  private mutating func refuse(
    _ section: MediaDescription, _ reason: NegotiationError.Reason
  ) throws(NegotiationError) -> MediaLine? {
    let error = NegotiationError(reason: reason, line: section.line)
    if role == .whip { throw error }
    firstRefusal = firstRefusal ?? error
    return nil
  }

  /// The line a section becomes; nil when it is refused with port 0.
  mutating func line(for section: MediaDescription) throws(NegotiationError) -> MediaLine? {
    guard !section.isRejected, section.kind == "audio" || section.kind == "video" else { return nil }
    guard section.transport.hasSuffix("RTP/SAVPF") || section.transport.hasSuffix("RTP/SAVP") else {
      throw NegotiationError(reason: .unsupportedTransport, line: section.line)
    }
    let wanted = role == .whip ? ["sendonly", "sendrecv"] : ["recvonly", "sendrecv"]
    guard wanted.contains(section.direction) else { return try refuse(section, .wrongDirection) }
    let count = (counts[section.kind] ?? 0) + 1
    counts[section.kind] = count
    guard role == .whep || count == 1 else { throw NegotiationError(reason: .tooManyTracks, line: section.line) }
    var codecs = Negotiation.codecs(of: section)
    guard !codecs.isEmpty else { return try refuse(section, .noCommonCodec) }
    if role == .whip { codecs = preferred(codecs) }
    let mid = section.mid ?? String(count)
    guard !mid.isEmpty, mid.utf8.count <= 16 else { return nil }
    var line = MediaLine(
      mid: mid, kind: section.kind == "audio" ? .audio : .video, direction: role == .whip ? .receive : .send,
      codecs: codecs, extensions: Negotiation.extensionIDs(of: section),
      feedback: Negotiation.feedbackSet(of: section, codecs: codecs))
    if role == .whip {
      line.rids = Array(section.sendRIDs.prefix(3))
      let pairs = section.retransmissionPairs
      line.sources = section.ssrcs.prefix(8).filter { ssrc in !pairs.contains { $0.retransmission == ssrc } }.map {
        ssrc in AnnouncedSource(ssrc: ssrc, retransmission: pairs.first { $0.media == ssrc }?.retransmission)
      }
    } else {
      let hasRepair = codecs.contains { $0.retransmissionPayloadType != nil }
      line.sources = [AnnouncedSource(ssrc: nextSSRC(), retransmission: hasRepair ? nextSSRC() : nil)]
    }
    return line
  }

  private mutating func nextSSRC() -> UInt32 { UInt32.random(in: 1..<UInt32.max, using: &random) }

  /// For publishers: H.264 in mode 1, constrained baseline first, since every receiver decodes it; then the rest as
  /// offered.
  private func preferred(_ codecs: [Codec]) -> [Codec] {
    func rank(_ codec: Codec) -> Int {
      guard codec.encoding == .h264 else { return 4 }
      guard codec.packetizationMode == 1 else { return 3 }
      if codec.profileLevelID >> 8 == 0x42E0 { return 0 }
      return codec.profileLevelID >> 16 == 0x42 ? 1 : 2
    }
    return codecs.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  func rejection(of section: MediaDescription) -> MediaDescription {
    var answer = MediaDescription(
      kind: section.kind, port: 0, transport: section.transport, formats: Array(section.formats.prefix(1)))
    if let mid = section.mid { answer.add("mid", mid) }
    answer.add("inactive")
    return answer
  }

  func section(for offered: MediaDescription, line: MediaLine, isFirst: Bool) -> MediaDescription {
    var formats: [String] = []
    for codec in line.codecs {
      formats.append(String(codec.payloadType))
      if let repair = codec.retransmissionPayloadType { formats.append(String(repair)) }
    }
    var section = MediaDescription(kind: offered.kind, port: 9, transport: offered.transport, formats: formats)
    section.add("mid", line.mid)
    section.add("ice-ufrag", local.credentials.userFragment)
    section.add("ice-pwd", local.credentials.password)
    section.add("fingerprint", Negotiation.text(of: local.fingerprint))
    section.add("setup", isPassive ? "passive" : "active")
    section.add(line.direction == .receive ? "recvonly" : "sendonly")
    section.add("rtcp-mux")
    if offered.has("rtcp-mux-only") { section.add("rtcp-mux-only") }
    if offered.has("rtcp-rsize") { section.add("rtcp-rsize") }
    addCodecs(to: &section, offered: offered, line: line)
    for entry in offered.extensionMap {
      guard let known = Negotiation.extensions.first(where: { $0.uri == entry.uri }),
        line.extensions[keyPath: known.place] == entry.id
      else { continue }
      section.add("extmap", "\(entry.id) \(entry.uri)")
    }
    if !line.rids.isEmpty {
      for rid in line.rids { section.add("rid", "\(rid) recv") }
      section.add("simulcast", "recv " + line.rids.joined(separator: ";"))
    }
    if line.direction == .send { addSources(to: &section, line: line) }
    // All candidates go into the first section of the bundle; clients that read only one line find the best first.
    if isFirst {
      for candidate in local.candidates { section.add("candidate", candidate.text) }
      section.add("end-of-candidates")
    }
    return section
  }

  private func addCodecs(to section: inout MediaDescription, offered: MediaDescription, line: MediaLine) {
    for codec in line.codecs {
      let payloadType = codec.payloadType
      if let map = offered.all("rtpmap").first(where: { $0.hasPrefix("\(payloadType) ") }) {
        section.add("rtpmap", map)
      }
      for parameters in offered.all("fmtp") where parameters.hasPrefix("\(payloadType) ") {
        section.add("fmtp", parameters)
      }
      let wanted = offered.feedback(payloadType)
      for known in Negotiation.feedback where wanted.contains(known.text) {
        section.add("rtcp-fb", "\(payloadType) \(known.text)")
      }
      if let repair = codec.retransmissionPayloadType {
        section.add("rtpmap", "\(repair) rtx/\(codec.clockRate)")
        section.add("fmtp", "\(repair) apt=\(payloadType)")
      }
    }
  }

  /// One SSRC for the pane; audio and video of one pane share a stream id, so that browsers keep their lips in step.
  private func addSources(to section: inout MediaDescription, line: MediaLine) {
    guard let source = line.sources.first else { return }
    let pane = (counts[section.kind] ?? 1) - 1
    let stream = "pane\(pane)"
    section.add("msid", "\(stream) \(stream)-\(section.kind)")
    if let retransmission = source.retransmission {
      section.add("ssrc-group", "FID \(source.ssrc) \(retransmission)")
    }
    for ssrc in [source.ssrc, source.retransmission].compactMap(\.self) {
      section.add("ssrc", "\(ssrc) cname:\(Peer.cname)")
      section.add("ssrc", "\(ssrc) msid:\(stream) \(stream)-\(section.kind)")
    }
  }
}
