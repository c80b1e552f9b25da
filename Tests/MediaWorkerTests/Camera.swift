import MediaWorker
import PacketRing
import RTCCore
import RTCWire

/// A publisher's pictures, told apart by their number and filled by it: four packets each, a key frame every 50.
struct Camera: ~Copyable {
  let worker: MediaWorker
  var lane: InjectionLane
  private var sequence: UInt16 = 65_500
  private(set) var frame: UInt32 = 0

  init?(_ side: Side) {
    guard let lane = side.worker.attachInjection(InjectionID(rawValue: 1)) else { return nil }
    worker = side.worker
    self.lane = lane
  }

  mutating func shoot() {
    for part in 0..<4 {
      guard let slot = lane.grants.pop() else { continue }
      let place = worker.arena.pointer(slot)
      RTPWriter.writeHeader(
        to: place, marker: part == 3, payloadType: 102, sequence: sequence, timestamp: frame &* 900, ssrc: 1,
        hasExtension: false, hasPadding: false)
      sequence &+= 1
      let payload = UnsafeMutableRawBufferPointer(start: place + 12, count: 900)
      payload[0] = frame % 50 == 0 ? 0x67 : 0x41
      payload.storeBytes(of: frame, toByteOffset: 1, as: UInt32.self)
      for offset in 5..<900 { payload[offset] = UInt8(truncatingIfNeeded: frame &+ UInt32(offset)) }
      _ = lane.packets.push(
        InjectedPacket(slot: slot, byteCount: 912, line: 1, captureTime: monotonicNow().monotonic.microseconds))
    }
    frame += 1
  }
}
