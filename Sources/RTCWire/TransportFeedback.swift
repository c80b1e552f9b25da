/// One packet's fate in a transport-wide feedback.
public enum TransportStatus: Equatable, Sendable {
  case lost
  /// Arrival after the one before, in 250 µs.
  case received(delta250us: Int16)
}

/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), read status by status.
public struct TransportFeedback: Sequence {
  public struct Item: Equatable, Sendable {
    public var sequence: UInt16
    public var isReceived: Bool
    /// After the packet received before, or after the reference time; 0 when lost.
    public var deltaMicroseconds: Int64
  }

  public let sender: UInt32
  public let media: UInt32
  public let base: UInt16
  public let statusCount: Int
  /// In 64 ms, signed.
  public let referenceTime: Int32
  public let feedbackCount: UInt8
  private let bytes: UnsafeRawBufferPointer

  /// Nil when too short. Chunks and deltas are checked as they are read.
  init?(_ packet: UnsafeRawBufferPointer) {
    guard packet.count >= 20 else { return nil }
    sender = packet.uint32(4)
    media = packet.uint32(8)
    base = packet.uint16(12)
    statusCount = Int(packet.uint16(14))
    referenceTime = Int32(bitPattern: packet.uint24(16) << 8) >> 8
    feedbackCount = packet[19]
    bytes = UnsafeRawBufferPointer(rebasing: packet[20...])
  }

  public func makeIterator() -> Iterator { Iterator(self, bytes: bytes) }

  public struct Iterator: IteratorProtocol {
    private let bytes: UnsafeRawBufferPointer
    private var sequence: UInt16
    private var remaining: Int
    private var chunkOffset = 0
    private var deltaOffset: Int
    private var symbol: UInt16 = 0
    private var chunk: UInt16 = 0
    private var chunkLeft = 0

    init(_ feedback: TransportFeedback, bytes: UnsafeRawBufferPointer) {
      self.bytes = bytes
      sequence = feedback.base
      remaining = feedback.statusCount
      deltaOffset = Self.deltaStart(bytes, statuses: feedback.statusCount)
    }

    /// Deltas follow the last chunk: count statuses to find it.
    private static func deltaStart(_ bytes: UnsafeRawBufferPointer, statuses: Int) -> Int {
      var left = statuses
      var offset = 0
      while left > 0, offset + 2 <= bytes.count {
        let chunk = bytes.uint16(offset)
        offset += 2
        left -= chunk & 0x8000 == 0 ? Int(chunk & 0x1FFF) : (chunk & 0x4000 == 0 ? 14 : 7)
      }
      return offset
    }

    public mutating func next() -> Item? {
      guard remaining > 0 else { return nil }
      while chunkLeft == 0 {
        guard chunkOffset + 2 <= bytes.count else { return nil }
        chunk = bytes.uint16(chunkOffset)
        chunkOffset += 2
        chunkLeft = chunk & 0x8000 == 0 ? Int(chunk & 0x1FFF) : (chunk & 0x4000 == 0 ? 14 : 7)
      }
      chunkLeft -= 1
      remaining -= 1
      if chunk & 0x8000 == 0 {
        symbol = chunk >> 13 & 3
      } else if chunk & 0x4000 == 0 {
        symbol = chunk >> UInt16(chunkLeft) & 1
      } else {
        symbol = chunk >> UInt16(chunkLeft * 2) & 3
      }
      defer { sequence &+= 1 }
      switch symbol {
      case 1:
        guard deltaOffset < bytes.count else { return nil }
        defer { deltaOffset += 1 }
        return Item(sequence: sequence, isReceived: true, deltaMicroseconds: Int64(bytes[deltaOffset]) * 250)
      case 2:
        guard deltaOffset + 2 <= bytes.count else { return nil }
        defer { deltaOffset += 2 }
        let delta = Int64(Int16(bitPattern: bytes.uint16(deltaOffset)))
        return Item(sequence: sequence, isReceived: true, deltaMicroseconds: delta * 250)
      default: return Item(sequence: sequence, isReceived: false, deltaMicroseconds: 0)
      }
    }
  }
}
