import PacketRing
public import RTCCore
import RTCWire

/// What a receiver got: pictures put together by their own numbers, and what its checkers saw. Keys number the first
/// publisher's pictures from 0, the second's from 2^24, and so on.
public struct Received: ~Copyable {
  var leases: LaneConsumer<PacketRecord>
  var returns: LaneProducer<SlotIndex>
  var isVP8 = false
  private var pending: [UInt32: Set<UInt16>] = [:]
  /// Complete pictures, with the true time the last packet came.
  public internal(set) var frames: [UInt32: Instant] = [:]
  public internal(set) var keyFrames: Set<UInt32> = []
  public internal(set) var audioPackets: [UInt32: Instant] = [:]
  /// Lesson time by picture and by audio packet, as this receiver's core tells it.
  public internal(set) var videoTimes: [UInt32: Int64] = [:]
  public internal(set) var audioTimes: [UInt32: Int64] = [:]
  public internal(set) var firstFrame: Instant?
  /// When the last video packet came, and the last complete picture and its number.
  public internal(set) var lastVideo: Instant?
  public internal(set) var lastFrame: (key: UInt32, at: Instant)?
  public internal(set) var violations: [String] = []
  private var seen: Set<Int64> = []
  /// Packets of each picture shown: simulcast layers differ in it.
  public internal(set) var packetCounts: [UInt32: Int] = [:]

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
    guard payload.count == 80, let tag = MediaTag(audio: payload) else {
      return violations.append("an audio packet of \(payload.count) bytes")
    }
    audioPackets[tag.key] = now
    audioTimes[tag.key] = record.lessonTime
  }

  private mutating func takeVideo(_ record: PacketRecord, _ payload: UnsafeRawBufferPointer, now: Instant) {
    lastVideo = now
    guard let tag = MediaTag(video: payload, isVP8: isVP8) else {
      return violations.append("a video packet of \(payload.count) bytes")
    }
    let key = Int64(record.stream) << 48 | record.extendedSequence
    if !seen.insert(key).inserted { violations.append("sequence \(record.extendedSequence) came twice") }
    // A group that is shown again counts once.
    guard pending[tag.key, default: []].insert(tag.index).inserted else { return }
    guard pending[tag.key]?.count == Int(tag.count) else { return }
    frames[tag.key] = now
    videoTimes[tag.key] = record.lessonTime
    packetCounts[tag.key] = Int(tag.count)
    lastFrame = (tag.key, now)
    if isVP8 ? payload[6] & 1 == 0 : (payload[0] == 0x7C && payload[1] & 0x1F == 5) { keyFrames.insert(tag.key) }
    if firstFrame == nil { firstFrame = now }
  }
}
