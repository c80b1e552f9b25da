public import RTCWire

/// The limits of one worker's core, fixed at start-up.
public struct CoreConfiguration: Sendable {
  /// Peers of one worker.
  public var peerLimit = 2_048
  public var lessonLimit = 512
  /// Feeds of one lesson: the lead's camera and screen, and what each of 512 seats sends back. 24 bytes each in an
  /// array that grows as they come, 12 KiB a lesson; their streams count against `streamLimit`, so that 1,000 sites of
  /// one worker may send sound and picture at once, and share the slots as `historyShare` says.
  public var feedLimit = 514
  /// Received streams, below 65,536 because a packet record names its stream in 16 bits.
  public var streamLimit = 4_096
  /// Addresses a controlling ICE agent sends from.
  public var localAddresses: [SocketAddress] = []
  /// Longest time the group of pictures is kept for late joiners.
  public var pictureGroupAge = Interval.seconds(10)
  /// Most bytes of one video stream's history.
  public var pictureGroupBytes = 8 << 20
  /// What seals and opens the GCM profiles, one of `CipherLibrary.available` (trap).
  public var cipher = CipherLibrary.best
  public init() {}
}

/// Why a packet was dropped on purpose. The raw value is the index of its counter.
public enum DropReason: Int, CaseIterable, Sendable {
  case noSlot, unknownPath, malformed, replayed, authentication, unboundSource, sourceLimit, duplicate, tooOld
  case staleEntry, queueFull, overBudget, lateWithoutRetransmission, noRetransmission, repeatLimit
  case sinkFull, egressFull, handshakeLimit, noKeys, injectionMalformed, stunIgnored, noCommonCodec
  /// Waited longer for a TCP connection than it was worth.
  case connectionFull
  /// A peer asks for more than its share: reports, retransmissions, key frames.
  case reportLimit, repairLimit, pictureLimit
  /// A lane to another worker was full; slots were running short, so that nothing was lent.
  case linkFull, linkShortOfSlots
}

/// Counters of a core since it was made. Flat, so that the worker can publish a snapshot by copying it.
public struct CoreCounters: Sendable {
  public var packetsReceived: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  public var packetsSent: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var packetsRetransmitted: UInt64 = 0
  public var packetsRepaired: UInt64 = 0
  public var pictureRequestsSent: UInt64 = 0
  public var keyFramesReceived: UInt64 = 0
  public var layerSwitches: UInt64 = 0
  public var groupBursts: UInt64 = 0
  /// Sum of the time the pacer held video packets, microseconds.
  public var pacedMicroseconds: UInt64 = 0
  /// Leases given to other workers and taken from them, and how often one stood still until all was told anew.
  public var packetsLent: UInt64 = 0
  public var packetsBorrowed: UInt64 = 0
  public var linkResets: UInt64 = 0
  /// Slots that other workers hold by leases now.
  public var slotsLent: UInt64 = 0
  public var peers: UInt64 = 0
  public var lessons: UInt64 = 0
  public var streams: UInt64 = 0
  public var slotsFree: UInt64 = 0
  public var slotsTotal: UInt64 = 0
  /// Indexed by `DropReason.rawValue`.
  public var drops: [UInt64] {
    get { DropReason.allCases.map { dropCounts[$0.rawValue] } }
    set { for (reason, count) in zip(DropReason.allCases, newValue) { dropCounts[reason.rawValue] = count } }
  }
  /// An array would be shared with every snapshot, and copied at the next drop. Room for more reasons than there are.
  private var dropCounts = InlineArray<64, UInt64>(repeating: 0)
  public init() {}

  mutating func drop(_ reason: DropReason, _ count: Int = 1) { dropCounts[reason.rawValue] &+= UInt64(count) }
}
