import PacketRing
import RTCCore
import RTCWire

/// A lesson in memory and in virtual time: a relay's core, and another one that holds all its clients.
///
/// Nothing is late, and nothing is lost but what is asked for. DTLS is left out: both sides are told their keys. What the relay does is handed
/// to a meter call by call; the clients' work is not.
final class MemoryLesson {
  /// The relay's kinds of work: RTP in; RTP out; answers to NACKs; and all else, as RTCP, STUN, timers, events.
  enum Work: CaseIterable { case ingest, media, repair, control }

  private static let lesson = LessonID(rawValue: 1)
  private static let injection = InjectionID(rawValue: 1)
  private static let relayAddress = SocketAddress(ipv4: 0x7F00_0001, port: 5_000)
  private static let clientPort: UInt16 = 6_000

  private struct Datagram {
    var path: NetworkPath
    var offset: Int
    var byteCount: Int
    var isMedia: Bool
  }

  private(set) var now = Instant(microseconds: 1_000_000)
  /// A media packet as it came to the relay, without its tag.
  struct PacketSize {
    /// Packets of one moment came together.
    var at: Int64
    var header: Int
    var payload: Int
  }
  private var recordsSizes = false
  private var sizes: [PacketSize] = []

  /// Not a property: the exclusive accesses of this class would be counted as the relay's.
  private let relayPlace = UnsafeMutablePointer<RelayCore>.allocate(capacity: 1)
  private let relayEgressPlace = UnsafeMutablePointer<EgressArena>.allocate(capacity: 1)
  private var clients: RelayCore
  private let relayArena = SlotArena(slotCount: 16_384)
  private let clientArena = SlotArena(slotCount: 65_536)
  private var clientEgress = EgressArena(byteCount: 8 << 20, trainLimit: 8_192)
  private var source: InjectionEnd
  private var pattern: VideoPattern
  private var upward: [Datagram] = []
  private var upwardBytes: [UInt8] = []
  private var slots: [SlotIndex] = []
  private let meter: WorkMeter
  private let profile: SRTPProfile
  /// Share of media lost on the way up and on each way down, in 65,536ths.
  private let loss: UInt64
  private var dice: UInt64 = 1

  init(receivers: Int, bitsPerSecond: Int, profile: SRTPProfile, loss: Double, meter: WorkMeter) throws {
    self.meter = meter
    self.loss = UInt64(loss * 65_536)
    self.profile = profile
    var configuration = CoreConfiguration()
    configuration.peerLimit = 256
    configuration.lessonLimit = 256
    configuration.streamLimit = 1_024
    relayPlace.initialize(to: RelayCore(configuration: configuration, arena: relayArena, seed: 1))
    relayEgressPlace.initialize(to: EgressArena(byteCount: 8 << 20, trainLimit: 8_192))
    // What a client has received nobody asks of it again.
    configuration.pictureGroupAge = .milliseconds(200)
    clients = RelayCore(configuration: configuration, arena: clientArena, seed: 2)
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    source = InjectionEnd(packets: packets.producer, grants: grants.consumer)
    pattern = VideoPattern(bitsPerSecond: bitsPerSecond, start: Instant(microseconds: 1_200_000))
    upward.reserveCapacity(4_096)
    upwardBytes.reserveCapacity(8 << 20)
    slots.reserveCapacity(4_096)
    clients.attachInjection(Self.injection, packets: packets.consumer, grants: grants.producer)
    relayPlace.pointee.apply(.openLesson(Self.lesson), now: pair)
    relayPlace.pointee.apply(.setStage(Self.lesson, Pairing.feed), now: pair)
    for number in 0...receivers { try connect(UInt32(number), role: number == 0 ? .whip : .whep) }
  }

  deinit {
    relayPlace.deinitialize(count: 1)
    relayEgressPlace.deinitialize(count: 1)
    relayPlace.deallocate()
    relayEgressPlace.deallocate()
    relayArena.unmap()
    clientArena.unmap()
  }

  var counters: CoreCounters { relayPlace.pointee.counters }

  func startRecordingSizes() {
    sizes.removeAll(keepingCapacity: true)
    recordsSizes = true
  }

  /// What came to the relay since the recording began; ends it.
  func takeSizes() -> [PacketSize] {
    recordsSizes = false
    return sizes
  }

  private var pair: Now {
    Now(monotonic: now, ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000 + now.microseconds))
  }

  private func isLost() -> Bool {
    dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return dice >> 33 & 0xFFFF < loss
  }

  // MARK: Connecting

  private func connect(_ number: UInt32, role: NegotiationRole) throws {
    let fingerprint = CertificateFingerprint(algorithm: "sha-256", digest: [UInt8](repeating: 1, count: 32))
    let address = SocketAddress(ipv4: 0x7F01_0000 | (number + 1), port: Self.clientPort)
    let pairing = try Pairing(
      role: role, number: UInt64(number) + 1, lesson: LessonID(rawValue: number + 1), relayLesson: Self.lesson,
      addresses: (Self.relayAddress, address), fingerprints: (fingerprint, fingerprint))
    relayPlace.pointee.apply(.addPeer(pairing.relay), now: pair)
    pairing.apply(injection: Self.injection, to: &clients, now: pair)
  }

  /// The master keys of a peer's session, as the relay or the client has them.
  private func keys(of peer: PeerID, isRelay: Bool) -> SRTPKeys {
    func bytes(_ count: Int, _ salt: UInt8) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: Int(peer.rawValue) &* 31 &+ $0 &* 7) ^ salt }
    }
    let key = profile.masterKeyByteCount
    let salt = profile.masterSaltByteCount
    let down = (bytes(key, 0x11), bytes(salt, 0x22))
    let up = (bytes(key, 0x33), bytes(salt, 0x44))
    let local = isRelay ? down : up
    let remote = isRelay ? up : down
    return SRTPKeys(
      profile: profile, localKey: local.0, localSalt: local.1, remoteKey: remote.0, remoteSalt: remote.1)
  }

  // MARK: Time

  /// Lets virtual time pass, a millisecond a step.
  func run(milliseconds: Int) {
    for _ in 0..<milliseconds {
      now = now + .milliseconds(1)
      step()
    }
  }

  private func step() {
    if pattern.nextDeadline <= now {
      _ = pattern.write(into: &source, arena: clientArena, now: now)
    }
    clients.service(now: pair)
    clients.advance(now: pair)
    takeFromClients()
    relayControl()
    relayMedia()
  }

  private func takeFromClients() {
    upward.removeAll(keepingCapacity: true)
    upwardBytes.removeAll(keepingCapacity: true)
    var isFull = true
    while isFull {
      isFull = clients.drain(into: &clientEgress, now: pair)
      for train in clientEgress.trains {
        let path = NetworkPath(local: train.path.remote, remote: train.path.local)
        for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
          let count = min(train.segmentByteCount, train.byteCount - offset)
          let bytes = UnsafeRawBufferPointer(start: clientEgress.base + train.offset + offset, count: count)
          let isMedia = classify(bytes) == .rtp
          if isMedia, isLost() { continue }
          upward.append(Datagram(path: path, offset: upwardBytes.count, byteCount: count, isMedia: isMedia))
          upwardBytes.append(contentsOf: bytes)
        }
      }
      clientEgress.reset()
    }
    while let input = clients.nextHandshakeInput() {
      if case .start(let peer, _, _) = input {
        clients.handle(.keysReady(peer, keys(of: peer, isRelay: false)), now: pair)
      }
    }
    while clients.nextEvent() != nil {}
  }

  /// Copies datagrams into the relay's slots, as the kernel would.
  private func stage(media: Bool) -> Int {
    slots.removeAll(keepingCapacity: true)
    var packets = 0
    for datagram in upward where datagram.isMedia == media {
      guard let slot = relayPlace.pointee.claimSlot() else {
        preconditionFailure("the bench's relay has run out of slots")
      }
      upwardBytes.withUnsafeBytes {
        relayArena.pointer(slot).copyMemory(from: $0.baseAddress! + datagram.offset, byteCount: datagram.byteCount)
      }
      slots.append(slot)
      packets += 1
    }
    return packets
  }

  private func relayControl() {
    _ = stage(media: false)
    let (pair, relay) = (pair, relayPlace)
    let (upward, slots) = (upward, slots)
    withExtendedLifetime((upward, slots)) {
      meter.begin(isControl: true)
      relay.pointee.service(now: pair)
      Self.receive(upward, slots, media: false, relay, pair)
      meter.end(.control)
    }
    // Of RTP, nothing but answers to NACKs is owed yet.
    drainRelay(.repair)
    meter.begin(isControl: true)
    relay.pointee.advance(now: pair)
    meter.end(.control)
    drainRelay(.media, held: true)
    while let input = relay.pointee.nextHandshakeInput() {
      if case .start(let peer, _, _) = input {
        relay.pointee.handle(.keysReady(peer, keys(of: peer, isRelay: true)), now: pair)
      }
    }
    meter.begin(isControl: true)
    while relay.pointee.nextEvent() != nil {}
    meter.end(.control)
  }

  private func relayMedia() {
    let count = stage(media: true)
    guard count > 0 else { return }
    if recordsSizes { noteSizes() }
    let (pair, relay) = (pair, relayPlace)
    let (upward, slots) = (upward, slots)
    // Their release is not the relay's.
    withExtendedLifetime((upward, slots)) {
      meter.begin()
      Self.receive(upward, slots, media: true, relay, pair)
      meter.end(.ingest, packets: count)
    }
    drainRelay(.media)
  }

  private static func receive(
    _ datagrams: [Datagram], _ slots: [SlotIndex], media: Bool, _ relay: UnsafeMutablePointer<RelayCore>, _ pair: Now
  ) {
    var place = 0
    for index in datagrams.indices where datagrams[index].isMedia == media {
      relay.pointee.receive(
        slots[place], byteCount: datagrams[index].byteCount, path: datagrams[index].path, now: pair)
      place += 1
    }
  }

  /// Drains the relay's core and gives its clients what it wrote. A drain that wrote anything but RTP is control.
  private func drainRelay(_ work: Work, held: Bool = false) {
    let (pair, relay, egress) = (pair, relayPlace, relayEgressPlace)
    var isFull = true
    while isFull {
      let before = relay.pointee.counters.packetsSent
      meter.begin()
      isFull = relay.pointee.drain(into: &egress.pointee, now: pair)
      meter.pause()
      let packets = Int(relay.pointee.counters.packetsSent - before)
      let isMedia = packets > 0 && egress.pointee.trains.allSatisfy(isRTP)
      meter.finish(isMedia ? work : .control, packets: packets, held: held)
      deliver()
      egress.pointee.reset()
    }
  }

  private func isRTP(_ train: Train) -> Bool {
    stride(from: 0, to: train.byteCount, by: train.segmentByteCount).allSatisfy { offset in
      let count = min(train.segmentByteCount, train.byteCount - offset)
      return classify(
        UnsafeRawBufferPointer(start: relayEgressPlace.pointee.base + train.offset + offset, count: count)) == .rtp
    }
  }

  private func deliver() {
    for train in relayEgressPlace.pointee.trains {
      let path = NetworkPath(local: train.path.remote, remote: train.path.local)
      for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
        let count = min(train.segmentByteCount, train.byteCount - offset)
        let bytes = UnsafeRawBufferPointer(start: relayEgressPlace.pointee.base + train.offset + offset, count: count)
        if classify(bytes) == .rtp, isLost() { continue }
        guard let slot = clients.claimSlot() else { preconditionFailure("the bench's clients have run out of slots") }
        clientArena.pointer(slot).copyMemory(from: bytes.baseAddress!, byteCount: count)  // a datagram is not empty
        clients.receive(slot, byteCount: count, path: path, now: pair)
      }
    }
  }

  private func noteSizes() {
    for datagram in upward where datagram.isMedia {
      upwardBytes.withUnsafeBytes { all in
        let bytes = UnsafeRawBufferPointer(rebasing: all[datagram.offset..<datagram.offset + datagram.byteCount])
        guard let header = try? RTPHeader(bytes) else { return }
        let payload = datagram.byteCount - header.payloadOffset - profile.rtpTagByteCount
        sizes.append(PacketSize(at: now.microseconds, header: header.payloadOffset, payload: payload))
      }
    }
  }
}
