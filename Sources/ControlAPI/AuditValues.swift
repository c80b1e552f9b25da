/// An entry of the audit trail.
public struct AuditReply: Codable, Hashable, Sendable {
  /// 1, 2, 3 … without gaps.
  public var id: Int64
  /// `2026-09-07 10:10:05`, civil time of China.
  public var at: String
  /// UUID; nil for somebody not known, whose attempt was refused.
  public var actor: String?
  /// Roles that were held, with commas between.
  public var role: String
  public var operation: String
  /// Such as `room/UUID`.
  public var target: String
  public var address: String
  /// `allowed` or `refused`.
  public var outcome: String
  /// JSON.
  public var old: String?
  public var new: String?

  public init(
    id: Int64, at: String, actor: String?, role: String, operation: String, target: String, address: String,
    outcome: String, old: String?, new: String?
  ) {
    self.id = id
    self.at = at
    self.actor = actor
    self.role = role
    self.operation = operation
    self.target = target
    self.address = address
    self.outcome = outcome
    self.old = old
    self.new = new
  }
}

/// Which entries are told; what is nil does not choose.
public struct AuditListQuery: Hashable, Sendable {
  /// First and last day, `2026-09-07`.
  public var from: String?
  public var to: String?
  /// UUID.
  public var actor: String?
  public var operation: String?
  /// `allowed` or `refused`.
  public var outcome: String?

  public init(
    from: String? = nil, to: String? = nil, actor: String? = nil, operation: String? = nil, outcome: String? = nil
  ) {
    self.from = from
    self.to = to
    self.actor = actor
    self.operation = operation
    self.outcome = outcome
  }
}

/// `GET /api/v1/audit/verification`: whether the chains hold.
public struct ChainReply: Codable, Hashable, Sendable {
  public var intact: Bool
  public var entries: Int
  /// Number of the first entry of the trail that does not fit.
  public var firstBrokenEntry: Int64?
  public var events: Int
  /// Number of the first event that does not fit.
  public var firstBrokenEvent: Int64?
  /// Hash of the last event, to be lodged elsewhere.
  public var head: String

  public init(
    intact: Bool, entries: Int, firstBrokenEntry: Int64?, events: Int, firstBrokenEvent: Int64?, head: String
  ) {
    self.intact = intact
    self.entries = entries
    self.firstBrokenEntry = firstBrokenEntry
    self.events = events
    self.firstBrokenEvent = firstBrokenEvent
    self.head = head
  }
}
