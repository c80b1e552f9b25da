import PacketRing

/// A track delivered to one pane or sink: the hot fields of the fan-out, contiguous for each track, 64 bytes at most.
struct Subscription: BitwiseCopyable {
  /// Outgoing sequence = source sequence + offset.
  var sequenceOffset: Int64 = 0
  /// Source packets before this are not forwarded: they came before the switch.
  var floor: Int64 = .max
  /// The receiving peer, -1 for a sink.
  var peer: Int32
  /// The SendStream, or the sink's index.
  var destination: Int32
  var timestampOffset: UInt32 = 0
  var pictureIDOffset: UInt16 = 0
  var layerIndexOffset: UInt8 = 0
  /// The layer shown, -1 before the first key frame.
  var current: Int8 = -1
  /// The layer wanted; shown from its next key frame on.
  var target: Int8 = 0
  /// Live packets wait while a burst from the history is on its way.
  var isCatchingUp = false
  var isSink: Bool { peer < 0 }
}

/// One packet queued for one receiver: what to seal, not the bytes.
struct ForwardEntry: BitwiseCopyable {
  var sourceSequence: Int64
  var outSequence: Int64
  var queuedAt: Int64
  var sendStream: Int32
  var timestampOffset: UInt32
  var stream: UInt16
  var pictureIDOffset: UInt16
  var byteCount: UInt16
  var layerIndexOffset: UInt8
  var flags: PacketFlags
  /// Bytes of RTP padding that make it as long as its train's others.
  var padding: UInt8 = 0
  /// The padding stands behind the payload in its slot, and is sealed with it in one piece.
  var isPaddedInPlace = false
}

extension ForwardEntry {
  /// A packet of a stream as a subscription gets it, under the number `out`.
  @inline(__always)
  init(_ packet: BatchPacket, to subscription: Subscription, out: Int64, stream: Int32, now: Now) {
    self.init(
      sourceSequence: packet.record.extendedSequence, outSequence: out, queuedAt: now.monotonic.microseconds,
      sendStream: subscription.destination, timestampOffset: subscription.timestampOffset, stream: UInt16(stream),
      pictureIDOffset: subscription.pictureIDOffset, byteCount: packet.record.payloadByteCount,
      layerIndexOffset: subscription.layerIndexOffset, flags: packet.record.flags, padding: packet.padding,
      isPaddedInPlace: packet.isPaddedInPlace)
  }
}

/// One audio or video of a feed. It outlives the sessions that publish it.
struct Track: ~Copyable {
  let lesson: Int32
  let feed: FeedID
  let kind: MediaKind
  /// ReceiveStream indices by layer, low to high; -1 where none.
  var layers: (Int32, Int32, Int32) = (-1, -1, -1)
  /// The number of the present session's track as events and sinks know it; 0 before the first.
  var session: UInt32 = 0
  var codec: Codec?
  var subscriptions: [Subscription] = []

  func layer(_ index: Int8) -> Int32 {
    switch index {
    case 0: layers.0
    case 1: layers.1
    case 2: layers.2
    default: -1
    }
  }

  mutating func setLayer(_ index: Int8, _ stream: Int32) {
    switch index {
    case 0: layers.0 = stream
    case 1: layers.1 = stream
    case 2: layers.2 = stream
    default: preconditionFailure("a track has three layers")
    }
  }

  var isEmpty: Bool { layers.0 < 0 && layers.1 < 0 && layers.2 < 0 }
}

/// A seat's camera or screen in a lesson: at most one audio and one video track.
struct Feed {
  let id: FeedID
  var publisher: Int32 = -1
  var injection: Int = -1
  var audio: Int32 = -1
  var video: Int32 = -1
}

struct Lesson: ~Copyable {
  let id: LessonID
  /// The stage's picture and its sound.
  var stage: FeedID?
  var stageAudio: FeedID?
  /// The called seat's picture and its sound, nil for nobody.
  var called: FeedID?
  var calledAudio: FeedID?
  var isClosing = false
  var feeds: [Feed] = []
  var peers: [Int32] = []
  /// Another worker that this lesson is lent to, and the number both know the link by.
  struct Link {
    var neighbour: Int32
    var number: UInt32
    /// Return feeds that are lent though they are not called: panes over there show them.
    var feeds: [FeedID] = []
  }
  var links: [Link] = []

  /// Of what sites send back only that is lent which somebody over there can be shown: all of it together would take
  /// the slots that the lead's feeds need.
  func lends(_ feed: FeedID, by link: Link) -> Bool {
    !feed.isReturn || feed == called || feed == calledAudio || link.feeds.contains(feed)
  }

  func feedIndex(_ id: FeedID) -> Int? { feeds.firstIndex { $0.id == id } }
}
