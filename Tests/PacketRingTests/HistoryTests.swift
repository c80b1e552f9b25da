import PacketRing
import Testing

@Suite struct HistoryTests {
  static func record(_ sequence: Int64, _ slot: SlotIndex, bytes: UInt16 = 100) -> PacketRecord {
    PacketRecord(
      extendedSequence: sequence, lessonTime: sequence &* 20_000, slot: slot,
      timestamp: UInt32(truncatingIfNeeded: sequence),
      stream: 1, payloadOffset: 12, flags: [], payloadByteCount: bytes, payloadType: 96)
  }

  @Test func emptyHistoryHasNoBounds() {
    var ledger = SlotLedger(slotCount: 4)
    var history = History(capacity: 4)
    #expect(history.highest == .min)
    #expect(history.lowest == .max)
    #expect(history.count == 0)
    #expect(history.byteCount == 0)
    for sequence in [Int64.min, -1, 0, 1, 65_536, .max] { #expect(history.find(sequence) == nil) }
    history.trim(below: 100, ledger: &ledger)
    history.removeAll(ledger: &ledger)
    #expect(history.count == 0)
  }

  @Test func numbersBelowOneAreRefused() {
    var ledger = SlotLedger(slotCount: 4)
    var history = History(capacity: 4)
    let slot = ledger.claim()!
    for sequence in [Int64.min, -5, 0] {
      #expect(history.insert(Self.record(sequence, slot), ledger: &ledger) == .tooOld)
    }
    #expect(ledger.references(slot) == 1)
  }

  @Test func whatWasTrimmedIsNotTakenBackUntilRemoveAll() {
    var ledger = SlotLedger(slotCount: 16)
    var history = History(capacity: 8)
    for sequence in Int64(65_536)..<65_540 {
      #expect(history.insert(Self.record(sequence, ledger.claim()!), ledger: &ledger) == .inserted)
    }
    history.trim(below: 65_538, ledger: &ledger)
    #expect(history.lowest == 65_538)
    #expect(history.count == 2)
    let late = ledger.claim()!
    #expect(history.insert(Self.record(65_537, late), ledger: &ledger) == .tooOld)
    history.trim(below: 70_000, ledger: &ledger)
    #expect(history.highest == .min)
    #expect(history.insert(Self.record(69_999, late), ledger: &ledger) == .tooOld)
    history.removeAll(ledger: &ledger)
    #expect(history.insert(Self.record(65_537, late), ledger: &ledger) == .inserted)
    #expect(ledger.freeCount == 15)
    history.removeAll(ledger: &ledger)
    #expect(ledger.freeCount == 16)
  }

  /// What the documentation says, as plainly as it can be said.
  struct Model {
    var entries: [Int64: PacketRecord] = [:]
    var floor: Int64 = 1
    let capacity: Int64

    mutating func trim(below sequence: Int64) {
      floor = max(floor, sequence)
      entries = entries.filter { $0.key >= sequence }
    }

    mutating func insert(_ record: PacketRecord) -> InsertResult {
      let sequence = record.extendedSequence
      if sequence < floor { return .tooOld }
      if entries[sequence] != nil { return .duplicate }
      if sequence > entries.keys.max() ?? .min, sequence - capacity + 1 > floor {
        trim(below: sequence - capacity + 1)
      }
      entries[sequence] = record
      return .inserted
    }
  }

  /// A step of a random stream: mostly forward, with gaps, reordering, repeats and long jumps.
  static func nextSequence(after highest: Int64, capacity: Int64, using random: inout SeededGenerator) -> Int64 {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<10: highest + 1
    case 10..<13: highest + Int64.random(in: 1...5, using: &random)
    case 13..<17: highest - Int64.random(in: 0...capacity + 3, using: &random)
    case 17: highest + Int64.random(in: 1...capacity * 3, using: &random)
    case 18: highest + 65_536
    default: highest + capacity
    }
  }

  @Test(arguments: UInt64(1)...40) func behavesLikeADictionary(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let capacity = Int64(1) << Int64.random(in: 0...6, using: &random)
    var ledger = SlotLedger(slotCount: 256)
    var history = History(capacity: Int(capacity))
    var model = Model(capacity: capacity)
    var highest = 65_536 + Int64.random(in: 0...65_535, using: &random)
    for _ in 0..<2_000 {
      if Int.random(in: 0..<25, using: &random) == 0 {
        let below = highest - Int64.random(in: -2...capacity, using: &random)
        history.trim(below: below, ledger: &ledger)
        model.trim(below: below)
      }
      if Int.random(in: 0..<400, using: &random) == 0 {
        history.removeAll(ledger: &ledger)
        model = Model(capacity: capacity)
      }
      let sequence = Self.nextSequence(after: highest, capacity: capacity, using: &random)
      highest = max(highest, sequence)
      let slot = ledger.claim()!
      let record = Self.record(sequence, slot, bytes: UInt16.random(in: 0...1_400, using: &random))
      let expected = model.insert(record)
      #expect(history.insert(record, ledger: &ledger) == expected)
      if expected != .inserted { ledger.release(slot) }
      check(history, model, ledger: ledger, around: sequence)
    }
    history.removeAll(ledger: &ledger)
    #expect(ledger.freeCount == 256)
  }

  private func check(
    _ history: borrowing History, _ model: Model, ledger: borrowing SlotLedger, around sequence: Int64
  ) {
    #expect(history.count == model.entries.count)
    #expect(history.highest == model.entries.keys.max() ?? .min)
    #expect(history.lowest == model.entries.keys.min() ?? .max)
    #expect(history.byteCount == model.entries.values.reduce(0) { $0 + $1.byteCount })
    #expect(ledger.freeCount == 256 - model.entries.count)
    for probe in sequence - model.capacity * 2...sequence + model.capacity * 2 {
      #expect(history.find(probe)?.slot == model.entries[probe]?.slot)
    }
    for record in model.entries.values { #expect(ledger.references(record.slot) == 1) }
  }

  /// A lease keeps a slot alive after the history has let it go.
  @Test func leaseOutlivesTheEntry() {
    var ledger = SlotLedger(slotCount: 8)
    var history = History(capacity: 2)
    let slot = ledger.claim()!
    _ = history.insert(Self.record(65_536, slot), ledger: &ledger)
    ledger.retain(slot)
    _ = history.insert(Self.record(65_538, ledger.claim()!), ledger: &ledger)
    #expect(history.find(65_536) == nil)
    #expect(ledger.references(slot) == 1)
    ledger.release(slot)
    #expect(ledger.freeCount == 7)
    history.removeAll(ledger: &ledger)
  }
}
