/// The bookkeeping of a `SlotArena`: which slots are free and how many references the others have.
///
/// Owned by one worker; plain integers, no atomics. Other threads hold leases, which are references the worker took for
/// them and releases when the lease comes back by message. Every operation is O(1). Memory: 8 bytes a slot.
public struct SlotLedger: ~Copyable {
  public let slotCount: Int
  /// A stack: the slot released last is claimed next, while its lines are still in the cache.
  @usableFromInline let free: UnsafeMutablePointer<UInt32>
  @usableFromInline let counts: UnsafeMutablePointer<UInt32>
  @usableFromInline var freeTotal: Int

  public init(slotCount: Int) {
    precondition(slotCount > 0 && slotCount < Int(UInt32.max), "slot count must fit a SlotIndex")
    self.slotCount = slotCount
    free = .allocate(capacity: slotCount)
    counts = .allocate(capacity: slotCount)
    counts.initialize(repeating: 0, count: slotCount)
    // The lowest numbers lie on top, so that a quiet worker touches few pages.
    for index in 0..<slotCount { (free + index).initialize(to: UInt32(slotCount - 1 - index)) }
    freeTotal = slotCount
  }

  deinit {
    free.deallocate()
    counts.deallocate()
  }

  @inlinable public var freeCount: Int { freeTotal }

  /// A free slot, now with one reference that belongs to the caller; nil when none is free.
  @inlinable public mutating func claim() -> SlotIndex? {
    guard freeTotal > 0 else { return nil }
    freeTotal &-= 1
    let slot = free[freeTotal]
    counts[Int(slot)] = 1
    return SlotIndex(rawValue: slot)
  }

  /// Adds a reference to a slot that has one. Traps on a free slot.
  @inlinable public mutating func retain(_ slot: SlotIndex) {
    precondition(Int(slot.rawValue) < slotCount, "slot outside the arena")
    let count = counts[Int(slot.rawValue)]
    precondition(count > 0, "retain of a free slot")
    counts[Int(slot.rawValue)] = count + 1
  }

  /// Gives one reference up; the last one frees the slot. Traps on a free slot.
  @inlinable public mutating func release(_ slot: SlotIndex) {
    precondition(Int(slot.rawValue) < slotCount, "slot outside the arena")
    let count = counts[Int(slot.rawValue)]
    precondition(count > 0, "release of a free slot")
    counts[Int(slot.rawValue)] = count &- 1
    if count == 1 {
      free[freeTotal] = slot.rawValue
      freeTotal &+= 1
    }
  }

  /// References of all slots together. O(slots): for checks.
  package func totalReferences() -> Int {
    var total = 0
    for index in 0..<slotCount { total += Int(counts[index]) }
    return total
  }

  /// How many references a slot has, 0 for a free one.
  @inlinable public func references(_ slot: SlotIndex) -> Int {
    precondition(Int(slot.rawValue) < slotCount, "slot outside the arena")
    return Int(counts[Int(slot.rawValue)])
  }
}
