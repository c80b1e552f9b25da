// Goal: receivers on another worker see the lesson as those at home do, whatever becomes of the link, and no reference
// is lost. Method: two cores over one packet memory in simulated time; every run ends with the count of both.
import RTCCore
import Simulation
import Testing

@Suite struct LinkTests {
  private func isFresh(_ world: World, _ site: Int) -> Bool {
    world.received(site) { $0.lastFrame.map { world.now - $0.at < .milliseconds(500) } ?? false }
  }

  /// Receivers here and there, and a third worker: all see every picture, and the home asks its publisher for all.
  @Test(arguments: [2, 3]) func aLessonSpreadsOverWorkers(workers: Int) throws {
    let world = World(seed: 201, workers: workers)
    let lead = try world.addPublisher()
    let sites = try (0..<2 * workers).map { _ in try world.addReceiver() }
    #expect(Set(sites.map(world.worker(of:))) == Set(0..<workers))
    world.run(for: .seconds(5))
    for site in sites {
      world.received(site) { received in
        let first = received.frames.keys.min() ?? 0
        let last = received.frames.keys.max() ?? 0
        #expect(received.frames.count == Int(last - first) + 1 && last >= 120)
        #expect(received.audioPackets.count > 200)
      }
    }
    for worker in 1..<workers {
      let counters = world.workerCounters(worker)
      #expect(counters.packetsBorrowed > 700 && counters.packetsSent > counters.packetsBorrowed)
      #expect(world.leasesOut(of: worker).borrowed > 0)
    }
    #expect(world.workerCounters(0).drops.allSatisfy { $0 == 0 })
    // Tracks are told once, by their home.
    let started = world.events.count { if case .trackStarted = $0 { true } else { false } }
    #expect(started == 2)
    _ = lead
    #expect(world.finish() == [])
  }

  /// Loss towards the relay is repaired at home; the other worker gets the repaired packet as a late one.
  @Test(arguments: UInt64(210)..<216) func repairsReachTheOtherWorker(seed: UInt64) throws {
    let world = World(seed: seed, workers: 2)
    var line = LineOptions()
    line.loss = 0.05
    line.delay = .milliseconds(20)
    try world.addPublisher(line: line, back: line)
    let far = try world.addReceiver()
    let near = try world.addReceiver()
    world.run(for: .seconds(8))
    let pair = (world.received(far) { $0.frames.count }, world.received(near) { $0.frames.count })
    #expect(abs(pair.0 - pair.1) <= 2 && pair.0 > 150, "seed \(seed): \(pair)")
    #expect(world.workerCounters(1).packetsRetransmitted > 20)
    #expect(world.finish() == [])
  }

  /// Opened in the middle of a lesson: the group of pictures comes with the link, so that nobody waits for a key frame.
  @Test func aLinkOpenedInMidLessonBringsTheGroup() throws {
    let world = World(seed: 220, workers: 2, isLinked: false)
    try world.addPublisher(keyFrameInterval: 125, answersRequests: false)
    world.run(for: .seconds(3))
    let site = try world.addReceiver()
    world.run(for: .milliseconds(500))
    #expect(world.received(site) { $0.firstFrame == nil })
    world.openLink(to: 1)
    #expect(world.run(atMost: .milliseconds(200)) { world in world.received(site) { $0.firstFrame != nil } })
    #expect(world.received(site) { $0.frames.keys.min() } == 0, "from the key frame on")
    world.run(for: .seconds(2))
    world.received(site) { received in
      #expect(received.frames.count == Int(received.frames.keys.max() ?? 0) + 1)
    }
    #expect(world.finish() == [])
  }

  /// Closed and opened again and again, at any moment of the lesson and from either end.
  @Test(arguments: UInt64(230)..<236) func linksCloseAndOpenInMidLesson(seed: UInt64) throws {
    let world = World(seed: seed, workers: 2)
    var random = SplitMix64(seed: seed)
    var line = LineOptions()
    line.loss = 0.02
    try world.addPublisher(line: line, back: line)
    let site = try world.addReceiver(line: line, back: line)
    for round in 0..<20 {
      world.run(for: .milliseconds(Int64.random(in: 1...700, using: &random)))
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        world.closeLink(to: 1)
        // All leases are back with the streams they were for.
        world.run(for: .milliseconds(40))
        #expect(world.leasesOut(of: 0).lent == 0, "seed \(seed), round \(round)")
        world.openLink(to: 1)
      case 1: world.openLink(to: 1)
      case 2: try world.addPublisher(line: line, back: line)
      default: try world.addPublisher(feed: World.screen, line: line, back: line)
      }
    }
    world.openLink(to: 1)
    #expect(world.run(atMost: .seconds(10)) { isFresh($0, site) }, "seed \(seed)")
    #expect(world.finish() == [], "seed \(seed)")
  }

  /// The other worker closes the lesson and opens it again; the home has told of it before it was open.
  @Test func theOtherEndMayCloseAndOpenTheLesson() throws {
    let world = World(seed: 240, workers: 2)
    try world.addPublisher()
    let first = try world.addReceiver()
    world.run(for: .seconds(2))
    world.tell(1, .closeLesson(World.lesson))
    world.run(for: .milliseconds(100))
    #expect(world.end(first) == .lessonClosed)
    #expect(world.leasesOut(of: 0).lent == 0)
    world.openLink(to: 1)
    world.run(for: .seconds(1))
    #expect(world.leasesOut(of: 1).borrowed == 0, "nothing is kept for a lesson that is not open")
    world.tell(1, .openLesson(World.lesson))
    world.tell(1, .setStage(World.lesson, World.camera))
    _ = try world.addReceiver()
    let second = try world.addReceiver()
    #expect(world.worker(of: second) == 1)
    #expect(world.run(atMost: .seconds(1)) { isFresh($0, second) })
    #expect(world.finish() == [])
  }

  /// A worker that stands still costs the home nothing but counted drops; it sees the present when it goes on.
  @Test(arguments: [64, 8_192]) func aStalledWorkerHarmsNobodyAtHome(leaseCapacity: Int) throws {
    let world = World(seed: 250, workers: 2, leaseCapacity: leaseCapacity)
    // It makes no key frame unless it is asked: what is missing is missed.
    try world.addPublisher(keyFrameInterval: 100_000)
    let far = try world.addReceiver()
    let near = try world.addReceiver()
    world.run(for: .seconds(2))
    world.setStalled(worker: 1, true)
    world.run(for: .seconds(5))
    let drops = world.workerCounters(0).drops[DropReason.linkFull.rawValue]
    #expect((drops > 0) == (leaseCapacity == 64))
    #expect(isFresh(world, near))
    world.setStalled(worker: 1, false)
    #expect(world.run(atMost: .seconds(3)) { isFresh($0, far) }, "a picture was asked for")
    world.received(near) { received in
      let first = received.frames.keys.min() ?? 0
      #expect(received.frames.count == Int((received.frames.keys.max() ?? 0) - first) + 1)
    }
    #expect(world.finish() == [])
  }

  /// The home has few slots and the other worker holds them: lending stops before the lesson at home lacks one.
  @Test func aHomeShortOfSlotsLendsNoMore() throws {
    let world = World(seed: 260, workers: 2, slots: 2_048)
    try world.addPublisher(keyFrameInterval: 60)
    let far = try world.addReceiver()
    let near = try world.addReceiver()
    world.run(for: .seconds(2))
    world.setStalled(worker: 1, true)
    world.run(for: .seconds(20))
    let counters = world.workerCounters(0)
    #expect(counters.drops[DropReason.linkShortOfSlots.rawValue] > 0)
    #expect(counters.drops[DropReason.noSlot.rawValue] == 0)
    #expect(counters.slotsFree >= 256)
    world.received(near) { received in
      let first = received.frames.keys.min() ?? 0
      #expect(received.frames.count == Int((received.frames.keys.max() ?? 0) - first) + 1)
    }
    world.setStalled(worker: 1, false)
    _ = world.run(atMost: .seconds(5)) { $0.end(far) != nil || isFresh($0, far) }
    #expect(world.end(far) == nil || world.end(far) == .iceTimeout)
    #expect(world.run(atMost: .seconds(15)) { $0.end(far) != nil || isFresh($0, far) })
    #expect(world.finish() == [])
  }

  /// More happens than the lane of notices holds while the other worker stands still: all is told anew.
  @Test func aLaneFullOfNoticesBeginsAnew() throws {
    let world = World(seed: 270, workers: 2)
    try world.addPublisher()
    let site = try world.addReceiver()
    world.run(for: .seconds(2))
    world.setStalled(worker: 1, true)
    for _ in 0..<600 {
      world.closeLink(to: 1)
      world.openLink(to: 1)
    }
    world.run(for: .seconds(1))
    #expect(world.workerCounters(0).linkResets == 1)
    world.setStalled(worker: 1, false)
    #expect(world.run(atMost: .seconds(3)) { isFresh($0, site) })
    #expect(world.finish() == [])
  }

  /// Either worker has its last turn in mid-lesson: the one that is left has all its slots, and its receivers go on.
  @Test(arguments: [0, 1]) func aWorkerStops(which: Int) throws {
    let world = World(seed: 280, workers: 2)
    try world.addPublisher()
    _ = try world.addReceiver()
    let near = try world.addReceiver()
    world.run(for: .seconds(3))
    world.stop(worker: which)
    world.run(for: .milliseconds(100))
    #expect(world.leasesOut(of: 1).borrowed == 0)
    if which == 1 {
      #expect(world.leasesOut(of: 0).lent == 0)
      world.openLink(to: 1)
      world.run(for: .seconds(1))
      #expect(isFresh(world, near) && world.leasesOut(of: 0).lent == 0)
    }
    world.tell(1 - which, .closeLesson(World.lesson))
    world.run(for: .milliseconds(100))
    #expect(world.leftovers(of: 1 - which) == [])
  }
}
