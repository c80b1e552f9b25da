import CIPSecMB

/// What was sent under one sequence number: enough to make the same payload again.
package struct SentPacket: BitwiseCopyable {
  /// Low 32 bits of the outgoing sequence.
  package var outSequence: UInt32
  /// Low 32 bits of the source's extended sequence.
  package var sourceSequence: UInt32
  package var timestampOffset: UInt32
  /// Milliseconds of the monotonic clock, truncated; when it was last sent or repeated.
  package var sentMilliseconds: UInt32
  package var sourceStream: UInt16
  package var pictureIDOffset: UInt16
  package var layerIndexOffset: UInt8
  package var repeats: UInt8
  package var isValid: Bool

  package init(
    outSequence: UInt32, sourceSequence: UInt32, timestampOffset: UInt32, sentMilliseconds: UInt32,
    sourceStream: UInt16, pictureIDOffset: UInt16, layerIndexOffset: UInt8, repeats: UInt8, isValid: Bool
  ) {
    self.outSequence = outSequence
    self.sourceSequence = sourceSequence
    self.timestampOffset = timestampOffset
    self.sentMilliseconds = sentMilliseconds
    self.sourceStream = sourceStream
    self.pictureIDOffset = pictureIDOffset
    self.layerIndexOffset = layerIndexOffset
    self.repeats = repeats
    self.isValid = isValid
  }
}

/// The last packets of a SendStream by outgoing sequence: what a NACK is answered from.
///
/// 16 bytes a packet. It begins without memory and doubles, up to its limit, rather than forget what was sent within
/// the last 1.5 s: nobody waits longer for a repair.
package struct SendHistory: ~Copyable {
  /// How often a packet is sent again at most.
  package static let repeatLimit: UInt8 = 10
  private static let first = 256
  /// 1.5 s in the unit of `Entry.moment`.
  private static let keptMoments: UInt16 = 187

  private struct Entry: BitwiseCopyable {
    var sourceSequence: UInt32 = 0
    var timestampOffset: UInt32 = 0
    var sourceStream: UInt16 = 0
    var pictureIDOffset: UInt16 = 0
    /// Low 12 bits: when it was last sent, in 8 ms of the monotonic clock. High 4: one more than the repeats, 0 where
    /// no packet is.
    var momentAndRepeats: UInt16 = 0
    /// Bits 8…15 of the outgoing sequence; the place says the lower ones, and a NACK names no more than 16.
    var lap: UInt8 = 0
    var layerIndexOffset: UInt8 = 0

    var isValid: Bool { momentAndRepeats >= 0x1000 }
    var moment: UInt16 {
      get { momentAndRepeats & 0xFFF }
      set { momentAndRepeats = momentAndRepeats & 0xF000 | newValue & 0xFFF }
    }
    var repeats: UInt8 {
      get { UInt8(momentAndRepeats >> 12) &- 1 }
      set { momentAndRepeats = momentAndRepeats & 0xFFF | (UInt16(newValue) + 1) << 12 }
    }
  }

  private var entries: UnsafeMutablePointer<Entry>?
  package private(set) var capacity = 0
  private let limit: Int

  /// - Parameter limit: 0, and it keeps nothing, or a power of two from 256 to 65,536.
  package init(limit: Int) {
    precondition(limit == 0 || (limit >= Self.first && limit <= 65_536 && limit & (limit - 1) == 0))
    self.limit = limit
  }

  deinit { entries?.deallocate() }

  private static func moment(_ milliseconds: UInt32) -> UInt16 {
    UInt16(truncatingIfNeeded: milliseconds >> 3) & 0xFFF
  }
  private static func lap(_ outSequence: Int64) -> UInt8 { UInt8(truncatingIfNeeded: outSequence >> 8) }

  /// Fetches into the cache where packets from a number on will be noted.
  func prefetch(_ outSequence: Int64) {
    if let entries { tk_prefetch(entries + (Int(outSequence) & (capacity - 1)), 128) }
  }

  package mutating func note(_ packet: SentPacket, outSequence: Int64) {
    guard limit > 0 else { return }
    let moment = Self.moment(packet.sentMilliseconds)
    if capacity == 0 { resize(to: Self.first) }
    if capacity < limit {
      let former = entries![Int(outSequence) & (capacity - 1)]  // just made sure of
      if former.isValid, (moment &- former.moment) & 0xFFF < Self.keptMoments { resize(to: capacity * 2) }
    }
    var entry = Entry(
      sourceSequence: packet.sourceSequence, timestampOffset: packet.timestampOffset,
      sourceStream: packet.sourceStream, pictureIDOffset: packet.pictureIDOffset, momentAndRepeats: moment,
      lap: Self.lap(outSequence), layerIndexOffset: packet.layerIndexOffset)
    entry.repeats = min(packet.repeats, Self.repeatLimit)
    entries![Int(outSequence) & (capacity - 1)] = entry  // just made sure of
  }

  private func place(_ outSequence: Int64) -> UnsafeMutablePointer<Entry>? {
    guard let entries else { return nil }
    let entry = entries + (Int(outSequence) & (capacity - 1))
    return entry.pointee.isValid && entry.pointee.lap == Self.lap(outSequence) ? entry : nil
  }

  /// What was sent under a number within 65,536 of the last one; nil when it is forgotten or never was.
  ///
  /// The moment it was sent is exact to 8 ms, and known for 32 s.
  package func find(_ outSequence: Int64) -> SentPacket? {
    guard let entry = place(outSequence)?.pointee else { return nil }
    return SentPacket(
      outSequence: UInt32(truncatingIfNeeded: outSequence), sourceSequence: entry.sourceSequence,
      timestampOffset: entry.timestampOffset, sentMilliseconds: UInt32(entry.moment) << 3,
      sourceStream: entry.sourceStream, pictureIDOffset: entry.pictureIDOffset,
      layerIndexOffset: entry.layerIndexOffset, repeats: entry.repeats, isValid: true)
  }

  /// Counts one more repeat of a packet, unless it has been sent too often or, once repeated, within `pause`.
  package mutating func mayRepeat(_ outSequence: Int64, pause milliseconds: UInt32, now: UInt32) -> Bool {
    guard let entry = place(outSequence), entry.pointee.repeats < Self.repeatLimit else { return false }
    let elapsed = UInt32((Self.moment(now) &- entry.pointee.moment) & 0xFFF) << 3
    guard entry.pointee.repeats == 0 || elapsed >= milliseconds & ~7 else { return false }
    entry.pointee.repeats += 1
    entry.pointee.moment = Self.moment(now)
    return true
  }

  private mutating func resize(to size: Int) {
    let grown = UnsafeMutablePointer<Entry>.allocate(capacity: size)
    grown.initialize(repeating: Entry(), count: size)
    if let entries {
      for place in 0..<capacity where entries[place].isValid {
        grown[(Int(entries[place].lap) << 8 | place & 0xFF) & (size - 1)] = entries[place]
      }
      entries.deallocate()
    }
    entries = grown
    capacity = size
  }
}
