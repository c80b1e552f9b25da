/// Notices which packets of a track never came, allowing two seconds for those that come late.
///
/// Memory: at most 64 ranges; when more are open, the oldest is given up on early.
struct SequenceTracker {
  static let patience: Int64 = 2_000_000
  private static let rangeLimit = 64

  private struct Missing {
    var first: Int64
    var last: Int64
    var from: Int64
    var to: Int64
    var reason: GapReason
    var noticed: Int64
  }

  private var highest: Int64 = .min
  private var lastTime: Int64 = 0
  private var missing: [Missing] = []
  /// What was given up on since it was last asked for, one gap a reason.
  private var overdue: [LoggedGap] = []

  /// Takes a packet's number and lesson time. `reason` is what explains a jump that it makes.
  mutating func note(_ sequence: Int64, time: Int64, reason: GapReason, now: Int64, track: UInt32) {
    guard highest != .min else {
      highest = sequence
      lastTime = time
      return
    }
    guard sequence > highest else { return fill(sequence) }
    if sequence > highest + 1 {
      if missing.count == Self.rangeLimit { giveUp(missing.removeFirst(), track: track) }
      missing.append(
        Missing(first: highest + 1, last: sequence - 1, from: lastTime, to: time, reason: reason, noticed: now))
    }
    highest = sequence
    lastTime = time
  }

  private mutating func fill(_ sequence: Int64) {
    guard let place = missing.firstIndex(where: { $0.first <= sequence && sequence <= $0.last }) else { return }
    let range = missing[place]
    if range.first == range.last {
      missing.remove(at: place)
    } else if sequence == range.first {
      missing[place].first += 1
    } else if sequence == range.last {
      missing[place].last -= 1
    } else {
      missing[place].last = sequence - 1
      guard missing.count < Self.rangeLimit else { return }
      var rest = range
      rest.first = sequence + 1
      missing.insert(rest, at: place + 1)
    }
  }

  private mutating func giveUp(_ range: Missing, track: UInt32) {
    let count = UInt64(range.last - range.first + 1)
    if let place = overdue.firstIndex(where: { $0.reason == range.reason }) {
      overdue[place].count += count
      overdue[place].from = min(overdue[place].from, range.from)
      overdue[place].to = max(overdue[place].to, range.to)
    } else {
      overdue.append(LoggedGap(track: track, reason: range.reason, count: count, from: range.from, to: range.to))
    }
  }

  /// The gaps that are final by now, and all that are open when `all` is set.
  mutating func takeGaps(now: Int64, all: Bool, track: UInt32) -> [LoggedGap] {
    while let first = missing.first, all || first.noticed + Self.patience <= now {
      giveUp(first, track: track)
      missing.removeFirst()
    }
    defer { overdue.removeAll(keepingCapacity: true) }
    return overdue
  }
}
