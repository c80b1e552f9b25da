import Classroom
import ControlAPI
import Ledger

/// What people call persons, scopes and places, and what the rules call them.
struct AccountPlaces {
  let store: LedgerStore
  let places: AccessPlaces

  // MARK: Persons

  /// The person of an identifier, or of a school's number and a staff number, such as `P07/001`; `/001` at a bureau.
  /// - Throws: `unknownName`.
  func person(_ text: String) throws -> Person {
    let unknown = Problem(.unknownName, arguments: ["name": text.onOneLine(limit: 60)])
    if let id = Identifier(text) {
      guard let person = try store.person(id) else { throw unknown }
      return person
    }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { throw unknown }
    let school = parts[0].isEmpty ? nil : try store.institution(number: parts[0])
    guard parts[0].isEmpty || school != nil,
      let person = try store.person(institution: school?.id, staffNumber: parts[1])
    else { throw unknown }
    return person
  }

  /// Where a person works; the city for the staff of a bureau.
  func target(of person: Person) -> AccessTarget {
    person.institution.map { .place(places.place(school: $0)) } ?? .city
  }

  /// What a person is asked for by: `P07/001` where there is a staff number.
  func key(of person: Person) throws -> String {
    guard !person.staffNumber.isEmpty else { return "\(person.id)" }
    let number = try person.institution.flatMap { try store.institution($0) }?.number ?? ""
    return number + "/" + person.staffNumber
  }

  // MARK: Scopes

  /// The scope of a text such as `city`, `county:NAME`, `school:P07`, `room:P07-2`, `lesson:UUID`.
  /// - Throws: `badQuery` for what is no scope, `unknownName`, `ambiguousName`.
  func scope(_ text: String) throws -> Scope {
    if let scope = Scope(text) {
      try check(scope)
      return scope
    }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw Self.noScope(text) }
    switch Scope.Kind(rawValue: parts[0]) {
    case .school:
      guard let school = try store.institution(number: parts[1]) else {
        throw Problem(.unknownName, arguments: ["name": parts[1].onOneLine(limit: 60)])
      }
      return .school(school.id)
    case .room: return .room(try store.room(named: parts[1]).id)
    default: throw Self.noScope(text)
    }
  }

  private static func noScope(_ text: String) -> Problem {
    Problem(.badQuery, arguments: ["name": "scope", "value": text.onOneLine(limit: 60)])
  }

  /// A role in a place that is not there would be one that nobody can take back.
  private func check(_ scope: Scope) throws {
    let isKnown =
      switch scope {
      case .city: true
      case .county(let name): places.regions.values.contains(name)
      case .school(let id): try store.institution(id) != nil
      case .room(let id): try store.room(id) != nil
      case .lesson(let id): try store.lesson(id) != nil
      }
    guard isKnown else { throw Problem(.unknownName, arguments: ["name": scope.description.onOneLine(limit: 60)]) }
  }

  /// What the rules decide by.
  func target(of scope: Scope) throws -> AccessTarget {
    if case .lesson(let id) = scope { return places.target(lesson: id, seats: try store.seats(lesson: id)) }
    return places.target(scope) ?? .city
  }

  /// The scope by the number that people use, and the place's name.
  func words(_ scope: Scope) throws -> (scope: String, place: String) {
    switch scope {
    case .city: return ("city", "")
    case .county(let name): return (scope.description, name)
    case .school(let id):
      let school = try store.institution(id)
      let number = school?.number ?? ""
      return (number.isEmpty ? scope.description : "school:\(number)", school?.name ?? "")
    case .room(let id):
      let room = try store.room(id)
      let isOne = try room.map { try store.rooms(number: $0.number).count == 1 } ?? false
      return (isOne ? "room:\(room?.number ?? "")" : scope.description, room?.name ?? "")
    case .lesson(let id): return (scope.description, try store.lesson(id)?.title ?? "")
    }
  }

  // MARK: Answers

  func reply(_ held: HeldGrant) throws -> GrantReply {
    var reply = try reply(held.grant)
    reply.id = "\(held.id)"
    reply.from = held.validFrom.map(CivilText.text)
    reply.until = held.validUntil.map(CivilText.text)
    return reply
  }

  func reply(_ grant: Grant) throws -> GrantReply {
    let words = try words(grant.scope)
    return GrantReply(role: grant.role.rawValue, scope: words.scope, place: words.place)
  }

  /// Grants that are not over.
  func grants(of person: Identifier, now: Int64) throws -> [HeldGrant] {
    try store.heldGrants(subject: person).filter { $0.endedAt == nil && now < $0.validUntil ?? .max }
  }

  func reply(_ person: Person, desk: AccessDesk) throws -> AccountReply {
    AccountReply(
      id: "\(person.id)", name: person.name,
      institution: try person.institution.flatMap { try store.institution($0) }?.number,
      staffNumber: person.staffNumber,
      identity: person.subject.isEmpty ? nil : IdentityReply(issuer: person.issuer, subject: person.subject),
      grants: try grants(of: person.id, now: desk.clock()).map(reply),
      secondFactor: try Self.secondFactor(person.id, store),
      lock: try desk.lock(of: person.id).rawValue)
  }

  static func secondFactor(_ person: Identifier, _ store: LedgerStore) throws -> String {
    guard let factor = try store.secondFactor(of: person) else { return "none" }
    return factor.isConfirmed ? "confirmed" : "started"
  }
}

extension RelayParts {
  var accountPlaces: AccountPlaces { AccountPlaces(store: store, places: places.places()) }
}
