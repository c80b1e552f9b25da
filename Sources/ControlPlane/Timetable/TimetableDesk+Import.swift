import Classroom
import ControlAPI
import Ledger

/// What an import touches: what an importer has to have in its scope.
private struct ImportReach {
  let before: ImportBase
  let after: ImportBase
  private let old: AccessPlaces
  private let new: AccessPlaces

  init(before: ImportBase, after: ImportBase) {
    self.before = before
    self.after = after
    old = AccessPlaces(institutions: before.institutions, rooms: before.rooms)
    new = AccessPlaces(institutions: after.institutions, rooms: after.rooms)
  }

  /// Where values lie that are written, as they were and as they will be, and those that are removed.
  func target(of changes: ImportChanges) -> AccessTarget {
    let gone = Set(changes.removed.map(\.id))
    var places: Set<AccessPlace> = []
    for (base, index) in [(before, old), (after, new)] {
      func of<Value>(_ all: [Value], _ written: [Value], _ id: (Value) -> Identifier, _ put: (Value) -> Void) {
        let touched = gone.union(written.map(id))
        for value in all where touched.contains(id(value)) { put(value) }
      }
      func school(_ id: Identifier?) { places.insert(id.map(index.place(school:)) ?? AccessPlace(county: "")) }
      of(base.institutions, changes.institutions, \.id) { school($0.id) }
      of(base.rooms, changes.rooms, \.id) { school($0.institution) }
      of(base.persons, changes.persons, \.id) { school($0.institution) }
      of(base.classes, changes.classes, \.id) { school($0.institution) }
      of(base.bells, changes.bells, \.id) { school($0.institution) }
      of(base.clusters, changes.clusters, \.id) { for member in $0.members { school(member.institution) } }
      of(base.courses, changes.courses, \.id) { course in
        for party in [course.lead] + course.receivers { school(index.institutions[party.room]) }
      }
      // A term is everybody's.
      of(base.terms, changes.terms, \.id) { _ in for row in base.institutions { school(row.id) } }
      for total in changes.rosterTotals + changes.removedRosterTotals { school(total.institution) }
      let schools = Dictionary(base.classes.map { ($0.id, $0.institution) }) { first, _ in first }
      for timetable in changes.localTimetables { school(schools[timetable.schoolClass]) }
      let spaces = changes.spaces + changes.removedSpaces
      let homes = SpaceHomes(base, for: spaces)
      for space in spaces {
        if case .region(let name) = space.owner {
          places.insert(AccessPlace(county: name))
        } else {
          school(homes[space.owner])
        }
      }
    }
    return .joint(AccessTarget.Joint(leads: [], sites: Array(places)))
  }
}

extension ImportBase {
  /// What an importer may see and change of it: schools of its own scope, and what lies in them alone.
  func limited(to isOwn: (AccessPlace) -> Bool) -> ImportBase {
    let places = AccessPlaces(institutions: institutions, rooms: rooms)
    let own = Set(institutions.map(\.id).filter { isOwn(places.place(school: $0)) })
    var base = self
    base.institutions.removeAll { !own.contains($0.id) }
    base.rooms.removeAll { !own.contains($0.institution) }
    base.persons.removeAll { $0.institution.map { !own.contains($0) } ?? true }
    base.classes.removeAll { !own.contains($0.institution) }
    base.bells.removeAll { !own.contains($0.institution) }
    base.clusters.removeAll { !$0.members.allSatisfy { own.contains($0.institution) } }
    let ownRooms = Set(base.rooms.map(\.id))
    base.courses.removeAll { course in
      !([course.lead] + course.receivers).allSatisfy { ownRooms.contains($0.room) }
    }
    base.rosterTotals.removeAll { !own.contains($0.institution) }
    base.localLessons.removeAll { !own.contains($0.institution) }
    let homes = SpaceHomes(self, for: spaces)
    base.spaces.removeAll { space in
      if case .region(let name) = space.owner { return !isOwn(AccessPlace(county: name)) }
      return homes[space.owner].map { !own.contains($0) } ?? true
    }
    let ownClasses = Set(base.classes.map(\.id))
    base.partialLocals = base.partialLocals.filter { ownClasses.contains($0.schoolClass) }
    return base
  }
}

/// Where owners of spaces belong; nothing for a region, for staff of a bureau, and for whom there is not.
private struct SpaceHomes {
  private var homes: [Space.Owner: Identifier] = [:]

  init(_ base: ImportBase, for spaces: [Space]) {
    guard !spaces.isEmpty else { return }
    for person in base.persons { homes[.person(person.id)] = person.institution }
    for pupils in base.classes { homes[.schoolClass(pupils.id)] = pupils.institution }
    for school in base.institutions { homes[.institution(school.id)] = school.id }
  }

  subscript(owner: Space.Owner) -> Identifier? { homes[owner] }
}

extension TimetableDesk {
  /// Files of one import.
  static let fileLimit = 32

  /// Plans an import and, unless it is a dry run, writes it: all or nothing.
  ///
  /// `isOwn` says which schools the importer may change, nil all; `require` is asked with what is touched and throws
  /// for whoever may not. Throws `importRefused` with everything that is wrong, `unknownName`, `taken`, `inUse`.
  nonisolated func importFiles(
    _ request: ImportRequest, language: Language, isOwn: (@Sendable (AccessPlace) -> Bool)?,
    require: @escaping @Sendable (AccessTarget) throws -> Void
  ) async throws -> (reply: ImportReply, target: AccessTarget) {
    try await writing.run { try self.write(request, language, isOwn, require) }
  }

  private nonisolated func write(
    _ request: ImportRequest, _ language: Language, _ isOwn: (@Sendable (AccessPlace) -> Bool)?,
    _ require: @Sendable (AccessTarget) throws -> Void
  ) throws -> (reply: ImportReply, target: AccessTarget) {
    guard (1...Self.fileLimit).contains(request.files.count) else {
      throw Problem(.badQuery, arguments: ["name": "files", "value": "\(request.files.count)"])
    }
    let options = ImportOptions(
      deleteMissing: request.deleteMissing, schoolYear: request.schoolYear, term: request.term,
      schoolClass: try request.schoolClass.map(schoolClass), teacher: try request.teacher.map { try teacher($0) })
    var base = try store.importBase(subjects: subjects)
    if let isOwn { base = base.limited(to: isOwn) }
    let plan = try plan(request.files, onto: base, options, language)
    var after = base
    after.apply(plan.changes)
    let target = ImportReach(before: base, after: after).target(of: plan.changes)
    if !plan.changes.isEmpty { try require(target) }
    let applies = !request.dryRun
    if applies, !plan.changes.isEmpty {
      defer { changed() }
      try tellingProblems { try store.apply(plan.changes) }
    }
    return (ImportReply(plan, applied: applies, language: language), target)
  }

  private nonisolated func sheets(of files: [ImportRequest.File], language: Language) throws(Problem) -> [ImportSheet]
  {
    var sheets: [ImportSheet] = []
    var issues: [ImportIssueReply] = []
    for file in files {
      let kind = file.kind.flatMap(SheetKind.init)
      guard file.kind == nil || kind != nil else {
        throw Problem(.badQuery, arguments: ["name": "kind", "value": file.kind ?? ""])
      }
      do throws(ImportIssue) {
        sheets.append(try ImportSheet([UInt8](file.data), kind: kind))
      } catch {
        issues.append(ImportIssueReply(error, file: file.name.onOneLine(), language: language))
      }
    }
    guard issues.isEmpty else { throw .refusedImport(issues, more: 0) }
    return sheets
  }

  private nonisolated func plan(
    _ files: [ImportRequest.File], onto base: ImportBase, _ options: ImportOptions, _ language: Language
  ) throws(Problem) -> ImportPlan {
    let document = files.first { Self.isCSES($0) }
    guard document == nil || files.count == 1 else {
      throw Problem(.badQuery, arguments: ["name": "files", "value": document?.name.onOneLine(limit: 40) ?? ""])
    }
    let sheets = document == nil ? try sheets(of: files, language: language) : []
    var random = SystemRandomNumberGenerator()
    let now = clock()
    do throws(ImportRefusal) {
      if let document {
        return try ImportPlan.make(try CSESDocument.read([UInt8](document.data)), onto: base, options: options)
      }
      return try ImportPlan.make(sheets, onto: base, options: options) {
        Identifier(milliseconds: now, using: &random)
      }
    } catch {
      let name = files[0].name.onOneLine()
      throw .refusedImport(error.issues.map { ImportIssueReply($0, file: name, language: language) }, more: error.more)
    }
  }

  /// A class's week as classroom screens have it, which is no sheet.
  private static func isCSES(_ file: ImportRequest.File) -> Bool {
    let name = file.name.lowercased()
    return file.kind == "cses" || name.hasSuffix(".yaml") || name.hasSuffix(".yml")
  }

  private nonisolated func schoolClass(_ number: String) throws -> Identifier {
    guard let found = try store.schoolClass(number: number) else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return found.id
  }

  private nonisolated func teacher(_ text: String) throws -> Identifier { try store.teacher(text).id }
}

extension LedgerStore {
  /// The person of a school's number and a staff number, such as `P07/001`. Throws `unknownName`.
  func teacher(_ text: String) throws -> Person {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let school = try institution(number: parts[0]),
      let person = try person(institution: school.id, staffNumber: parts[1])
    else { throw Problem(.unknownName, arguments: ["name": text]) }
    return person
  }
}

extension Problem {
  static func refusedImport(_ issues: [ImportIssueReply], more: Int) -> Problem {
    var problem = Problem(.importRefused, arguments: ["count": "\(issues.count + more)"])
    problem.issues = issues
    problem.more = more
    return problem
  }
}
