public import PacketRing
import RTCWire

/// One RTP packet written into a granted slot by a source that is not a peer: a file, a device, an encoder.
@frozen public struct InjectedPacket: BitwiseCopyable, Sendable {
  public var slot: SlotIndex
  /// The whole RTP packet, header included, from the slot's start.
  public var byteCount: UInt16
  /// Index into the lines of `openInjection`.
  public var line: UInt8
  /// When it was captured: microseconds of the monotonic clock.
  public var captureTime: Int64
  public init(slot: SlotIndex, byteCount: UInt16, line: UInt8, captureTime: Int64) {
    self.slot = slot
    self.byteCount = byteCount
    self.line = line
    self.captureTime = captureTime
  }
}

/// A sans-IO WebRTC relay: peers, streams and lessons of one worker.
///
/// Contract: after every `receive`, `apply`, `handle`, `service` or `advance` the caller drains: `drain(into:now:)`
/// until it returns false, `nextHandshakeInput` and `nextEvent` until nil; then sleeps until `nextDeadline`. It reads
/// no clock and no randomness of its own: equal inputs give equal outputs.
public struct RelayCore: ~Copyable {
  /// A lane of leases out of this worker, and what it shows.
  struct Sink: ~Copyable {
    struct Line {
      var track: Int32 = -1
      var session: UInt32 = 0
      var nextSequence: Int64 = 0
      var lastTimestamp: UInt32 = 0
      var lastLessonTime: Int64 = 0
    }
    let id: SinkID
    var producer: LaneProducer<PacketRecord>
    var returns: LaneConsumer<SlotIndex>
    var lesson: Int32 = -1
    var feed: FeedID?
    var audio = Line()
    var video = Line()
    /// Leases out; the sink is forgotten only when all are back.
    var outstanding = 0
    var isClosing = false
  }

  /// A lane of packets into this worker.
  struct Injection: ~Copyable {
    let id: InjectionID
    var packets: LaneConsumer<InjectedPacket>
    var grants: LaneProducer<SlotIndex>
    var lesson: Int32 = -1
    var feed: FeedID?
    var streams: [Int32] = []
    var granted = 0
    var isOpen = false
    /// Closed; forgotten when every granted slot is back.
    var isClosing = false
  }

  struct RawDatagram {
    var path: NetworkPath
    var bytes: [UInt8]
  }

  static let sinkLimit = 1_024
  static let injectionLimit = 64
  /// Slots an injecting thread holds at most: 256 packets are a second of a lesson.
  static let grantLimit = 256
  static let rawLimit = 4_096
  /// Packets of one peer, and of all, held until their keys come: some milliseconds of a burst.
  static let earlyLimit = 256
  static let earlyTotalLimit = 2_048
  static let eventLimit = 16_384

  let configuration: CoreConfiguration
  let arena: SlotArena
  var ledger: SlotLedger
  var peers: Slab<Peer>
  var streams: Slab<ReceiveStream>
  var sends: Slab<SendStream>
  var tracks: Slab<Track>
  var lessons: Slab<Lesson>
  var sinks: Slab<Sink>
  var injections: Slab<Injection>
  /// The other workers of the process, by place.
  var neighbours: Slab<Neighbour>
  var nextLink: UInt32 = 1
  /// Neighbours that have something new to read, a bit each.
  var owedWakes: UInt64 = 0
  /// The last service took only some of what is lent.
  var hasLeasesWaiting = false
  var isShortOfSlots = false
  var lendingFloor = 0
  var paths: PathTable
  var peerIndices: [PeerID: Int32] = [:]
  /// The peers that control their ICE: a client's, never many.
  var controlling: [Int32] = []
  var fragments: [String: Int32] = [:]
  var lessonIndices: [LessonID: Int32] = [:]
  var wheel: TimerWheel
  /// Peers that a drain has to write for, first come, first served: a drain that is cut short goes on where it stopped.
  var dirty: [Int32] = []
  var dirtyHead = 0
  /// Streams with packets that have not been routed yet.
  var gathering: [Int32] = []
  /// Those of them that a drain routes, and how far it has come.
  var routing = Routing()
  var nextGathered: Instant = .distantFuture
  /// How long the packets of a picture wait for its last one, so that they leave as one train; sound never waits.
  public var coalescing = Interval.microseconds(0)
  /// Packets of a picture that come this close together are one burst of its publisher's, and are waited for even when
  /// `coalescing` is 0, up to `burstLimit`: else the first of them would leave while the last are being received.
  public var burstGap = Interval.microseconds(0)
  static let burstLimit = Interval.milliseconds(1)
  /// Packets being routed; those of a drain that was cut short stay until `settleRouting`.
  let batch = UnsafeMutablePointer<BatchPacket>.allocate(capacity: RelayCore.batchLimit)
  /// One that came after its successors were routed.
  let late = UnsafeMutablePointer<BatchPacket>.allocate(capacity: 1)
  var due: [Int32] = []
  var raw: [RawDatagram] = []
  var rawHead = 0
  var handshakeInputs: [HandshakeInput] = []
  var handshakeHead = 0
  var events: [CoreEvent] = []
  var eventHead = 0
  var earlyCount = 0
  var nextTrackSession: UInt32 = 1
  var nextHousekeeping: Instant?
  var random: SplitMix64
  let scratch: UnsafeMutableRawBufferPointer
  var tally = CoreCounters()

  /// - Parameter slots: the part of the arena that is this core's own; all of it unless several share it.
  public init(configuration: CoreConfiguration, arena: SlotArena, slots: Range<Int>? = nil, seed: UInt64) {
    precondition(configuration.streamLimit < 65_536)
    self.configuration = configuration
    self.arena = arena
    ledger = SlotLedger(slots: slots ?? 0..<arena.slotCount, arenaSlotCount: arena.slotCount)
    peers = Slab(capacity: configuration.peerLimit, rest: 256)
    streams = Slab(capacity: configuration.streamLimit)
    // Eight panes for each peer on average; a WHEP offer with more is refused by the negotiation.
    sends = Slab(capacity: configuration.peerLimit * 8, rest: 1_024)
    tracks = Slab(capacity: configuration.streamLimit)
    lessons = Slab(capacity: configuration.lessonLimit, rest: 64)
    sinks = Slab(capacity: Self.sinkLimit)
    injections = Slab(capacity: Self.injectionLimit)
    neighbours = Slab(capacity: Self.workerLimit)
    paths = PathTable(limit: configuration.peerLimit * Peer.pathLimit)
    wheel = TimerWheel(timerLimit: configuration.peerLimit)
    random = SplitMix64(seed: seed)
    scratch = .allocate(byteCount: 512, alignment: 16)
  }

  deinit {
    scratch.deallocate()
    batch.deallocate()
    late.deallocate()
  }

  // MARK: Slots

  public mutating func claimSlot() -> SlotIndex? {
    guard let slot = ledger.claim() else {
      tally.drop(.noSlot)
      return nil
    }
    return slot
  }

  public mutating func releaseSlot(_ slot: SlotIndex) { ledger.release(slot) }

  // MARK: Outputs

  public mutating func nextHandshakeInput() -> HandshakeInput? {
    guard handshakeHead < handshakeInputs.count else {
      handshakeInputs.removeAll(keepingCapacity: true)
      handshakeHead = 0
      return nil
    }
    defer { handshakeHead += 1 }
    return handshakeInputs[handshakeHead]
  }

  public mutating func nextEvent() -> CoreEvent? {
    guard eventHead < events.count else {
      events.removeAll(keepingCapacity: true)
      eventHead = 0
      return nil
    }
    defer { eventHead += 1 }
    return events[eventHead]
  }

  public var counters: CoreCounters {
    var counters = tally
    counters.peers = UInt64(peers.count)
    counters.lessons = UInt64(lessons.count)
    counters.streams = UInt64(streams.count)
    for place in 0..<neighbours.end { counters.slotsLent += UInt64(neighbours[place].pointee.outstanding) }
    counters.slotsFree = UInt64(ledger.freeCount)
    counters.slotsTotal = UInt64(ledger.slotCount)
    return counters
  }

  /// When `advance` is to be called next at the latest.
  public var nextDeadline: Instant {
    var deadline = min(min(wheel.nextDeadline, nextGathered), nextHousekeeping ?? .distantFuture)
    // Injected packets and returned leases come without a wake-up of their own: look at them every millisecond or five.
    if injections.count > 0, let last = lastService { deadline = min(deadline, last + .milliseconds(1)) }
    if sinks.count > 0, let last = lastService { deadline = min(deadline, last + .milliseconds(20)) }
    if hasLeasesWaiting { return lastService ?? deadline }
    for place in 0..<neighbours.end where neighbours[place].pointee.outstanding > 0 {
      if let last = lastService { deadline = min(deadline, last + .milliseconds(20)) }
    }
    return deadline
  }
  var lastService: Instant?
  /// Leases are not urgent: hundreds of sinks are looked at every 5 ms, not in every turn.
  var nextSinkService: Instant?

  mutating func emit(_ event: CoreEvent) {
    if events.count < Self.eventLimit { events.append(event) }
  }

  mutating func sendRaw(_ bytes: [UInt8], path: NetworkPath) {
    guard raw.count < Self.rawLimit, bytes.count <= EgressArena.datagramLimit else {
      tally.drop(.egressFull)
      return
    }
    raw.append(RawDatagram(path: path, bytes: bytes))
  }

  mutating func askHandshake(_ input: HandshakeInput) {
    guard handshakeInputs.count < Self.rawLimit else {
      tally.drop(.handshakeLimit)
      return
    }
    handshakeInputs.append(input)
  }

  /// Puts a peer on the list that the next drain writes for.
  mutating func markDirty(_ index: Int32) {
    let peer = peers[index]
    guard !peer.pointee.isDirty else { return }
    peer.pointee.isDirty = true
    dirty.append(index)
  }

  mutating func rearm(_ index: Int32) { wheel.arm(index, at: peers[index].pointee.nextDeadline) }
}
