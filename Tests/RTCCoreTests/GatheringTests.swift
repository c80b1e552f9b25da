// Goal: packets of a picture leave together and equal in size, and nothing waits longer than it may. Method: packets
// made by hand, virtual time, the trains of the egress arena.
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct GatheringTests {
  /// A lesson of one publisher and one receiver whose relay gathers for 5 ms.
  private struct Lesson {
    let bench = CoreBench()
    let lead: CoreBench.FarEnd
    let site: CoreBench.FarEnd

    init() {
      lead = bench.connect(
        [
          CoreBench.line(.audio, .receive, [CoreBench.opus], mid: "0"),
          CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1"),
        ], feed: CoreBench.feed)
      site = bench.connect([
        CoreBench.line(.audio, .send, [CoreBench.opus], mid: "0", ssrc: 800),
        CoreBench.line(.video, .send, [CoreBench.h264(102)], mid: "1", ssrc: 900),
      ])
      RelayCoreTests.picture(bench, lead, first: 97, timestamp: 0)
      send(99, [0x67] + [UInt8](repeating: 1, count: 12), isLast: true, timestamp: 1)
      bench.pass(milliseconds: 20)
      site.rtp.removeAll()
      bench.trains.removeAll()
      bench.core.coalescing = .milliseconds(5)
    }

    func send(_ sequence: Int64, _ payload: [UInt8], isLast: Bool = false, timestamp: UInt32 = 9_000) {
      bench.send(
        lead, type: 102, sequence: sequence, timestamp: timestamp, ssrc: 10, mid: "1", payload: payload,
        isLast: isLast)
    }

    static func slice(_ count: Int) -> [UInt8] { [0x41] + [UInt8](repeating: UInt8(count & 255), count: count - 1) }
  }

  @Test func aPictureLeavesWithItsLastPacket() {
    let lesson = Lesson()
    lesson.send(100, Lesson.slice(1_000))
    lesson.send(101, Lesson.slice(1_000))
    #expect(lesson.site.rtp.isEmpty)
    lesson.send(102, Lesson.slice(400), isLast: true)
    #expect(lesson.site.rtp.map(\.payload.count) == [1_000, 1_000, 400])
    #expect(lesson.bench.trains.map(\.segmentCount) == [3])
    #expect(lesson.bench.finish())
  }

  @Test func nothingWaitsLongerThanTheWindow() {
    let lesson = Lesson()
    lesson.send(100, Lesson.slice(1_000))
    #expect(lesson.bench.core.nextDeadline <= lesson.bench.now.monotonic + .milliseconds(5))
    lesson.bench.pass(milliseconds: 4)
    #expect(lesson.site.rtp.isEmpty)
    lesson.bench.pass(milliseconds: 1)
    #expect(lesson.site.rtp.count == 1)
    #expect(lesson.bench.finish())
  }

  /// Without a window, what comes together still leaves together; a publisher that has paused is not waited for.
  @Test func aBurstIsWaitedForUntilItPauses() {
    let lesson = Lesson()
    lesson.bench.core.coalescing = .microseconds(0)
    lesson.bench.core.burstGap = .microseconds(150)
    for sequence in Int64(100)..<103 {
      lesson.send(sequence, Lesson.slice(1_000))
      lesson.bench.now.monotonic = lesson.bench.now.monotonic + .microseconds(100)
    }
    #expect(lesson.site.rtp.isEmpty)
    #expect(lesson.bench.core.nextDeadline <= lesson.bench.now.monotonic + .microseconds(50))
    lesson.bench.now.monotonic = lesson.bench.now.monotonic + .microseconds(50)
    lesson.bench.drain()
    #expect(lesson.bench.trains.map(\.segmentCount) == [3])
    // A burst without an end is not waited for longer than a millisecond.
    for sequence in Int64(103)..<115 {
      lesson.send(sequence, Lesson.slice(1_000))
      lesson.bench.now.monotonic = lesson.bench.now.monotonic + .microseconds(100)
    }
    #expect(lesson.site.rtp.count > 3)
    #expect(lesson.bench.finish())
  }

  @Test func soundDoesNotWait() {
    let lesson = Lesson()
    lesson.bench.send(
      lesson.lead, type: 111, sequence: 5, timestamp: 960, ssrc: 20, mid: "0", payload: [1, 2, 3])
    #expect(lesson.site.rtp.map(\.payload) == [[1, 2, 3]])
    #expect(lesson.bench.finish())
  }

  /// Packets that change places on the way to the relay are in order again when they leave it.
  @Test func theWindowMendsTheOrder() {
    let lesson = Lesson()
    for sequence in [Int64(101), 100, 102] { lesson.send(sequence, Lesson.slice(1_000 + Int(sequence))) }
    lesson.send(103, Lesson.slice(10), isLast: true)
    #expect(lesson.site.rtp.map(\.payload.count) == [1_100, 1_101, 1_102, 10])
    let numbers = lesson.site.rtp.map(\.header.sequence)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    #expect(lesson.bench.finish())
  }

  /// Sizes that differ by some bytes become one train; what padding added is told by the P bit and its count.
  @Test(arguments: [
    [1_130, 1_130, 1_131, 1_131], [1_131, 1_130, 1_129, 1_131], [1_100, 1_116, 1_108, 300], [1_000, 999, 40],
  ])
  func nearlyEqualPacketsBecomeOneTrain(sizes: [Int]) {
    let lesson = Lesson()
    for (place, size) in sizes.enumerated() {
      lesson.send(100 + Int64(place), Lesson.slice(size), isLast: place == sizes.count - 1)
    }
    #expect(lesson.bench.trains.map(\.segmentCount) == [sizes.count])
    #expect(lesson.site.rtp.map(\.payload) == sizes.map(Lesson.slice))
    #expect(lesson.bench.finish())
  }

  @Test func unequalPacketsKeepTheirSizes() {
    let lesson = Lesson()
    let sizes = [400, 1_100, 1_083, 1_100]
    for (place, size) in sizes.enumerated() {
      lesson.send(100 + Int64(place), Lesson.slice(size), isLast: place == sizes.count - 1)
    }
    #expect(lesson.site.rtp.map(\.payload.count) == sizes)
    #expect(lesson.bench.trains.map(\.segmentCount) == [1, 2, 1])
    #expect(lesson.site.rtp.allSatisfy { !$0.header.hasPadding })
    #expect(lesson.bench.finish())
  }

  /// Whoever joins while a key frame is being gathered gets it once.
  @Test func aJoinerDuringAKeyFrameGetsItOnce() {
    let lesson = Lesson()
    lesson.send(100, RelayCoreTests.sps, timestamp: 18_000)
    let late = lesson.bench.connect([CoreBench.line(.video, .send, [CoreBench.h264(102)], mid: "1", ssrc: 700)])
    lesson.send(101, [0x7C, 0x85, 1], isLast: true, timestamp: 18_000)
    lesson.bench.pass(milliseconds: 30)
    #expect(late.rtp.map(\.payload) == [RelayCoreTests.sps, [0x7C, 0x85, 1]])
    #expect(lesson.bench.finish())
  }
}
