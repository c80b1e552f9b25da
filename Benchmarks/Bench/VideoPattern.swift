import MediaWorker
import PacketRing
import RTCCore
import RTCWire

/// The packets of a 720p25 lesson without its pictures: sizes and times as an encoder makes them at a bit rate.
///
/// A key frame every two seconds is six times as large as the others; every packet holds 1,200 bytes of payload at
/// most. Sound is 50 packets of 100 bytes a second. At 2 Mbit/s: 257 packets of picture and 50 of sound a second.
struct VideoPattern {
  static let framesPerSecond: Int64 = 25
  static let framesPerGroup: Int64 = 50
  static let packetBytes = 1_200
  static let soundBytes = 100
  static let soundInterval: Int64 = 20_000
  static let frameInterval: Int64 = 1_000_000 / framesPerSecond

  let bitsPerSecond: Int
  /// Packets of pictures written.
  private var pictures: Int64 = 0
  private var frame: Int64 = 0
  /// Packets of sound written.
  private var sound: Int64 = 0
  private let start: Instant

  init(bitsPerSecond: Int, start: Instant) {
    self.bitsPerSecond = bitsPerSecond
    self.start = start
  }

  /// When the next picture or sound is due.
  var nextDeadline: Instant {
    min(start + .microseconds(frame * Self.frameInterval), start + .microseconds(sound * Self.soundInterval))
  }

  private func byteCount(isKeyFrame: Bool) -> Int {
    // One frame of six parts and 49 of one make a group of 55 parts.
    let part = bitsPerSecond / 8 * Int(Self.framesPerGroup / Self.framesPerSecond) / 55
    return isKeyFrame ? 6 * part : part
  }

  /// Writes what is due at `now` into granted slots. A packet's number among those of its kind, from 0, goes into the
  /// eight bytes behind the payload's first two.
  /// - Returns: packets that found no slot.
  mutating func write(
    into lane: inout InjectionEnd, arena: SlotArena, now: Instant
  ) -> Int {
    var missing = 0
    while start + .microseconds(sound * Self.soundInterval) <= now {
      let bytes = Self.soundBytes
      missing += put(
        into: &lane, arena: arena, line: 0, payloadType: 111, sequence: UInt16(truncatingIfNeeded: 1_000 + sound),
        timestamp: UInt32(truncatingIfNeeded: sound * 960), marker: false, lead: (0xFC, 0), count: bytes, now: now,
        number: sound)
      sound += 1
    }
    while start + .microseconds(frame * Self.frameInterval) <= now {
      let isKeyFrame = frame % Self.framesPerGroup == 0
      var left = byteCount(isKeyFrame: isKeyFrame)
      var isFirst = true
      while left > 0 {
        let count = min(left, Self.packetBytes)
        left -= count
        // A key frame begins with its parameter sets (RFC 6184 §5.6); the rest are FU-A fragments (§5.8).
        let fragment = UInt8(left == 0 ? 0x40 : 0) | (isKeyFrame ? 0x05 : 0x01)
        let lead: (UInt8, UInt8) = isKeyFrame && isFirst ? (0x67, 0x42) : (isKeyFrame ? 0x7C : 0x5C, fragment)
        missing += put(
          into: &lane, arena: arena, line: 1, payloadType: 102, sequence: UInt16(truncatingIfNeeded: 1_000 + pictures),
          timestamp: UInt32(truncatingIfNeeded: frame * 3_600), marker: left == 0, lead: lead, count: max(count, 16),
          now: now, number: pictures)
        pictures += 1
        isFirst = false
      }
      frame += 1
    }
    return missing
  }

  private func put(
    into lane: inout InjectionEnd, arena: SlotArena, line: UInt8, payloadType: UInt8, sequence: UInt16,
    timestamp: UInt32, marker: Bool, lead: (UInt8, UInt8), count: Int, now: Instant,
    number: Int64
  ) -> Int {
    guard let slot = lane.grants.pop() else { return 1 }
    let place = arena.pointer(slot)
    RTPWriter.writeHeader(
      to: place, marker: marker, payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: 1,
      hasExtension: false, hasPadding: false)
    let payload = UnsafeMutableRawBufferPointer(start: place + 12, count: count)
    payload[0] = lead.0
    payload[1] = lead.1
    payload.storeBytes(of: number, toByteOffset: 2, as: Int64.self)
    let packet = InjectedPacket(
      slot: slot, byteCount: UInt16(12 + count), line: line, captureTime: now.microseconds)
    precondition(lane.packets.push(packet), "as many packets fit as were granted")
    return 0
  }
}

/// The source's ends of a core's injection lanes.
struct InjectionEnd: ~Copyable {
  var packets: LaneProducer<InjectedPacket>
  var grants: LaneConsumer<SlotIndex>
}
