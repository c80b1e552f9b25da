/// The definitions that attendance figures are counted by, as versioned data: a figure is printed with its version,
/// and a version never changes once released.
public struct AttendanceThresholds: Hashable, Sendable, Codable {
  public var version: Int
  /// A seat attended with effective time ≥ numerator/denominator of the planned time.
  public var attendedNumerator: Int64
  public var attendedDenominator: Int64
  /// A lesson was taught when it was live ≥ numerator/denominator of the planned time.
  public var taughtNumerator: Int64
  public var taughtDenominator: Int64
  /// A shorter gap in a seat's connection is a reconnect, this or longer a leave. Milliseconds.
  public var leaveGapMilliseconds: Int64
  /// An acknowledgement of media vouches for at most this long before it. Milliseconds.
  public var acknowledgementMilliseconds: Int64
  /// Lessons taught before a course counts as a 门次.
  public var minimumLessons: Int

  public init(
    version: Int, attendedNumerator: Int64, attendedDenominator: Int64, taughtNumerator: Int64,
    taughtDenominator: Int64, leaveGapMilliseconds: Int64, acknowledgementMilliseconds: Int64, minimumLessons: Int
  ) {
    precondition(attendedDenominator > 0 && taughtDenominator > 0, "a share needs a denominator")
    precondition(leaveGapMilliseconds >= 0 && acknowledgementMilliseconds >= 0, "durations are not negative")
    self.version = version
    self.attendedNumerator = attendedNumerator
    self.attendedDenominator = attendedDenominator
    self.taughtNumerator = taughtNumerator
    self.taughtDenominator = taughtDenominator
    self.leaveGapMilliseconds = leaveGapMilliseconds
    self.acknowledgementMilliseconds = acknowledgementMilliseconds
    self.minimumLessons = minimumLessons
  }

  /// All versions ever released, oldest first.
  public static let all = [
    AttendanceThresholds(
      version: 1, attendedNumerator: 2, attendedDenominator: 3, taughtNumerator: 2, taughtDenominator: 3,
      leaveGapMilliseconds: 60_000, acknowledgementMilliseconds: 10_000, minimumLessons: 12)
  ]

  /// What new lessons are counted by.
  public static var current: AttendanceThresholds { all[all.count - 1] }

  /// The definitions of a version; nil for one this program does not know.
  public static func version(_ number: Int) -> AttendanceThresholds? {
    all.first { $0.version == number }
  }

  /// Whether a seat attended; exact in integers, false for a lesson planned to last no time.
  public func isAttended(effectiveMilliseconds: Int64, plannedMilliseconds: Int64) -> Bool {
    Self.reaches(effectiveMilliseconds, attendedNumerator, attendedDenominator, of: plannedMilliseconds)
  }

  /// Whether a lesson was live long enough to count as taught.
  public func isTaught(liveMilliseconds: Int64, plannedMilliseconds: Int64) -> Bool {
    Self.reaches(liveMilliseconds, taughtNumerator, taughtDenominator, of: plannedMilliseconds)
  }

  private static func reaches(_ part: Int64, _ numerator: Int64, _ denominator: Int64, of whole: Int64) -> Bool {
    guard whole > 0 else { return false }
    let reached = part.multipliedFullWidth(by: denominator)
    let needed = whole.multipliedFullWidth(by: numerator)
    return (reached.high, reached.low) >= (needed.high, needed.low)
  }
}
