// Goal: many lessons with long groups of pictures do not use up the packet memory. Method: packets made by hand until
// the slots would be gone.
import PacketRing
import RTCCore
import Testing

@Suite struct ShortOfSlotsTests {
  /// A key frame every minute, so that the group alone would keep every packet for its 10 s.
  @Test func historiesShrinkBeforeSlotsRunOut() {
    let bench = CoreBench()
    let lead = RelayCoreTests.publisher(bench)
    let site = RelayCoreTests.receiver(bench)
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: RelayCoreTests.sps)
    var fewest = bench.core.counters.slotsFree
    for sequence in Int64(2)..<3_000 {
      bench.send(
        lead, type: 102, sequence: sequence, timestamp: UInt32(sequence) * 90, ssrc: 10, mid: "1", payload: [0x41, 1],
        isLast: true)
      bench.pass(milliseconds: 2)
      fewest = min(fewest, bench.core.counters.slotsFree)
    }
    #expect(bench.core.counters.drops[DropReason.noSlot.rawValue] == 0)
    #expect(fewest < bench.core.counters.slotsTotal / 8, "the script has to come near the end")
    #expect(site.rtp.count == 2_999)
    #expect(bench.finish())
  }
}
