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
    return Self.calendar(request, try CalendarFeeds(relay: relay).room(room))
  }

  private func cluster(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let number = context.name("number")
    guard let cluster = try relay.store.cluster(number: number) else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    try relay.gate.require(.readLessons, on: relay.places.places().target(cluster: cluster), by: caller)
    return Self.calendar(request, try CalendarFeeds(relay: relay).cluster(cluster))
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
    return Self.calendar(request, try await CalendarFeeds(relay: relay).teacher(person))
  }

  private func institution(_ id: Identifier) throws -> Institution {
    guard let institution = try relay.store.institution(id) else { throw Problem(.notFound) }
    return institution
  }

  static func calendar(_ request: Request, _ feed: CalendarFeed) -> Response {
    file(request, ICalendarWriter.text(of: feed).text, type: "text/calendar; charset=utf-8")
  }

  /// A text with an entity tag; nothing for whoever has it already.
  private static func file(_ request: Request, _ text: String, type: String) -> Response {
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
    let mayLocal = relay.gate.allows(.readLocalLessons, on: .place(snapshot.places.place(room: room)), by: caller)
    let week = try RoomWeek(of: room, from: monday, week: number, names, relay.store, showsLocals: mayLocal)
    let lessons = week.lessons
    let periods = snapshot.timetable.bells[school.id]?.periods(on: monday, weekday: 1) ?? []
    var title = Text.of("week.title", in: request.language, ["room": names.room(room), "week": "\(number)"])
    if !week.unknown.isEmpty {
      let classes = week.unknown.map { names.timetable.classes[$0]?.number ?? "" }.sorted()
      title += Text.of(
        "week.unknown", in: request.language, ["classes": classes.joined(separator: request.language.listSeparator)])
    }
    switch format {
    case .text, .html:
      let grid = WeekGrid(
        periods: periods, lessons: lessons, termWeeks: calendar.weeks,
        labels: TimetableText.gridLabels(title: title, in: request.language))
      if format == .html { return Self.file(request, grid.htmlPage, type: "text/html; charset=utf-8") }
      return Self.file(request, grid.text(), type: "text/plain; charset=utf-8")
    case .cses:
      // A screen shows this week's lessons as those of every week.
      let every = lessons.map { lesson in
        var lesson = lesson
        lesson.weeks = .all
        return lesson
      }
      let words = TimetableText.csesLabels(in: request.language)
      let text = CSESWriter.text(of: every, termWeeks: calendar.weeks, labels: words).text
      return Self.file(request, text, type: "application/yaml")
    case .csv:
      return Self.file(request, table(lessons, names), type: "text/csv; charset=utf-8")
    }
  }

  private func table(_ lessons: [WeekLesson], _ names: TimetableNames) -> String {
    // The header that an import of local lessons reads.
    let fields: [SheetField] = [.weekday, .start, .end, .subject, .teacher, .place, .origin]
    let columns = fields.compactMap { field in SheetKind.localLessons.columns.first { $0.field == field } }
    var table = CSVWriter(header: columns.map { names.language == .chinese ? $0.chinese : $0.english })
    for lesson in lessons {
      table.add([
        .text(names.weekday(lesson.weekday)), .text(lesson.start.description), .text(lesson.end.description),
        .text(lesson.subject), .text(lesson.teacher), .text(lesson.room),
        .text(names.text(lesson.isLocal ? "origin.local" : "origin.joint")),
      ])
    }
    return table.text
  }
}
