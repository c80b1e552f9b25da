/// What the county's figures are counted by, as versioned data: printed with each figure, and a version never changes
/// once released.
///
/// Beside `AttendanceThresholds`, which every lesson names by the version of its day; these hold for a report as a
/// whole.
public struct FigureDefinitions: Hashable, Sendable, Codable {
  public var version: Int
  /// Lessons attended in a year, or in the span asked for, from which an institution counts as covered.
  public var coveredLessons: Int
  /// Rural institutions newly covered in a year, in permille of all: what a county has to reach.
  public var yearlyShare: Int
  /// 联校群 with a taught lesson, and 门次, that a city has to reach.
  public var clusterGoal: Int
  public var offeringGoal: Int
  /// A lesson that ends later than this after its bell is told as over time. Milliseconds.
  public var overtimeMilliseconds: Int64
  /// Minutes up to which a line is good, and from which it is poor: packets lost in permille, round trip and jitter in
  /// milliseconds, frozen picture in milliseconds of the minute.
  public var good: LineLimits
  public var poor: LineLimits
  /// Poor minutes, in permille of a seat's, from which its lesson is told as of poor quality.
  public var poorShare: Int

  public struct LineLimits: Hashable, Sendable, Codable {
    public var loss: Int
    public var roundTrip: Int
    public var jitter: Int
    public var frozen: Int

    public init(loss: Int, roundTrip: Int, jitter: Int, frozen: Int) {
      self.loss = loss
      self.roundTrip = roundTrip
      self.jitter = jitter
      self.frozen = frozen
    }
  }

  /// All versions ever released, oldest first.
  public static let all = [
    FigureDefinitions(
      version: 1, coveredLessons: 1, yearlyShare: 250, clusterGoal: 300, offeringGoal: 800,
      overtimeMilliseconds: 300_000, good: LineLimits(loss: 10, roundTrip: 150, jitter: 30, frozen: 600),
      poor: LineLimits(loss: 50, roundTrip: 400, jitter: 100, frozen: 3_000), poorShare: 100)
  ]

  public static var current: FigureDefinitions { all[all.count - 1] }

  /// The definitions of a version; nil for one this program does not know.
  public static func version(_ number: Int) -> FigureDefinitions? { all.first { $0.version == number } }
}

/// How a line was, in words that a telecom engineer and a headteacher both understand.
public enum LineQuality: String, Hashable, Sendable, Codable, CaseIterable {
  case good
  /// Noticed, and the lesson goes on.
  case fair
  /// Words or pictures were missed.
  case poor
}

/// How a seat's line was over one minute, as receiver reports and the page tell it.
public struct SeatMinute: Hashable, Sendable, Codable {
  /// Start, UTC milliseconds.
  public var minute: Int64
  /// Packets lost after repair, permille of those sent, 0…1000.
  public var loss: Int
  /// Milliseconds; 0 where nothing was measured.
  public var roundTrip: Int
  public var jitter: Int
  /// Received, kbit/s.
  public var bitrate: Int
  /// Freezes of the picture and their length by the page's `freezeCount` and `totalFreezesDuration` (W3C
  /// webrtc-stats); 0 where no page told any.
  public var freezes: Int
  public var frozenMilliseconds: Int
  /// How long less than the best picture was sent, and the least of it: `layer` for a smaller one, `none` for none.
  public var degradedMilliseconds: Int
  public var degradedTo: String

  public init(
    minute: Int64, loss: Int = 0, roundTrip: Int = 0, jitter: Int = 0, bitrate: Int = 0, freezes: Int = 0,
    frozenMilliseconds: Int = 0, degradedMilliseconds: Int = 0, degradedTo: String = ""
  ) {
    self.minute = minute
    self.loss = loss
    self.roundTrip = roundTrip
    self.jitter = jitter
    self.bitrate = bitrate
    self.freezes = freezes
    self.frozenMilliseconds = frozenMilliseconds
    self.degradedMilliseconds = degradedMilliseconds
    self.degradedTo = degradedTo
  }

  /// Poor as soon as one figure is, good when all are.
  public func quality(_ definitions: FigureDefinitions) -> LineQuality {
    let poor = definitions.poor
    let good = definitions.good
    if loss >= poor.loss || roundTrip >= poor.roundTrip || jitter >= poor.jitter || frozenMilliseconds >= poor.frozen
      || degradedTo == "none"
    {
      return .poor
    }
    let isGood =
      loss <= good.loss && roundTrip <= good.roundTrip && jitter <= good.jitter && frozenMilliseconds <= good.frozen
      && degradedMilliseconds == 0
    return isGood ? .good : .fair
  }
}
