import PacketRing
import RTCCore
import RTCWire

/// One machine of the simulated world: a core, its packet memory, its address and its own idea of the time.
final class Node {
  let name: String
  let arena: SlotArena
  var core: RelayCore
  var egress = EgressArena(byteCount: 1 << 20, trainLimit: 256)
  var address: SocketAddress
  /// This machine's wall clock minus true time, and how fast it runs off.
  let clockOffset: Int64
  let partsPerMillion: Int64
  var sink: Received?
  var source: SyntheticLesson?
  var upload: Line
  var download: Line
  /// The peer this client is at the relay.
  var relayPeer: PeerID?

  init(
    name: String, address: SocketAddress, slots: Int, seed: UInt64, clockOffset: Int64, partsPerMillion: Int64,
    up: LineOptions, down: LineOptions
  ) {
    self.name = name
    self.address = address
    arena = SlotArena(slotCount: slots)
    var configuration = CoreConfiguration()
    configuration.localAddresses = [address]
    configuration.peerLimit = 64
    configuration.streamLimit = 256
    core = RelayCore(configuration: configuration, arena: arena, seed: seed)
    self.clockOffset = clockOffset
    self.partsPerMillion = partsPerMillion
    upload = Line(options: up)
    download = Line(options: down)
  }

  deinit { arena.unmap() }

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
}
