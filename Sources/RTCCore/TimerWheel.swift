/// One deadline for each peer on a wheel of 4,096 slots of a millisecond.
///
/// A deadline further away than the wheel is long fires early and is armed again by its owner. Arming, cancelling and
/// expiring are O(1); the next deadline is found by a bitmap.
struct TimerWheel {
  private static let slots = 4_096
  private var heads: [Int32] = Array(repeating: -1, count: slots)
  private var bitmap: [UInt64] = Array(repeating: 0, count: slots / 64)
  private var next: [Int32]
  private var previous: [Int32]
  /// The millisecond a timer is armed for, -1 when it is not.
  private var armed: [Int64]
  private var current: Int64 = .min

  init(timerLimit: Int) {
    next = Array(repeating: -1, count: timerLimit)
    previous = Array(repeating: -1, count: timerLimit)
    armed = Array(repeating: -1, count: timerLimit)
  }

  /// Arms, or moves, the timer of `index`.
  mutating func arm(_ index: Int32, at deadline: Instant) {
    if current == .min { current = deadline.microseconds / 1_000 - 1 }
    let wanted = (deadline.microseconds == .max ? .max / 2 : deadline.microseconds) / 1_000 + 1
    let millisecond = min(max(wanted, current + 1), current + Int64(Self.slots) - 1)
    if armed[Int(index)] == millisecond { return }
    cancel(index)
    let slot = Int(millisecond & Int64(Self.slots - 1))
    armed[Int(index)] = millisecond
    next[Int(index)] = heads[slot]
    previous[Int(index)] = -1
    if heads[slot] >= 0 { previous[Int(heads[slot])] = index }
    heads[slot] = index
    bitmap[slot / 64] |= 1 << UInt64(slot % 64)
  }

  mutating func cancel(_ index: Int32) {
    let place = Int(index)
    guard armed[place] >= 0 else { return }
    let slot = Int(armed[place] & Int64(Self.slots - 1))
    if previous[place] >= 0 { next[Int(previous[place])] = next[place] } else { heads[slot] = next[place] }
    if next[place] >= 0 { previous[Int(next[place])] = previous[place] }
    if heads[slot] < 0 { bitmap[slot / 64] &= ~(1 << UInt64(slot % 64)) }
    armed[place] = -1
  }

  /// Moves the wheel to `now` and appends the timers that are due to `due`.
  mutating func expire(now: Instant, into due: inout [Int32]) {
    let millisecond = now.microseconds / 1_000
    if current == .min { current = millisecond - 1 }
    guard millisecond > current else { return }
    // After a pause longer than the wheel every slot is due once.
    let first = max(current + 1, millisecond - Int64(Self.slots) + 1)
    current = millisecond
    for tick in first...millisecond {
      let slot = Int(tick & Int64(Self.slots - 1))
      while heads[slot] >= 0 {
        let index = heads[slot]
        cancel(index)
        due.append(index)
      }
    }
  }

  /// Timers armed. O(timers): for checks.
  var count: Int { armed.count { $0 >= 0 } }

  /// The earliest armed deadline, `.distantFuture` when none is armed.
  var nextDeadline: Instant {
    guard current != .min else { return .distantFuture }
    let start = Int((current + 1) & Int64(Self.slots - 1))
    var checked = 0
    while checked < Self.slots {
      let slot = (start + checked) & (Self.slots - 1)
      let word = bitmap[slot / 64] >> UInt64(slot % 64)
      if word != 0 {
        let distance = checked + word.trailingZeroBitCount
        guard distance < Self.slots else { return .distantFuture }
        return Instant(microseconds: (current + 1 + Int64(distance)) * 1_000)
      }
      checked += 64 - slot % 64
    }
    return .distantFuture
  }
}
