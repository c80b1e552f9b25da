import PacketRing
import RTCWire

/// The extension block that every packet of a SendStream carries, equal in size for all so that trains are equal.
///
/// MID always; transport-wide sequence, absolute send time and audio level are patched at seal (RFC 8285 §4.2).
struct ExtensionTemplate {
  private(set) var bytes: [UInt8] = []
  private(set) var transportSequenceOffset = 0
  private(set) var absoluteSendTimeOffset = 0
  private(set) var audioLevelOffset = 0

  init(line: MediaLine) {
    var data: [UInt8] = []
    func begin(_ id: UInt8, _ count: Int) -> Int {
      data.append(id << 4 | UInt8(count - 1))
      return data.count + 4
    }
    let ids = line.extensions
    let mid = Array(line.mid.utf8.prefix(16))
    if Self.isOneByte(ids.mid), !mid.isEmpty {
      _ = begin(ids.mid, mid.count)
      data += mid
    }
    if Self.isOneByte(ids.transportSequence) {
      transportSequenceOffset = begin(ids.transportSequence, 2)
      data += [0, 0]
    }
    if Self.isOneByte(ids.absoluteSendTime) {
      absoluteSendTimeOffset = begin(ids.absoluteSendTime, 3)
      data += [0, 0, 0]
    }
    if line.kind == .audio, Self.isOneByte(ids.audioLevel) {
      audioLevelOffset = begin(ids.audioLevel, 1)
      data += [0]
    }
    guard !data.isEmpty else { return }
    while data.count % 4 != 0 { data.append(0) }
    bytes = [0xBE, 0xDE, 0, UInt8(data.count / 4)] + data
  }

  private static func isOneByte(_ id: UInt8) -> Bool { id >= 1 && id <= 14 }
}

/// One outgoing SSRC: it lives as long as the pane's m-line; sources come and go beneath it, its numbers never restart.
struct SendStream: ~Copyable {
  let peer: Int32
  let lineIndex: Int
  let kind: MediaKind
  let mid: String
  let codecs: [Codec]
  let feedback: FeedbackSet
  let ssrc: UInt32
  let retransmissionSSRC: UInt32?
  let template: ExtensionTemplate
  var source: PaneSource = .none
  var maxHeight: UInt16 = 0

  /// The track subscribed to and this stream's place in its array; -1 without one.
  var track: Int32 = -1
  var subscription = -1
  var codec: Codec?

  /// Next outgoing sequence; starts in 1…32,767 so that the rollover counter of the first packets is surely 0.
  var nextSequence: Int64
  var nextRetransmission: Int64
  var sealIndex = SealIndex()
  var retransmissionSealIndex = SealIndex()
  var sent: SendHistory

  var hasSent = false
  var lastTimestamp: UInt32 = 0
  var lastLessonTime: Int64 = 0
  var lastSource: Int32 = -1
  var lastPictureID: UInt16 = 0
  var lastLayerIndex: UInt8 = 0
  var packets: UInt32 = 0
  var octets: UInt32 = 0
  var nextReport: Instant = .distantFuture

  /// The next source sequence of a burst that brings a late joiner up to the present; nil when live.
  var cursor: Int64?
  /// The highest outgoing sequence that only ever went out as a retransmission.
  var highestRepaired: Int64 = 0
  var waitingSince: Instant?
  /// The line is too thin for any layer.
  var isPaused = false
  /// The last reported extended highest sequence, to see that media is acknowledged.
  var acknowledged: UInt32 = 0
  var reportedLoss: UInt8 = 0
  var cumulativeLost: Int32 = 0
  var firRequest: UInt8?
  var pictureWishes = PictureWishes()

  init(peer: Int32, lineIndex: Int, line: MediaLine, random: inout SplitMix64) {
    self.peer = peer
    self.lineIndex = lineIndex
    kind = line.kind
    mid = line.mid
    codecs = line.codecs
    feedback = line.feedback
    ssrc = line.sources.first?.ssrc ?? UInt32.random(in: 1...UInt32.max, using: &random)
    retransmissionSSRC = line.sources.first?.retransmission
    template = ExtensionTemplate(line: line)
    nextSequence = Int64.random(in: 1...0x7FFF, using: &random)
    nextRetransmission = Int64.random(in: 1...0x7FFF, using: &random)
    // Without a retransmission stream nothing is ever sent again.
    sent = SendHistory(limit: retransmissionSSRC == nil ? 0 : line.kind == .video ? 2_048 : 256)
  }

  /// The last packet that was given a number: where the next source, and its timestamps, go on.
  @inline(__always)
  mutating func noteForwarded(_ packet: BatchPacket, to subscription: Subscription, out: Int64) {
    nextSequence = out + 1
    lastTimestamp = packet.record.timestamp &+ subscription.timestampOffset
    lastLessonTime = packet.record.lessonTime
    guard packet.numbers.isPresent else { return }
    lastPictureID = (packet.numbers.pictureID &+ subscription.pictureIDOffset) & 0x7FFF
    lastLayerIndex = packet.numbers.layerIndex &+ subscription.layerIndexOffset
  }

  /// The codec of this line for a source's codec: H.264 by packetization mode and then the nearest profile.
  ///
  /// Cost: no allocation, since every retransmission asks.
  func codec(for source: Codec) -> Codec? {
    var best: Codec?
    var bestRank = 0
    for codec in codecs where codec.encoding == source.encoding && codec.clockRate == source.clockRate {
      let rank = Self.rank(codec, for: source)
      // Of equals the first: the line's codecs are in the order of preference.
      guard rank > bestRank else { continue }
      best = codec
      bestRank = rank
    }
    return best
  }

  /// How well a codec of the source's encoding carries it; 0: not at all.
  private static func rank(_ codec: Codec, for source: Codec) -> Int {
    switch source.encoding {
    // A decoder of one VP9 or AV1 profile need not know another: 4:2:0 is all that most have.
    case .vp9, .av1: return codec.profileLevelID == source.profileLevelID ? 1 : 0
    case .h264:
      guard codec.packetizationMode == source.packetizationMode else { return 0 }
      let profile = codec.profileLevelID >> 16
      return profile == source.profileLevelID >> 16 ? 3 : profile == 0x42 ? 2 : 1
    default: return 1
    }
  }
}
