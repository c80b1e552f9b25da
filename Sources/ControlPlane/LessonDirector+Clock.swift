import Classroom
import Ledger
import Logging

/// What the clock did, since the relay started.
package struct LessonClockCounters: Sendable, Equatable {
  /// Lessons armed before their bell.
  package var armed: UInt64 = 0
  /// Lessons that passed and nobody taught.
  package var notHeld: UInt64 = 0
  /// Lessons that the clock ended.
  package var ended: UInt64 = 0
  /// Lessons armed while more were due than the relay runs at once.
  package var overLimit: UInt64 = 0
}

extension LessonDirector {
  /// Lessons written in one turn of the actor: some milliseconds, so that a bell holds no running lesson up.
  static let clockBatch = 32

  /// What a second brings: attendance kept, leaves found, lessons armed, and those whose time is over ended.
  func tick() {
    let now = clock()
    for (id, lesson) in lessons where !lesson.isEnding {
      findLeaves(id, now: now)
      guard lesson.value.isAlwaysLive else { continue }
      // A stretch of teaching is over when its publisher has been gone as long as a seat may be.
      for (feed, since) in lesson.silentSince where now - since >= 60_000 { publisherLeft(feed, lesson: id) }
    }
    keepMinutes(now: now)
    keepGathered()
    checkpoint(Array(lessons.keys))
    for (id, lesson) in lessons where lesson.hasUntoldCount { tellCount(id) }
    tendFloors(now: now)
    tendPlaybacks(now: now)
    measure(now: now)
    recentOpenings = recentOpenings.filter { (0..<Self.paceSpan).contains(now - ($0.value.last ?? 0)) }
    recentChanges = recentChanges.filter { (0..<Self.paceSpan).contains(now - ($0.value.last ?? 0)) }
    goByTimetable()
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

  // MARK: The timetable

  /// Has what is due by the timetable done in turns of its own.
  func goByTimetable() {
    guard isReady, !isGoingByTimetable else { return }
    isGoingByTimetable = true
    Task {
      await catchUp()
      isGoingByTimetable = false
    }
  }

  /// Ends the lessons whose time is over, lets lapse those that passed and arms those whose time has come, a batch a
  /// turn, until none is left or `batches` are done: one bell ends and begins hundreds.
  func catchUp(batches: Int = .max) async {
    var left = batches
    while left > 0, !isStopping {
      let now = clock()
      let ended = endOver(now: now)
      let lapsed = lapsePassed(now: now)
      let armed = armDue(now: now)
      guard max(ended, lapsed, armed) == Self.clockBatch else { return }
      left -= 1
      // Requests and events of running lessons that wait come in between.
      await Task.yield()
    }
  }

  /// Arming lets peers connect and takes nothing of the relay: a lesson is opened when the first one comes.
  /// - Returns: how many were armed.
  private func armDue(now: Int64) -> Int {
    let latest = now.addingReportingOverflow(LessonWindow.early).partialValue
    guard let due = try? store.lessonsToArm(startingBy: latest, now: now, limit: Self.clockBatch), !due.isEmpty else {
      return 0
    }
    let armed = appendSteps(due.map { LedgerEvent(kind: .lessonArmed, lesson: $0.id) })
    lessonClock.armed += UInt64(armed.count)
    noteExcess(of: armed)
    return armed.count
  }

  /// Tells of lessons that will not fit, when it can still be planned for: those armed last are the ones refused.
  private func noteExcess(of armed: [Identifier]) {
    let alwaysLive = lessons.values.count { $0.value.isAlwaysLive }
    let due = alwaysLive + ((try? store.openLessonCount()) ?? 0)
    let excess = armed.suffix(max(0, min(armed.count, due - Self.lessonLimit)))
    guard !excess.isEmpty else { return }
    lessonClock.overLimit += UInt64(excess.count)
    logger.warning(
      "more lessons are due than this relay runs at once",
      metadata: [
        "due": "\(due)", "limit": "\(Self.lessonLimit)",
        "lessons": "\(excess.map(\.description).joined(separator: " "))",
      ])
  }

  /// - Returns: how many lessons were closed.
  private func lapsePassed(now: Int64) -> Int {
    guard let passed = try? store.lessonsWithoutEnd(plannedEndBy: now, limit: Self.clockBatch) else { return 0 }
    let endings = passed.compactMap { lesson -> Ending? in
      guard lesson.state == .interrupted else {
        return Ending(lesson: lesson.id, state: lesson.state, reason: "unheld")
      }
      // Its lead may come back for as long as one may be away; in a lesson that is open the bell decides.
      guard lessons[lesson.id] == nil, now - lesson.plannedEnd >= OvertimePolicy.standard.patience else { return nil }
      return Ending(lesson: lesson.id, state: lesson.state, reason: LessonEnd.Reason.leadGone.rawValue)
    }
    let done = end(endings)
    lessonClock.notHeld += UInt64(done.notHeld)
    lessonClock.ended += UInt64(done.ended)
    return done.notHeld + done.ended
  }

  /// Keeps events that each take a lesson's step, by one sync of the disk. One that is refused, because somebody
  /// cancelled the lesson in this moment, takes no other with it.
  /// - Returns: the lessons whose step was taken.
  func appendSteps(_ events: [LedgerEvent]) -> [Identifier] {
    guard !events.isEmpty else { return [] }
    keepGathered()
    if (try? store.append(events)) != nil { return events.compactMap(\.lesson) }
    var taken: [Identifier] = []
    for event in events {
      do {
        try store.append(event)
        if let lesson = event.lesson { taken.append(lesson) }
      } catch LedgerError.badTransition, LedgerError.notFound {
        continue
      } catch {
        unkeptEvents += 1
        logger.error(
          "a lesson's step was not kept", metadata: ["kind": "\(event.kind.rawValue)", "error": "\(error)"])
        // What the disk refuses once it refuses for all.
        return taken
      }
    }
    return taken
  }

  // MARK: The bell

  /// - Returns: how many were ended.
  private func endOver(now: Int64) -> Int {
    var endings: [Ending] = []
    for (id, lesson) in lessons where !lesson.isEnding && !lesson.value.isAlwaysLive {
      guard endings.count < Self.clockBatch, let reason = ringing(id, now: now) else { continue }
      endings.append(Ending(lesson: id, reason: reason))
    }
    let done = end(endings)
    lessonClock.ended += UInt64(done.ended)
    lessonClock.notHeld += UInt64(done.notHeld)
    return done.lessons.count
  }

  /// Looks at an open lesson's bell. Returns why it is over; nil while it goes on.
  private func ringing(_ id: Identifier, now: Int64) -> String? {
    guard let lesson = lessons[id], let end = workOutEnd(id) else { return nil }
    if lesson.value.state == .armed { return now >= end.plannedEnd ? "unheld" : nil }
    if playbackIsOver(id, now: now) { return Self.playbackOver }
    if lesson.liveFeeds.isEmpty {
      lessons[id]?.leadGoneSince = lesson.leadGoneSince ?? now
    } else {
      lessons[id]?.leadGoneSince = nil
    }
    switch end.phase(now: now, leadGoneSince: lessons[id]?.leadGoneSince) {
    case .over(let reason): return reason.rawValue
    case .beforeBell: ring(id, hasRung: false)
    case .overtime: ring(id, hasRung: true)
    }
    return nil
  }

  /// Tells the clock once more when the bell rings, or when the clock was set back before it.
  private func ring(_ id: Identifier, hasRung: Bool) {
    guard let lesson = lessons[id], lesson.hasRung != hasRung else { return }
    lessons[id]?.hasRung = hasRung
    tellClock(id)
  }

  /// When the lesson has to end, worked out anew when the timetable has changed since.
  @discardableResult
  func workOutEnd(_ id: Identifier) -> LessonEnd? {
    guard let lesson = lessons[id], !lesson.value.isAlwaysLive else { return nil }
    if let end = lesson.end, !lesson.isEndStale { return end }
    let bell = lesson.value.plannedEnd
    if booked[bell] == nil {
      // As many bells as lessons end by in a day of many schools; a cache that is full is emptied.
      if booked.count >= 64 { booked = [:] }
      let entries = try? store.bookings(atBell: bell, within: OvertimePolicy.standard.longest)
      booked[bell] = BookedAtBell(entries ?? [])
    }
    // The lead of a recorded lesson is not there, and needs nothing.
    let seats = lesson.seats.values.filter { !lesson.isPlayback || $0.role != .lead }
    let end = LessonEnd(of: lesson.value, seats: seats, booked: booked[bell] ?? BookedAtBell([]))
    lessons[id]?.end = end
    lessons[id]?.isEndStale = false
    if lesson.end != end { tellClock(id) }
    return end
  }

  private func tellClock(_ id: Identifier) {
    if let news = clockNews(id) { tell(id, news) }
  }

  /// What followers are told of a lesson's time; nil for one that is always live.
  func clockNews(_ id: Identifier) -> LessonNews? {
    guard let lesson = lessons[id], let end = workOutEnd(id) else { return nil }
    return .clock(now: clock(), plannedStart: lesson.value.plannedStart, end: end)
  }

  // MARK: Changes of the timetable

  /// Takes up what the timetable has changed of a lesson; a cancelled one is over for everyone.
  func timetableChanged(_ id: Identifier) {
    forgetBookings()
    takeUp(id)
    goByTimetable()
  }

  /// Takes up what has changed of any lesson, as by the publication of a term.
  func timetableChanged() {
    forgetBookings()
    for id in lessons.keys { takeUp(id) }
    goByTimetable()
  }

  /// What the changed lesson takes may shorten or lengthen others.
  private func forgetBookings() {
    booked = [:]
    for id in lessons.keys { lessons[id]?.isEndStale = true }
  }

  private func takeUp(_ id: Identifier) {
    guard let open = lessons[id], !open.isEnding, let changed = try? store.lesson(id) else { return }
    let isMoved = changed.plannedStart != open.value.plannedStart || changed.plannedEnd != open.value.plannedEnd
    lessons[id]?.value = changed
    if changed.state.isFinal || isMoved {
      // Who is there already is let go, and comes back when the doors are open again.
      let reason = changed.state.isFinal ? changed.state.rawValue : "moved"
      keep(
        open.trackers.filter { $0.value.isPresent }.map {
          LedgerEvent(kind: .seatLeft, lesson: id, seat: $0.key, payload: [("reason", reason)])
        })
      close(id, reason: reason)
    } else if let seats = try? store.seats(lesson: id) {
      lessons[id]?.seats = Dictionary(seats.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
      nameSites(of: id)
      workOutEnd(id)
    }
  }
}
