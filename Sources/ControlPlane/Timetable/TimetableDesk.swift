import Classroom
import ControlAPI
import Ledger
import Synchronization

/// What a term's timetable was when the ledger was read, with what is looked up in it again and again.
struct TermSnapshot: Sendable {
  let timetable: Timetable
  let checker: ConflictChecker
  let places: AccessPlaces
  private let courses: [String: Course]
  private let rooms: [String: [Identifier]]
  private let classes: [String: Identifier]
  private let numbers: [Identifier: String]

  init(_ timetable: Timetable) {
    self.timetable = timetable
    checker = ConflictChecker(timetable)
    places = AccessPlaces(institutions: timetable.institutions.values, rooms: timetable.rooms.values)
    courses = Dictionary(timetable.courses.map { ($0.number, $0) }) { first, _ in first }
    numbers = Dictionary(timetable.courses.map { ($0.id, $0.number) }) { first, _ in first }
    rooms = Dictionary(grouping: timetable.rooms.values, by: \.number).mapValues { $0.map(\.id) }
    classes = Dictionary(timetable.classes.values.map { ($0.number, $0.id) }) { first, _ in first }
  }

  /// - Throws: `unknownName`.
  func course(_ number: String) throws(Problem) -> Course {
    guard !number.isEmpty, let course = courses[number] else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return course
  }

  /// - Throws: `unknownName`, `ambiguousName` where schools number alike.
  func room(_ number: String) throws(Problem) -> Identifier {
    guard let found = rooms[number] else { throw Problem(.unknownName, arguments: ["name": number]) }
    guard found.count == 1 else { throw Problem(.ambiguousName, arguments: ["name": number]) }
    return found[0]
  }

  /// - Throws: `unknownName`.
  func schoolClass(_ number: String) throws(Problem) -> Identifier {
    guard !number.isEmpty, let found = classes[number] else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return found
  }

  /// The number of a course; empty for one that is not of the term.
  func number(ofCourse id: Identifier) -> String { numbers[id] ?? "" }

  /// Who changes the whole term has every place of its courses.
  var target: AccessTarget {
    var joint = AccessTarget.Joint(leads: [], sites: [])
    for room in Set(timetable.courses.map(\.lead.room)) { joint.leads.append(places.place(room: room)) }
    for room in Set(timetable.courses.flatMap { $0.receivers.map(\.room) }) {
      joint.sites.append(places.place(room: room))
    }
    return .joint(joint)
  }
}

/// Works with whole timetables: one request at a time on a queue of its own, so that neither lessons nor other requests
/// wait for a check of a county.
///
/// What it read of the ledger serves until something is changed: then reading again takes well under a second for 3,000
/// institutions, and checking 2 s.
actor TimetableDesk {
  private nonisolated let executor = QueueExecutor(label: "tongke.timetable")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Terms that are kept; a county works at this one and the next.
  private static let termLimit = 2
  /// Milliseconds after which what another process wrote is seen.
  private static let age: Int64 = 300_000

  private struct Kept {
    var snapshot: TermSnapshot
    var findings: [Conflict]?
    let generation: UInt64
    let readAt: Int64
  }

  let store: LedgerStore
  let subjects: SubjectTable
  let clock: @Sendable () -> Int64
  private nonisolated let generation = Mutex<UInt64>(0)
  private var kept: [String: Kept] = [:]

  init(store: LedgerStore, subjects: SubjectTable = .standard, clock: @escaping @Sendable () -> Int64) {
    self.store = store
    self.subjects = subjects
    self.clock = clock
  }

  /// Tells that the ledger holds something else than before.
  nonisolated func changed() { generation.withLock { $0 &+= 1 } }

  /// A term as it stands. Throws `unknownName`.
  func snapshot(_ term: String) throws -> TermSnapshot {
    let now = clock()
    let current = generation.withLock { $0 }
    if let kept = kept[term], kept.generation == current, (0..<Self.age).contains(now - kept.readAt) {
      return kept.snapshot
    }
    let snapshot = try read(term)
    if kept[term] == nil, kept.count >= Self.termLimit,
      let oldest = kept.min(by: { $0.value.readAt < $1.value.readAt })
    {
      kept[oldest.key] = nil
    }
    kept[term] = Kept(snapshot: snapshot, generation: current, readAt: now)
    return snapshot
  }

  private func read(_ term: String) throws -> TermSnapshot {
    guard let timetable = try store.timetable(term: term, subjects: subjects.subjects) else {
      throw Problem(.unknownName, arguments: ["name": term])
    }
    return TermSnapshot(timetable)
  }

  /// Everything that is wrong with a term. Throws `unknownName`.
  func findings(_ term: String) throws -> (snapshot: TermSnapshot, findings: [Conflict]) {
    let snapshot = try snapshot(term)
    if let findings = kept[term]?.findings { return (snapshot, findings) }
    let findings = snapshot.checker.check()
    kept[term]?.findings = findings
    return (snapshot, findings)
  }

  /// What is wrong with one course; the others are not looked at. Throws `unknownName`.
  func findings(_ term: String, course number: String) throws -> (snapshot: TermSnapshot, findings: [Conflict]) {
    let snapshot = try snapshot(term)
    return (snapshot, snapshot.checker.check(adding: try snapshot.course(number)))
  }

  /// Windows of a request that is made of the term. Throws `unknownName` and what `request` throws.
  func free(
    _ term: String, _ request: @Sendable (TermSnapshot) throws -> FreeRequest
  ) throws -> (snapshot: TermSnapshot, windows: [FreeWindow]) {
    let snapshot = try snapshot(term)
    return (snapshot, snapshot.checker.free(try request(snapshot)))
  }

  func gaps(_ term: String, class number: String?) throws -> (snapshot: TermSnapshot, gaps: [Gap]) {
    let snapshot = try snapshot(term)
    let chosen = try number.map { [try snapshot.schoolClass($0)] }
    return (snapshot, snapshot.timetable.gaps(subjects: subjects, classes: chosen))
  }

  /// Publishes a term as the ledger has it now, unless something is in conflict.
  ///
  /// `require` is asked first and throws for whoever may not. Throws `unknownName`, `hasConflicts`, `staleTable` when
  /// somebody changes it meanwhile.
  func publish(
    _ term: String, by actor: Identifier, language: Language,
    require: @Sendable (TermSnapshot) throws -> Void
  ) throws -> PublicationSummary {
    // What a publication writes has to follow from the ledger, not from what it once held.
    changed()
    let snapshot = try snapshot(term)
    try require(snapshot)
    let conflicts = try findings(term).findings.filter { $0.severity == .conflict }
    guard conflicts.isEmpty else {
      var problem = Problem(.hasConflicts, arguments: ["count": "\(conflicts.count)"])
      let texts = ConflictText(snapshot.timetable, subjects: subjects, language: language)
      problem.findings = conflicts.prefix(Self.toldLimit).map { FindingReply($0, snapshot, texts) }
      problem.more = conflicts.count - problem.findings.count
      throw problem
    }
    let names = TimetableNames(snapshot.timetable, subjects: subjects, language: .chinese)
    defer { changed() }
    return try tellingProblems {
      try store.publish(snapshot.timetable, by: actor, from: clock()) { names.lessonTitle(of: $0) }
    }
  }

  /// Conflicts told with a publication that is refused.
  static let toldLimit = 100
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
