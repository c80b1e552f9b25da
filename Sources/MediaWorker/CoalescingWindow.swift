public import RTCCore

/// How long the packets of a picture may wait for each other, so that they leave as one train.
public enum Coalescing: Sendable, Equatable {
  /// By the worker's utilisation: nothing while it has time, up to the bound when it has not.
  case adaptive
  case fixed(Interval)
}

/// The coalescing window as a function of a worker's utilisation.
///
/// 0 below 20 %, the bound from 60 % on, a straight line between. It grows at once and shrinks only when the
/// utilisation has fallen by 5 points more than that line asks, so that the savings it brings do not close it again.
package struct CoalescingWindow: Sendable {
  private static let low = 200
  private static let high = 600
  private static let hysteresis = 50

  private let mode: Coalescing
  private let bound: Interval
  package private(set) var interval: Interval

  package init(_ mode: Coalescing, bound: Interval) {
    self.mode = mode
    self.bound = bound
    if case .fixed(let interval) = mode { self.interval = interval } else { interval = .microseconds(0) }
  }

  /// - Parameter permille: the utilisation, 0…1,000.
  package mutating func update(utilisation permille: Int) {
    guard mode == .adaptive else { return }
    interval = max(window(permille), min(interval, window(permille + Self.hysteresis)))
  }

  private func window(_ permille: Int) -> Interval {
    let share = min(max(permille - Self.low, 0), Self.high - Self.low)
    return .microseconds(bound.microseconds * Int64(share) / Int64(Self.high - Self.low))
  }
}

/// How long a worker rests between the starts of two turns, whatever comes meanwhile: a wake-up for each report of
/// each receiver costs more than all of them read together.
///
/// 6 µs for each permille of utilisation and from 96 on a sixteenth of a microsecond for its square, 1.5 ms at most:
/// nothing to speak of while there are few receivers.
package func turnSpacing(utilisation permille: Int) -> Interval {
  let share = Int64(permille)
  return .microseconds(min(max(share * 6, share * share / 16), 1_500))
}

/// The share of time a thread has been busy, smoothed over about half a second.
struct UtilisationMeter {
  private(set) var permille = 0
  private var lastWall: Int64?
  private var lastBusy: Int64 = 0

  /// - Parameters: microseconds of the monotonic clock, and of the thread's processor time.
  mutating func sample(wall: Int64, busy: Int64) {
    defer {
      lastWall = wall
      lastBusy = busy
    }
    guard let lastWall, wall > lastWall else { return }
    let now = Int(min(max((busy - lastBusy) * 1_000 / (wall - lastWall), 0), 1_000))
    // A step towards the present of a quarter, rounded so that it gets there.
    permille += (now - permille + (now > permille ? 3 : 0)) / 4
  }
}
