import Media
import Recorder

/// Keeps one kind of unit on a feed's line through jumps of the clock that its times come from.
///
/// What is half a second early, or four hours late, follows the last unit at once, and what comes after it keeps that
/// distance. A clock that jumps back, or takes pictures and sound along one after the other, is recognised.
struct TimeLine {
  /// What a file's writer would drop as out of order.
  private static let earliest: Int64 = -500_000
  private static let latest: Int64 = 4 * 3_600 * 1_000_000
  private static let step: Int64 = 20_000

  /// Added to times.
  private(set) var shift: Int64 = 0
  private var last: Int64?

  /// The place of a unit, and whether the clock had to be drawn straight for it.
  /// - Parameter other: the line of the other kind.
  mutating func place(_ at: Int64, beside other: TimeLine) -> (at: Int64, isJump: Bool) {
    guard let reference = last ?? other.last else {
      last = at
      return (at, false)
    }
    for known in [shift, other.shift, 0] {
      let distance = (at &+ known) &- reference
      guard distance >= Self.earliest, distance <= Self.latest else { continue }
      let isJump = known != shift && last != nil
      shift = known
      last = max(at &+ known, last ?? .min)
      return (at &+ known, isJump && known != other.shift)
    }
    let place = max(reference, other.last ?? reference) &+ Self.step
    shift = place &- at
    last = place
    return (place, true)
  }
}

/// What was odd about a feed's log, on its line of lesson time in microseconds; each list is bounded.
struct FlowNotes {
  private static let limit = 1_000

  struct Gap {
    var from: Int64
    var to: Int64
    var packets: UInt64
    var reason: GapReason
  }

  private(set) var gaps: [Gap] = []
  private(set) var jumps: [Int64] = []
  private(set) var resets: [Int64] = []
  private(set) var codecs: [MediaEncoding] = []
  private(set) var hasPicture = false
  private(set) var hasSound = false

  mutating func addGap(_ gap: LoggedGap, offset: Int64) {
    guard gaps.count < Self.limit else { return }
    gaps.append(
      Gap(from: gap.from &+ offset, to: gap.to &+ offset, packets: gap.count, reason: gap.reason))
  }

  mutating func addJump(at: Int64) { if jumps.count < Self.limit { jumps.append(at) } }

  /// Pictures and sound of one session begin at nearly the same time, and are told once.
  mutating func addReset(at: Int64) {
    if let last = resets.last, abs(last.distance(to: at)) < 2_000_000 { return }
    if resets.count < Self.limit { resets.append(at) }
  }

  mutating func addUnit(_ encoding: MediaEncoding) {
    if encoding == .opus {
      hasSound = true
    } else {
      hasPicture = true
      if codecs.last != encoding, codecs.count < 16 { codecs.append(encoding) }
    }
  }
}
