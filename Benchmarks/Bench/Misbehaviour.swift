import CMeasure
import RTCWire

/// What a hostile receiver does beside staying connected.
enum Misbehaviour: CaseIterable, Sendable {
  /// Acknowledges nothing any more.
  case silence
  /// Asks for every packet of the last seconds again, 200 times a second.
  case repairs
  /// Asks for key frames in both ways, 500 times a second.
  case pictures
  /// Reports on streams that are none, 500 times a second.
  case reports
  /// Leaves a TCP connection open and reads it no more.
  case blackHole

  /// What the hostile peer of a number will do; those who mean to sit on a connection have to have one.
  static func of(_ number: Int) -> Misbehaviour { allCases[number % allCases.count] }
}

extension LoadPeer {
  /// What is due ten times a second; true when this peer also behaves as it should.
  func misbehave(_ how: Misbehaviour) -> Bool {
    let video = tk_load_stream_at(counts, 2).pointee
    switch how {
    case .silence, .blackHole: return false
    case .repairs:
      let sequences = (0..<250).map { UInt16(truncatingIfNeeded: video.highest - 1_000 + Int64($0) * 4) }
      for _ in 0..<20 {
        sendRTCP { writer throws(WireError) in
          try writer.nack(sender: reportSSRC, media: video.ssrc, sequences: sequences)
        }
      }
    case .pictures:
      for number in 0..<UInt8(50) {
        sendRTCP { writer throws(WireError) in
          try writer.pictureLoss(sender: reportSSRC, media: video.ssrc)
          try writer.fullIntraRequest(sender: reportSSRC, media: video.ssrc, sequenceNumber: number)
        }
      }
    case .reports:
      let blocks = (0..<30).map {
        ReportBlock(
          ssrc: UInt32(truncatingIfNeeded: $0) &* 2_654_435_761, fractionLost: 255, cumulativeLost: 1 << 20,
          highestSequence: 0, jitter: .max, lastSR: 0, delaySinceLastSR: 0)
      }
      for _ in 0..<50 {
        sendRTCP { writer throws(WireError) in try writer.receiverReport(ssrc: reportSSRC, blocks: blocks) }
      }
    }
    return true
  }
}
