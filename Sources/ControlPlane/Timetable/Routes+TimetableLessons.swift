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
      // Who sees all needs no more of them than a page.
      let looked = seesAll && !isNow ? batch.prefix(limit - told.count) : batch
      let seatsOf = try relay.store.seats(lessons: looked.map(\.id))
      try directory.learn(looked, seatsOf)
      for lesson in batch {
        if told.count == limit { return try json(LessonList(lessons: told, next: cursor.text)) }
        cursor.pass(lesson)
        if isNow, !isGoingOn(lesson, now: now) { continue }
        let seats = seatsOf[lesson.id] ?? []
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

  /// Looks up at once what replies about some lessons name.
  mutating func learn(_ lessons: some Collection<Lesson>, _ seats: [Identifier: [Seat]]) throws {
    let rooms = Set(seats.values.joined().compactMap(\.room)).subtracting(rooms.keys)
    self.rooms.merge(try store.numbers(of: .rooms, rooms)) { $1 }
    let courses = Set(lessons.compactMap(\.course)).subtracting(courses.keys)
    self.courses.merge(try store.numbers(of: .courses, courses)) { $1 }
  }

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
