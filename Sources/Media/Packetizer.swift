internal import RTCWire

/// Cuts units into RTP packets: H.264 by RFC 6184 (packetization mode 1), VP8 by RFC 7741, Opus by RFC 7587.
///
/// A packet is the fixed 12-byte header and the payload, without CSRCs, extensions or padding. Parameter sets and SEI
/// of an access unit share a STAP-A when they fit; a larger NAL unit becomes FU-A fragments. The fragments of one NAL
/// unit or VP8 frame have equal lengths, except for the last, which may be shorter: so they make one GSO train. The
/// marker is on a picture's last packet and never on sound. Access unit delimiters and filler are left out.
public struct Packetizer: Sendable {
  public let encoding: MediaEncoding
  public let payloadType: UInt8
  public let ssrc: UInt32
  /// Bytes of payload in one packet at most.
  public let payloadLimit: Int
  public private(set) var nextSequence: UInt16
  /// Units that could not be sent: empty, or sound that does not fit into one packet.
  public private(set) var unusableUnits = 0
  private var pictureID: UInt16

  /// - Parameter payloadLimit: 100…65,000.
  public init(
    encoding: MediaEncoding, payloadType: UInt8, ssrc: UInt32, payloadLimit: Int = 1_160, firstSequence: UInt16
  ) {
    precondition((100...65_000).contains(payloadLimit))
    self.encoding = encoding
    self.payloadType = payloadType & 0x7F
    self.ssrc = ssrc
    self.payloadLimit = payloadLimit
    nextSequence = firstSequence
    pictureID = firstSequence & 0x7FFF
  }

  /// Writes the unit's packets in order and returns how many there were.
  ///
  /// - Parameters:
  ///   - timestamp: RTP time: 90 kHz for video, 48 kHz for Opus.
  ///   - write: called once for each packet with a function that writes it into memory of at least 12 + `payloadLimit`
  ///     bytes and gives its length, or 0 and nothing written when the memory is too small. A caller without room does
  ///     not call it: the sequence number is spent all the same, so the loss is seen.
  /// Cost: one pass over the bytes to find NAL units, one copy into the packets, one small list a unit.
  @discardableResult
  public mutating func packetize(
    _ unit: borrowing EncodedUnit, timestamp: UInt32,
    write: (_ fill: (_ memory: UnsafeMutableRawBufferPointer) -> Int) -> Void
  ) -> Int {
    precondition(unit.encoding == encoding)
    let count = unit.bytes.withUnsafeBytes { bytes in
      let parts = parts(of: bytes)
      for (index, part) in parts.enumerated() {
        let isLast = index == parts.count - 1
        write { memory in
          fill(memory, part, of: bytes, marker: isLast && encoding != .opus, timestamp: timestamp)
        }
        nextSequence &+= 1
      }
      return parts.count
    }
    if count == 0 { unusableUnits += 1 }
    if encoding == .vp8 { pictureID = (pictureID + 1) & 0x7FFF }
    return count
  }

  private func fill(
    _ memory: UnsafeMutableRawBufferPointer, _ part: PacketPart, of bytes: UnsafeRawBufferPointer, marker: Bool,
    timestamp: UInt32
  ) -> Int {
    let total = 12 + part.byteCount
    guard let place = memory.baseAddress, let source = bytes.baseAddress, memory.count >= total else { return 0 }
    RTPWriter.writeHeader(
      to: place, marker: marker, payloadType: payloadType, sequence: nextSequence, timestamp: timestamp, ssrc: ssrc,
      hasExtension: false, hasPadding: false)
    for index in 0..<part.prefixCount { memory[12 + index] = part.prefix[index] }
    var offset = 12 + part.prefixCount
    if part.nalUnits.isEmpty {
      (place + offset).copyMemory(from: source + part.range.lowerBound, byteCount: part.range.count)
    }
    for unit in part.nalUnits {
      memory[offset] = UInt8(truncatingIfNeeded: unit.count >> 8)
      memory[offset + 1] = UInt8(truncatingIfNeeded: unit.count)
      (place + offset + 2).copyMemory(from: source + unit.lowerBound, byteCount: unit.count)
      offset += 2 + unit.count
    }
    return total
  }

  private func parts(of bytes: UnsafeRawBufferPointer) -> [PacketPart] {
    switch encoding {
    case .h264: partsOfH264(bytes)
    case .vp8: partsOfVP8(bytes)
    case .opus: bytes.isEmpty || bytes.count > payloadLimit ? [] : [PacketPart(0..<bytes.count)]
    }
  }

  private func partsOfVP8(_ bytes: UnsafeRawBufferPointer) -> [PacketPart] {
    equalRanges(of: 0..<bytes.count, limit: payloadLimit - 4).map { range in
      // X and, on the first packet, S; then I; then a 15-bit picture id (RFC 7741 §4.2).
      PacketPart(
        range,
        prefix: [range.lowerBound == 0 ? 0x90 : 0x80, 0x80, 0x80 | UInt8(pictureID >> 8), UInt8(pictureID & 0xFF)],
        count: 4)
    }
  }

  private func partsOfH264(_ bytes: UnsafeRawBufferPointer) -> [PacketPart] {
    let units = nalUnits(bytes).filter { unit in
      let type = bytes[unit.lowerBound] & 0x1F
      return type != 9 && type != 12
    }
    var parts: [PacketPart] = []
    var index = 0
    while index < units.count {
      let run = aggregateRun(units, from: index, bytes)
      if run > 1 {
        let together = Array(units[index..<index + run])
        let importance = together.map { bytes[$0.lowerBound] & 0x60 }.max() ?? 0
        parts.append(PacketPart(aggregating: together, header: importance | 24))
        index += run
        continue
      }
      let unit = units[index]
      index += 1
      if unit.count <= payloadLimit {
        parts.append(PacketPart(unit))
      } else {
        parts.append(contentsOf: fragments(unit, header: bytes[unit.lowerBound]))
      }
    }
    return parts
  }

  /// How many NAL units from an index on are SEI or parameter sets that fit into one STAP-A together.
  private func aggregateRun(_ units: [Range<Int>], from index: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    var total = 1
    var run = 0
    while index + run < units.count {
      let unit = units[index + run]
      guard (6...8).contains(bytes[unit.lowerBound] & 0x1F), total + 2 + unit.count <= payloadLimit else { break }
      total += 2 + unit.count
      run += 1
    }
    return run
  }

  private func fragments(_ unit: Range<Int>, header: UInt8) -> [PacketPart] {
    let body = unit.lowerBound + 1..<unit.upperBound
    return equalRanges(of: body, limit: payloadLimit - 2).map { range in
      let start: UInt8 = range.lowerBound == body.lowerBound ? 0x80 : 0
      let end: UInt8 = range.upperBound == body.upperBound ? 0x40 : 0
      // FU indicator with the unit's NRI, FU header with S, E and its type (RFC 6184 §5.8).
      return PacketPart(range, prefix: [header & 0xE0 | 28, start | end | header & 0x1F, 0, 0], count: 2)
    }
  }
}

/// Cuts a range into as few pieces as the limit allows, all of one length except for a shorter last one.
private func equalRanges(of range: Range<Int>, limit: Int) -> [Range<Int>] {
  guard !range.isEmpty else { return [] }
  let count = (range.count + limit - 1) / limit
  let size = (range.count + count - 1) / count
  return stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
}

/// One packet's payload: a prefix and a range of the unit, or an aggregate of NAL units.
private struct PacketPart {
  let range: Range<Int>
  let prefix: [4 of UInt8]
  let prefixCount: Int
  let nalUnits: [Range<Int>]

  init(_ range: Range<Int>, prefix: [4 of UInt8] = [0, 0, 0, 0], count: Int = 0) {
    self.range = range
    self.prefix = prefix
    prefixCount = count
    nalUnits = []
  }

  init(aggregating units: [Range<Int>], header: UInt8) {
    range = 0..<0
    prefix = [header, 0, 0, 0]
    prefixCount = 1
    nalUnits = units
  }

  var byteCount: Int { prefixCount + range.count + nalUnits.reduce(0) { $0 + 2 + $1.count } }
}

/// Ranges of the NAL units in an Annex B byte stream, without start codes and trailing zeros; empty ones left out.
///
/// Bytes before the first start code are not part of any.
func nalUnits(_ bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
  var units: [Range<Int>] = []
  var start = -1
  var offset = 0
  func close(at end: Int) {
    var end = end
    while end > start, bytes[end - 1] == 0 { end -= 1 }
    if start >= 0, end > start { units.append(start..<end) }
  }
  while offset + 3 <= bytes.count {
    if bytes[offset + 2] > 1 {
      offset += 3
    } else if bytes[offset] == 0, bytes[offset + 1] == 0, bytes[offset + 2] == 1 {
      if start >= 0 { close(at: offset) }
      start = offset + 3
      offset += 3
    } else {
      offset += 1
    }
  }
  if start >= 0 { close(at: bytes.count) }
  return units
}
