// Goal: whatever happens in a lesson, nothing the relay promises is broken.
// Method: scripted classrooms drawn from a seed. Checkers open every packet that leaves the relay with keys of their
// own: numbers ascend and are sealed once, timestamps never go back, no foreign source, no media before the keys or
// after the end, no more than the pacer may send; references and byte counters add up; nothing is left when the lesson
// ends.
import RTCCore
import Simulation
import Testing

/// One classroom: who is there, on what lines, and what happens to them.
private struct Script {
  let seed: UInt64
  let world: World
  var random: SplitMix64
  var sites: [Int] = []
  var lead: Int
  var recorder: Int
  let line: LineOptions

  init(seed: UInt64, workers: Int = 1) throws {
    self.seed = seed
    world = World(seed: seed, workers: workers)
    random = SplitMix64(seed: seed &* 7_919)
    var line = LineOptions()
    if seed % 3 == 0 {
      line.burstBegin = Double.random(in: 0...0.01, using: &random)
    } else {
      line.loss = Double.random(in: 0...0.06, using: &random)
    }
    line.duplication = Double.random(in: 0...0.02, using: &random)
    line.reordering = Double.random(in: 0...0.02, using: &random)
    line.delay = .milliseconds(Int64.random(in: 1...80, using: &random))
    line.jitter = .milliseconds(Int64.random(in: 0...20, using: &random))
    self.line = line
    if seed % 4 == 1 { world.profile = .aes128CMSHA180 }
    if seed % 4 == 3 { world.profile = .aeadAES256GCM }
    lead = try Self.lead(world, line, &random, seed: seed)
    recorder = world.addRecorder()
    if seed % 2 == 0 { try world.addPublisher(feed: World.screen, line: line, back: line) }
    for _ in 0..<2 { sites.append(try world.addReceiver(line: line, back: line)) }
  }

  static func lead(
    _ world: World, _ line: LineOptions, _ random: inout SplitMix64, seed: UInt64
  ) throws -> Int {
    try world.addPublisher(
      line: line, back: line, keyFrameInterval: UInt32.random(in: 25...200, using: &random),
      answersRequests: seed % 5 != 0, clockOffset: Int64.random(in: -7_200_000_000...7_200_000_000, using: &random),
      partsPerMillion: Int64.random(in: -200...200, using: &random))
  }

  mutating func happen() throws {
    let site = sites[Int.random(in: 0..<sites.count, using: &random)]
    switch Int.random(in: 0..<11, using: &random) {
    case 0: sites.append(try world.addReceiver(line: line, back: line))
    case 1 where sites.count > 1:
      world.leave(site)
      sites.removeAll { $0 == site }
    case 2 where sites.count > 1:
      world.cut(site)
      sites.removeAll { $0 == site }
      sites.append(try world.addReceiver(line: line, back: line))
    case 3: world.rebind(site)
    case 4:
      if Bool.random(using: &random) { world.cut(lead) }
      lead = try Self.lead(world, line, &random, seed: seed)
    case 5: world.setStalled(recorder: recorder, Bool.random(using: &random))
    case 6: world.show(site, .feed(World.screen))
    case 7: world.show(site, .feed(World.camera))
    case 8: world.show(site, .none)
    case 9: world.tellRelay(.setStage(World.lesson, Bool.random(using: &random) ? World.camera : World.screen))
    default: world.show(site, .stage)
    }
  }
}

@Suite struct ClassroomTests {
  /// Seeds of longer runs that failed once. 3023, 3094, 3278, 3319, 3358: a line that loses sound at random was taken
  /// for one that carries nothing.
  static let seeds = Array(UInt64(1_000)..<1_060) + [3_023, 3_094, 3_278, 3_319, 3_358]

  @Test(arguments: seeds, [1, 2]) func everyPromiseIsKept(seed: UInt64, workers: Int) throws {
    var script = try Script(seed: seed, workers: workers)
    for _ in 0..<12 {
      script.world.run(for: .milliseconds(Int64.random(in: 100...1_200, using: &script.random)))
      try script.happen()
    }
    // Quiet at the end: everyone sees the stage again.
    for site in script.sites { script.world.show(site, .stage) }
    script.world.tellRelay(.setStage(World.lesson, World.camera))
    script.world.setStalled(recorder: script.recorder, false)
    // A line that was found too thin, or a new address of a site, may take a while: everyone sees the present in the
    // end.
    for site in script.sites {
      let isFresh = script.world.run(atMost: .seconds(25)) { world in
        world.received(site) { $0.lastFrame.map { world.now - $0.at < .milliseconds(500) } ?? false }
      }
      #expect(isFresh, "seed \(seed): site \(site) sees nothing new")
    }
    for site in script.sites { #expect(script.world.mostVideoInATurn(site) <= 64, "seed \(seed): work of a turn") }
    #expect(script.world.finish() == [], "seed \(seed)")
  }

  /// The same seed gives the same run, whatever the hash seeds of this process are.
  @Test(arguments: [UInt64(1_003), 1_010], [1, 2])
  func equalScriptsGiveEqualRuns(seed: UInt64, workers: Int) throws {
    func digest() throws -> UInt64 {
      var script = try Script(seed: seed, workers: workers)
      for _ in 0..<8 {
        script.world.run(for: .milliseconds(300))
        try script.happen()
      }
      return script.world.digest
    }
    #expect(try digest() == digest())
  }

  /// On a quiet network nothing is lost, repaired or passed over.
  @Test(arguments: UInt64(0)..<5, [1, 2]) func aQuietNetworkLosesNothing(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    try world.addPublisher(partsPerMillion: Int64(seed) * 50 - 100)
    var sites: [Int] = []
    for _ in 0..<3 {
      sites.append(try world.addReceiver())
      world.run(for: .milliseconds(700))
    }
    world.run(for: .seconds(4))
    for site in sites {
      #expect(world.unfilledGaps(site) == 0)
      #expect(world.told(site)?.packetsRetransmitted == 0)
      world.received(site) { received in
        let first = received.frames.keys.min() ?? 0
        let last = received.frames.keys.max() ?? 0
        #expect(received.frames.count == Int(last - first) + 1 && last > 90)
        #expect(received.keyFrames.contains(first))
      }
    }
    let drops = world.counters(0).drops
    #expect(drops.allSatisfy { $0 == 0 }, "\(drops)")
    #expect(world.finish() == [])
  }
}
