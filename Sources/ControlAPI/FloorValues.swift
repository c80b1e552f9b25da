/// `GET /api/v1/lessons/{id}/floor`: who may be seen and heard in a lesson besides its lead. A site is told of itself
/// alone, and of whether somebody is called.
public struct FloorReply: Codable, Hashable, Sendable {
  public struct Site: Codable, Hashable, Sendable {
    /// UUID.
    public var seat: String
    /// The room's number and name; empty where there is none.
    public var room: String
    public var name: String
    /// Whether it receives the lesson now.
    public var connected: Bool
    /// Whether it sends picture or sound now.
    public var sending: Bool
    public var called: Bool
    /// Its place among the raised hands, from 1.
    public var hand: Int?
    public var muted: Bool
    public var banned: Bool
    /// What it is let.
    public var video: Bool
    public var audio: Bool
    public var screen: Bool
    public var text: Bool

    public init(
      seat: String, room: String, name: String, connected: Bool, sending: Bool, called: Bool, hand: Int?,
      muted: Bool, banned: Bool, video: Bool, audio: Bool, screen: Bool, text: Bool
    ) {
      self.seat = seat
      self.room = room
      self.name = name
      self.connected = connected
      self.sending = sending
      self.called = called
      self.hand = hand
      self.muted = muted
      self.banned = banned
      self.video = video
      self.audio = audio
      self.screen = screen
      self.text = text
    }
  }

  /// UUID.
  public var lesson: String
  public var paused: Bool
  /// The seat that everyone sees and hears.
  public var called: String?
  /// Seats that want to speak, the one that has waited longest first.
  public var hands: [String]
  public var sites: [Site]

  public init(lesson: String, paused: Bool, called: String?, hands: [String], sites: [Site]) {
    self.lesson = lesson
    self.paused = paused
    self.called = called
    self.hands = hands
    self.sites = sites
  }
}

/// `POST /api/v1/lessons/{id}/floor`.
public struct FloorRequest: Codable, Hashable, Sendable {
  public enum Act: String, Codable, Hashable, Sendable, CaseIterable {
    case call, uncall, mute, unmute, eject, ban, unban, grant, pause, resume, raiseHand, lowerHand
  }

  public enum Medium: String, Codable, Hashable, Sendable, CaseIterable {
    case video, audio, screen, text
  }

  public var act: Act
  /// UUID of the site's seat. Without one `mute` and `unmute` are of all, a hand is the caller's own.
  public var seat: String?
  /// Of `grant`.
  public var medium: Medium?
  public var on: Bool?
  /// Of `eject` and `ban`: what the site is told.
  public var reason: String?

  public init(act: Act, seat: String? = nil, medium: Medium? = nil, on: Bool? = nil, reason: String? = nil) {
    self.act = act
    self.seat = seat
    self.medium = medium
    self.on = on
    self.reason = reason
  }
}
