// Goal: what the protocols promise in time is kept to the millisecond. Method: simulated time.
import RTCCore
import Simulation
import Testing

@Suite struct DeadlineTests {
  /// A group of pictures is there: the first picture comes after two round trips of connecting, one of asking, and a
  /// frame.
  @Test(arguments: [Int64(5), 40, 100, 350], [1, 2])
  func aJoinerSeesTheFirstPictureAtOnce(delay: Int64, workers: Int) throws {
    let world = World(seed: 31, workers: workers)
    try world.addPublisher(keyFrameInterval: 125, answersRequests: false)
    world.run(for: .seconds(2))
    var line = LineOptions()
    line.delay = .milliseconds(delay)
    let start = world.now
    let site = try world.addReceiver(line: line, back: line)
    let isThere = world.run(atMost: .seconds(2)) { world in world.received(site) { $0.firstFrame != nil } }
    let roundTrip = Interval.milliseconds(2 * delay)
    // The check and its answer, 3 ms for the keys, the picture's way, and a frame.
    #expect(
      isThere && world.now - start <= roundTrip + roundTrip + .milliseconds(60), "\((world.now - start).microseconds)")
    #expect(world.received(site) { $0.keyFrames.contains($0.frames.keys.min() ?? 1) })
    #expect(world.finish() == [])
  }

  /// Key frames every 5 s from a camera that answers nobody: 3 s in, a joiner starts at the last one, runs through it
  /// at four times its pace at least and is not 200 ms behind afterwards.
  @Test(arguments: UInt64(40)..<45, [1, 2]) func aLateJoinerCatchesUp(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    let lead = try world.addPublisher(keyFrameInterval: 125, answersRequests: false)
    world.run(for: .milliseconds(3_000 + Int64(seed) * 7))
    let behind = Int64(world.sourceFrames(lead)) * 40
    let site = try world.addReceiver()
    #expect(world.run(atMost: .seconds(1)) { world in world.received(site) { $0.firstFrame != nil } })
    let begun = world.now
    let caughtUp = world.run(atMost: .seconds(3)) { world in
      let last = world.received(site) { $0.lastFrame }
      guard let last, let captured = world.captured(lead, last.key) else { return false }
      return last.at - captured <= .milliseconds(200)
    }
    // At four times real time the distance shrinks by three quarters of what is sent.
    #expect(caughtUp && world.now - begun <= .milliseconds(behind / 3 + 40), "\((world.now - begun).microseconds) µs")
    world.run(for: .seconds(1))
    world.received(site) { received in
      let last = received.lastFrame?.key ?? 0
      #expect(received.frames.count == Int(last) + 1, "from the group's first picture on, all")
    }
    #expect(world.finish() == [])
  }

  /// A pane that is given another source shows it within 300 ms when its group is there.
  @Test(arguments: UInt64(50)..<55, [1, 2])
  func aSwitchedPaneShowsTheNewPicture(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    let camera = try world.addPublisher(keyFrameInterval: 50)
    try world.addPublisher(feed: World.screen, keyFrameInterval: 60)
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    for round in 0..<10 {
      let showsScreen = round % 2 == 0
      let start = world.now
      world.show(site, .feed(showsScreen ? World.screen : World.camera))
      let isShown = world.run(atMost: .milliseconds(300)) { world in
        world.received(site) { received in
          guard let last = received.lastFrame, last.at > start else { return false }
          return (last.key >= 1 << 24) == showsScreen
        }
      }
      #expect(isShown, "seed \(seed), switch \(round)")
      world.run(for: .milliseconds(700))
    }
    _ = camera
    #expect(world.finish() == [])
  }

  /// A teacher whose plug was pulled is back within a second of the return, wherever the camera's key frames lie.
  @Test(arguments: UInt64(60)..<70, [1, 2])
  func aPublisherTakesItsSeatOver(seed: UInt64, workers: Int) throws {
    let world = World(seed: seed, workers: workers)
    let first = try world.addPublisher(tracks: seed % 2 == 0 ? [.audio, .video] : [.video])
    let recorder = world.addRecorder()
    let sites = [try world.addReceiver(), try world.addReceiver()]
    world.run(for: .milliseconds(2_000 + Int64(seed) * 13))
    // Half of them vanish, the others are still sending when they come back by another way.
    if seed % 3 != 0 { world.cut(first) }
    world.run(for: .milliseconds(400))
    let start = world.now
    try world.addPublisher(tracks: seed % 2 == 0 ? [.audio, .video] : [.video])
    for site in sites {
      let isBack = world.run(atMost: .seconds(1)) { world in
        world.received(site) { ($0.lastFrame?.key ?? 0) >= 1 << 24 }
      }
      #expect(isBack, "seed \(seed)")
    }
    #expect(world.now - start <= .seconds(1))
    #expect(world.end(first) == .replaced)
    world.run(for: .seconds(2))
    #expect(world.recorded(recorder) { $0.frames.keys.contains { $0 > 1 << 24 } })
    #expect(world.finish() == [])
  }

  /// Twenty receivers who join and ask at once bring one request a second to the camera.
  @Test(arguments: [1, 2]) func oneRequestASecondForAllReceivers(workers: Int) throws {
    let world = World(seed: 71, workers: workers)
    // Never another key frame than the first, and no answer: everyone keeps asking.
    let lead = try world.addPublisher(keyFrameInterval: 1_000_000, answersRequests: false)
    world.run(for: .seconds(5))
    for _ in 0..<20 { try world.addReceiver() }
    for _ in 0..<60 {
      world.tellRelay(.requestKeyFrame(World.lesson, World.camera))
      world.run(for: .milliseconds(100))
    }
    let streams = world.pictureRequests(lead)
    #expect(streams.reduce(0) { $0 + $1.count } >= 3)
    for moments in streams {
      for (earlier, later) in zip(moments, moments.dropFirst()) { #expect(later - earlier >= .seconds(1)) }
    }
    #expect(world.finish() == [])
  }

  /// Silent for 15 s is stalled, for 30 s is gone (the relay is ICE-lite and keeps its own liveness).
  @Test(arguments: [1, 2]) func silenceIsStalledAndThenGone(workers: Int) throws {
    let world = World(seed: 72, workers: workers)
    try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    let peer = world.relayPeer(site)
    world.cut(site)
    let start = world.now
    func stalled(_ world: World) -> Instant? {
      for case .stalled(peer, let at) in world.events { return at }
      return nil
    }
    // The last datagrams are still on their way when the plug is pulled: at most the line's 10 ms.
    _ = world.run(atMost: .seconds(20)) { stalled($0) != nil }
    let stalledAt = try #require(stalled(world))
    #expect(stalledAt - start <= .milliseconds(15_015) && stalledAt - start >= .milliseconds(12_000))
    _ = world.run(atMost: .seconds(20)) { $0.end(site) != nil }
    #expect(world.end(site) == .iceTimeout)
    #expect(abs((world.now - stalledAt).microseconds - 15_000_000) <= 10_000)
    #expect(world.finish() == [])
  }

  /// A site that comes back in time is heard again and goes on where it was.
  @Test func aStalledSiteResumes() throws {
    let world = World(seed: 73)
    try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    var dead = LineOptions()
    dead.loss = 1
    world.setLine(site, down: dead)
    world.setLine(site, up: dead)
    world.run(for: .seconds(17))
    world.setLine(site, down: LineOptions())
    world.setLine(site, up: LineOptions())
    world.run(for: .seconds(6))
    let peer = world.relayPeer(site)
    #expect(world.events.contains { if case .resumed(peer, _) = $0 { true } else { false } })
    let age = world.received(site) { $0.lastFrame.map { world.now - $0.at } }
    #expect(age.map { $0 < .milliseconds(200) } ?? false)
    #expect(world.finish() == [])
  }

  /// A publisher that connects and never sends is told so, not kept for ever.
  @Test func aPublisherWithoutMediaIsGivenUp() throws {
    let world = World(seed: 74)
    let silent = try world.addSilentPublisher()
    world.run(for: .seconds(29))
    #expect(world.end(silent) == nil)
    world.run(for: .seconds(3))
    #expect(world.end(silent) == .mediaNeverCame)
    #expect(world.finish() == [])
  }
}
