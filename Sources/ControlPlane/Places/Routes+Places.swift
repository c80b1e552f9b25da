import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger

/// The REST interface of what courses are made of: schools, rooms, classes, persons and clusters, looked up, registered
/// and changed one by one.
struct PlaceRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] {
    let kinds: [PlaceKind] = [.institutions, .rooms, .classes, .clusters]
    return kinds.flatMap { kind in
      let path = "/api/v1/\(kind.rawValue)"
      return [
        Route(.get, path) { try list(kind, $0, $1) }, Route(.post, path) { try await add(kind, $0, $1) },
        Route(.get, path + "/{number}") { try show(kind, $0, $1) },
        Route(.patch, path + "/{number}") { try await change(kind, $0, $1) },
      ]
    } + [
      Route(.get, "/api/v1/persons") { try list(.persons, $0, $1) },
      Route(.post, "/api/v1/persons") { try await add(.persons, $0, $1) },
      Route(.get, "/api/v1/persons/{institution}/{staff}") { try show(.persons, $0, $1) },
      Route(.patch, "/api/v1/persons/{institution}/{staff}") { try await change(.persons, $0, $1) },
      Route(.get, "/api/v1/pairing", pairing),
    ]
  }

  // MARK: Lists

  private func list(_ kind: PlaceKind, _ request: Request, _ context: RelayContext) throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let query = request.query
    let store = relay.store
    let directory = try PlaceDirectory(store, now: relay.clock(), language: request.language)
    let school = try query["institution"].map { try store.institution(called: $0).id }
    let search = query["search"]?.lowercased()
    func fits(_ texts: String...) -> Bool {
      guard let search else { return true }
      return texts.contains { $0.lowercased().contains(search) }
    }
    switch kind {
    case .institutions:
      let choice = try InstitutionChoice(query, store)
      return try page(kind, request, caller) {
        try store.institutions(after: $0, limit: $1)
      } keep: {
        choice.fits($0, now: directory.now) && fits($0.name, $0.number, $0.code ?? "")
      } place: {
        .institution($0)
      } reply: {
        directory.reply($0)
      }
    case .rooms:
      let accepted = try query.flag("accepted")
      let tested = try store.latestTests()
      return try page(kind, request, caller) {
        try store.rooms(institution: school, after: $0, limit: $1)
      } keep: {
        (accepted == nil || accepted == ($0.acceptedAt != nil)) && fits($0.name, $0.number)
      } place: {
        .room($0)
      } reply: {
        directory.reply($0, testedAt: tested[$0.id])
      }
    case .classes:
      let rooms = Dictionary(try store.rooms(limit: 200_000).map { ($0.id, $0.number) }) { first, _ in first }
      return try page(kind, request, caller) {
        try store.classes(institution: school, after: $0, limit: $1)
      } keep: {
        fits($0.name, $0.number)
      } place: {
        .schoolClass($0)
      } reply: {
        directory.reply($0, homeRoom: $0.homeRoom.flatMap { rooms[$0] })
      }
    case .persons:
      return try page(kind, request, caller) {
        try store.persons(institution: school, after: $0, limit: $1)
      } keep: {
        fits($0.name, $0.staffNumber)
      } place: {
        .person($0)
      } reply: {
        directory.reply($0)
      }
    case .clusters:
      return try page(kind, request, caller) {
        try store.clusters(after: $0, limit: $1)
      } keep: { cluster in
        (school.map { id in cluster.members.contains { $0.institution == id } } ?? true)
          && fits(cluster.name, cluster.number)
      } place: {
        .cluster($0)
      } reply: {
        directory.reply($0)
      }
    }
  }

  /// One page of what the caller may see; whoever may see nothing of what there is, is refused.
  private func page<Value: CatalogueValue, Row: Codable & Hashable & Sendable>(
    _ kind: PlaceKind, _ request: Request, _ caller: Caller, read: (Identifier?, Int) throws -> [Value],
    keep: (Value) -> Bool, place: (Value) -> PlaceValue, reply: (Value) -> Row
  ) throws -> Response {
    let limit = try request.query.number("limit", in: 1...5_000) ?? 100
    let first = try request.query.value("cursor") { Identifier($0) }
    let gate = relay.gate
    let seesAll = gate.allows(kind.reading, on: .city, by: caller)
    let places = seesAll ? AccessPlaces() : relay.places.places()
    let size = 1_000
    var (after, seen) = (first, 0)
    var rows: [Row] = []
    while true {
      let batch = try read(after, size)
      for value in batch {
        if rows.count == limit { return try json(Page(rows: rows, next: after?.description)) }
        after = value.id
        guard seesAll || gate.allows(kind.reading, on: place(value).target(places), by: caller) else { continue }
        seen += 1
        if keep(value) { rows.append(reply(value)) }
      }
      if batch.count < size { break }
    }
    if seen == 0, !seesAll, first == nil { try requireReader(kind, caller, places) }
    return try json(Page(rows: rows))
  }

  /// Who may read such rows somewhere sees an empty list; who may nowhere is told so.
  private func requireReader(_ kind: PlaceKind, _ caller: Caller, _ places: AccessPlaces) throws {
    let targets = caller.grants.compactMap { places.target($0.scope) }
    if targets.contains(where: { relay.gate.allows(kind.reading, on: $0, by: caller) }) { return }
    try relay.gate.require(kind.reading, on: .city, by: caller)
  }

  // MARK: One

  private func find(_ kind: PlaceKind, _ context: RelayContext) throws -> PlaceValue {
    let store = relay.store
    switch kind {
    case .institutions: return .institution(try store.institution(called: context.name("number")))
    case .rooms: return .room(try store.room(called: context.name("number")))
    case .classes:
      let number = context.name("number")
      guard let value = try store.schoolClass(number: number) else { throw Problem.unknown(number) }
      return .schoolClass(value)
    case .persons: return .person(try store.teacher(context.name("institution") + "/" + context.name("staff")))
    case .clusters:
      let number = context.name("number")
      guard let value = try store.cluster(number: number) else { throw Problem.unknown(number) }
      return .cluster(value)
    }
  }

  private func show(_ kind: PlaceKind, _ request: Request, _ context: RelayContext) throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let value = try find(kind, context)
    // Everybody knows the own name.
    if kind != .persons || value.id != caller.subject {
      try relay.gate.require(kind.reading, on: value.target(relay.places.places()), by: caller)
    }
    return try respond(value, request)
  }

  private func respond(_ value: PlaceValue, _ request: Request, status: HTTPResponse.Status = .ok) throws -> Response {
    let directory = try PlaceDirectory(relay.store, now: relay.clock(), language: request.language)
    var response: Response
    switch value {
    case .institution(let value): response = try json(directory.reply(value), status: status)
    case .room(let value):
      let tested = try relay.store.tests(room: value.id, limit: 1).first?.takenAt
      response = try json(directory.reply(value, testedAt: tested), status: status)
    case .schoolClass(let value):
      let room = try value.homeRoom.flatMap { try relay.store.room($0)?.number }
      response = try json(directory.reply(value, homeRoom: room), status: status)
    case .person(let value): response = try json(directory.reply(value), status: status)
    case .cluster(let value): response = try json(directory.reply(value), status: status)
    }
    response.headers[.eTag] = "\"\(try value.version())\""
    return response
  }

  // MARK: Changing

  private func add(_ kind: PlaceKind, _ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let fields = try await fields(of: request)
    let written = try await write(RowWish(kind: kind, fields: fields), request, caller)
    return try respond(written, request, status: .created)
  }

  private func change(_ kind: PlaceKind, _ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let fields = try await fields(of: request)
    guard let match = request.headers[.ifMatch] else { throw Problem(.noTag) }
    let old = try find(kind, context)
    let version = String(match.filter { $0 != "\"" }.prefix(200))
    let written = try await write(
      RowWish(kind: kind, fields: fields, old: (old.id, version)), request, caller)
    return try respond(written, request)
  }

  private func fields(of request: Request) async throws -> [String: String] {
    let fields: [String: String] = try await request.json()
    guard fields.count <= 40 else { throw Problem(.badJSON) }
    return fields
  }

  private func write(_ wish: RowWish, _ request: Request, _ caller: Caller) async throws -> PlaceValue {
    let gate = relay.gate
    let operation = wish.kind.changing
    var isOwn: (@Sendable (AccessPlace) -> Bool)?
    if !gate.allows(operation, on: .city, by: caller) {
      isOwn = { place in gate.allows(operation, on: .place(place), by: caller) }
    }
    // Who changes such rows nowhere is told so before anything is read.
    if isOwn != nil {
      let places = relay.places.places()
      let targets = caller.grants.compactMap { places.target($0.scope) }
      if !targets.contains(where: { gate.allows(operation, on: $0, by: caller) }) {
        try gate.require(operation, on: .city, by: caller)
      }
    }
    let (old, new, target) = try await relay.timetables.write(wish, language: request.language, isOwn: isOwn) {
      try gate.require(operation, on: $0, by: caller)
    }
    if let old, try old.version() == new.version() { return new }
    let forms = try PlaceValue.forms(from: old, to: new)
    gate.changed(operation, on: target, by: caller, old: forms.old, new: forms.new)
    return new
  }

  // MARK: Pairing

  private func pairing(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let gate = relay.gate
    let institutions = try relay.store.institutions(limit: 100_000)
    let clusters = try relay.store.clusters()
    let places = AccessPlaces(institutions: institutions, rooms: [])
    let seesAll = gate.allows(.readClusters, on: .city, by: caller)
    if !seesAll { try requireReader(.clusters, caller, places) }
    let schools = Dictionary(institutions.map { ($0.id, $0) }) { first, _ in first }
    let groups = Dictionary(clusters.map { ($0.id, $0) }) { first, _ in first }
    func isSeen(_ finding: PairingFinding) -> Bool {
      if seesAll { return true }
      if let cluster = finding.cluster.flatMap({ groups[$0] }) {
        return gate.allows(.readClusters, on: places.target(cluster: cluster), by: caller)
      }
      guard let school = finding.institution else { return false }
      return gate.allows(.readClusters, on: .place(places.place(school: school)), by: caller)
    }
    let texts = PairingText(institutions: schools, clusters: groups, language: request.language)
    let findings = PairingCheck.findings(institutions: institutions, clusters: clusters, at: relay.clock())
    return try json(findings.filter(isSeen).map(texts.reply))
  }
}

/// Which institutions of a list are told.
private struct InstitutionChoice {
  var region: String?
  var kind: Institution.Kind?
  var parent: Identifier?
  var isOpen: Bool?

  init(_ query: RequestQuery, _ store: LedgerStore) throws {
    region = query["region"]
    kind = try query.choice("kind", Institution.Kind.self)
    parent = try query["parent"].map { try store.institution(called: $0).id }
    isOpen = try query.flag("open")
  }

  func fits(_ value: Institution, now: Int64) -> Bool {
    (region == nil || region == value.region) && (kind == nil || kind == value.kind)
      && (parent == nil || parent == value.parent) && (isOpen == nil || isOpen == value.isOpen(at: now))
  }
}

extension RequestQuery {
  /// `1` or `0`.
  func flag(_ name: String) throws(Problem) -> Bool? {
    try value(name) { $0 == "1" ? true : $0 == "0" ? false : nil }
  }
}

extension Problem {
  static func unknown(_ name: String) -> Problem {
    Problem(.unknownName, arguments: ["name": name.onOneLine(limit: 80)])
  }
}

extension LedgerStore {
  /// A school by its number, the ministry's code, or its identifier. Throws `unknownName`.
  func institution(called name: String) throws -> Institution {
    if let value = try institution(number: name) { return value }
    if let id = Identifier(name), let value = try institution(id) { return value }
    if name.utf8.count == 10, let value = try institutions(limit: 100_000).first(where: { $0.code == name }) {
      return value
    }
    throw Problem.unknown(name)
  }

  /// A room by its number or its identifier. Throws `unknownName`, `ambiguousName`.
  func room(called name: String) throws -> Room {
    if let id = Identifier(name), let value = try room(id) { return value }
    return try room(named: name)
  }
}
