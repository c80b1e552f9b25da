import Classroom
import Testing

@Suite struct AttendanceTests {
  static func tracker(_ window: Range<Int64> = 0..<2_400_000) -> AttendanceTracker {
    var tracker = AttendanceTracker(
      thresholds: .all[0], windowStart: window.lowerBound, windowEnd: window.upperBound)
    tracker.setLive(true, now: min(window.lowerBound, 0))
    return tracker
  }

  @Test func anAcknowledgedConnectionCountsAndAnIdleOneDoesNot() {
    var tracker = Self.tracker()
    #expect(tracker.connect(peer: 1, now: 0) == [.joined])
    #expect(tracker.effectiveMilliseconds == 0)
    for second in 1...60 { tracker.acknowledge(peer: 1, now: Int64(second) * 1000) }
    #expect(tracker.effectiveSeconds == 60)
    #expect(tracker.advance(now: 3_600_000) == nil)
    #expect(tracker.effectiveSeconds == 60)
    tracker.acknowledge(peer: 1, now: 90_000)
    #expect(tracker.effectiveSeconds == 60, "time that ran backwards counts nothing")
  }

  @Test func aLateAcknowledgementVouchesForTenSecondsOnly() {
    var tracker = Self.tracker()
    _ = tracker.connect(peer: 1, now: 0)
    tracker.acknowledge(peer: 1, now: 100_000)
    #expect(tracker.effectiveMilliseconds == 10_000)
    tracker.acknowledge(peer: 1, now: 100_000)
    #expect(tracker.effectiveMilliseconds == 10_000)
    tracker.acknowledge(peer: 2, now: 101_000)
    #expect(tracker.effectiveMilliseconds == 10_000, "an unknown peer")
  }

  @Test func onlyTheWindowAndTheLiveSpanCount() {
    var tracker = Self.tracker(10_000..<20_000)
    _ = tracker.connect(peer: 1, now: 0)
    for time in stride(from: Int64(1_000), through: 40_000, by: 1_500) { tracker.acknowledge(peer: 1, now: time) }
    #expect(tracker.effectiveMilliseconds == 10_000)

    var dark = AttendanceTracker(thresholds: .all[0])
    _ = dark.connect(peer: 1, now: 0)
    dark.acknowledge(peer: 1, now: 5_000)
    #expect(dark.effectiveMilliseconds == 0)
    dark.setLive(true, now: 7_000)
    dark.acknowledge(peer: 1, now: 10_000)
    #expect(dark.effectiveMilliseconds == 3_000)
    dark.setLive(false, now: 12_000)
    dark.setLive(true, now: 13_000)
    dark.acknowledge(peer: 1, now: 15_000)
    #expect(dark.effectiveMilliseconds == 7_000, "10…12 and 13…15 s")
  }

  @Test func aGapUnderSixtySecondsIsNotALeave() {
    for (gap, isLeave) in [(Int64(1), false), (59_999, false), (60_000, true), (600_000, true)] {
      for isAsked in [true, false] {
        var tracker = Self.tracker()
        _ = tracker.connect(peer: 1, now: 1_000)
        tracker.disconnect(peer: 1, now: 10_000)
        if isAsked { #expect(tracker.advance(now: 10_000 + gap) == (isLeave ? .left(at: 10_000) : nil)) }
        let changes = tracker.connect(peer: 2, now: 10_000 + gap)
        let late: [AttendanceChange] = isAsked ? [.joined] : [.left(at: 10_000), .joined]
        #expect(changes == (isLeave ? late : [.reconnected]))
        #expect(tracker.joins == (isLeave ? 2 : 1))
        #expect(tracker.leaves == (isLeave ? 1 : 0))
        #expect(tracker.reconnects == (isLeave ? 0 : 1))
      }
    }
  }

  @Test func takeOversAndSecondConnectionsAreToldApart() {
    var tracker = Self.tracker()
    _ = tracker.connect(peer: 1, now: 0)
    #expect(tracker.connect(peer: 2, now: 1) == [])
    #expect(tracker.connect(peer: 2, now: 2) == [])
    #expect(tracker.connect(peer: 3, replacing: 1, now: 3) == [.reconnected])
    tracker.disconnect(peer: 1, now: 4)
    #expect(tracker.isConnected)
    tracker.disconnect(peer: 2, now: 5)
    tracker.disconnect(peer: 3, now: 6)
    #expect(!tracker.isConnected && tracker.isPresent)
    for peer in 10..<30 { _ = tracker.connect(peer: UInt64(peer), now: 7) }
    for peer in 10..<30 { tracker.disconnect(peer: UInt64(peer), now: 8) }
    #expect(!tracker.isConnected)
    #expect(tracker.advance(now: 60_008) == .left(at: 8))
  }

  @Test func attendedIsTwoThirdsExactly() {
    let thresholds = AttendanceThresholds.all[0]
    #expect(thresholds.isAttended(effectiveMilliseconds: 1_600_000, plannedMilliseconds: 2_400_000))
    #expect(!thresholds.isAttended(effectiveMilliseconds: 1_599_999, plannedMilliseconds: 2_400_000))
    #expect(!thresholds.isAttended(effectiveMilliseconds: 0, plannedMilliseconds: 0))
    #expect(thresholds.isAttended(effectiveMilliseconds: .max, plannedMilliseconds: .max))
    #expect(!thresholds.isTaught(liveMilliseconds: 66, plannedMilliseconds: 100))
    #expect(thresholds.isTaught(liveMilliseconds: 67, plannedMilliseconds: 100))
    #expect(AttendanceThresholds.version(1) == thresholds)
    #expect(AttendanceThresholds.version(2) == nil)
  }

  @Test func extremeTimesDoNotTrap() {
    var tracker = AttendanceTracker(thresholds: .all[0], effectiveMilliseconds: .max)
    for now in [Int64.min, -1, 0, .max, .min, .max] {
      tracker.setLive(now != 0, now: now)
      _ = tracker.connect(peer: 1, now: now)
      tracker.acknowledge(peer: 1, now: now)
      tracker.disconnect(peer: 1, now: now)
      _ = tracker.advance(now: now)
    }
    #expect(tracker.effectiveMilliseconds > 0)
  }

  /// One connection at a time against a count of each single 100 ms step, by the definition alone.
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func agreesWithCountingEachStep(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let step: Int64 = 100
    let window =
      Int64.random(in: 0...200, using: &generator) * step..<Int64.random(in: 300...1_500, using: &generator) * step
    var tracker = AttendanceTracker(
      thresholds: .all[0], windowStart: window.lowerBound, windowEnd: window.upperBound)
    let liveFrom = Int64.random(in: 0...400, using: &generator) * step
    let liveUntil = liveFrom + Int64.random(in: 0...1_500, using: &generator) * step
    // What is counted when an acknowledgement comes: the steps since the one before, or since the connection.
    var pending: [Int64] = []
    var counted: Set<Int64> = []
    var joins = 0
    var leaves = 0
    var reconnects = 0
    var isConnected = false
    var lostAt: Int64?
    for index in 0..<2_000 as Range<Int64> {
      let now = index * step
      if now == liveFrom { tracker.setLive(true, now: now) }
      if now == liveUntil { tracker.setLive(false, now: now) }
      if let lost = lostAt, now - lost >= 60_000 {
        leaves += 1
        lostAt = nil
        #expect(tracker.advance(now: now) == .left(at: lost))
      } else {
        #expect(tracker.advance(now: now) == nil)
      }
      let draw = Int.random(in: 0..<1_000, using: &generator)
      if isConnected, draw < 4 {
        tracker.disconnect(peer: 1, now: now)
        isConnected = false
        lostAt = now
        pending = []
      } else if !isConnected, draw < (index % 1_000 < 700 ? 3 : 30) {
        if lostAt != nil { reconnects += 1 } else { joins += 1 }
        _ = tracker.connect(peer: 1, now: now)
        isConnected = true
        lostAt = nil
      } else if isConnected, draw < 60 {
        tracker.acknowledge(peer: 1, now: now)
        counted.formUnion(pending.suffix(100))
        pending = []
      }
      if isConnected { pending.append(now) }
    }
    let live = counted.filter { window.contains($0) && $0 >= liveFrom && $0 < liveUntil }
    #expect(tracker.effectiveMilliseconds == Int64(live.count) * step)
    #expect(tracker.joins == joins && tracker.leaves == leaves && tracker.reconnects == reconnects)
  }

  /// Several connections, jumping clocks, any order: never more than the time that passed, never falling.
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func neverCountsMoreThanPassed(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var tracker = Self.tracker(0..<Int64(1_000_000))
    var now: Int64 = 0
    var latest: Int64 = 0
    var before: Int64 = 0
    for _ in 0..<3_000 {
      now += Int64.random(in: -500...1_500, using: &generator)
      let advanced = max(0, now - latest)
      latest = max(latest, now)
      let peer = UInt64.random(in: 0..<4, using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0: _ = tracker.connect(peer: peer, now: now)
      case 1: _ = tracker.connect(peer: peer, replacing: (peer + 1) % 4, now: now)
      case 2: tracker.disconnect(peer: peer, now: now)
      case 3: _ = tracker.advance(now: now)
      default: tracker.acknowledge(peer: peer, now: now)
      }
      #expect(tracker.effectiveMilliseconds >= before)
      #expect(tracker.effectiveMilliseconds - before <= max(10_000, advanced))
      before = tracker.effectiveMilliseconds
      #expect(before <= max(0, min(latest, 1_000_000)))
      #expect(tracker.joins - tracker.leaves == (tracker.isPresent ? 1 : 0))
    }
    #expect(before > 0)
  }
}
