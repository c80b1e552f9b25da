import CIPSecMB

/// What was sent under each transport-wide sequence number, to make sense of the feedback.
///
/// 8 bytes a packet. It begins without memory and doubles, up to 4,096 packets, rather than forget one of the last
/// second whose fate it has not heard.
package struct SendLog: ~Copyable {
  private struct Entry: BitwiseCopyable {
    /// The transport-wide number; its place and its 16 bits tell it from every other that could still be here.
    var sequence: UInt16 = 0
    /// 0 where no packet is, or where it was settled.
    var byteCount: UInt16 = 0
    /// Low 32 bits of the monotonic clock.
    var sentMicroseconds: UInt32 = 0
  }

  private static let first = 128
  package static let limit = 4_096
  private var entries: UnsafeMutablePointer<Entry>?
  package private(set) var capacity = 0
  package private(set) var nextSequence: Int64 = 1

  package init() {}

  deinit { entries?.deallocate() }

  /// Fetches into the cache where the next packets will be noted.
  func prefetch() {
    if let entries { tk_prefetch(entries + (Int(nextSequence) & (capacity - 1)), 64) }
  }

  /// Gives the next transport-wide sequence number to a packet.
  package mutating func note(byteCount: Int, now: Instant) -> UInt16 {
    let sequence = nextSequence
    nextSequence += 1
    let moment = UInt32(truncatingIfNeeded: now.microseconds)
    if capacity == 0 { resize(to: Self.first) }
    if capacity < Self.limit {
      let former = entries![Int(sequence) & (capacity - 1)]  // just made sure of
      if former.byteCount > 0, moment &- former.sentMicroseconds < 1_000_000 { resize(to: capacity * 2) }
    }
    let number = UInt16(truncatingIfNeeded: sequence)
    entries![Int(sequence) & (capacity - 1)] = Entry(  // just made sure of
      sequence: number, byteCount: UInt16(clamping: max(byteCount, 1)), sentMicroseconds: moment)
    return number
  }

  /// Forgets what was sent by another path: its fate says nothing of this one.
  package mutating func forgetAll() { entries?.update(repeating: Entry(), count: capacity) }

  /// Takes a packet out of the log; nil for one never sent, forgotten or told before.
  package mutating func settle(_ sequence: UInt16) -> Int? {
    guard let entries else { return nil }
    let entry = entries + (Int(sequence) & (capacity - 1))
    guard entry.pointee.byteCount > 0, entry.pointee.sequence == sequence else { return nil }
    defer { entry.pointee.byteCount = 0 }
    return Int(entry.pointee.byteCount)
  }

  private mutating func resize(to size: Int) {
    let grown = UnsafeMutablePointer<Entry>.allocate(capacity: size)
    grown.initialize(repeating: Entry(), count: size)
    if let entries {
      for place in 0..<capacity where entries[place].byteCount > 0 {
        grown[Int(entries[place].sequence) & (size - 1)] = entries[place]
      }
      entries.deallocate()
    }
    entries = grown
    capacity = size
  }
}
