import PacketRing
import RTCCore
import RTCWire

/// A relay core with one connected peer that publishes and watches, and its far end's keys: what a datagram meets.
///
/// The input is a row of steps `[kind 1 | count 2 | bytes]`. Kinds: 0 a datagram on the peer's path, 1 one from a
/// stranger, 2 RTP that the far end seals, 3 RTCP that it seals, 4 attributes of a STUN request that it signs, 5 time
/// that passes, 6 a pane switch.
@Sendable func fuzzDatagram(_ bytes: UnsafeRawBufferPointer) {
  let arena = SlotArena(slotCount: 256)
  defer { arena.unmap() }
  var bench = DatagramBench(arena: arena)
  var offset = 0
  var steps = 0
  while offset + 3 <= bytes.count, steps < 64 {
    let kind = bytes[offset]
    let count = min(Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2]), bytes.count - offset - 3)
    bench.step(kind, UnsafeRawBufferPointer(rebasing: bytes[offset + 3..<offset + 3 + count]))
    offset += 3 + count
    steps += 1
  }
  bench.finish()
}

struct DatagramBench: ~Copyable {
  static let path = NetworkPath(
    local: SocketAddress(ipv4: 0x7F00_0001, port: 4_000), remote: SocketAddress(ipv4: 0x7F00_0002, port: 5_000))
  static let relay = ICECredentials(userFragment: "relay", password: "abcdefghijklmnopqrstuvwx")
  static let client = ICECredentials(userFragment: "client", password: "zyxwvutsrqponmlkjihgfedc")
  static let feed = FeedID(rawValue: 1)

  let arena: SlotArena
  var core: RelayCore
  var egress = EgressArena(byteCount: 1 << 18, trainLimit: 64)
  var farSender: SRTPSender
  var seal = SealIndex()
  var now = Now(monotonic: Instant(microseconds: 1_000_000), ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000))

  init(arena: SlotArena) {
    self.arena = arena
    var configuration = CoreConfiguration()
    configuration.peerLimit = 4
    configuration.streamLimit = 16
    configuration.lessonLimit = 2
    core = RelayCore(configuration: configuration, arena: arena, seed: 1)
    func key(_ value: UInt8, _ count: Int) -> [UInt8] { Array(repeating: value, count: count) }
    farSender = SRTPSender(
      keys: SRTPKeys(
        profile: .aeadAES128GCM, localKey: key(1, 16), localSalt: key(2, 12), remoteKey: key(3, 16),
        remoteSalt: key(4, 12)))
    core.apply(.openLesson(LessonID(rawValue: 1)), now: now)
    core.apply(.setStage(LessonID(rawValue: 1), Self.feed), now: now)
    core.apply(.addPeer(Self.description(id: 1, feed: Self.feed)), now: now)
    sign([])
    let id = PeerID(rawValue: 1)
    core.handle(
      .keysReady(
        id,
        SRTPKeys(
          profile: .aeadAES128GCM, localKey: key(3, 16), localSalt: key(4, 12), remoteKey: key(1, 16),
          remoteSalt: key(2, 12))), now: now)
    drain()
  }

  private static func description(id: UInt64, feed: FeedID) -> PeerDescription {
    var extensions = ExtensionIDs()
    extensions.mid = 4
    extensions.rid = 10
    extensions.repairedRID = 11
    extensions.transportSequence = 3
    extensions.absoluteSendTime = 2
    var audio = extensions
    audio.audioLevel = 1
    let opus = Codec(encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000)
    let video = [
      Codec(
        encoding: .h264, payloadType: 102, retransmissionPayloadType: 103, clockRate: 90_000, packetizationMode: 1,
        profileLevelID: 0x42E01F),
      Codec(encoding: .vp8, payloadType: 96, retransmissionPayloadType: 97, clockRate: 90_000),
      Codec(encoding: .vp9, payloadType: 98, retransmissionPayloadType: nil, clockRate: 90_000),
      Codec(encoding: .av1, payloadType: 45, retransmissionPayloadType: nil, clockRate: 90_000),
      Codec(encoding: .h265, payloadType: 49, retransmissionPayloadType: nil, clockRate: 90_000),
    ]
    let all: FeedbackSet = [.nack, .pli, .fir, .remb, .transportWide]
    return PeerDescription(
      id: PeerID(rawValue: id), lesson: LessonID(rawValue: 1), feed: feed, iceRole: .lite, local: relay,
      remote: client, remoteCandidates: [], dtlsRole: .server,
      remoteFingerprints: [CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 1, count: 32))],
      reducedSizeRTCP: true,
      lines: [
        MediaLine(mid: "0", kind: .audio, direction: .receive, codecs: [opus], extensions: audio, feedback: all),
        MediaLine(
          mid: "1", kind: .video, direction: .receive, codecs: video, extensions: extensions, feedback: all,
          rids: ["q", "h", "f"], sources: [AnnouncedSource(ssrc: 77, retransmission: 78)]),
        MediaLine(
          mid: "2", kind: .video, direction: .send, codecs: video, extensions: extensions, feedback: all,
          sources: [AnnouncedSource(ssrc: 501, retransmission: 502)]),
        MediaLine(
          mid: "3", kind: .audio, direction: .send, codecs: [opus], extensions: audio, feedback: all,
          sources: [AnnouncedSource(ssrc: 503, retransmission: nil)]),
      ])
  }

  mutating func step(_ kind: UInt8, _ bytes: UnsafeRawBufferPointer) {
    switch kind % 7 {
    case 0: receive(bytes, path: Self.path)
    case 1:
      var path = Self.path
      path.remote.port = 6_000
      receive(bytes, path: path)
    case 2: receiveSealedRTP(bytes)
    case 3: receiveSealedRTCP(bytes)
    case 4: sign(Array(bytes.prefix(1_000)))
    case 5: pass(milliseconds: bytes.prefix(2).reduce(1) { $0 * 8 + Int64($1) })
    default:
      let mid = bytes.first.map { $0 & 1 == 0 ? "2" : "3" } ?? "2"
      let source: PaneSource = bytes.count > 1 && bytes[1] & 1 == 0 ? .feed(FeedID(rawValue: 2)) : .feed(Self.feed)
      core.apply(
        .setPane(PeerID(rawValue: 1), mid: mid, source: source, maxHeight: UInt16(bytes.count)), now: now)
    }
    drain()
  }

  private mutating func receive(_ bytes: UnsafeRawBufferPointer, path: NetworkPath) {
    guard bytes.count <= arena.stride, let slot = core.claimSlot() else { return }
    if let base = bytes.baseAddress { arena.pointer(slot).copyMemory(from: base, byteCount: bytes.count) }
    core.receive(slot, byteCount: bytes.count, path: path, now: now)
  }

  private mutating func receiveSealedRTP(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 12, bytes.count <= 1_560 else { return }
    var packet = Array(bytes)
    packet[0] = packet[0] & 0x3F | 0x80
    packet[1] = (192...223).contains(packet[1]) ? packet[1] & 0x3F : packet[1]
    // The index must grow; how far is the input's choice. One counter serves all sources.
    let index = seal.last + 1 + Int64(packet[3] & 0x0F)
    packet[2] = UInt8(truncatingIfNeeded: index >> 8)
    packet[3] = UInt8(truncatingIfNeeded: index)
    guard let header = packet.withUnsafeBytes({ try? RTPHeader($0) }) else { return }
    var sealed = [UInt8](repeating: 0, count: packet.count + 16)
    let count = packet.withUnsafeBytes { raw in
      sealed.withUnsafeMutableBytes {
        farSender.seal(
          header: UnsafeRawBufferPointer(rebasing: raw[0..<header.payloadOffset]),
          prefix: UnsafeRawBufferPointer(start: nil, count: 0),
          payload: UnsafeRawBufferPointer(rebasing: raw[header.payloadOffset...]), index: index, stream: &seal,
          into: $0)
      }
    }
    sealed.withUnsafeBytes { receive(UnsafeRawBufferPointer(rebasing: $0[0..<count]), path: Self.path) }
  }

  private mutating func receiveSealedRTCP(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 8, bytes.count <= 1_500 else { return }
    var packet = Array(bytes) + [UInt8](repeating: 0, count: 64)
    packet[0] = packet[0] & 0x3F | 0x80
    packet[1] = 192 | packet[1] & 0x1F
    let count = packet.withUnsafeMutableBytes { try? farSender.sealRTCP($0, byteCount: bytes.count) }
    guard let count else { return }
    packet.withUnsafeBytes { receive(UnsafeRawBufferPointer(rebasing: $0[0..<count]), path: Self.path) }
  }

  /// A binding request of the far end with further attributes before its integrity.
  private mutating func sign(_ attributes: [UInt8]) {
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: UInt64(attributes.count)))
    writer.add(STUNAttribute.username, Array((Self.relay.userFragment + ":" + Self.client.userFragment).utf8))
    var rest = attributes[...]
    while rest.count >= 3 {
      let count = min(Int(rest.removeFirst()) & 0x3F, rest.count - 1)
      let type = UInt16(rest.removeFirst())
      writer.add(type, Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: Self.relay.password, $0) } }
    writer.bytes.withUnsafeBytes { receive($0, path: Self.path) }
  }

  private mutating func pass(milliseconds: Int64) {
    now.monotonic = now.monotonic + .milliseconds(milliseconds)
    now.ntp = NTPTime(unixMicroseconds: now.ntp.unixMicroseconds + milliseconds * 1_000)
    core.service(now: now)
    core.advance(now: now)
  }

  private mutating func drain() {
    while core.drain(into: &egress, now: now) { egress.reset() }
    egress.reset()
    while core.nextHandshakeInput() != nil {}
    while core.nextEvent() != nil {}
  }

  /// Ends the lesson: every slot comes back.
  mutating func finish() {
    core.apply(.closeLesson(LessonID(rawValue: 1)), now: now)
    drain()
    precondition(core.counters.slotsFree == core.counters.slotsTotal, "slots are lost")
  }
}
