// Goal: a load is what the counters say of the last seconds, and says nothing where they say nothing.
import ControlPlane
import Testing

@Suite struct WorkerLoadTests {
  private func sample(_ second: Double, busy: UInt64, packets: UInt64 = 0) -> LoadSample {
    LoadSample(
      seconds: second, busyMicroseconds: busy, processorMicroseconds: busy, packetsSent: packets,
      bytesSent: packets * 972)
  }

  @Test func utilisationRisesAtOnceAndFallsByHalves() {
    var meter = LoadMeter()
    meter.note(sample(10, busy: 500_000))
    #expect(meter.load.utilisation == 0, "one sample says nothing of a second")
    meter.note(sample(11, busy: 1_300_000))
    #expect(meter.load.utilisation == 0.8)
    meter.note(sample(12, busy: 1_300_000))
    #expect(meter.load.utilisation == 0.4)
    meter.note(sample(14, busy: 1_300_000))
    #expect(meter.load.utilisation == 0.2)
    meter.note(sample(14, busy: 9_000_000))
    #expect(meter.load.utilisation == 0.2, "no time has passed")
  }

  @Test func theCostOfAPacketNeedsEnoughOfThem() {
    var meter = LoadMeter()
    meter.note(sample(0, busy: 0))
    meter.note(sample(1, busy: 500_000, packets: 1_999))
    #expect(meter.load.packetCost == WorkerLoad.usualPacketCost)
    for second in 2..<40 {
      meter.note(sample(Double(second), busy: UInt64(second) * 200_000, packets: UInt64(second) * 100_000))
    }
    #expect(abs(meter.load.packetCost - 2) < 0.01)
    #expect(meter.load.bitsPerSecond == 100_000 * 1_000 * 8)
  }

  @Test func backlogIsThatOfTheLastSeconds() {
    var meter = LoadMeter()
    var buckets = [UInt64](repeating: 0, count: 24)
    func note(_ second: Int) { meter.note(LoadSample(seconds: Double(second), backlogBuckets: buckets)) }
    note(0)
    buckets[10] += 99
    note(1)
    #expect(meter.load.backlog == nil, "too few to say")
    // 1 in 50 took 8 to 16 ms.
    buckets[10] += 881
    buckets[14] += 20
    note(2)
    let late = meter.load.backlog ?? 0
    #expect(late > 8_191 && late < 16_384)
    for second in 3...8 {
      buckets[10] += 1_000
      note(second)
    }
    let soon = meter.load.backlog ?? 0
    #expect(soon > 511 && soon < 1_024)
    for second in 9...14 {
      buckets[0] += 1_000
      note(second)
    }
    #expect(meter.load.backlog == 0)
    for second in 15...20 { note(second) }
    #expect(meter.load.backlog == nil)
  }

  @Test func aStageIsWhatItsReceiversAreSent() {
    var rate = StageRate()
    #expect(rate.packetsPerSecond == 275)
    rate.note(packetsPerSecond: 3, bitsPerSecond: 100)
    #expect(rate == StageRate(), "a silent stage says nothing")
    rate.note(packetsPerSecond: 100, bitsPerSecond: 1e6)
    #expect(rate.packetsPerSecond == 100 && rate.bitsPerSecond == 1e6)
    for _ in 0..<200 { rate.note(packetsPerSecond: 300, bitsPerSecond: 3e6) }
    #expect(abs(rate.packetsPerSecond - 300) < 1)
    rate.note(packetsPerSecond: 1e9, bitsPerSecond: 1e12)
    #expect(rate.packetsPerSecond < 301)
  }
}
