// Goal: lessons and receivers go where there is room, and a lesson leaves a worker that it no longer needs.
import ControlPlane
import RTCCore
import Testing

@Suite struct WorkerPlacementTests {
  private let lesson = LessonID(rawValue: 1)

  private func placement(workers: Int, receivers: Int = 0) -> WorkerPlacement {
    var placement = WorkerPlacement(workers: workers)
    let home = placement.open(lesson, loads: Array(repeating: 0, count: workers))
    for _ in 0..<receivers { placement.join(lesson, at: home) }
    return placement
  }

  @Test func aLessonGoesToTheLeastLoaded() {
    var placement = WorkerPlacement(workers: 3)
    #expect(placement.open(lesson, loads: [0.5, 0.2, 0.3]) == 1)
    #expect(placement.home(of: lesson) == 1)
    #expect(placement.workers(of: lesson) == [1])
  }

  @Test func lessonsOpenedTogetherAreShared() {
    var placement = WorkerPlacement(workers: 4)
    var count = [0, 0, 0, 0]
    for number in 0..<40 { count[placement.open(LessonID(rawValue: UInt32(number)), loads: [0, 0, 0, 0])] += 1 }
    #expect(count == [10, 10, 10, 10])
    // A worker that carries something gets fewer.
    var loaded = WorkerPlacement(workers: 2)
    var second = 0
    for number in 0..<10 { second += loaded.open(LessonID(rawValue: UInt32(number)), loads: [0.05, 0]) }
    #expect(second > 5)
  }

  @Test func receiversStayAtHomeWhileItHasRoom() {
    let few = placement(workers: 2, receivers: WorkerPlacement.spreadThreshold - 1)
    let many = placement(workers: 2, receivers: 200)
    // Too few to spread, however loaded the home is.
    #expect(few.candidates(of: lesson, loads: [0.9, 0]).first == 0)
    // Many, but the home is at ease.
    #expect(many.candidates(of: lesson, loads: [0.4, 0]).first == 0)
    // Many, and everyone has as much to do.
    #expect(many.candidates(of: lesson, loads: [0.7, 0.65]).first == 0)
    #expect(many.candidates(of: lesson, loads: [0.7, 0.1]).first == 1)
  }

  @Test func othersFollowByTheirLoad() {
    let placement = placement(workers: 4)
    #expect(placement.candidates(of: lesson, loads: [0.9, 0.3, 0.1, 0.2]) == [0, 2, 3, 1])
    #expect(placement.candidates(of: LessonID(rawValue: 9), loads: [0, 0, 0, 0]).isEmpty)
  }

  @Test func aLinkThatStandsIsUsedBeforeAnother() {
    var placement = placement(workers: 3, receivers: 100)
    placement.link(lesson, to: 2, now: 0)
    #expect(placement.workers(of: lesson) == [0, 2])
    // Worker 1 is less loaded, but not by the margin.
    #expect(placement.candidates(of: lesson, loads: [0.8, 0.10, 0.15]).first == 2)
    #expect(placement.candidates(of: lesson, loads: [0.8, 0.10, 0.25]).first == 1)
  }

  @Test func aLinkWithoutReceiversEndsAfterItsTime() {
    var placement = placement(workers: 2, receivers: 100)
    let span = WorkerPlacement.idleSpan
    placement.link(lesson, to: 1, now: 1_000)
    #expect(placement.idleLinks(now: 1_000 + span - 1).isEmpty)
    #expect(placement.idleLinks(now: 1_000 + span).map(\.worker) == [1])
    placement.join(lesson, at: 1)
    placement.join(lesson, at: 1)
    placement.leave(lesson, at: 1, now: 5_000)
    #expect(placement.idleLinks(now: .max / 2).isEmpty)
    placement.leave(lesson, at: 1, now: 9_000)
    #expect(placement.idleLinks(now: 9_000 + span - 1).isEmpty)
    #expect(placement.idleLinks(now: 9_000 + span).map(\.worker) == [1])
    placement.unlink(lesson, from: 1)
    #expect(placement.idleLinks(now: .max / 2).isEmpty)
    #expect(placement.workers(of: lesson) == [0])
    // One more leave than joins, as when a lesson has been closed meanwhile, is nothing.
    placement.leave(lesson, at: 1, now: 0)
    #expect(placement.receivers(of: lesson, at: 1) == 0)
  }

  @Test func theHomeIsNeverIdle() {
    var placement = placement(workers: 2, receivers: 1)
    placement.leave(lesson, at: 0, now: 0)
    #expect(placement.idleLinks(now: .max / 2).isEmpty)
    placement.close(lesson)
    #expect(placement.workers(of: lesson).isEmpty)
  }

  /// A bell: 1,000 join one lesson while nothing is measured yet.
  @Test func aBellSpreadsOneLessonOverAll() {
    var placement = placement(workers: 4)
    var loads = [0.0, 0, 0, 0]
    for _ in 0..<1_000 {
      let worker = placement.candidates(of: lesson, loads: loads)[0]
      if !placement.workers(of: lesson).contains(worker) { placement.link(lesson, to: worker, now: 0) }
      placement.join(lesson, at: worker)
      loads[worker] += 0.0011
    }
    #expect(loads.allSatisfy { $0 > 0.15 && $0 < 0.45 }, "\(loads)")
  }
}
