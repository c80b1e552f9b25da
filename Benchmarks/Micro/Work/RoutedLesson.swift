import PacketRing
import RTCCore
import RTCWire

/// A relay's core with a source and receivers that connected once and then say nothing, in virtual time.
final class RoutedLesson {
  private static let injection = InjectionID(rawValue: 1)
  private static let lesson = LessonID(rawValue: 1)
  private static let relayAddress = SocketAddress(ipv4: 0x7F00_0001, port: 5_000)

  private let arena = SlotArena(slotCount: 8_192)
  private let clientArena = SlotArena(slotCount: 1_024)
  private let relay = UnsafeMutablePointer<RelayCore>.allocate(capacity: 1)
  private var clients: RelayCore
  private let egress = UnsafeMutablePointer<EgressArena>.allocate(capacity: 1)
  private var source: InjectionEnd
  private var now = Instant(microseconds: 1_000_000)
  private var sequence: UInt16 = 1_000
  private let body = MicroWork.packet()

  init(receivers: Int) {
    var configuration = CoreConfiguration()
    configuration.cipher = .openSSL
    relay.initialize(to: RelayCore(configuration: configuration, arena: arena, seed: 1))
    clients = RelayCore(configuration: configuration, arena: clientArena, seed: 2)
    egress.initialize(to: EgressArena())
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    source = InjectionEnd(packets: packets.producer, grants: grants.consumer)
    relay.pointee.attachInjection(Self.injection, packets: packets.consumer, grants: grants.producer)
    relay.pointee.apply(.openLesson(Self.lesson), now: pair)
    relay.pointee.apply(.setStage(Self.lesson, Pairing.feed), now: pair)
    for number in 0...UInt32(receivers) { connect(number) }
    for _ in 0..<2_000 { step() }
    precondition(relay.pointee.counters.peers == UInt64(receivers), "all receivers are connected")
    forward(100)
    precondition(relay.pointee.counters.packetsSent >= UInt64(100 * receivers), "all packets are forwarded")
  }

  private var pair: Now {
    Now(monotonic: now, ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000 + now.microseconds))
  }

  /// The first is the source's: its lines alone are used.
  private func connect(_ number: UInt32) {
    let fingerprint = CertificateFingerprint(algorithm: "sha-256", digest: [UInt8](repeating: 1, count: 32))
    guard
      let pairing = try? Pairing(
        role: number == 0 ? .whip : .whep, number: UInt64(number) + 1, lesson: LessonID(rawValue: number + 1),
        relayLesson: Self.lesson,
        addresses: (Self.relayAddress, SocketAddress(ipv4: 0x7F01_0000 + number, port: 6_000)),
        fingerprints: (fingerprint, fingerprint))
    else { fatalError("our own offers are answered") }
    if number == 0 {
      relay.pointee.apply(
        .openInjection(Self.lesson, Pairing.feed, injection: Self.injection, lines: pairing.lines), now: pair)
    } else {
      relay.pointee.apply(.addPeer(pairing.relay), now: pair)
      pairing.apply(injection: Self.injection, to: &clients, now: pair)
    }
  }

  private func keys(_ peer: PeerID, isRelay: Bool) -> SRTPKeys {
    let ends = [UInt8(truncatingIfNeeded: peer.rawValue), UInt8(truncatingIfNeeded: peer.rawValue) ^ 0xFF]
    let (own, other) = isRelay ? (ends[0], ends[1]) : (ends[1], ends[0])
    return SRTPKeys(
      profile: .aeadAES128GCM, localKey: Array(repeating: own, count: 16), localSalt: Array(repeating: own, count: 12),
      remoteKey: Array(repeating: other, count: 16), remoteSalt: Array(repeating: other, count: 12))
  }

  /// A millisecond in which both sides say what they have to.
  private func step() {
    now = now + .milliseconds(1)
    relay.pointee.service(now: pair)
    clients.advance(now: pair)
    carry(from: &clients, to: &relay.pointee, arena, isRelay: false)
    relay.pointee.advance(now: pair)
    carry(from: &relay.pointee, to: &clients, clientArena, isRelay: true)
  }

  private func carry(from: inout RelayCore, to: inout RelayCore, _ memory: SlotArena, isRelay: Bool) {
    var isFull = true
    while isFull {
      isFull = from.drain(into: &egress.pointee, now: pair)
      for train in egress.pointee.trains {
        for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
          guard let slot = to.claimSlot() else { fatalError("the cores have slots") }
          let count = min(train.segmentByteCount, train.byteCount - offset)
          memory.pointer(slot).copyMemory(from: egress.pointee.base + train.offset + offset, byteCount: count)
          to.receive(
            slot, byteCount: count, path: NetworkPath(local: train.path.remote, remote: train.path.local), now: pair)
        }
      }
      egress.pointee.reset()
    }
    while let input = from.nextHandshakeInput() {
      if case .start(let peer, _, _) = input { from.handle(.keysReady(peer, keys(peer, isRelay: isRelay)), now: pair) }
    }
    while from.nextEvent() != nil {}
  }

  /// So many packets in, each four milliseconds after the last, and out to all receivers.
  func forward(_ count: Int) {
    for _ in 0..<count {
      now = now + .milliseconds(4)
      guard let slot = source.grants.pop() else { fatalError("the core grants slots") }
      body.withUnsafeBytes { arena.pointer(slot).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }  // not empty
      let place = arena.pointer(slot)
      RTPWriter.writeHeader(
        to: place, marker: true, payloadType: 102, sequence: sequence, timestamp: UInt32(sequence) &* 360, ssrc: 1,
        hasExtension: true, hasPadding: false)
      place.storeBytes(of: 0x67, toByteOffset: 24, as: UInt8.self)
      sequence &+= 1
      let packet = InjectedPacket(
        slot: slot, byteCount: UInt16(body.count), line: 1, captureTime: now.microseconds)
      guard source.packets.push(packet) else { fatalError("the core takes packets") }
      relay.pointee.service(now: pair)
      relay.pointee.advance(now: pair)
      while relay.pointee.drain(into: &egress.pointee, now: pair) { egress.pointee.reset() }
      egress.pointee.reset()
      while relay.pointee.nextEvent() != nil {}
    }
  }
}

struct InjectionEnd: ~Copyable {
  var packets: LaneProducer<InjectedPacket>
  var grants: LaneConsumer<SlotIndex>
}
