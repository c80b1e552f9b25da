// Goal: a called site is seen and heard by all others at once and by nobody when it is not called, on whichever worker
// they are, and nothing of the lead's is harmed by what sites send back.
// Method: classrooms in simulated time with several publishers, whose pictures and sounds are told apart by number; the
// world's checkers watch that every number is sealed once, so no switch made anything anew.
import RTCCore
import Simulation
import Testing

@Suite struct CalledTests {
  private static let first = World.site(0)
  private static let second = World.site(1)

  private struct Count: Equatable {
    var pictures = 0
    var sounds = 0
  }

  private struct Shown: Equatable {
    var picture = true
    var sound = true
  }

  /// A lead, two sites that send back, and who watches with both lines on the called one.
  private struct Room {
    let world: World
    let lead: Int
    /// Publisher numbers of the world: pictures of the first site begin at 1 << 24.
    var sites: [Int] = []
    var watchers: [Int] = []

    init(seed: UInt64, workers: Int, line: LineOptions = LineOptions(), watchers count: Int = 2) throws {
      world = World(seed: seed, workers: workers)
      lead = try world.addPublisher(line: line, back: line)
      for number in UInt32(0)..<2 {
        sites.append(try world.addPublisher(feed: World.site(number), line: line, back: line, keyFrameInterval: 60))
      }
      for _ in 0..<count {
        let watcher = try world.addReceiver(line: line, back: line)
        for mid in ["0", "1"] { world.show(watcher, .called, mid: mid) }
        watchers.append(watcher)
      }
      world.run(for: .seconds(1))
    }

    func call(picture: FeedID?, sound: FeedID?) {
      world.tellRelay(.setCalled(World.lesson, picture: picture, sound: sound))
    }

    func call(_ feed: FeedID?) { call(picture: feed, sound: feed) }

    /// Whether the newest picture and sound of a watcher are of a publisher, and come now.
    func isShown(_ publisher: Int, to watcher: Int) -> Shown {
      let now = world.now
      return world.received(watcher) { received in
        let picture = received.lastFrame.map {
          $0.key >> 24 == UInt32(publisher) && now - $0.at < .milliseconds(300)
        }
        let sound = received.audioPackets.contains {
          $0.key >> 24 == UInt32(publisher) && now - $0.value < .milliseconds(100)
        }
        return Shown(picture: picture ?? false, sound: sound)
      }
    }

    /// Pictures and packets of sound that a watcher has ever had of a publisher.
    func count(_ publisher: Int, at watcher: Int) -> Count {
      world.received(watcher) { received in
        Count(
          pictures: received.frames.keys.count { $0 >> 24 == UInt32(publisher) },
          sounds: received.audioPackets.keys.count { $0 >> 24 == UInt32(publisher) })
      }
    }

    func expectShown(_ publisher: Int, _ place: SourceLocation = #_sourceLocation) {
      for watcher in watchers {
        let isThere = world.run(atMost: .seconds(2)) { _ in
          isShown(publisher, to: watcher) == Shown()
        }
        #expect(isThere, "\(isShown(publisher, to: watcher))", sourceLocation: place)
      }
    }

    /// Nothing more comes to anybody.
    func expectSilence(_ place: SourceLocation = #_sourceLocation) {
      world.run(for: .milliseconds(400))
      let before = watchers.map { watcher in (0...2).map { count($0, at: watcher) } }
      world.run(for: .milliseconds(800))
      for (index, watcher) in watchers.enumerated() {
        for publisher in 0...2 {
          #expect(count(publisher, at: watcher) == before[index][publisher], sourceLocation: place)
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3], UInt64(300)..<303) func panesFollowWhoIsCalled(workers: Int, seed: UInt64) throws {
    var line = LineOptions()
    line.loss = 0.01
    line.delay = .milliseconds(15)
    let room = try Room(seed: seed, workers: workers, line: line, watchers: workers + 1)
    room.expectSilence()
    for _ in 0..<3 {
      room.call(Self.first)
      room.expectShown(1)
      room.call(Self.second)
      room.expectShown(2)
      room.call(nil)
      room.expectSilence()
    }
    // Nobody who watches the called one has ever been given the lead by it.
    for watcher in room.watchers { #expect(room.count(0, at: watcher) == Count()) }
    #expect(room.world.finish() == [])
  }

  @Test(arguments: [1, 2]) func theSoundCanBeTakenAlone(workers: Int) throws {
    let room = try Room(seed: 310, workers: workers)
    room.call(Self.first)
    room.expectShown(1)
    room.call(picture: Self.first, sound: nil)
    room.world.run(for: .milliseconds(200))
    let before = room.watchers.map { room.count(1, at: $0).sounds }
    room.world.run(for: .seconds(1))
    for (place, watcher) in room.watchers.enumerated() {
      #expect(room.count(1, at: watcher).sounds == before[place])
      #expect(room.isShown(1, to: watcher).picture)
    }
    room.call(Self.first)
    room.expectShown(1)
    #expect(room.world.finish() == [])
  }

  /// The called site and the lead, whose receivers know what their seats publish, get nothing of it back.
  @Test(arguments: [1, 2]) func nobodyIsGivenItsOwn(workers: Int) throws {
    let room = try Room(seed: 320, workers: workers)
    var own: [Int] = []
    for feeds in [[Self.first], [World.camera, World.screen]] {
      for _ in 0..<2 { own.append(try room.world.addReceiver(ownFeeds: feeds)) }
    }
    for watcher in own[..<2] { for mid in ["0", "1"] { room.world.show(watcher, .called, mid: mid) } }
    room.call(Self.first)
    room.expectShown(1)
    room.world.run(for: .seconds(1))
    for watcher in own[..<2] { #expect(room.count(1, at: watcher) == Count()) }
    // The lead's show the stage, which is its own.
    for watcher in own[2...] { #expect(room.count(0, at: watcher) == Count()) }
    // An explicit wish changes nothing, and of others they see whatever is called.
    room.world.show(own[0], .feed(Self.first))
    room.world.run(for: .milliseconds(500))
    #expect(room.count(1, at: own[0]) == Count())
    room.world.show(own[0], .called)
    room.call(Self.second)
    #expect(room.world.run(atMost: .seconds(2)) { _ in room.isShown(2, to: own[0]) == Shown() })
    #expect(room.world.finish() == [])
  }

  @Test(arguments: [1, 2]) func aCalledSiteLeavesAndComesBack(workers: Int) throws {
    let room = try Room(seed: 330, workers: workers)
    room.call(Self.first)
    room.expectShown(1)
    room.world.leave(room.sites[0])
    room.expectSilence()
    // Publisher 3 of the world is the same feed: nobody has to be called again.
    try room.world.addPublisher(feed: Self.first)
    room.expectShown(3)
    room.call(nil)
    room.expectSilence()
    room.call(Self.first)
    room.expectShown(3)
    // A take-over while it is called.
    try room.world.addPublisher(feed: Self.first)
    room.expectShown(4)
    #expect(room.world.finish() == [])
  }

  /// What nobody over there can be shown is not lent: it would cost the slots that the lead's feeds need.
  @Test func onlyWhatIsCalledIsLent() throws {
    let world = World(seed: 340, workers: 2)
    try world.addPublisher()
    for number in UInt32(0)..<6 { try world.addPublisher(feed: World.site(number)) }
    let far = try world.addReceiver()
    #expect(world.worker(of: far) == 1)
    world.run(for: .seconds(2))
    #expect(world.workerCounters(0).streams == 14)
    #expect(world.workerCounters(1).streams == 2)
    world.tellRelay(.setCalled(World.lesson, picture: World.site(4), sound: World.site(4)))
    world.run(for: .milliseconds(200))
    #expect(world.workerCounters(1).streams == 4)
    // A link that begins anew lends the same.
    world.openLink(to: 1)
    world.run(for: .milliseconds(200))
    #expect(world.workerCounters(1).streams == 4)
    world.tellRelay(.setCalled(World.lesson, picture: nil, sound: nil))
    world.run(for: .milliseconds(200))
    #expect(world.workerCounters(1).streams == 2)
    // One that is watched over there is lent though it is not called, also by a link that begins anew.
    world.tell(0, .lendFeed(World.lesson, World.site(2), to: 1))
    world.show(far, .feed(World.site(2)))
    #expect(world.run(atMost: .seconds(2)) { $0.received(far) { $0.lastFrame.map { $0.key >> 24 == 3 } ?? false } })
    world.openLink(to: 1)
    world.run(for: .milliseconds(200))
    #expect(world.workerCounters(1).streams == 4)
    #expect(world.finish() == [])
  }

  /// Sites come, are called, thrown out and come again: the lead's recording has every picture.
  @Test func theRecordingOfTheLeadGoesOn() throws {
    let room = try Room(seed: 350, workers: 1)
    let recorder = room.world.addRecorder()
    room.world.run(for: .seconds(1))
    for round in 0..<10 {
      room.call(round % 2 == 0 ? Self.first : Self.second)
      room.world.run(for: .milliseconds(300))
      room.world.leave(room.sites.last ?? 0)
      let site = try room.world.addPublisher(feed: World.site(UInt32(round % 2)))
      room.world.run(for: .milliseconds(250))
      room.world.leave(site)
    }
    room.world.recorded(recorder) { received in
      let first = received.frames.keys.min() ?? 0
      let last = received.frames.keys.max() ?? 0
      #expect(received.frames.count == Int(last - first) + 1 && last > 150)
    }
    #expect(room.world.finish() == [])
  }

  /// Whatever happens in whichever order, the end is what the last call says.
  @Test(arguments: UInt64(360)..<372, [1, 2]) func anyOrderOfEventsEndsRight(seed: UInt64, workers: Int) throws {
    var random = SplitMix64(seed: seed)
    var line = LineOptions()
    line.loss = Double.random(in: 0...0.04, using: &random)
    line.jitter = .milliseconds(Int64.random(in: 0...15, using: &random))
    var room = try Room(seed: seed, workers: workers, line: line)
    for _ in 0..<30 {
      room.world.run(for: .milliseconds(Int64.random(in: 1...400, using: &random)))
      let number = Int.random(in: 0..<2, using: &random)
      switch Int.random(in: 0..<7, using: &random) {
      case 0: room.call(nil)
      case 1: room.call(picture: World.site(UInt32(number)), sound: nil)
      case 2: room.world.leave(room.sites[number])
      case 3:
        room.sites[number] = try room.world.addPublisher(feed: World.site(UInt32(number)), line: line, back: line)
      case 4 where workers > 1: room.world.openLink(to: 1)
      case 5 where workers > 1:
        room.world.closeLink(to: 1)
        room.world.openLink(to: 1)
      default: room.call(World.site(UInt32(number)))
      }
    }
    // Numbers of publishers go on: the last one of the feed is who is seen.
    room.world.leave(room.sites[0])
    try room.world.addPublisher(feed: Self.first, line: line, back: line)
    room.call(Self.first)
    for watcher in room.watchers {
      let isThere = room.world.run(atMost: .seconds(10)) { world in
        world.received(watcher) { received in
          let picture = received.lastFrame.map { world.now - $0.at < .milliseconds(300) } ?? false
          return picture && received.audioPackets.values.contains { world.now - $0 < .milliseconds(100) }
        }
      }
      #expect(isThere, "seed \(seed)")
    }
    room.call(nil)
    room.world.run(for: .milliseconds(500))
    func had(_ watcher: Int) -> Count {
      room.world.received(watcher) { Count(pictures: $0.frames.count, sounds: $0.audioPackets.count) }
    }
    let silent = room.watchers.map(had)
    room.world.run(for: .seconds(1))
    for (place, watcher) in room.watchers.enumerated() {
      #expect(had(watcher) == silent[place], "seed \(seed)")
    }
    #expect(room.world.finish() == [], "seed \(seed)")
  }
}
