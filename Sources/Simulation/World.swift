import PacketRing
public import RTCCore
import RTCWire

/// One relay and its clients on simulated lines, in virtual time: equal seeds give equal runs.
///
/// A relay of several workers has its publishers on the first, the lesson's home, and its receivers on the others and
/// the first in turn; the home lends the lesson to the others.
/// Everything but DTLS is the real core on both sides: ICE, negotiation, SRTP, streams, pacing. Keys are handed to both
/// ends three milliseconds after both asked for the handshake. Checkers watch every packet that leaves the relay.
public final class World {
  public static let lesson = LessonID(rawValue: 1)
  public static let camera = FeedID(rawValue: 1)
  public static let screen = FeedID(rawValue: 2)
  /// What a site sends back, from 0.
  public static func site(_ number: UInt32) -> FeedID {
    FeedID(rawValue: FeedID.firstReturn.rawValue + number)
  }

  public internal(set) var now = Instant(microseconds: 1_000_000)
  var random: SplitMix64
  var nodes: [Node] = []
  var queue = EventQueue()
  /// Nodes `0..<workers` are the relay's.
  public let workers: Int
  var receivers = 0
  var nextPeer: UInt64 = 1
  var publishers: UInt8 = 0
  /// Client node by the relay's peer, and who has asked for the handshake.
  var clients: [PeerID: Int] = [:]
  var started: Set<Int> = []
  var relayStarted: Set<Int> = []
  var recorders: [RecorderDesk] = []
  public internal(set) var events: [CoreEvent] = []
  var statistics: [PeerID: PeerStatistics] = [:]
  var ends: [PeerID: PeerEnd] = [:]
  private var nextAudit = Instant(microseconds: 0)
  var broken: [String] = []
  /// A digest of everything sent, to compare runs.
  public private(set) var digest: UInt64 = 14_695_981_039_346_656_037
  public var profile = SRTPProfile.aeadAES128GCM

  /// Odd seeds have the relay gather a picture's packets for up to 5 ms, as one with much to do does.
  /// - Parameter slots: of each worker.
  /// - Parameter leaseCapacity: of a lane between two workers.
  /// - Parameter isLinked: the lesson is lent to all workers from the beginning.
  public init(
    seed: UInt64, workers: Int = 1, slots: Int = 32_768, leaseCapacity: Int = NeighbourLanePair.leaseCapacity,
    isLinked: Bool = true
  ) {
    random = SplitMix64(seed: seed)
    self.workers = workers
    addWorkers(slots: slots, leaseCapacity: leaseCapacity)
    for worker in nodes { worker.core.coalescing = .milliseconds(seed % 2 == 0 ? 0 : 5) }
    tellRelay(.openLesson(Self.lesson))
    tellRelay(.setStage(Self.lesson, Self.camera))
    if isLinked { for worker in 1..<max(workers, 1) { openLink(to: worker) } }
  }

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

  /// Runs until something is true, looking every 5 ms; false when it was not within `limit`.
  public func run(atMost limit: Interval, until isTrue: (World) -> Bool) -> Bool {
    let end = now + limit
    while !isTrue(self) {
      guard now < end else { return false }
      run(for: .milliseconds(5))
    }
    return true
  }

  private func nextMoment() -> Instant? {
    var moment = queue.nextMoment ?? .distantFuture
    for node in nodes where !node.isStalled {
      moment = min(moment, node.trueTime(node.core.nextDeadline))
      if let source = node.source?.nextDeadline { moment = min(moment, source) }
      if let camera = node.camera?.nextDeadline { moment = min(moment, node.trueTime(camera)) }
    }
    return moment == .distantFuture ? nil : moment
  }

  private func step() {
    while let event = queue.pop(until: now) { deliver(event) }
    for index in nodes.indices where !nodes[index].isStalled {
      let node = nodes[index]
      let clocks = node.now(now)
      node.source?.produce(now: now, local: clocks.monotonic, arena: node.arena)
      node.core.service(now: clocks)
      node.core.advance(now: clocks)
      drain(index)
    }
    if now >= nextAudit {
      nextAudit = now + .milliseconds(500)
      audit()
    }
  }

  private func deliver(_ event: EventQueue.Event) {
    switch event {
    case .datagram(let index, let bytes, let from, let to):
      let node = nodes[index]
      guard to == node.address, !node.isStalled else { return }
      if node.camera != nil {
        let path = NetworkPath(local: to, remote: from)
        // Just checked that there is one.
        if node.camera!.receive(bytes, path: path, now: node.now(now), random: &random) { begin(index) }
        return drain(index)
      }
      guard let slot = node.core.claimSlot() else { return }
      bytes.withUnsafeBytes { raw in
        if let base = raw.baseAddress { node.arena.pointer(slot).copyMemory(from: base, byteCount: raw.count) }
      }
      node.core.receive(
        slot, byteCount: bytes.count, path: NetworkPath(local: to, remote: from), now: node.now(now))
      drain(index)
    case .keys(let index, let peer, let keys):
      if nodes[index].camera != nil {
        nodes[index].camera!.connect(keys, now: nodes[index].now(now).monotonic)  // just checked
      } else {
        if index < workers, let client = clients[peer] { connectObserver(client, keys) }
        nodes[index].core.handle(.keysReady(peer, keys), now: nodes[index].now(now))
      }
      drain(index)
    }
  }

  func drain(_ index: Int) {
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
      if index < workers { note(event) }
    }
    node.sink?.take(arena: node.arena, now: now)
    if node.camera != nil {
      let out = node.camera!.advance(now: clocks, random: &random)  // just checked
      for datagram in out { send(datagram.bytes, from: index, datagram.path) }
    }
    if index == 0 { for desk in recorders where !desk.isStalled { desk.received.take(arena: node.arena, now: now) } }
    if index < workers { wakeNeighbours(of: index) }
  }

  private func note(_ event: CoreEvent) {
    events.append(event)
    switch event {
    case .peerStatistics(let values): statistics[values.peer] = values
    case .ended(let peer, let reason, _): ends[peer] = reason
    default: break
    }
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
    if index < workers {
      guard let target = nodes.firstIndex(where: { $0.addresses.contains(path.remote) }) else { return }
      observe(bytes, to: target)
      guard nodes[target].address == path.remote else { return }
      let times = nodes[target].download.arrivals(byteCount: bytes.count, now: now, random: &random)
      for time in times {
        queue.push(time, .datagram(node: target, bytes: bytes, from: sender.address, to: path.remote))
      }
    } else {
      for time in sender.upload.arrivals(byteCount: bytes.count, now: now, random: &random) {
        let relay = nodes[sender.worker]
        queue.push(time, .datagram(node: sender.worker, bytes: bytes, from: sender.address, to: relay.address))
      }
    }
  }

  private func observe(_ bytes: [UInt8], to target: Int) {
    let node = nodes[target]
    guard let observer = node.observer, let peer = node.relayPeer else { return }
    let worker = nodes[node.worker]
    let estimate = worker.core.estimate(of: peer) ?? 0
    let shown = worker.core.shownRate(of: peer, now: now)
    let allowance = node.allowance(estimate: estimate, shown: shown, now: now)
    observer.sent(bytes, now: now, allowance: allowance)
  }

  // MARK: Handshake

  private func handshake(_ input: HandshakeInput, node index: Int) {
    switch input {
    case .start(let peer, _, _):
      guard index < workers else { return begin(index) }
      let client = clients[peer]!  // every relay peer has its client
      relayStarted.insert(client)
      finishHandshake(client)
    case .close(let peer):
      if index < workers, let client = clients[peer], nodes[client].relayPeer == peer {
        nodes[client].observer?.hasEnded = true
      }
    case .datagram: break
    }
  }

  private func begin(_ client: Int) {
    started.insert(client)
    finishHandshake(client)
  }

  private func finishHandshake(_ client: Int) {
    guard started.contains(client), relayStarted.contains(client), let relayPeer = nodes[client].relayPeer else {
      return
    }
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) } }
    let keys = SRTPKeys(
      profile: profile, localKey: bytes(profile.masterKeyByteCount), localSalt: bytes(profile.masterSaltByteCount),
      remoteKey: bytes(profile.masterKeyByteCount), remoteSalt: bytes(profile.masterSaltByteCount))
    queue.push(now + .milliseconds(3), .keys(node: nodes[client].worker, relayPeer, keys))
    queue.push(now + .milliseconds(3), .keys(node: client, PeerID(rawValue: 1), Self.mirror(keys)))
  }

  private static func mirror(_ keys: SRTPKeys) -> SRTPKeys {
    SRTPKeys(
      profile: keys.profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
  }

  private func connectObserver(_ client: Int, _ keys: SRTPKeys) { nodes[client].observer?.connect(Self.mirror(keys)) }

  // MARK: Checks

  /// Ends the lesson and returns every promise that was broken in this world's life.
  public func finish() -> [String] {
    for desk in recorders { desk.isStalled = false }
    tellRelay(.closeLesson(Self.lesson))
    run(for: .milliseconds(100))
    var found = broken
    for worker in 0..<workers { found += leftovers(of: worker) }
    for node in nodes {
      if node.sink != nil { found += node.sink!.violations }  // just checked
      guard let observer = node.observer else { continue }
      found += observer.violations
      guard let peer = node.relayPeer, let told = statistics[peer] else { continue }
      if told.packetsSent != observer.rtpPackets || told.bytesSent != observer.rtpBytes {
        found.append("\(node.name): \(told.packetsSent) packets counted, \(observer.rtpPackets) transmitted")
      }
    }
    for desk in recorders { found += desk.received.violations }
    return found
  }
}
