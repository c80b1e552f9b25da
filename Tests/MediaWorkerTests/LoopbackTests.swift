// Goal: a lesson over real sockets, DTLS and threads. Method: three workers on loopback: relay, publisher, receiver.
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Testing

func iceText(_ count: Int) -> String {
  String(decoding: secureRandomBytes(count).map { UInt8(ascii: "a") + $0 % 26 }, as: UTF8.self)
}

/// One side of a connection: a worker and what its description needs.
struct Side {
  let worker: MediaWorker
  let identity: DTLSIdentity

  init(worker: MediaWorker, identity: DTLSIdentity) {
    self.worker = worker
    self.identity = identity
  }

  init(controlling: Bool, drop: Double = 0, change: (inout WorkerConfiguration) -> Void = { _ in }) throws {
    identity = try DTLSIdentity.generate()
    var configuration = WorkerConfiguration()
    configuration.loopbackOnly = true
    configuration.slotCount = 4_096
    configuration.faultDropFraction = drop
    if controlling { configuration.core.localAddresses = [SocketAddress(ipv4: 0x7F00_0001, port: 0)] }
    change(&configuration)
    worker = try MediaWorker(configuration: configuration, identity: identity)
    _ = worker.send(.openLesson(LessonID(rawValue: 1)))
    _ = worker.send(.setStage(LessonID(rawValue: 1), FeedID(rawValue: 1)))
  }

  var transport: LocalTransport { transport(at: worker.port) }

  /// What clients are told when they shall reach this side by `port`.
  func transport(at port: UInt16) -> LocalTransport {
    let candidate = ICECandidateLine(
      foundation: "1", transport: "udp", priority: 2_130_706_431, address: "127.0.0.1", port: port, type: "host"
    )
    return LocalTransport(
      credentials: ICECredentials(userFragment: iceText(8), password: iceText(24)), fingerprint: identity.fingerprint,
      candidates: [candidate], sessionID: 1)
  }

  /// Connects this side as a client of the relay by an offer and an answer; by way of another port than the relay's own
  /// if one is named.
  func connect(to relay: Side, role: NegotiationRole, peer: UInt64, via port: UInt16? = nil) throws {
    var random = SystemRandomNumberGenerator()
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    let offer = Negotiation.offer(role: role, tracks: tracks, local: transport, random: &random)
    let (answer, description) = try Negotiation.answer(
      offer: SessionDescription(parsing: offer.description.text), role: role,
      local: relay.transport(at: port ?? relay.worker.port),
      peer: PeerID(rawValue: peer), lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1), random: &random)
    let client = try Negotiation.apply(
      answer: SessionDescription(parsing: answer.text), to: offer, peer: PeerID(rawValue: 1),
      lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1))
    #expect(relay.worker.send(.addPeer(description)))
    if role == .whip {
      _ = worker.send(
        .openInjection(
          LessonID(rawValue: 1), FeedID(rawValue: 1), injection: InjectionID(rawValue: 1), lines: offer.mediaLines))
    }
    #expect(worker.send(.addPeer(client)))
    for line in client.lines where line.direction == .send {
      _ = worker.send(
        .setPane(PeerID(rawValue: 1), mid: line.mid, source: .feed(FeedID(rawValue: 1)), maxHeight: 0))
    }
  }
}

@Suite(.serialized) struct LoopbackTests {
  @Test(arguments: [0.0, 0.03]) func lessonGoesThroughThreeWorkers(drop: Double) async throws {
    let relay = try Side(controlling: false, drop: drop)
    let lead = try Side(controlling: true)
    let site = try Side(controlling: true)
    defer { for side in [lead, site, relay] { side.worker.stop() } }
    // Just started: the command rings are empty.
    var camera = Camera(lead)!
    var sink = site.worker.attachSink(SinkID(rawValue: 1), capacity: 2_048)!
    _ = site.worker.send(.addSink(LessonID(rawValue: 1), FeedID(rawValue: 1), sink: SinkID(rawValue: 1)))
    try site.connect(to: relay, role: .whep, peer: 2)
    try lead.connect(to: relay, role: .whip, peer: 1)
    var frames: Set<UInt32> = []
    // 200 pictures, 10 ms apart.
    while camera.frame < 200 || (frames.count < 120 && camera.frame < 800) {
      camera.shoot()
      try await Task.sleep(for: .milliseconds(10))
      while let record = sink.leases.pop() {
        let bytes = site.worker.arena.bytes(record.slot, count: record.byteCount)
        #expect(record.payloadByteCount == 900)
        frames.insert(bytes.loadUnaligned(fromByteOffset: Int(record.payloadOffset) + 1, as: UInt32.self))
        _ = sink.returns.push(record.slot)
      }
    }
    #expect(frames.count >= 120)
    let relayCounters = relay.worker.counters()
    #expect(relayCounters.core.packetsSent > 400)
    if drop == 0 { #expect(relayCounters.core.packetsRetransmitted < 20) }
  }

  @Test func aWrongFingerprintIsRefused() async throws {
    let relay = try Side(controlling: false)
    let site = try Side(controlling: true)
    defer { for side in [site, relay] { side.worker.stop() } }
    var random = SystemRandomNumberGenerator()
    var transport = site.transport
    transport.fingerprint.digest[0] ^= 1
    let offer = Negotiation.offer(
      role: .whep, tracks: [OfferedTrack(kind: .audio, encoding: .opus)], local: transport, random: &random)
    let (answer, description) = try Negotiation.answer(
      offer: offer.description, role: .whep, local: relay.transport, peer: PeerID(rawValue: 1),
      lesson: LessonID(rawValue: 1), feed: nil, random: &random)
    let client = try Negotiation.apply(
      answer: answer, to: offer, peer: PeerID(rawValue: 1), lesson: LessonID(rawValue: 1), feed: nil)
    _ = relay.worker.send(.addPeer(description))
    _ = site.worker.send(.addPeer(client))
    var end: PeerEnd?
    for await batch in relay.worker.events {
      for case .ended(_, let reason, _) in batch { end = reason }
      if end != nil { break }
    }
    #expect(end == .fingerprintMismatch)
  }

  @Test func certificatesOfOurAuthorityAreIssuedForNamesAndAddresses() throws {
    let authority = try CertificateAuthority.generate(name: "Tongke test")
    let server = try authority.issue(names: ["relay.school"], addresses: ["10.1.2.3", "2001:db8::1"])
    let left = try #require(CertificateAuthority.secondsLeft(certificatePEM: server.certificatePEM))
    #expect(left > 396 * 86_400 && left < 398 * 86_400)
    #expect(throws: CertificateError.self) { try authority.issue(names: ["a,b"], addresses: []) }
    #expect(CertificateAuthority.secondsLeft(certificatePEM: "nonsense") == nil)
  }
}
