import PacketRing
import RTCCore
import RTCWire

/// One machine of the simulated world: a core, its packet memory, its address and its own idea of the time.
final class Node {
  let name: String
  let arena: SlotArena
  var core: RelayCore
  var egress = EgressArena(byteCount: 1 << 20, trainLimit: 256)
  var address: SocketAddress { didSet { addresses.append(address) } }
  /// All it ever had.
  private(set) var addresses: [SocketAddress]
  /// This machine's wall clock minus true time, and how fast it runs off.
  let clockOffset: Int64
  let partsPerMillion: Int64
  var sink: Received?
  var source: SyntheticLesson?
  var camera: SimulcastCamera?
  var upload: Line
  var download: Line
  /// The peer this client is at the relay.
  var relayPeer: PeerID?
  /// The relay's worker that this client is a peer of.
  var worker = 0
  /// Its thread does not get the processor: nothing of it happens.
  var isStalled = false
  private let ownsArena: Bool
  var observer: RelayObserver?
  /// The highest estimate of this and the last second, for the checker of rates.
  private var estimates: (second: Int64, now: Int64, before: Int64) = (0, 0, 0)
  private var rates: (now: Int64, before: Int64) = (0, 0)

  init(
    name: String, address: SocketAddress, slots: Int, seed: UInt64, clockOffset: Int64, partsPerMillion: Int64,
    up: LineOptions, down: LineOptions, sharing shared: (arena: SlotArena?, slots: Range<Int>)? = nil
  ) {
    self.name = name
    self.address = address
    addresses = [address]
    arena = shared?.arena ?? SlotArena(slotCount: slots)
    ownsArena = shared?.arena == nil
    var configuration = CoreConfiguration()
    configuration.localAddresses = [address]
    configuration.peerLimit = 64
    configuration.streamLimit = 256
    core = RelayCore(configuration: configuration, arena: arena, slots: shared?.slots, seed: seed)
    self.clockOffset = clockOffset
    self.partsPerMillion = partsPerMillion
    upload = Line(options: up)
    download = Line(options: down)
  }

  deinit { if ownsArena { arena.unmap() } }

  /// This machine's clocks at a true moment.
  func now(_ moment: Instant) -> Now {
    let skew = moment.microseconds * partsPerMillion / 1_000_000
    let local = moment.microseconds + skew
    return Now(
      monotonic: Instant(microseconds: local),
      ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000 + local + clockOffset))
  }

  /// The true moment of a local deadline, never before it.
  func trueTime(_ local: Instant) -> Instant {
    guard local != .distantFuture else { return local }
    return Instant(microseconds: local.microseconds * 1_000_000 / (1_000_000 + partsPerMillion) + 1)
  }

  /// Bytes of video a second may bring this client: the pacer's 2.5 × the estimate or five times what is shown,
  /// whichever is more, of the last two seconds, and a burst of 16 packets or 40 ms of the estimate.
  func allowance(estimate: Int64, shown: Int64, now: Instant) -> Int {
    let second = now.microseconds / 1_000_000
    if second != estimates.second {
      let isNext = second == estimates.second + 1
      estimates = (second, 0, isNext ? estimates.now : 0)
      rates = (0, isNext ? rates.now : 0)
    }
    estimates.now = max(estimates.now, estimate)
    rates.now = max(rates.now, shown)
    let rate = max(max(estimates.now, estimates.before) * 5 / 2, max(rates.now, rates.before) * 5)
    return Int(rate / 8) + Int(rate / 8 / 100) + max(24_000, Int(rate / 8 / 25))
  }
}

/// The relay's recorder: a sink that takes its leases unless its disk stalls.
final class RecorderDesk {
  let sink: SinkID
  var received: Received
  var isStalled = false

  init(sink: SinkID, received: consuming Received) {
    self.sink = sink
    self.received = received
  }
}
