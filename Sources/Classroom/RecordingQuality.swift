/// How whole a recording is: what was odd about it, and where. Times are milliseconds of the file's own.
public struct RecordingQuality: Hashable, Sendable, Codable {
  /// Entries of each list; `gapCount` and `jumpCount` go on counting.
  public static let listLimit = 50

  /// A stretch of the file.
  public struct Stretch: Hashable, Sendable, Codable {
    public var from: Int64
    public var to: Int64
    public init(from: Int64, to: Int64) {
      self.from = from
      self.to = to
    }
  }

  /// Packets that are missing.
  public struct Gap: Hashable, Sendable, Codable {
    public var stretch: Stretch
    public var packets: UInt64
    /// `notReceived`, `overflow`, `diskFull` or `diskError`.
    public var reason: String
    public init(stretch: Stretch, packets: UInt64, reason: String) {
      self.stretch = stretch
      self.packets = packets
      self.reason = reason
    }
  }

  /// The size of the picture from a moment on.
  public struct Size: Hashable, Sendable, Codable {
    public var at: Int64
    public var width: Int
    public var height: Int
    public init(at: Int64, width: Int, height: Int) {
      self.at = at
      self.width = width
      self.height = height
    }
  }

  public var gaps: [Gap] = []
  public var gapCount = 0
  /// Where the clock that times came from jumped and was drawn straight.
  public var clockJumps: [Int64] = []
  public var jumpCount = 0
  /// Where another session or another start of the relay went on with the feed.
  public var resets: [Int64] = []
  /// The first size, and each other one.
  public var sizes: [Size] = []
  /// The feed's codecs of pictures in the order they came; each began a file of its own.
  public var codecs: [String] = []
  /// 10 s and more without any sound.
  public var silences: [Stretch] = []
  /// `picture` and `sound`, where a track was announced and nothing of it came.
  public var emptyTracks: [String] = []
  /// Pictures that could not be put together.
  public var lostPictures = 0
  /// Pictures, and packets of sound, that a decoder had to make up for in part.
  public var concealedPictures = 0

  public init() {}

  /// Whether nothing at all was odd; silence is not, a teacher may be silent.
  public var isWhole: Bool {
    gapCount == 0 && jumpCount == 0 && resets.isEmpty && sizes.count <= 1 && codecs.count <= 1 && emptyTracks.isEmpty
      && lostPictures == 0 && concealedPictures == 0
  }
}
