import PacketRing
public import RTCCore
import RTCWire

/// A publisher's encoder: 25 frames and 50 audio packets a second whose bytes say what they are.
///
/// Video payload: `[NAL header 1 | frame 4 | index 2 | count 2 | filler …]`; audio: `[number 4 | filler …]`.
struct SyntheticLesson: ~Copyable {
  static let videoInterval = Interval.milliseconds(40)
  static let audioInterval = Interval.milliseconds(20)

  let injection = InjectionID(rawValue: 1)
  var packets: LaneProducer<InjectedPacket>
  var grants: LaneConsumer<SlotIndex>
  let keyFrameInterval: UInt32
  let packetsPerFrame: Int
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

  init(
    packets: consuming LaneProducer<InjectedPacket>, grants: consuming LaneConsumer<SlotIndex>,
    keyFrameInterval: UInt32, packetsPerFrame: Int, answersRequests: Bool, start: Instant, random: inout SplitMix64
  ) {
    self.packets = packets
    self.grants = grants
    self.keyFrameInterval = keyFrameInterval
    self.packetsPerFrame = packetsPerFrame
    self.answersRequests = answersRequests
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
      let number = audioPackets
      send(line: 0, marker: false, timestamp: audioBase &+ number &* 960, local: local, arena: arena) { bytes in
        bytes.storeBytes(of: number.bigEndian, as: UInt32.self)
        return 80
      }
      audioPackets += 1
      nextAudio = nextAudio + Self.audioInterval
    }
    while nextVideo <= now {
      let isKey = frames % keyFrameInterval == 0 || (wantsKeyFrame && answersRequests)
      if isKey { wantsKeyFrame = false }
      let frame = frames
      let count = isKey ? packetsPerFrame * 3 : packetsPerFrame
      for index in 0..<count {
        send(
          line: 1, marker: index == count - 1, timestamp: videoBase &+ frame &* 3_600, local: local, arena: arena
        ) { bytes in
          bytes[0] = isKey ? 0x65 : 0x41
          bytes.storeBytes(of: frame.bigEndian, toByteOffset: 1, as: UInt32.self)
          bytes.storeBytes(of: UInt16(index).bigEndian, toByteOffset: 5, as: UInt16.self)
          bytes.storeBytes(of: UInt16(count).bigEndian, toByteOffset: 7, as: UInt16.self)
          return index == count - 1 ? 300 : 1_000
        }
      }
      frames += 1
      nextVideo = nextVideo + Self.videoInterval
    }
  }

  private mutating func send(
    line: UInt8, marker: Bool, timestamp: UInt32, local: Instant, arena: SlotArena,
    _ fill: (UnsafeMutableRawBufferPointer) -> Int
  ) {
    guard let slot = grants.pop() else { return }
    let place = arena.pointer(slot)
    let sequence = line == 0 ? audioSequence : videoSequence
    if line == 0 { audioSequence &+= 1 } else { videoSequence &+= 1 }
    RTPWriter.writeHeader(
      to: place, marker: marker, payloadType: line == 0 ? 111 : 102, sequence: sequence, timestamp: timestamp,
      ssrc: 1, hasExtension: false, hasPadding: false)
    let count = fill(UnsafeMutableRawBufferPointer(start: place + 12, count: arena.stride - 12))
    let packet = InjectedPacket(
      slot: slot, byteCount: UInt16(12 + count), line: line, captureTime: local.microseconds)
    let isSent = packets.push(packet)
    precondition(isSent, "the lane holds every granted slot")
  }
}

/// What a receiver got: frames put together by their own numbers, and what its checkers saw.
public struct Received: ~Copyable {
  var leases: LaneConsumer<PacketRecord>
  var returns: LaneProducer<SlotIndex>
  private var pending: [UInt32: (have: Int, count: Int)] = [:]
  /// Complete frames by number, with the true time the last packet came.
  public internal(set) var frames: [UInt32: Instant] = [:]
  public internal(set) var keyFrames: Set<UInt32> = []
  public internal(set) var audioPackets: [UInt32: Instant] = [:]
  /// Lesson time by frame and by audio packet number, as this receiver's core tells it.
  public internal(set) var videoTimes: [UInt32: Int64] = [:]
  public internal(set) var audioTimes: [UInt32: Int64] = [:]
  public internal(set) var firstFrame: Instant?
  /// When the last video packet came.
  public internal(set) var lastVideo: Instant?
  public internal(set) var violations: [String] = []
  private var seen: Set<Int64> = []

  init(leases: consuming LaneConsumer<PacketRecord>, returns: consuming LaneProducer<SlotIndex>) {
    self.leases = leases
    self.returns = returns
  }

  mutating func take(arena: SlotArena, now: Instant) {
    while let record = leases.pop() {
      let payload = UnsafeRawBufferPointer(
        rebasing: arena.bytes(record.slot, count: record.byteCount)[Int(record.payloadOffset)...])
      if record.flags.contains(.audio) {
        takeAudio(record, payload, now: now)
      } else {
        takeVideo(record, payload, now: now)
      }
      _ = returns.push(record.slot)
    }
  }

  private mutating func takeAudio(_ record: PacketRecord, _ payload: UnsafeRawBufferPointer, now: Instant) {
    guard payload.count == 80 else { return violations.append("an audio packet of \(payload.count) bytes") }
    let number = payload.loadUnaligned(as: UInt32.self).bigEndian
    audioPackets[number] = now
    audioTimes[number] = record.lessonTime
  }

  private mutating func takeVideo(_ record: PacketRecord, _ payload: UnsafeRawBufferPointer, now: Instant) {
    lastVideo = now
    guard payload.count >= 300 else { return violations.append("a video packet of \(payload.count) bytes") }
    let key = Int64(record.stream) << 48 | record.extendedSequence
    if !seen.insert(key).inserted { violations.append("sequence \(record.extendedSequence) came twice") }
    let frame = payload.loadUnaligned(fromByteOffset: 1, as: UInt32.self).bigEndian
    let count = Int(payload.loadUnaligned(fromByteOffset: 7, as: UInt16.self).bigEndian)
    let state = pending[frame] ?? (0, count)
    pending[frame] = (state.have + 1, count)
    if state.have + 1 == count {
      frames[frame] = now
      videoTimes[frame] = record.lessonTime
      if payload[0] == 0x65 { keyFrames.insert(frame) }
      if firstFrame == nil { firstFrame = now }
    }
  }
}
