import PacketRing
import RTCWire

/// Where a stream's packets come from.
enum StreamOrigin: Equatable {
  case peer(Int32)
  /// A file or device of this machine.
  case injection
  /// Another worker lends them: the neighbour's place, and its number of the stream.
  case link(Int32, number: UInt16)
}

/// One received SSRC with everything the relay knows of it; its retransmission SSRC feeds the same state.
struct ReceiveStream: ~Copyable {
  let origin: StreamOrigin
  /// The publishing peer, -1 for what is injected or borrowed.
  let peer: Int32
  let track: Int32
  let layer: Int8
  let ssrc: UInt32
  let lineIndex: Int
  var codec: Codec
  var extender = SequenceExtender()
  var history: History
  var statistics = ReceptionStatistics()
  var missing = MissingPackets()
  var clock: StreamClock
  var rate = RateMeter()
  var lastArrival: Instant
  var lastReportMiddle: UInt32 = 0
  var lastReportArrival: Instant?

  /// Up to here packets have been routed in order; what is newer is being gathered. `Int64.min` before the first.
  var routedThrough: Int64 = .min
  /// When the oldest gathered packet came.
  var gatheredSince: Instant?
  /// The last packet of a picture is among the gathered ones.
  var hasWholePicture = false

  /// First packet of the newest key frame, `Int64.min` before one came.
  var groupStart: Int64 = .min
  var groupArrival: Instant
  /// The last picture-loss indication sent to the publisher.
  var lastPictureRequest: Instant?
  /// The publisher did not send a key frame within 500 ms of the last request; OBS and ffmpeg never do.
  var ignoresPictureRequests = false
  /// Neighbours that this stream is lent to, and those that have missed something of it, a bit each.
  var lentTo: UInt64 = 0
  var lendingGaps: UInt64 = 0
  /// What the neighbours were last told of `ignoresRequests`.
  var hasToldIgnoring = false
  /// Something is missing since a full lane; until the next key frame one is asked for.
  var owesPicture = false
  var groupTimestamp: UInt32 = 0
  var wantsPictureRequest = false
  var firSequence: UInt8 = 0
  /// The highest sequence at moments a tenth of a second apart, to tell a packet's age; 10 s are 100 marks.
  private var marks: [(at: Instant, sequence: Int64)] = []
  /// Pixel rows, from key frames; 0 while unknown.
  var height: UInt16 = 0

  var isVideo: Bool { codec.encoding != .opus && codec.encoding != .red }

  init(
    origin: StreamOrigin, track: Int32, layer: Int8, ssrc: UInt32, lineIndex: Int, codec: Codec, isVideo: Bool,
    now: Instant
  ) {
    self.origin = origin
    if case .peer(let peer) = origin { self.peer = peer } else { peer = -1 }
    self.track = track
    self.layer = layer
    self.ssrc = ssrc
    self.lineIndex = lineIndex
    self.codec = codec
    // Video: 8 MiB at 1,200 bytes are 6,990 packets. Audio: 256 packets are 5 s of 20 ms.
    history = History(capacity: isVideo ? 8_192 : 256)
    clock = StreamClock(clockRate: codec.clockRate)
    lastArrival = now
    groupArrival = now
    // As many as there ever are, so that no packet makes the array grow.
    marks.reserveCapacity(isVideo ? 104 : 24)
  }

  /// Releases what nobody will ask for again: before the group of pictures, and come more than a second ago.
  ///
  /// Ages count by arrival, not by capture: a burst brings packets whose capture is seconds ago.
  /// - Parameter share: packets that may stay, `historyShare`: when slots run short late joiners wait for a key frame,
  ///   and no lesson loses a packet.
  mutating func trim(now: Instant, configuration: CoreConfiguration, share: Int, ledger: inout SlotLedger) {
    trim(to: share, ledger: &ledger)
    if marks.last.map({ now - $0.at >= .milliseconds(100) }) ?? true {
      marks.append((now, history.highest))
      let ageLimit = now - (isVideo ? configuration.pictureGroupAge : .seconds(2))
      while marks.count > 1, marks[1].at <= ageLimit { marks.removeFirst() }
      if let oldest = marks.first, oldest.at <= ageLimit { history.trim(below: oldest.sequence, ledger: &ledger) }
      if let second = marks.last(where: { now - $0.at >= .seconds(1) }) {
        let needed = groupStart == .min ? second.sequence : min(second.sequence, groupStart)
        history.trim(below: needed, ledger: &ledger)
      }
    }
    while history.byteCount > configuration.pictureGroupBytes, history.count > 1 {
      history.trim(below: history.lowest + 1, ledger: &ledger)
    }
  }

  /// Lets go of the oldest packets beyond a share.
  mutating func trim(to share: Int, ledger: inout SlotLedger) {
    if history.count > share { history.trim(below: history.highest - Int64(share) + 1, ledger: &ledger) }
  }

  /// The key frame a late joiner can start at: present in the history.
  var hasGroup: Bool { groupStart != .min && groupStart >= history.lowest && history.find(groupStart) != nil }

  var isForeign: Bool { if case .link = origin { true } else { false } }

  /// Asking for a key frame is of no use, or not needed, since its group may always be shown.
  var ignoresRequests: Bool { ignoresPictureRequests || origin == .injection }

  func groupAge(now: Instant) -> Interval { now - groupArrival }
}
