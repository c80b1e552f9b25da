import CLinuxIO
public import PacketRing
public import RTCCore
import RTCWire
import Synchronization

/// What a worker is started with.
public struct WorkerConfiguration: Sendable {
  /// 0 takes any free port.
  public var udpPort: UInt16 = 0
  /// Whether it listens for TCP on the port of the same number, for networks that carry no UDP.
  public var tcp = true
  /// TCP connections of the worker, and those of one address that have shown no authentic check yet.
  public var tcpConnectionLimit = 1_024
  public var tcpAddressLimit = 64
  /// Binds 127.0.0.1 alone, for a demonstration that must not be reachable.
  public var loopbackOnly = false
  /// Packet buffers: 65,536 of 1,600 bytes are 100 MiB of address space, touched as used.
  public var slotCount = 65_536
  /// Asks for pages of 2 MiB for the packet memory. It pays where many gigabits pass a core; memory then becomes
  /// resident by pages of 1,310 slots, so that it is off unless asked for.
  public var hugePages = false
  /// The workers of a pool are pinned to the processors this process may use, one after another.
  public var pins = false
  /// The processor its thread is pinned to; nil leaves it to the system.
  public var pinnedProcessor: Int?
  public var seed: UInt64 = 1
  /// Socket buffers asked for, each way: 4 MiB hold 200 ms of 160 Mbit/s.
  public var socketBufferBytes = 4 << 20
  /// Trains are handed to the kernel whole (UDP_SEGMENT) where it can cut them.
  public var segmentation = true
  public var coalescing = Coalescing.adaptive
  /// The longest that the packets of a picture wait for each other.
  public var coalescingBound = Interval.milliseconds(5)
  /// A publisher's burst is over when nothing of it has come for so long: some system calls, or a thread switch.
  public var burstGap = Interval.microseconds(150)
  /// Share of datagrams lost on purpose, each way, 0…1.
  public var faultDropFraction = 0.0
  public var core = CoreConfiguration()
  public init() {}
}

/// Why a worker cannot start.
public enum WorkerError: Error, Sendable {
  case socket(SocketError)
  /// TCP cannot listen on the number of the UDP port.
  case listener(SocketError)
  case certificate(CertificateError)
}

/// One media thread with its UDP port, its packet memory and its handshake thread.
///
/// The control plane talks to it by a bounded ring of commands and hears of it by a stream of events; neither waits.
public final class MediaWorker: Sendable {
  public static let commandLimit = 4_096

  public let port: UInt16
  /// The same number, nil without TCP.
  public let tcpPort: UInt16?
  public let arena: SlotArena
  /// What the core tells, in order, as much at once as there is: what follows is a few thread switches for each batch.
  /// One consumer. When it falls 1,024 batches behind, the newest are dropped and counted.
  public let events: AsyncStream<[CoreEvent]>

  private let commands: Mutex<CommandEnd>
  private let wake: Int32
  private let published = SharedCounters()
  private let stopping = StopFlag()
  private let handshake: HandshakeThread
  private let threads: Mutex<[UInt64]>
  private let pump: EventPump

  private struct CommandEnd: ~Copyable {
    var producer: LaneProducer<WorkerCommand>
  }

  /// Starts the threads of a worker with a packet memory of its own.
  public convenience init(configuration: WorkerConfiguration, identity: DTLSIdentity) throws(WorkerError) {
    try self.init(configuration: configuration, identity: identity, share: WorkerShare(configuration))
  }

  init(configuration: WorkerConfiguration, identity: DTLSIdentity, share: WorkerShare) throws(WorkerError) {
    let ports = try Ports(configuration)
    port = ports.port
    tcpPort = configuration.tcp ? ports.port : nil
    arena = share.arena
    wake = share.wake
    let commandEnds = makeLane(of: WorkerCommand.self, capacity: Self.commandLimit)
    let inputEnds = makeLane(of: HandshakeInput.self, capacity: 8_192)
    let outputEnds = makeLane(of: HandshakeOutput.self, capacity: 4_096)
    let eventEnds = makeLane(of: CoreEvent.self, capacity: 16_384)
    do throws(CertificateError) {
      handshake = try HandshakeThread(
        identity: identity, workerWake: wake, inputs: inputEnds.consumer, outputs: outputEnds.producer)
    } catch { throw .certificate(error) }
    var coreConfiguration = configuration.core
    // The controlling agent's own addresses, all on the one port.
    for index in coreConfiguration.localAddresses.indices { coreConfiguration.localAddresses[index].port = port }
    let core = RelayCore(
      configuration: coreConfiguration, arena: arena, slots: share.slots, seed: configuration.seed)
    let (stream, continuation) = AsyncStream.makeStream(of: [CoreEvent].self, bufferingPolicy: .bufferingOldest(1_024))
    events = stream
    pump = EventPump(events: eventEnds.consumer, continuation: continuation)
    var loop = WorkerLoop(
      configuration: configuration, core: core, arena: arena, ports: ports, wake: wake,
      commands: commandEnds.consumer, handshakeInputs: inputEnds.producer, handshakeOutputs: outputEnds.consumer,
      handshake: handshake, events: eventEnds.producer, eventWake: pump.wake, published: published,
      stopping: stopping)
    for neighbour in share.neighbours { loop.attach(neighbour) }
    commands = Mutex(CommandEnd(producer: commandEnds.producer))
    threads = Mutex([])
    handshake.start()
    let first = start("media", configuration.pinnedProcessor ?? -1, WorkerStart(loop)) { $0.run() }
    let second = start("events", -1, pump) { $0.run() }
    threads.withLock { $0 = [first, second] }
  }

  /// Gives the worker a command. False when its ring is full: the caller refuses, it does not wait.
  public func send(_ command: Command) -> Bool { send(.core(command)) }

  private func send(_ command: WorkerCommand) -> Bool {
    let isSent = commands.withLock { $0.producer.push(command) }
    tk_eventfd_signal(wake)
    return isSent
  }

  /// Makes the lanes of a sink, to be named by `addSink` afterwards.
  /// - Parameter capacity: leases out at most; what does not fit is dropped at hand-off and counted.
  public func attachSink(_ sink: SinkID, capacity: Int) -> SinkLane? {
    let leases = makeLane(of: PacketRecord.self, capacity: capacity)
    // Every lease out fits the lane back.
    let returns = makeLane(of: SlotIndex.self, capacity: capacity * 2)
    guard send(.attachSink(sink, SinkEnds(leases.producer, returns.consumer))) else { return nil }
    return SinkLane(leases: leases.consumer, returns: returns.producer)
  }

  /// Makes the lanes of an injected feed, to be named by `openInjection` afterwards.
  public func attachInjection(_ injection: InjectionID) -> InjectionLane? {
    let packets = makeLane(of: InjectedPacket.self, capacity: 1_024)
    let grants = makeLane(of: SlotIndex.self, capacity: 1_024)
    guard send(.attachInjection(injection, InjectionEnds(packets.consumer, grants.producer))) else { return nil }
    return InjectionLane(packets: packets.producer, grants: grants.consumer)
  }

  public func counters() -> WorkerCounters {
    var counters = published.read()
    counters.eventsDropped &+= pump.dropped.load(ordering: .relaxed)
    return counters
  }

  /// Ends the threads after one last turn; the packet memory stays mapped, since leases may still be out.
  public func stop() {
    guard !stopping.isSet else { return }
    stopping.set()
    tk_eventfd_signal(wake)
    let handles = threads.withLock { handles in
      defer { handles = [] }
      return handles
    }
    if let first = handles.first { tk_thread_join(first) }
    handshake.stop()
    pump.stop()
    if handles.count > 1 { tk_thread_join(handles[1]) }
  }
}

/// The far ends of a sink's lanes.
@frozen public struct SinkLane: ~Copyable, Sendable {
  public var leases: LaneConsumer<PacketRecord>
  public var returns: LaneProducer<SlotIndex>
}

/// The far ends of an injected feed's lanes.
@frozen public struct InjectionLane: ~Copyable, Sendable {
  public var packets: LaneProducer<InjectedPacket>
  public var grants: LaneConsumer<SlotIndex>
}

/// What a thread of its own does; a class, so that a C context can carry it.
private final class ThreadBody {
  let run: () -> Void
  init(_ run: @escaping () -> Void) { self.run = run }
}

/// Runs a body on a thread of its own; the object lives until it returns.
private func start<Object: AnyObject>(
  _ name: String, _ processor: Int, _ object: Object, _ body: @escaping (Object) -> Void
) -> UInt64 {
  let context = Unmanaged.passRetained(ThreadBody { body(object) }).toOpaque()
  var handle: UInt64 = 0
  let error = tk_thread_start(
    name, Int32(processor), { Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().run() }, context, &handle)
  precondition(error == 0, "the system starts no more threads")
  return handle
}
