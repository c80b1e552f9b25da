/// Whether something may be done.
public enum AccessDecision: Hashable, Sendable {
  case allowed
  case refused(Reason)

  /// Stable codes, most telling first. They stand in the audit trail.
  public enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
    /// Roles that nobody holds together; nothing is allowed to their holder.
    case conflictingRoles
    /// A parent never opens live media, whatever else is asked.
    case parentNeverLive
    /// An auditor changes nothing.
    case auditorNeverChanges
    /// A role that is held may do it, but not there.
    case outsideScope
    /// No role that is held may do it anywhere.
    case wrongRole
    /// No grant is held at all.
    case noGrant
  }

  public var isAllowed: Bool { self == .allowed }
}

/// Who may do what where. `decide` is the only place that says so.
public enum AccessRules {
  /// Grants of one person or token.
  public static let grantLimit = 16

  /// How far a role's right to an operation goes. For a single place all but `enclosing` are the same: in the scope.
  enum Reach: Hashable, Sendable {
    /// Every place concerned lies in the scope.
    case wholly
    /// The lesson is led from the scope.
    case leading
    /// The one site acted on lies in the scope, or the lesson is led from it.
    case acting
    /// Some place concerned lies in the scope; where one site is asked about, as `acting`.
    case takingPart
    /// As `takingPart`, and what encloses the scope: its school, its county, the city.
    case enclosing
  }

  /// Decides one operation on one target by the grants held: the only way to a yes.
  ///
  /// `places` tells what encloses the scopes of grants, which matters for terms and bells alone. Grants that are not
  /// valid by themselves count for nothing. Cost: O(grants × sites of the target).
  public static func decide(
    grants: some Collection<Grant>, operation: AccessOperation, target: AccessTarget,
    places: AccessPlaces = AccessPlaces()
  ) -> AccessDecision {
    guard !grants.isEmpty else { return .refused(.noGrant) }
    guard !conflicts(grants) else { return .refused(.conflictingRoles) }
    var mayElsewhere = false
    for grant in grants where (try? grant.validate()) != nil {
      guard let reach = reach(of: grant.role, for: operation) else { continue }
      if covers(grant.scope, target, reach, places) { return .allowed }
      mayElsewhere = true
    }
    if mayElsewhere { return .refused(.outsideScope) }
    if operation.isLiveMedia, grants.contains(where: { $0.role == .parent }) { return .refused(.parentNeverLive) }
    if !operation.isReading, grants.contains(where: { $0.role == .auditor }) {
      return .refused(.auditorNeverChanges)
    }
    return .refused(.wrongRole)
  }

  /// Whether roles are held together that nobody may hold together: two of 三员, one that stands alone with any other,
  /// or more grants than `grantLimit`.
  public static func conflicts(_ grants: some Collection<Grant>) -> Bool {
    guard grants.count <= grantLimit else { return true }
    let roles = Set(grants.map(\.role))
    if roles.count > 1, roles.contains(where: \.standsAlone) { return true }
    return roles.count(where: \.isSeparatedAdmin) > 1
  }

  /// Whether a holder of `grants` may give `grant` to a holder of `held`: a role it may give, within its own scope, and
  /// no conflict after it.
  ///
  /// `target` is the place that `grant.scope` names (`AccessPlaces.target`, or that of the lesson).
  public static func decideGiving(
    _ grant: Grant, at target: AccessTarget, to held: [Grant] = [], by grants: some Collection<Grant>
  ) -> AccessDecision {
    guard !conflicts(held + [grant]) else { return .refused(.conflictingRoles) }
    guard (try? grant.validate()) != nil else { return .refused(.outsideScope) }
    let givers = grants.filter { $0.role.givenRoles.contains(grant.role) }
    let decision = decide(grants: grants, operation: .manageAccounts, target: target)
    guard decision.isAllowed else { return decision }
    guard !givers.isEmpty else { return .refused(.wrongRole) }
    // The right to give this role and the place have to come from one grant.
    return decide(grants: givers, operation: .manageAccounts, target: target)
  }

  // MARK: Containment

  private static func covers(_ scope: Scope, _ target: AccessTarget, _ reach: Reach, _ places: AccessPlaces) -> Bool {
    if scope == .city { return true }
    switch target {
    case .city: return reach == .enclosing
    case .place(let place):
      return place.lies(in: scope) || (reach == .enclosing && encloses(place, scope, places))
    case .joint(let joint):
      if let lesson = joint.lesson, scope == .lesson(lesson) { return true }
      return covers(scope, joint, reach)
    }
  }

  private static func covers(_ scope: Scope, _ joint: AccessTarget.Joint, _ reach: Reach) -> Bool {
    let all = joint.leads + joint.sites
    let isWhole = !all.isEmpty && all.allSatisfy { $0.lies(in: scope) }
    // Where nobody leads, whoever has every site does.
    let leads = joint.leads.isEmpty ? isWhole : joint.leads.contains { $0.lies(in: scope) }
    switch reach {
    case .wholly: return isWhole
    case .leading: return leads
    case .acting: return leads || joint.actedOn?.lies(in: scope) == true
    case .takingPart, .enclosing:
      if let site = joint.actedOn { return leads || site.lies(in: scope) }
      return all.contains { $0.lies(in: scope) }
    }
  }

  /// Whether the place is a school or county that the scope lies in.
  private static func encloses(_ place: AccessPlace, _ scope: Scope, _ places: AccessPlaces) -> Bool {
    guard place.room == nil else { return false }
    let inner: AccessPlace
    switch scope {
    case .school(let id): inner = places.place(school: id)
    case .room(let id): inner = places.place(room: id)
    case .city, .county, .lesson: return false
    }
    if let school = place.school { return school == inner.school }
    return !place.county.isEmpty && place.county == inner.county
  }
}
