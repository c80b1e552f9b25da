import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Reporting

/// Figures over HTTP: reports by scope, kept ones, and what the ledger lodges elsewhere.
struct ReportRoutes: Sendable {
  private let relay: RelayParts
  private let desk: ReportDesk

  init(_ relay: RelayParts) {
    self.relay = relay
    desk = ReportDesk(store: relay.store, clock: relay.clock)
  }

  var all: [Route] {
    [
      Route(.get, "/api/v1/reports/{kind}", report), Route(.get, "/api/v1/snapshots", snapshots),
      Route(.post, "/api/v1/snapshots", keep), Route(.get, "/api/v1/snapshots/{number}/comparison", compare),
      Route(.get, "/api/v1/ledger/heads", heads), Route(.get, "/api/v1/ledger/facts", facts),
    ]
  }

  private enum Format: String { case json, html }
  /// Days of one report: seven school years.
  private static let longestSpan = 2_562

  // MARK: Reports

  private func report(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let query = request.query
    let wanted = ReportQuery(
      kind: context.parameter("kind"), from: query["from"] ?? "", to: query["to"] ?? "", scope: query["scope"],
      years: query["years"], minimumLessons: try query.number("minimumLessons", in: 1...1_000))
    let format = try query.choice("format", Format.self) ?? .json
    let kind = try kind(wanted)
    let report = try await desk.report(kind, try figureQuery(wanted, caller))
    guard format == .html else { return try json(report) }
    let page = ReportPage(report, words: FigureWords.page(request.language)).html
    return Response(
      status: .ok, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
  }

  private func kind(_ wanted: ReportQuery) throws(Problem) -> FigureReport.Kind {
    guard let kind = FigureReport.Kind(rawValue: wanted.kind) else {
      throw Problem(.unknownName, arguments: ["name": String(wanted.kind.prefix(40))])
    }
    return kind
  }

  /// What is asked for, once the caller may see it.
  private func figureQuery(_ wanted: ReportQuery, _ caller: Caller) throws -> FigureQuery {
    func bad(_ name: String, _ value: String) -> Problem {
      Problem(.badQuery, arguments: ["name": name, "value": String(value.prefix(80))])
    }
    guard let from = CivilDate(wanted.from) else { throw bad("from", wanted.from) }
    guard let to = CivilDate(wanted.to), let span = FigureSpan(from: from, through: to), to - from <= Self.longestSpan
    else { throw bad("to", wanted.to) }
    let scope = try scope(wanted.scope, caller)
    var query = FigureQuery(span: span, scope: scope.name, institutions: scope.institutions)
    if let years = wanted.years {
      guard let kind = YearKind(rawValue: years) else { throw bad("years", years) }
      query.years = kind
    }
    if let minimum = wanted.minimumLessons {
      guard (1...1_000).contains(minimum) else { throw bad("minimumLessons", "\(minimum)") }
      query.minimumLessons = minimum
    }
    query.namesPersons = relay.gate.allows(.readPersons, on: scope.target, by: caller)
    return query
  }

  // MARK: Scopes

  private struct FigureScope {
    var name: String
    var institutions: Set<Identifier>?
    var target: AccessTarget
  }

  /// The scope that is named, or the widest that the caller may see.
  private func scope(_ text: String?, _ caller: Caller) throws -> FigureScope {
    let gate = relay.gate
    if let text {
      let scope = try figureScope(text)
      try gate.require(.readReports, on: scope.target, by: caller)
      return scope
    }
    if gate.allows(.readReports, on: .city, by: caller) { return try figureScope("city") }
    for grant in caller.grants where grant.scope.kind == .county || grant.scope.kind == .school {
      let scope = try figureScope("\(grant.scope)")
      if gate.allows(.readReports, on: scope.target, by: caller) { return scope }
    }
    try gate.require(.readReports, on: .city, by: caller)
    return try figureScope("city")
  }

  private func figureScope(_ text: String) throws -> FigureScope {
    let unknown = Problem(.badQuery, arguments: ["name": "scope", "value": String(text.prefix(80))])
    if text == "city" { return FigureScope(name: text, institutions: nil, target: .city) }
    let all = try relay.store.institutions(limit: 100_000)
    if case .county(let name) = Scope(text) {
      let own = all.filter { $0.region == name }
      return FigureScope(
        name: text, institutions: Set(own.map(\.id)), target: .place(AccessPlace(county: name)))
    }
    guard text.hasPrefix("school:") else { throw unknown }
    let number = text.dropFirst(7)
    let id = Identifier(number)
    guard let school = all.first(where: { id == nil ? $0.number == number && !number.isEmpty : $0.id == id }) else {
      throw unknown
    }
    return FigureScope(
      name: school.number.isEmpty ? text : "school:\(school.number)", institutions: [school.id],
      target: .place(AccessPlace(county: school.region, school: school.id)))
  }

  // MARK: Snapshots

  private func keep(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let wanted: ReportQuery = try await request.json()
    let kind = try kind(wanted)
    let query = try figureQuery(wanted, caller)
    let kept = try await desk.keep(kind, query, by: caller.subject)
    relay.gate.changed(
      .readReports, on: try figureScope(query.scope).target, by: caller,
      new: JSONText.object([
        ("snapshot", "\(kept.id)"), ("report", JSONText.string(kept.report)), ("from", JSONText.string(kept.from)),
        ("to", JSONText.string(kept.through)),
      ]))
    return try json(SnapshotReply(kept), status: .created)
  }

  private func snapshots(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let all = try await desk.snapshots()
    let shown = all.filter { snapshot in
      (try? figureScope(snapshot.scope)).map { relay.gate.allows(.readReports, on: $0.target, by: caller) } ?? false
    }
    // Whoever may see none is refused as for the whole.
    if shown.isEmpty { _ = try scope(nil, caller) }
    return try json(shown.map { SnapshotReply($0) })
  }

  private func compare(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    guard let number = Int64(context.parameter("number")) else { throw Problem(.notFound) }
    let snapshot = try await desk.snapshot(number)
    let query = try figureQuery(
      ReportQuery(kind: snapshot.report, from: snapshot.from, to: snapshot.through, scope: snapshot.scope), caller)
    let differences = try await desk.compare(snapshot, query)
    return try json(SnapshotComparison(snapshot: SnapshotReply(snapshot), differences: differences))
  }

  // MARK: The ledger

  private func heads(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readReports, on: .city, by: caller)
    return try json(try await desk.heads())
  }

  private func facts(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    try relay.gate.require(.readReports, on: .city, by: caller)
    let query = request.query
    let span = try figureQuery(
      ReportQuery(kind: "coverage", from: query["from"] ?? "", to: query["to"] ?? "", scope: "city"), caller
    ).span
    return try json(try await desk.facts(span))
  }
}
