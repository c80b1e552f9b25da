import PacketRing
public import RTCCore
import RTCWire

/// One relay and its clients on simulated lines, in virtual time: equal seeds give equal runs.
///
/// Everything but DTLS is the real core on both sides: ICE, negotiation, SRTP, streams, pacing. Keys are handed to both
/// ends three milliseconds after both asked for the handshake.
public final class World {
  enum Event {
    case datagram(node: Int, bytes: [UInt8], from: SocketAddress, to: SocketAddress)
    case keys(node: Int, PeerID, SRTPKeys)
  }

  struct Scheduled {
    var at: Instant
    var number: UInt64
    var event: Event
  }

  static let relayAddress = SocketAddress(ipv4: 0x0A00_0001, port: 4_000)
  public static let lesson = LessonID(rawValue: 1)
  public static let camera = FeedID(rawValue: 1)

  public private(set) var now = Instant(microseconds: 1_000_000)
  var random: SplitMix64
  var nodes: [Node] = []
  private var queue: [Scheduled] = []
  private var scheduled: UInt64 = 0
  private var nextPeer: UInt64 = 1
  /// Client node by the relay's peer, and the relay's handshake by it.
  private var clients: [PeerID: Int] = [:]
  private var started: Set<Int> = []
  public private(set) var events: [CoreEvent] = []
  /// A digest of everything sent, to compare runs.
  public private(set) var digest: UInt64 = 14_695_981_039_346_656_037
  public var profile = SRTPProfile.aeadAES128GCM

  public init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    nodes.append(
      Node(
        name: "relay", address: Self.relayAddress, slots: 32_768, seed: random.next(), clockOffset: 0,
        partsPerMillion: 0, up: LineOptions(), down: LineOptions()))
    tellRelay(.openLesson(Self.lesson))
    tellRelay(.setStage(Self.lesson, Self.camera))
  }

  public func tellRelay(_ command: Command) {
    nodes[0].core.apply(command, now: nodes[0].now(now))
    drain(0)
  }

  // MARK: People

  private func addClient(
    _ name: String, up: LineOptions, down: LineOptions, clockOffset: Int64, partsPerMillion: Int64
  ) -> Int {
    let address = SocketAddress(ipv4: 0x0A00_0100 + UInt32(nodes.count), port: 5_000)
    nodes.append(
      Node(
        name: name, address: address, slots: 8_192, seed: random.next(), clockOffset: clockOffset,
        partsPerMillion: partsPerMillion, up: up, down: down))
    return nodes.count - 1
  }

  private func transport(_ node: Int) -> LocalTransport {
    func text(_ count: Int) -> String { String((0..<count).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &random)! }) }
    let address = nodes[node].address
    let candidate = ICECandidateLine(
      foundation: "1", transport: "udp", priority: 2_130_706_431, address: address.addressText, port: address.port,
      type: "host")
    return LocalTransport(
      credentials: ICECredentials(userFragment: text(8), password: text(24)),
      fingerprint: CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: UInt8(node), count: 32)),
      candidates: [candidate], sessionID: random.next() >> 2)
  }

  private func connect(_ node: Int, role: NegotiationRole, tracks: [OfferedTrack], feed: FeedID?) throws {
    let offer = Negotiation.offer(role: role, tracks: tracks, local: transport(node), random: &random)
    let relayPeer = PeerID(rawValue: nextPeer)
    nextPeer += 1
    let parsed = try SessionDescription(parsing: offer.description.text)
    let (answer, description) = try Negotiation.answer(
      offer: parsed, role: role, local: transport(0), peer: relayPeer, lesson: Self.lesson, feed: feed,
      random: &random)
    let reply = try SessionDescription(parsing: answer.text)
    let client = try Negotiation.apply(
      answer: reply, to: offer, peer: PeerID(rawValue: 1), lesson: Self.lesson, feed: Self.camera)
    nodes[node].relayPeer = relayPeer
    clients[relayPeer] = node
    tellRelay(.addPeer(description))
    nodes[node].core.apply(.addPeer(client), now: nodes[node].now(now))
    if role == .whip {
      for line in client.lines {
        nodes[node].core.apply(
          .setPane(PeerID(rawValue: 1), mid: line.mid, source: .feed(Self.camera), maxHeight: 0),
          now: nodes[node].now(now))
      }
    }
    drain(node)
  }

  /// A lead classroom with camera and microphone. Returns its number.
  @discardableResult
  public func addPublisher(
    feed: FeedID = World.camera, line: LineOptions = LineOptions(), back: LineOptions = LineOptions(),
    keyFrameInterval: UInt32 = 50, packetsPerFrame: Int = 6, answersRequests: Bool = true, clockOffset: Int64 = 0,
    partsPerMillion: Int64 = 0
  ) throws -> Int {
    let node = addClient(
      "lead", up: line, down: back, clockOffset: clockOffset, partsPerMillion: partsPerMillion)
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    let clocks = nodes[node].now(now)
    let injection = InjectionID(rawValue: 1)
    nodes[node].core.apply(.openLesson(Self.lesson), now: clocks)
    nodes[node].core.attachInjection(injection, packets: packets.consumer, grants: grants.producer)
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    let template = Negotiation.offer(role: .whip, tracks: tracks, local: transport(node), random: &random)
    nodes[node].core.apply(
      .openInjection(Self.lesson, Self.camera, injection: injection, lines: template.mediaLines), now: clocks)
    nodes[node].source = SyntheticLesson(
      packets: packets.producer, grants: grants.consumer, keyFrameInterval: keyFrameInterval,
      packetsPerFrame: packetsPerFrame, answersRequests: answersRequests, start: now + .milliseconds(5),
      random: &random)
    nodes[node].core.service(now: clocks)
    try connect(node, role: .whip, tracks: tracks, feed: feed)
    return node
  }

  /// A teaching point that watches. Returns its number.
  @discardableResult
  public func addReceiver(
    line: LineOptions = LineOptions(), back: LineOptions = LineOptions(), clockOffset: Int64 = 0
  ) throws -> Int {
    let node = addClient("site", up: back, down: line, clockOffset: clockOffset, partsPerMillion: 0)
    let leases = makeLane(of: PacketRecord.self, capacity: 4_096)
    let returns = makeLane(of: SlotIndex.self, capacity: 8_192)
    let clocks = nodes[node].now(now)
    nodes[node].core.apply(.openLesson(Self.lesson), now: clocks)
    nodes[node].core.attachSink(SinkID(rawValue: 1), producer: leases.producer, returns: returns.consumer)
    nodes[node].core.apply(.addSink(Self.lesson, Self.camera, sink: SinkID(rawValue: 1)), now: clocks)
    nodes[node].sink = Received(leases: leases.consumer, returns: returns.producer)
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    try connect(node, role: .whep, tracks: tracks, feed: nil)
    return node
  }

  /// Its line goes dead at once, as when a plug is pulled.
  public func cut(_ node: Int) {
    nodes[node].upload.options.loss = 1
    nodes[node].download.options.loss = 1
    nodes[node].source = nil
  }

  /// Its NAT gives it another address: what it sends comes from elsewhere, what is sent to the old one is lost.
  public func rebind(_ node: Int) { nodes[node].address.port &+= 1_000 }

  public func setLine(_ node: Int, down: LineOptions) { nodes[node].download.options = down }

  public func received<Result>(_ node: Int, _ body: (borrowing Received) -> Result) -> Result {
    body(nodes[node].sink!)  // a receiver was added under this number
  }

  public func sourceFrames(_ node: Int) -> UInt32 { nodes[node].source?.frames ?? 0 }
  public func relayPeer(_ node: Int) -> PeerID { nodes[node].relayPeer! }  // every client has one
  public func counters(_ node: Int) -> CoreCounters { nodes[node].core.counters }

  // MARK: Time

  /// Runs until a moment `duration` from now.
  public func run(for duration: Interval) {
    let end = now + duration
    while let next = nextMoment(), next <= end {
      now = max(now, next)
      step()
    }
    now = end
  }

  private func nextMoment() -> Instant? {
    var moment = queue.first?.at ?? .distantFuture
    for node in nodes {
      moment = min(moment, node.trueTime(node.core.nextDeadline))
      if let source = node.source?.nextDeadline { moment = min(moment, source) }
    }
    return moment == .distantFuture ? nil : moment
  }

  private func step() {
    while let first = queue.first, first.at <= now {
      let scheduled = pop()
      deliver(scheduled.event)
    }
    for index in nodes.indices {
      let node = nodes[index]
      let clocks = node.now(now)
      node.source?.produce(now: now, local: clocks.monotonic, arena: node.arena)
      node.core.service(now: clocks)
      node.core.advance(now: clocks)
      drain(index)
    }
  }

  private func deliver(_ event: Event) {
    switch event {
    case .datagram(let index, let bytes, let from, let to):
      let node = nodes[index]
      guard to == node.address || index == 0, let slot = node.core.claimSlot() else { return }
      bytes.withUnsafeBytes { node.arena.pointer(slot).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      node.core.receive(
        slot, byteCount: bytes.count, path: NetworkPath(local: to, remote: from), now: node.now(now))
      drain(index)
    case .keys(let index, let peer, let keys):
      nodes[index].core.handle(.keysReady(peer, keys), now: nodes[index].now(now))
      drain(index)
    }
  }

  private func drain(_ index: Int) {
    let node = nodes[index]
    let clocks = node.now(now)
    var isFull = true
    while isFull {
      isFull = node.core.drain(into: &node.egress, now: clocks)
      transmit(index)
    }
    while let input = node.core.nextHandshakeInput() { handshake(input, node: index) }
    while let event = node.core.nextEvent() {
      if case .keyFrameRequested = event { node.source?.wantsKeyFrame = true }
      if index == 0 { events.append(event) }
    }
    node.sink?.take(arena: node.arena, now: now)
  }

  private func transmit(_ index: Int) {
    let node = nodes[index]
    for train in node.egress.trains {
      var offset = 0
      while offset < train.byteCount {
        let count = min(train.segmentByteCount, train.byteCount - offset)
        let start = node.egress.base + train.offset + offset
        let bytes = Array(UnsafeRawBufferPointer(start: start, count: count))
        offset += count
        for byte in bytes.prefix(64) { digest = (digest ^ UInt64(byte)) &* 1_099_511_628_211 }
        send(bytes, from: index, train.path)
      }
    }
    node.egress.reset()
  }

  private func send(_ bytes: [UInt8], from index: Int, _ path: NetworkPath) {
    let sender = nodes[index]
    if index == 0 {
      guard let target = nodes.firstIndex(where: { $0.address == path.remote }) else { return }
      let times = nodes[target].download.arrivals(byteCount: bytes.count, now: now, random: &random)
      for time in times {
        push(time, .datagram(node: target, bytes: bytes, from: Self.relayAddress, to: path.remote))
      }
    } else {
      for time in sender.upload.arrivals(byteCount: bytes.count, now: now, random: &random) {
        push(time, .datagram(node: 0, bytes: bytes, from: sender.address, to: Self.relayAddress))
      }
    }
  }

  // MARK: Handshake

  private func handshake(_ input: HandshakeInput, node index: Int) {
    guard case .start(let peer, _, _) = input else { return }
    let client = index == 0 ? clients[peer]! : index  // every relay peer has its client
    guard index != 0 else {
      relayStarted.insert(client)
      return finishHandshake(client)
    }
    started.insert(client)
    finishHandshake(client)
  }
  private var relayStarted: Set<Int> = []

  private func finishHandshake(_ client: Int) {
    guard started.contains(client), relayStarted.contains(client), let relayPeer = nodes[client].relayPeer else { return }
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) } }
    let keys = SRTPKeys(
      profile: profile, localKey: bytes(profile.masterKeyByteCount), localSalt: bytes(profile.masterSaltByteCount),
      remoteKey: bytes(profile.masterKeyByteCount), remoteSalt: bytes(profile.masterSaltByteCount))
    let mirrored = SRTPKeys(
      profile: profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
    push(now + .milliseconds(3), .keys(node: 0, relayPeer, keys))
    push(now + .milliseconds(3), .keys(node: client, PeerID(rawValue: 1), mirrored))
  }

  // MARK: Queue (a binary heap by time, then by insertion)

  private func push(_ at: Instant, _ event: Event) {
    scheduled += 1
    queue.append(Scheduled(at: at, number: scheduled, event: event))
    var child = queue.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      queue.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (queue[left].at, queue[left].number) < (queue[right].at, queue[right].number)
  }

  private func pop() -> Scheduled {
    queue.swapAt(0, queue.count - 1)
    let first = queue.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < queue.count && isBefore(child, least) { least = child }
      if least == parent { return first }
      queue.swapAt(parent, least)
      parent = least
    }
  }
}
