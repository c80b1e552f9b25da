import PacketRing
import RTCCore
import RTCWire
import Testing

/// A core with far ends whose keys the test holds: every packet in and out is made and read here.
final class CoreBench {
  /// What has come out for one far end, opened.
  struct Out {
    var header: RTPHeader
    var bytes: [UInt8]
    /// Without padding (RFC 3550 §5.1).
    var payload: [UInt8] {
      let padding = header.hasPadding ? Int(bytes.last ?? 0) : 0
      return Array(bytes[header.payloadOffset..<bytes.count - padding])
    }
  }

  final class FarEnd {
    let id: PeerID
    let path: NetworkPath
    let description: PeerDescription
    var sender: SRTPSender?
    var receiver: SRTPReceiver?
    var seals: [UInt32: SealIndex] = [:]
    var rtp: [Out] = []
    var rtcp: [[UInt8]] = []

    init(id: PeerID, path: NetworkPath, description: PeerDescription) {
      self.id = id
      self.path = path
      self.description = description
    }
  }

  static let lesson = LessonID(rawValue: 1)
  static let feed = FeedID(rawValue: 1)
  static let relay = SocketAddress(ipv4: 0x0A00_0001, port: 4_000)
  static let opus = Codec(encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000)
  static let vp8 = Codec(encoding: .vp8, payloadType: 96, retransmissionPayloadType: 97, clockRate: 90_000)

  let arena = SlotArena(slotCount: 2_048)
  var core: RelayCore
  var egress: EgressArena
  /// How often a drain may fill the arena before other input comes.
  var fillings = Int.max
  var now = Now(monotonic: Instant(microseconds: 1_000_000), ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000))
  var ends: [FarEnd] = []
  var events: [CoreEvent] = []
  /// Trains of pictures and repairs, in the order they left.
  var trains: [Train] = []
  private var nextPort: UInt16 = 5_000

  init(seed: UInt64 = 1, trainLimit: Int = 256) {
    egress = EgressArena(byteCount: 1 << 20, trainLimit: trainLimit)
    var configuration = CoreConfiguration()
    configuration.peerLimit = 16
    configuration.streamLimit = 64
    core = RelayCore(configuration: configuration, arena: arena, seed: seed)
    core.apply(.openLesson(Self.lesson), now: now)
    core.apply(.setStage(Self.lesson, Self.feed), now: now)
  }

  deinit { arena.unmap() }

  static func h264(_ type: UInt8, profile: UInt32 = 0x42E01F, mode: UInt8 = 1) -> Codec {
    Codec(
      encoding: .h264, payloadType: type, retransmissionPayloadType: type + 1, clockRate: 90_000,
      packetizationMode: mode, profileLevelID: profile)
  }

  static func line(
    _ kind: MediaKind, _ direction: MediaLine.Direction, _ codecs: [Codec], mid: String, ssrc: UInt32? = nil
  ) -> MediaLine {
    var extensions = ExtensionIDs()
    extensions.mid = 4
    extensions.transportSequence = 3
    return MediaLine(
      mid: mid, kind: kind, direction: direction, codecs: codecs, extensions: extensions,
      feedback: [.nack, .pli, .transportWide],
      sources: ssrc.map { [AnnouncedSource(ssrc: $0, retransmission: kind == .video ? $0 + 1 : nil)] } ?? [])
  }

  /// Adds a peer and brings it to `connected`.
  @discardableResult
  func connect(
    _ lines: [MediaLine], feed: FeedID? = nil, port: UInt16? = nil, connection: UInt32 = 0
  ) -> FarEnd {
    let number = UInt64(ends.count + 1)
    let fragment = "frag\(number)"
    nextPort += 1
    let local = ICECredentials(userFragment: fragment, password: "abcdefghijklmnopqrstuvwx")
    let description = PeerDescription(
      id: PeerID(rawValue: number), lesson: Self.lesson, feed: feed, iceRole: .lite, local: local,
      remote: ICECredentials(userFragment: "far\(number)", password: "zyxwvutsrqponmlkjihgfedc"), remoteCandidates: [],
      dtlsRole: .server,
      remoteFingerprints: [CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 1, count: 32))],
      reducedSizeRTCP: true, lines: lines)
    let path = NetworkPath(
      local: Self.relay, remote: SocketAddress(ipv4: 0x0A00_0002, port: port ?? nextPort), connection: connection)
    let end = FarEnd(id: description.id, path: path, description: description)
    ends.append(end)
    core.apply(.addPeer(description), now: now)
    check(end)
    func key(_ value: UInt64, _ count: Int) -> [UInt8] { Array(repeating: UInt8(value), count: count) }
    let near = SRTPKeys(
      profile: .aeadAES128GCM, localKey: key(number * 4, 16), localSalt: key(number * 4 + 1, 12),
      remoteKey: key(number * 4 + 2, 16), remoteSalt: key(number * 4 + 3, 12))
    let far = SRTPKeys(
      profile: .aeadAES128GCM, localKey: near.remoteKey, localSalt: near.remoteSalt, remoteKey: near.localKey,
      remoteSalt: near.localSalt)
    end.sender = SRTPSender(keys: far)
    end.receiver = SRTPReceiver(keys: far)
    core.handle(.keysReady(description.id, near), now: now)
    drain()
    return end
  }

  /// The same far end by another connection, from another port: it checks there and goes on with its keys.
  func move(_ end: FarEnd, connection: UInt32) -> FarEnd {
    nextPort += 1
    let path = NetworkPath(
      local: Self.relay, remote: SocketAddress(ipv4: 0x0A00_0002, port: nextPort), connection: connection)
    let moved = FarEnd(id: end.id, path: path, description: end.description)
    moved.sender = end.sender.take()
    moved.receiver = end.receiver.take()
    ends.append(moved)
    check(moved)
    return moved
  }

  /// A signed binding request of a far end.
  func check(_ end: FarEnd) {
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: end.id.rawValue))
    let names = end.description.local.userFragment + ":" + end.description.remote.userFragment
    writer.add(STUNAttribute.username, Array(names.utf8))
    writer.add(STUNAttribute.useCandidate, [])
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: end.description.local.password, $0) } }
    receive(writer.bytes, path: end.path)
  }

  func receive(_ bytes: [UInt8], path: NetworkPath) {
    guard let slot = core.claimSlot() else { return }
    bytes.withUnsafeBytes { arena.pointer(slot).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }  // not empty
    core.receive(slot, byteCount: bytes.count, path: path, now: now)
    drain()
  }

  /// Sends media of a far end; `mid` goes into the header extension.
  func send(
    _ end: FarEnd, type: UInt8, sequence: Int64, timestamp: UInt32, ssrc: UInt32, mid: String, payload: [UInt8],
    isLast: Bool = false
  ) {
    var header = [UInt8](repeating: 0, count: 12)
    header.withUnsafeMutableBytes {
      RTPWriter.writeHeader(
        to: $0.baseAddress!, marker: isLast, payloadType: type, sequence: UInt16(truncatingIfNeeded: sequence),
        timestamp: timestamp, ssrc: ssrc, hasExtension: true, hasPadding: false)
    }
    var block = [0x40 | UInt8(mid.utf8.count - 1)] + Array(mid.utf8)
    while block.count % 4 != 0 { block.append(0) }
    let packet = header + [0xBE, 0xDE, 0, UInt8(block.count / 4)] + block + payload
    var out = [UInt8](repeating: 0, count: packet.count + 16)
    var seal = SealIndex()
    let head = packet.count - payload.count
    let count = packet.withUnsafeBytes { raw in
      out.withUnsafeMutableBytes {
        end.sender!.seal(
          header: UnsafeRawBufferPointer(rebasing: raw[0..<head]),
          prefix: UnsafeRawBufferPointer(start: nil, count: 0),
          payload: UnsafeRawBufferPointer(rebasing: raw[head...]), index: sequence, stream: &seal, into: $0)
      }
    }
    receive(Array(out[0..<count]), path: end.path)
  }

  /// Sends an RTCP compound of a far end.
  func report(_ end: FarEnd, _ body: (inout RTCPWriter) throws -> Void) rethrows {
    var buffer = [UInt8](repeating: 0, count: 1_500)
    let size = try buffer.withUnsafeMutableBytes { raw in
      var writer = RTCPWriter(UnsafeMutableRawBufferPointer(rebasing: raw[0..<1_400]))
      try body(&writer)
      return writer.count
    }
    let count = buffer.withUnsafeMutableBytes { (try? end.sender!.sealRTCP($0, byteCount: size)) ?? 0 }
    receive(Array(buffer[0..<count]), path: end.path)
  }

  func pass(milliseconds: Int64) {
    for _ in 0..<milliseconds {
      now.monotonic = now.monotonic + .milliseconds(1)
      now.ntp = NTPTime(unixMicroseconds: now.ntp.unixMicroseconds + 1_000)
      core.service(now: now)
      core.advance(now: now)
      drain()
    }
  }

  func drain() {
    var isFull = true
    var filled = 0
    while isFull, filled < fillings {
      filled += 1
      isFull = core.drain(into: &egress, now: now)
      for train in egress.trains {
        if !train.isUrgent { trains.append(train) }
        for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
          let count = min(train.segmentByteCount, train.byteCount - offset)
          let bytes = UnsafeRawBufferPointer(start: egress.base + train.offset + offset, count: count)
          open(Array(bytes), path: train.path)
        }
      }
      egress.reset()
    }
    while core.nextHandshakeInput() != nil {}
    while let event = core.nextEvent() { events.append(event) }
  }

  private func open(_ sealed: [UInt8], path: NetworkPath) {
    guard let end = ends.last(where: { $0.path == path && $0.receiver != nil }) else { return }
    var bytes = sealed
    switch bytes.withUnsafeBytes({ classify($0) }) {
    case .rtp:
      guard let header = bytes.withUnsafeBytes({ try? RTPHeader($0) }) else { return }
      let count = bytes.withUnsafeMutableBytes { try? end.receiver!.openRTP($0, header: header) }
      guard let count else { return #expect(Bool(false), "a packet that does not open") }
      end.rtp.append(Out(header: header, bytes: Array(bytes[0..<count])))
    case .rtcp:
      let count = bytes.withUnsafeMutableBytes { try? end.receiver!.openRTCP($0) }
      if let count { end.rtcp.append(Array(bytes[0..<count])) }
    default: break
    }
  }

  /// Ends everything; true when every slot has come back.
  func finish() -> Bool {
    core.apply(.closeLesson(Self.lesson), now: now)
    drain()
    return core.counters.slotsFree == core.counters.slotsTotal && core.unaccountedReferences() == 0
  }
}
