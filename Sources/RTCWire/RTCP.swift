/// One reception report block (RFC 3550 §6.4.1). 24 bytes on the wire.
public struct ReportBlock: Equatable, Sendable {
  public var ssrc: UInt32
  public var fractionLost: UInt8
  /// 24 bits, signed.
  public var cumulativeLost: Int32
  public var highestSequence: UInt32
  public var jitter: UInt32
  public var lastSR: UInt32
  /// In 1/65,536 s.
  public var delaySinceLastSR: UInt32
  public init(
    ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, highestSequence: UInt32, jitter: UInt32,
    lastSR: UInt32, delaySinceLastSR: UInt32
  ) {
    self.ssrc = ssrc
    self.fractionLost = fractionLost
    self.cumulativeLost = cumulativeLost
    self.highestSequence = highestSequence
    self.jitter = jitter
    self.lastSR = lastSR
    self.delaySinceLastSR = delaySinceLastSR
  }
}

/// Records of a fixed size in a packet, read one by one without allocation. Valid as long as the packet's bytes are.
public struct WireRecords<Record>: Sequence, IteratorProtocol {
  let bytes: UnsafeRawBufferPointer
  let size: Int
  let read: (UnsafeRawBufferPointer, Int) -> Record
  var offset = 0

  public var isEmpty: Bool { offset + size > bytes.count }

  public mutating func next() -> Record? {
    guard !isEmpty else { return nil }
    defer { offset += size }
    return read(bytes, offset)
  }
}

public typealias ReportBlocks = WireRecords<ReportBlock>

public struct SenderReport {
  public var ssrc: UInt32
  public var ntp: NTPTime
  public var rtp: UInt32
  public var packets: UInt32
  public var octets: UInt32
  public var reports: ReportBlocks
}

public struct FullIntraEntry: Sendable {
  public var ssrc: UInt32
  public var sequenceNumber: UInt8
}

/// Lost sequence numbers of a generic NACK, PID and bit mask unfolded (RFC 4585 §6.2.1).
public struct NackItems: Sequence, IteratorProtocol {
  let bytes: UnsafeRawBufferPointer
  var offset = 0
  var base: UInt16 = 0
  var mask: UInt16 = 0
  var bit: UInt16 = 0

  public mutating func next() -> UInt16? {
    while mask != 0 {
      bit += 1
      let isSet = mask & 1 != 0
      mask >>= 1
      if isSet { return base &+ bit }
    }
    guard offset + 4 <= bytes.count else { return nil }
    base = bytes.uint16(offset)
    mask = bytes.uint16(offset + 2)
    bit = 0
    offset += 4
    return base
  }
}

/// One packet of a compound.
public enum RTCPPacket {
  case senderReport(SenderReport)
  case receiverReport(ssrc: UInt32, ReportBlocks)
  case sourceDescription
  case bye(WireRecords<UInt32>)
  case nack(sender: UInt32, media: UInt32, NackItems)
  case pictureLoss(sender: UInt32, media: UInt32)
  case fullIntraRequest(sender: UInt32, WireRecords<FullIntraEntry>)
  case remb(bitsPerSecond: UInt64, WireRecords<UInt32>)
  case transportFeedback(TransportFeedback)
  case unknown(type: UInt8)
}

/// The packets of a compound or reduced-size RTCP datagram (RFC 3550 §6.1, RFC 5506).
public struct RTCPPackets: Sequence, IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  /// Checks version and lengths of the whole datagram first: one bad packet refuses all.
  /// - Throws: `.tooShort`, `.badVersion`, `.badLength`.
  public init(validating bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard bytes.count >= 4 else { throw .tooShort }
    var offset = 0
    while offset < bytes.count {
      guard bytes.count - offset >= 4 else { throw .tooShort }
      guard bytes[offset] >> 6 == 2 else { throw .badVersion }
      offset += (Int(bytes.uint16(offset + 2)) + 1) * 4
      guard offset <= bytes.count else { throw .badLength }
    }
    self.bytes = bytes
  }

  public mutating func next() -> RTCPPacket? {
    guard offset < bytes.count else { return nil }
    let size = (Int(bytes.uint16(offset + 2)) + 1) * 4
    defer { offset += size }
    var packet = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])
    if packet[0] & 0x20 != 0 {
      let padding = Int(packet[size - 1])
      guard padding > 0, padding <= size - 4 else { return .unknown(type: packet[1]) }
      packet = UnsafeRawBufferPointer(rebasing: packet[0..<size - padding])
    }
    return Self.parse(packet) ?? .unknown(type: packet[1])
  }

  private static func parse(_ packet: UnsafeRawBufferPointer) -> RTCPPacket? {
    let count = Int(packet[0] & 0x1F)
    switch packet[1] {
    case 200:
      guard packet.count >= 28 else { return nil }
      return .senderReport(
        SenderReport(
          ssrc: packet.uint32(4), ntp: NTPTime(rawValue: packet.uint64(8)), rtp: packet.uint32(16),
          packets: packet.uint32(20), octets: packet.uint32(24), reports: blocks(packet, from: 28, count: count)))
    case 201:
      guard packet.count >= 8 else { return nil }
      return .receiverReport(ssrc: packet.uint32(4), blocks(packet, from: 8, count: count))
    case 202: return .sourceDescription
    case 203: return .bye(sources(packet, from: 4, count: count))
    case 205: return transportLayer(packet, format: count)
    case 206: return payloadSpecific(packet, format: count)
    default: return nil
    }
  }

  private static func transportLayer(_ packet: UnsafeRawBufferPointer, format: Int) -> RTCPPacket? {
    guard packet.count >= 12 else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: packet[12...])
    switch format {
    case 1: return .nack(sender: packet.uint32(4), media: packet.uint32(8), NackItems(bytes: body))
    case 15: return TransportFeedback(packet).map { .transportFeedback($0) }
    default: return nil
    }
  }

  private static func payloadSpecific(_ packet: UnsafeRawBufferPointer, format: Int) -> RTCPPacket? {
    guard packet.count >= 12 else { return nil }
    switch format {
    case 1: return .pictureLoss(sender: packet.uint32(4), media: packet.uint32(8))
    case 4:
      return .fullIntraRequest(
        sender: packet.uint32(4),
        WireRecords(bytes: UnsafeRawBufferPointer(rebasing: packet[12...]), size: 8) {
          FullIntraEntry(ssrc: $0.uint32($1), sequenceNumber: $0[$1 + 4])
        })
    case 15:
      guard packet.count >= 20, packet.uint32(12) == 0x5245_4D42 else { return nil }
      let exponent = UInt64(packet[17] >> 2)
      let mantissa = UInt64(packet.uint24(17) & 0x3_FFFF)
      let rate = exponent > 44 ? UInt64.max : mantissa << exponent
      return .remb(bitsPerSecond: rate, sources(packet, from: 20, count: Int(packet[16])))
    default: return nil
    }
  }

  private static func blocks(_ packet: UnsafeRawBufferPointer, from start: Int, count: Int) -> ReportBlocks {
    let end = Swift.min(start + count * 24, packet.count)
    return ReportBlocks(bytes: UnsafeRawBufferPointer(rebasing: packet[start..<Swift.max(start, end)]), size: 24) {
      ReportBlock(
        ssrc: $0.uint32($1), fractionLost: $0[$1 + 4],
        cumulativeLost: Int32(bitPattern: $0.uint24($1 + 5) << 8) >> 8, highestSequence: $0.uint32($1 + 8),
        jitter: $0.uint32($1 + 12), lastSR: $0.uint32($1 + 16), delaySinceLastSR: $0.uint32($1 + 20))
    }
  }

  private static func sources(_ packet: UnsafeRawBufferPointer, from start: Int, count: Int) -> WireRecords<UInt32> {
    let end = Swift.min(start + count * 4, packet.count)
    return WireRecords(bytes: UnsafeRawBufferPointer(rebasing: packet[start..<Swift.max(start, end)]), size: 4) {
      $0.uint32($1)
    }
  }
}
