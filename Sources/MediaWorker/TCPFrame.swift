package import PacketRing

/// The frame a connection is in the middle of (RFC 4571 §2: two bytes of length, then so many of a packet), read
/// straight into a slot.
package struct TCPFrame: BitwiseCopyable {
  /// The bytes of the length that are here, and how many.
  private var high: UInt8 = 0
  private var low: UInt8 = 0
  private var lengthCount = 0
  /// Bytes of the packet that are in the slot.
  private var received = 0
  /// The slot the packet is read into; nil between packets.
  package var slot: SlotIndex?

  package init() {}

  private var byteCount: Int { Int(high) << 8 | Int(low) }

  /// Bytes of the packet still to come: 0 while its length is not known.
  package var missing: Int { lengthCount == 2 ? byteCount - received : 0 }
  /// Where in the slot they go.
  package var offset: Int { received }

  /// Takes `count` bytes that were read: first what was `missing` of the packet, then of the length behind it.
  /// - Returns: the byte count of a packet that is whole now, in a slot that is the caller's from here on.
  package mutating func take(_ count: Int, next: (UInt8, UInt8)) -> Int? {
    let body = min(count, missing)
    received += body
    var whole: Int?
    if body > 0, missing == 0 {
      whole = received
      lengthCount = 0
      received = 0
    }
    if count > body { addLength(next.0) }
    if count > body + 1 { addLength(next.1) }
    return whole
  }

  /// Whether the length that has been read is one no packet has, so that the stream cannot be read on.
  package func isMalformed(limit: Int) -> Bool { lengthCount == 2 && (byteCount == 0 || byteCount > limit) }

  /// Bytes of a length that may be read now, behind what is missing.
  package var lengthRoom: Int { lengthCount == 2 ? 2 : 2 - lengthCount }

  private mutating func addLength(_ byte: UInt8) {
    if lengthCount == 0 { high = byte } else { low = byte }
    lengthCount += 1
  }
}
