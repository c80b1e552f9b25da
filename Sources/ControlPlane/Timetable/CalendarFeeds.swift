import Classroom
import Ledger

/// The lessons of a room, a teacher or a cluster as a calendar.
struct CalendarFeeds: Sendable {
  let relay: RelayParts

  func room(_ room: Room) throws -> CalendarFeed {
    let lessons = try relay.store.lessons(room: room.id, startingIn: span)
    return try feed(named: "\(room.number) \(room.name)", lessons.map { ($0, false) })
  }

  func cluster(_ cluster: Cluster) throws -> CalendarFeed {
    let lessons = try relay.store.lessons(cluster: cluster.id, startingIn: span)
    return try feed(named: cluster.name, lessons.map { ($0, false) })
  }

  func teacher(_ person: Person) async throws -> CalendarFeed {
    var found: [(Lesson, Bool)] = []
    for term in try relay.store.terms().filter({ $0.state == .published }).suffix(2) {
      let timetable = try await relay.timetables.snapshot(term.code).timetable
      let courses = Dictionary(timetable.courses.map { ($0.id, $0) }) { first, _ in first }
      for lesson in timetable.lessons where span.contains(lesson.plannedStart) {
        guard let course = lesson.course.flatMap({ courses[$0] }) else { continue }
        let assists = course.receivers.contains { $0.teacher == person.id }
        let leads = course.lead.teacher == person.id
        guard leads || assists || lesson.teacher == person.id else { continue }
        // Taken over by somebody else: calendars take it out.
        let isGone = !assists && leads && lesson.teacher.map { $0 != person.id } ?? false
        found.append((lesson, isGone))
      }
    }
    return try feed(named: person.name, found)
  }

  /// What calendars tell of: 200 days back, and all that is planned.
  private var span: ClosedRange<Int64> { max(0, relay.clock() - 200 * 86_400_000)...Limits.latestTime }

  private func feed(named name: String, _ lessons: [(lesson: Lesson, isGone: Bool)]) throws -> CalendarFeed {
    let shown = lessons.filter { !$0.lesson.isAlwaysLive && $0.lesson.plannedStart < $0.lesson.plannedEnd }
    let seats = try relay.store.seats(lessons: shown.map(\.lesson.id))
    let leads = seats.compactMapValues { $0.first { $0.role == .lead }?.room }
    let rooms = try relay.store.numbers(of: .rooms, Set(leads.values))
    var stamp: Int64 = 0
    var events: [CalendarEvent] = []
    for (lesson, isGone) in shown {
      var first = lesson.plannedStart
      var changedAt = Int64(bitPattern: lesson.id.high >> 16)
      if lesson.revision > 0 {
        let changes = try relay.store.changes(lesson: lesson.id)
        changedAt = max(changedAt, changes.last?.at ?? 0)
        if let move = changes.first(where: { $0.kind == .lessonMoved }),
          let event = try relay.store.events(lesson: lesson.id, after: move.event - 1, limit: 1).first,
          let old = event.event.payload.first(where: { $0.0 == "oldStart" }).flatMap({ Int64($0.1) })
        {
          first = old
        }
      }
      stamp = max(stamp, changedAt)
      let series = lesson.origin == nil ? nil : lesson.course.map { CalendarEvent.Series(course: $0, start: first) }
      events.append(
        CalendarEvent(
          lesson: lesson.id, series: series, summary: lesson.title,
          location: leads[lesson.id].flatMap { rooms[$0] } ?? "", span: lesson.plannedStart..<lesson.plannedEnd,
          sequence: lesson.revision, isCancelled: isGone || lesson.state == .cancelled))
    }
    return CalendarFeed(name: name, stampedAt: stamp, events: events)
  }
}
