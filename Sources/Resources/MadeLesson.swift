public import Classroom

/// What was made of a lesson's logs.
public struct MadeLesson: Sendable {
  /// In the order of the logs; those made by an earlier attempt are among them.
  public var files: [MadeFile] = []
  /// What kept a log from becoming files; such a log stays as it is.
  public var problems: [ResourceProblem] = []

  public init() {}
}

/// A recording in the data folder, read back whole.
public struct MadeFile: Hashable, Sendable {
  /// Relative to the data folder.
  public var path: String
  /// The feed's name, such as `camera`.
  public var feed: String
  public var byteCount: Int64
  /// SHA-256, 64 lower-case hexadecimal digits.
  public var sha256: String
  public var durationSeconds: Double
  public var videoFrames: Int
  /// 0 without sound.
  public var audioSeconds: Double
  /// How much later than a flash its beep is, where the picture has such marks; nil otherwise.
  public var audioVideoOffsetMilliseconds: Double?
  /// UTC milliseconds at the file's zero, by the relay's clock when recording began.
  public var startsAt: Int64
  /// Gap records of the log, and units that could not be put together.
  public var gaps: Int
  /// Relative to the data folder; nil without pictures.
  public var poster: String?
  /// What was odd about it.
  public var quality: RecordingQuality?

  public init(
    path: String, feed: String, byteCount: Int64, sha256: String, durationSeconds: Double, videoFrames: Int,
    audioSeconds: Double, audioVideoOffsetMilliseconds: Double?, startsAt: Int64, gaps: Int, poster: String?
  ) {
    self.path = path
    self.feed = feed
    self.byteCount = byteCount
    self.sha256 = sha256
    self.durationSeconds = durationSeconds
    self.videoFrames = videoFrames
    self.audioSeconds = audioSeconds
    self.audioVideoOffsetMilliseconds = audioVideoOffsetMilliseconds
    self.startsAt = startsAt
    self.gaps = gaps
    self.poster = poster
  }
}

/// Why a log did not become all of its files. Words are English, for a log.
public enum ResourceProblem: Hashable, Sendable, CustomStringConvertible {
  /// Packets were recorded, but no whole picture or sound is among them, or they are of a codec no file is made of.
  case nothingPlayable(feed: String)
  /// A file could not be written, most often for want of space.
  case cannotWrite(feed: String, words: String)
  /// A file was written but did not read back as what was written.
  case notVerified(feed: String, words: String)
  /// The recording is whole, only its poster could not be made.
  case noPoster(feed: String, words: String)
  /// The recording is whole, only the list of its chapters could not be written beside it.
  case noChapters(feed: String, words: String)

  /// Whether the log waits for another attempt.
  public var keepsLog: Bool {
    switch self {
    case .nothingPlayable, .cannotWrite, .notVerified: true
    case .noPoster, .noChapters: false
    }
  }

  /// Whether another attempt cannot come to anything else.
  public var isHopeless: Bool {
    if case .nothingPlayable = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .nothingPlayable(let feed): "\(feed): nothing playable was recorded"
    case .cannotWrite(let feed, let words): "\(feed): \(words)"
    case .notVerified(let feed, let words): "\(feed): the file does not read back as written: \(words)"
    case .noPoster(let feed, let words): "\(feed): no poster: \(words)"
    case .noChapters(let feed, let words): "\(feed): no chapters: \(words)"
    }
  }
}

/// Why a lesson's files cannot be made at all.
public enum ResourceError: Error, Hashable, Sendable {
  /// The ledger does not know the lesson.
  case unknownLesson
  /// A folder or file of the data folder cannot be used; words are English, for a log.
  case folder(String)
}
