import PacketRing
import Testing

@Suite struct SlotTests {
  @Test func recordIsThirtyTwoBytesWithoutPadding() {
    #expect(MemoryLayout<PacketRecord>.size == 32)
    #expect(MemoryLayout<PacketRecord>.stride == 32)
    #expect(MemoryLayout<SlotIndex>.size == 4)
  }

  @Test func slotsDoNotOverlapAndKeepTheirBytes() {
    let arena = SlotArena(slotCount: 100)
    defer { arena.unmap() }
    for index in 0..<100 {
      let pointer = arena.pointer(SlotIndex(rawValue: UInt32(index)))
      #expect(Int(bitPattern: pointer) % 16 == 0)
      UnsafeMutableRawBufferPointer(start: pointer, count: arena.stride).initializeMemory(
        as: UInt8.self, repeating: UInt8(index))
    }
    for index in 0..<100 {
      let bytes = arena.bytes(SlotIndex(rawValue: UInt32(index)), count: arena.stride)
      #expect(bytes.allSatisfy { $0 == UInt8(index) })
    }
  }

  @Test func arenaRefusesWhatIsOutside() async {
    await #expect(processExitsWith: .failure) {
      let arena = SlotArena(slotCount: 4)
      _ = arena.pointer(SlotIndex(rawValue: 4))
    }
    await #expect(processExitsWith: .failure) {
      let arena = SlotArena(slotCount: 4)
      _ = arena.bytes(SlotIndex(rawValue: 0), count: arena.stride + 1)
    }
  }

  @Test func ledgerGivesEverySlotOnceAndThenNone() {
    var ledger = SlotLedger(slotCount: 64)
    var seen = Set<SlotIndex>()
    while let slot = ledger.claim() {
      #expect(seen.insert(slot).inserted)
      #expect(ledger.references(slot) == 1)
    }
    #expect(seen.count == 64)
    #expect(ledger.freeCount == 0)
    #expect(!seen.contains(.none))
    for slot in seen { ledger.release(slot) }
    #expect(ledger.freeCount == 64)
  }

  @Test func releasingOrRetainingAFreeSlotTraps() async {
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slotCount: 4)
      if let slot = ledger.claim() {
        ledger.release(slot)
        ledger.release(slot)
      }
    }
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slotCount: 4)
      ledger.retain(SlotIndex(rawValue: 1))
    }
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slotCount: 4)
      ledger.release(.none)
    }
  }

  /// Whatever is claimed, retained and released, the references sum up and free slots are those without any.
  @Test(arguments: UInt64(1)...20) func ledgerConservesReferences(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var ledger = SlotLedger(slotCount: 37)
    var held: [SlotIndex] = []
    for _ in 0..<5_000 {
      switch Int.random(in: 0..<5, using: &random) {
      case 0, 1:
        if let slot = ledger.claim() {
          #expect(!held.contains(slot))
          held.append(slot)
        } else {
          #expect(Set(held).count == 37)
        }
      case 2:
        if let slot = held.randomElement(using: &random) {
          ledger.retain(slot)
          held.append(slot)
        }
      default:
        guard !held.isEmpty else { continue }
        let place = Int.random(in: 0..<held.count, using: &random)
        ledger.release(held[place])
        held.swapAt(place, held.count - 1)
        held.removeLast()
      }
      #expect(ledger.freeCount == 37 - Set(held).count)
    }
    for index in 0..<37 {
      let slot = SlotIndex(rawValue: UInt32(index))
      #expect(ledger.references(slot) == held.count { $0 == slot })
    }
  }

  /// Two ledgers over one arena: a lease is one reference at home, and any number elsewhere until all are given up.
  @Test func aLeaseIsOwedBackWithItsLastReference() {
    var home = SlotLedger(slots: 0..<8, arenaSlotCount: 16)
    var other = SlotLedger(slots: 8..<16, arenaSlotCount: 16)
    other.expectForeign()
    guard let slot = home.claim(), let own = other.claim() else {
      Issue.record("no slot")
      return
    }
    home.retain(slot)
    other.admit(slot)
    other.retain(slot)
    #expect(other.references(slot) == 2 && other.borrowedCount == 1)
    other.release(slot)
    let early = other.nextReturn()
    #expect(early == nil)
    // A second lease of the same slot is of no use.
    other.admit(slot)
    let second = other.nextReturn()
    #expect(second == slot)
    other.release(slot)
    other.release(slot)
    let last = other.nextReturn()
    let none = other.nextReturn()
    #expect(last == slot && none == nil && other.borrowedCount == 0)
    #expect(own.rawValue >= 8 && !home.isOwn(own) && other.isOwn(own))
  }

  @Test func slotsOfOthersAreNotTouchedWithoutALease() async {
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slots: 0..<8, arenaSlotCount: 16)
      ledger.expectForeign()
      ledger.release(SlotIndex(rawValue: 9))
    }
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slots: 0..<8, arenaSlotCount: 16)
      ledger.expectForeign()
      ledger.retain(SlotIndex(rawValue: 9))
    }
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(slots: 0..<8, arenaSlotCount: 16)
      ledger.expectForeign()
      ledger.admit(SlotIndex(rawValue: 1))
    }
  }
}
