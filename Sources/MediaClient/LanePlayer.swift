import Foundation
import Media
import MediaWorker
import PacketRing
import RTCCore

/// Cuts units into packets in the worker's slots.
struct LanePlayer: ~Copyable {
  private struct Line {
    var index: UInt8
    var packetizer: Packetizer
    var clockRate: Int64
    var firstTimestamp: UInt32
  }

  private var lane: InjectionLane
  private let arena: SlotArena
  private var lines: [Line] = []

  init(lane: consuming InjectionLane, arena: SlotArena, lines offered: [MediaLine]) {
    self.lane = lane
    self.arena = arena
    for (index, line) in offered.enumerated() {
      guard let codec = line.codecs.first, let encoding = MediaEncoding(codec.encoding) else { continue }
      lines.append(
        Line(
          index: UInt8(index),
          packetizer: Packetizer(
            encoding: encoding, payloadType: codec.payloadType, ssrc: line.sources.first?.ssrc ?? 1,
            firstSequence: UInt16.random(in: 0...UInt16.max)),
          clockRate: Int64(codec.clockRate), firstTimestamp: UInt32.random(in: 0...UInt32.max)))
    }
  }

  /// Answers how many packets found no slot.
  /// - Parameters:
  ///   - time: on the line of RTP timestamps, microseconds.
  ///   - captureTime: the same moment on the monotonic clock.
  mutating func send(_ unit: EncodedUnit, at time: Int64, captureTime: Int64, patience: Int) -> Int {
    guard let place = lines.firstIndex(where: { $0.packetizer.encoding == unit.encoding }) else { return 1 }
    let line = lines[place]
    let timestamp =
      line.firstTimestamp
      &+ UInt32(truncatingIfNeeded: time * line.clockRate / 1_000_000)
    var missed = 0
    var packetizer = line.packetizer
    packetizer.packetize(unit, timestamp: timestamp) { fill in
      guard let slot = slot(patience: patience) else {
        missed += 1
        return
      }
      let memory = UnsafeMutableRawBufferPointer(start: arena.pointer(slot), count: arena.stride)
      let count = fill(memory)
      // A slot must go back even when nothing was written: the worker releases what is no packet.
      if !lane.packets.push(
        InjectedPacket(slot: slot, byteCount: UInt16(count), line: line.index, captureTime: captureTime))
      {
        missed += 1
      }
    }
    lines[place].packetizer = packetizer
    return missed
  }

  private mutating func slot(patience: Int) -> SlotIndex? {
    for attempt in 0..<patience {
      if let slot = lane.grants.pop() { return slot }
      if attempt + 1 < patience { Thread.sleep(forTimeInterval: 0.0005) }
    }
    return nil
  }

  /// Gives back the slots that were granted and not filled, until the worker grants no more: it has `closeInjection`.
  mutating func giveBack() {
    var quietTurns = 0
    // The worker takes commands each turn; what it granted before comes within a few.
    for _ in 0..<200 where quietTurns < 20 {
      quietTurns += 1
      while let slot = lane.grants.pop() {
        quietTurns = 0
        guard lane.packets.push(InjectedPacket(slot: slot, byteCount: 0, line: 0, captureTime: 0)) else { break }
      }
      Thread.sleep(forTimeInterval: 0.002)
    }
  }
}
