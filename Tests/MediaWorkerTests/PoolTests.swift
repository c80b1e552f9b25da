// Goal: one lesson over two media threads of one packet memory, with real sockets and DTLS. Method: a pool of two, a
// publisher at home and a receiver at either; also what ThreadSanitizer watches lanes and slots by.
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Testing

/// The pictures a receiver was given, every byte of them compared.
private struct Watcher: ~Copyable {
  let worker: MediaWorker
  var lane: SinkLane
  private(set) var frames: Set<UInt32> = []
  private(set) var spoiled = 0

  init?(_ side: Side) {
    guard let lane = side.worker.attachSink(SinkID(rawValue: 1), capacity: 2_048) else { return nil }
    worker = side.worker
    self.lane = lane
    _ = worker.send(.addSink(LessonID(rawValue: 1), FeedID(rawValue: 1), sink: SinkID(rawValue: 1)))
  }

  mutating func take() {
    while let record = lane.leases.pop() {
      let bytes = worker.arena.bytes(record.slot, count: record.byteCount)
      let start = Int(record.payloadOffset)
      let frame = bytes.loadUnaligned(fromByteOffset: start + 1, as: UInt32.self)
      let isWhole = (5..<900).allSatisfy { bytes[start + $0] == UInt8(truncatingIfNeeded: frame &+ UInt32($0)) }
      if record.payloadByteCount == 900, isWhole { frames.insert(frame) } else { spoiled += 1 }
      _ = lane.returns.push(record.slot)
    }
  }
}

@Suite(.serialized) struct PoolTests {
  private static let lesson = LessonID(rawValue: 1)

  private func pool(_ identity: DTLSIdentity, workers: Int = 2) throws -> MediaWorkerPool {
    var configuration = WorkerConfiguration()
    configuration.loopbackOnly = true
    configuration.slotCount = 4_096
    configuration.pins = true
    return try MediaWorkerPool(configuration: configuration, workers: workers, identity: identity)
  }

  @Test func aLessonGoesOverTwoWorkers() async throws {
    let identity = try DTLSIdentity.generate()
    let pool = try pool(identity)
    let lead = try Side(controlling: true)
    let sites = [try Side(controlling: true), try Side(controlling: true)]
    defer {
      for side in sites { side.worker.stop() }
      lead.worker.stop()
      pool.stop()
    }
    for worker in pool.workers {
      _ = worker.send(.openLesson(Self.lesson))
      _ = worker.send(.setStage(Self.lesson, FeedID(rawValue: 1)))
    }
    #expect(pool.workers[0].port != pool.workers[1].port)
    #expect(pool.link(Self.lesson, from: 0, to: 1))
    let relays = pool.workers.map { Side(worker: $0, identity: identity) }
    // Just started: the rings of commands are empty.
    var camera = Camera(lead)!
    var near = Watcher(sites[0])!
    var far = Watcher(sites[1])!
    try sites[0].connect(to: relays[0], role: .whep, peer: 2)
    try sites[1].connect(to: relays[1], role: .whep, peer: 3)
    try lead.connect(to: relays[0], role: .whip, peer: 1)
    while camera.frame < 2_000, near.frames.count < 150 || far.frames.count < 150 {
      camera.shoot()
      try await Task.sleep(for: .milliseconds(5))
      near.take()
      far.take()
      // In the middle of it the link is closed and opened.
      if camera.frame == 150 { pool.unlink(Self.lesson, from: 0, to: 1) }
      if camera.frame == 200 { #expect(pool.link(Self.lesson, from: 0, to: 1)) }
    }
    #expect(near.frames.count >= 150 && far.frames.count >= 150)
    #expect(near.spoiled == 0 && far.spoiled == 0)
    try await expectCounters(pool)
  }

  private func expectCounters(_ pool: MediaWorkerPool) async throws {
    _ = pool.workers[0].send(.closeLesson(Self.lesson))
    var counters = pool.workers.map { $0.counters().core }
    for _ in 0..<200 where counters[0].slotsLent > 0 || counters[1].streams > 0 || counters[0].lessons > 0 {
      try await Task.sleep(for: .milliseconds(20))
      counters = pool.workers.map { $0.counters().core }
    }
    #expect(counters[0].packetsLent > 300 && counters[1].packetsBorrowed == counters[0].packetsLent)
    #expect(counters[0].slotsLent == 0 && counters[1].streams == 0)
  }

  /// Ends in any order, in mid-lesson, with leases on their way.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) func workersStopInAnyOrder(order: [Int]) async throws {
    let identity = try DTLSIdentity.generate()
    let pool = try pool(identity, workers: 3)
    let lead = try Side(controlling: true)
    defer { lead.worker.stop() }
    for worker in pool.workers { _ = worker.send(.openLesson(Self.lesson)) }
    for far in 1..<3 { #expect(pool.link(Self.lesson, from: 0, to: far)) }
    // Just started: the ring of commands is empty.
    var camera = Camera(lead)!
    try lead.connect(to: Side(worker: pool.workers[0], identity: identity), role: .whip, peer: 1)
    while camera.frame < 600, pool.workers[2].counters().core.packetsBorrowed < 100 {
      camera.shoot()
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(pool.workers[2].counters().core.packetsBorrowed >= 100)
    for worker in order {
      pool.workers[worker].stop()
      for _ in 0..<10 { camera.shoot() }
      try await Task.sleep(for: .milliseconds(10))
    }
    pool.stop()
  }

  @Test func portsFollowEachOtherOrTheStartFails() throws {
    let identity = try DTLSIdentity.generate()
    var configuration = WorkerConfiguration()
    configuration.loopbackOnly = true
    configuration.slotCount = 256
    configuration.udpPort = 65_535
    #expect(throws: WorkerError.self) {
      try MediaWorkerPool(configuration: configuration, workers: 2, identity: identity)
    }
    #expect(!MachineProbe.processors.isEmpty)
  }
}
