// Goal: what one receiver costs stays small, and coming and going costs nothing for good. Method: a core before an
// audience of thin far ends in simulated time; the process's proportional set size, (2N − N)/N. Run without parallel
// tests: the size is that of the whole process.
import Foundation
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
    #expect(each <= 72 << 10)
  }
}
