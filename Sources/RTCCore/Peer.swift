import PacketRing
import RTCWire

/// One live transport occupying a seat: its path, keys, streams and queues.
struct Peer: ~Copyable {
  /// An inbound SSRC and the stream it feeds, directly or by retransmission.
  struct Binding {
    var ssrc: UInt32
    var stream: Int32
    var isRetransmission: Bool
  }

  enum Phase: UInt8 { case connecting, handshaking, connected, ending }

  /// A packet that came before the keys that open it.
  struct EarlyPacket {
    var slot: SlotIndex
    var byteCount: Int
    var path: NetworkPath
  }

  static let bindingLimit = 24
  /// Authenticated paths kept; 2,048 peers make a table of 131,072 entries, 8 MiB. A browser with cable, wireless and
  /// both address families checks a dozen pairs, twice that around a restart, and sends on one of them before it
  /// nominates it: forgetting that one loses seconds of media.
  static let pathLimit = 32

  let id: PeerID
  let lesson: Int32
  /// Its place among the lesson's peers.
  var place = 0
  let feed: FeedID?
  let description: PeerDescription
  /// Our SSRC in RTCP that is not about a send stream.
  let reportSSRC: UInt32
  /// As the SDP says: one endpoint, and nobody else is in its RTP session.
  static let cname = "tongke"
  var ice: ICEAgent
  var phase = Phase.connecting
  var path: NetworkPath?
  /// Bytes that the connection of `path` takes now, framing included; nil over UDP, where the pacer's budget rules.
  var room: Int?
  /// When there was last room for a picture's packet.
  var lastRoom: Instant?
  /// Its connection takes nothing or has closed: no picture is queued until there is room again.
  var isBlocked = false
  /// Since when bursts from the history have been on their way without an end.
  var catchingUpSince: Instant?
  var paths: [NetworkPath] = []
  var receiver: SRTPReceiver?
  var sender: SRTPSender?
  var handshakeStarted = false
  /// The other side may finish the handshake and send before this side's handshake thread has told of the keys.
  var early: [EarlyPacket] = []
  /// User fragments of ICE restarts, besides the first.
  var fragments: [String] = []
  let created: Instant
  var connectedAt: Instant?
  var lastHeard: Instant
  var isStalled = false
  var mediaFlowing = false
  var end: PeerEnd?

  var bindings: [Binding] = []
  var clock = SessionClock()
  var feedback = TransportFeedbackRecorder()

  var sendStreams: [Int32] = []
  var audioQueue = BoundedQueue<ForwardEntry>(limit: 128)
  var repairQueue = BoundedQueue<ForwardEntry>(limit: 256)
  var videoQueue = BoundedQueue<ForwardEntry>(limit: 1_024)
  var queuedVideoBytes = 0
  var estimator = Estimator()
  var log = SendLog()
  var budget = PacerBudget()
  var limits = PeerLimits()
  var lossWindow = LossWindow()
  /// The last transport-wide feedback that told of a packet of ours.
  var lastFeedback: Instant?
  var isDirty = false
  var isDegraded = false
  var lastQueueDrop: Instant?
  /// Until when paused pictures stay away, when they last came back, and how often that failed in a row.
  var pausedUntil = Instant(microseconds: 0)
  var resumedAt: Instant?
  var failedReturns: Int64 = 0
  var acknowledgedSinceStatistics = false
  /// Packets lost by streams of this peer that have ended.
  var lostBefore: Int64 = 0

  /// Deadlines of this peer; the wheel holds their minimum.
  var nextNack: Instant = .distantFuture
  var nextFeedback: Instant = .distantFuture
  var nextReport: Instant
  var nextStatistics: Instant
  var nextPace: Instant = .distantFuture
  var nextLayerCheck: Instant
  var nextTrim: Instant
  /// What the next drain has to write.
  var owesReport = false
  /// The first send stream that the last compound had no room for; 0 when all are reported.
  var reportCursor = 0
  var owesFeedback = false
  var owesNack = false
  var owesBye = false
  var statistics: PeerStatistics
  var roundTrip = Interval.milliseconds(50)

  init(
    description: PeerDescription, lesson: Int32, ice: ICEAgent, random: inout SplitMix64, now: Instant
  ) {
    id = description.id
    self.lesson = lesson
    feed = description.feed
    self.description = description
    self.ice = ice
    reportSSRC = UInt32.random(in: 1...UInt32.max, using: &random)
    created = now
    lastHeard = now
    nextReport = now + .milliseconds(500)
    nextStatistics = now + .seconds(1)
    nextLayerCheck = now + .milliseconds(200)
    nextTrim = now + .seconds(16)
    statistics = PeerStatistics(peer: description.id, at: now)
  }

  /// Whether its seat publishes the feed.
  func owns(_ feed: FeedID) -> Bool { self.feed == feed || description.ownFeeds.contains(feed) }

  var nextDeadline: Instant {
    var deadline = min(ice.nextDeadline, min(nextReport, nextStatistics))
    deadline = min(deadline, min(nextNack, min(nextFeedback, min(nextPace, nextLayerCheck))))
    return min(deadline, lastHeard + (isStalled ? Self.silenceLimit : Self.stallLimit))
  }

  /// Silence after which a peer counts as stalled, and as gone.
  static let stallLimit = Interval.seconds(15)
  static let silenceLimit = Interval.seconds(30)
  /// A publisher that has connected and sent no media is given up after this long.
  static let mediaLimit = Interval.seconds(30)
}
