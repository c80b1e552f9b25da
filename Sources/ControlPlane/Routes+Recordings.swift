import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Resources

/// The REST interface of what becomes of recordings: moments that are marked, whose pupils may be seen, and how long
/// files stay that nobody keeps.
struct RecordingRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let markers = "/api/v1/lessons/{lesson}/markers"
    let consent = "/api/v1/classes/{number}/consent"
    let course = "/api/v1/terms/{term}/courses/{course}/recording"
    let expiry = "/api/v1/resources/expiry"
    return [
      Route(.post, markers, mark),
      Route(.options, markers) { _, _ in preflight(methods: "OPTIONS, POST", acceptsOffers: false) },
      Route(.get, consent, showConsent), Route(.post, consent, giveConsent), Route(.delete, consent, withdrawConsent),
      Route(.get, course, showCourse), Route(.patch, course, changeCourse),
      Route(.get, expiry, listExpiry), Route(.post, expiry, expire),
    ]
  }

  // MARK: Markers

  private func mark(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let id = try identifier(context.parameter("lesson"))
    let wanted: MarkerRequest = try await request.json()
    let target = relay.places.target(lesson: id, for: caller)
    try relay.gate.require(.mark, on: target, by: caller)
    let label = (wanted.label ?? "").onOneLine(limit: LessonDirector.labelScalars)
    try await relay.director.mark(id, label: label, by: caller.subject)
    relay.gate.changed(.mark, on: target, by: caller)
    return Response(status: .noContent)
  }

  // MARK: Consent

  private func schoolClass(_ context: RelayContext) throws -> (SchoolClass, AccessTarget) {
    let number = context.name("number")
    guard let value = try relay.store.schoolClass(number: number) else { throw Problem.unknown(number) }
    return (value, PlaceValue.schoolClass(value).target(relay.places.places()))
  }

  private func reply(_ id: Identifier) throws -> Response {
    guard let value = try relay.store.schoolClass(id) else { throw Problem(.notFound) }
    let history = try relay.store.consents(of: id).map {
      ConsentReply.Entry(at: $0.at, given: $0.kind == .consentGiven, reference: $0["reference"])
    }
    return try json(
      ConsentReply(
        number: value.number, name: value.name, given: !value.consentRecord.isEmpty,
        reference: value.consentRecord, history: history))
  }

  private func showConsent(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (value, target) = try schoolClass(context)
    try relay.gate.require(.readClasses, on: target, by: caller)
    return try reply(value.id)
  }

  private func giveConsent(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: ConsentRequest = try await request.json()
    return try await setConsent(wanted.reference, request, context)
  }

  private func withdrawConsent(_ request: Request, _ context: RelayContext) async throws -> Response {
    try await setConsent(nil, request, context)
  }

  private func setConsent(
    _ reference: String?, _ request: Request, _ context: RelayContext
  ) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (value, target) = try schoolClass(context)
    try relay.gate.require(.changeClasses, on: target, by: caller)
    do {
      try relay.store.setConsent(of: value.id, reference: reference, by: caller.subject)
    } catch is ClassroomError { throw Problem(.badRange) }
    if reference == nil {
      await relay.director.stopRecordingSites { $0?.schoolClass == value.id }
      relay.recordings.wakeJobs()
    }
    func form(_ given: Bool) -> String { JSONText.object([("consent", given ? "true" : "false")]) }
    relay.gate.changed(
      .changeClasses, on: target, by: caller, old: form(!value.consentRecord.isEmpty), new: form(reference != nil))
    return try reply(value.id)
  }

  // MARK: A course's sites

  private func course(_ context: RelayContext) throws -> (Course, AccessTarget) {
    let number = context.name("course")
    guard let course = try relay.store.course(number: number, term: context.name("term")) else {
      throw Problem.unknown(number)
    }
    return (course, relay.places.places().target(course: course))
  }

  private func reply(_ course: Course) throws -> Response {
    let classes = Set(([course.lead] + course.receivers).compactMap(\.schoolClass))
    var missing = try relay.store.withoutConsent(classes).map { $0.number.isEmpty ? $0.name : $0.number }
    for party in course.receivers where party.schoolClass == nil {
      missing.append(try relay.store.room(party.room)?.number ?? "\(party.room)")
    }
    return try json(
      CourseRecordingReply(
        course: course.number, term: course.term, sites: course.recordsSites,
        recorded: course.recordsSites && missing.isEmpty, missing: missing))
  }

  private func showCourse(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let (course, target) = try course(context)
    try relay.gate.require(.readCourses, on: target, by: caller)
    return try reply(course)
  }

  private func changeCourse(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    var (course, target) = try course(context)
    try relay.gate.require(.changeCourses, on: target, by: caller)
    let wanted: CourseRecordingRequest = try await request.json()
    let old = course
    course.recordsSites = wanted.sites
    let changed = course
    try relay.store.transaction { try $0.upsert(changed, ifVersion: try LedgerStore.version(of: old)) }
    if !wanted.sites {
      let rooms = Set(course.receivers.map(\.room))
      await relay.director.stopRecordingSites { $0?.room.map(rooms.contains) ?? true }
    }
    func form(_ isOn: Bool) -> String { JSONText.object([("recordsSites", isOn ? "true" : "false")]) }
    relay.gate.changed(
      .changeCourses, on: target, by: caller, old: form(old.recordsSites), new: form(wanted.sites))
    return try reply(course)
  }

  // MARK: Files that nobody keeps

  private func listExpiry(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    // Whoever may read resources nowhere is told so; others see their own.
    let isEverywhere = relay.gate.allows(.readResources, on: .city, by: caller)
    let due = try relay.recordings.expirySweep.due(now: relay.clock()).filter { entry in
      isEverywhere
        || relay.gate.allows(
          .readResources, on: relay.places.target(lesson: entry.expiry.lesson, for: caller), by: caller)
    }
    if due.isEmpty, !isEverywhere, !caller.grants.contains(where: { $0.role != .platform && $0.role != .device }) {
      try relay.gate.require(.readResources, on: .city, by: caller)
    }
    return try json(
      ExpiryList(
        unreviewedDays: relay.director.configuration.unreviewedDays,
        lessons: due.map { expiry, at in
          ExpiryList.Entry(
            lesson: "\(expiry.lesson)", title: expiry.title, files: expiry.files, byteCount: expiry.byteCount,
            madeAt: expiry.madeAt, noticedAt: expiry.noticedAt, expiresAt: at)
        }))
  }

  private func expire(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.changeLesson, on: .city, by: caller)
    let done = try relay.recordings.expirySweep.run(now: relay.clock())
    relay.recordings.wakeJobs()
    relay.gate.changed(
      .changeLesson, on: .city, by: caller,
      new: JSONText.object([("noticed", String(done.noticed)), ("expired", String(done.expired))]))
    return try json(ExpiryReply(noticed: done.noticed, expired: done.expired))
  }
}
