import Classroom
import Ledger

/// Who sees and plays which resource: what is published within its visibility, what is not by its school and those who
/// review it, and for 14 days by the seats of its own lesson.
struct ResourceAccess: Sendable {
  let relay: RelayParts

  /// The resource's own lesson, led from the school that it is of.
  func owner(of resource: LessonResource) -> AccessTarget {
    let leads = resource.metadata.institution.map { [relay.places.places().place(school: $0)] } ?? []
    return .joint(AccessTarget.Joint(lesson: resource.lesson, leads: leads, sites: []))
  }

  /// The level that an approval is given for. Nobody's scope is a cluster: its approval is that of the county.
  func target(of resource: LessonResource, for level: ResourceVisibility) -> AccessTarget {
    guard let school = resource.metadata.institution else { return .city }
    let place = relay.places.places().place(school: school)
    switch level {
    case .school: return .place(place)
    case .cluster, .county: return place.county.isEmpty ? .city : .place(AccessPlace(county: place.county))
    case .city, .province: return .city
    }
  }

  /// The places one of which a reader has to be of, or to lie in.
  private func readers(of resource: LessonResource, _ visibility: ResourceVisibility) -> [AccessTarget] {
    guard visibility == .cluster else { return [target(of: resource, for: visibility)] }
    let cluster = resource.metadata.cluster.flatMap { try? relay.store.cluster($0) }
    let places = relay.places.places()
    let members = cluster.map { $0.members.map(\.institution) } ?? []
    return (members + [resource.metadata.institution].compactMap(\.self)).map { .place(places.place(school: $0)) }
  }

  /// Whether a school lies within a published resource's visibility.
  func covers(_ resource: LessonResource, school: Identifier) -> Bool {
    let places = relay.places.places()
    switch resource.review.visibility {
    case nil: return false
    case .school: return resource.metadata.institution == school
    case .cluster:
      let cluster = resource.metadata.cluster.flatMap { try? relay.store.cluster($0) }
      return resource.metadata.institution == school
        || cluster?.members.contains { $0.institution == school } == true
    case .county:
      let county = resource.metadata.institution.map { places.place(school: $0).county } ?? ""
      return !county.isEmpty && places.place(school: school).county == county
    case .city, .province: return true
    }
  }

  /// Whether a caller finds it, without a trace.
  func finds(_ resource: LessonResource, _ caller: Caller) -> Bool {
    if let visibility = resource.review.visibility,
      readers(of: resource, visibility).contains(where: { relay.gate.allows(.readResources, on: $0, by: caller) })
    {
      return true
    }
    return relay.gate.allows(.readUnpublished, on: owner(of: resource), by: caller)
  }

  /// Lets a caller see it, or not.
  /// - Throws: what the rules refuse; audited.
  func requireFinding(_ resource: LessonResource, _ caller: Caller) throws {
    if finds(resource, caller) { return }
    if resource.review.visibility != nil {
      try relay.gate.require(.readResources, on: target(of: resource, for: .school), by: caller)
    }
    try relay.gate.require(.readUnpublished, on: owner(of: resource), by: caller)
  }

  /// Lets a caller play a file, or not: also a seat of the lesson, for 14 days. Returns until when, UTC milliseconds;
  /// nil without an end.
  /// - Throws: what the rules refuse; audited.
  func requirePlaying(_ file: ResourceFile, of resource: LessonResource, _ caller: Caller) throws -> Int64? {
    if finds(resource, caller) { return nil }
    let ends = file.madeAt + LessonResource.replayMilliseconds
    let lesson = relay.places.target(lesson: resource.lesson, for: caller)
    if relay.clock() < ends, relay.gate.allows(.replayLesson, on: lesson, by: caller) { return ends }
    try requireFinding(resource, caller)
    return nil
  }

  /// The schools that a caller's roles are of.
  func schools(of caller: Caller) -> Set<Identifier> {
    let places = relay.places.places()
    return Set(
      caller.grants.compactMap { grant in
        switch grant.scope {
        case .school(let id): id
        case .room(let id): places.place(room: id).school
        case .city, .county, .lesson: nil
        }
      })
  }
}
