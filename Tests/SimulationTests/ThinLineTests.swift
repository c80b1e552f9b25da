// Goal: a line that is too thin costs its own site the picture, never the sound, never another site, and not for ever.
import RTCCore
import Simulation
import Testing

@Suite struct ThinLineTests {
  /// Sound packets that came of those of a span of time, a share.
  static func heard(_ world: World, _ site: Int, since start: Instant, for span: Interval) -> Double {
    let count = world.received(site) { received in
      received.audioPackets.values.count { $0 > start && $0 <= start + span }
    }
    return Double(count) / Double(span.microseconds / 20_000)
  }

  /// 300 kbit/s for 20 s under a picture of 1.2 Mbit/s.
  @Test(arguments: UInt64(110)..<116) func soundStaysWholeOnAThinLine(seed: UInt64) throws {
    let world = World(seed: seed)
    let lead = try world.addPublisher(answersRequests: seed % 2 == 0)
    let site = try world.addReceiver()
    let others = [try world.addReceiver(), try world.addReceiver()]
    world.run(for: .seconds(4))
    var thin = LineOptions()
    thin.rate = 300_000
    world.setLine(site, down: thin)
    let start = world.now
    // What it takes to notice: a second.
    world.run(for: .seconds(20))
    let share = Self.heard(world, site, since: start + .seconds(1), for: .seconds(19))
    #expect(share > 0.98, "seed \(seed): \(share) of the sound")
    #expect(world.told(site)?.picture != .full)
    let peer = world.relayPeer(site)
    #expect(world.events.contains { if case .degraded(peer, .video, _) = $0 { true } else { false } })
    // Nobody else has lost anything.
    for other in others {
      #expect(Self.heard(world, other, since: start, for: .seconds(20)) > 0.99)
      #expect(world.told(other)?.packetsRetransmitted == 0 && world.told(other)?.picture == .full)
      world.received(other) { received in
        let first = received.frames.keys.min() ?? 0
        let last = received.frames.keys.max() ?? 0
        #expect(received.frames.count == Int(last - first) + 1)
      }
      let degraded = world.relayPeer(other)
      #expect(!world.events.contains { if case .degraded(degraded, _, _) = $0 { true } else { false } })
    }
    // The line is wide again: the picture comes back by itself, and all of it.
    world.setLine(site, down: LineOptions())
    world.run(for: .seconds(60))
    let before = world.sourceFrames(lead)
    world.run(for: .seconds(5))
    let shown = world.received(site) { received in received.frames.keys.count { $0 >= before - 1 } }
    #expect(shown >= 115, "seed \(seed): \(shown) of 125 pictures")
    #expect(world.told(site)?.picture == .full)
    #expect(world.events.contains { if case .restored(peer, .video, _) = $0 { true } else { false } })
    #expect(world.finish() == [])
  }

  /// A line that was dead for three seconds is not thin afterwards.
  @Test(arguments: UInt64(120)..<125) func anOutageIsForgotten(seed: UInt64) throws {
    let world = World(seed: seed)
    let lead = try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(5))
    var dead = LineOptions()
    dead.loss = 1
    world.setLine(site, down: dead)
    world.setLine(site, up: dead)
    world.run(for: .milliseconds(2_000 + Int64(seed % 5) * 500))
    world.setLine(site, down: LineOptions())
    world.setLine(site, up: LineOptions())
    world.run(for: .seconds(5))
    let before = world.sourceFrames(lead)
    world.run(for: .seconds(4))
    let shown = world.received(site) { received in received.frames.keys.count { $0 >= before - 1 } }
    #expect(shown >= 95, "seed \(seed): \(shown) of 100 pictures")
    #expect(world.finish() == [])
  }

  /// A line that loses one packet in eight at random, and has room: retransmission repairs it, the picture stays.
  @Test(arguments: [0.08, 0.12, 0.15]) func aLossyWideLineKeepsItsPicture(loss: Double) throws {
    let world = World(seed: 126)
    let lead = try world.addPublisher()
    var lossy = LineOptions()
    lossy.loss = loss
    let site = try world.addReceiver(line: lossy)
    world.run(for: .seconds(5))
    let before = world.sourceFrames(lead)
    world.run(for: .seconds(20))
    let shown = world.received(site) { received in received.frames.keys.count { $0 >= before } }
    #expect(shown >= 475, "\(shown) of 500 pictures at a loss of \(loss)")
    #expect(world.finish() == [])
  }

  /// Three encodings on a line for one and a half: the site gets what fits, and the top one again afterwards.
  @Test func aThinLineGetsALowerLayer() throws {
    let world = World(seed: 130)
    try world.addSimulcastPublisher(isVP8: true)
    let site = try world.addReceiver(isVP8: true)
    world.run(for: .seconds(4))
    var thin = LineOptions()
    thin.rate = 1_500_000
    world.setLine(site, down: thin)
    world.run(for: .seconds(5))
    func shown(_ world: World, since moment: Instant) -> [Int] {
      world.received(site) { received in
        received.frames.filter { $0.value > moment }.map { received.packetCounts[$0.key] ?? 0 }
      }
    }
    var moment = world.now
    world.run(for: .seconds(4))
    let lower = shown(world, since: moment)
    #expect(lower.count >= 90 && lower.allSatisfy { $0 < 12 }, "\(lower.count) pictures")
    #expect(world.told(site)?.picture == .thin)
    world.setLine(site, down: LineOptions())
    world.run(for: .seconds(40))
    moment = world.now
    world.run(for: .seconds(4))
    let top = shown(world, since: moment)
    #expect(top.count >= 95 && top.allSatisfy { $0 % 12 == 0 }, "\(top.count) pictures")
    #expect(world.told(site)?.picture == .full)
    #expect(world.finish() == [])
  }
}
