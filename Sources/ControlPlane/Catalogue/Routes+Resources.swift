import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of resources: found, described, reviewed, published, and given to schools.
struct ResourceRoutes: Sendable {
  /// Rows looked at for one page: who may see few of many goes on by the cursor.
  private static let lookedAt = 20_000

  let relay: RelayParts

  private var access: ResourceAccess { ResourceAccess(relay: relay) }

  var all: [Route] {
    let resource = "/api/v1/resources/{resource}"
    return [
      Route(.get, "/api/v1/resources", list), Route(.get, resource, show), Route(.patch, resource, change),
      Route(.post, resource + "/steps", step), Route(.post, resource + "/pushes", push),
    ] + ResourceFileRoutes(relay: relay).all + ResourceMetadataRoutes(relay: relay).all
  }

  // MARK: Finding

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let limit = try request.query.number("limit", in: 1...5_000) ?? 100
    var query = try wanted(request.query)
    let directory = try directory(request)
    let access = access
    var rows: [ResourceReply] = []
    var looked = 0
    while looked < Self.lookedAt {
      let batch = try relay.store.resources(query, limit: 500)
      for resource in batch {
        if rows.count == limit { return try json(Page(rows: rows, next: query.before.map { "\($0)" })) }
        query.before = resource.number
        if access.finds(resource, caller) { rows.append(try directory.reply(resource)) }
      }
      looked += batch.count
      guard batch.count == 500 else { return try json(Page(rows: rows)) }
    }
    return try json(Page(rows: rows, next: query.before.map { "\($0)" }))
  }

  private func wanted(_ query: RequestQuery) throws -> ResourceQuery {
    var wanted = ResourceQuery()
    wanted.text = try query.value("text") { $0.utf8.count <= 800 ? $0 : nil }
    wanted.subject = query["subject"].map { relay.timetables.subjects.subject(named: $0)?.key ?? $0 }
    wanted.grade = try query.number("grade", in: 1...12)
    wanted.institution = try query["school"].map { try relay.store.institution(called: $0).id }
    wanted.author = try query["teacher"].map { text in
      if let id = Identifier(text) { return id }
      return try relay.store.teacher(text).id
    }
    wanted.term = query["term"]
    wanted.state = try query.choice("state", ResourceState.self)
    wanted.isNominated = try query.number("nominated", in: 0...1).map { $0 == 1 }
    wanted.pushedTo = try query["pushedto"].map { try relay.store.institution(called: $0).id }
    wanted.before = try query.value("cursor") { Int64($0) }
    return wanted
  }

  private func directory(_ request: Request) throws -> ResourceDirectory {
    try ResourceDirectory(relay.store, subjects: relay.timetables.subjects, language: request.language)
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    try access.requireFinding(resource, caller)
    return try respond(resource, request)
  }

  private func respond(_ resource: LessonResource, _ request: Request) throws -> Response {
    var response = try json(try directory(request).whole(resource))
    response.headers[.eTag] = "\"\(try relay.store.digest(of: resource))\""
    return response
  }

  // MARK: Changing

  private func change(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    let target = access.owner(of: resource)
    try relay.gate.require(.submitResources, on: target, by: caller)
    guard let match = request.headers[.ifMatch] else { throw Problem(.noTag) }
    let wanted: ResourceChangeRequest = try await request.json()
    let subjects = relay.timetables.subjects
    let changed = try tellingResourceProblems {
      try relay.store.transaction { changes in
        guard let now = try changes.resource(resource.id) else { throw LedgerError.notFound }
        let tag = try changes.digest(of: now)
        guard EntityTags.match(match, tag: tag) else {
          var problem = Problem(.staleRow, arguments: ["columns": ""])
          problem.tag = tag
          throw problem
        }
        return try changes.describe(resource.id, now.metadata.changed(by: wanted, subjects), by: caller.subject)
      }
    }
    relay.gate.changed(.submitResources, on: target, by: caller, new: Self.note(resource, "draft"))
    return try respond(changed, request)
  }

  /// What the audit trail says of a step.
  private static func note(_ resource: LessonResource, _ step: String, _ level: String? = nil) -> String {
    JSONText.object([
      ("resource", JSONText.string("\(resource.id)")), ("step", JSONText.string(step)),
      ("level", level.map(JSONText.string)),
    ])
  }

  private func step(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    let wanted: ResourceStepRequest = try await request.json()
    let level = try wanted.level.map { text in
      guard let level = ResourceVisibility(rawValue: text) else {
        throw Problem(.badQuery, arguments: ["name": "level", "value": text.onOneLine(limit: 40)])
      }
      return level
    }
    let (operation, target) = right(wanted.step, resource, level ?? .school, caller)
    try relay.gate.require(operation, on: target, by: caller)
    let actor = caller.subject
    let changed = try tellingResourceProblems {
      try relay.store.transaction { changes in
        switch wanted.step {
        case .submit: try changes.review(resource.id, .submit(by: actor), by: actor)
        case .approve: try changes.review(resource.id, .approve(by: actor, for: level ?? .school), by: actor)
        case .reject: try changes.review(resource.id, .reject(by: actor, reason: wanted.reason ?? ""), by: actor)
        case .publish:
          try changes.review(
            resource.id, .publish(level ?? resource.review.approvedFor ?? .school), by: actor)
        case .withdraw: try changes.review(resource.id, .withdraw, by: actor)
        case .nominate: try changes.nominate(resource.id, by: actor)
        case .hold: try changes.hold(resource.id, true, by: actor)
        case .release: try changes.hold(resource.id, false, by: actor)
        }
      }
    }
    relay.gate.changed(
      operation, on: target, by: caller, new: Self.note(resource, wanted.step.rawValue, level?.rawValue))
    return try respond(changed, request)
  }

  /// The right that a step takes. What is public may also be withdrawn by those who review it, at its level.
  private func right(
    _ step: ResourceStepRequest.Step, _ resource: LessonResource, _ level: ResourceVisibility, _ caller: Caller
  ) -> (AccessOperation, AccessTarget) {
    let owner = (AccessOperation.submitResources, access.owner(of: resource))
    switch step {
    case .approve, .reject: return (.reviewResources, access.target(of: resource, for: level))
    case .submit, .publish, .hold, .release: return owner
    case .withdraw, .nominate:
      let level = resource.review.visibility ?? .school
      let review = (AccessOperation.reviewResources, access.target(of: resource, for: level))
      return relay.gate.allows(review.0, on: review.1, by: caller) ? review : owner
    }
  }

  // MARK: Giving

  private func push(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    let wanted: ResourcePushRequest = try await request.json()
    let school = try relay.store.institution(called: wanted.school).id
    let operation: AccessOperation
    let target: AccessTarget
    if let answer = wanted.answer {
      guard let state = ResourcePush.State(rawValue: answer), state == .accepted || state == .declined else {
        throw Problem(.badQuery, arguments: ["name": "answer", "value": answer.onOneLine(limit: 40)])
      }
      (operation, target) = (.answerPush, .place(relay.places.places().place(school: school)))
      try relay.gate.require(operation, on: target, by: caller)
      try tellingResourceProblems {
        try relay.store.transaction { _ = try $0.answer(resource.id, at: school, state, by: caller.subject) }
      }
    } else {
      (operation, target) = (.submitResources, access.owner(of: resource))
      try relay.gate.require(operation, on: target, by: caller)
      // It is given within its visibility: a push widens nothing.
      guard access.covers(resource, school: school) else { throw Problem(.notApproved) }
      try tellingResourceProblems {
        try relay.store.transaction { _ = try $0.push(resource.id, to: school, by: caller.subject) }
      }
    }
    relay.gate.changed(operation, on: target, by: caller, new: Self.note(resource, wanted.answer ?? "push"))
    return try respond(try relay.resource(context), request)
  }
}

extension RelayParts {
  /// The resource that a path names, by its own identifier or its lesson's.
  /// - Throws: `notFound`.
  func resource(_ context: RelayContext) throws -> LessonResource {
    let id = try identifier(context.parameter("resource"))
    guard let found = try store.resource(id) ?? store.resource(lesson: id) else { throw Problem(.notFound) }
    return found
  }
}

extension ResourceMetadata {
  /// The fields that a request names, changed. A subject by any of its names becomes its key.
  func changed(by wanted: ResourceChangeRequest, _ subjects: SubjectTable) -> ResourceMetadata {
    var next = self
    next.title = wanted.title ?? title
    next.subject = wanted.subject.map { subjects.subject(named: $0)?.key ?? $0 } ?? subject
    next.grades = wanted.grades.map { Set($0).sorted() } ?? grades
    next.volume = wanted.volume ?? volume
    next.textbook = wanted.textbook ?? textbook
    next.chapter = wanted.chapter ?? chapter
    next.lessonName = wanted.lessonName ?? lessonName
    next.keywords = wanted.keywords ?? keywords
    next.summary = wanted.summary ?? summary
    next.containsFaces = wanted.faces ?? containsFaces
    next.consent = wanted.consent ?? consent
    return next
  }
}
