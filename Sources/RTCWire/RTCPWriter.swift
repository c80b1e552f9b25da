/// Writes RTCP packets one after another into a buffer. A packet that does not fit leaves what was written untouched.
public struct RTCPWriter {
  private let buffer: UnsafeMutableRawBufferPointer
  /// Bytes written.
  public private(set) var count = 0

  public init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

  /// Begins a packet of `byteCount` bytes (a multiple of 4) and returns its place.
  private mutating func begin(
    type: UInt8, count field: Int, byteCount: Int
  ) throws(WireError) -> UnsafeMutableRawBufferPointer {
    guard byteCount % 4 == 0, byteCount <= buffer.count - count, field <= 31 else { throw .tooLong }
    let packet = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + byteCount])
    packet[0] = 0x80 | UInt8(field)
    packet[1] = type
    packet.store16(UInt16(byteCount / 4 - 1), at: 2)
    count += byteCount
    return packet
  }

  public mutating func senderReport(
    ssrc: UInt32, ntp: NTPTime, rtp: UInt32, packetCount: UInt32, octetCount: UInt32, blocks: [ReportBlock]
  ) throws(WireError) {
    let packet = try begin(type: 200, count: blocks.count, byteCount: 28 + 24 * blocks.count)
    packet.store32(ssrc, at: 4)
    packet.store32(UInt32(ntp.rawValue >> 32), at: 8)
    packet.store32(UInt32(truncatingIfNeeded: ntp.rawValue), at: 12)
    packet.store32(rtp, at: 16)
    packet.store32(packetCount, at: 20)
    packet.store32(octetCount, at: 24)
    Self.write(blocks, to: packet, at: 28)
  }

  public mutating func receiverReport(ssrc: UInt32, blocks: [ReportBlock]) throws(WireError) {
    let packet = try begin(type: 201, count: blocks.count, byteCount: 8 + 24 * blocks.count)
    packet.store32(ssrc, at: 4)
    Self.write(blocks, to: packet, at: 8)
  }

  private static func write(_ blocks: [ReportBlock], to packet: UnsafeMutableRawBufferPointer, at start: Int) {
    var offset = start
    for block in blocks {
      packet.store32(block.ssrc, at: offset)
      let lost = UInt32(bitPattern: min(max(block.cumulativeLost, -0x80_0000), 0x7F_FFFF)) & 0xFF_FFFF
      packet.store32(UInt32(block.fractionLost) << 24 | lost, at: offset + 4)
      packet.store32(block.highestSequence, at: offset + 8)
      packet.store32(block.jitter, at: offset + 12)
      packet.store32(block.lastSR, at: offset + 16)
      packet.store32(block.delaySinceLastSR, at: offset + 20)
      offset += 24
    }
  }

  /// A source description with the CNAME alone, at most 255 bytes (RFC 3550 §6.5.1).
  public mutating func sdesCNAME(ssrc: UInt32, cname: String) throws(WireError) {
    let name = Array(cname.utf8.prefix(255))
    // Item header 2, name, at least one null, then to a multiple of four.
    let chunk = (4 + 2 + name.count + 1 + 3) / 4 * 4
    let packet = try begin(type: 202, count: 1, byteCount: 4 + chunk)
    packet.store32(ssrc, at: 4)
    packet[8] = 1
    packet[9] = UInt8(name.count)
    for offset in 10..<packet.count { packet[offset] = offset - 10 < name.count ? name[offset - 10] : 0 }
  }

  public mutating func bye(ssrcs: [UInt32], reason: String) throws(WireError) {
    let text = Array(reason.utf8.prefix(255))
    let tail = text.isEmpty ? 0 : (1 + text.count + 3) / 4 * 4
    let packet = try begin(type: 203, count: ssrcs.count, byteCount: 4 + 4 * ssrcs.count + tail)
    for (index, ssrc) in ssrcs.enumerated() { packet.store32(ssrc, at: 4 + 4 * index) }
    guard tail > 0 else { return }
    let start = 4 + 4 * ssrcs.count
    packet[start] = UInt8(text.count)
    for offset in start + 1..<packet.count {
      let index = offset - start - 1
      packet[offset] = index < text.count ? text[index] : 0
    }
  }

  /// A generic NACK (RFC 4585 §6.2.1).
  /// - Parameter sequences: ascending modulo 2^16.
  public mutating func nack(sender: UInt32, media: UInt32, sequences: [UInt16]) throws(WireError) {
    var items: [(base: UInt16, mask: UInt16)] = []
    for sequence in sequences {
      if let last = items.last {
        let distance = sequence &- last.base
        if distance == 0 { continue }
        if distance <= 16 {
          items[items.count - 1].mask |= 1 << (distance - 1)
          continue
        }
      }
      items.append((sequence, 0))
    }
    guard !items.isEmpty else { return }
    let packet = try begin(type: 205, count: 1, byteCount: 12 + 4 * items.count)
    packet.store32(sender, at: 4)
    packet.store32(media, at: 8)
    for (index, item) in items.enumerated() {
      packet.store16(item.base, at: 12 + 4 * index)
      packet.store16(item.mask, at: 14 + 4 * index)
    }
  }

  public mutating func pictureLoss(sender: UInt32, media: UInt32) throws(WireError) {
    let packet = try begin(type: 206, count: 1, byteCount: 12)
    packet.store32(sender, at: 4)
    packet.store32(media, at: 8)
  }

  public mutating func fullIntraRequest(sender: UInt32, media: UInt32, sequenceNumber: UInt8) throws(WireError) {
    let packet = try begin(type: 206, count: 4, byteCount: 20)
    packet.store32(sender, at: 4)
    packet.store32(0, at: 8)
    packet.store32(media, at: 12)
    packet.store32(UInt32(sequenceNumber) << 24, at: 16)
  }

  /// Receiver-estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 §2.2): 18-bit mantissa, rounded down.
  public mutating func remb(sender: UInt32, bitsPerSecond: UInt64, ssrcs: [UInt32]) throws(WireError) {
    let exponent = max(0, 64 - bitsPerSecond.leadingZeroBitCount - 18)
    let mantissa = UInt32(bitsPerSecond >> UInt64(exponent))
    guard ssrcs.count <= 255 else { throw .tooLong }
    let packet = try begin(type: 206, count: 15, byteCount: 20 + 4 * ssrcs.count)
    packet.store32(sender, at: 4)
    packet.store32(0, at: 8)
    packet.store32(0x5245_4D42, at: 12)
    packet.store32(UInt32(ssrcs.count) << 24 | UInt32(exponent) << 18 | mantissa, at: 16)
    for (index, ssrc) in ssrcs.enumerated() { packet.store32(ssrc, at: 20 + 4 * index) }
  }

  /// Transport-wide feedback in two-bit status vectors of seven, which any reader takes.
  public mutating func transportFeedback(
    sender: UInt32, media: UInt32, baseSequence: UInt16, referenceTime64ms: Int32, feedbackCount: UInt8,
    statuses: [TransportStatus]
  ) throws(WireError) {
    guard !statuses.isEmpty, statuses.count <= 65_535 else { throw .badLength }
    let chunks = (statuses.count + 6) / 7
    var deltas = 0
    for case .received(let delta) in statuses { deltas += delta >= 0 && delta <= 255 ? 1 : 2 }
    let body = 20 + chunks * 2 + deltas
    let packet = try begin(type: 205, count: 15, byteCount: (body + 3) / 4 * 4)
    packet.store32(sender, at: 4)
    packet.store32(media, at: 8)
    packet.store16(baseSequence, at: 12)
    packet.store16(UInt16(statuses.count), at: 14)
    packet.store32(UInt32(bitPattern: referenceTime64ms) << 8 | UInt32(feedbackCount), at: 16)
    var deltaOffset = 20 + chunks * 2
    for chunk in 0..<chunks {
      var word: UInt16 = 0xC000
      for place in 0..<7 where chunk * 7 + place < statuses.count {
        guard case .received(let delta) = statuses[chunk * 7 + place] else { continue }
        let isSmall = delta >= 0 && delta <= 255
        word |= (isSmall ? 1 : 2) << UInt16((6 - place) * 2)
        if isSmall {
          packet[deltaOffset] = UInt8(delta)
          deltaOffset += 1
        } else {
          packet.store16(UInt16(bitPattern: delta), at: deltaOffset)
          deltaOffset += 2
        }
      }
      packet.store16(word, at: 20 + chunk * 2)
    }
    for offset in deltaOffset..<packet.count { packet[offset] = 0 }
  }
}
