/// What was measured in a room, on a machine that stands there, against the relay that its lessons go through.
public struct RoomTest: Hashable, Sendable, Codable {
  /// What measured.
  public enum Source: String, Sendable, Codable, CaseIterable {
    /// The command line, on the room's own machine.
    case command
    /// The page that the room is taught with.
    case page
  }

  /// Devices of one kind, and codecs.
  public static let listLimit = 16
  /// Bit/s that no line exceeds.
  public static let rateLimit: Int64 = 1_000_000_000_000

  public var id: Identifier
  public var room: Identifier
  /// UTC milliseconds, by the relay's clock.
  public var takenAt: Int64
  public var source: Source
  /// Program and machine, such as `tongke 1.0 (p07-board)`.
  public var device: String
  /// Names of what was found; two of one name are two devices.
  public var cameras: [String]
  public var microphones: [String]
  public var speakers: [String]
  /// Codecs that the machine has, by their subtypes of RTP in small letters, such as `h264` and `opus`.
  public var codecs: [String]
  /// Bit/s that came from the relay, and that went to it.
  public var downlink: Int64
  public var uplink: Int64
  /// Microseconds there and back, the median of several.
  public var roundTrip: Int64
  /// Permille of what was sent that was lost; nil where it could not be told.
  public var loss: Int?

  public init(
    id: Identifier, room: Identifier, takenAt: Int64, source: Source, device: String = "", cameras: [String] = [],
    microphones: [String] = [], speakers: [String] = [], codecs: [String] = [], downlink: Int64, uplink: Int64,
    roundTrip: Int64, loss: Int? = nil
  ) {
    self.id = id
    self.room = room
    self.takenAt = takenAt
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

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(device, mayBeEmpty: true)
    for list in [cameras, microphones, speakers, codecs] {
      guard list.count <= Self.listLimit else { throw .tooMany }
      for name in list { try Limits.checkName(name) }
    }
    for codec in codecs { try Limits.checkName(codec, limit: Limits.codeScalars) }
    try Limits.checkInterval(takenAt, nil)
    guard (0...Self.rateLimit).contains(downlink), (0...Self.rateLimit).contains(uplink),
      (0...60_000_000).contains(roundTrip), loss.map((0...1_000).contains) ?? true
    else { throw .badRange }
  }
}

/// That a room was held against a profile (验收): by whom, when, by which measurement, and what came out.
public struct RoomAcceptance: Hashable, Sendable, Codable {
  public var room: Identifier
  /// UTC milliseconds.
  public var at: Int64
  /// Who accepted it, or did not.
  public var actor: Identifier
  /// The measurement it was judged by.
  public var test: Identifier
  public var use: AcceptanceProfile.Use
  public var profile: String
  public var profileVersion: Int
  public var findings: [AcceptanceFinding]

  public init(
    room: Identifier, at: Int64, actor: Identifier, test: Identifier, use: AcceptanceProfile.Use, profile: String,
    profileVersion: Int, findings: [AcceptanceFinding]
  ) {
    self.room = room
    self.at = at
    self.actor = actor
    self.test = test
    self.use = use
    self.profile = profile
    self.profileVersion = profileVersion
    self.findings = findings
  }

  /// Whether everything that was asked was met; false for nothing asked.
  public var isAccepted: Bool { !findings.isEmpty && findings.allSatisfy { $0.state == .met } }
}
