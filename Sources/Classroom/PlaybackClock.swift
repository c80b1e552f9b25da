/// Where a recording that is played stands, and when each moment of it is shown.
///
/// There are two lines: that of the recording, on which a person may pause and jump, and that of the clock by which
/// its receivers see it, which only goes on. Both are in microseconds; the caller's clock never runs backwards, and one
/// that does is held at its latest value. Constant memory.
public struct PlaybackClock: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case playing, paused
    /// At its end, whose last picture stays.
    case ended
  }

  /// Of the recording.
  public let length: Int64
  public private(set) var state = State.paused
  /// What was shown so far, at the pace of the clock; jumps add nothing.
  private var shown: Int64
  /// The recording's moment that is shown at `since`.
  private var base: Int64
  private var since: Int64
  private var latest = Int64.min
  /// The last stamp given on each track.
  private var stamps: [Int: Int64] = [:]

  /// A recording that waits at a position.
  /// - Parameters:
  ///   - length: 0 or more.
  ///   - played: what was shown of it before, when it is taken up again.
  public init(length: Int64, position: Int64 = 0, played: Int64 = 0) {
    self.length = min(max(0, length), Limits.latestTime * 1_000)
    base = min(max(0, position), self.length)
    since = 0
    shown = min(max(0, played), Limits.latestTime * 1_000)
  }

  private mutating func hold(_ now: Int64) -> Int64 {
    latest = max(latest, now)
    return latest
  }

  /// What is shown now, 0…`length`.
  public func position(now: Int64) -> Int64 {
    guard state == .playing else { return base }
    let gone = elapsed(now)
    return gone >= length - base ? length : base + gone
  }

  /// How much of it was shown, however often.
  public func played(now: Int64) -> Int64 {
    state == .playing ? shown + position(now: now) - base : shown
  }

  private func elapsed(_ now: Int64) -> Int64 {
    let (span, overflow) = now.subtractingReportingOverflow(since)
    return overflow ? 0 : max(0, span)
  }

  /// Goes on, at the end from the beginning.
  public mutating func play(now: Int64) {
    let now = hold(now)
    guard state != .playing else { return }
    if state == .ended { base = 0 }
    since = now
    state = .playing
  }

  /// Holds what is shown.
  public mutating func pause(now: Int64) {
    guard state == .playing else { return }
    settle(hold(now), as: .paused)
  }

  /// Holds the last picture.
  public mutating func end(now: Int64) {
    guard state != .ended else { return }
    settle(hold(now), as: .ended)
    base = length
  }

  private mutating func settle(_ now: Int64, as next: State) {
    shown = played(now: now)
    base = position(now: now)
    state = next
  }

  /// Jumps; whoever had come to the end waits there until told to play.
  public mutating func seek(to position: Int64, now: Int64) {
    let now = hold(now)
    let wasPlaying = state == .playing
    settle(now, as: .paused)
    base = min(max(0, position), length)
    since = now
    if wasPlaying { state = .playing }
  }

  /// When a moment of the recording is shown while it plays.
  public func due(_ position: Int64) -> Int64 {
    let (ahead, overflow) = position.subtractingReportingOverflow(base)
    let (at, overflows) = since.addingReportingOverflow(ahead)
    return overflow || overflows ? .max : at
  }

  /// What could not be shown in time is shown late, and what follows after it: no burst makes up for it.
  public mutating func lag(behind position: Int64, now: Int64) {
    let now = hold(now)
    guard state == .playing, now > due(position) else { return }
    shown += max(0, min(position, length) - base)
    base = min(max(0, position), length)
    since = now
  }

  /// The time on the receivers' line at which a unit of a track is sent: when it is due, and a millisecond behind the
  /// one before it at least.
  public mutating func stamp(_ position: Int64, track: Int) -> Int64 {
    let (earliest, overflow) = (stamps[track] ?? .min).addingReportingOverflow(1_000)
    guard !overflow else { return .max }
    let stamp = max(due(position), earliest)
    stamps[track] = stamp
    return stamp
  }
}
