import CLinuxIO
import CMeasure
import MediaWorker
import PacketRing
import RTCCore
import RTCWire

/// One UDP port with a core behind it, driven by whoever measures: it knows when each packet left and arrived.
///
/// Departure is read right before the system call; arrival is what the kernel noted when the datagram reached the
/// socket, so that neither waits for this thread to run.
final class SocketEndpoint {
  struct Arrival {
    /// The pattern's number of this packet, among those of its kind.
    var number: Int64
    var isSound: Bool
    /// Of a key frame, which the pacer spreads.
    var isKeyFrame: Bool
    /// Nanoseconds of the monotonic clock.
    var at: Int64
  }

  let port: UInt16
  let arena: SlotArena
  let identity: DTLSIdentity
  var core: RelayCore
  /// What has arrived since it was last taken.
  private(set) var arrivals: [Arrival] = []
  /// Of RTP packets by their SSRC, in the order they left, nanoseconds of the monotonic clock.
  private(set) var departures: [UInt32: [Int64]] = [:]
  private(set) var connected = 0

  private let descriptor: Int32
  private let isIPv6: Int32
  private let wake: Int32
  private let handshake: HandshakeThread
  private var handshakeInputs: LaneProducer<HandshakeInput>
  private var handshakeOutputs: LaneConsumer<HandshakeOutput>
  private var egress = EgressArena()
  private var sinks: [SinkEnd] = []
  private var spare: [SlotIndex] = []
  private var buffers: [UnsafeMutableRawPointer?] = []
  private var received = [tk_received](repeating: tk_received(), count: Int(TK_BATCH))
  private var stamps = [Int64](repeating: 0, count: Int(TK_BATCH))
  /// When the datagram now in a slot arrived.
  private var arrivedAt: [Int64]

  private final class SinkEnd {
    var leases: LaneConsumer<PacketRecord>
    var returns: LaneProducer<SlotIndex>
    init(_ leases: consuming LaneConsumer<PacketRecord>, _ returns: consuming LaneProducer<SlotIndex>) {
      self.leases = leases
      self.returns = returns
    }
  }

  init(slotCount: Int = 16_384) throws {
    identity = try DTLSIdentity.generate()
    var bound: UInt16 = 0
    var isIPv6: Int32 = 0
    var got: Int32 = 0
    descriptor = tk_udp_open(&bound, 0, &isIPv6, 8 << 20, &got)
    guard descriptor >= 0, tk_stamp_arrivals(descriptor) == 0 else { throw BenchError("no UDP socket") }
    self.isIPv6 = isIPv6
    port = bound
    arena = SlotArena(slotCount: slotCount)
    arrivedAt = [Int64](repeating: 0, count: slotCount)
    var configuration = CoreConfiguration()
    configuration.peerLimit = 256
    configuration.lessonLimit = 256
    configuration.streamLimit = 1_024
    configuration.pictureGroupAge = .milliseconds(200)
    core = RelayCore(configuration: configuration, arena: arena, seed: UInt64(bound))
    wake = tk_eventfd()
    let inputs = makeLane(of: HandshakeInput.self, capacity: 4_096)
    let outputs = makeLane(of: HandshakeOutput.self, capacity: 4_096)
    handshakeInputs = inputs.producer
    handshakeOutputs = outputs.consumer
    handshake = try HandshakeThread(
      identity: identity, workerWake: wake, inputs: inputs.consumer, outputs: outputs.producer)
    handshake.start()
  }

  deinit {
    handshake.stop()
    tk_close(descriptor)
    tk_close(wake)
    arena.unmap()
  }

  func address(_ host: UInt32 = 0x7F00_0001) -> SocketAddress { SocketAddress(ipv4: host, port: port) }

  /// The descriptor to wait for.
  var readable: Int32 { descriptor }

  func takeArrivals() -> [Arrival] {
    defer { arrivals = [] }
    return arrivals
  }

  /// Everything that comes of a lesson's feed is looked at from now on.
  func listen(to lesson: LessonID) {
    let leases = makeLane(of: PacketRecord.self, capacity: 1_024)
    let returns = makeLane(of: SlotIndex.self, capacity: 2_048)
    let sink = SinkID(rawValue: UInt16(sinks.count + 1))
    sinks.append(SinkEnd(leases.consumer, returns.producer))
    core.attachSink(sink, producer: leases.producer, returns: returns.consumer)
    core.apply(.openLesson(lesson), now: monotonicNow())
    core.apply(.addSink(lesson, Pairing.feed, sink: sink), now: monotonicNow())
  }

  /// A lane for a source, to be opened by a pairing.
  func attachSource(_ injection: InjectionID) -> InjectionEnd {
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    core.attachInjection(injection, packets: packets.consumer, grants: grants.producer)
    core.service(now: monotonicNow())
    return InjectionEnd(packets: packets.producer, grants: grants.consumer)
  }

  // MARK: A turn

  func turn() {
    let now = monotonicNow()
    core.service(now: now)
    receive(now)
    while let output = handshakeOutputs.pop() { core.handle(output, now: now) }
    core.advance(now: now)
    var isFull = true
    while isFull {
      isFull = core.drain(into: &egress, now: now)
      transmit()
    }
    var hasInput = false
    while let input = core.nextHandshakeInput() {
      _ = handshakeInputs.push(input)
      hasInput = true
    }
    if hasInput { handshake.signal() }
    while let event = core.nextEvent() {
      if case .dtlsConnected = event { connected += 1 }
    }
  }

  private func receive(_ now: Now) {
    let wallOffset = tk_wall_offset()
    while true {
      while spare.count < Int(TK_BATCH), let slot = core.claimSlot() {
        spare.append(slot)
        buffers.append(arena.pointer(slot))
      }
      let count = Int(
        tk_udp_receive_stamped(
          descriptor, &buffers, UInt32(arena.stride), &received, &stamps, Int32(spare.count)))
      guard count > 0 else { return }
      for index in 0..<count {
        arrivedAt[Int(spare[index].rawValue)] = stamps[index] - wallOffset
        var local = Self.address(received[index].local)
        local.port = port
        core.receive(
          spare[index], byteCount: Int(received[index].count),
          path: NetworkPath(local: local, remote: Self.address(received[index].remote)), now: now)
      }
      spare.removeFirst(count)
      buffers.removeFirst(count)
      look()
    }
  }

  /// Reads the numbers out of what has come.
  private func look() {
    for sink in sinks {
      while let record = sink.leases.pop() {
        let bytes = arena.bytes(record.slot, count: record.byteCount)
        if record.payloadByteCount >= 10 {
          let number = bytes.loadUnaligned(fromByteOffset: Int(record.payloadOffset) + 2, as: Int64.self)
          let kind = bytes[Int(record.payloadOffset)]
          let isSound = record.flags.contains(.audio)
          arrivals.append(
            Arrival(
              number: number, isSound: isSound, isKeyFrame: !isSound && (kind == 0x67 || kind == 0x7C),
              at: arrivedAt[Int(record.slot.rawValue)]))
        }
        _ = sink.returns.push(record.slot)
      }
    }
  }

  private func transmit() {
    let trains = egress.trains
    var start = 0
    while start < trains.count {
      let batch = trains[start..<min(start + Int(TK_BATCH), trains.count)]
      let raw = batch.map { train in
        tk_train(
          remote: Self.raw(train.path.remote), local: Self.raw(train.path.local, port: 0),
          bytes: UnsafeRawPointer(egress.base + train.offset), count: UInt32(train.byteCount),
          segment: train.byteCount > train.segmentByteCount ? UInt32(train.segmentByteCount) : 0)
      }
      let time = tk_monotonic_nanoseconds()
      let sent = max(Int(tk_udp_send(descriptor, isIPv6, raw, Int32(raw.count))), 0)
      for train in batch.prefix(sent) { note(train, at: time) }
      // What the kernel does not take is lost, as in the relay.
      start += max(sent, 1)
    }
    egress.reset()
  }

  private func note(_ train: Train, at time: Int64) {
    for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
      let count = min(train.segmentByteCount, train.byteCount - offset)
      let bytes = UnsafeRawBufferPointer(start: egress.base + train.offset + offset, count: count)
      guard classify(bytes) == .rtp, let header = try? RTPHeader(bytes) else { continue }
      departures[header.ssrc, default: []].append(time)
    }
  }

  private static func address(_ raw: tk_address) -> SocketAddress {
    let bytes = raw.bytes
    let value = UInt32(bytes.0) << 24 | UInt32(bytes.1) << 16 | UInt32(bytes.2) << 8 | UInt32(bytes.3)
    return SocketAddress(ipv4: value, port: raw.port)
  }

  private static func raw(_ address: SocketAddress, port: UInt16? = nil) -> tk_address {
    var raw = tk_address()
    raw.family = 4
    raw.port = port ?? address.port
    withUnsafeMutableBytes(of: &raw.bytes) {
      $0.storeBytes(of: address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
    }
    return raw
  }
}
