import PacketRing
public import RTCCore
import RTCWire

extension World {
  private func addClient(
    _ name: String, up: LineOptions, down: LineOptions, clockOffset: Int64, partsPerMillion: Int64
  ) -> Int {
    let address = SocketAddress(ipv4: 0x0A00_0100 + UInt32(nodes.count), port: 5_000)
    nodes.append(
      Node(
        name: "\(name) \(nodes.count)", address: address, slots: 8_192, seed: random.next(), clockOffset: clockOffset,
        partsPerMillion: partsPerMillion, up: up, down: down))
    return nodes.count - 1
  }

  private func transport(_ node: Int) -> LocalTransport {
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    func text(_ count: Int) -> String {
      String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    }
    let address = nodes[node].address
    let candidate = ICECandidateLine(
      foundation: "1", transport: "udp", priority: 2_130_706_431, address: address.addressText, port: address.port,
      type: "host")
    return LocalTransport(
      credentials: ICECredentials(userFragment: text(8), password: text(24)),
      fingerprint: CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: UInt8(node), count: 32)),
      candidates: [candidate], sessionID: random.next() >> 2)
  }

  /// Adds the peer at the relay and tells the client's side of the answer.
  private func negotiate(
    _ node: Int, role: NegotiationRole, offer: PendingOffer, text: String, feed: FeedID?, ownFeeds: [FeedID] = []
  ) throws -> PeerDescription {
    if role == .whep {
      receivers += 1
      nodes[node].worker = receivers % workers
    }
    let relayPeer = PeerID(rawValue: nextPeer)
    nextPeer += 1
    let parsed = try SessionDescription(parsing: text)
    let made = try Negotiation.answer(
      offer: parsed, role: role, local: transport(nodes[node].worker), peer: relayPeer, lesson: Self.lesson,
      feed: feed,
      random: &random)
    var description = made.peer
    description.ownFeeds = ownFeeds
    let reply = try SessionDescription(parsing: made.answer.text)
    let client = try Negotiation.apply(
      answer: reply, to: offer, peer: PeerID(rawValue: 1), lesson: Self.lesson, feed: Self.camera)
    nodes[node].relayPeer = relayPeer
    nodes[node].observer = RelayObserver(name: nodes[node].name, lines: description.lines)
    clients[relayPeer] = node
    tell(nodes[node].worker, .addPeer(description))
    return client
  }

  /// - Parameter tricklesAfter: the relay's address reaches the client this much later than its answer.
  private func connect(
    _ node: Int, role: NegotiationRole, tracks: [OfferedTrack], feed: FeedID?, ownFeeds: [FeedID] = [],
    tricklesAfter: Interval? = nil
  ) throws {
    let offer = Negotiation.offer(role: role, tracks: tracks, local: transport(node), random: &random)
    var client = try negotiate(
      node, role: role, offer: offer, text: offer.description.text, feed: feed, ownFeeds: ownFeeds)
    let candidates = client.remoteCandidates
    if tricklesAfter != nil { client.remoteCandidates = [] }
    nodes[node].core.apply(.addPeer(client), now: nodes[node].now(now))
    if let tricklesAfter {
      run(for: tricklesAfter)
      for candidate in candidates {
        nodes[node].core.apply(.addRemoteCandidate(PeerID(rawValue: 1), candidate), now: nodes[node].now(now))
      }
    }
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
    feed: FeedID = World.camera, tracks kinds: [MediaKind] = [.audio, .video], line: LineOptions = LineOptions(),
    back: LineOptions = LineOptions(), keyFrameInterval: UInt32 = 50, packetsPerFrame: Int = 6,
    answersRequests: Bool = true, clockOffset: Int64 = 0, partsPerMillion: Int64 = 0
  ) throws -> Int {
    let node = addClient(
      "lead", up: line, down: back, clockOffset: clockOffset, partsPerMillion: partsPerMillion)
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    let clocks = nodes[node].now(now)
    let injection = InjectionID(rawValue: 1)
    nodes[node].core.apply(.openLesson(Self.lesson), now: clocks)
    nodes[node].core.attachInjection(injection, packets: packets.consumer, grants: grants.producer)
    let tracks = kinds.map { OfferedTrack(kind: $0, encoding: $0 == .audio ? .opus : .h264) }
    let template = Negotiation.offer(role: .whip, tracks: tracks, local: transport(node), random: &random)
    nodes[node].core.apply(
      .openInjection(Self.lesson, Self.camera, injection: injection, lines: template.mediaLines), now: clocks)
    publishers += 1
    nodes[node].source = SyntheticLesson(
      number: publishers, tracks: kinds, packets: packets.producer, grants: grants.consumer,
      keyFrameInterval: keyFrameInterval, packetsPerFrame: packetsPerFrame, answersRequests: answersRequests,
      start: now + .milliseconds(5), random: &random)
    nodes[node].core.service(now: clocks)
    try connect(node, role: .whip, tracks: tracks, feed: feed)
    return node
  }

  /// A publisher that connects and sends no media. Returns its number.
  @discardableResult
  public func addSilentPublisher(feed: FeedID = World.screen) throws -> Int {
    let node = addClient("silent", up: LineOptions(), down: LineOptions(), clockOffset: 0, partsPerMillion: 0)
    nodes[node].core.apply(.openLesson(Self.lesson), now: nodes[node].now(now))
    try connect(node, role: .whip, tracks: [OfferedTrack(kind: .audio, encoding: .opus)], feed: feed)
    return node
  }

  /// A browser that publishes three encodings of its picture. Returns its number.
  @discardableResult
  public func addSimulcastPublisher(
    feed: FeedID = World.camera, isVP8: Bool, rids: [String] = ["q", "h", "f"], line: LineOptions = LineOptions(),
    back: LineOptions = LineOptions()
  ) throws -> Int {
    let node = addClient("camera", up: line, down: back, clockOffset: 0, partsPerMillion: 0)
    let local = transport(node)
    let offer = Negotiation.offer(
      role: .whip, tracks: [OfferedTrack(kind: .video, encoding: isVP8 ? .vp8 : .h264)], local: local,
      random: &random)
    let simulcast =
      "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
      + rids.map { "a=rid:\($0) send\r\n" }.joined() + "a=simulcast:send \(rids.joined(separator: ";"))\r\n"
    let kept = offer.description.text.split(separator: "\r\n").filter {
      !$0.hasPrefix("a=ssrc") && !$0.contains("transport-wide") && !$0.hasPrefix("a=rtcp-fb:96 transport-cc")
    }
    let client = try negotiate(
      node, role: .whip, offer: offer, text: kept.joined(separator: "\r\n") + "\r\n" + simulcast, feed: feed)
    publishers += 1
    var described = client.lines[0]
    described.extensions.rid = 10
    let agent = ICEAgent(
      role: .controlling, local: client.local, remote: client.remote, remoteCandidates: client.remoteCandidates,
      localAddresses: [nodes[node].address], tieBreaker: random.next(), now: nodes[node].now(now).monotonic)
    nodes[node].camera = SimulcastCamera(
      number: publishers, isVP8: isVP8, line: described, agent: agent, start: now, random: &random)
    drain(node)
    return node
  }

  /// Turns one encoding of a browser's camera on or off, as its own congestion control does.
  public func setLayer(_ node: Int, _ layer: Int, isOn: Bool) {
    nodes[node].camera?.layers[layer].isOn = isOn
    nodes[node].camera?.layers[layer].wantsKeyFrame = isOn
  }

  /// A teaching point that watches; `ownFeeds` are what it sends back. Returns its number.
  @discardableResult
  public func addReceiver(
    line: LineOptions = LineOptions(), back: LineOptions = LineOptions(), clockOffset: Int64 = 0,
    partsPerMillion: Int64 = 0, isVP8: Bool = false, ownFeeds: [FeedID] = [], tricklesAfter: Interval? = nil
  ) throws -> Int {
    let node = addClient("site", up: back, down: line, clockOffset: clockOffset, partsPerMillion: partsPerMillion)
    let leases = makeLane(of: PacketRecord.self, capacity: 4_096)
    let returns = makeLane(of: SlotIndex.self, capacity: 8_192)
    let clocks = nodes[node].now(now)
    nodes[node].core.apply(.openLesson(Self.lesson), now: clocks)
    nodes[node].core.attachSink(SinkID(rawValue: 1), producer: leases.producer, returns: returns.consumer)
    nodes[node].core.apply(.addSink(Self.lesson, Self.camera, sink: SinkID(rawValue: 1)), now: clocks)
    var received = Received(leases: leases.consumer, returns: returns.producer)
    received.isVP8 = isVP8
    nodes[node].sink = consume received
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    try connect(node, role: .whep, tracks: tracks, feed: nil, ownFeeds: ownFeeds, tricklesAfter: tricklesAfter)
    return node
  }

  /// The relay records a feed: a subscriber exempt from adaptation. Returns its number among the recorders.
  @discardableResult
  public func addRecorder(feed: FeedID = World.camera, isVP8: Bool = false, leases limit: Int = 1_024) -> Int {
    let leases = makeLane(of: PacketRecord.self, capacity: limit)
    let returns = makeLane(of: SlotIndex.self, capacity: limit * 2)
    let sink = SinkID(rawValue: UInt16(recorders.count + 1))
    nodes[0].core.attachSink(sink, producer: leases.producer, returns: returns.consumer)
    var received = Received(leases: leases.consumer, returns: returns.producer)
    received.isVP8 = isVP8
    recorders.append(RecorderDesk(sink: sink, received: received))
    tell(0, .addSink(Self.lesson, feed, sink: sink))
    return recorders.count - 1
  }

  /// Its disk stalls, or goes on.
  public func setStalled(recorder: Int, _ isStalled: Bool) { recorders[recorder].isStalled = isStalled }

  public func recorded<Result>(_ recorder: Int, _ body: (borrowing Received) -> Result) -> Result {
    body(recorders[recorder].received)
  }

  // MARK: What happens to them

  /// Its line goes dead at once, as when a plug is pulled.
  public func cut(_ node: Int) {
    nodes[node].upload.options.loss = 1
    nodes[node].download.options.loss = 1
    nodes[node].source = nil
  }

  /// The client leaves as the control plane sees it.
  public func leave(_ node: Int) {
    if let peer = nodes[node].relayPeer { tell(nodes[node].worker, .removePeer(peer)) }
    cut(node)
  }

  /// Its NAT gives it another address: what it sends comes from elsewhere, what is sent to the old one is lost.
  public func rebind(_ node: Int) { nodes[node].address.port &+= 1_000 }

  /// New ICE credentials on both sides, as a PATCH of the client brings them: the relay learns them first.
  public func restartICE(_ node: Int) {
    let client = transport(node).credentials
    let relay = transport(nodes[node].worker).credentials
    tell(nodes[node].worker, .restartICE(relayPeer(node), local: relay, remote: client))
    nodes[node].core.apply(
      .restartICE(PeerID(rawValue: 1), local: client, remote: relay), now: nodes[node].now(now))
    drain(node)
  }

  public func setLine(_ node: Int, down: LineOptions) { nodes[node].download.options = down }
  public func setLine(_ node: Int, up: LineOptions) { nodes[node].upload.options = up }

  /// What a client's video pane shows.
  public func show(_ node: Int, _ source: PaneSource, mid: String = "1", maxHeight: UInt16 = 0) {
    tell(nodes[node].worker, .setPane(relayPeer(node), mid: mid, source: source, maxHeight: maxHeight))
  }

  // MARK: What became of them

  public func received<Result>(_ node: Int, _ body: (borrowing Received) -> Result) -> Result {
    body(nodes[node].sink!)  // a receiver was added under this number
  }

  public func sourceFrames(_ node: Int) -> UInt32 { nodes[node].source?.frames ?? 0 }
  /// True time of a picture's capture; nil for one not taken yet.
  public func captured(_ node: Int, _ frame: UInt32) -> Instant? { nodes[node].source?.captured[frame] }
  public func relayPeer(_ node: Int) -> PeerID { nodes[node].relayPeer! }  // every client has one
  /// Counters of a node; of the relay, those that all its workers add to are summed.
  public func counters(_ node: Int) -> CoreCounters {
    var counters = nodes[node].core.counters
    guard node == 0 else { return counters }
    for worker in nodes[0..<workers].dropFirst() {
      let others = worker.core.counters
      counters.groupBursts += others.groupBursts
      counters.packetsRetransmitted += others.packetsRetransmitted
      counters.layerSwitches += others.layerSwitches
      for reason in others.drops.indices { counters.drops[reason] += others.drops[reason] }
    }
    return counters
  }
  public func end(_ node: Int) -> PeerEnd? { nodes[node].relayPeer.flatMap { ends[$0] } }
  public func told(_ node: Int) -> PeerStatistics? { nodes[node].relayPeer.flatMap { statistics[$0] } }
  /// Numbers passed over on this client's streams that no retransmission has filled.
  public func unfilledGaps(_ node: Int) -> Int { nodes[node].observer?.unfilledGaps ?? 0 }
  /// When the relay sent this client its first video packet.
  public func firstVideoSent(_ node: Int) -> Instant? { nodes[node].observer?.firstVideo }
  public func mostVideoInATurn(_ node: Int) -> Int { nodes[node].observer?.mostInATurn ?? 0 }
  /// When the relay asked this client for a picture, by stream.
  public func pictureRequests(_ node: Int) -> [[Instant]] {
    guard let requests = nodes[node].observer?.pictureRequests else { return [] }
    return Array(requests.values)
  }
}
