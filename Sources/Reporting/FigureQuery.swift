public import Classroom
public import Ledger

/// What a report is asked for.
public struct FigureQuery: Sendable {
  public var span: FigureSpan
  /// As the report names it.
  public var scope: String
  /// Those whose part is counted; nil counts everything.
  public var institutions: Set<Identifier>?
  public var years: YearKind
  /// Taught lessons that make a 门次; nil takes that of the definitions.
  public var minimumLessons: Int?
  /// Whether teachers' names may be told.
  public var namesPersons: Bool

  public init(
    span: FigureSpan, scope: String = "city", institutions: Set<Identifier>? = nil, years: YearKind = .school,
    minimumLessons: Int? = nil, namesPersons: Bool = false
  ) {
    self.span = span
    self.scope = scope
    self.institutions = institutions
    self.years = years
    self.minimumLessons = minimumLessons
    self.namesPersons = namesPersons
  }
}

/// Makes reports of a ledger: reads facts and catalogue once each, and leaves counting to `Classroom`.
public struct FigureDesk: Sendable {
  let store: LedgerStore
  let clock: @Sendable () -> Int64

  public init(store: LedgerStore, clock: @escaping @Sendable () -> Int64) {
    self.store = store
    self.clock = clock
  }

  /// Cost: O(lessons and seats of the span); of coverage also the lessons attended in all years before it.
  public func report(_ kind: FigureReport.Kind, _ query: FigureQuery) throws -> FigureReport {
    var report = FigureReport(
      kind: kind, from: "\(query.span.from)", through: "\(query.span.through)", scope: query.scope,
      relay: "\(try store.relayIdentifier())", madeAt: clock(), definitions: [], tables: [])
    report.definitions = Self.definitions(of: kind, query)
    switch kind {
    case .attendance: try addAttendance(to: &report, query)
    case .coverage: try addCoverage(to: &report, query)
    case .quality: try addQuality(to: &report, query)
    case .screenTime: try addScreenTime(to: &report, query)
    case .teachers: try addTeachers(to: &report, query)
    case .resources: try addResources(to: &report, query)
    case .spaces: try addSpaces(to: &report, query)
    case .exceptions: try addExceptions(to: &report, query)
    case .minors: try addMinors(to: &report, query)
    }
    return report
  }

  /// Lessons of the span as far as they concern the scope.
  func lessons(_ query: FigureQuery, _ detail: FactDetail = .whole) throws -> [CountedLesson] {
    // A part of the lessons is known by its seats alone.
    let detail = query.institutions == nil ? detail : .whole
    let counted = try store.lessonFacts(query.span.instants, detail: detail).map { CountedLesson($0) }
    guard let institutions = query.institutions else { return counted }
    return counted.compactMap { $0.restricted(to: institutions) }
  }

  func institutions(_ query: FigureQuery) throws -> [Institution] {
    let all = try store.institutions(limit: 100_000)
    guard let chosen = query.institutions else { return all }
    return all.filter { chosen.contains($0.id) }
  }

  func places() throws -> FigurePlaces {
    FigurePlaces(institutions: try store.institutions(limit: 100_000), rooms: try store.rooms(limit: 200_000))
  }

  // MARK: Definitions

  /// Every threshold that a figure of the kind depends on, with the versions.
  private static func definitions(of kind: FigureReport.Kind, _ query: FigureQuery) -> [FigureReport.Definition] {
    let thresholds = AttendanceThresholds.current
    let figures = FigureDefinitions.current
    var list: [FigureReport.Definition] = [
      .init("definitionsVersion", figures.version), .init("thresholdsVersion", thresholds.version),
      .init("attended", "\(thresholds.attendedNumerator)/\(thresholds.attendedDenominator)"),
      .init("taught", "\(thresholds.taughtNumerator)/\(thresholds.taughtDenominator)"),
    ]
    switch kind {
    case .coverage:
      let minimum = query.minimumLessons ?? thresholds.minimumLessons
      list += [
        .init("minimumLessons", minimum), .init("coveredLessons", figures.coveredLessons),
        .init("yearlyShare", figures.yearlyShare), .init("clusterGoal", figures.clusterGoal),
        .init("offeringGoal", figures.offeringGoal), .init("yearKind", query.years.rawValue),
      ]
    case .quality, .exceptions:
      for (name, limits) in [("good", figures.good), ("poor", figures.poor)] {
        list.append(.init("\(name)Loss", limits.loss))
        list.append(.init("\(name)RoundTrip", limits.roundTrip))
        list.append(.init("\(name)Jitter", limits.jitter))
        list.append(.init("\(name)Frozen", limits.frozen))
      }
      list.append(.init("poorShare", figures.poorShare))
      if kind == .exceptions { list.append(.init("overtimeSeconds", figures.overtimeMilliseconds / 1_000)) }
    case .screenTime:
      let policy = TimetablePolicy.standard
      list += [
        .init("policyVersion", policy.version), .init("continuousMinutes", policy.screenTime.continuousMinutes),
        .init("breakMinutes", policy.screenTime.breakMinutes),
        .init("dailyMinutes", policy.screenTime.dailyMinutes.map(String.init).joined(separator: "/")),
      ]
    case .attendance, .teachers, .resources, .spaces, .minors: break
    }
    return list
  }
}

/// What people call the places that figures are about.
struct FigurePlaces {
  private let institutions: [Identifier: Institution]
  private let rooms: [Identifier: Room]

  init(institutions: [Institution], rooms: [Room]) {
    self.institutions = Dictionary(institutions.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    self.rooms = Dictionary(rooms.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
  }

  /// Number, or the identifier of what has none.
  func institution(_ id: Identifier?) -> FigureCell {
    guard let id else { return .none }
    let number = institutions[id]?.number ?? ""
    return .text(number.isEmpty ? "\(id)" : number)
  }
  func name(_ id: Identifier?) -> FigureCell { .text(id.flatMap { institutions[$0]?.name } ?? "") }
  func room(_ id: Identifier?) -> FigureCell { id.map { .text(rooms[$0]?.number ?? "\($0)") } ?? .none }
}
