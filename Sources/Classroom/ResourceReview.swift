/// How far a published resource is seen, narrowest first.
public enum ResourceVisibility: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
  /// 校级: the school whose lesson it was.
  case school
  /// 联校群
  case cluster
  /// 县级
  case county
  /// 市级
  case city
  /// 省级
  case province

  /// 1…5, widest highest.
  public var rank: Int {
    switch self {
    case .school: 1
    case .cluster: 2
    case .county: 3
    case .city: 4
    case .province: 5
    }
  }

  /// Nil for another number than 1…5.
  public init?(rank: Int) {
    guard let found = Self.allCases.first(where: { $0.rank == rank }) else { return nil }
    self = found
  }

  public static func < (first: Self, second: Self) -> Bool { first.rank < second.rank }
}

/// Where a resource stands between being recorded and being seen.
///
/// ```
/// recorded → draft → submitted → approved → published → withdrawn
///              ↑          └→ rejected                        │
///              └─ rejected, withdrawn; everything that is changed
/// ```
public enum ResourceState: String, Hashable, Sendable, Codable, CaseIterable {
  /// Files were made; nobody has looked at it.
  case recorded
  case draft
  case submitted
  case approved
  case rejected
  case published
  case withdrawn
}

/// What people do to a resource on its way.
public enum ResourceStep: Hashable, Sendable {
  /// Its words are worked on; back to draft from wherever it was.
  case draft
  case submit(by: Identifier)
  /// For one level's visibility and what is narrower.
  case approve(by: Identifier, for: ResourceVisibility)
  case reject(by: Identifier, reason: String)
  case publish(ResourceVisibility)
  case withdraw
}

/// Why a step is not taken.
public enum ResourceRefusal: String, Error, Hashable, Sendable, CaseIterable {
  /// There is no such step from where it stands.
  case noSuchStep
  /// Whoever submitted it does not approve it.
  case ownSubmission
  /// Nobody approved it, or for a narrower visibility alone.
  case notApproved
  /// It is not what was submitted: files or words have changed since.
  case changed
  /// A rejection says why, in 1…200 scalars.
  case noReason
  /// Its files have expired.
  case expired
}

/// How far the review of one resource has come; approval is bound to what was approved.
public struct ResourceReview: Hashable, Sendable, Codable {
  public private(set) var state: ResourceState
  public private(set) var submitter: Identifier?
  /// Who approved last.
  public private(set) var approver: Identifier?
  /// The widest level that approved; nil while none has.
  public private(set) var approvedFor: ResourceVisibility?
  /// How far it is published; nil while it is not.
  public private(set) var visibility: ResourceVisibility?
  /// Of what was submitted, SHA-256 in hexadecimal digits; nil before.
  public private(set) var digest: String?
  /// Why it was rejected; empty otherwise.
  public private(set) var reason: String

  /// As it begins.
  public init() {
    state = .recorded
    reason = ""
  }

  /// As it was stored. Nil for what no steps lead to, such as a publication that nobody approved.
  public init?(
    state: ResourceState, submitter: Identifier?, approver: Identifier?, approvedFor: ResourceVisibility?,
    visibility: ResourceVisibility?, digest: String?, reason: String
  ) {
    self.state = state
    self.submitter = submitter
    self.approver = approver
    self.approvedFor = approvedFor
    self.visibility = visibility
    self.digest = digest
    self.reason = reason
    guard isSound else { return nil }
  }

  /// What holds in every state.
  package var isSound: Bool {
    let isApproved = approvedFor != nil && approver != nil && approver != submitter && digest != nil
    switch state {
    case .recorded, .draft, .withdrawn: return submitter == nil && approvedFor == nil && visibility == nil
    case .submitted, .rejected: return submitter != nil && digest != nil && approvedFor == nil && visibility == nil
    case .approved: return submitter != nil && isApproved && visibility == nil
    case .published:
      guard submitter != nil, isApproved, let visibility, let approvedFor else { return false }
      return visibility <= approvedFor
    }
  }

  /// The review after a step, of contents that now have `digest`; pure, O(1).
  ///
  /// Widening is approving a published resource for a wider level and publishing it again.
  public func after(_ step: ResourceStep, digest now: String) throws(ResourceRefusal) -> ResourceReview {
    var next = self
    switch step {
    case .draft: return Self.begun(.draft)
    case .submit(let by):
      guard state == .draft else { throw .noSuchStep }
      next.state = .submitted
      next.submitter = by
      next.digest = now
    case .approve(let by, let level):
      guard [.submitted, .approved, .published].contains(state) else { throw .noSuchStep }
      guard by != submitter else { throw .ownSubmission }
      guard digest == now else { throw .changed }
      if state == .submitted { next.state = .approved }
      next.approvedFor = max(approvedFor ?? level, level)
      next.approver = by
    case .reject(_, let reason):
      guard state == .submitted else { throw .noSuchStep }
      guard (try? Limits.checkName(reason)) != nil else { throw .noReason }
      next.state = .rejected
      next.reason = reason
    case .publish(let wanted):
      guard state != .submitted, state != .draft else { throw .notApproved }
      guard state == .approved || state == .published else { throw .noSuchStep }
      guard digest == now else { throw .changed }
      guard let approvedFor, wanted <= approvedFor else { throw .notApproved }
      next.state = .published
      next.visibility = wanted
    case .withdraw:
      guard state == .published else { throw .noSuchStep }
      return Self.begun(.withdrawn)
    }
    return next
  }

  /// The review once the contents have another digest: what was bound to the old ones is void.
  public func following(digest now: String) -> ResourceReview {
    guard let digest, digest != now else { return self }
    return Self.begun(.draft)
  }

  private static func begun(_ state: ResourceState) -> ResourceReview {
    var review = ResourceReview()
    review.state = state
    return review
  }
}
