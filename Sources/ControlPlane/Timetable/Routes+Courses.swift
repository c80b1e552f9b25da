import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of one course: what it is, column by column as a sheet has it, and changing some of them.
struct CourseRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let course = "/api/v1/terms/{term}/courses/{course}"
    return [Route(.get, course, read), Route(.patch, course, change)]
  }

  private func read(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let course = try course(context)
    try relay.gate.require(.readCourses, on: relay.places.places().target(course: course), by: caller)
    return try respond(try await relay.timetables.fields(of: course))
  }

  private func change(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let course = try course(context)
    let target = relay.places.places().target(course: course)
    try relay.gate.require(.changeCourses, on: target, by: caller)
    let wanted: CourseChangeRequest = try await request.json()
    guard let match = request.headers[.ifMatch] else { throw Problem(.noRevision) }
    let gate = relay.gate
    let reply = try await relay.timetables.change(
      course, wanted.fields, ifVersion: match.filter { $0 != "\"" }, language: request.language
    ) { target in try gate.require(.changeCourses, on: target, by: caller) }
    gate.changed(
      .changeCourses, on: target, by: caller,
      new: JSONText.object([
        ("course", JSONText.string(reply.number)), ("term", JSONText.string(reply.term)),
        ("columns", JSONText.array(wanted.fields.keys.sorted().map { JSONText.string($0.onOneLine(limit: 40)) })),
        ("version", JSONText.string(reply.version)),
      ]))
    return try respond(reply)
  }

  private func course(_ context: RelayContext) throws -> Course {
    let number = context.name("course")
    guard !number.isEmpty, let course = try relay.store.course(number: number, term: context.name("term")) else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return course
  }

  private func respond(_ reply: CourseFieldsReply) throws -> Response {
    var response = try json(reply)
    response.headers[.eTag] = "\"\(reply.version)\""
    return response
  }
}

extension TimetableDesk {
  /// Columns of one request.
  private static let fieldLimit = 20

  /// A course as a sheet has it.
  nonisolated func fields(of course: Course) async throws -> CourseFieldsReply {
    try await writing.run { try self.reply(course, try self.store.importBase(subjects: self.subjects)) }
  }

  /// Changes some columns of a course as an import of its row would, if it is still the version that was read.
  ///
  /// `require` is asked with all places of the course, as it was and as it will be. Throws `staleCourse` with what was
  /// changed since, `importRefused` for what cannot be read, `badQuery` for a column that there is not.
  nonisolated func change(
    _ course: Course, _ fields: [String: String], ifVersion version: String, language: Language,
    require: @escaping @Sendable (AccessTarget) throws -> Void
  ) async throws -> CourseFieldsReply {
    defer { changed() }
    return try await writing.run {
      let base = try self.store.importBase(subjects: self.subjects)
      guard let old = base.courses.first(where: { $0.id == course.id }) else { throw Problem(.notFound) }
      guard try LedgerStore.version(of: old) == version else {
        throw try self.stale(old, version, base, language)
      }
      let plan = try self.plan(fields, of: old, onto: base, language)
      guard let new = plan.changes.courses.first else { return try self.reply(old, base) }
      try require(AccessPlaces(institutions: base.institutions, rooms: base.rooms).target(course: new))
      do {
        try self.store.transaction { try $0.upsert(new, ifVersion: version) }
      } catch LedgerError.stale {
        throw try self.stale(try self.store.course(old.id) ?? old, version, base, language)
      }
      var after = base
      after.apply(plan.changes)
      return try self.reply(new, after)
    }
  }

  private nonisolated func plan(
    _ fields: [String: String], of course: Course, onto base: ImportBase, _ language: Language
  ) throws(Problem) -> ImportPlan {
    guard (1...Self.fieldLimit).contains(fields.count) else {
      throw Problem(.badQuery, arguments: ["name": "fields", "value": "\(fields.count)"])
    }
    var cells: [SheetField: String] = [:]
    for (name, value) in fields {
      let column = SheetKind.courses.columns.first { $0.forms.contains(SheetColumn.form(name)) }
      guard let column, !column.isKey else {
        throw Problem(.badQuery, arguments: ["name": "fields", "value": name.onOneLine(limit: 40)])
      }
      cells[column.field] = value
    }
    // Weeks are those of the times: a column of its own in sheets alone.
    if cells[.weeks] != nil, cells[.times] == nil {
      throw Problem(.badQuery, arguments: ["name": "fields", "value": "times"])
    }
    var one = base
    one.courses = [course]
    let table = one.table(of: .courses)
    var row = Dictionary(zip(table[0], table[1])) { first, _ in first }
    for column in SheetKind.courses.columns {
      if let value = cells[column.field] { row[column.chinese] = value }
    }
    let header = SheetKind.courses.columns.map(\.chinese).filter { row[$0] != nil }
    var sheet = CSVWriter(header: header)
    sheet.add(header.map { .text(row[$0] ?? "") })
    let read: ImportSheet
    do throws(ImportIssue) { read = try ImportSheet([UInt8](sheet.text.utf8), kind: .courses) } catch {
      throw .refusedImport([ImportIssueReply(error, file: course.number, language: language)], more: 0)
    }
    return try make(read, onto: base, language)
  }
}

extension TimetableDesk {
  private nonisolated func make(
    _ sheet: ImportSheet, onto base: ImportBase, _ language: Language
  ) throws(Problem) -> ImportPlan {
    do throws(ImportRefusal) {
      // No row is new here.
      return try ImportPlan.make([sheet], onto: base) { Identifier(high: 0, low: 0) }
    } catch {
      let issues = error.issues.map { ImportIssueReply($0, file: sheet.kind.rawValue, language: language) }
      throw .refusedImport(issues, more: error.more)
    }
  }

  private nonisolated func reply(_ course: Course, _ base: ImportBase) throws -> CourseFieldsReply {
    var one = base
    one.courses = [course]
    let table = one.table(of: .courses, inEnglish: true)
    var fields = Dictionary(zip(table[0], table[1])) { first, _ in first }
    for column in SheetKind.courses.columns where column.isKey { fields[column.english] = nil }
    return CourseFieldsReply(
      term: course.term, number: course.number, fields: fields, version: try LedgerStore.version(of: course))
  }

  /// What a course has become since the version that a request names, column by column.
  private nonisolated func stale(
    _ course: Course, _ version: String, _ base: ImportBase, _ language: Language
  ) throws -> Problem {
    let current = try reply(course, base)
    let told = try LedgerStore.columns(of: course, changedSince: version).flatMap { Self.fields[$0] ?? [] }
    let changes = SheetKind.courses.columns.filter { told.contains($0.field) }.compactMap { column -> String? in
      guard let value = current.fields[column.english] else { return nil }
      let title = language == .chinese ? column.chinese : column.english
      return Text.of("course.changed", in: language, ["column": title, "value": value.onOneLine()])
    }
    var problem = Problem(.staleCourse, arguments: ["changes": changes.joined(separator: language.semicolon)])
    problem.tag = current.version
    return problem
  }

  /// Columns of a sheet by those of the ledger.
  private static let fields: [String: [SheetField]] = [
    "cluster": [.cluster], "subject": [.subject], "grades": [.grades], "textbook": [.textbook],
    "lead": [.leadRoom, .leadClass, .leadTeacher], "receivers": [.rooms, .classes, .teachers], "mode": [.mode],
    "label": [.label], "weeklyTimes": [.times, .adoptedBy], "audio": [.audio],
  ]
}
