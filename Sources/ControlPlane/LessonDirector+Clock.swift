import Classroom
import Ledger
import Logging

extension LessonDirector {
  /// What a second brings: attendance kept, leaves found, lessons whose time is over ended.
  func tick() {
    let now = clock()
    for (id, lesson) in lessons where !lesson.isEnding {
      findLeaves(id, now: now)
      if lesson.value.isAlwaysLive {
        // A stretch of teaching is over when its publisher has been gone as long as a seat may be.
        for (feed, since) in lesson.silentSince where now - since >= 60_000 { publisherLeft(feed, lesson: id) }
      } else if now >= LessonWindow.closes(lesson.value) {
        try? end(id, reason: "windowClosed")
      }
    }
    keepGathered()
    checkpoint(Array(lessons.keys))
    for (id, lesson) in lessons where lesson.hasUntoldCount { tellCount(id) }
    tendFloors(now: now)
    measure(now: now)
    recentOpenings = recentOpenings.filter { now - ($0.value.last ?? 0) < Self.paceSpan }
    recentChanges = recentChanges.filter { now - ($0.value.last ?? 0) < Self.paceSpan }
  }

  private func findLeaves(_ id: Identifier, now: Int64) {
    guard let seats = lessons[id]?.seats.keys else { return }
    var events: [LedgerEvent] = []
    for seat in seats {
      guard let change = lessons[id]?.trackers[seat]?.advance(now: now), case .left(let at) = change else { continue }
      let counted = lessons[id]?.trackers[seat]?.effectiveMilliseconds ?? 0
      events.append(
        LedgerEvent(
          kind: .seatLeft, lesson: id, seat: seat,
          payload: [("at", String(at)), ("effectiveMilliseconds", String(counted))]))
    }
    keep(events)
  }

  /// Keeps the running attendance of lessons, one transaction for all.
  func checkpoint(_ ids: [Identifier]) {
    var counters: [AttendanceCounter] = []
    for id in ids {
      guard let lesson = lessons[id] else { continue }
      for (seat, tracker) in lesson.trackers where tracker.isConnected || tracker.isPresent {
        counters.append(AttendanceCounter(lesson: id, seat: seat, tracker: tracker))
      }
    }
    do { try store.checkpoint(counters) } catch {
      logger.error("attendance was not kept", metadata: ["error": "\(error)"])
    }
  }

  /// Ends what a crash left open and is over by now.
  func closeOverdue() {
    let now = clock()
    for state in [LessonState.interrupted, .live] {
      for lesson in (try? store.lessons(in: state)) ?? []
      where !lesson.isAlwaysLive && now >= LessonWindow.closes(lesson) {
        keep(.lessonEnded, lesson: lesson.id, [("reason", "windowClosed")])
      }
    }
  }
}
