#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What became of a record offered to a `History`.
@frozen public enum InsertResult: Sendable {
  /// Entered; the history took the caller's reference over.
  case inserted
  /// A packet of this number is present; the caller keeps its reference.
  case duplicate
  /// Below the window or below what was trimmed; the caller keeps its reference.
  case tooOld
}

/// A stream's recent packets, found by extended sequence number.
///
/// Holds one reference to the slot of each entry. An entry lies at its number modulo the capacity and proves itself by
/// the number it carries, so a stale question is a miss and never another packet. Covers `highest − capacity + 1 …
/// highest`. Memory: 32 bytes × capacity, made resident only where written. `find` is O(1); `insert` is O(1) plus the
/// width of a forward gap, at most the capacity.
public struct History: ~Copyable {
  /// Zeroed: number 0 marks an empty place, as no packet has a number below 1.
  @usableFromInline let entries: UnsafeMutablePointer<PacketRecord>
  @usableFromInline let mask: Int64
  /// Numbers below are refused: trimmed, or overtaken by the window.
  @usableFromInline var floor: Int64 = 1
  @usableFromInline var top: Int64 = .min
  @usableFromInline var bottom: Int64 = .max
  @usableFromInline var total = 0
  @usableFromInline var bytes = 0

  /// - Parameter capacity: a power of two, at most 65,536 entries.
  public init(capacity: Int) {
    precondition(capacity > 0 && capacity <= 65_536 && capacity & (capacity - 1) == 0, "capacity: a power of two")
    // calloc: a large block comes as fresh zero pages, so that an idle stream's history costs no memory.
    guard let memory = calloc(capacity, MemoryLayout<PacketRecord>.stride) else {
      preconditionFailure("out of memory")
    }
    entries = memory.bindMemory(to: PacketRecord.self, capacity: capacity)
    mask = Int64(capacity - 1)
  }

  /// Frees the memory. References still held are lost with it: `removeAll` first while the ledger lives on.
  deinit { free(entries) }

  /// The highest number present; `Int64.min` when empty.
  @inlinable public var highest: Int64 { top }
  /// The lowest number present; `Int64.max` when empty.
  @inlinable public var lowest: Int64 { bottom }
  @inlinable public var count: Int { total }
  /// Sum of the entries' `PacketRecord.byteCount`.
  @inlinable public var byteCount: Int { bytes }
  @inlinable public var capacity: Int { Int(mask) &+ 1 }

  @inlinable func place(_ sequence: Int64) -> UnsafeMutablePointer<PacketRecord> {
    entries + Int(sequence & mask)
  }

  /// The packet of exactly this number, nil when it is not (or no longer) here.
  @inlinable public func find(_ extendedSequence: Int64) -> PacketRecord? {
    guard extendedSequence > 0 else { return nil }
    let entry = place(extendedSequence)
    return entry.pointee.extendedSequence == extendedSequence ? entry.pointee : nil
  }

  /// Enters a packet. On `.inserted` the caller's reference is taken over and entries that fall out of the window are
  /// released; otherwise nothing changes and the caller keeps its reference.
  @inlinable public mutating func insert(_ record: PacketRecord, ledger: inout SlotLedger) -> InsertResult {
    let sequence = record.extendedSequence
    guard sequence >= floor else { return .tooOld }
    let entry = place(sequence)
    if entry.pointee.extendedSequence == sequence { return .duplicate }
    if sequence > top {
      let first = sequence &- mask
      if first > floor { trim(below: first, ledger: &ledger) }
      top = sequence
    }
    entry.pointee = record
    if sequence < bottom { bottom = sequence }
    total &+= 1
    bytes &+= record.byteCount
    return .inserted
  }

  /// Releases all entries below a number and refuses them from now on.
  public mutating func trim(below extendedSequence: Int64, ledger: inout SlotLedger) {
    floor = max(floor, extendedSequence)
    guard bottom < extendedSequence else { return }
    if extendedSequence > top { return clear(ledger: &ledger) }
    var sequence = bottom
    while sequence < extendedSequence {
      vacate(sequence, ledger: &ledger)
      sequence &+= 1
    }
    // `top` is present and not below, so the search ends.
    while place(sequence).pointee.extendedSequence != sequence { sequence &+= 1 }
    bottom = sequence
  }

  /// Releases all entries and forgets what was trimmed: as new.
  public mutating func removeAll(ledger: inout SlotLedger) {
    clear(ledger: &ledger)
    floor = 1
  }

  private mutating func clear(ledger: inout SlotLedger) {
    var sequence = bottom
    while total > 0 {
      vacate(sequence, ledger: &ledger)
      sequence &+= 1
    }
    top = .min
    bottom = .max
  }

  private mutating func vacate(_ sequence: Int64, ledger: inout SlotLedger) {
    let entry = place(sequence)
    guard entry.pointee.extendedSequence == sequence else { return }
    ledger.release(entry.pointee.slot)
    total &-= 1
    bytes &-= entry.pointee.byteCount
    entry.pointee.extendedSequence = 0
  }
}
