import Foundation
import PacketRing
import Synchronization
import Testing

@Suite struct LaneTests {
  /// Counts the living, to see that a lane neither leaks nor destroys twice.
  final class Token: Sendable {
    static let living = Mutex(0)
    let number: Int
    init(_ number: Int) {
      self.number = number
      Self.living.withLock { $0 += 1 }
    }
    deinit { Self.living.withLock { $0 -= 1 } }
  }

  @Test(arguments: [1, 2, 3, 7, 8, 100]) func holdsExactlyItsCapacityInOrder(capacity: Int) {
    let ends = makeLane(of: Int.self, capacity: capacity)
    var producer = ends.producer
    var consumer = ends.consumer
    var pushed = 0
    var popped = 0
    for _ in 0..<50 {
      while producer.push(pushed) { pushed += 1 }
      #expect(producer.count == capacity)
      #expect(consumer.count == capacity)
      let wanted = 1 + pushed % capacity
      for _ in 0..<wanted {
        #expect(consumer.pop() == popped)
        popped += 1
      }
    }
    while let next = consumer.pop() {
      #expect(next == popped)
      popped += 1
    }
    #expect(popped == pushed)
    #expect(consumer.isEmpty == true)
    #expect(producer.count == 0)
  }

  @Test func drainStopsAtItsLimit() {
    let ends = makeLane(of: Int.self, capacity: 10)
    var producer = ends.producer
    var consumer = ends.consumer
    var accepted = 0
    for number in 0..<10 where producer.push(number) { accepted += 1 }
    #expect(accepted == 10)
    var got: [Int] = []
    #expect(consumer.drain(limit: 4) { got.append($0) } == 4)
    #expect(consumer.drain(limit: 0) { got.append($0) } == 0)
    #expect(consumer.drain { got.append($0) } == 6)
    #expect(consumer.drain { got.append($0) } == 0)
    #expect(got == Array(0..<10))
  }

  @Test func elementsLeftInsideAreDestroyedOnce() {
    let before = Token.living.withLock { $0 }
    do {
      let ends = makeLane(of: Token.self, capacity: 6)
      var producer = ends.producer
      var consumer = ends.consumer
      for number in 0..<9 { _ = producer.push(Token(number)) }
      #expect(consumer.pop()?.number == 0)
      #expect(consumer.pop()?.number == 1)
      for number in 9..<20 { _ = producer.push(Token(number)) }
      #expect(Token.living.withLock { $0 } == before + 6)
    }
    #expect(Token.living.withLock { $0 } == before)
  }

  @Test func secondEndTraps() async {
    await #expect(processExitsWith: .failure) {
      let lane = Lane<Int>(capacity: 4)
      _ = lane.takeProducer()
      _ = lane.takeProducer()
    }
    await #expect(processExitsWith: .failure) {
      let lane = Lane<Int>(capacity: 4)
      _ = lane.takeConsumer()
      _ = lane.takeConsumer()
    }
  }

  /// Two threads, a small lane, and records whose fields must agree: every element arrives whole, once and in order.
  @Test(arguments: [1, 4, 64]) func twoThreadsSeeEveryElementInOrder(capacity: Int) async {
    let total = Int64(200_000)
    let lane = Lane<PacketRecord>(capacity: capacity)
    let producing = Thread {
      var producer = lane.takeProducer()
      for number in 0..<total {
        while !producer.push(HistoryTests.record(number, SlotIndex(rawValue: UInt32(number)))) { sched_yield() }
      }
    }
    producing.start()
    let wrong: Int = await withCheckedContinuation { continuation in
      let consuming = Thread {
        var consumer = lane.takeConsumer()
        var expected: Int64 = 0
        var wrong = 0
        func take(_ record: PacketRecord) {
          if record.extendedSequence != expected || record.slot.rawValue != UInt32(expected)
            || record.lessonTime != expected * 20_000
          {
            wrong += 1
          }
          expected += 1
        }
        while expected < total {
          if expected % 3 == 0 {
            if consumer.drain(limit: 7, { take($0) }) == 0 { sched_yield() }
          } else if let record = consumer.pop() {
            take(record)
          } else {
            sched_yield()
          }
        }
        continuation.resume(returning: wrong + (consumer.isEmpty ? 0 : 1))
      }
      consuming.start()
    }
    #expect(wrong == 0)
  }
}
