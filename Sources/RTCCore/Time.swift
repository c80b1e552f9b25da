public import RTCWire

/// A moment of the relay's monotonic clock, in microseconds. Lesson time uses the same scale.
public struct Instant: Hashable, Comparable, Sendable {
  public var microseconds: Int64
  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static let distantFuture = Instant(microseconds: .max)

  public static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
  public static func + (left: Instant, right: Interval) -> Instant {
    Instant(microseconds: left.microseconds + right.microseconds)
  }
  public static func - (left: Instant, right: Interval) -> Instant {
    Instant(microseconds: left.microseconds - right.microseconds)
  }
  public static func - (left: Instant, right: Instant) -> Interval {
    Interval(microseconds: left.microseconds - right.microseconds)
  }
}

extension Instant {
  /// This moment or the next multiple of `tick`: what peers do about once a second they do together, in one turn.
  func aligned(to tick: Interval) -> Instant {
    Instant(microseconds: (microseconds + tick.microseconds - 1) / tick.microseconds * tick.microseconds)
  }
}

/// A signed length of time in microseconds.
public struct Interval: Hashable, Comparable, Sendable {
  public var microseconds: Int64
  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static let zero = Interval(microseconds: 0)
  public static func microseconds(_ value: Int64) -> Interval { Interval(microseconds: value) }
  public static func milliseconds(_ value: Int64) -> Interval { Interval(microseconds: value * 1_000) }
  public static func seconds(_ value: Int64) -> Interval { Interval(microseconds: value * 1_000_000) }

  public static func < (left: Interval, right: Interval) -> Bool { left.microseconds < right.microseconds }
  public static func + (left: Interval, right: Interval) -> Interval {
    Interval(microseconds: left.microseconds + right.microseconds)
  }
  public static func - (left: Interval, right: Interval) -> Interval {
    Interval(microseconds: left.microseconds - right.microseconds)
  }
  public static func * (left: Interval, right: Int64) -> Interval {
    Interval(microseconds: left.microseconds * right)
  }
}

/// What a turn reads from the clocks, once: the monotonic clock and the wall clock at the same moment.
public struct Now: Sendable {
  public var monotonic: Instant
  public var ntp: NTPTime
  public init(monotonic: Instant, ntp: NTPTime) {
    self.monotonic = monotonic
    self.ntp = ntp
  }

  /// The wall-clock time of a monotonic moment, by this turn's pairing of the clocks.
  public func ntp(at moment: Instant) -> NTPTime {
    NTPTime(unixMicroseconds: ntp.unixMicroseconds + (moment - monotonic).microseconds)
  }
}
