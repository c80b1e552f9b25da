extension ImportBase {
  /// Makes of the base what it is once an import is written: new values behind those there are, changed ones in their
  /// places, removed ones gone.
  ///
  /// What a local timetable replaces is its class's in its term. Cost: one pass over the base.
  public mutating func apply(_ changes: ImportChanges) {
    let gone = Set(changes.removed.map(\.id))
    Self.put(changes.institutions, into: &institutions, \.id, without: gone)
    Self.put(changes.rooms, into: &rooms, \.id, without: gone)
    Self.put(changes.persons, into: &persons, \.id, without: gone)
    Self.put(changes.classes, into: &classes, \.id, without: gone)
    Self.put(changes.clusters, into: &clusters, \.id, without: gone)
    Self.put(changes.bells, into: &bells, \.id, without: gone)
    Self.put(changes.terms, into: &terms, \.id, without: gone)
    Self.put(changes.courses, into: &courses, \.id, without: gone)
    let goneTotals = Set(changes.removedRosterTotals.map(\.key))
    Self.put(changes.rosterTotals, into: &rosterTotals, \.key, without: goneTotals)
    let goneSpaces = Set(changes.removedSpaces.map(\.owner)).union(changes.removed.flatMap(\.owners))
    Self.put(changes.spaces, into: &spaces, \.owner, without: goneSpaces)
    let rewritten = Set(changes.localTimetables.map { LocalKey(schoolClass: $0.schoolClass, term: $0.term) })
    localLessons.removeAll { rewritten.contains(LocalKey(schoolClass: $0.schoolClass, term: $0.term)) }
    localLessons += changes.localTimetables.flatMap(\.lessons)
    for timetable in changes.localTimetables {
      let key = LocalKey(schoolClass: timetable.schoolClass, term: timetable.term)
      if timetable.isWhole { partialLocals.remove(key) } else { partialLocals.insert(key) }
    }
  }

  private static func put<Value, Key: Hashable>(
    _ new: [Value], into values: inout [Value], _ key: (Value) -> Key, without gone: Set<Key>
  ) {
    var places = Dictionary(values.enumerated().map { (key($1), $0) }) { first, _ in first }
    for value in new {
      if let place = places[key(value)] {
        values[place] = value
      } else {
        places[key(value)] = values.count
        values.append(value)
      }
    }
    if !gone.isEmpty { values.removeAll { gone.contains(key($0)) } }
  }
}

extension ImportChanges.Removal {
  /// Whose spaces go with the row.
  var owners: [Space.Owner] {
    switch sheet {
    case .persons: [.person(id)]
    case .classes: [.schoolClass(id)]
    case .institutions: [.institution(id)]
    default: []
    }
  }
}

extension Timetable {
  /// The timetable of one term of a base; nil when it has no term of that code.
  ///
  /// Every class with a local lesson in the term counts as one whose local timetable is known, but for those known in
  /// part.
  public init?(_ base: ImportBase, term code: String, policy: TimetablePolicy = .standard, lessons: [Lesson] = []) {
    guard let term = base.terms.first(where: { $0.code == code }) else { return nil }
    self.init(
      term: term, policy: policy, subjects: base.subjects.subjects, institutions: base.institutions,
      rooms: base.rooms, classes: base.classes, persons: base.persons, clusters: base.clusters,
      courses: base.courses.filter { $0.term == code }.sorted { ($0.number, $0.id) < ($1.number, $1.id) },
      bells: base.bells,
      localLessons: Dictionary(grouping: base.localLessons.filter { $0.term == code }, by: \.schoolClass),
      partialLocals: Set(base.partialLocals.filter { $0.term == code }.map(\.schoolClass)), lessons: lessons)
  }
}
