// Goal: what a receiver is sent is remembered as long as it can be asked for, in memory that grows only as needed.
// Method: rings and queues against plain models, from seeds.
import RTCCore
import Testing

@Suite struct SendMemoryTests {
  @Test(arguments: UInt64(1)...20) func aQueueIsFirstInFirstOut(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var queue = BoundedQueue<Int>(limit: 64)
    var model: [Int] = []
    for step in 0..<5_000 {
      switch UInt8.random(in: 0..<16, using: &random) {
      case 0..<8:
        let isTaken = queue.push(step)
        #expect(isTaken == (model.count < 64))
        if model.count < 64 { model.append(step) }
      case 8..<14:
        let first = queue.pop()
        #expect(first == (model.isEmpty ? nil : model.removeFirst()))
      case 14:
        queue.filter { $0 % 3 != 0 }
        model.removeAll { $0 % 3 == 0 }
      default: queue.trim()
      }
      let (count, isEmpty, isFull) = (queue.count, queue.isEmpty, queue.isFull)
      #expect(count == model.count && isEmpty == model.isEmpty && isFull == (model.count == 64))
      guard let first = model.first else { continue }
      let (head, last) = (queue.first, queue[model.count - 1])
      #expect(head == first && last == model.last)
    }
  }

  /// A burst makes it grow; a quiet time gives the memory back.
  @Test func aQueueGrowsAndShrinks() {
    var queue = BoundedQueue<Int>(limit: 1_024)
    let before = queue.capacity
    var taken = 0
    for value in 0..<1_030 where queue.push(value) { taken += 1 }
    let grown = queue.capacity
    #expect(before == 0 && taken == 1_024 && grown == 1_024)
    while queue.pop() != nil {}
    for _ in 0..<8 {
      _ = queue.push(1)
      _ = queue.pop()
      queue.trim()
    }
    let left = queue.capacity
    #expect(left == 16)
  }

  private static func packet(_ out: Int64, at milliseconds: Int64) -> SentPacket {
    SentPacket(
      outSequence: UInt32(truncatingIfNeeded: out), sourceSequence: UInt32(truncatingIfNeeded: out &* 3),
      timestampOffset: UInt32(truncatingIfNeeded: out &* 7),
      sentMilliseconds: UInt32(truncatingIfNeeded: milliseconds),
      sourceStream: UInt16(truncatingIfNeeded: out &* 11), pictureIDOffset: UInt16(truncatingIfNeeded: out & 0x7FFF),
      layerIndexOffset: UInt8(truncatingIfNeeded: out), repeats: 0, isValid: true)
  }

  /// Whatever the rate, the last second and a half is here, up to the limit; nothing is mistaken for something else.
  @Test(arguments: [100, 275, 700, 3_000]) func theHistoryKeepsWhatMayBeAskedFor(packetsPerSecond: Int64) {
    var history = SendHistory(limit: 2_048)
    let first: Int64 = 65_000
    for number in 0..<(packetsPerSecond * 6) {
      let out = first + number
      // One number in nine is passed over.
      if out % 9 != 0 {
        history.note(Self.packet(out, at: 90_000 + number * 1_000 / packetsPerSecond), outSequence: out)
      }
    }
    let last = first + packetsPerSecond * 6 - 1
    let kept = min(packetsPerSecond * 3 / 2, 2_048) - 16
    for out in (last - kept)...last {
      let found = history.find(out)
      guard out % 9 != 0 else {
        #expect(found == nil)
        continue
      }
      let wanted = Self.packet(out, at: 0)
      #expect(found?.sourceSequence == wanted.sourceSequence && found?.timestampOffset == wanted.timestampOffset)
      #expect(found?.sourceStream == wanted.sourceStream && found?.pictureIDOffset == wanted.pictureIDOffset)
    }
    for out in (last - 30_000)..<(last - 2_048) {
      let found = history.find(out)
      #expect(found == nil || found?.sourceSequence == Self.packet(out, at: 0).sourceSequence)
    }
    let capacity = history.capacity
    #expect(capacity <= 2_048 && (packetsPerSecond > 275 || capacity <= 512))
  }

  /// Ten repeats, the second only after the pause.
  @Test func repeatsAreCounted() {
    var history = SendHistory(limit: 256)
    history.note(Self.packet(5, at: 1_000), outSequence: 5)
    func isRepeated(_ out: Int64, at now: UInt32) -> Bool { history.mayRepeat(out, pause: 40, now: now) }
    var now: UInt32 = 1_001
    #expect(isRepeated(5, at: now))
    #expect(!isRepeated(5, at: now + 20))
    for _ in 1..<10 {
      now += 48
      #expect(isRepeated(5, at: now))
    }
    #expect(!isRepeated(5, at: now + 1_000))
    #expect(!isRepeated(6, at: now))
    var none = SendHistory(limit: 0)
    none.note(Self.packet(5, at: 1_000), outSequence: 5)
    let (found, capacity) = (none.find(5), none.capacity)
    #expect(found == nil && capacity == 0)
  }

  /// Settled by feedback within a tenth of a second the log stays small; without feedback it keeps a second.
  @Test func theLogKeepsASecond() {
    var log = SendLog()
    var quiet = SendLog()
    for number in Int64(0)..<20_000 {
      let now = Instant(microseconds: number * 1_000)
      let sequence = log.note(byteCount: 1_000, now: now)
      _ = quiet.note(byteCount: Int(number % 1_000) + 1, now: now)
      guard number >= 100 else { continue }
      let settled = log.settle(sequence &- 100)
      #expect(settled == 1_000)
    }
    let (small, large) = (log.capacity, quiet.capacity)
    #expect(small == 128 && large == 1_024)
    func told(_ number: Int64) -> Int? { quiet.settle(UInt16(truncatingIfNeeded: number)) }
    let twice = log.settle(UInt16(truncatingIfNeeded: 19_000))
    #expect(twice == nil)
    #expect(told(19_900) == 900)
    #expect(told(20_001) == nil, "never sent")
    quiet.forgetAll()
    #expect(told(19_950) == nil)
  }
}
