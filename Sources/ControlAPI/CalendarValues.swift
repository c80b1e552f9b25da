/// `POST /api/v1/calendars/links`: a link that a phone or Outlook can subscribe to.
public struct CalendarLinkRequest: Codable, Hashable, Sendable {
  /// `room`, `teacher` or `cluster`.
  public var kind: String
  /// Number of the room or the cluster; school and staff number of the teacher, `P07/001`.
  public var of: String
  /// What it is for; 0…200 characters, without names.
  public var label: String?

  public init(kind: String, of: String, label: String? = nil) {
    self.kind = kind
    self.of = of
    self.label = label
  }
}

/// A link to a calendar; whoever has its address reads that calendar, until it is taken back.
public struct CalendarLinkReply: Codable, Hashable, Sendable {
  /// UUID, by which it is taken back.
  public var id: String
  public var kind: String
  /// As the request names it.
  public var of: String
  public var label: String
  /// `2026-09-07 10:10`, civil time of China.
  public var madeAt: String
  /// To the hour; nil until it is used.
  public var usedAt: String?
  /// Told once, when it is made.
  public var url: String?
  public var webcal: String?

  public init(
    id: String, kind: String, of: String, label: String, madeAt: String, usedAt: String? = nil, url: String? = nil,
    webcal: String? = nil
  ) {
    self.id = id
    self.kind = kind
    self.of = of
    self.label = label
    self.madeAt = madeAt
    self.usedAt = usedAt
    self.url = url
    self.webcal = webcal
  }
}
