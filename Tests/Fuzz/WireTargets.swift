// What the fuzz targets of packets and session descriptions do with their bytes.
import RTCCore
import RTCWire

let wireTargets: [FuzzTarget] = [
  ("stun", fuzzSTUN), ("rtp", fuzzRTP), ("rtcp", fuzzRTCP), ("transportfeedback", fuzzTransportFeedback),
  ("sdp", fuzzSDP), ("tricklefragment", fuzzTrickleFragment), ("payloads", fuzzPayloads), ("datagram", fuzzDatagram),
]

@Sendable func fuzzSTUN(_ bytes: UnsafeRawBufferPointer) {
  use(ICEAgent.destinationFragment(bytes))
  guard let message = try? STUNMessage(bytes) else { return }
  use(message.username)
  use(message.useCandidate)
  use(message.priority)
  use(message.controlling)
  use(message.controlled)
  use(message.errorCode)
  use(message.xorMappedAddress?.description)
  if let input = message.integrityInput { use(input.tag.count + input.bytes.count) }
  use(message.value(UInt16(truncatingIfNeeded: bytes.count)))
}

@Sendable func fuzzRTP(_ bytes: UnsafeRawBufferPointer) {
  use(classify(bytes))
  guard let header = try? RTPHeader(bytes) else { return }
  for id in UInt8.min...UInt8.max {
    if let range = findExtension(id: id, in: bytes, header: header) { for offset in range { use(bytes[offset]) } }
  }
  use(UnsafeRawBufferPointer(rebasing: bytes[header.payloadOffset...]).count)
}

@Sendable func fuzzRTCP(_ bytes: UnsafeRawBufferPointer) {
  guard let packets = try? RTCPPackets(validating: bytes) else { return }
  for packet in packets {
    switch packet {
    case .senderReport(let report):
      use(report.ntp.unixMicroseconds)
      for block in report.reports { use(block) }
    case .receiverReport(_, let blocks): for block in blocks { use(block) }
    case .nack(_, _, let items): for item in items { use(item) }
    case .transportFeedback(let feedback): for item in feedback { use(item) }
    case .fullIntraRequest(_, let entries): for entry in entries { use(entry) }
    case .remb(let rate, let sources):
      use(rate)
      for source in sources { use(source) }
    case .bye(let sources): for source in sources { use(source) }
    case .pictureLoss, .sourceDescription, .unknown: break
    }
  }
}

/// The bytes are the body of a feedback packet behind its first twelve bytes, padded to a multiple of four.
@Sendable func fuzzTransportFeedback(_ bytes: UnsafeRawBufferPointer) {
  let body = Array(bytes.prefix(65_000))
  var packet: [UInt8] = [0x8F, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2] + body
  while packet.count % 4 != 0 { packet.append(0) }
  packet[2] = UInt8((packet.count / 4 - 1) >> 8)
  packet[3] = UInt8((packet.count / 4 - 1) & 255)
  packet.withUnsafeBytes { fuzzRTCP($0) }
}

@Sendable func fuzzSDP(_ bytes: UnsafeRawBufferPointer) {
  guard let offer = try? SessionDescription(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
  use(offer.text)
  for section in offer.media {
    use(section.rtpMaps)
    use(section.candidates.map(\.text))
    use(section.sendRIDs)
  }
  let local = LocalTransport(
    credentials: ICECredentials(userFragment: "abcd", password: "abcdefghijklmnopqrstuv"),
    fingerprint: CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 7, count: 32)),
    candidates: [], sessionID: 1)
  for role in [NegotiationRole.whip, .whep] {
    var random = SplitMix64(seed: 1)
    let result = try? Negotiation.answer(
      offer: offer, role: role, local: local, peer: PeerID(rawValue: 1), lesson: LessonID(rawValue: 1),
      feed: FeedID(rawValue: 1), random: &random)
    guard let result else { continue }
    // What we answer we can read.
    precondition((try? SessionDescription(parsing: result.answer.text)) != nil, "an answer that cannot be read")
  }
  var random = SplitMix64(seed: 2)
  let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
  let pending = Negotiation.offer(role: .whep, tracks: tracks, local: local, random: &random)
  use(
    try? Negotiation.apply(
      answer: offer, to: pending, peer: PeerID(rawValue: 1), lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1)))
}

@Sendable func fuzzTrickleFragment(_ bytes: UnsafeRawBufferPointer) {
  guard let fragment = try? SDPFragment(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
  for candidate in fragment.candidates { use(candidate.socketAddress?.description) }
  use(fragment.text)
}

@Sendable func fuzzPayloads(_ bytes: UnsafeRawBufferPointer) {
  use(startsH264KeyFrame(bytes))
  use(carriesH264ParameterSet(bytes))
  use(h264PictureHeight(bytes))
  use(startsH265KeyFrame(bytes))
  use(startsVP9KeyFrame(bytes))
  use(startsAV1KeyFrame(bytes))
  use(vp8KeyFrameHeight(bytes))
  guard let descriptor = VP8Descriptor(bytes) else { return }
  use(descriptor.startsKeyFrame(bytes))
  var copy = [UInt8](repeating: 0, count: 16)
  let written = copy.withUnsafeMutableBytes {
    descriptor.write(to: $0, original: bytes, pictureID: 0x7FFF, tl0PicIdx: descriptor.tl0PicIdx)
  }
  guard written > 0 else { return }
  copy.withUnsafeBytes { raw in
    let again = VP8Descriptor(UnsafeRawBufferPointer(rebasing: raw[0..<written]))
    precondition(again?.pictureID == 0x7FFF && again?.byteCount == written, "a descriptor that reads back otherwise")
  }
}
