import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// Recorded lessons that sites missed, and making them up (补课): each as an asynchronous lesson in a free period.
struct MakeUpRoutes: Sendable {
  /// Rows of one list: each looks for a free period.
  private static let rowLimit = 100

  let relay: RelayParts

  var all: [Route] {
    [
      Route(.get, "/api/v1/missed-lessons", missed), Route(.post, "/api/v1/lessons/{lesson}/make-up", makeUp),
    ]
  }

  private func missed(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let room = try request.query["site"].map { try relay.store.room(named: $0) }
    let found = try relay.store.missedLessons(now: relay.clock(), room: room?.id, limit: 2_000)
    var rows: [MissedList.Row] = []
    for each in found where rows.count < Self.rowLimit {
      let target = relay.places.target(lesson: each.lesson.id, for: caller)
      guard relay.gate.allows(.readLessons, on: target, by: caller), maySee(each.seat, caller) else { continue }
      rows.append(try await row(each))
    }
    if rows.isEmpty, !found.isEmpty, let first = found.first {
      try relay.gate.require(
        .readLessons, on: relay.places.target(lesson: first.lesson.id, for: caller), by: caller)
    }
    return try json(MissedList(missed: rows))
  }

  /// A school is told of its own rooms, a coordinator of all in the county.
  private func maySee(_ seat: Seat, _ caller: Caller) -> Bool {
    guard let room = seat.room else { return false }
    return relay.gate.allows(.readRooms, on: .place(relay.places.places().place(room: room)), by: caller)
  }

  private func row(_ missed: MissedLesson) async throws -> MissedList.Row {
    let place = try relay.store.seatPlaces(lesson: missed.lesson.id).first { $0.seat.id == missed.seat.id }
    let free = try await plan(missed)?.free
    return MissedList.Row(
      lesson: "\(missed.lesson.id)", title: missed.lesson.title, start: CivilText.text(missed.lesson.plannedStart),
      site: place?.room ?? "", institution: place?.institution ?? "", attendedSeconds: missed.attended / 1_000,
      freeStart: free.map { CivilText.text($0.lowerBound) }, freeEnd: free.map { CivilText.text($0.upperBound) })
  }

  /// The course that a lesson is made up in, and its next free period; nil for a lesson of no term that is known.
  private func plan(_ missed: MissedLesson) async throws -> (term: String, course: Course, free: Range<Int64>?)? {
    guard let course = try missed.lesson.course.flatMap({ try relay.store.course($0) }),
      let snapshot = try? await relay.timetables.snapshot(course.term), let room = missed.seat.room
    else { return nil }
    let party = Course.Party(schoolClass: missed.seat.schoolClass, room: room, teacher: missed.seat.person)
    var random = SystemRandomNumberGenerator()
    let made = course.makeUp(for: party, id: Identifier(milliseconds: relay.clock(), using: &random))
    let now = relay.clock()
    let latest = missed.lesson.plannedEnd.addingReportingOverflow(ReplayRule.ownSeatsSpan).partialValue
    guard now < latest else { return (course.term, made, nil) }
    return (course.term, made, snapshot.checker.nextFree(for: missed.lesson.elsewhere, of: made, within: now..<latest))
  }

  private func makeUp(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: MakeUpRequest = try await request.json()
    let room = try relay.store.room(named: wanted.site)
    let target = relay.places.target(lesson: id, for: caller, actedOn: room.id)
    try relay.gate.require(.changeLesson, on: target, by: caller)
    let found = try relay.store.missedLessons(now: relay.clock(), room: room.id, limit: 2_000)
    guard let missed = found.first(where: { $0.lesson.id == id }), let plan = try await plan(missed) else {
      throw Problem(.notMissed)
    }
    let span = try span(wanted, plan.free)
    let lesson = try await relay.timetables.change(plan.term, course: plan.course.id) { snapshot in
      var moved = missed.lesson.elsewhere
      (moved.plannedStart, moved.plannedEnd) = (span.lowerBound, span.upperBound)
      let conflicts = snapshot.checker.check(changing: moved, of: plan.course).filter { $0.severity == .conflict }
      guard conflicts.isEmpty else { throw Problem(.noFreePeriod) }
      return try tellingRefusal {
        try relay.store.transaction {
          try $0.makeUp(missed, in: plan.course, span: span, reason: "补课", by: caller.subject)
        }
      }
    }
    relay.timetables.changed()
    await relay.director.timetableChanged(lesson.id)
    relay.gate.changed(
      .changeLesson, on: relay.places.target(lesson: lesson.id, for: caller), by: caller,
      new: JSONText.object([("action", JSONText.string("makeUp")), ("source", JSONText.string("\(id)"))]))
    var directory = LessonDirectory(store: relay.store)
    return try json(try directory.reply(lesson, try relay.store.seats(lesson: lesson.id)), status: .created)
  }

  /// As long as the free period, or 40 minutes from when it is asked for.
  private func span(_ wanted: MakeUpRequest, _ free: Range<Int64>?) throws(Problem) -> Range<Int64> {
    guard let text = wanted.start else {
      guard let free else { throw Problem(.noFreePeriod) }
      return free
    }
    guard let start = CivilText.instant(text) else {
      throw Problem(.badQuery, arguments: ["name": "start", "value": text.onOneLine(limit: 40)])
    }
    return start..<start + 40 * 60_000
  }

  private func tellingRefusal<T>(_ body: () throws -> T) throws -> T {
    do { return try tellingProblems(body) } catch is ReplayRule.Refusal { throw Problem(.recordingTooOld) }
  }
}

extension Lesson {
  /// Another lesson like it: an identifier of nobody's, published.
  fileprivate var elsewhere: Lesson {
    let nobody = Identifier(high: 0, low: 0)
    return Lesson(
      id: nobody, registration: nobody, course: course, cluster: cluster, title: title, plannedStart: plannedStart,
      plannedEnd: plannedEnd, state: .published)
  }
}
