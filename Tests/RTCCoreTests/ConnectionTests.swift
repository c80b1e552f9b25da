// Goal: what waits for a TCP connection is bounded in time, and a peer survives its connection. Method: a core whose
// connections' room and endings the test tells of.
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct ConnectionTests {
  private static let opus: [UInt8] = [0x78, 1, 2, 3]

  private static func publisher(_ bench: CoreBench) -> CoreBench.FarEnd {
    bench.connect(
      [
        CoreBench.line(.audio, .receive, [CoreBench.opus], mid: "0"),
        CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1"),
      ], feed: CoreBench.feed)
  }

  /// A receiver by a connection.
  private static func receiver(_ bench: CoreBench, connection: UInt32 = 7) -> CoreBench.FarEnd {
    bench.connect(
      [
        CoreBench.line(.audio, .send, [CoreBench.opus], mid: "0", ssrc: 800),
        CoreBench.line(.video, .send, [CoreBench.h264(102)], mid: "1", ssrc: 900),
      ], connection: connection)
  }

  /// Pictures of two packets and sound, 40 ms each; every `interval`th begins a group.
  private struct Lesson {
    var picture: Int64 = 0
    var interval: Int64 = 25

    mutating func teach(_ bench: CoreBench, _ lead: CoreBench.FarEnd, pictures: Int) {
      for _ in 0..<pictures {
        let timestamp = UInt32(picture) * 3_600
        let first = picture % interval == 0 ? RelayCoreTests.sps : [0x41, 1, 1]
        let rest = [0x41] + [UInt8](repeating: 2, count: 900)
        bench.send(
          lead, type: 102, sequence: picture * 2 + 1, timestamp: timestamp, ssrc: 10, mid: "1", payload: first)
        bench.send(
          lead, type: 102, sequence: picture * 2 + 2, timestamp: timestamp, ssrc: 10, mid: "1", payload: rest,
          isLast: true)
        bench.send(
          lead, type: 111, sequence: picture + 1, timestamp: UInt32(picture) * 1_920, ssrc: 12, mid: "0",
          payload: ConnectionTests.opus)
        bench.pass(milliseconds: 40)
        picture += 1
      }
    }
  }

  private func pictures(_ end: CoreBench.FarEnd) -> [CoreBench.Out] { end.rtp.filter { $0.header.ssrc == 900 } }

  @Test func roomIsWhatLeaves() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    bench.core.setRoom(site.path, byteCount: 4_000, now: bench.now)
    var lesson = Lesson()
    lesson.teach(bench, lead, pictures: 10)
    // Four thousand bytes, of which the last packet of a picture may take what is left.
    let first = pictures(site).reduce(0) { $0 + $1.bytes.count + 18 }
    #expect(first > 2_000 && first <= 4_000)
    let before = pictures(site).count
    bench.core.setRoom(site.path, byteCount: 24_000, now: bench.now)
    bench.drain()
    #expect(pictures(site).count > before, "what waited less than 400 ms leaves when there is room")
    let numbers = pictures(site).map(\.header.sequence)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    #expect(bench.finish())
  }

  /// A connection that takes nothing for three seconds: its queue is bounded in time, nobody is asked for key frames on
  /// its account, and it comes back at a key frame with numbers that go on.
  @Test func aConnectionThatTakesNothingComesBackAtAKeyFrame() throws {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    var lesson = Lesson(interval: 40)
    bench.core.setRoom(site.path, byteCount: 100_000, now: bench.now)
    lesson.teach(bench, lead, pictures: 30)
    bench.core.setRoom(site.path, byteCount: -8_000, now: bench.now)
    let shown = pictures(site).count
    let asked = bench.core.counters.pictureRequestsSent
    let sound = site.rtp.count - shown
    lesson.teach(bench, lead, pictures: 70)
    #expect(pictures(site).count == shown)
    #expect(site.rtp.count - shown == sound)
    #expect(bench.core.counters.pictureRequestsSent == asked)
    let dropped = bench.core.counters.drops[DropReason.connectionFull.rawValue]
    #expect((58...62).contains(dropped), "sound older than 400 ms: \(dropped)")
    #expect(bench.core.counters.drops[DropReason.overBudget.rawValue] > 0)

    bench.core.setRoom(site.path, byteCount: 24_000, now: bench.now)
    bench.pass(milliseconds: 2)
    #expect(site.rtp.count - pictures(site).count > sound, "the last 400 ms of sound are still worth sending")
    let back = try #require(pictures(site).dropFirst(shown).first, "the group is young and is sent whole")
    #expect(back.payload == RelayCoreTests.sps)
    let numbers = pictures(site).map(\.header.sequence)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    #expect(bench.finish())
  }

  /// A thin line takes some of it: the estimate falls, and sound goes on.
  @Test func aThinConnectionLowersTheEstimate() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    let start = bench.core.estimate(of: site.id) ?? 0
    var lesson = Lesson()
    for _ in 0..<75 {
      lesson.teach(bench, lead, pictures: 1)
      // 5 kB a second of 25.
      bench.core.setRoom(site.path, byteCount: lesson.picture % 10 == 0 ? 2_000 : 100, now: bench.now)
      bench.drain()
    }
    let end = bench.core.estimate(of: site.id) ?? .max
    #expect(end < start / 2)
    #expect(site.rtp.count { $0.header.ssrc == 800 } > 70)
    #expect(bench.finish())
  }

  /// The seat outlives the connection: the peer waits, and goes on by the path of the next check.
  @Test func aPeerOutlivesItsConnection() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    bench.core.setRoom(site.path, byteCount: 24_000, now: bench.now)
    var lesson = Lesson()
    lesson.teach(bench, lead, pictures: 5)
    let isKnown = bench.core.isAuthenticated(site.path)
    #expect(isKnown)
    bench.core.connectionClosed(site.path, now: bench.now)
    let isForgotten = !bench.core.isAuthenticated(site.path)
    #expect(isForgotten)
    let shown = site.rtp.count
    lesson.teach(bench, lead, pictures: 30)
    #expect(site.rtp.count == shown)
    #expect(!bench.events.contains { if case .ended(site.id, _, _) = $0 { true } else { false } })
    let again = bench.move(site, connection: 1_031)
    lesson.teach(bench, lead, pictures: 30)
    let later = again.rtp.filter { $0.header.ssrc == 900 }
    #expect(later.first?.payload == RelayCoreTests.sps)
    #expect(again.rtp.count { $0.header.ssrc == 800 } >= 30)
    #expect(bench.finish())
  }

  @Test func aPeerWithoutAnotherConnectionIsGoneAfterThirtySeconds() {
    let bench = CoreBench()
    let site = Self.receiver(bench)
    bench.core.connectionClosed(site.path, now: bench.now)
    bench.pass(milliseconds: 29_000)
    #expect(!bench.events.contains { if case .ended(site.id, _, _) = $0 { true } else { false } })
    bench.pass(milliseconds: 2_000)
    #expect(bench.events.contains { if case .ended(site.id, .iceTimeout, _) = $0 { true } else { false } })
    #expect(bench.finish())
  }

  /// Connections of the same two addresses are different paths.
  @Test func aConnectionIsPartOfItsPath() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    var other = lead.path
    other.connection = 9
    let isKnown = bench.core.isAuthenticated(lead.path)
    let isOtherKnown = bench.core.isAuthenticated(other)
    #expect(isKnown && !isOtherKnown)
    bench.receive([0x80, 102] + [UInt8](repeating: 0, count: 40), path: other)
    #expect(bench.core.counters.drops[DropReason.unknownPath.rawValue] == 1)
    #expect(bench.finish())
  }

  /// A client that names every pair it checks is sent datagrams as long as they come through.
  @Test func aConnectionDoesNotReplaceDatagramsThatWork() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = bench.connect([CoreBench.line(.audio, .send, [CoreBench.opus], mid: "0", ssrc: 800)])
    var path = site.path
    path.connection = 9
    path.remote.port = 60_000
    let tcp = CoreBench.FarEnd(id: site.id, path: path, description: site.description)
    var lesson = Lesson()
    bench.check(tcp)
    lesson.teach(bench, lead, pictures: 5)
    #expect(site.rtp.count == 5)
    // Two seconds later only the connection is checked: datagrams have stopped coming through.
    bench.pass(milliseconds: 2_100)
    bench.check(tcp)
    lesson.teach(bench, lead, pictures: 5)
    #expect(site.rtp.count == 5)
    #expect(bench.finish())
  }
}
