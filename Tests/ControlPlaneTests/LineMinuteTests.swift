// Goal: a minute of a seat is what its reports say, and no lesson waits for the minutes of others. Method: reports as
// the core makes them, and thousands of seats whose minute is over at once.
import Classroom
import ControlPlane
import Ledger
import RTCCore
import Testing

@Suite struct LineMinuteTests {
  private func report(
    _ second: Int64, lost: UInt8 = 0, picture: PictureState = .full, roundTrip: Int64 = 40
  ) -> PeerStatistics {
    var report = PeerStatistics(peer: PeerID(rawValue: 1), at: Instant(microseconds: second * 1_000_000))
    report.fractionLost = lost
    report.picture = picture
    report.roundTripMicroseconds = roundTrip * 1_000
    report.jitterMicroseconds = 5_000
    return report
  }

  private let lesson = Identifier(high: 1, low: 1)

  @Test func reportsAddUpToAMinute() throws {
    var line = LineMinute(lesson: lesson)
    var former: PeerStatistics?
    for second in 0..<4 as Range<Int64> {
      let next = report(second, lost: second == 3 ? 128 : 0, picture: second == 2 ? .thin : .full)
      line.take(next, since: former, bitsPerSecond: 1_500_000)
      former = next
    }
    line.take(freezes: 2, frozenMilliseconds: 700)
    let minute = line.minute(start: 60_000)
    #expect(minute.loss == 125 && minute.roundTrip == 40 && minute.jitter == 5 && minute.bitrate == 1_500)
    #expect(minute.degradedMilliseconds == 1_000 && minute.degradedTo == "layer")
    #expect(minute.freezes == 2 && minute.frozenMilliseconds == 700)
    line.take(report(5, picture: .paused), since: former, bitsPerSecond: nil)
    #expect(line.minute(start: 0).degradedTo == "none")
    let event = LedgerEvent(minute, lesson: lesson, seat: Identifier(high: 2, low: 1))
    #expect(event["minute"] == "60000" && event["loss"] == "125" && event["degradedTo"] == "layer")
  }

  @Test func aMinuteIsWrittenWhenItIsOverAndSomeAtATime() {
    var minutes = LineMinutes()
    let count = LineMinutes.batch * 2 + 10
    #expect(minutes.due(now: 61_000).isEmpty)
    for seat in 0..<count {
      minutes.change(Identifier(high: 3, low: UInt64(seat)), of: lesson) {
        $0.take(report(1), since: nil, bitsPerSecond: nil)
      }
    }
    #expect(minutes.due(now: 119_000).isEmpty, "not over yet")
    var sizes: [Int] = []
    var seats: Set<Identifier?> = []
    for second in 0..<4 as Range<Int64> {
      let events = minutes.due(now: 120_000 + second * 1_000)
      sizes.append(events.count)
      #expect(events.allSatisfy { $0["minute"] == "60000" })
      seats.formUnion(events.map(\.seat))
    }
    #expect(sizes == [LineMinutes.batch, LineMinutes.batch, 10, 0] && seats.count == count)
  }

  @Test func whatALessonStillHasIsWrittenBeforeItEnds() {
    var minutes = LineMinutes()
    _ = minutes.due(now: 60_000)
    let other = Identifier(high: 1, low: 2)
    for (seat, lesson) in [(1, lesson), (2, other)] as [(UInt64, Identifier)] {
      minutes.change(Identifier(high: 3, low: seat), of: lesson) {
        $0.take(report(1), since: nil, bitsPerSecond: nil)
      }
    }
    #expect(minutes.rest(of: [lesson], now: 70_000).map(\.seat) == [Identifier(high: 3, low: 1)])
    #expect(minutes.rest(of: [lesson], now: 70_000).isEmpty)
    #expect(minutes.due(now: 120_000).map(\.lesson) == [other])
  }

  @Test func tooManyAreCountedAndLeft() {
    var minutes = LineMinutes()
    _ = minutes.due(now: 0)
    for seat in 0..<LineMinutes.waitingLimit + 5 {
      minutes.change(Identifier(high: 3, low: UInt64(seat)), of: lesson) {
        $0.take(report(1), since: nil, bitsPerSecond: nil)
      }
    }
    #expect(minutes.due(now: 60_000).count == LineMinutes.batch && minutes.dropped == 5)
  }
}
