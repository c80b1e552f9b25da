// Goal: pausing and jumping move a recording and never its receivers' time. Method: a clock is led through a lesson by
// hand, and by seeded random acts that are held against a plain model.
import Classroom
import Testing

@Suite struct PlaybackClockTests {
  static let second: Int64 = 1_000_000

  @Test func itStandsUntilItPlaysAndHoldsWhilePaused() {
    var clock = PlaybackClock(length: 600 * Self.second, position: 30 * Self.second)
    #expect(clock.state == .paused && clock.position(now: 5 * Self.second) == 30 * Self.second)
    clock.play(now: 100 * Self.second)
    #expect(clock.position(now: 110 * Self.second) == 40 * Self.second)
    clock.pause(now: 110 * Self.second)
    #expect(clock.position(now: 500 * Self.second) == 40 * Self.second)
    #expect(clock.played(now: 500 * Self.second) == 10 * Self.second)
    clock.play(now: 500 * Self.second)
    #expect(clock.due(41 * Self.second) == 501 * Self.second)
    #expect(clock.position(now: 502 * Self.second) == 42 * Self.second)
  }

  @Test func aJumpKeepsPlayingAndAddsNothingToWhatWasShown() {
    var clock = PlaybackClock(length: 600 * Self.second)
    clock.play(now: 0)
    clock.seek(to: 300 * Self.second, now: 10 * Self.second)
    #expect(clock.state == .playing && clock.due(300 * Self.second) == 10 * Self.second)
    #expect(clock.position(now: 15 * Self.second) == 305 * Self.second)
    #expect(clock.played(now: 15 * Self.second) == 15 * Self.second)
    clock.pause(now: 15 * Self.second)
    clock.seek(to: 900 * Self.second, now: 16 * Self.second)
    #expect(clock.state == .paused && clock.position(now: 99 * Self.second) == 600 * Self.second)
    clock.seek(to: -5, now: 17 * Self.second)
    #expect(clock.position(now: 99 * Self.second) == 0)
  }

  @Test func itEndsAtItsEndAndBeginsAnew() {
    var clock = PlaybackClock(length: 10 * Self.second)
    clock.play(now: 0)
    #expect(clock.position(now: 60 * Self.second) == 10 * Self.second)
    clock.end(now: 10 * Self.second)
    #expect(clock.state == .ended && clock.played(now: 99 * Self.second) == 10 * Self.second)
    clock.play(now: 100 * Self.second)
    #expect(clock.position(now: 101 * Self.second) == Self.second)
    #expect(clock.played(now: 101 * Self.second) == 11 * Self.second)
  }

  @Test func whatIsLateIsNotMadeUpFor() {
    var clock = PlaybackClock(length: 600 * Self.second)
    clock.play(now: 0)
    clock.lag(behind: 2 * Self.second, now: 5 * Self.second)
    #expect(clock.due(3 * Self.second) == 6 * Self.second)
    #expect(clock.played(now: 6 * Self.second) == 3 * Self.second)
    clock.lag(behind: 4 * Self.second, now: 6 * Self.second)
    #expect(clock.due(5 * Self.second) == 8 * Self.second, "what is early waits")
  }

  @Test func stampsOnlyGoOnWhateverIsDone() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<200 {
      var clock = PlaybackClock(length: 60 * Self.second)
      var now: Int64 = Int64.random(in: 0...1_000_000_000, using: &random)
      var last: [Int: Int64] = [:]
      var played: Int64 = 0
      for _ in 0..<300 {
        // A clock that is set back is held.
        now += Int64.random(in: -200_000...2_000_000, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: clock.play(now: now)
        case 1: clock.pause(now: now)
        case 2: clock.seek(to: Int64.random(in: -1...70 * Self.second, using: &random), now: now)
        case 3: clock.end(now: now)
        default:
          let track = Int.random(in: 0..<3, using: &random)
          let stamp = clock.stamp(clock.position(now: now), track: track)
          #expect(last[track].map { stamp >= $0 + 1_000 } ?? true)
          last[track] = stamp
        }
        #expect((0...60 * Self.second).contains(clock.position(now: now)))
        played = max(played, clock.played(now: now))
        #expect(clock.played(now: Int64.max) >= 0)
      }
      #expect(played <= 300 * 2 * Self.second)
    }
  }

  @Test func hostileNumbersAreHeld() {
    var clock = PlaybackClock(length: .max, position: .max, played: .min)
    clock.play(now: .min)
    _ = clock.position(now: .max)
    _ = clock.due(.min)
    clock.seek(to: .max, now: .max)
    #expect(clock.position(now: .max) <= clock.length && clock.played(now: .max) >= 0)
  }
}
