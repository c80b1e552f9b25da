import PacketRing

/// A packet on its way to a stream's subscriptions, with what is the same for all of them.
struct BatchPacket: BitwiseCopyable {
  var record: PacketRecord
  var numbers: PictureNumbers
  /// Bytes of RTP padding that make it as long as its neighbours (RFC 3550 §5.1).
  var padding: UInt8 = 0
  /// The padding stands behind the payload in its slot, and is sealed with it in one piece.
  var isPaddedInPlace = false

  init(_ record: PacketRecord, numbers: PictureNumbers) {
    self.record = record
    self.numbers = numbers
  }
}

extension RelayCore {
  /// Packets routed together; a picture of more is routed in parts. 64 of them are the longest train.
  static let batchLimit = 256
  /// A packet this much shorter than its neighbours is filled up: a few bytes cost less than another train.
  static let paddingLimit = 16

  /// Pads packets so that the kernel can cut them out of one train, where all but the last are of one size.
  ///
  /// Encoders split a picture into packets whose sizes differ by a byte or two. Runs within `paddingLimit` of each
  /// other become as long as their longest; the packet that ends a run may be shorter and stays as it is.
  static func equalise(_ batch: UnsafeMutablePointer<BatchPacket>, count: Int) {
    var first = 0
    while first < count {
      var low = Int(batch[first].record.payloadByteCount)
      var high = low
      var end = first + 1
      while end < count {
        let size = Int(batch[end].record.payloadByteCount)
        guard max(high, size) - min(low, size) <= paddingLimit else { break }
        low = min(low, size)
        high = max(high, size)
        end += 1
      }
      // A shorter one behind the run is carried by it as its last.
      let endsShorter = end < count && Int(batch[end].record.payloadByteCount) < high
      let padded = endsShorter ? end : end - 1
      for place in first..<padded {
        batch[place].padding = UInt8(high - Int(batch[place].record.payloadByteCount))
      }
      first = endsShorter ? end + 1 : end
    }
  }

  /// Writes the padding behind the payloads, where a slot has room: once for all receivers.
  func writePadding(count: Int) {
    for place in 0..<count where batch[place].padding > 0 {
      let record = batch[place].record
      let padding = Int(batch[place].padding)
      guard record.byteCount + padding <= arena.stride else { continue }
      let behind = arena.pointer(record.slot) + record.byteCount
      behind.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
      behind.storeBytes(of: batch[place].padding, toByteOffset: padding - 1, as: UInt8.self)
      batch[place].isPaddedInPlace = true
    }
  }
}
