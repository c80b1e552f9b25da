import Classroom
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// Timetables as files: calendars to subscribe to, and a room's week.
struct TimetableFileRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let calendars = "/api/v1/calendars"
    return [
      Route(.get, calendars + "/rooms/{number}.ics", room),
      Route(.get, calendars + "/teachers/{institution}/{staff}.ics", teacher),
      Route(.get, calendars + "/clusters/{number}.ics", cluster),
      Route(.get, "/api/v1/terms/{term}/week", week),
    ]
  }

  // MARK: Calendars

  private func room(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let room = try relay.store.room(named: context.name("number"))
    let places = AccessPlaces(institutions: [try institution(room.institution)], rooms: [room])
    try relay.gate.require(.readLessons, on: .place(places.place(room: room.id)), by: caller)
    let lessons = try relay.store.lessons(room: room.id, startingIn: span)
    return try calendar(request, named: "\(room.number) \(room.name)", lessons.map { ($0, false) })
  }

  private func cluster(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let number = context.name("number")
    guard let cluster = try relay.store.cluster(number: number) else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    try relay.gate.require(.readLessons, on: relay.places.places().target(cluster: cluster), by: caller)
    let lessons = try relay.store.lessons(cluster: cluster.id, startingIn: span)
    return try calendar(request, named: cluster.name, lessons.map { ($0, false) })
  }

  private func teacher(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let person = try relay.store.teacher(context.name("institution") + "/" + context.name("staff"))
    guard let school = person.institution else { throw Problem(.notFound) }
    let places = AccessPlaces(institutions: [try institution(school)], rooms: [])
    // A teacher reads the own one.
    if caller.subject != person.id {
      try relay.gate.require(.readLessons, on: .place(places.place(school: school)), by: caller)
    }
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
    return try calendar(request, named: person.name, found)
  }

  private func institution(_ id: Identifier) throws -> Institution {
    guard let institution = try relay.store.institution(id) else { throw Problem(.notFound) }
    return institution
  }

  /// What calendars tell of: 200 days back, and all that is planned.
  private var span: ClosedRange<Int64> { max(0, relay.clock() - 200 * 86_400_000)...Limits.latestTime }

  private func calendar(
    _ request: Request, named name: String, _ lessons: [(lesson: Lesson, isGone: Bool)]
  ) throws -> Response {
    var stamp: Int64 = 0
    var rooms: [Identifier: String] = [:]
    var events: [CalendarEvent] = []
    for (lesson, isGone) in lessons where !lesson.isAlwaysLive && lesson.plannedStart < lesson.plannedEnd {
      var first = lesson.plannedStart
      var changedAt = Int64(bitPattern: lesson.id.high >> 16)
      if lesson.revision > 0 {
        let changes = try relay.store.changes(lesson: lesson.id)
        changedAt = max(changedAt, changes.last?.at ?? 0)
        if let move = changes.first(where: { $0.kind == .lessonMoved }),
          let event = try relay.store.events(lesson: lesson.id, after: move.event - 1, limit: 1).first,
          let old = event.payload.first(where: { $0.0 == "oldStart" }).flatMap({ Int64($0.1) })
        {
          first = old
        }
      }
      stamp = max(stamp, changedAt)
      let lead = try relay.store.seats(lesson: lesson.id).first { $0.role == .lead }?.room
      if let lead, rooms[lead] == nil { rooms[lead] = try relay.store.room(lead)?.number ?? "" }
      let series = lesson.origin == nil ? nil : lesson.course.map { CalendarEvent.Series(course: $0, start: first) }
      events.append(
        CalendarEvent(
          lesson: lesson.id, series: series, summary: lesson.title, location: lead.flatMap { rooms[$0] } ?? "",
          span: lesson.plannedStart..<lesson.plannedEnd, sequence: lesson.revision,
          isCancelled: isGone || lesson.state == .cancelled))
    }
    let feed = CalendarFeed(name: name, stampedAt: stamp, events: events)
    return file(request, ICalendarWriter.text(of: feed).text, type: "text/calendar; charset=utf-8")
  }

  /// A text with an entity tag; nothing for whoever has it already.
  private func file(_ request: Request, _ text: String, type: String) -> Response {
    let digest = SHA256.hash(data: Data(text.utf8)).prefix(12)
    let tag = "\"" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\""
    let headers: HTTPFields = [.contentType: type, .eTag: tag, .cacheControl: "private, no-cache"]
    if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  // MARK: A week

  private enum WeekFormat: String { case text, html, cses, csv }

  private func week(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let query = request.query
    let snapshot = try await relay.timetables.snapshot(context.name("term"))
    let room = try snapshot.room(query["room"] ?? "")
    try relay.gate.require(.readLessons, on: .place(snapshot.places.place(room: room)), by: caller)
    let format = try query.choice("format", WeekFormat.self) ?? .text
    guard let school = snapshot.timetable.institution(ofRoom: room) else { throw Problem(.notFound) }
    let calendar = snapshot.timetable.calendar(of: school)
    let number = try query.number("week", in: 1...calendar.weeks) ?? 1
    let names = TimetableNames(snapshot.timetable, subjects: relay.timetables.subjects, language: request.language)
    let monday = calendar.monday + (number - 1) * 7
    let lessons = try weekLessons(in: room, from: monday, week: number, names)
    let periods = snapshot.timetable.bells[school.id]?.periods(on: monday, weekday: 1) ?? []
    let title = Text.of("week.title", in: request.language, ["room": names.room(room), "week": "\(number)"])
    switch format {
    case .text, .html:
      let grid = WeekGrid(
        periods: periods, lessons: lessons, termWeeks: calendar.weeks,
        labels: TimetableText.gridLabels(title: title, in: request.language))
      if format == .html { return file(request, grid.htmlPage, type: "text/html; charset=utf-8") }
      return file(request, grid.text(), type: "text/plain; charset=utf-8")
    case .cses:
      // A screen shows this week's lessons as those of every week.
      let every = lessons.map { lesson in
        var lesson = lesson
        lesson.weeks = .all
        return lesson
      }
      let words = TimetableText.csesLabels(in: request.language)
      let text = CSESWriter.text(of: every, termWeeks: calendar.weeks, labels: words).text
      return file(request, text, type: "application/yaml")
    case .csv:
      return file(request, table(lessons, names), type: "text/csv; charset=utf-8")
    }
  }

  /// The joint lessons that a room has in one week.
  private func weekLessons(
    in room: Identifier, from monday: CivilDate, week: Int, _ names: TimetableNames
  ) throws -> [WeekLesson] {
    let timetable = names.timetable
    let span = CivilText.midnight(monday)...(CivilText.midnight(monday + 7) - 1)
    var found: [WeekLesson] = []
    for lesson in try relay.store.lessons(room: room, startingIn: span) {
      guard lesson.state != .cancelled, lesson.state != .notHeld else { continue }
      let course = names.course(lesson.course)
      let teacher = (lesson.teacher ?? course?.lead.teacher).flatMap { timetable.persons[$0]?.name } ?? ""
      found.append(
        WeekLesson(
          weekday: CivilTime.date(of: lesson.plannedStart).weekday, start: CivilTime.time(of: lesson.plannedStart),
          end: CivilTime.time(of: lesson.plannedEnd), weeks: WeekSet([week]),
          subject: course.map { names.subject($0.subject) } ?? lesson.title, teacher: teacher,
          room: names.number(ofRoom: course?.lead.room ?? room), title: lesson.title))
    }
    return found
  }

  private func table(_ lessons: [WeekLesson], _ names: TimetableNames) -> String {
    // The header that an import of local lessons reads.
    let fields: [SheetField] = [.weekday, .start, .end, .subject, .teacher, .place]
    let columns = fields.compactMap { field in SheetKind.localLessons.columns.first { $0.field == field } }
    var table = CSVWriter(header: columns.map { names.language == .chinese ? $0.chinese : $0.english })
    for lesson in lessons {
      table.add([
        .text(names.weekday(lesson.weekday)), .text(lesson.start.description), .text(lesson.end.description),
        .text(lesson.subject), .text(lesson.teacher), .text(lesson.room),
      ])
    }
    return table.text
  }
}
