/// `POST /api/v1/rooms/{room}/tests`: what was measured in a room, on a machine that stands there.
public struct RoomTestRequest: Codable, Hashable, Sendable {
  /// `command` or `page`.
  public var source: String
  /// Program and machine, in words.
  public var device: String
  /// Names of what was found, at most 16 each.
  public var cameras: [String]
  public var microphones: [String]
  public var speakers: [String]
  /// Codecs by their subtypes of RTP in small letters, such as `h264` and `opus`.
  public var codecs: [String]
  /// Bit/s.
  public var downlink: Int64
  public var uplink: Int64
  /// Microseconds.
  public var roundTrip: Int64
  /// Permille; nil where it could not be told.
  public var loss: Int?

  public init(
    source: String, device: String, cameras: [String], microphones: [String], speakers: [String], codecs: [String],
    downlink: Int64, uplink: Int64, roundTrip: Int64, loss: Int?
  ) {
    self.source = source
    self.device = device
    self.cameras = cameras
    self.microphones = microphones
    self.speakers = speakers
    self.codecs = codecs
    self.downlink = downlink
    self.uplink = uplink
    self.roundTrip = roundTrip
    self.loss = loss
  }
}

/// A measurement as it is kept.
public struct RoomTestReply: Codable, Hashable, Sendable {
  public var id: String
  /// Number of the room.
  public var room: String
  /// `2026-08-20 10:10`
  public var takenAt: String
  public var result: RoomTestRequest
  /// What the profile says of it for a receiving room.
  public var findings: [AcceptanceFindingReply]

  public init(
    id: String, room: String, takenAt: String, result: RoomTestRequest, findings: [AcceptanceFindingReply]
  ) {
    self.id = id
    self.room = room
    self.takenAt = takenAt
    self.result = result
    self.findings = findings
  }
}

/// One requirement, what was measured of it, and what to do.
public struct AcceptanceFindingReply: Codable, Hashable, Sendable {
  /// Stable, such as `downlink`.
  public var requirement: String
  /// `met`, `notMet` or `notMeasured`.
  public var state: String
  /// In words, in the language of the request.
  public var name: String
  public var needed: String
  public var measured: String
  /// Empty for what is met.
  public var remedy: String

  public init(
    requirement: String, state: String, name: String, needed: String, measured: String, remedy: String
  ) {
    self.requirement = requirement
    self.state = state
    self.name = name
    self.needed = needed
    self.measured = measured
    self.remedy = remedy
  }
}

/// `POST /api/v1/rooms/{room}/acceptance`
public struct AcceptanceRequest: Codable, Hashable, Sendable {
  /// `receiving` or `leading`.
  public var use: String

  public init(use: String) { self.use = use }
}

/// What a room was held against, and what came out.
public struct AcceptanceReply: Codable, Hashable, Sendable {
  /// Number of the room.
  public var room: String
  public var accepted: Bool
  public var use: String
  public var profile: String
  public var version: Int
  /// `2026-08-20 10:10`
  public var at: String
  /// UUID of who judged.
  public var by: String
  /// When it was measured what it was judged by.
  public var testedAt: String
  public var findings: [AcceptanceFindingReply]

  public init(
    room: String, accepted: Bool, use: String, profile: String, version: Int, at: String, by: String,
    testedAt: String, findings: [AcceptanceFindingReply]
  ) {
    self.room = room
    self.accepted = accepted
    self.use = use
    self.profile = profile
    self.version = version
    self.at = at
    self.by = by
    self.testedAt = testedAt
    self.findings = findings
  }
}

/// What the relay took of an upload.
public struct ThroughputReply: Codable, Hashable, Sendable {
  public var bytes: Int

  public init(bytes: Int) { self.bytes = bytes }
}

/// `GET /api/v1/lessons/{lesson}/check`: whether every site is fit for the lesson.
public struct LessonCheckReply: Codable, Hashable, Sendable {
  public struct Site: Codable, Hashable, Sendable {
    /// Number of the room.
    public var room: String
    /// Name of the school.
    public var institution: String
    /// `lead` or `receiver`.
    public var role: String
    public var good: Bool
    public var accepted: Bool
    /// `2026-08-20 10:10`; nil for never.
    public var testedAt: String?
    /// When it was last connected to a lesson; nil for never.
    public var connectedAt: String?
    /// In the language of the request.
    public var sentence: String
    /// What to do, a line each; none for a site that is good.
    public var remedies: [String]
    public var findings: [AcceptanceFindingReply]

    public init(
      room: String, institution: String, role: String, good: Bool, accepted: Bool, testedAt: String?,
      connectedAt: String?, sentence: String, remedies: [String], findings: [AcceptanceFindingReply]
    ) {
      self.room = room
      self.institution = institution
      self.role = role
      self.good = good
      self.accepted = accepted
      self.testedAt = testedAt
      self.connectedAt = connectedAt
      self.sentence = sentence
      self.remedies = remedies
      self.findings = findings
    }
  }

  public var lesson: String
  public var title: String
  /// `2026-09-07 10:10`
  public var start: String
  /// Whether all sites are.
  public var good: Bool
  public var sites: [Site]

  public init(lesson: String, title: String, start: String, good: Bool, sites: [Site]) {
    self.lesson = lesson
    self.title = title
    self.start = start
    self.good = good
    self.sites = sites
  }
}
