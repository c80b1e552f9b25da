// Goal: what one receiver costs stays small, and coming and going costs nothing for good. Method: a core before an
// audience of thin far ends in simulated time; the process's proportional set size, (2N − N)/N. Run without parallel
// tests: the size is that of the whole process.
import Foundation
import MediaWorker
import RTCCore
import Simulation
import Testing

/// Proportional set size of this process, bytes.
func proportionalSetSize() throws -> Int {
  let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
  let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Pss:") })
  return try #require(Int(line.split(separator: " ")[1])) * 1_024
}

@Suite(.serialized) struct MemoryTests {
  /// A minute of a 2 Mbit/s lesson: what the core keeps of each further receiver.
  @Test func aReceiverTakesLittle() throws {
    let audience = Audience()
    audience.open(1)
    audience.pass(milliseconds: 1_000)
    for _ in 0..<100 { audience.join(1) }
    audience.pass(milliseconds: 30_000)
    let before = try proportionalSetSize()
    for _ in 0..<100 { audience.join(1) }
    audience.pass(milliseconds: 30_000)
    let each = (try proportionalSetSize() - before) / 100
    #expect(each <= 35 << 10, "\(each) bytes a receiver")
  }

  /// 10,000 joins and leaves among those who stay: what the core holds is what it held, and the process with it.
  @Test func comingAndGoingCostsNothingForGood() throws {
    let audience = Audience()
    for lesson in 1...4 { audience.open(lesson) }
    for number in 0..<100 { audience.join(number % 4 + 1) }
    audience.pass(milliseconds: 2_000)
    let before = audience.core.holdings
    var present: [Int] = []
    var random = SplitMix64(seed: 7)
    var sizes: [Int] = []
    for number in 0..<10_000 {
      present.append(audience.join(number % 4 + 1))
      if present.count > 40 {
        audience.leave(present.remove(at: Int.random(in: 0..<present.count, using: &random)))
      }
      if number % 8 == 0 { audience.pass(milliseconds: 1) }
      if number == 4_999 || number == 9_999 { sizes.append(try proportionalSetSize()) }
    }
    for place in present { audience.leave(place) }
    audience.pass(milliseconds: 100)
    #expect(audience.core.holdings == before)
    #expect(audience.core.unaccountedReferences() == 0)
    #expect(abs(sizes[1] - sizes[0]) * 20 <= sizes[0], "\(sizes)")
  }

  /// Lessons that end give back everything, a thousand receivers at once.
  @Test func lessonsThatEndLeaveNothing() {
    let audience = Audience()
    let before = audience.core.holdings
    for lesson in 1...300 { audience.open(lesson) }
    for number in 0..<1_000 { audience.join(number < 700 ? 1 : number % 300 + 1) }
    audience.pass(milliseconds: 200)
    for lesson in 1...300 { audience.close(lesson) }
    audience.pass(milliseconds: 100)
    #expect(audience.core.holdings == before)
    #expect(audience.core.counters.slotsFree == audience.core.counters.slotsTotal)
  }

  /// Associations are freed some time after their handshake, and their memory goes back to the system.
  @Test func aStormLeavesNoMemoryBehind() async throws {
    let linger = Interval.milliseconds(300)
    var server = try HandshakeDesk(workerWake: -1, linger: linger)
    var client = try HandshakeDesk(workerWake: -1, linger: linger)
    defer {
      server.thread.stop()
      client.thread.stop()
    }
    // The first handshakes make what every process needs once.
    _ = try await HandshakeStormTests.run(0..<4, &server, &client)
    let before = try proportionalSetSize()
    let (served, connected) = try await HandshakeStormTests.run(4..<404, &server, &client)
    #expect(served.count == 400 && connected.count == 400)
    let during = try proportionalSetSize()
    var after = during
    let end = ContinuousClock.now + .seconds(15)
    while after - before > (during - before) / 8, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(200))
      after = try proportionalSetSize()
    }
    #expect(after - before <= (during - before) / 8, "\(before), \(during), then \(after)")
  }
}
