// Goal: panes change source, layer and publisher for hours without a number sealed twice or lips out of step.
import RTCCore
import Simulation
import Testing

@Suite struct SwitchTests {
  /// A thousand switches with losses that are asked for again, publishers that come and go, and the checkers watching.
  @Test(arguments: [SRTPProfile.aeadAES128GCM, .aes128CMSHA180], [1, 2])
  func aThousandSwitchesSealEachNumberOnce(profile: SRTPProfile, workers: Int) throws {
    let world = World(seed: 81, workers: workers)
    world.profile = profile
    var random = SplitMix64(seed: 82)
    var line = LineOptions()
    line.loss = 0.03
    line.reordering = 0.01
    try world.addPublisher(line: line, back: line, keyFrameInterval: 30)
    try world.addPublisher(feed: World.screen, line: line, back: line, keyFrameInterval: 40)
    let site = try world.addReceiver(line: line, back: line)
    world.run(for: .seconds(1))
    for round in 0..<1_000 {
      world.show(site, .feed(round % 2 == 0 ? World.screen : World.camera))
      if round % 125 == 124 {
        try world.addPublisher(
          feed: round % 250 == 249 ? World.screen : World.camera, line: line, back: line, keyFrameInterval: 30)
      }
      world.run(for: .milliseconds(Int64.random(in: 5...90, using: &random)))
    }
    #expect(world.counters(0).packetsRetransmitted > 100)
    #expect(world.counters(0).groupBursts > 200)
    #expect(world.finish() == [])
  }

  /// Sound and picture of one pane stay within 40 ms by lesson time, looked at after each of twenty switches between
  /// two teachers whose clocks are hours apart and run off in opposite directions.
  @Test(arguments: UInt64(90)..<94, [1, 2])
  func lipsStayInStepAcrossSwitches(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    var random = SplitMix64(seed: seed)
    var line = LineOptions()
    line.jitter = .milliseconds(8)
    line.loss = 0.01
    try world.addPublisher(
      line: line, keyFrameInterval: 47, clockOffset: 3_600_000_000 * 3, partsPerMillion: 200)
    try world.addPublisher(
      feed: World.screen, line: line, keyFrameInterval: 61, clockOffset: -3_600_000_000 * 2, partsPerMillion: -200)
    let site = try world.addReceiver(line: line, clockOffset: 500_000_000)
    world.run(for: .seconds(6))
    for round in 0..<20 {
      let isScreen = round % 2 == 0
      let source = PaneSource.feed(isScreen ? World.screen : World.camera)
      world.show(site, source, mid: "0")
      world.show(site, source)
      world.run(for: .milliseconds(Int64.random(in: 1_500...2_600, using: &random)))
      let base: UInt32 = isScreen ? 1 << 24 : 0
      world.received(site) { received in
        let shown = received.videoTimes.filter { $0.key >= base && $0.key < base + 1 << 24 }
        let last = shown.keys.max() ?? 0
        // Picture n and sound 2n are of one moment; the last half second is what is shown now.
        var compared = 0
        for frame in max(base, last &- 12)...last {
          guard let video = shown[frame], let audio = received.audioTimes[base + (frame - base) * 2] else { continue }
          compared += 1
          #expect(abs(video - audio) <= 40_000, "seed \(seed), switch \(round): \(video - audio) µs")
        }
        #expect(compared >= 4, "seed \(seed), switch \(round)")
      }
    }
    #expect(world.finish() == [])
  }

  /// Three encodings, in whichever order they are offered: a wide line gets the top one, a height limit and a thin line
  /// a lower one, the recorder always the top.
  @Test(arguments: [true, false], [["q", "h", "f"], ["f", "h", "q"], ["h", "f", "q"]])
  func layersFollowLineAndWish(isVP8: Bool, offered: [String]) throws {
    for workers in [1, 2] { try layersFollow(isVP8: isVP8, offered: offered, workers: workers) }
  }

  private func layersFollow(isVP8: Bool, offered: [String], workers: Int) throws {
    let world = World(seed: 95, workers: workers)
    let camera = try world.addSimulcastPublisher(isVP8: isVP8, rids: offered)
    let recorder = world.addRecorder(isVP8: isVP8)
    let site = try world.addReceiver(isVP8: isVP8)
    world.run(for: .seconds(4))
    func layer(_ packets: Int?) -> Int { packets.map { $0 % 12 == 0 ? 2 : $0 % 5 == 0 ? 1 : 0 } ?? -1 }
    func shown(_ world: World) -> Int {
      world.received(site) { received in layer(received.lastFrame.flatMap { received.packetCounts[$0.key] }) }
    }
    #expect(shown(world) == 2)
    world.show(site, .stage, maxHeight: 360)
    world.run(for: .seconds(2))
    #expect(shown(world) == 1)
    world.show(site, .stage, maxHeight: 200)
    world.run(for: .seconds(2))
    #expect(shown(world) == 0)
    world.show(site, .stage)
    world.run(for: .seconds(3))
    #expect(shown(world) == 2)
    // The browser drops its top layer: panes and recorder go on with the next.
    world.setLayer(camera, 2, isOn: false)
    world.run(for: .seconds(4))
    #expect(shown(world) == 1)
    let recorded = world.recorded(recorder) { received in
      layer(received.lastFrame.flatMap { received.packetCounts[$0.key] })
    }
    #expect(recorded == 1)
    world.setLayer(camera, 2, isOn: true)
    world.run(for: .seconds(4))
    #expect(shown(world) == 2)
    #expect(world.finish() == [])
  }

  /// The recorder's disk stands still for ten seconds: nobody else notices, and it goes on afterwards.
  @Test func aStalledRecorderHarmsNobody() throws {
    let world = World(seed: 96)
    try world.addPublisher()
    let recorder = world.addRecorder(leases: 400)
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    world.setStalled(recorder: recorder, true)
    world.run(for: .seconds(10))
    #expect(world.counters(0).drops[DropReason.sinkFull.rawValue] > 0)
    world.setStalled(recorder: recorder, false)
    world.run(for: .seconds(3))
    world.received(site) { received in
      let first = received.frames.keys.min() ?? 0
      let last = received.frames.keys.max() ?? 0
      #expect(received.frames.count == Int(last - first) + 1 && last >= 370)
    }
    let age = world.recorded(recorder) { $0.lastFrame.map { world.now - $0.at } }
    #expect(age.map { $0 < .milliseconds(200) } ?? false)
    #expect(world.finish() == [])
  }
}
