/// `GET /api/v1/lessons/{id}/seats`: how a lesson stands at one moment, a page of its seats.
public struct SeatList: Codable, Hashable, Sendable {
  /// What one session of the lead publishes.
  public struct Feed: Codable, Hashable, Sendable {
    /// `camera` or `screen`.
    public var feed: String
    /// Nothing was heard of its transport for some seconds.
    public var isSilent: Bool
    public var hasPicture: Bool
    public var hasSound: Bool
    /// Share, 0…1; nil before it is known, as the figures below.
    public var loss: Double?
    public var roundTripMilliseconds: Double?
    public var bitsPerSecond: Int64?
    public var connectedMilliseconds: Int64?

    public init(
      feed: String, isSilent: Bool, hasPicture: Bool, hasSound: Bool, loss: Double? = nil,
      roundTripMilliseconds: Double? = nil, bitsPerSecond: Int64? = nil, connectedMilliseconds: Int64? = nil
    ) {
      self.feed = feed
      self.isSilent = isSilent
      self.hasPicture = hasPicture
      self.hasSound = hasSound
      self.loss = loss
      self.roundTripMilliseconds = roundTripMilliseconds
      self.bitsPerSecond = bitsPerSecond
      self.connectedMilliseconds = connectedMilliseconds
    }
  }

  /// UUID.
  public var lesson: String
  public var title: String
  public var state: String
  /// Why it is over, a code; nil while it is not.
  public var endReason: String?
  /// The relay's own time and the plan, UTC milliseconds.
  public var now: Int64
  public var plannedStart: Int64
  public var plannedEnd: Int64
  /// By when it has to end, UTC milliseconds, and the code of what needs that; nil where nobody is, and for a lesson
  /// without a window.
  public var endsBy: Int64?
  public var endsReason: String?
  public var feeds: [Feed]
  public var isRecording: Bool
  /// 一键暂停: no site may send or ask.
  public var isPaused: Bool
  /// The lead's first, then by the numbers of the rooms; those that the caller may see.
  public var seats: [SeatReply]
  /// `cursor` of the next page; nil for the last one.
  public var next: String?

  public init(
    lesson: String, title: String, state: String, endReason: String? = nil, now: Int64, plannedStart: Int64,
    plannedEnd: Int64, endsBy: Int64? = nil, endsReason: String? = nil, feeds: [Feed] = [], isRecording: Bool = false,
    isPaused: Bool = false,
    seats: [SeatReply] = [], next: String? = nil
  ) {
    self.lesson = lesson
    self.title = title
    self.state = state
    self.endReason = endReason
    self.now = now
    self.plannedStart = plannedStart
    self.plannedEnd = plannedEnd
    self.endsBy = endsBy
    self.endsReason = endsReason
    self.feeds = feeds
    self.isRecording = isRecording
    self.isPaused = isPaused
    self.seats = seats
    self.next = next
  }
}

/// How one seat of a lesson stands.
public struct SeatReply: Codable, Hashable, Sendable {
  public enum State: String, Codable, Hashable, Sendable, CaseIterable {
    case neverCame
    case connected
    /// Its transport stands and nothing was heard of it for some seconds.
    case silent
    case left
  }

  /// What it gets of the pictures there are.
  public enum Picture: String, Codable, Hashable, Sendable, CaseIterable {
    case none, full
    /// Less than there is, because the line carries no more.
    case thin
    /// None, so that the sound gets through.
    case paused
  }

  /// UUID.
  public var seat: String
  public var role: String
  /// Number of the room; nil for a seat without one.
  public var room: String?
  /// Name of the school.
  public var institution: String?
  public var state: State
  /// Of a receiver that is connected.
  public var picture: Picture?
  /// What the lesson's floor says of it.
  public var isCalled = false
  public var isMuted = false
  public var isBanned = false
  public var hasRaisedHand = false
  /// Transports beside each other.
  public var connections: Int
  /// Share, 0…1; nil before it is known, as the figures below.
  public var loss: Double?
  public var roundTripMilliseconds: Double?
  public var bitsPerSecond: Int64?
  public var connectedMilliseconds: Int64?
  /// What counts as attendance so far.
  public var attendedMilliseconds: Int64

  public init(
    seat: String, role: String, room: String? = nil, institution: String? = nil, state: State,
    picture: Picture? = nil, connections: Int = 0, loss: Double? = nil, roundTripMilliseconds: Double? = nil,
    bitsPerSecond: Int64? = nil, connectedMilliseconds: Int64? = nil, attendedMilliseconds: Int64 = 0
  ) {
    self.seat = seat
    self.role = role
    self.room = room
    self.institution = institution
    self.state = state
    self.picture = picture
    self.connections = connections
    self.loss = loss
    self.roundTripMilliseconds = roundTripMilliseconds
    self.bitsPerSecond = bitsPerSecond
    self.connectedMilliseconds = connectedMilliseconds
    self.attendedMilliseconds = attendedMilliseconds
  }
}

/// `GET /api/v1/lessons/{id}/links`: how each seat of a lesson comes in. The links are keys: for their schools alone.
public struct SeatLinks: Codable, Hashable, Sendable {
  public struct Link: Codable, Hashable, Sendable {
    /// UUID.
    public var seat: String
    public var role: String
    /// Number of the room.
    public var room: String
    /// Name of the school.
    public var institution: String
    /// To be opened in a browser; the token stands behind `#`, which goes to no server.
    public var page: String
    /// Where programs publish (WHIP): feed → URL, `camera` and `screen` of a lead, `site` of a receiving seat.
    public var whip: [String: String]
    /// Where programs receive (WHEP).
    public var whep: String
    /// What programs show there.
    public var token: String

    public init(
      seat: String, role: String, room: String, institution: String, page: String, whip: [String: String],
      whep: String, token: String
    ) {
      self.seat = seat
      self.role = role
      self.room = room
      self.institution = institution
      self.page = page
      self.whip = whip
      self.whep = whep
      self.token = token
    }
  }

  /// UUID.
  public var lesson: String
  public var title: String
  /// `2026-09-07 10:10`, civil time of China.
  public var start: String
  public var end: String
  /// When the links end, likewise.
  public var expires: String
  /// The lead's first, then by the numbers of the rooms; those that the caller may hand out.
  public var links: [Link]

  public init(lesson: String, title: String, start: String, end: String, expires: String, links: [Link]) {
    self.lesson = lesson
    self.title = title
    self.start = start
    self.end = end
    self.expires = expires
    self.links = links
  }
}

/// `POST /api/v1/lessons/end-all`: 一键关停 of every lesson within the caller's scope.
public struct StopAllReply: Codable, Hashable, Sendable {
  public struct Lesson: Codable, Hashable, Sendable {
    /// UUID.
    public var id: String
    public var title: String
    /// Why it could not be stopped, a code; nil of one that was.
    public var problem: String?

    public init(id: String, title: String, problem: String? = nil) {
      self.id = id
      self.title = title
      self.problem = problem
    }
  }

  public var stopped: [Lesson]
  /// Those that the caller sees and could not stop: `outsideScope` where other schools have part in them, `store` where
  /// the ledger could not keep the end.
  public var failed: [Lesson]

  public init(stopped: [Lesson], failed: [Lesson]) {
    self.stopped = stopped
    self.failed = failed
  }
}
