import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of accounts: who may do what, and the links by which people come in.
///
/// Whoever makes a link or binds an identity could come in by it: that takes the right to give every role that the
/// person holds.
struct AccountRoutes: Sendable {
  let relay: RelayParts
  private var gate: AccessGate { relay.gate }
  private var desk: AccessDesk { relay.desk }

  var all: [Route] {
    let account = "/api/v1/accounts/{person}"
    return [
      Route(.get, "/api/v1/accounts", list), Route(.post, "/api/v1/accounts", add), Route(.get, account, show),
      Route(.post, account + "/grants", give), Route(.delete, account + "/grants/{grant}", takeBack),
      Route(.post, account + "/links", link), Route(.delete, account + "/sessions", endSessions),
      Route(.post, account + "/lock", lock), Route(.post, account + "/unlock", unlock),
      Route(.delete, account + "/second-factor", removeSecondFactor),
      Route(.post, account + "/identity", bind), Route(.delete, account + "/identity", unbind),
    ]
  }

  // MARK: Reading

  private func list(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let query = request.query
    let limit = try query.number("limit", in: 1...500) ?? 100
    let people = relay.accountPlaces
    let school = try query["institution"].map { number in
      guard let school = try relay.store.institution(number: number) else {
        throw Problem(.unknownName, arguments: ["name": number.onOneLine(limit: 60)])
      }
      try gate.require(.readPersons, on: .place(people.places.place(school: school.id)), by: caller)
      return school.id
    }
    let seesAll = gate.allows(.readPersons, on: .city, by: caller)
    if !seesAll, school == nil { try requireReader(caller, people) }
    var cursor = try query.value("cursor") { Identifier($0) }
    var told: [AccountReply] = []
    while true {
      let batch = try relay.store.accounts(
        institution: school, all: query["all"] == "1", after: cursor, limit: 500)
      for person in batch {
        if told.count == limit { return try json(AccountList(accounts: told, next: cursor.map { "\($0)" })) }
        cursor = person.id
        guard seesAll || school != nil || gate.allows(.readPersons, on: people.target(of: person), by: caller) else {
          continue
        }
        told.append(try people.reply(person, desk: desk))
      }
      if batch.count < 500 { return try json(AccountList(accounts: told)) }
    }
  }

  /// Who reads of nobody anywhere is told so.
  private func requireReader(_ caller: Caller, _ people: AccountPlaces) throws {
    let targets = try caller.grants.map { try people.target(of: $0.scope) }
    if targets.contains(where: { gate.allows(.readPersons, on: $0, by: caller) }) { return }
    try gate.require(.readPersons, on: .city, by: caller)
  }

  private func show(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let person = try people.person(context.name("person"))
    try gate.require(.readPersons, on: people.target(of: person), by: caller)
    return try json(people.reply(person, desk: desk))
  }

  // MARK: Persons

  private func add(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let wanted: AccountRequest = try await request.json()
    let people = relay.accountPlaces
    let school = try wanted.institution.map { number in
      guard let school = try relay.store.institution(number: number) else {
        throw Problem(.unknownName, arguments: ["name": number.onOneLine(limit: 60)])
      }
      return school.id
    }
    var random = SystemRandomNumberGenerator()
    let person = Person(
      id: Identifier(milliseconds: relay.clock(), using: &random), institution: school, name: wanted.name,
      staffNumber: wanted.staffNumber)
    // A county takes on staff of its own by the role that it gives; without one the place says who may.
    let first = try wanted.grant.map { try Wanted($0, people) }
    if let first {
      try gate.requireGiving(first.grant, at: first.target, by: caller)
      if school != nil { try gate.require(.manageAccounts, on: people.target(of: person), by: caller) }
    } else {
      try gate.require(.manageAccounts, on: people.target(of: person), by: caller)
    }
    try tellingProblems { try relay.store.upsert(person) }
    gate.changed(.manageAccounts, on: people.target(of: person), by: caller, new: Self.form(person.id, "add"))
    if let first { try give(first, to: person, by: caller) }
    return try json(people.reply(person, desk: desk), status: .created)
  }

  // MARK: Roles

  /// A role as a request names it, understood.
  private struct Wanted {
    var grant: Grant
    var target: AccessTarget
    var from: Int64?
    var until: Int64?

    init(_ request: GrantRequest, _ people: AccountPlaces) throws {
      guard let role = Role(rawValue: request.role) else { throw Self.wrong("role", request.role) }
      let scope = try people.scope(request.scope)
      grant = Grant(role, scope)
      do throws(ClassroomError) { try grant.validate() } catch { throw Self.wrong("scope", request.scope) }
      target = try people.target(of: scope)
      from = try request.from.map { try Self.instant("from", $0) }
      until = try request.until.map { try Self.instant("until", $0) }
    }

    private static func wrong(_ name: String, _ value: String) -> Problem {
      Problem(.badQuery, arguments: ["name": name, "value": value.onOneLine(limit: 60)])
    }

    private static func instant(_ name: String, _ text: String) throws -> Int64 {
      guard let instant = CivilText.instant(text) else { throw wrong(name, text) }
      return instant
    }
  }

  private func give(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let wanted = try Wanted(try await request.json(), people)
    let person = try people.person(context.name("person"))
    let held = try people.grants(of: person.id, now: relay.clock())
    try gate.requireGiving(wanted.grant, at: wanted.target, to: held.map(\.grant), by: caller)
    // The same once more changes nothing.
    if held.contains(where: {
      $0.grant == wanted.grant && $0.validFrom == wanted.from && $0.validUntil == wanted.until
    }) {
      return try json(people.reply(person, desk: desk))
    }
    try give(wanted, to: person, by: caller)
    return try json(people.reply(person, desk: desk), status: .created)
  }

  private func give(_ wanted: Wanted, to person: Person, by caller: Caller) throws {
    let held = try tellingProblems {
      try desk.give(
        wanted.grant, at: wanted.target, to: person.id, from: wanted.from, until: wanted.until, by: caller)
    }
    gate.changed(
      .manageAccounts, on: wanted.target, by: caller, new: Self.form(person.id, "grant", held.id, held.grant))
  }

  private func takeBack(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let person = try people.person(context.name("person"))
    guard let held = try relay.store.heldGrant(try identifier(context.parameter("grant"))),
      held.subject == person.id, held.endedAt == nil
    else { throw Problem(.notFound) }
    // Its place may be gone, and the role with it has to be taken back all the same.
    let target = try people.target(of: held.grant.scope)
    try gate.requireGiving(held.grant, at: target, by: caller)
    try tellingProblems { try desk.takeBack(held, at: target, by: caller) }
    gate.changed(
      .manageAccounts, on: target, by: caller, old: Self.form(person.id, "takeBack", held.id, held.grant))
    return Response(status: .noContent)
  }

  // MARK: Ways in

  /// Whether the caller may have whatever the person has.
  private func requireOver(_ person: Person, _ people: AccountPlaces, _ caller: Caller) throws {
    let held = try people.grants(of: person.id, now: relay.clock())
    for each in held { try gate.requireGiving(each.grant, at: try people.target(of: each.grant.scope), by: caller) }
    if held.isEmpty { try gate.require(.manageAccounts, on: people.target(of: person), by: caller) }
  }

  private func link(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let person = try people.person(context.name("person"))
    try requireOver(person, people, caller)
    let link = try desk.makeSignInLink(for: person.id)
    gate.changed(
      .manageAccounts, on: people.target(of: person), by: caller, new: Self.form(person.id, "link"))
    return try json(
      LinkReply(code: link.code, expires: CivilText.text(link.expires), page: relay.pageBase() + "/sign-in"),
      status: .created)
  }

  private func bind(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted: (Caller, AccountPlaces, Person) = try overPerson(request, context)
    let identity: IdentityReply = try await request.json()
    guard !identity.issuer.isEmpty, !identity.subject.isEmpty else { throw Problem(.badRange) }
    return try change(wanted, "bind") {
      $0.issuer = identity.issuer
      $0.subject = identity.subject
    }
  }

  private func unbind(_ request: Request, _ context: RelayContext) async throws -> Response {
    let wanted = try overPerson(request, context)
    guard !wanted.2.subject.isEmpty else { throw Problem(.notFound) }
    return try change(wanted, "unbind") {
      $0.issuer = ""
      $0.subject = ""
    }
  }

  private func overPerson(_ request: Request, _ context: RelayContext) throws -> (Caller, AccountPlaces, Person) {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let person = try people.person(context.name("person"))
    try requireOver(person, people, caller)
    return (caller, people, person)
  }

  private func change(
    _ wanted: (caller: Caller, people: AccountPlaces, person: Person), _ action: String,
    _ edit: (inout Person) -> Void
  ) throws -> Response {
    var person = wanted.person
    edit(&person)
    try tellingProblems { try relay.store.upsert(person) }
    gate.changed(
      .manageAccounts, on: wanted.people.target(of: person), by: wanted.caller, new: Self.form(person.id, action))
    return try json(wanted.people.reply(person, desk: desk))
  }

  // MARK: Security

  private func endSessions(_ request: Request, _ context: RelayContext) async throws -> Response {
    try secure(.revokeTokens, "endSessions", request, context) { try desk.revoke(subject: $0.id, by: $1.subject) }
    return Response(status: .noContent)
  }

  private func lock(_ request: Request, _ context: RelayContext) async throws -> Response {
    let person = try secure(.changeSecurity, "lock", request, context) {
      try desk.lockAccount(of: $0.id, by: $1.subject)
    }
    return try json(relay.accountPlaces.reply(person, desk: desk))
  }

  private func unlock(_ request: Request, _ context: RelayContext) async throws -> Response {
    let person = try secure(.changeSecurity, "unlock", request, context) { person, _ in
      try desk.unlockAccount(of: person.id)
    }
    return try json(relay.accountPlaces.reply(person, desk: desk))
  }

  private func removeSecondFactor(_ request: Request, _ context: RelayContext) async throws -> Response {
    try secure(.changeSecurity, "removeSecondFactor", request, context) {
      try desk.removeSecondFactor(of: $0.id, by: $1.subject)
    }
    return Response(status: .noContent)
  }

  @discardableResult
  private func secure(
    _ operation: AccessOperation, _ action: String, _ request: Request, _ context: RelayContext,
    _ act: (Person, Caller) throws -> Void
  ) throws -> Person {
    let caller = try gate.caller(of: request, context)
    let people = relay.accountPlaces
    let person = try people.person(context.name("person"))
    // Tokens say roles: who ends them needs the right wherever one reaches.
    let held = try people.grants(of: person.id, now: relay.clock())
    let targets = try held.map { try people.target(of: $0.grant.scope) }
    for target in targets.isEmpty ? [people.target(of: person)] : targets {
      try gate.require(operation, on: target, by: caller)
    }
    try tellingProblems { try act(person, caller) }
    gate.changed(operation, on: people.target(of: person), by: caller, new: Self.form(person.id, action))
    return person
  }

  // MARK: Forms

  /// What the audit trail keeps: identifiers, no names.
  private static func form(
    _ person: Identifier, _ action: String, _ id: Identifier? = nil, _ grant: Grant? = nil
  ) -> String {
    JSONText.object([
      ("person", JSONText.string("\(person)")), ("action", JSONText.string(action)),
      ("grant", id.map { JSONText.string("\($0)") }), ("role", grant.map { JSONText.string($0.role.rawValue) }),
      ("scope", grant.map { JSONText.string($0.scope.description) }),
    ])
  }
}
