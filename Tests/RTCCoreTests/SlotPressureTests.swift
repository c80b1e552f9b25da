// Goal: many lessons do not fill the packet memory with what late joiners might want. Method: more publishers than the
// slots have groups of pictures for.
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct SlotPressureTests {
  @Test func historiesShareTheSlots() {
    let bench = CoreBench()
    let leads = (1...12).map { number in
      bench.connect(
        [CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")], feed: FeedID(rawValue: UInt32(number)))
    }
    // One group of pictures each, of 4 s and 400 packets: 4,800 packets for 2,048 slots.
    for picture in 0..<100 {
      for (place, lead) in leads.enumerated() {
        for part in 0..<4 {
          let isStart = picture == 0 && part == 0
          bench.send(
            lead, type: 102, sequence: Int64(1_000 + picture * 4 + part), timestamp: UInt32(picture) * 3_600,
            ssrc: UInt32(10 + place * 2), mid: "1",
            payload: (isStart ? RelayCoreTests.sps : [0x41]) + [UInt8](repeating: 7, count: 100), isLast: part == 3)
        }
      }
      bench.pass(milliseconds: 40)
    }
    #expect(bench.core.counters.drops[DropReason.noSlot.rawValue] == 0)
    #expect(bench.core.counters.slotsFree > 64)
    #expect(bench.core.counters.packetsReceived >= 4_800)
    #expect(bench.finish())
  }

  /// What nobody sends any more shrinks too.
  @Test func silentPublishersShareTheSlots() {
    let bench = CoreBench()
    let leads = (1...2).map { number in
      bench.connect(
        [CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")], feed: FeedID(rawValue: UInt32(number)))
    }
    for (place, count) in [1_900, 100].enumerated() {
      for packet in 0..<count {
        bench.send(
          leads[place], type: 102, sequence: Int64(1_000 + packet), timestamp: UInt32(packet) * 90,
          ssrc: UInt32(10 + place * 2), mid: "1", payload: (packet == 0 ? RelayCoreTests.sps : [0x41]) + [7, 7],
          isLast: true)
      }
    }
    #expect(bench.core.counters.slotsFree < 128)
    bench.pass(milliseconds: 1_300)
    #expect(bench.core.counters.slotsFree > 800)
    #expect(bench.core.counters.drops[DropReason.noSlot.rawValue] == 0)
    #expect(bench.finish())
  }
}
