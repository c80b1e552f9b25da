import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of dated lessons: listing them, and changing them one by one.
struct TimetableLessonRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    [
      Route(.get, "/api/v1/lessons", list), Route(.post, "/api/v1/lessons/{lesson}/changes", change),
      Route(.post, "/api/v1/terms/{term}/lessons", add),
    ]
  }

  // MARK: Listing

  /// Where a page begins: a start in UTC milliseconds, and how many lessons of that start came before.
  private struct Cursor {
    var start: Int64
    var skipped: Int

    init(start: Int64, skipped: Int = 0) {
      self.start = start
      self.skipped = skipped
    }

    init?(_ text: String) {
      let parts = text.split(separator: ".")
      guard parts.count == 2, let start = Int64(parts[0]), let skipped = Int(parts[1]),
        (0...Limits.latestTime).contains(start), (0...100_000).contains(skipped)
      else { return nil }
      self.init(start: start, skipped: skipped)
    }

    var text: String { "\(start).\(skipped)" }

    mutating func pass(_ lesson: Lesson) {
      if lesson.plannedStart == start { skipped += 1 } else { self = Cursor(start: lesson.plannedStart, skipped: 1) }
    }
  }

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let query = request.query
    let limit = try query.number("limit", in: 1...500) ?? 100
    let isNow = query["now"] == "1"
    let now = relay.clock()
    let today = CivilTime.date(of: now)
    let from = try query.value("from") { CivilDate($0) } ?? today
    let through = try query.value("to") { CivilDate($0) } ?? max(from, today) + 6
    let first = isNow ? max(0, now - Limits.plannedMilliseconds) : CivilText.midnight(from)
    let last = isNow ? now + LessonWindow.early : CivilText.midnight(through + 1) - 1
    var cursor = try query.value("cursor") { Cursor($0) } ?? Cursor(start: max(0, first))
    let read = try reader(query)
    var directory = LessonDirectory(store: relay.store)
    let gate = relay.gate
    let seesAll = gate.allows(.readLessons, on: .city, by: caller)
    let places = seesAll ? AccessPlaces() : relay.places.places()
    var told: [LessonReply] = []
    while last >= cursor.start {
      let size = 500
      let batch = try read(cursor.start...last, cursor.skipped + size).dropFirst(cursor.skipped)
      for lesson in batch {
        if told.count == limit { return try json(LessonList(lessons: told, next: cursor.text)) }
        cursor.pass(lesson)
        if isNow, !isGoingOn(lesson, now: now) { continue }
        let seats = try relay.store.seats(lesson: lesson.id)
        let target = places.target(lesson: lesson.id, seats: seats)
        guard seesAll || gate.allows(.readLessons, on: target, by: caller) else { continue }
        told.append(try directory.reply(lesson, seats))
      }
      if batch.count < size { break }
    }
    return try json(LessonList(lessons: told))
  }

  private func isGoingOn(_ lesson: Lesson, now: Int64) -> Bool {
    switch lesson.state {
    case .live, .armed, .interrupted: true
    case .planned, .published: lesson.plannedStart <= now && lesson.plannedEnd > now
    case .ended, .cancelled, .notHeld: false
    }
  }

  /// Reads the lessons of a room, of a course, or all, by their start.
  private func reader(_ query: RequestQuery) throws -> (ClosedRange<Int64>, Int) throws -> [Lesson] {
    let store = relay.store
    if let number = query["room"] {
      let room = try store.room(named: number)
      return { try store.lessons(room: room.id, startingIn: $0, limit: $1) }
    }
    if let number = query["course"] {
      // Terms count their courses anew; the latest that has the number is meant.
      let terms = try store.terms().sorted { $0.firstDay > $1.firstDay }
      for term in terms {
        guard let course = try store.course(number: number, term: term.code) else { continue }
        return { try store.lessons(course: course.id, startingIn: $0, limit: $1) }
      }
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return { try store.lessons(startingIn: $0, limit: $1) }
  }

  // MARK: Changing

  private func change(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.changeLesson, on: target, by: caller)
    let wanted: LessonChangeRequest = try decodeBody(
      try await request.text(of: "application/json", limit: bodyLimit))
    guard let match = request.headers[.ifMatch] else { throw Problem(.noRevision) }
    guard let old = try relay.store.lesson(id) else { throw Problem(.notFound) }
    guard match == "\"\(old.revision)\"" else { throw try stale(old, match: match, request.language) }
    do {
      try tellingProblems { try apply(wanted, to: old, by: caller.subject) }
    } catch let problem as Problem where problem.kind == .staleTable {
      throw try stale(try relay.store.lesson(id) ?? old, match: match, request.language)
    }
    await relay.director.timetableChanged(id)
    guard let new = try relay.store.lesson(id) else { throw Problem(.notFound) }
    relay.gate.changed(
      .changeLesson, on: target, by: caller, old: Self.form(old), new: Self.form(new, wanted.action.rawValue))
    return try respond(new)
  }

  private func apply(_ wanted: LessonChangeRequest, to old: Lesson, by actor: Identifier) throws {
    let store = relay.store
    let version = try LedgerStore.version(of: old)
    switch wanted.action {
    case .move:
      let span = try span(wanted.start, wanted.end, length: old.plannedMilliseconds)
      try store.moveLesson(old.id, to: span, reason: wanted.reason, by: actor, ifVersion: version)
    case .substitute:
      let teacher = try wanted.teacher.map { try store.teacher($0).id }
      try store.substitute(old.id, teacher: teacher, reason: wanted.reason, by: actor, ifVersion: version)
    case .cancel:
      try store.cancelLesson(old.id, reason: wanted.reason, by: actor, ifVersion: version)
    case .room:
      guard let number = wanted.room else { throw Problem(.badQuery, arguments: ["name": "room", "value": ""]) }
      let room = try store.room(named: number)
      // The seat of the same school is the one that gets another room.
      let seat = try store.seats(lesson: old.id).first { seat in
        try seat.room.flatMap { try store.room($0) }?.institution == room.institution
      }
      guard let seat else { throw Problem(.badQuery, arguments: ["name": "room", "value": number]) }
      try store.changeRoom(
        ofSeat: seat.id, to: room.id, reason: wanted.reason, by: actor,
        ifVersion: try LedgerStore.version(of: seat))
    }
  }

  private func add(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let wanted: LessonAddRequest = try decodeBody(try await request.text(of: "application/json", limit: bodyLimit))
    let snapshot = try await relay.timetables.snapshot(context.name("term"))
    let course = try snapshot.course(wanted.course)
    try relay.gate.require(.changeLesson, on: snapshot.places.target(course: course), by: caller)
    let span = try span(wanted.start, wanted.end, length: 40 * 60_000)
    let names = TimetableNames(snapshot.timetable, subjects: relay.timetables.subjects, language: .chinese)
    let lesson = try tellingProblems {
      try relay.store.addLesson(
        course: course.id, span: span, title: names.lessonTitle(of: course), reason: wanted.reason,
        by: caller.subject)
    }
    await relay.director.timetableChanged(lesson.id)
    relay.gate.changed(
      .changeLesson, on: relay.places.target(lesson: lesson.id, for: caller), by: caller,
      new: Self.form(lesson, "add"))
    return try respond(lesson)
  }

  private func respond(_ lesson: Lesson) throws -> Response {
    var directory = LessonDirectory(store: relay.store)
    let reply = try directory.reply(lesson, try relay.store.seats(lesson: lesson.id))
    var response = try json(reply)
    response.headers[.eTag] = "\"\(lesson.revision)\""
    return response
  }

  /// A lesson as the audit trail keeps it.
  private static func form(_ lesson: Lesson, _ action: String? = nil) -> String {
    JSONText.object([
      ("action", action.map(JSONText.string)), ("state", JSONText.string(lesson.state.rawValue)),
      ("start", JSONText.string(CivilText.text(lesson.plannedStart))),
      ("end", JSONText.string(CivilText.text(lesson.plannedEnd))),
      ("teacher", lesson.teacher.map { JSONText.string($0.description) }), ("revision", String(lesson.revision)),
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

/// Civil times as requests and answers write them: `2026-09-07 10:10`.
enum CivilText {
  /// When a day begins, UTC milliseconds.
  static func midnight(_ date: CivilDate) -> Int64 { CivilTime.instant(date, .noon) - 12 * 3_600_000 }

  static func text(_ milliseconds: Int64) -> String {
    "\(CivilTime.date(of: milliseconds)) \(CivilTime.time(of: milliseconds))"
  }

  static func instant(_ text: String) -> Int64? {
    let parts = text.split { $0 == " " || $0 == "T" }
    guard parts.count == 2, let date = CivilDate(parts[0]), let time = ClockTime(parts[1]) else { return nil }
    return CivilTime.instant(date, time)
  }
}

extension LedgerStore {
  /// The one room of a number. Throws `unknownName`, `ambiguousName`.
  func room(named number: String) throws -> Room {
    let rooms = number.isEmpty ? [] : try rooms(number: number)
    guard let room = rooms.first else { throw Problem(.unknownName, arguments: ["name": number]) }
    guard rooms.count == 1 else { throw Problem(.ambiguousName, arguments: ["name": number]) }
    return room
  }
}

/// Numbers of what lessons name, each looked up once.
struct LessonDirectory {
  let store: LedgerStore
  private var rooms: [Identifier: String] = [:]
  private var courses: [Identifier: String] = [:]

  init(store: LedgerStore) { self.store = store }

  mutating func reply(_ lesson: Lesson, _ seats: [Seat]) throws -> LessonReply {
    let ordered = seats.filter { $0.role == .lead } + seats.filter { $0.role == .receiver }
    var numbers: [String] = []
    for room in ordered.compactMap(\.room) { numbers.append(try number(ofRoom: room)) }
    return LessonReply(
      id: lesson.id.description, title: lesson.title, course: try lesson.course.map { try number(ofCourse: $0) },
      start: CivilText.text(lesson.plannedStart), end: CivilText.text(lesson.plannedEnd),
      state: lesson.state.rawValue, rooms: numbers, revision: lesson.revision)
  }

  private mutating func number(ofRoom id: Identifier) throws -> String {
    if let known = rooms[id] { return known }
    let number = try store.room(id)?.number ?? ""
    rooms[id] = number
    return number
  }

  private mutating func number(ofCourse id: Identifier) throws -> String {
    if let known = courses[id] { return known }
    let number = try store.course(id)?.number ?? ""
    courses[id] = number
    return number
  }
}
