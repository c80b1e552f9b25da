// Goal: a drain that is cut short for other input goes on where it stopped, and nobody misses a packet or gets one
// twice. Method: an arena of few trains, filled once; then something that moves subscriptions; then the rest.
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct CutDrainTests {
  enum Meanwhile: CaseIterable {
    case nothing
    case servedLeaves
    case waitingLeaves
    case anotherJoins
    case lateRepair
    case nextPicture
  }

  @Test(arguments: Meanwhile.allCases) func everybodyGetsThePictureOnce(meanwhile: Meanwhile) throws {
    let bench = CoreBench(trainLimit: 4)
    let lead = RelayCoreTests.publisher(bench)
    let sites = (0..<8).map { _ in RelayCoreTests.receiver(bench) }
    func send(_ sequence: Int64, _ timestamp: UInt32, isKey: Bool = false, isLast: Bool) {
      bench.send(
        lead, type: 102, sequence: sequence, timestamp: timestamp, ssrc: 10, mid: "1",
        payload: [isKey ? 0x67 : 0x41, UInt8(truncatingIfNeeded: sequence), 7], isLast: isLast)
    }
    send(1, 3_000, isKey: true, isLast: false)
    send(2, 3_000, isLast: true)
    bench.pass(milliseconds: 20)
    // One is missing, so that it can come late.
    send(4, 6_000, isLast: true)
    bench.pass(milliseconds: 20)
    for site in sites { #expect(site.rtp.map { $0.payload[1] } == [1, 2, 4]) }
    bench.core.coalescing = .milliseconds(5)
    bench.fillings = 1
    send(5, 9_000, isLast: false)
    send(6, 9_000, isLast: true)
    let served = sites.count { $0.rtp.count == 5 }
    try #require(served > 0 && served < sites.count, "the drain was not cut: \(served)")
    var leaver: CoreBench.FarEnd?
    var expected: [UInt8] = [1, 2, 4, 5, 6]
    switch meanwhile {
    case .nothing: break
    case .servedLeaves: leaver = sites.first { $0.rtp.count == 5 }
    case .waitingLeaves: leaver = sites.first { $0.rtp.count == 3 }
    case .anotherJoins: _ = RelayCoreTests.receiver(bench)
    case .lateRepair: send(3, 6_000, isLast: false)
    case .nextPicture:
      send(7, 12_000, isLast: true)
      expected.append(7)
    }
    if let leaver { bench.core.apply(.removePeer(leaver.id), now: bench.now) }
    bench.fillings = .max
    bench.pass(milliseconds: 20)
    for site in sites where site.id != leaver?.id {
      let pictures = site.rtp.filter { $0.header.ssrc == 900 }
      #expect(pictures.map { $0.payload[1] } == expected, "\(meanwhile)")
      let numbers = pictures.map { Int($0.header.sequence) }
      // Number 4 was skipped: what was missing upstream stays a gap.
      #expect(
        zip(numbers, numbers.dropFirst()).map { ($1 - $0) & 0xFFFF } == [1, 2] + expected.dropFirst(3).map { _ in 1 })
      if meanwhile == .lateRepair { #expect(site.rtp.count { $0.header.ssrc == 901 } == 1) }
    }
    #expect(bench.core.counters.drops[DropReason.staleEntry.rawValue] == 0)
    #expect(bench.finish())
  }
}
