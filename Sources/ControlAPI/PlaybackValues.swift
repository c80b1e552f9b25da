/// `GET /api/v1/lessons/{id}/playback`: what an asynchronous lesson plays, and where it stands. Times are milliseconds
/// of the recording.
public struct PlaybackReply: Codable, Hashable, Sendable {
  public enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nothing was played yet, or it waits for its sites.
    case waiting
    case playing, paused
    /// At its end, whose last picture stays.
    case ended
  }

  /// UUID.
  public var lesson: String
  /// UUID of the recorded lesson, and its title; nil while nobody has said which.
  public var source: String?
  public var title: String?
  public var state: State
  public var position: Int64
  /// 0 before it was first played.
  public var length: Int64
  /// Why it cannot be played, a kind of problem.
  public var problem: String?

  public init(
    lesson: String, source: String? = nil, title: String? = nil, state: State = .waiting, position: Int64 = 0,
    length: Int64 = 0, problem: String? = nil
  ) {
    self.lesson = lesson
    self.source = source
    self.title = title
    self.state = state
    self.position = position
    self.length = length
    self.problem = problem
  }
}

/// `POST /api/v1/lessons/{id}/playback`.
public struct PlaybackRequest: Codable, Hashable, Sendable {
  public enum Action: String, Codable, Hashable, Sendable, CaseIterable {
    /// `play` and `resume` are one.
    case play, pause, resume, seek
    /// Ends the playback, and the lesson with it.
    case stop
  }

  public var action: Action
  /// Milliseconds; of `seek`.
  public var position: Int64?

  public init(action: Action, position: Int64? = nil) {
    self.action = action
    self.position = position
  }
}

/// `POST /api/v1/lessons/{id}/playback/source`.
public struct PlaybackSource: Codable, Hashable, Sendable {
  /// UUID of the recorded lesson; nil takes it back.
  public var source: String?

  public init(source: String?) { self.source = source }
}

extension ControlClient {
  /// What an asynchronous lesson plays.
  public func playback(lesson: String) async throws(ControlError) -> PlaybackReply {
    try await get(["lessons", lesson, "playback"])
  }

  /// Plays, pauses, jumps or stops.
  public func play(lesson: String, _ request: PlaybackRequest) async throws(ControlError) -> PlaybackReply {
    try await post(["lessons", lesson, "playback"], request)
  }

  /// Says which recorded lesson a lesson plays.
  public func setPlaybackSource(
    lesson: String, _ source: PlaybackSource
  ) async throws(ControlError) -> PlaybackReply {
    try await post(["lessons", lesson, "playback", "source"], source)
  }
}

/// `GET /api/v1/missed-lessons`: recorded lessons that sites missed of late, each with the site's next free period.
public struct MissedList: Codable, Hashable, Sendable {
  public struct Row: Codable, Hashable, Sendable {
    /// UUID of the missed lesson.
    public var lesson: String
    public var title: String
    /// When it was, as `2026-09-07T10:10:00+08:00`.
    public var start: String
    /// The site's room and school.
    public var site: String
    public var institution: String
    /// Seconds that the site was there.
    public var attendedSeconds: Int64
    /// The next period of the site's own bells in which nothing is in the way, while the recording may be shown; nil
    /// where there is none.
    public var freeStart: String?
    public var freeEnd: String?

    public init(
      lesson: String, title: String, start: String, site: String, institution: String, attendedSeconds: Int64,
      freeStart: String? = nil, freeEnd: String? = nil
    ) {
      self.lesson = lesson
      self.title = title
      self.start = start
      self.site = site
      self.institution = institution
      self.attendedSeconds = attendedSeconds
      self.freeStart = freeStart
      self.freeEnd = freeEnd
    }
  }
  public var missed: [Row]
  public init(missed: [Row]) { self.missed = missed }
}

/// `POST /api/v1/lessons/{id}/make-up`.
public struct MakeUpRequest: Codable, Hashable, Sendable {
  /// The room's number.
  public var site: String
  /// Nil for the next free period.
  public var start: String?
  public init(site: String, start: String? = nil) {
    self.site = site
    self.start = start
  }
}

extension ControlClient {
  /// Recorded lessons that sites missed in the last 14 days, at most 100.
  public func missedLessons(site: String? = nil) async throws(ControlError) -> MissedList {
    try await get(["missed-lessons"], [("site", site)])
  }

  /// Makes the asynchronous lesson in which a site sees what it missed.
  public func makeUp(lesson: String, _ request: MakeUpRequest) async throws(ControlError) -> LessonReply {
    try await post(["lessons", lesson, "make-up"], request)
  }
}
