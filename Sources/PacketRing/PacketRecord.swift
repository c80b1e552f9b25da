/// What is known of a packet besides its bytes.
@frozen public struct PacketFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// RTP marker bit.
  @inlinable public static var marker: PacketFlags { PacketFlags(rawValue: 1) }
  /// First packet of a key frame.
  @inlinable public static var keyFrameStart: PacketFlags { PacketFlags(rawValue: 2) }
  @inlinable public static var audio: PacketFlags { PacketFlags(rawValue: 4) }
  /// What follows does not continue what came before: another source, or a gap that stays.
  @inlinable public static var discontinuity: PacketFlags { PacketFlags(rawValue: 8) }
  /// The sender's voice activity bit (RFC 6464 §3).
  @inlinable public static var voice: PacketFlags { PacketFlags(rawValue: 16) }
  /// Not of the present: lent to bring another worker up to it.
  @inlinable public static var catchUp: PacketFlags { PacketFlags(rawValue: 32) }
}

/// One received packet; also the entry of a `History` and of a lane of leases.
///
/// Layout: 32 bytes, no padding. The slot holds the whole decrypted RTP packet from its first byte.
@frozen public struct PacketRecord: BitwiseCopyable, Sendable {
  /// Sequence number with rollovers, first = 65,536 + the 16-bit number, so that packets before the first stay
  /// positive.
  public var extendedSequence: Int64
  /// Estimated capture time in microseconds of the relay's monotonic clock.
  public var lessonTime: Int64
  public var slot: SlotIndex
  /// RTP timestamp as received.
  public var timestamp: UInt32
  /// The worker's number of the stream; on a lane to a sink, the number of the track.
  public var stream: UInt16
  /// Bytes from the slot's start to the RTP payload, 12…255.
  public var payloadOffset: UInt8
  public var flags: PacketFlags
  /// Bytes of payload without padding.
  public var payloadByteCount: UInt16
  /// As received, 0…127.
  public var payloadType: UInt8
  /// −dBov (RFC 6464), 0 loudest, 127 silent or unknown.
  public var audioLevel: UInt8

  @inlinable public init(
    extendedSequence: Int64, lessonTime: Int64, slot: SlotIndex, timestamp: UInt32, stream: UInt16,
    payloadOffset: UInt8, flags: PacketFlags, payloadByteCount: UInt16, payloadType: UInt8, audioLevel: UInt8 = 127
  ) {
    self.extendedSequence = extendedSequence
    self.lessonTime = lessonTime
    self.slot = slot
    self.timestamp = timestamp
    self.stream = stream
    self.payloadOffset = payloadOffset
    self.flags = flags
    self.payloadByteCount = payloadByteCount
    self.payloadType = payloadType
    self.audioLevel = audioLevel
  }

  /// Bytes of the slot this packet uses: header, extensions and payload.
  @inlinable public var byteCount: Int { Int(payloadOffset) &+ Int(payloadByteCount) }
}
