public import PacketRing

/// A 16-byte identifier as two big-endian words, bytes 0…7 in `high`: a lesson's UUID.
public struct LogIdentity: Hashable, Sendable {
  public var high: UInt64
  public var low: UInt64
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// What one lesson log is of: a feed of a lesson.
public struct RecordedFeed: Hashable, Sendable {
  /// Bytes of UTF-8 a name has at most; a longer one is refused by `LessonRecorder.start`.
  public static let nameByteLimit = 64

  public var lesson: LogIdentity
  /// Such as `camera` or `screen`.
  public var name: String
  /// Tells several feeds of one name apart; the caller's numbering.
  public var number: UInt32

  public init(lesson: LogIdentity, name: String, number: UInt32) {
    self.lesson = lesson
    self.name = name
    self.number = number
  }
}

/// How a track is encoded, as the log stores it; these numbers never change.
public enum LoggedEncoding: UInt8, Sendable {
  /// Kept packet by packet, but nothing is made of it.
  case other = 0
  case h264 = 1
  case vp8 = 2
  case opus = 3
}

/// What is known of one publishing session's audio or video.
public struct LoggedTrack: Hashable, Sendable {
  /// Low 16 bits of the session's number, as `PacketRecord.stream` carries them.
  public var number: UInt32
  public var isVideo: Bool
  public var encoding: LoggedEncoding
  /// Hertz.
  public var clockRate: UInt32

  public init(number: UInt32, isVideo: Bool, encoding: LoggedEncoding, clockRate: UInt32) {
    self.number = number & 0xFFFF
    self.isVideo = isVideo
    self.encoding = encoding
    self.clockRate = clockRate
  }
}

/// When a feed's recording began, by both clocks at once; also names that run of the recorder over the feed.
///
/// Lesson times are of the machine's monotonic clock, which starts anew with each boot: runs of one boot share a
/// line, runs of different boots are placed by the wall clock.
public struct RunStart: Hashable, Sendable {
  /// Microseconds of the monotonic clock.
  public var monotonic: Int64
  /// UTC microseconds since 1970.
  public var wall: Int64
  /// The boot the monotonic clock belongs to.
  public var boot: LogIdentity

  public init(monotonic: Int64, wall: Int64, boot: LogIdentity) {
    self.monotonic = monotonic
    self.wall = wall
    self.boot = boot
  }
}

/// Why packets of a feed are not in its log; these numbers never change.
public enum GapReason: UInt8, Sendable, CaseIterable {
  /// They never reached the relay, and were not repaired within two seconds.
  case notReceived = 0
  /// The recorder was behind by its lease budget: they were dropped at hand-off.
  case overflow = 1
  /// The disk had no room.
  case diskFull = 2
  /// The disk failed to write.
  case diskError = 3
}

/// A stretch of a feed without its packets.
public struct LoggedGap: Hashable, Sendable {
  /// The track, or 0 for all of the feed.
  public var track: UInt32
  public var reason: GapReason
  /// Packets missing.
  public var count: UInt64
  /// Lesson time in microseconds of the last packet before and of the first after.
  public var from: Int64
  public var to: Int64

  public init(track: UInt32, reason: GapReason, count: UInt64, from: Int64, to: Int64) {
    self.track = track
    self.reason = reason
    self.count = count
    self.from = from
    self.to = to
  }
}

/// One packet as it comes back out of a log.
public struct LoggedPacket {
  /// Which of `FoundFeed.runs` it belongs to; track numbers repeat from run to run.
  public var run: Int
  public var track: UInt32
  /// Continuous within (run, track); packets may come out of order, as they were received.
  public var extendedSequence: Int64
  /// Microseconds of the run's monotonic clock.
  public var lessonTime: Int64
  public var timestamp: UInt32
  public var payloadType: UInt8
  public var flags: PacketFlags
  /// −dBov (RFC 6464).
  public var audioLevel: UInt8
  /// RTP payload without header and padding; valid only for the length of the call that shows it.
  public var payload: UnsafeRawBufferPointer
}

/// A record of a lesson log, in the order it was written.
public enum LogRecord {
  case start(run: Int, RunStart)
  case track(run: Int, LoggedTrack)
  case packet(LoggedPacket)
  case gap(run: Int, LoggedGap)
  /// The run was finished in order.
  case end(run: Int)
}

/// What became of a feed when it was finished.
public struct FeedSummary: Sendable {
  public var feed: RecordedFeed
  /// Packets written.
  public var packets: UInt64 = 0
  public var payloadBytes: UInt64 = 0
  /// Gap records written.
  public var gaps: UInt64 = 0
  /// Packets that came and could not be written.
  public var unrecordedPackets: UInt64 = 0
  /// Lesson time in microseconds of the earliest and the latest packet; nil without any.
  public var firstTime: Int64?
  public var lastTime: Int64?
  /// The end record is on the disk; false when the disk failed, or the feed was not being recorded.
  public var isDurable = false

  public init(feed: RecordedFeed) { self.feed = feed }
}
