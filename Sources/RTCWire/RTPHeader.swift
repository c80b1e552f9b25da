/// The fixed header, CSRCs and extension block of an RTP packet, as values and offsets (RFC 3550 §5.1, RFC 8285 §4).
///
/// ```
///  0                   1                   2                   3
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// |                           timestamp                           |
/// |                             SSRC                              |
/// | CSRC × CC … | profile, words | extension words … | payload …
/// ```
@frozen public struct RTPHeader: Sendable {
  public let marker: Bool
  public let payloadType: UInt8
  public let sequence: UInt16
  public let timestamp: UInt32
  public let ssrc: UInt32
  /// `0xBEDE`, `0x1000…0x100F` or another; 0 without an extension block.
  public let extensionProfile: UInt16
  public let extensionOffset: Int
  public let extensionByteCount: Int
  /// Bytes from the packet's start to its payload, 12…
  public let payloadOffset: Int
  /// The padding's length is the last byte of the decrypted packet.
  public let hasPadding: Bool

  /// - Throws: `.tooShort`, `.badVersion`, `.badExtension`. Cost: no allocation.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard bytes.count >= 12 else { throw .tooShort }
    let first = bytes[0]
    guard first >> 6 == 2 else { throw .badVersion }
    marker = bytes[1] & 0x80 != 0
    payloadType = bytes[1] & 0x7F
    sequence = bytes.uint16(2)
    timestamp = bytes.uint32(4)
    ssrc = bytes.uint32(8)
    hasPadding = first & 0x20 != 0
    var offset = 12 + Int(first & 0x0F) * 4
    guard offset <= bytes.count else { throw .tooShort }
    guard first & 0x10 != 0 else {
      extensionProfile = 0
      extensionOffset = 0
      extensionByteCount = 0
      payloadOffset = offset
      return
    }
    guard offset + 4 <= bytes.count else { throw .badExtension }
    extensionProfile = bytes.uint16(offset)
    extensionByteCount = Int(bytes.uint16(offset + 2)) * 4
    extensionOffset = offset + 4
    offset += 4 + extensionByteCount
    guard offset <= bytes.count else { throw .badExtension }
    payloadOffset = offset
  }
}

/// The data bytes of a header extension element; nil when the packet has none of that id. One- and two-byte forms.
@inlinable public func findExtension(
  id: UInt8, in bytes: UnsafeRawBufferPointer, header: RTPHeader
) -> Range<Int>? {
  let isOneByte = header.extensionProfile == 0xBEDE
  guard id != 0, isOneByte || header.extensionProfile & 0xFFF0 == 0x1000 else { return nil }
  var offset = header.extensionOffset
  let end = min(offset + header.extensionByteCount, bytes.count)
  while offset < end {
    let first = bytes[offset]
    if first == 0 {
      offset += 1
      continue
    }
    let found: UInt8
    let count: Int
    if isOneByte {
      found = first >> 4
      // Id 15 ends the block (RFC 8285 §4.2).
      if found == 15 { return nil }
      count = Int(first & 0x0F) + 1
      offset += 1
    } else {
      guard offset + 1 < end else { return nil }
      found = first
      count = Int(bytes[offset + 1])
      offset += 2
    }
    guard offset + count <= end else { return nil }
    if found == id { return offset..<offset + count }
    offset += count
  }
  return nil
}

public enum RTPWriter {
  /// Writes the twelve fixed bytes, without CSRCs.
  @inlinable public static func writeHeader(
    to place: UnsafeMutableRawPointer, marker: Bool, payloadType: UInt8, sequence: UInt16, timestamp: UInt32,
    ssrc: UInt32, hasExtension: Bool, hasPadding: Bool
  ) {
    let bytes = UnsafeMutableRawBufferPointer(start: place, count: 12)
    bytes[0] = 0x80 | (hasPadding ? 0x20 : 0) | (hasExtension ? 0x10 : 0)
    bytes[1] = (marker ? 0x80 : 0) | (payloadType & 0x7F)
    bytes.store16(sequence, at: 2)
    bytes.store32(timestamp, at: 4)
    bytes.store32(ssrc, at: 8)
  }
}
