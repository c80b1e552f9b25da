/// The part of the world that a grant is about.
///
/// In text `city`, `county:NAME`, `school:UUID`, `room:UUID`, `lesson:UUID`; at most 807 bytes.
public enum Scope: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case city
    case county
    case school
    case room
    case lesson
  }

  /// Everything in the relay.
  case city
  /// The institutions of one `Institution.region`.
  case county(String)
  case school(Identifier)
  case room(Identifier)
  case lesson(Identifier)

  public var kind: Kind {
    switch self {
    case .city: .city
    case .county: .county
    case .school: .school
    case .room: .room
    case .lesson: .lesson
    }
  }

  /// Throws `badName` for a county whose name no institution can have.
  public func validate() throws(ClassroomError) {
    if case .county(let name) = self { try Limits.checkName(name) }
  }
}

extension Scope: LosslessStringConvertible {
  public var description: String {
    switch self {
    case .city: "city"
    case .county(let name): "county:\(name)"
    case .school(let id): "school:\(id)"
    case .room(let id): "room:\(id)"
    case .lesson(let id): "lesson:\(id)"
    }
  }

  /// Reads the text form; nil for anything else, also for a county without a name or with too long a one.
  public init?(_ description: String) {
    if description == "city" {
      self = .city
      return
    }
    guard description.utf8.count <= 7 + Limits.nameScalars * 4, let colon = description.firstIndex(of: ":"),
      let kind = Kind(rawValue: String(description[..<colon]))
    else { return nil }
    let rest = String(description[description.index(after: colon)...])
    if kind == .county {
      self = .county(rest)
      guard (try? validate()) != nil else { return nil }
      return
    }
    guard let id = Identifier(rest) else { return nil }
    switch kind {
    case .school: self = .school(id)
    case .room: self = .room(id)
    case .lesson: self = .lesson(id)
    default: return nil
    }
  }
}

extension Scope: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Scope(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a scope")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A county, school or room with what encloses it.
public struct AccessPlace: Hashable, Sendable {
  /// Empty where it is not known, which only the city's grants cover.
  public var county: String
  /// Nil for the county as a whole.
  public var school: Identifier?
  /// Nil for the school as a whole.
  public var room: Identifier?

  public init(county: String, school: Identifier? = nil, room: Identifier? = nil) {
    self.county = county
    self.school = school
    self.room = room
  }

  /// Whether it lies in the scope or is it.
  func lies(in scope: Scope) -> Bool {
    switch scope {
    case .city: true
    case .county(let name): !name.isEmpty && county == name
    case .school(let id): school == id
    case .room(let id): room == id
    case .lesson: false
    }
  }
}

/// What an operation is done to, with the places that decide who may.
public enum AccessTarget: Hashable, Sendable {
  /// The relay as a whole.
  case city
  case place(AccessPlace)
  /// A lesson, or a cluster or course, which have no `lesson`: shared by several places.
  case joint(Joint)

  public struct Joint: Hashable, Sendable {
    public var lesson: Identifier?
    /// Where it is led from; empty when nobody leads, as in 网络教研: then whoever has all the sites leads.
    public var leads: [AccessPlace]
    /// Where else it is taken part in.
    public var sites: [AccessPlace]
    /// The one site that is called, muted or ejected; nil for the whole.
    public var actedOn: AccessPlace?

    public init(
      lesson: Identifier? = nil, leads: [AccessPlace], sites: [AccessPlace], actedOn: AccessPlace? = nil
    ) {
      self.lesson = lesson
      self.leads = leads
      self.sites = sites
      self.actedOn = actedOn
    }
  }
}

/// Which school a room belongs to and which county a school lies in: what containment is found by.
///
/// What is not in it lies in no county, so that only the city's grants cover it. Cost of a look-up: O(1).
public struct AccessPlaces: Sendable {
  /// The region of each institution.
  public var regions: [Identifier: String]
  /// The institution of each room.
  public var institutions: [Identifier: Identifier]

  public init(regions: [Identifier: String] = [:], institutions: [Identifier: Identifier] = [:]) {
    self.regions = regions
    self.institutions = institutions
  }

  public init(institutions list: some Sequence<Institution>, rooms: some Sequence<Room>) {
    self.init(
      regions: Dictionary(list.map { ($0.id, $0.region) }, uniquingKeysWith: { $1 }),
      institutions: Dictionary(rooms.map { ($0.id, $0.institution) }, uniquingKeysWith: { $1 }))
  }

  public func place(school: Identifier) -> AccessPlace { AccessPlace(county: regions[school] ?? "", school: school) }

  public func place(room: Identifier) -> AccessPlace {
    let school = institutions[room]
    return AccessPlace(county: school.flatMap { regions[$0] } ?? "", school: school, room: room)
  }

  /// The target that a scope names; a lesson's places come from its seats, so for one it is `nil`.
  public func target(_ scope: Scope) -> AccessTarget? {
    switch scope {
    case .city: .city
    case .county(let name): .place(AccessPlace(county: name))
    case .school(let id): .place(place(school: id))
    case .room(let id): .place(place(room: id))
    case .lesson: nil
    }
  }

  /// A lesson as its seats say it; seats without a room, and those of observers and operators, are no places of it.
  ///
  /// `actedOn`: the room that is called, muted or ejected. Cost: O(seats).
  public func target(lesson: Identifier, seats: some Sequence<Seat>, actedOn room: Identifier? = nil) -> AccessTarget {
    var joint = AccessTarget.Joint(lesson: lesson, leads: [], sites: [], actedOn: room.map { place(room: $0) })
    for seat in seats {
      guard let room = seat.room else { continue }
      switch seat.role {
      case .lead: joint.leads.append(place(room: room))
      case .receiver: joint.sites.append(place(room: room))
      case .observer, .operator: break
      }
    }
    return .joint(joint)
  }

  /// A course: the lead's room, and the receiving ones.
  public func target(course: Course) -> AccessTarget {
    .joint(
      AccessTarget.Joint(
        leads: [place(room: course.lead.room)], sites: course.receivers.map { place(room: $0.room) }))
  }

  /// A cluster: its leading schools and the others.
  public func target(cluster: Cluster) -> AccessTarget {
    var joint = AccessTarget.Joint(leads: [], sites: [])
    for member in cluster.members {
      let place = place(school: member.institution)
      if member.leads { joint.leads.append(place) } else { joint.sites.append(place) }
    }
    return .joint(joint)
  }
}
