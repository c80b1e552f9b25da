import Classroom
import ControlAPI
import Ledger
import Synchronization

/// Keeps what the ledger says of whole terms, and works with it: long work on queues of their own, so that neither
/// lessons nor lists wait for an import or for the check of a county.
///
/// What it read of the ledger serves until something that timetables are made of is changed. A change of a single
/// lesson is taken up at once, at the cost of what its course touches.
actor TimetableDesk {
  private nonisolated let executor = QueueExecutor(label: "tongke.timetable")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Terms that are kept; a county works at this one and the next.
  private static let termLimit = 2
  /// Milliseconds after which what another process wrote is looked for.
  private static let age: Int64 = 300_000
  private static let warmingPause = Duration.milliseconds(300)
  /// Readings of a term that is changed again and again, before one is taken as it is.
  private static let readingLimit = 4

  private struct Kept {
    var snapshot: TermSnapshot
    var findings: [Conflict]?
    /// Tells states of the snapshot apart.
    var stamp: UInt64
    let generation: UInt64
    let readAt: Int64
  }

  private struct Reading {
    let generation: UInt64
    let task: Task<TermSnapshot, any Error>
    /// Courses of which a lesson was changed meanwhile.
    var touched: Set<Identifier> = []
  }

  nonisolated let store: LedgerStore
  nonisolated let subjects: SubjectTable
  nonisolated let policy: TimetablePolicy
  nonisolated let clock: @Sendable () -> Int64
  /// Imports and publications.
  nonisolated let writing = WorkQueue(label: "tongke.timetable.writing")
  private nonisolated let reading = WorkQueue(label: "tongke.timetable.reading")
  private nonisolated let searching = WorkQueue(label: "tongke.timetable.searching")
  private nonisolated let generation = Mutex<UInt64>(0)
  private var kept: [String: Kept] = [:]
  private var readings: [String: Reading] = [:]
  private var checks: [String: (stamp: UInt64, task: Task<[Conflict], Never>)] = [:]
  private var lastStamp: UInt64 = 0
  private var isWarming = false

  init(
    store: LedgerStore, subjects: SubjectTable = .standard, policy: TimetablePolicy = .standard,
    clock: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.subjects = subjects
    self.policy = policy
    self.clock = clock
  }

  // MARK: What is kept

  /// Tells that the ledger holds something else than before.
  nonisolated func changed() {
    generation.withLock { $0 &+= 1 }
    Task { await self.warmSoon() }
  }

  /// Tells of an operation that was done; one that timetables do not depend on changes nothing here.
  nonisolated func changed(by operation: String) {
    guard AccessOperation(rawValue: operation)?.changesTimetables ?? true else { return }
    changed()
  }

  /// Changes come in rows: the terms are read once behind them.
  private func warmSoon() async {
    guard !isWarming else { return }
    isWarming = true
    try? await Task.sleep(for: Self.warmingPause)
    isWarming = false
    await warm()
  }

  /// Reads the terms that people are most likely to ask for, before they do.
  func warm() async {
    let today = CivilTime.date(of: clock())
    let terms = ((try? store.terms()) ?? []).filter { today < $0.firstDay.monday + $0.weeks * 7 }
    for term in terms.sorted(by: { $0.firstDay < $1.firstDay }).prefix(Self.termLimit) {
      _ = try? await snapshot(term.code)
    }
  }

  /// A term as it stands. Throws `unknownName`.
  func snapshot(_ term: String) async throws -> TermSnapshot { try await current(term).snapshot }

  private func current(_ term: String) async throws -> Kept {
    for _ in 0..<Self.readingLimit {
      let generation = generation.withLock { $0 }
      if let kept = kept[term], kept.generation == generation {
        let isOld = !(0..<Self.age).contains(clock() - kept.readAt)
        // Whoever asks is not kept waiting for what another process may have written.
        if isOld, readings[term] == nil { Task { try await self.read(term, generation) } }
        return kept
      }
      try await read(term, generation)
    }
    guard let kept = kept[term] else { throw Problem(.unknownName, arguments: ["name": term]) }
    return kept
  }

  private func read(_ term: String, _ generation: UInt64) async throws {
    if readings[term]?.generation != generation {
      let (store, subjects, policy) = (store, subjects, policy)
      let task = Task { [reading] in
        try await reading.run {
          guard let timetable = try store.timetable(term: term, policy: policy, subjects: subjects.subjects) else {
            throw Problem(.unknownName, arguments: ["name": term])
          }
          return TermSnapshot(timetable)
        }
      }
      readings[term] = Reading(generation: generation, task: task)
    }
    guard let reading = readings[term] else { return }
    do {
      let snapshot = try await reading.task.value
      // The first who waited keeps it for all.
      guard let done = readings[term], done.generation == generation else { return }
      readings[term] = nil
      keep(snapshot, of: term, generation)
      for course in done.touched { takeUp(course) }
    } catch {
      if readings[term]?.generation == generation { readings[term] = nil }
      throw error
    }
  }

  private func keep(_ snapshot: TermSnapshot, of term: String, _ generation: UInt64) {
    if kept[term] == nil, kept.count >= Self.termLimit,
      let oldest = kept.min(by: { $0.value.readAt < $1.value.readAt })
    {
      kept[oldest.key] = nil
    }
    lastStamp += 1
    kept[term] = Kept(snapshot: snapshot, stamp: lastStamp, generation: generation, readAt: clock())
  }

  /// Takes up what the lessons of a course have become, in every term that is kept.
  private func takeUp(_ course: Identifier) {
    for term in readings.keys { readings[term]?.touched.insert(course) }
    for term in kept.keys where kept[term]?.snapshot.course(course) != nil {
      guard let dated = try? store.datedLessons(course: course) else {
        kept[term] = nil
        continue
      }
      lastStamp += 1
      kept[term]?.findings = nil
      kept[term]?.stamp = lastStamp
      kept[term]?.snapshot.update(course, lessons: dated.lessons, roomChanges: dated.roomChanges)
    }
  }

  // MARK: Asking

  /// Everything that is wrong with a term. Throws `unknownName`.
  func findings(_ term: String) async throws -> (snapshot: TermSnapshot, findings: [Conflict]) {
    let kept = try await current(term)
    if let findings = kept.findings { return (kept.snapshot, findings) }
    if checks[term]?.stamp != kept.stamp {
      let checker = kept.snapshot.checker
      checks[term] = (kept.stamp, Task { [reading] in await reading.run { checker.check() } })
    }
    guard let check = checks[term] else { return (kept.snapshot, []) }
    let findings = await check.task.value
    if self.kept[term]?.stamp == kept.stamp { self.kept[term]?.findings = findings }
    if checks[term]?.stamp == kept.stamp { checks[term] = nil }
    return (kept.snapshot, findings)
  }

  /// What is wrong with one course; the others are not looked at. Throws `unknownName`.
  func findings(_ term: String, course number: String) async throws -> (snapshot: TermSnapshot, findings: [Conflict]) {
    let snapshot = try await snapshot(term)
    return (snapshot, snapshot.checker.check(adding: try snapshot.course(number)))
  }

  /// Windows of a request that is made of the term. Throws `unknownName` and what `request` throws.
  func free(
    _ term: String, _ request: @Sendable (TermSnapshot) throws -> FreeRequest
  ) async throws -> (snapshot: TermSnapshot, windows: [FreeWindow]) {
    let snapshot = try await snapshot(term)
    let wanted = try request(snapshot)
    return (snapshot, await searching.run { snapshot.checker.free(wanted) })
  }

  func gaps(_ term: String, class number: String?) async throws -> (snapshot: TermSnapshot, gaps: [Gap]) {
    let snapshot = try await snapshot(term)
    let chosen = try number.map { [try snapshot.schoolClass($0)] }
    let subjects = subjects
    return (snapshot, await searching.run { snapshot.timetable.gaps(subjects: subjects, classes: chosen) })
  }

  // MARK: Changing

  /// Changes lessons of one course: `body` looks at the term and writes, and nobody else changes a lesson meanwhile.
  ///
  /// Throws `unknownName` for the term, and what `body` throws.
  func change<T: Sendable>(
    _ term: String, course: Identifier, _ body: @Sendable (TermSnapshot) throws -> T
  ) async throws -> T {
    let known = try await snapshot(term)
    let result = try body(kept[term]?.snapshot ?? known)
    takeUp(course)
    return result
  }

  /// Publishes a term as the ledger has it now, unless something is in conflict.
  ///
  /// `require` is asked first and throws for whoever may not. Throws `unknownName`, `hasConflicts`, `staleTable` when
  /// somebody changes it meanwhile.
  func publish(
    _ term: String, by actor: Identifier, language: Language,
    require: @escaping @Sendable (TermSnapshot) throws -> Void
  ) async throws -> PublicationSummary {
    // What a publication writes has to follow from the ledger, not from what it once held.
    changed()
    let snapshot = try await snapshot(term)
    try require(snapshot)
    let conflicts = try await findings(term).findings.filter { $0.severity == .conflict }
    guard conflicts.isEmpty else {
      var problem = Problem(.hasConflicts, arguments: ["count": "\(conflicts.count)"])
      let texts = ConflictText(snapshot.timetable, subjects: subjects, language: language)
      problem.findings = conflicts.prefix(Self.toldLimit).map { FindingReply($0, snapshot, texts) }
      problem.more = conflicts.count - problem.findings.count
      throw problem
    }
    let (store, subjects, clock) = (store, subjects, clock)
    defer { changed() }
    return try await writing.run {
      let names = TimetableNames(snapshot.timetable, subjects: subjects, language: .chinese)
      return try tellingProblems {
        try store.publish(snapshot.timetable, by: actor, from: clock()) { names.lessonTitle(of: $0) }
      }
    }
  }

  /// Conflicts told with a publication or a change that is refused.
  static let toldLimit = 100
}

extension AccessOperation {
  /// Whether what timetables are made of may be another afterwards. A single lesson's change is taken up by itself.
  var changesTimetables: Bool {
    switch self {
    case .changeInstitutions, .changeRooms, .changeClasses, .changePersons, .changeClusters, .changeCourses,
      .changeTerms, .changeBells, .changeLocalLessons, .importTables, .publishTerm, .acceptRoom, .changeSettings:
      true
    default: false
    }
  }
}

extension TimetableNames {
  /// What a lesson of a course is called: 1…200 scalars.
  func lessonTitle(of course: Course) -> String {
    let title = title(of: course).onOneLine()
    return title.isEmpty ? number(of: course) : title
  }
}

/// Makes refusals of what the ledger and the domain throw for what a request asks.
func tellingProblems<T>(_ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as LedgerError {
    switch error {
    case .notFound: throw Problem(.notFound)
    case .immutable, .badTransition: throw Problem(.lessonFixed)
    case .taken(_, let value, _): throw Problem(.taken, arguments: ["value": value])
    case .referenced, .cyclic: throw Problem(.inUse)
    case .stale: throw Problem(.staleTable)
    case .full: throw Problem(.tableFull)
    case .diskFull, .closed: throw Problem(.store)
    default: throw error
    }
  } catch is ClassroomError {
    throw Problem(.badRange)
  }
}
