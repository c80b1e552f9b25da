import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Synchronization

/// The REST interface of timetables: import, check, free windows, gaps and publication.
struct TimetableRoutes: Sendable {
  /// Bytes of an import's body: files of 36 MiB, many times a large county's.
  static let importLimit = 48 << 20
  /// Findings of one answer; counts are of all.
  static let findingLimit = 10_000

  let relay: RelayParts
  var desk: TimetableDesk { relay.timetables }

  var all: [Route] {
    let term = "/api/v1/terms/{term}"
    return [
      Route(.post, "/api/v1/imports", importFiles), Route(.get, "/api/v1/terms", terms),
      Route(.get, term + "/check", check), Route(.get, term + "/free", free), Route(.get, term + "/gaps", gaps),
      Route(.get, term + "/courses", courses), Route(.post, term + "/publish", publish),
    ]
  }

  // MARK: Import

  private func importFiles(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try requireImporter(caller)
    // Bodies wait in memory while the desk is at work.
    guard relay.imports.enter() else { throw Problem(.tooFast, retryAfter: 5) }
    defer { relay.imports.leave() }
    let body = try await request.data(of: "application/json", limit: Self.importLimit)
    guard let wanted: ImportRequest = decodeJSON(body) else { throw Problem(.badJSON) }
    let gate = relay.gate
    var isOwn: (@Sendable (AccessPlace) -> Bool)?
    if !gate.allows(.importTables, on: .city, by: caller) {
      isOwn = { place in gate.allows(.importTables, on: .place(place), by: caller) }
    }
    let require: @Sendable (AccessTarget) throws -> Void = { target in
      try gate.require(.importTables, on: target, by: caller)
    }
    let (reply, target) = try await desk.importFiles(
      wanted, language: request.language, isOwn: isOwn, require: require)
    if reply.applied, reply.counts.add + reply.counts.change + reply.counts.remove > 0 {
      let counts = reply.counts
      gate.changed(
        .importTables, on: target, by: caller,
        new: #"{"add":\#(counts.add),"change":\#(counts.change),"remove":\#(counts.remove)}"#)
    }
    return try json(reply)
  }

  /// Who imports nothing anywhere sends no files for nothing.
  private func requireImporter(_ caller: Caller) throws {
    let places = relay.places.places()
    let targets = caller.grants.compactMap { places.target($0.scope) }
    if targets.contains(where: { relay.gate.allows(.importTables, on: $0, by: caller) }) { return }
    try relay.gate.require(.importTables, on: .city, by: caller)
  }

  // MARK: Reading

  private func terms(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readTerms, on: .city, by: caller)
    return try json(try relay.store.terms().map(TermReply.init))
  }

  private func courses(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let snapshot = try await desk.snapshot(context.name("term"))
    let own = try ownCourses(of: snapshot, caller)
    let names = TimetableNames(snapshot.timetable, subjects: desk.subjects, language: request.language)
    return try json(snapshot.timetable.courses.filter { own($0.id) }.map { CourseReply($0, names) })
  }

  private func check(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (term, query) = (context.name("term"), request.query)
    let severity = try query.choice("severity", TimetablePolicy.Severity.self)
    let checked: (snapshot: TermSnapshot, findings: [Conflict])
    if let number = query["course"] {
      let snapshot = try await desk.snapshot(term)
      let target = snapshot.places.target(course: try snapshot.course(number))
      try relay.gate.require(.readCourses, on: target, by: caller)
      checked = try await desk.findings(term, course: number)
    } else {
      checked = try await desk.findings(term)
    }
    let (snapshot, findings) = checked
    let own = try ownCourses(of: snapshot, caller)
    let seen = findings.filter { own($0.course) }
    func count(_ severity: TimetablePolicy.Severity) -> Int { seen.count { $0.severity == severity } }
    let texts = ConflictText(snapshot.timetable, subjects: desk.subjects, language: request.language)
    let told = seen.lazy.filter { severity == nil || $0.severity == severity }.prefix(Self.findingLimit)
    return try json(
      CheckReply(
        term: term, version: snapshot.timetable.term.version, conflicts: count(.conflict), warnings: count(.warning),
        notes: count(.note), findings: told.map { FindingReply($0, snapshot, texts) }))
  }

  private func free(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let query = request.query
    let minutes = try query.number("minutes", in: 10...120)
    let weeks = try query.value("weeks") { WeekSet($0) } ?? .all
    let gate = relay.gate
    let (snapshot, windows) = try await desk.free(context.name("term")) { snapshot in
      if let number = query["course"] {
        let course = try snapshot.course(number)
        try gate.require(.readCourses, on: snapshot.places.target(course: course), by: caller)
        return FreeRequest(for: course, weeks: weeks, minutes: minutes)
      }
      guard let lead = query["lead"] else { throw Problem(.badQuery, arguments: ["name": "lead", "value": ""]) }
      let rooms = (query["sites"] ?? "").split(separator: ",").prefix(Limits.seats).map(String.init)
      let parties = try ([lead] + rooms).map { snapshot.party(in: try snapshot.room($0)) }
      let target = AccessTarget.joint(
        AccessTarget.Joint(
          leads: [snapshot.places.place(room: parties[0].room)],
          sites: parties.dropFirst().map { snapshot.places.place(room: $0.room) }))
      try gate.require(.readCourses, on: target, by: caller)
      return FreeRequest(lead: parties[0], sites: Array(parties.dropFirst()), weeks: weeks, minutes: minutes)
    }
    return try json(windows.map { FreeWindowReply($0, snapshot.timetable) })
  }

  private func gaps(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let limit = try request.query.number("limit", in: 1...1_000_000) ?? .max
    let (snapshot, gaps) = try await desk.gaps(context.name("term"), class: request.query["class"])
    let gate = relay.gate
    let seesAll = gate.allows(.readClasses, on: .city, by: caller)
    var seen: [Identifier: Bool] = [:]
    func isSeen(_ gap: Gap) -> Bool {
      guard !seesAll, let school = snapshot.timetable.classes[gap.schoolClass]?.institution else { return seesAll }
      if let known = seen[school] { return known }
      let isSeen = gate.allows(.readClasses, on: .place(snapshot.places.place(school: school)), by: caller)
      seen[school] = isSeen
      return isSeen
    }
    let told = Array(gaps.lazy.filter(isSeen).prefix(limit))
    if told.isEmpty, !gaps.isEmpty { try gate.require(.readClasses, on: .city, by: caller) }
    let names = TimetableNames(snapshot.timetable, subjects: desk.subjects, language: request.language)
    return try json(told.map { GapReply($0, names) })
  }

  /// Which courses of a term the caller sees; refuses whoever sees none of those there are.
  private func ownCourses(of snapshot: TermSnapshot, _ caller: Caller) throws -> (Identifier) -> Bool {
    if relay.gate.allows(.readCourses, on: .city, by: caller) { return { _ in true } }
    let own = Set(
      snapshot.timetable.courses.filter {
        relay.gate.allows(.readCourses, on: snapshot.places.target(course: $0), by: caller)
      }.map(\.id))
    if own.isEmpty, !snapshot.timetable.courses.isEmpty {
      try relay.gate.require(.readCourses, on: snapshot.target, by: caller)
    }
    return own.contains
  }

  // MARK: Publication

  private func publish(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let gate = relay.gate
    let term = context.name("term")
    let summary = try await desk.publish(term, by: caller.subject, language: request.language) { snapshot in
      try gate.require(.publishTerm, on: snapshot.target, by: caller)
    }
    await relay.director.timetableChanged()
    let target = try await desk.snapshot(term).target
    gate.changed(
      .publishTerm, on: target, by: caller, old: #"{"version":\#(summary.version - 1)}"#,
      new: #"{"version":\#(summary.version),"made":\#(summary.made),"cancelled":\#(summary.cancelled)}"#)
    return try json(PublishReply(summary))
  }
}

extension TermSnapshot {
  /// A room as one end of a course, with the class whose room it is where that is one.
  func party(in room: Identifier) -> Course.Party {
    let classes = timetable.classes.values.filter { $0.homeRoom == room }
    return Course.Party(schoolClass: classes.count == 1 ? classes[0].id : nil, room: room)
  }
}

/// How many imports may be under way at once.
final class ImportPlaces: Sendable {
  static let limit = 2
  private let taken = Mutex(0)

  func enter() -> Bool {
    taken.withLock { taken in
      guard taken < Self.limit else { return false }
      taken += 1
      return true
    }
  }

  func leave() { taken.withLock { $0 -= 1 } }
}

/// What stands behind the question mark.
struct RequestQuery: Sendable {
  private let values: [String: String]

  init(_ request: Request) {
    values = Dictionary(request.uri.queryParameters.map { (String($0.key), String($0.value)) }) { first, _ in first }
  }

  /// Nil for what is not there, or empty.
  subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Throws `badQuery` for what `read` does not take.
  func value<Value>(_ name: String, _ read: (String) -> Value?) throws(Problem) -> Value? {
    guard let text = self[name] else { return nil }
    guard let value = read(text) else {
      throw Problem(.badQuery, arguments: ["name": name, "value": text.onOneLine(limit: 40)])
    }
    return value
  }

  func number(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    try value(name) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
  }

  func choice<Value: RawRepresentable<String>>(_ name: String, _: Value.Type) throws(Problem) -> Value? {
    try value(name) { Value(rawValue: $0) }
  }
}

extension RelayContext {
  /// A path parameter with its percent-encoding undone.
  func name(_ parameter: String) -> String {
    let text = self.parameter(parameter)
    return text.removingPercentEncoding ?? text
  }
}

extension Request {
  var query: RequestQuery { RequestQuery(self) }

  /// The body of one media type, refused before it is gathered when it says that it is too long.
  /// - Throws: `wrongType`, `tooLarge`, `empty`.
  func data(of mediaType: String, limit: Int) async throws -> Data {
    let type = headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    guard type == mediaType else { throw Problem(.wrongType, arguments: ["wanted": mediaType]) }
    if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit { throw Problem(.tooLarge) }
    var data = Data()
    for try await part in body {
      guard data.count + part.readableBytes <= limit else { throw Problem(.tooLarge) }
      data.append(contentsOf: part.readableBytesView)
    }
    guard !data.isEmpty else { throw Problem(.empty) }
    return data
  }
}
