#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bookkeeping of a worker's part of a `SlotArena`: which slots are free and how many references the others have.
///
/// Owned by one worker; plain integers, no atomics. Other threads hold leases, which are references the worker took for
/// them and releases when the lease comes back by message. A slot outside the part is another worker's: it is here by a
/// lease (`admit`), may be retained and released like any other, and with its last reference the lease is to be given
/// back (`nextReturn`). Every operation is O(1). Memory: 8 bytes a slot, and 8 for each slot of the arena once
/// `expectForeign` was called, touched as used.
public struct SlotLedger: ~Copyable {
  /// Slots of this worker.
  public let slotCount: Int
  /// The first of them.
  @usableFromInline let first: UInt32
  @usableFromInline let arenaSlotCount: Int
  /// A stack: the slot released last is claimed next, while its lines are still in the cache.
  @usableFromInline let freeSlots: UnsafeMutablePointer<UInt32>
  @usableFromInline let counts: UnsafeMutablePointer<UInt32>
  @usableFromInline var freeTotal: Int
  /// References to other workers' slots, by slot; nil while no other worker lends.
  @usableFromInline var foreignCounts: UnsafeMutablePointer<UInt32>?
  /// A stack of leases to give back. It cannot be full: a lease is out once, and lenders keep below the arena's slots.
  @usableFromInline var returns: UnsafeMutablePointer<UInt32>?
  @usableFromInline var returnTotal = 0
  @usableFromInline var borrowedTotal = 0

  /// The ledger of a whole arena.
  public init(slotCount: Int) { self.init(slots: 0..<slotCount, arenaSlotCount: slotCount) }

  /// - Parameter slots: the part of the arena that this worker owns.
  public init(slots: Range<Int>, arenaSlotCount: Int) {
    precondition(!slots.isEmpty && arenaSlotCount < Int(UInt32.max), "slot count must fit a SlotIndex")
    precondition(slots.lowerBound >= 0 && slots.upperBound <= arenaSlotCount, "the part must lie in the arena")
    slotCount = slots.count
    first = UInt32(slots.lowerBound)
    self.arenaSlotCount = arenaSlotCount
    freeSlots = .allocate(capacity: slotCount)
    counts = .allocate(capacity: slotCount)
    counts.initialize(repeating: 0, count: slotCount)
    // The lowest numbers lie on top, so that a quiet worker touches few pages.
    for index in 0..<slotCount { (freeSlots + index).initialize(to: first + UInt32(slotCount - 1 - index)) }
    freeTotal = slotCount
  }

  deinit {
    freeSlots.deallocate()
    counts.deallocate()
    free(foreignCounts)
    free(returns)
  }

  @inlinable public var freeCount: Int { freeTotal }

  /// Slots that this worker owns.
  public var slots: Range<Int> { Int(first)..<Int(first) + slotCount }

  @inlinable public func isOwn(_ slot: SlotIndex) -> Bool { Int(slot.rawValue &- first) < slotCount }

  /// A free slot, now with one reference that belongs to the caller; nil when none is free.
  @inlinable public mutating func claim() -> SlotIndex? {
    guard freeTotal > 0 else { return nil }
    freeTotal &-= 1
    let slot = freeSlots[freeTotal]
    counts[Int(slot &- first)] = 1
    return SlotIndex(rawValue: slot)
  }

  /// Adds a reference to a slot that has one. Traps on a free slot.
  @inlinable public mutating func retain(_ slot: SlotIndex) {
    guard isOwn(slot) else { return retainForeign(slot) }
    let place = Int(slot.rawValue &- first)
    let count = counts[place]
    precondition(count > 0, "retain of a free slot")
    counts[place] = count + 1
  }

  /// Gives one reference up; the last one frees the slot, or owes its lease back. Traps on a free slot.
  @inlinable public mutating func release(_ slot: SlotIndex) {
    guard isOwn(slot) else { return releaseForeign(slot) }
    let place = Int(slot.rawValue &- first)
    let count = counts[place]
    precondition(count > 0, "release of a free slot")
    counts[place] = count &- 1
    if count == 1 {
      freeSlots[freeTotal] = slot.rawValue
      freeTotal &+= 1
    }
  }

  /// How many references a slot has here, 0 for a free one.
  @inlinable public func references(_ slot: SlotIndex) -> Int {
    if isOwn(slot) { return Int(counts[Int(slot.rawValue &- first)]) }
    precondition(Int(slot.rawValue) < arenaSlotCount, "slot outside the arena")
    return foreignCounts.map { Int($0[Int(slot.rawValue)]) } ?? 0
  }

  /// References of all slots together, other workers' included. O(slots): for checks.
  package func totalReferences() -> Int {
    var total = 0
    for index in 0..<slotCount { total += Int(counts[index]) }
    if let foreignCounts { for index in 0..<arenaSlotCount { total += Int(foreignCounts[index]) } }
    return total
  }

  // MARK: Other workers' slots

  /// Makes room for leases of other workers' slots.
  public mutating func expectForeign() {
    guard foreignCounts == nil else { return }
    // calloc: large blocks come as fresh zero pages, so that slots never lent cost no memory.
    guard let counts = calloc(arenaSlotCount, MemoryLayout<UInt32>.stride),
      let places = calloc(arenaSlotCount, MemoryLayout<UInt32>.stride)
    else { preconditionFailure("out of memory") }
    foreignCounts = counts.bindMemory(to: UInt32.self, capacity: arenaSlotCount)
    returns = places.bindMemory(to: UInt32.self, capacity: arenaSlotCount)
  }

  /// Leases here, those to be given back among them.
  @inlinable public var borrowedCount: Int { borrowedTotal }

  /// Takes a lease of another worker's slot over, with one reference that belongs to the caller.
  ///
  /// A slot that is here by another lease already gives this one back at once: one is enough to read it by.
  @inlinable public mutating func admit(_ slot: SlotIndex) {
    guard let foreignCounts, Int(slot.rawValue) < arenaSlotCount, !isOwn(slot) else {
      preconditionFailure("no lease of another worker's slot")
    }
    let count = foreignCounts[Int(slot.rawValue)]
    foreignCounts[Int(slot.rawValue)] = count &+ 1
    borrowedTotal &+= 1
    if count > 0 { owe(slot) }
  }

  /// A lease to give back to the slot's owner, nil when none is owed.
  @inlinable public mutating func nextReturn() -> SlotIndex? {
    guard returnTotal > 0, let returns else { return nil }
    returnTotal &-= 1
    borrowedTotal &-= 1
    return SlotIndex(rawValue: returns[returnTotal])
  }

  @usableFromInline mutating func owe(_ slot: SlotIndex) {
    guard let returns, returnTotal < arenaSlotCount else { preconditionFailure("more leases than slots") }
    returns[returnTotal] = slot.rawValue
    returnTotal &+= 1
  }

  @usableFromInline mutating func retainForeign(_ slot: SlotIndex) {
    precondition(Int(slot.rawValue) < arenaSlotCount, "slot outside the arena")
    guard let foreignCounts, foreignCounts[Int(slot.rawValue)] > 0 else {
      preconditionFailure("retain of a slot that is not lent")
    }
    foreignCounts[Int(slot.rawValue)] &+= 1
  }

  @usableFromInline mutating func releaseForeign(_ slot: SlotIndex) {
    precondition(Int(slot.rawValue) < arenaSlotCount, "slot outside the arena")
    guard let foreignCounts, foreignCounts[Int(slot.rawValue)] > 0 else {
      preconditionFailure("release of a slot that is not lent")
    }
    foreignCounts[Int(slot.rawValue)] &-= 1
    if foreignCounts[Int(slot.rawValue)] == 0 { owe(slot) }
  }

  /// Slots of others that have a reference, and leases owed back: equal to `borrowedCount`. O(slots): for checks.
  package func countedLeases() -> Int {
    var total = returnTotal
    if let foreignCounts { for index in 0..<arenaSlotCount where foreignCounts[index] > 0 { total += 1 } }
    return total
  }
}
