// Goal: a lesson goes by TCP as by UDP, and no connection harms another. Method: real workers on loopback, whose
// clients' datagrams a bridge carries as frames; plain connections for what no client sends.
import Foundation
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Testing

/// A relay with a lead whose pictures the test makes.
private struct Classroom: ~Copyable {
  let relay: Side
  let lead: Side
  private var camera: Camera

  init(
    _ change: (inout WorkerConfiguration) -> Void = { _ in }, lead bridge: (Side) throws -> TCPBridge? = { _ in nil }
  )
    throws
  {
    let relay = try Side(controlling: false, change: change)
    let lead = try Side(controlling: true)
    // Just started: the command ring is empty.
    let camera = Camera(lead)!
    try lead.connect(to: relay, role: .whip, peer: 1, via: bridge(relay)?.udp.port)
    self.relay = relay
    self.lead = lead
    self.camera = camera
  }

  /// Pictures 10 ms apart.
  mutating func teach(pictures: Int) async throws {
    for _ in 0..<pictures {
      camera.shoot()
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func stop() {
    lead.worker.stop()
    relay.worker.stop()
  }
}

/// A receiver and the pictures it has been sent.
private struct Room: ~Copyable {
  let side: Side
  private var sink: SinkLane
  private(set) var pictures: [UInt32] = []

  init(_ relay: Side, peer: UInt64, via port: UInt16?) throws {
    let side = try Side(controlling: true)
    // Just started: the command ring is empty.
    let lane = side.worker.attachSink(SinkID(rawValue: 1), capacity: 2_048)!
    _ = side.worker.send(.addSink(LessonID(rawValue: 1), FeedID(rawValue: 1), sink: SinkID(rawValue: 1)))
    try side.connect(to: relay, role: .whep, peer: peer, via: port)
    self.side = side
    sink = lane
  }

  mutating func look() -> Set<UInt32> {
    while let record = sink.leases.pop() {
      let bytes = side.worker.arena.bytes(record.slot, count: record.byteCount)
      pictures.append(bytes.loadUnaligned(fromByteOffset: Int(record.payloadOffset) + 1, as: UInt32.self))
      _ = sink.returns.push(record.slot)
    }
    return Set(pictures)
  }
}

@Suite(.serialized) struct TCPTests {
  /// Both the lead and a room have no UDP; frames come in pieces and several at once.
  @Test(arguments: TCPBridge.Segments.allCases) func lessonGoesByTCP(segments: TCPBridge.Segments) async throws {
    var bridges: [TCPBridge] = []
    defer { for bridge in bridges { bridge.stop() } }
    var classroom = try Classroom(lead: { relay in
      let bridge = try #require(TCPBridge(to: relay.worker.port, segments: segments))
      bridges.append(bridge)
      return bridge
    })
    defer { classroom.stop() }
    let bridge = try #require(TCPBridge(to: classroom.relay.worker.port, segments: segments))
    bridges.append(bridge)
    var room = try Room(classroom.relay, peer: 2, via: bridge.udp.port)
    defer { room.side.worker.stop() }
    var rounds = 0
    while room.look().count < 100, rounds < 30 {
      try await classroom.teach(pictures: 20)
      rounds += 1
    }
    #expect(room.look().count >= 100)
    try await Task.sleep(for: .milliseconds(200))
    let counters = classroom.relay.worker.counters()
    #expect(counters.tcp.connections == 2 && counters.tcp.accepted == 2)
    #expect(counters.tcp.refused.allSatisfy { $0 == 0 } && counters.tcp.packetsDropped == 0)
    // The bridges' own datagrams may be lost on a busy machine.
    #expect(counters.core.packetsRetransmitted < 20)
    #expect(counters.tcp.bytesSent > 300_000 && counters.tcp.bytesReceived > 300_000)
  }

  /// A room that stops reading for two seconds: the others lose nothing, what waits for it is bounded, and it comes
  /// back at a key frame.
  @Test func aRoomThatStopsReadingHarmsNobody() async throws {
    var classroom = try Classroom()
    defer { classroom.stop() }
    let bridge = try #require(TCPBridge(to: classroom.relay.worker.port, receiveBytes: 16_384))
    defer { bridge.stop() }
    var deaf = try Room(classroom.relay, peer: 2, via: bridge.udp.port)
    var other = try Room(classroom.relay, peer: 3, via: nil)
    defer {
      deaf.side.worker.stop()
      other.side.worker.stop()
    }
    var rounds = 0
    while deaf.look().count < 20 || other.look().count < 20, rounds < 30 {
      try await classroom.teach(pictures: 10)
      rounds += 1
    }
    let slots = classroom.relay.worker.counters().core.slotsFree
    bridge.isDeaf = true
    let seen = deaf.look().count
    let start = try #require(other.look().max())
    let dropped = classroom.relay.worker.counters().core.drops[DropReason.overBudget.rawValue]
    // Two seconds are some 720 kB.
    try await classroom.teach(pictures: 200)
    let during = classroom.relay.worker.counters()
    #expect(during.core.drops[DropReason.overBudget.rawValue] > dropped)
    #expect(slots < during.core.slotsFree + 1_500, "nothing is held for it but the lesson's history")
    let end = try #require(other.look().max())
    #expect(end > start + 150)
    #expect(Set(start...end).subtracting(other.look()).isEmpty, "the others miss nothing")

    bridge.isDeaf = false
    let before = deaf.look().max() ?? 0
    rounds = 0
    while deaf.look().count < seen + 100, rounds < 30 {
      try await classroom.teach(pictures: 20)
      rounds += 1
    }
    #expect(deaf.look().count >= seen + 100)
    let gap = deaf.pictures.filter { $0 > before }
    let first = try #require(zip(gap, gap.dropFirst()).first { $1 > $0 + 1 }?.1 ?? gap.first)
    #expect(first % 50 == 0, "it goes on at a key frame")
  }

  @Test(arguments: [0, 1_601, 65_535]) func aFrameOfNoPacketsLengthEndsTheConnection(length: Int) throws {
    let side = try Side(controlling: false)
    defer { side.worker.stop() }
    let port = try #require(side.worker.tcpPort)
    let bystander = try #require(TCPClient.connect(port))
    let connection = try #require(TCPClient.connect(port))
    defer {
      close(connection)
      close(bystander)
    }
    TCPClient.write([UInt8(length >> 8), UInt8(length & 255), 1, 2, 3], to: connection)
    #expect(TCPClient.isEnded(connection))
    try expect(side) { $0.tcp.refused[TCPRefusal.badFrame.rawValue] == 1 && $0.tcp.connections == 1 }
  }

  /// Garbage in good frames is dropped, and whoever shows no check within five seconds is gone.
  @Test func whoShowsNoCheckIsClosed() throws {
    let side = try Side(controlling: false)
    defer { side.worker.stop() }
    let connection = try #require(TCPClient.connect(side.worker.port))
    defer { close(connection) }
    let start = ContinuousClock.now
    var random = SystemRandomNumberGenerator()
    for count in 1...200 {
      TCPClient.write(
        TCPClient.frame((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }), to: connection)
    }
    #expect(TCPClient.isEnded(connection))
    #expect(ContinuousClock.now - start > .seconds(4))
    try expect(side) { $0.tcp.refused[TCPRefusal.noCheck.rawValue] == 1 && $0.core.packetsReceived == 200 }
    #expect(side.worker.counters().core.slotsFree + 64 >= side.worker.counters().core.slotsTotal)
  }

  @Test func connectionsAreLimited() throws {
    let side = try Side(controlling: false) {
      $0.tcpConnectionLimit = 6
      $0.tcpAddressLimit = 4
    }
    defer { side.worker.stop() }
    let port = try #require(side.worker.tcpPort)
    var open: [Int32] = []
    defer { for descriptor in open { close(descriptor) } }
    for _ in 0..<10 { open.append(try #require(TCPClient.connect(port))) }
    try expect(side) { $0.tcp.accepted == 4 && $0.tcp.refused[TCPRefusal.addressLimit.rawValue] == 6 }
    for descriptor in open[4...] { #expect(TCPClient.isEnded(descriptor)) }
    // Places come back.
    for descriptor in open { close(descriptor) }
    open = []
    try expect(side) { $0.tcp.connections == 0 }
    open.append(try #require(TCPClient.connect(port)))
    try expect(side) { $0.tcp.connections == 1 && $0.tcp.accepted == 5 }
  }

  @Test func theWorkersLimitHoldsForAll() throws {
    let side = try Side(controlling: false) { $0.tcpConnectionLimit = 3 }
    defer { side.worker.stop() }
    let port = try #require(side.worker.tcpPort)
    var open: [Int32] = []
    defer { for descriptor in open { close(descriptor) } }
    for _ in 0..<5 { open.append(try #require(TCPClient.connect(port))) }
    try expect(side) { $0.tcp.connections == 3 && $0.tcp.refused[TCPRefusal.workerLimit.rawValue] == 2 }
  }

  @Test func bothProtocolsHaveOneNumber() throws {
    let side = try Side(controlling: false)
    defer { side.worker.stop() }
    #expect(side.worker.tcpPort == side.worker.port)
    let without = try Side(controlling: false) { $0.tcp = false }
    defer { without.worker.stop() }
    #expect(without.worker.tcpPort == nil)
    #expect(TCPClient.connect(without.worker.port) == nil)
    // A number whose TCP port is taken is no number for a worker.
    #expect(throws: WorkerError.self) {
      _ = try Side(controlling: false) {
        $0.udpPort = try! Self.portTakenOfTCP()  // a free port is there
      }
    }
  }

  /// A port that another socket listens at; it stays open.
  private static func portTakenOfTCP() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(listen(descriptor, 1) == 0)
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    _ = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return PlainSocket.read(name).port
  }

  /// Waits two seconds at most for counters, which are published ten times a second.
  private func expect(_ side: Side, _ holds: (WorkerCounters) -> Bool, _ place: SourceLocation = #_sourceLocation)
    throws
  {
    for _ in 0..<40 where !holds(side.worker.counters()) { usleep(50_000) }
    #expect(holds(side.worker.counters()), "\(side.worker.counters().tcp)", sourceLocation: place)
  }
}

@Suite struct TCPFrameTests {
  /// However a stream is cut, the same packets come out of it.
  @Test func anyCutGivesTheSamePackets() {
    let packets = [1, 2, 255, 256, 1_600, 3].map { [UInt8](repeating: UInt8($0 & 255), count: $0) }
    let stream = packets.flatMap(TCPClient.frame)
    for step in [1, 2, 3, 7, 257, 2_000] {
      var frame = TCPFrame()
      var slot = [UInt8](repeating: 0, count: 1_600)
      var found: [[UInt8]] = []
      var place = 0
      while place < stream.count {
        #expect(!frame.isMalformed(limit: 1_600))
        let body = min(frame.missing, step, stream.count - place)
        for offset in 0..<body { slot[frame.offset + offset] = stream[place + offset] }
        let more = body == frame.missing ? min(frame.lengthRoom, step, stream.count - place - body) : 0
        let next = stream[(place + body)..<(place + body + more)] + [0, 0]
        let taken = frame.take(body + more, next: (next[next.startIndex], next[next.startIndex + 1]))
        if let taken { found.append(Array(slot[0..<taken])) }
        place += body + more
      }
      #expect(found == packets)
    }
  }
}
