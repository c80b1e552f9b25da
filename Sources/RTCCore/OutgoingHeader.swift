import PacketRing
import RTCWire

/// Header and extensions of one SSRC's packets at the start of scratch memory: what is the same for all of one moment
/// is written once, the rest over it for each.
struct OutgoingHeader {
  private let base: UnsafeMutableRawPointer
  private let ssrc: UInt32
  private let payloadType: UInt8
  private let hasExtension: Bool
  private let audioLevel: Int
  /// Where the transport-wide number stands; 0 without one.
  private let transportSequence: Int
  let byteCount: Int

  init(
    _ template: borrowing ExtensionTemplate, ssrc: UInt32, payloadType: UInt8,
    at scratch: UnsafeMutableRawBufferPointer, now: Now
  ) {
    base = scratch.baseAddress!  // 512 bytes
    self.ssrc = ssrc
    self.payloadType = payloadType
    let block = template.bytes.count
    hasExtension = block > 0
    byteCount = 12 + block
    func place(_ offset: Int) -> Int { offset > 0 ? 12 + offset : 0 }
    transportSequence = place(template.transportSequenceOffset)
    audioLevel = place(template.audioLevelOffset)
    guard hasExtension else { return }
    template.bytes.withUnsafeBytes { (base + 12).copyMemory(from: $0.baseAddress!, byteCount: block) }
    let sendTime = place(template.absoluteSendTimeOffset)
    if sendTime > 0 {
      // 6.18 fixed point seconds: the middle of the NTP time.
      let time = UInt32(truncatingIfNeeded: now.ntp.rawValue >> 14)
      for byte in 0..<3 {
        base.storeBytes(
          of: UInt8(truncatingIfNeeded: time >> UInt32(16 - 8 * byte)), toByteOffset: sendTime + byte, as: UInt8.self)
      }
    }
  }

  /// Writes what is one packet's own; its transport-wide number is taken from the log where there is one.
  @inline(__always)
  func write(
    _ record: PacketRecord, sequence: Int64, timestamp: UInt32, hasPadding: Bool, log: inout SendLog, now: Now
  ) {
    RTPWriter.writeHeader(
      to: base, marker: record.flags.contains(.marker), payloadType: payloadType,
      sequence: UInt16(truncatingIfNeeded: sequence), timestamp: timestamp, ssrc: ssrc, hasExtension: hasExtension,
      hasPadding: hasPadding)
    if transportSequence > 0 {
      let number = log.note(byteCount: Int(record.payloadByteCount) + byteCount, now: now.monotonic)
      base.storeBytes(of: number.bigEndian, toByteOffset: transportSequence, as: UInt16.self)
    }
    guard audioLevel > 0 else { return }
    let level = record.audioLevel | (record.flags.contains(.voice) ? 0x80 : 0)
    base.storeBytes(of: level, toByteOffset: audioLevel, as: UInt8.self)
  }
}
