/// What somebody is to the system; together with a `Scope` it makes a `Grant`.
public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
  /// 系统管理员: runs the relay and makes accounts.
  case systemAdmin
  /// 安全管理员: second factors, lockouts, revocation, emergency stop.
  case securityAdmin
  /// 审计员: reads everything that is kept, changes nothing.
  case auditor
  /// 市级协调员.
  case cityCoordinator
  /// 县级协调员.
  case countyCoordinator
  /// 学校管理员.
  case schoolAdmin
  /// 主讲教师.
  case leadTeacher
  /// 教学点的辅助教师.
  case localTeacher
  /// 教研员: watches lessons unseen.
  case researcher
  /// 审核员: lets resources be published.
  case reviewer
  /// A board, a recording host or another device that stands in a room.
  case device
  /// 网络学习空间 platform: takes usage away.
  case platform
  /// 家长.
  case parent

  /// The kinds of scope that a grant of this role may have.
  public var scopeKinds: Set<Scope.Kind> {
    switch self {
    case .systemAdmin, .securityAdmin, .auditor, .cityCoordinator: [.city]
    case .countyCoordinator: [.county]
    case .schoolAdmin, .parent: [.school]
    case .leadTeacher, .localTeacher: [.school, .room, .lesson]
    case .researcher: [.city, .county, .school, .lesson]
    case .reviewer, .platform: [.city, .county]
    case .device: [.room]
    }
  }

  /// 三员: nobody holds two of these.
  public var isSeparatedAdmin: Bool {
    switch self {
    case .systemAdmin, .securityAdmin, .auditor: true
    default: false
    }
  }

  /// Held with no other role: a second one would let its holder do what the fixed rows forbid it.
  public var standsAlone: Bool {
    switch self {
    case .auditor, .device, .platform, .parent: true
    default: false
    }
  }

  /// Whose sign-in asks for a second factor where the relay is configured so.
  public var needsSecondFactor: Bool {
    switch self {
    case .systemAdmin, .securityAdmin, .auditor, .cityCoordinator, .countyCoordinator: true
    default: false
    }
  }

  /// Roles that its holder may give to others, within its own scope.
  public var givenRoles: Set<Role> {
    switch self {
    case .systemAdmin: Set(Role.allCases)
    case .cityCoordinator:
      [
        .countyCoordinator, .schoolAdmin, .leadTeacher, .localTeacher, .researcher, .reviewer, .device, .platform,
        .parent,
      ]
    case .countyCoordinator:
      [.schoolAdmin, .leadTeacher, .localTeacher, .researcher, .reviewer, .device, .platform, .parent]
    case .schoolAdmin: [.leadTeacher, .localTeacher, .device, .parent]
    default: []
    }
  }
}

/// A role within a scope.
public struct Grant: Hashable, Sendable, Codable {
  public var role: Role
  public var scope: Scope

  public init(_ role: Role, _ scope: Scope) {
    self.role = role
    self.scope = scope
  }

  /// Throws `badRange` for a scope of a kind that the role is never given, `badName` for a county without a name.
  public func validate() throws(ClassroomError) {
    guard role.scopeKinds.contains(scope.kind) else { throw .badRange }
    try scope.validate()
  }
}
