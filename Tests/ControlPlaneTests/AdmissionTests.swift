// Goal: nobody is let in who would hurt a running lesson, and nobody is kept out who would not.
import ControlPlane
import RTCCore
import Testing

private struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

@Suite struct AdmissionTests {
  /// A stage of 1,000 packets and 8 Mbit each second, so that a receiver costs 0.004 of a processor at the usual cost.
  private static let stage: StageRate = {
    var rate = StageRate()
    rate.note(packetsPerSecond: 1_000, bitsPerSecond: 8e6)
    return rate
  }()

  private func admission(_ change: (inout AdmissionLimits) -> Void = { _ in }, workers: Int = 1) -> Admission {
    var limits = AdmissionLimits()
    change(&limits)
    return Admission(limits: limits, sessionLimit: 100, peerLimit: 50, workers: workers)
  }

  private func join(_ worker: Int = 0, isExempt: Bool = false) -> Admission.Join {
    Admission.Join(worker: worker, rate: Self.stage, isExempt: isExempt)
  }

  private func load(_ utilisation: Double, backlog: Double? = nil, slots: Double = 0, bits: Double = 0) -> WorkerLoad {
    var load = WorkerLoad()
    load.utilisation = utilisation
    load.backlog = backlog
    load.slots = slots
    load.bitsPerSecond = bits
    return load
  }

  @Test func anIdleRelayTakesAnyone() {
    #expect(admission().obstacle(to: join(), peers: 0, sessions: 0) == nil)
  }

  @Test func countedLimitsHoldForEveryone() {
    let limited = admission()
    let off = Admission(limits: nil, sessionLimit: 100, peerLimit: 50, workers: 1)
    for admission in [limited, off] {
      for isExempt in [false, true] {
        let join = join(isExempt: isExempt)
        #expect(admission.obstacle(to: join, peers: 49, sessions: 99) == nil)
        #expect(admission.obstacle(to: join, peers: 50, sessions: 99) == .peers)
        #expect(admission.obstacle(to: join, peers: 50, sessions: 100) == .sessions)
      }
    }
  }

  @Test func thoseWhoDoNotShowYetCountInTheBacklogToo() {
    var admission = admission()
    admission.note([load(0.4, backlog: 6_000)], receivers: [], now: 0)
    var joined = 0
    while joined < 1_000, admission.obstacle(to: join(), peers: 0, sessions: 0) == nil {
      admission.admit(PeerID(rawValue: UInt64(joined)), join(), now: 0)
      joined += 1
    }
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == .backlog)
    // A third more than 0.4 of a processor, at 0.004 each.
    #expect(joined == 34)
  }

  @Test func loadHoldsNewcomersAlone() {
    let cases: [(WorkerLoad, Shortage?)] = [
      (load(0.79), nil), (load(0.797), .processor), (load(1), .processor),
      (load(0.5, slots: 0.89), nil), (load(0.5, slots: 0.9), .slots),
      (load(0.5, backlog: 8_000), nil), (load(0.5, backlog: 8_001), .backlog),
      // Late for another reason than its load: refusing would not help.
      (load(0.19, backlog: 50_000), nil), (load(0.2, backlog: 50_000), .backlog),
      (load(0.5, bits: 91e6), nil), (load(0.5, bits: 93e6), .uplink),
    ]
    for (load, expected) in cases {
      var admission = admission { $0.uplink = 100 }
      admission.note([load], receivers: [], now: 0)
      #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == expected, "\(load)")
      #expect(admission.obstacle(to: join(isExempt: true), peers: 0, sessions: 0) == nil, "\(load)")
      var off = Admission(limits: nil, sessionLimit: 100, peerLimit: 50, workers: 1)
      off.note([load], receivers: [], now: 0)
      #expect(off.obstacle(to: join(), peers: 0, sessions: 0) == nil, "\(load)")
    }
  }

  @Test func anotherWorkersLoadIsNoObstacle() {
    var admission = admission(workers: 2)
    admission.note([load(0.95, backlog: 90_000), load(0.1)], receivers: [], now: 0)
    #expect(admission.obstacle(to: join(0), peers: 0, sessions: 0) == .processor)
    #expect(admission.obstacle(to: join(1), peers: 0, sessions: 0) == nil)
    #expect(admission.expectedLoads == [0.95, 0.1])
  }

  @Test func whatIsConfiguredIsWhatHolds() {
    var strict = admission {
      $0.processor = 30
      $0.backlog = 2
    }
    strict.note([load(0.3)], receivers: [], now: 0)
    #expect(strict.obstacle(to: join(), peers: 0, sessions: 0) == .processor)
    strict.note([load(0.25, backlog: 2_100)], receivers: [], now: 0)
    #expect(strict.obstacle(to: join(), peers: 0, sessions: 0) == .backlog)
  }

  @Test func joinsOfOneSecondCountBeforeTheyShow() {
    var admission = Admission(limits: AdmissionLimits(), sessionLimit: 10_000, peerLimit: 10_000, workers: 1)
    admission.note([load(0.4)], receivers: [], now: 0)
    var admitted = 0
    while admission.obstacle(to: join(), peers: 0, sessions: 0) == nil, admitted < 10_000 {
      admission.admit(PeerID(rawValue: UInt64(admitted)), join(), now: 0)
      admitted += 1
    }
    // 0.4 of room at 0.004 each.
    #expect((99...100).contains(admitted))
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == .processor)
  }

  @Test func theLineFillsWithThoseWhoHaveJustCome() {
    var admission = admission { $0.uplink = 80 }
    for peer in UInt64(0)..<9 { admission.admit(PeerID(rawValue: peer), join(), now: 0) }
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == nil)
    admission.admit(PeerID(rawValue: 10), join(), now: 0)
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == .uplink)
    #expect(admission.ratio(.uplink, sessions: 0) == 1)
  }

  @Test func whoShowsInTheMeasurementIsNotCountedTwice() {
    var admission = admission()
    let peer = PeerID(rawValue: 1)
    admission.admit(peer, join(), now: 0)
    let pending = admission.expected(0)
    #expect(pending > 0.0039)
    admission.note([load(0.1)], receivers: [], now: 1_000)
    #expect(admission.expected(0) > 0.1039)
    admission.settle(peer, now: 1_000)
    admission.note([load(0.1)], receivers: [], now: 2_999)
    #expect(admission.expected(0) > 0.1039)
    admission.note([load(0.1)], receivers: [], now: 3_000)
    #expect(admission.expected(0) == 0.1)
  }

  @Test func whoNeverGetsAPacketIsForgotten() {
    var admission = admission()
    admission.admit(PeerID(rawValue: 1), join(), now: 0)
    admission.admit(PeerID(rawValue: 2), join(), now: 0)
    admission.remove(PeerID(rawValue: 2))
    admission.remove(PeerID(rawValue: 2))
    admission.note([load(0)], receivers: [], now: 14_999)
    #expect(admission.expected(0) > 0.0039 && admission.expected(0) < 0.0041)
    admission.note([load(0)], receivers: [], now: 15_000)
    #expect(admission.expected(0) == 0)
  }

  /// A teacher who has not begun, or pauses: nothing is measured, and yet all of them will be sent the stage.
  @Test func classroomsThatWaitAreCounted() {
    var admission = admission()
    admission.note([load(0.01)], receivers: [(0, 199, Self.stage)], now: 60_000)
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == nil)
    admission.note([load(0.01)], receivers: [(0, 120, Self.stage), (0, 80, Self.stage)], now: 61_000)
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == .processor)
    // What is measured does not come on top of what is promised: they are the same receivers.
    admission.note([load(0.5)], receivers: [(0, 120, Self.stage)], now: 62_000)
    #expect(admission.expected(0) == 0.5)
  }

  @Test func aDearerPacketTakesMoreRoom() {
    var admission = admission()
    var dear = load(0.7)
    dear.packetCost = 40
    admission.note([dear], receivers: [], now: 0)
    for peer in UInt64(0)..<2 { admission.admit(PeerID(rawValue: peer), join(), now: 0) }
    #expect(admission.obstacle(to: join(), peers: 0, sessions: 0) == .processor)
  }

  @Test func aPublisherCostsNoReceiver() {
    var admission = admission()
    let publisher = Admission.Join(worker: 0, rate: nil, isExempt: true)
    admission.admit(PeerID(rawValue: 1), publisher, now: 0)
    #expect(admission.expected(0) == 0)
    #expect(admission.obstacle(to: publisher, peers: 50, sessions: 0) == .peers)
  }

  @Test func whoIsRefusedComesBackAtDifferentTimes() {
    var admission = admission()
    var random = Generator(state: 7)
    let first = (0..<10).map { _ in admission.refuse(.processor, using: &random) }
    #expect(first.allSatisfy { (5...10).contains($0) })
    #expect(Set(first).count > 1)
    let crowd = (0..<500).map { _ in admission.refuse(.uplink, using: &random) }
    #expect(crowd.allSatisfy { (5...70).contains($0) })
    #expect((crowd.max() ?? 0) > 30, "a crowd is spread over more time")
    #expect(admission.refusals == [.processor: 10, .uplink: 500])
    for second in 0..<100 { admission.note([load(0)], receivers: [], now: Int64(second) * 1_000) }
    #expect((0..<20).allSatisfy { _ in admission.refuse(.processor, using: &random) <= 10 })
  }

  @Test func ratiosAreOneWhereJoinsEnd() {
    var admission = admission()
    admission.note([load(0.8, backlog: 8_000, slots: 0.9)], receivers: [], now: 0)
    for resource in [Shortage.processor, .backlog, .slots] {
      #expect(admission.ratio(resource, worker: 0, peers: 0) == 1, "\(resource)")
    }
    #expect(admission.ratio(.peers, worker: 0, peers: 25) == 0.5)
    #expect(admission.ratio(.sessions, sessions: 25) == 0.25)
    #expect(admission.ratio(.uplink, sessions: 0) == nil)
    var off = Admission(limits: nil, sessionLimit: 1, peerLimit: 1, workers: 1)
    off.note([load(0.8)], receivers: [], now: 0)
    #expect(off.ratio(.processor, worker: 0, peers: 0) == 0.8)
  }
}
