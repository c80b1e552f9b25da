// Goal: a storm of handshakes is gone through. Method: two handshake threads joined by
// hand, one the server of hundreds of associations, the other the client of them all.
import MediaWorker
import PacketRing
import RTCCore
import Testing

/// One handshake thread and the worker's ends of its lanes.
struct HandshakeDesk: ~Copyable {
  let thread: HandshakeThread
  let identity: DTLSIdentity
  var inputs: LaneProducer<HandshakeInput>
  var outputs: LaneConsumer<HandshakeOutput>

  init(workerWake: Int32, linger: Interval) throws {
    let inputs = makeLane(of: HandshakeInput.self, capacity: 8_192)
    let outputs = makeLane(of: HandshakeOutput.self, capacity: 4_096)
    let identity = try DTLSIdentity.generate()
    let thread = try HandshakeThread(
      identity: identity, workerWake: workerWake, inputs: inputs.consumer, outputs: outputs.producer, linger: linger)
    self.identity = identity
    self.thread = thread
    self.inputs = inputs.producer
    self.outputs = outputs.consumer
    thread.start()
  }
}

@Suite(.serialized) struct HandshakeStormTests {
  /// Carries datagrams between the two until `count` peers have keys at both, for `limit` at most.
  static func run(
    _ peers: Range<UInt64>, _ server: inout HandshakeDesk, _ client: inout HandshakeDesk,
    limit: Duration = .seconds(30)
  ) async throws -> (served: Set<PeerID>, connected: Set<PeerID>) {
    for peer in peers {
      let id = PeerID(rawValue: peer)
      let isAsked = server.inputs.push(.start(id, role: .server, fingerprints: [client.identity.fingerprint]))
      let isBegun = client.inputs.push(.start(id, role: .client, fingerprints: [server.identity.fingerprint]))
      #expect(isAsked && isBegun)
    }
    server.thread.signal()
    client.thread.signal()
    var served: Set<PeerID> = []
    var connected: Set<PeerID> = []
    let end = ContinuousClock.now + limit
    while served.count < peers.count || connected.count < peers.count, ContinuousClock.now < end {
      while let output = server.outputs.pop() {
        switch output {
        case .send(let peer, let bytes): _ = client.inputs.push(.datagram(peer, bytes))
        case .keysReady(let peer, _): served.insert(peer)
        case .failed(let peer, let failure): Issue.record("\(peer): \(failure)")
        case .closed: break
        }
      }
      while let output = client.outputs.pop() {
        switch output {
        case .send(let peer, let bytes): _ = server.inputs.push(.datagram(peer, bytes))
        case .keysReady(let peer, _): connected.insert(peer)
        case .failed(let peer, let failure): Issue.record("\(peer): \(failure)")
        case .closed: break
        }
      }
      server.thread.signal()
      client.thread.signal()
      try await Task.sleep(for: .milliseconds(1))
    }
    return (served, connected)
  }

  @Test func everyHandshakeOfAStormIsDone() async throws {
    var server = try HandshakeDesk(workerWake: -1, linger: .milliseconds(300))
    var client = try HandshakeDesk(workerWake: -1, linger: .milliseconds(300))
    defer {
      server.thread.stop()
      client.thread.stop()
    }
    let (served, connected) = try await Self.run(0..<100, &server, &client)
    #expect(served.count == 100 && connected.count == 100)
  }
}
