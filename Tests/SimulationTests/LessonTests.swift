// Goal: a lesson reaches its teaching points over good and bad lines, in simulated time.
// Method: the real cores on both sides, synthetic media whose bytes say what they are; every run names its seed.
import RTCCore
import Simulation
import Testing

@Suite struct LessonTests {
  @Test(arguments: [1, 2]) func cleanLineLosesNothing(workers: Int) throws {
    let world = World(seed: 1, workers: workers)
    try world.addPublisher()
    world.run(for: .seconds(1))
    let site = try world.addReceiver()
    world.run(for: .seconds(5))
    world.received(site) { received in
      #expect(received.violations == [])
      let first = received.frames.keys.min() ?? 0
      let last = received.frames.keys.max() ?? 0
      #expect(last >= 145)
      #expect(received.frames.count == Int(last - first) + 1)
      #expect(received.keyFrames.contains(first))
      #expect(received.audioPackets.count > 200)
    }
  }

  @Test(arguments: [1, 2]) func equalSeedsGiveEqualRuns(workers: Int) throws {
    func digest(_ seed: UInt64) throws -> UInt64 {
      let world = World(seed: seed, workers: workers)
      var line = LineOptions()
      line.loss = 0.05
      line.jitter = .milliseconds(8)
      try world.addPublisher(line: line)
      try world.addReceiver(line: line)
      world.run(for: .seconds(3))
      return world.digest
    }
    #expect(try digest(7) == digest(7))
    #expect(try digest(7) != digest(8))
  }

  /// Loss, jitter, reordering and duplication on both lines at once, clocks hours apart and running off.
  @Test(arguments: UInt64(100)..<150, [1, 2])
  func badLinesAreRepaired(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    var random = SplitMix64(seed: seed)
    var line = LineOptions()
    line.loss = Double.random(in: 0...0.05, using: &random)
    line.duplication = 0.01
    line.reordering = 0.01
    line.delay = .milliseconds(Int64.random(in: 1...60, using: &random))
    line.jitter = .milliseconds(Int64.random(in: 0...15, using: &random))
    if seed % 2 == 0 { world.profile = .aes128CMSHA180 }
    try world.addPublisher(
      line: line, back: line, clockOffset: Int64.random(in: -7_200_000_000...7_200_000_000, using: &random),
      partsPerMillion: Int64.random(in: -200...200, using: &random))
    world.run(for: .milliseconds(Int64.random(in: 0...3_000, using: &random)))
    let site = try world.addReceiver(line: line, back: line)
    world.run(for: .seconds(8))
    world.received(site) { received in
      #expect(received.violations == [], "seed \(seed)")
      guard let first = received.frames.keys.min(), let last = received.frames.keys.max() else {
        Issue.record("seed \(seed): no picture")
        return
      }
      // A new key frame during a late joiner's burst ends the burst: count from the second group on.
      let start = received.keyFrames.filter { $0 > first }.min() ?? first
      let share = Double(received.frames.keys.count { $0 >= start }) / Double(last - start + 1)
      #expect(share > 0.97, "seed \(seed): \(share) of the frames at loss \(line.loss)")
      #expect(received.frames.count > 120, "seed \(seed): \(received.frames.count) frames")
    }
    #expect(world.counters(0).drops[DropReason.authentication.rawValue] == 0)
    #expect(world.finish() == [], "seed \(seed)")
  }

  /// A camera that ignores picture requests, a key frame every 5 s: who joins 3 s in starts at the group of pictures.
  @Test(arguments: [UInt64(1), 2, 3], [1, 2])
  func lateJoinerGetsTheGroupAtOnce(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    let lead = try world.addPublisher(keyFrameInterval: 125, answersRequests: false)
    world.run(for: .milliseconds(3_000))
    let site = try world.addReceiver()
    world.run(for: .milliseconds(1_500))
    world.received(site) { received in
      #expect(received.frames.keys.min() == 0, "starts at the key frame")
      let latest = received.frames.keys.max() ?? 0
      #expect(latest + 3 >= world.sourceFrames(lead), "has caught up with the present")
      #expect(received.violations == [])
    }
  }

  /// When the camera does answer and its group is old, one request brings a fresh key frame.
  @Test(arguments: [1, 2]) func oldGroupIsNotSentWhenThePublisherAnswers(workers: Int) throws {
    let world = World(seed: 4, workers: workers)
    try world.addPublisher(keyFrameInterval: 1_000, answersRequests: true)
    world.run(for: .seconds(6))
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    world.received(site) { received in
      #expect((received.frames.keys.min() ?? 0) > 140)
      #expect(received.frames.count > 30)
    }
    // One on trial when the publisher began, one for the receiver.
    #expect(world.counters(0).pictureRequestsSent == 2)
  }

  /// That a camera ignores requests is known before the first who joins late: its old group is sent at once.
  @Test(arguments: [1, 2]) func oldGroupIsSentAtOnceWhenThePublisherIgnoresRequests(workers: Int) throws {
    let world = World(seed: 5, workers: workers)
    try world.addPublisher(keyFrameInterval: 125, answersRequests: false)
    world.run(for: .milliseconds(4_000))
    let site = try world.addReceiver()
    world.run(for: .milliseconds(500))
    world.received(site) { received in #expect(received.frames.keys.min() == 0, "starts at the key frame") }
    #expect(world.counters(0).pictureRequestsSent == 1)
  }

  /// A publisher whose plug is pulled comes back on another machine: it takes its seat over within a second.
  @Test(arguments: UInt64(20)..<25, [1, 2])
  func returningPublisherTakesItsSeatOver(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    let first = try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(3))
    world.cut(first)
    world.run(for: .seconds(2))
    let before = world.received(site) { $0.frames.count }
    try world.addPublisher()
    let start = world.now
    var waited = Interval.zero
    while world.received(site, { $0.lastVideo ?? start }) <= start, waited < .seconds(5) {
      world.run(for: .milliseconds(10))
      waited = world.now - start
    }
    #expect(waited <= .seconds(1), "seed \(seed): a picture after \(waited.microseconds) µs")
    world.run(for: .seconds(3))
    #expect(world.received(site) { $0.violations } == [])
    #expect(before > 40)
    #expect(
      world.events.contains {
        if case .ended(_, .replaced, _) = $0 { true } else { false }
      })
  }

  /// The site's NAT gives it another port: the next authenticated check moves the path, the lesson goes on.
  @Test func anotherAddressIsFollowed() throws {
    let world = World(seed: 9)
    try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(3))
    world.rebind(site)
    world.run(for: .seconds(3))
    let middle = world.received(site) { $0.frames.count }
    world.run(for: .seconds(3))
    #expect(world.received(site) { $0.frames.count } > middle + 60)
  }

  /// New credentials while the picture runs, on a new address at once: nobody notices.
  @Test(arguments: [false, true], [1, 2]) func anICERestartGoesUnnoticed(moves: Bool, workers: Int) throws {
    let world = World(seed: 10, workers: workers)
    let lead = try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(3))
    for node in [lead, site] {
      if moves { world.rebind(node) }
      world.restartICE(node)
    }
    world.run(for: .seconds(4))
    world.received(site) { received in
      let first = received.frames.keys.min() ?? 0
      let last = received.frames.keys.max() ?? 0
      let missing = Int(last - first) + 1 - received.frames.count
      #expect(last >= 165 && missing <= (moves ? 10 : 0), "\(missing) pictures are missing")
    }
    #expect(world.finish() == [])
  }

  /// The relay's address comes a second after its answer.
  @Test func candidatesMayTrickle() throws {
    let world = World(seed: 12)
    try world.addPublisher()
    let site = try world.addReceiver(tricklesAfter: .seconds(1))
    #expect(world.run(atMost: .milliseconds(300)) { world in world.received(site) { $0.firstFrame != nil } })
    #expect(world.finish() == [])
  }

  /// A line too thin for the picture: audio stays whole.
  @Test(arguments: [1, 2]) func audioComesBeforeVideo(workers: Int) throws {
    let world = World(seed: 11, workers: workers)
    try world.addPublisher(packetsPerFrame: 8)
    var thin = LineOptions()
    thin.rate = 700_000
    let site = try world.addReceiver(line: thin)
    world.run(for: .seconds(20))
    let before = world.received(site) { $0.audioPackets.count }
    world.run(for: .seconds(10))
    let heard = world.received(site) { $0.audioPackets.count } - before
    #expect(heard > 450, "\(heard) of 500 audio packets")
    #expect(world.events.contains { if case .degraded = $0 { true } else { false } })
  }

  /// Lips stay in step by lesson time though the publisher's clock is hours off and runs fast.
  @Test(arguments: [Int64(-200), 0, 200], [1, 2])
  func audioAndVideoStayInStep(partsPerMillion: Int64, workers: Int) throws {
    let world = World(seed: 13, workers: workers)
    var line = LineOptions()
    line.jitter = .milliseconds(10)
    line.loss = 0.02
    try world.addPublisher(line: line, clockOffset: 3_600_000_000 * 5, partsPerMillion: partsPerMillion)
    let site = try world.addReceiver(line: line)
    world.run(for: .seconds(20))
    world.received(site) { received in
      for (frame, videoTime) in received.videoTimes where frame > 125 {
        // Frame n and audio packet 2n were captured at the same moment.
        guard let audioTime = received.audioTimes[frame * 2] else { continue }
        #expect(abs(videoTime - audioTime) <= 40_000, "frame \(frame): \(videoTime - audioTime) µs")
      }
      #expect(received.videoTimes.count > 400)
    }
  }
}
