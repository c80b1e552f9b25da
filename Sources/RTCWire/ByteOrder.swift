/// Why bytes could not be read or written.
public enum WireError: Error, Sendable {
  case tooShort, badVersion, badLength, badPadding, badExtension, badMagic, unsupported, tooLong, badValue
}

extension UnsafeRawBufferPointer {
  /// Two bytes in network order. The caller has checked the bounds; a debug build checks again.
  @inlinable @inline(__always) package func uint16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  @inlinable @inline(__always) package func uint24(_ offset: Int) -> UInt32 {
    UInt32(uint16(offset)) << 8 | UInt32(self[offset + 2])
  }

  @inlinable @inline(__always) package func uint32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  @inlinable @inline(__always) package func uint64(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// A part of the bytes with indices from 0; nil when the range is not wholly inside.
  @inlinable package func part(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
  }
}

extension UnsafeMutableRawBufferPointer {
  @inlinable @inline(__always) package func store16(_ value: UInt16, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
  }

  @inlinable @inline(__always) package func store32(_ value: UInt32, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }
}

/// What a datagram on the shared port is (RFC 7983 §7, RTP or RTCP by RFC 5761 §4).
public enum DatagramKind: Sendable { case stun, dtls, rtp, rtcp, turnChannel, other }

@inlinable public func classify(_ bytes: UnsafeRawBufferPointer) -> DatagramKind {
  guard bytes.count >= 8 else { return .other }
  switch bytes[0] {
  case 0...3: return .stun
  case 20...63: return .dtls
  case 64...79: return .turnChannel
  case 128...191: return bytes[1] >= 192 && bytes[1] <= 223 ? .rtcp : .rtp
  default: return .other
  }
}

/// Extends 16-bit sequence numbers to 64 bits: the nearest number to the highest seen so far (RFC 3711 Appendix A).
@frozen public struct SequenceExtender: Sendable {
  @usableFromInline var highest: Int64 = .min
  @inlinable public init() {}

  /// The first number becomes 65,536 + itself, so that late packets stay positive.
  @inlinable public mutating func extend(_ sequence: UInt16) -> Int64 {
    guard highest != .min else {
      highest = 65_536 + Int64(sequence)
      return highest
    }
    let difference = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
    let extended = highest + difference
    if difference > 0 { highest = extended }
    return extended
  }
}
