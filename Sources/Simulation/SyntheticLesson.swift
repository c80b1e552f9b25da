import PacketRing
import RTCCore
import RTCWire

/// A publisher's encoder: 25 pictures and 50 audio packets a second whose bytes say what they are.
struct SyntheticLesson: ~Copyable {
  static let videoInterval = Interval.milliseconds(40)
  static let audioInterval = Interval.milliseconds(20)

  let injection = InjectionID(rawValue: 1)
  /// The number its packets name it by.
  let number: UInt8
  var packets: LaneProducer<InjectedPacket>
  var grants: LaneConsumer<SlotIndex>
  let keyFrameInterval: UInt32
  let packetsPerFrame: Int
  /// The line of `openInjection` that carries each kind, nil when it is not published.
  let audioLine: UInt8?
  let videoLine: UInt8?
  private(set) var nextVideo: Instant
  private(set) var nextAudio: Instant
  private(set) var frames: UInt32 = 0
  private(set) var audioPackets: UInt32 = 0
  private var videoSequence: UInt16
  private var audioSequence: UInt16
  private let videoBase: UInt32
  private let audioBase: UInt32
  var wantsKeyFrame = false
  /// Cameras that never answer a request, as OBS and ffmpeg do not.
  let answersRequests: Bool
  /// True time of each picture's capture, by number.
  private(set) var captured: [UInt32: Instant] = [:]

  init(
    number: UInt8, tracks: [MediaKind], packets: consuming LaneProducer<InjectedPacket>,
    grants: consuming LaneConsumer<SlotIndex>, keyFrameInterval: UInt32, packetsPerFrame: Int, answersRequests: Bool,
    start: Instant, random: inout SplitMix64
  ) {
    self.number = number
    self.packets = packets
    self.grants = grants
    self.keyFrameInterval = keyFrameInterval
    self.packetsPerFrame = packetsPerFrame
    self.answersRequests = answersRequests
    audioLine = tracks.firstIndex(of: .audio).map { UInt8($0) }
    videoLine = tracks.firstIndex(of: .video).map { UInt8($0) }
    nextVideo = start
    nextAudio = start
    videoSequence = UInt16.random(in: 0 ... .max, using: &random)
    audioSequence = UInt16.random(in: 0 ... .max, using: &random)
    videoBase = UInt32.random(in: 0 ... .max, using: &random)
    audioBase = UInt32.random(in: 0 ... .max, using: &random)
  }

  var nextDeadline: Instant { min(nextVideo, nextAudio) }

  /// Writes the packets that are due into granted slots.
  /// - Parameter local: the same moment by this machine's clock.
  mutating func produce(now: Instant, local: Instant, arena: SlotArena) {
    while nextAudio <= now {
      let tag = MediaTag(source: number, number: audioPackets)
      if let audioLine {
        send(
          line: audioLine, isAudio: true, marker: false, timestamp: audioBase &+ audioPackets &* 960, local: local,
          arena: arena
        ) { tag.writeAudio($0) }
      }
      audioPackets += 1
      nextAudio = nextAudio + Self.audioInterval
    }
    while nextVideo <= now {
      let isKey = frames % keyFrameInterval == 0 || (wantsKeyFrame && answersRequests)
      if isKey { wantsKeyFrame = false }
      let count = isKey ? packetsPerFrame * 3 : packetsPerFrame
      captured[frames] = now
      for index in 0..<count {
        guard let videoLine else { break }
        let tag = MediaTag(source: number, number: frames, index: UInt16(index), count: UInt16(count))
        send(
          line: videoLine, isAudio: false, marker: index == count - 1, timestamp: videoBase &+ frames &* 3_600,
          local: local, arena: arena
        ) { tag.writeH264($0, isKey: isKey) }
      }
      frames += 1
      nextVideo = nextVideo + Self.videoInterval
    }
  }

  private mutating func send(
    line: UInt8, isAudio: Bool, marker: Bool, timestamp: UInt32, local: Instant, arena: SlotArena,
    _ fill: (UnsafeMutableRawBufferPointer) -> Int
  ) {
    guard let slot = grants.pop() else { return }
    let place = arena.pointer(slot)
    let sequence = isAudio ? audioSequence : videoSequence
    if isAudio { audioSequence &+= 1 } else { videoSequence &+= 1 }
    RTPWriter.writeHeader(
      to: place, marker: marker, payloadType: isAudio ? 111 : 102, sequence: sequence, timestamp: timestamp,
      ssrc: 1, hasExtension: false, hasPadding: false)
    let count = fill(UnsafeMutableRawBufferPointer(start: place + 12, count: arena.stride - 12))
    let packet = InjectedPacket(
      slot: slot, byteCount: UInt16(12 + count), line: line, captureTime: local.microseconds)
    let isSent = packets.push(packet)
    precondition(isSent, "the lane holds every granted slot")
  }
}
