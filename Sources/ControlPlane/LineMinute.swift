package import Classroom
package import Ledger
package import RTCCore

/// A seat's line over the present minute: what the reports of its receiving transports add up to.
///
/// Of several devices of one seat all reports count alike. Memory: constant for each seat.
package struct LineMinute {
  let lesson: Identifier
  private(set) var samples = 0
  private var loss = 0
  private var roundTrip: Int64 = 0
  private var jitter: Int64 = 0
  private var kilobits: Int64 = 0
  private var degraded: Int64 = 0
  private var worst = PictureState.full
  private var freezes = 0
  private var frozenMilliseconds = 0

  package init(lesson: Identifier) { self.lesson = lesson }

  /// - Parameters:
  ///   - former: the report before it, of the same transport.
  ///   - bitsPerSecond: what was carried since then.
  package mutating func take(_ statistics: PeerStatistics, since former: PeerStatistics?, bitsPerSecond: Int64?) {
    samples += 1
    loss += Int(statistics.fractionLost) * 1_000 / 256
    roundTrip += max(0, statistics.roundTripMicroseconds / 1_000)
    jitter += max(0, statistics.jitterMicroseconds / 1_000)
    kilobits += (bitsPerSecond ?? 0) / 1_000
    guard let former, statistics.picture == .thin || statistics.picture == .paused else { return }
    let span = (statistics.at.microseconds - former.at.microseconds) / 1_000
    degraded += min(60_000, max(0, span))
    if statistics.picture.rawValue > worst.rawValue { worst = statistics.picture }
  }

  package mutating func take(freezes count: Int, frozenMilliseconds length: Int) {
    freezes = min(10_000, freezes + count)
    frozenMilliseconds = min(60_000, frozenMilliseconds + length)
  }

  /// - Parameter start: of the minute, UTC milliseconds.
  package func minute(start: Int64) -> SeatMinute {
    let count = Int64(max(1, samples))
    return SeatMinute(
      minute: start, loss: loss / Int(count), roundTrip: Int(roundTrip / count), jitter: Int(jitter / count),
      bitrate: Int(clamping: kilobits / count), freezes: freezes, frozenMilliseconds: frozenMilliseconds,
      degradedMilliseconds: Int(min(60_000, degraded)),
      degradedTo: worst == .paused ? "none" : worst == .thin ? "layer" : "")
  }
}

/// The minutes of all seats, and what of them waits for the ledger: written some at a time, so that no lesson waits
/// for the minutes of others.
package struct LineMinutes {
  /// Events of one second: 15,360 a minute.
  package static let batch = 256
  /// Events that wait at most: four minutes of the sessions that a relay has. What is beyond is counted.
  package static let waitingLimit = 16_384

  private var seats: [Identifier: LineMinute] = [:]
  private var waiting: [LedgerEvent] = []
  private var start: Int64?
  package private(set) var dropped: UInt64 = 0

  package init() {}

  package mutating func change(_ seat: Identifier, of lesson: Identifier, _ body: (inout LineMinute) -> Void) {
    body(&seats[seat, default: LineMinute(lesson: lesson)])
  }

  /// What is to be written now; turns the page when a minute is over.
  package mutating func due(now: Int64) -> [LedgerEvent] {
    let minute = now - now % 60_000
    if let start, start != minute { close(seats.keys.sorted(), start) }
    start = minute
    let batch = Array(waiting.prefix(Self.batch))
    waiting.removeFirst(batch.count)
    return batch
  }

  /// All that is left of lessons which end.
  package mutating func rest(of lessons: Set<Identifier>, now: Int64) -> [LedgerEvent] {
    close(seats.filter { lessons.contains($0.value.lesson) }.keys.sorted(), start ?? now - now % 60_000)
    let rest = waiting.filter { $0.lesson.map(lessons.contains) == true }
    waiting.removeAll { $0.lesson.map(lessons.contains) == true }
    return rest
  }

  private mutating func close(_ ids: [Identifier], _ start: Int64) {
    for seat in ids {
      guard let line = seats.removeValue(forKey: seat), line.samples > 0 else { continue }
      guard waiting.count < Self.waitingLimit else {
        dropped += 1
        continue
      }
      waiting.append(LedgerEvent(line.minute(start: start), lesson: line.lesson, seat: seat))
    }
  }
}

extension LessonDirector {
  /// What the page of a receiving transport counted since it was opened.
  struct PageCounts: Hashable, Sendable {
    var freezes = 0
    var frozenMilliseconds = 0
  }

  func keepMinutes(now: Int64) { gather(lineMinutes.due(now: now)) }

  /// Before lessons end, so that their figures have the last minute.
  func keepMinutes(of ids: Set<Identifier>) { gather(lineMinutes.rest(of: ids, now: clock())) }

  /// A transport of a lesson that is taught has reported; always-live ones have no figures.
  func noteMinute(_ statistics: PeerStatistics, since former: PeerStatistics?) {
    guard let session = sessions[statistics.peer], session.isWatching,
      let lesson = lessons[session.lesson]?.value, lesson.state == .live, !lesson.isAlwaysLive
    else { return }
    lineMinutes.change(session.seat, of: session.lesson) {
      $0.take(statistics, since: former, bitsPerSecond: session.line.bitsPerSecond)
    }
  }

  /// Takes the page's own counters, which only it has; they begin anew with each transport.
  /// - Parameter seat: the one that the caller speaks for; nil for whoever may speak for all.
  func take(_ counts: PageCounts, lesson id: Identifier, peer: UInt64, seat: Identifier?) throws(Problem) {
    let peer = PeerID(rawValue: peer)
    guard let session = sessions[peer], session.lesson == id, !session.isPublishing else { throw Problem(.notFound) }
    guard seat == nil || seat == session.seat else { throw Problem(.wrongLesson) }
    let former = session.pageCounts
    sessions.change(peer) { $0.pageCounts = counts }
    guard let lesson = lessons[id]?.value, lesson.state == .live, !lesson.isAlwaysLive else { return }
    lineMinutes.change(session.seat, of: id) {
      $0.take(
        freezes: max(0, counts.freezes - former.freezes),
        frozenMilliseconds: max(0, counts.frozenMilliseconds - former.frozenMilliseconds))
    }
  }
}
