import CLinuxIO
import PacketRing
public import RTCCore
import RTCWire
import Synchronization

/// Ends of a lane on their way to the worker: a class, so that they fit a command.
final class SinkEnds: @unchecked Sendable {
  var producer: LaneProducer<PacketRecord>?
  var returns: LaneConsumer<SlotIndex>?
  init(_ producer: consuming LaneProducer<PacketRecord>, _ returns: consuming LaneConsumer<SlotIndex>) {
    self.producer = consume producer
    self.returns = consume returns
  }
}

final class InjectionEnds: @unchecked Sendable {
  var packets: LaneConsumer<InjectedPacket>?
  var grants: LaneProducer<SlotIndex>?
  init(_ packets: consuming LaneConsumer<InjectedPacket>, _ grants: consuming LaneProducer<SlotIndex>) {
    self.packets = consume packets
    self.grants = consume grants
  }
}

enum WorkerCommand: Sendable {
  case core(Command)
  case attachSink(SinkID, SinkEnds)
  case attachInjection(InjectionID, InjectionEnds)
}

/// Hands a loop to its thread.
final class WorkerStart: @unchecked Sendable {
  private var loop: WorkerLoop?
  init(_ loop: consuming WorkerLoop) { self.loop = consume loop }

  /// The thread's body.
  func run() {
    guard var loop = loop.take() else { return }
    loop.run()
  }
}

/// The state of a worker's thread: a value on that thread's stack, so that no access to it needs to be checked.
///
/// A turn: clock once → commands → returned leases and injected packets → receive batches → handshake results → timers
/// → drain → transmit → counters; then a rest by `turnSpacing`, and `epoll_wait` until the core's next deadline.
struct WorkerLoop: ~Copyable {
  /// Batches of 64 in a turn, and no more after so long: beyond that, timers and sending come first. Checks of a storm
  /// cost ten times what media does.
  private static let batchLimit = 8
  private static let receivingMicroseconds: Int64 = 1_500
  /// Commands of a turn: 64 joins are 0.2 ms, and 1 ms where they touch new memory.
  private static let commandLimit = 64
  /// Reports of handshakes: each that ends derives the keys of four ciphers.
  private static let handshakeLimit = 16
  private static let niceValue: Int32 = -10
  /// Sending stops for a look at the sockets and clocks after so long; the rest goes with the next turn.
  private static let sendingMicroseconds: Int64 = 2_000

  private let configuration: WorkerConfiguration
  private var core: RelayCore
  private let arena: SlotArena
  private var ports: Ports
  /// 640 KiB of pictures or 256 trains of sound are a millisecond or two of the kernel's time: between fillings there
  /// is a look at the clock.
  private var egress = EgressArena(byteCount: 640 << 10, trainLimit: 256)
  private let wake: Int32
  private let epoll: Int32
  private var commands: LaneConsumer<WorkerCommand>
  private var handshakeInputs: LaneProducer<HandshakeInput>
  private var handshakeOutputs: LaneConsumer<HandshakeOutput>
  private let handshake: HandshakeThread
  private var events: LaneProducer<CoreEvent>
  private let eventWake: Int32
  private let published: SharedCounters
  private var counters = WorkerCounters()
  private var nextPublication: Int64 = 0
  private var window: CoalescingWindow
  private var utilisation = UtilisationMeter()
  /// The thread's processor time at the end of the last turn.
  private var processorTime: Int64 = 0
  /// The start of the last turn, microseconds.
  private var turnStart: Int64 = 0
  /// The start of the turn whose sending is not done yet, and what had been sent by then.
  private var unfinished: (since: Int64, datagrams: UInt64)?
  private var faults: SplitMix64
  private let stopping: StopFlag
  /// Slots waiting for the next receive call, and their addresses for it.
  private var spare: [SlotIndex] = []
  private var buffers: [UnsafeMutableRawPointer?] = []
  private var received = [tk_received](repeating: tk_received(), count: TK_BATCH)
  /// A connection may be ready, or the listener.
  private var hasConnectionNews = true
  private var wakesHandshake = false
  private var wakesEvents = false
  /// What wakes each neighbour of the core, by place.
  private var neighbourWakes: [Int32] = []

  init(
    configuration: WorkerConfiguration, core: consuming RelayCore, arena: SlotArena, ports: consuming Ports,
    wake: Int32, commands: consuming LaneConsumer<WorkerCommand>,
    handshakeInputs: consuming LaneProducer<HandshakeInput>,
    handshakeOutputs: consuming LaneConsumer<HandshakeOutput>, handshake: HandshakeThread,
    events: consuming LaneProducer<CoreEvent>, eventWake: Int32, published: SharedCounters, stopping: StopFlag
  ) {
    self.configuration = configuration
    self.core = core
    self.arena = arena
    epoll = tk_epoll(ports.udp.descriptor, wake)
    if let set = ports.tcp?.set { _ = tk_epoll_third(epoll, set) }
    self.ports = ports
    self.wake = wake
    self.commands = commands
    self.handshakeInputs = handshakeInputs
    self.handshakeOutputs = handshakeOutputs
    self.handshake = handshake
    self.events = events
    self.eventWake = eventWake
    self.published = published
    self.stopping = stopping
    faults = SplitMix64(seed: configuration.seed ^ 0x5EED)
    window = CoalescingWindow(configuration.coalescing, bound: configuration.coalescingBound)
    self.core.coalescing = window.interval
    self.core.burstGap = configuration.burstGap
    counters.receiveBufferBytes = self.ports.udp.receiveBufferByteCount
  }

  deinit { tk_close(epoll) }

  mutating func run() {
    processorTime = tk_thread_microseconds()
    // Before pages and databases of the same machine, where the service may (LimitNICE); as ever where it may not.
    _ = tk_thread_set_nice(Self.niceValue)
    while !stopping.isSet {
      let hasMore = turn()
      guard !hasMore else {
        hasConnectionNews = true
        continue
      }
      let deadline = core.nextDeadline
      var now = tk_monotonic_microseconds()
      let rest = min(turnStart + turnSpacing(utilisation: utilisation.permille).microseconds, deadline.microseconds)
      if rest > now {
        tk_sleep(rest - now)
        now = tk_monotonic_microseconds()
      }
      let limit: Int64 = 100_000
      let pause = deadline == .distantFuture ? limit : min(max(deadline.microseconds - now, 0), limit)
      let ready = tk_epoll_wait(epoll, pause)
      if ready & 2 != 0 { tk_eventfd_clear(wake) }
      hasConnectionNews = ready & 4 != 0
    }
    // The last turn sends the BYEs of what the control plane has just removed.
    _ = turn()
    core.severLinks(now: monotonicNow())
    wakeNeighbours()
  }

  /// Connects another worker. Before `run`.
  mutating func attach(_ neighbour: NeighbourEnds) {
    guard let lanes = neighbour.lanes.take() else { return }
    core.attachNeighbour(neighbour.worker, slots: neighbour.slots, lanes: lanes)
    neighbourWakes.append(neighbour.wake)
  }

  /// Wakes the workers that have something to read, once each.
  private mutating func wakeNeighbours() {
    var wakes = core.takeWakes()
    while wakes != 0 {
      tk_eventfd_signal(neighbourWakes[wakes.trailingZeroBitCount])
      wakes &= wakes - 1
    }
  }

  /// True when there was more to receive or to send than a turn takes.
  private mutating func turn() -> Bool {
    let now = monotonicNow()
    turnStart = now.monotonic.microseconds
    var taken = 0
    while taken < Self.commandLimit, let command = commands.pop() {
      taken += 1
      apply(command, now: now)
    }
    core.service(now: now)
    let hasMore = receive(now: now)
    if hasConnectionNews { ports.tcp?.receive(&core, arena: arena, now: now) }
    ports.tcp?.sweep(&core, now: now)
    // Other workers send while this one does.
    wakeNeighbours()
    var reports = 0
    while reports < Self.handshakeLimit, let output = handshakeOutputs.pop() {
      reports += 1
      core.handle(output, now: now)
    }
    core.advance(now: now)
    let hasBacklog = send(since: now)
    handOver()
    count(since: now)
    return hasMore || hasBacklog || taken == Self.commandLimit || reports == Self.handshakeLimit
  }

  /// Seals and sends by the arena's measure. True when it was cut short.
  private mutating func send(since start: Now) -> Bool {
    let round = unfinished ?? (since: start.monotonic.microseconds, datagrams: counters.trainLength.sum)
    let limit = start.monotonic.microseconds + Self.sendingMicroseconds
    var isFull = true
    while isFull {
      isFull = core.drain(into: &egress, now: start)
      transmit(now: start)
      if isFull, tk_monotonic_microseconds() >= limit {
        unfinished = round
        return true
      }
    }
    // Every datagram counts: turns that send a report or two would hide those that send a picture to everyone.
    let sent = counters.trainLength.sum &- round.datagrams
    if sent > 0 { counters.backlogMicroseconds.add(Int(tk_monotonic_microseconds() - round.since), weight: sent) }
    unfinished = nil
    return false
  }

  private mutating func apply(_ command: WorkerCommand, now: Now) {
    switch command {
    case .core(let command): core.apply(command, now: now)
    case .attachSink(let sink, let ends):
      guard let producer = ends.producer.take(), let returns = ends.returns.take() else { return }
      core.attachSink(sink, producer: producer, returns: returns)
    case .attachInjection(let injection, let ends):
      guard let packets = ends.packets.take(), let grants = ends.grants.take() else { return }
      core.attachInjection(injection, packets: packets, grants: grants)
      core.service(now: now)
    }
  }

  private mutating func receive(now: Now) -> Bool {
    let limit = TK_BATCH
    for _ in 0..<Self.batchLimit {
      while spare.count < limit, let slot = core.claimSlot() {
        spare.append(slot)
        buffers.append(arena.pointer(slot))
      }
      guard !spare.isEmpty else { return false }
      counters.receiveCalls &+= 1
      let count = Int(
        tk_udp_receive(ports.udp.descriptor, &buffers, UInt32(arena.stride), &received, Int32(spare.count)))
      guard count > 0 else { return false }
      for index in 0..<count {
        let datagram = received[index]
        guard datagram.count > 0, !isLost() else {
          core.releaseSlot(spare[index])
          continue
        }
        var local = SocketAddress(datagram.local)
        local.port = ports.port
        core.receive(
          spare[index], byteCount: Int(datagram.count),
          path: NetworkPath(local: local, remote: SocketAddress(datagram.remote)), now: now)
      }
      spare.removeFirst(count)
      buffers.removeFirst(count)
      if count < limit { return false }
      if tk_monotonic_microseconds() - now.monotonic.microseconds > Self.receivingMicroseconds { break }
    }
    return true
  }

  /// A deliberate fault, for trials: this share of datagrams is lost in each direction.
  private mutating func isLost() -> Bool {
    configuration.faultDropFraction > 0
      && Double.random(in: 0..<1, using: &faults) < configuration.faultDropFraction
  }

  private mutating func transmit(now: Now) {
    guard !egress.isEmpty else { return }
    for train in egress.trains { counters.trainLength.add(train.segmentCount) }
    if ports.tcp != nil { sendFrames(now: now) }
    if configuration.faultDropFraction > 0 {
      // Datagram by datagram: whole trains would make burst loss of it.
      var kept: [Train] = []
      for train in egress.trains { for single in split(train) where !isLost() { kept.append(single) } }
      ports.udp.send(egress, trains: kept)
    } else {
      ports.udp.send(egress)
    }
    // Nobody holds the trains any more: their array is used again.
    egress.reset()
  }

  /// What goes by connections; nothing of it is lost on the way.
  private mutating func sendFrames(now: Now) {
    for train in egress.trains where train.path.connection != 0 { ports.tcp?.send(train, at: egress.base) }
    ports.tcp?.settle(&core, now: now)
  }

  private func split(_ train: Train) -> [Train] {
    stride(from: 0, to: train.byteCount, by: train.segmentByteCount).map { offset in
      var single = train
      single.offset += offset
      single.byteCount = min(train.segmentByteCount, train.byteCount - offset)
      single.segmentByteCount = single.byteCount
      single.segmentCount = 1
      return single
    }
  }

  /// Hands what the core wants told to the other threads.
  private mutating func handOver() {
    wakesHandshake = false
    wakesEvents = false
    while let input = core.nextHandshakeInput() {
      // A lost datagram is sent again by DTLS; a lost start ends in a timeout that the control plane reports.
      _ = handshakeInputs.push(input)
      wakesHandshake = true
    }
    while let event = core.nextEvent() {
      if !events.push(event) { counters.eventsDropped &+= 1 }
      wakesEvents = true
    }
    wakeNeighbours()
    if wakesHandshake { handshake.signal() }
    if wakesEvents { tk_eventfd_signal(eventWake) }
  }

  private mutating func count(since start: Now) {
    let now = tk_monotonic_microseconds()
    counters.turns &+= 1
    counters.turnMicroseconds.add(Int(now - start.monotonic.microseconds))
    counters.busyMicroseconds &+= UInt64(max(0, now - start.monotonic.microseconds))
    let processor = tk_thread_microseconds()
    let used = UInt64(max(0, processor - processorTime))
    processorTime = processor
    counters.busyCPUMicroseconds &+= used
    counters.longestTurnMicroseconds = max(counters.longestTurnMicroseconds, used)
    guard now >= nextPublication else { return }
    nextPublication = now + 100_000
    utilisation.sample(wall: now, busy: processor)
    window.update(utilisation: utilisation.permille)
    core.coalescing = window.interval
    counters.utilisationPermille = utilisation.permille
    counters.coalescingMicroseconds = window.interval.microseconds
    counters.core = core.counters
    if let tcp = ports.tcp?.counters { counters.tcp = tcp }
    counters.sendCalls = ports.udp.sendCalls
    counters.sendDrops = ports.udp.droppedWhenFull
    counters.sendErrors = ports.udp.sendErrors
    published.publish(counters)
  }
}

/// The clocks, read together. The only reader of them below the control plane.
public func monotonicNow() -> Now {
  Now(
    monotonic: Instant(microseconds: tk_monotonic_microseconds()),
    ntp: NTPTime(unixMicroseconds: tk_realtime_microseconds()))
}

/// Counters handed from the worker to whoever asks; the worker never waits for a reader.
final class SharedCounters: Sendable {
  private let latest = Mutex(WorkerCounters())
  func publish(_ counters: WorkerCounters) { latest.withLockIfAvailable { $0 = counters } }
  func read() -> WorkerCounters { latest.withLock { $0 } }
}

final class StopFlag: Sendable {
  private let flag = Atomic<Bool>(false)
  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}
