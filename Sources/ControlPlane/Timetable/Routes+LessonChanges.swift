import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// Changing dated lessons one by one, each held against the rest of its term before it is made.
extension TimetableLessonRoutes {
  /// A change as it was made.
  private struct Made: Sendable {
    var lesson: Lesson
    /// Warnings, and conflicts where it was forced.
    var findings: [FindingReply] = []
    /// Codes of the conflicts that it was forced through.
    var forced: [String] = []
  }

  func change(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.changeLesson, on: target, by: caller)
    let wanted: LessonChangeRequest = try await request.json()
    guard let match = request.headers[.ifMatch] else { throw Problem(.noRevision) }
    guard let old = try relay.store.lesson(id) else { throw Problem(.notFound) }
    guard match == "\"\(old.revision)\"" else { throw try stale(old, match: match, request.language) }
    let made: Made
    do {
      made = try await make(wanted, of: old, by: caller.subject, request.language)
    } catch let problem as Problem where problem.kind == .staleTable {
      throw try stale(try relay.store.lesson(id) ?? old, match: match, request.language)
    }
    await relay.director.timetableChanged(id)
    relay.gate.changed(
      .changeLesson, on: target, by: caller, old: Self.form(old),
      new: Self.form(made.lesson, wanted.action.rawValue, forced: made.forced))
    return try respond(made)
  }

  /// Checks a change and makes it, while nobody makes another. A lesson of no term's course is not checked.
  private func make(
    _ wanted: LessonChangeRequest, of old: Lesson, by actor: Identifier, _ language: Language
  ) async throws -> Made {
    guard let course = try old.course.flatMap({ try relay.store.course($0) }),
      try relay.store.term(code: course.term) != nil
    else { return Made(lesson: try tellingProblems { try apply(wanted, to: old, by: actor) }) }
    return try await relay.timetables.change(course.term, course: course.id) { snapshot in
      var made = Made(lesson: old)
      if wanted.action != .cancel, let course = snapshot.course(course.id) {
        let (lesson, rooms) = try outcome(of: wanted, on: old, snapshot)
        let conflicts = snapshot.checker.check(changing: lesson, of: course, roomChanges: rooms)
        try note(conflicts, isForced: wanted.force == true, snapshot, language, in: &made)
      }
      made.lesson = try tellingProblems { try apply(wanted, to: old, by: actor) }
      return made
    }
  }

  /// Refuses what is in conflict, unless it is forced, and takes down the rest.
  /// - Throws: `lessonConflicts`
  private func note(
    _ found: [Conflict], isForced: Bool, _ snapshot: TermSnapshot, _ language: Language, in made: inout Made
  ) throws {
    let texts = ConflictText(snapshot.timetable, subjects: relay.timetables.subjects, language: language)
    func replies(_ conflicts: [Conflict]) -> [FindingReply] {
      conflicts.prefix(TimetableDesk.toldLimit).map { FindingReply($0, snapshot, texts) }
    }
    let conflicts = found.filter { $0.severity == .conflict }
    guard conflicts.isEmpty || isForced else {
      var problem = Problem(.lessonConflicts, arguments: ["count": "\(conflicts.count)"])
      problem.findings = replies(conflicts)
      problem.more = conflicts.count - problem.findings.count
      throw problem
    }
    made.findings = replies(conflicts + found.filter { $0.severity == .warning })
    made.forced = ConflictCode.allCases.filter { code in conflicts.contains { $0.code == code } }.map(\.rawValue)
  }

  /// What a lesson and its rooms would be.
  private func outcome(
    of wanted: LessonChangeRequest, on old: Lesson, _ snapshot: TermSnapshot
  ) throws -> (lesson: Lesson, rooms: [RoomChange]) {
    var lesson = old
    var rooms = snapshot.timetable.roomChanges[old.id] ?? []
    switch wanted.action {
    case .move:
      let span = try span(wanted.start, wanted.end, length: old.plannedMilliseconds)
      (lesson.plannedStart, lesson.plannedEnd) = (span.lowerBound, span.upperBound)
    case .substitute: lesson.teacher = try wanted.teacher.map { try relay.store.teacher($0).id }
    case .cancel: break
    case .room:
      let (seat, room) = try place(wanted, of: old)
      guard let now = seat.room else { break }
      let first = rooms.first { $0.to == now }?.from ?? now
      rooms.removeAll { $0.to == now }
      rooms.append(RoomChange(from: first, to: room.id))
    }
    return (lesson, rooms)
  }

  /// The seat that gets another room, which is the one of the same school, and the room.
  private func place(_ wanted: LessonChangeRequest, of lesson: Lesson) throws -> (seat: Seat, room: Room) {
    let store = relay.store
    guard let number = wanted.room else { throw Problem(.badQuery, arguments: ["name": "room", "value": ""]) }
    let room = try store.room(named: number)
    let seat = try store.seats(lesson: lesson.id).first { seat in
      try seat.room.flatMap { try store.room($0) }?.institution == room.institution
    }
    guard let seat else { throw Problem(.badQuery, arguments: ["name": "room", "value": number]) }
    return (seat, room)
  }

  private func apply(_ wanted: LessonChangeRequest, to old: Lesson, by actor: Identifier) throws -> Lesson {
    let store = relay.store
    let version = try LedgerStore.version(of: old)
    switch wanted.action {
    case .move:
      let span = try span(wanted.start, wanted.end, length: old.plannedMilliseconds)
      return try store.moveLesson(old.id, to: span, reason: wanted.reason, by: actor, ifVersion: version)
    case .substitute:
      let teacher = try wanted.teacher.map { try store.teacher($0).id }
      return try store.substitute(old.id, teacher: teacher, reason: wanted.reason, by: actor, ifVersion: version)
    case .cancel:
      return try store.cancelLesson(old.id, reason: wanted.reason, by: actor, ifVersion: version)
    case .room:
      let (seat, room) = try place(wanted, of: old)
      try store.changeRoom(
        ofSeat: seat.id, to: room.id, reason: wanted.reason, by: actor,
        ifVersion: try LedgerStore.version(of: seat))
      return try store.lesson(old.id) ?? old
    }
  }

  func add(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let wanted: LessonAddRequest = try await request.json()
    let term = context.name("term")
    let known = try await relay.timetables.snapshot(term)
    let course = try known.course(wanted.course)
    try relay.gate.require(.changeLesson, on: known.places.target(course: course), by: caller)
    let span = try span(wanted.start, wanted.end, length: 40 * 60_000)
    let made = try await relay.timetables.change(term, course: course.id) { snapshot in
      let names = TimetableNames(snapshot.timetable, subjects: relay.timetables.subjects, language: .chinese)
      // The one that is made gets an identifier of its own.
      let nobody = Identifier(high: 0, low: 0)
      let lesson = Lesson(
        id: nobody, registration: nobody, course: course.id, cluster: course.cluster,
        title: names.lessonTitle(of: course), plannedStart: span.lowerBound, plannedEnd: span.upperBound,
        state: .published)
      var made = Made(lesson: lesson)
      let conflicts = snapshot.checker.check(changing: lesson, of: snapshot.course(course.id) ?? course)
      try note(conflicts, isForced: wanted.force == true, snapshot, request.language, in: &made)
      made.lesson = try tellingProblems {
        try relay.store.addLesson(
          course: course.id, span: span, title: lesson.title, reason: wanted.reason, by: caller.subject)
      }
      return made
    }
    await relay.director.timetableChanged(made.lesson.id)
    relay.gate.changed(
      .changeLesson, on: relay.places.target(lesson: made.lesson.id, for: caller), by: caller,
      new: Self.form(made.lesson, "add", forced: made.forced))
    return try respond(made)
  }

  private func respond(_ made: Made) throws -> Response {
    var directory = LessonDirectory(store: relay.store)
    var reply = try directory.reply(made.lesson, try relay.store.seats(lesson: made.lesson.id))
    if !made.findings.isEmpty { reply.findings = made.findings }
    var response = try json(reply)
    response.headers[.eTag] = "\"\(made.lesson.revision)\""
    return response
  }

  /// A lesson as the audit trail keeps it, and what it was forced through. Why stands with the change of that revision:
  /// words that people write can be taken back, the trail cannot.
  private static func form(_ lesson: Lesson, _ action: String? = nil, forced: [String] = []) -> String {
    JSONText.object([
      ("action", action.map(JSONText.string)), ("state", JSONText.string(lesson.state.rawValue)),
      ("start", JSONText.string(CivilText.text(lesson.plannedStart))),
      ("end", JSONText.string(CivilText.text(lesson.plannedEnd))),
      ("teacher", lesson.teacher.map { JSONText.string($0.description) }), ("revision", String(lesson.revision)),
      ("forced", forced.isEmpty ? nil : JSONText.array(forced.map(JSONText.string))),
    ])
  }

  private func span(_ start: String?, _ end: String?, length: Int64) throws -> Range<Int64> {
    func instant(_ name: String, _ text: String?) throws -> Int64 {
      guard let text, let instant = CivilText.instant(text) else {
        throw Problem(.badQuery, arguments: ["name": name, "value": (text ?? "").onOneLine(limit: 40)])
      }
      return instant
    }
    let first = try instant("start", start)
    let last = try end.map { try instant("end", $0) } ?? first + length
    guard first < last else { throw Problem(.badQuery, arguments: ["name": "end", "value": end ?? ""]) }
    return first..<last
  }

  /// What was done to the lesson since the revision that the request names.
  private func stale(_ lesson: Lesson, match: String, _ language: Language) throws -> Problem {
    let known = Int(match.filter(\.isNumber)) ?? 0
    let since = try relay.store.changes(lesson: lesson.id).filter { $0.revision > known }.suffix(3)
    let changes = since.map { change in
      Text.of(
        "lesson.change", in: language,
        [
          "when": CivilText.text(change.at), "what": Text.of("lesson.change.\(change.kind.rawValue)", in: language),
          "reason": change.reason.onOneLine(),
        ])
    }
    let told = changes.isEmpty ? Text.of("lesson.change.unknown", in: language) : changes.joined(separator: "; ")
    var problem = Problem(.staleLesson, arguments: ["changes": told, "revision": "\(lesson.revision)"])
    problem.revision = lesson.revision
    return problem
  }
}
