/// How fast a line may be fed, from what its other end acknowledges. Sans-IO; one for each peer that is sent to.
///
/// Starts at max(3 Mbit/s, 1.5 × subscribed). Loss below 2 %: +8 % a second, and at least what is acknowledged, which
/// the line has just carried. Loss above 10 %: × (1 − 0.5·loss), and once limited never above 1.5 × the acknowledged
/// rate while the estimate is made use of; a receiver that is sent less than that says nothing of its line. A line
/// that loses nearly everything is down rather than thin: for two seconds that changes nothing. REMB caps it.
struct Estimator {
  static let startBitsPerSecond: Int64 = 3_000_000
  static let floorBitsPerSecond: Int64 = 100_000
  static let ceilingBitsPerSecond: Int64 = 1_000_000_000
  private static let idleBitsPerSecond: Int64 = 200_000
  private static let decreasePause = Interval.milliseconds(200)
  private static let outageLimit = Interval.seconds(2)
  /// A line that has lost little for so long counts as wide again.
  private static let limitMemory = Interval.seconds(30)

  private(set) var bitsPerSecond = startBitsPerSecond
  /// Loss has cut the estimate not long ago: until then it may not run ahead of what is acknowledged.
  private(set) var isLimited = false
  private var cap: (bitsPerSecond: Int64, at: Instant)?
  private var acknowledged = RateMeter()
  private var sent = RateMeter()
  private var lastIncrease: Instant?
  private var lastDecrease: Instant?
  private var outageSince: Instant?

  /// Raises the start for what is subscribed, before any feedback has said otherwise.
  mutating func subscribed(bitsPerSecond subscribed: Int64) {
    if !isLimited { bitsPerSecond = max(bitsPerSecond, min(subscribed * 3 / 2, Self.ceilingBitsPerSecond)) }
  }

  /// - Parameter bitsPerSecond: what the receiver says it can take (REMB); forgotten after 5 s without another.
  mutating func receivedCap(bitsPerSecond: Int64, now: Instant) {
    cap = (max(bitsPerSecond, Self.floorBitsPerSecond), now)
  }

  /// Bytes that have left, of sound and picture.
  mutating func sent(bytes: Int, now: Instant) { sent.add(bytes, now: now) }

  /// What has left in the last second or so.
  mutating func sentBitsPerSecond(now: Instant) -> Int64 { sent.bitsPerSecond(now: now) }

  /// Bytes that feedback says have arrived.
  mutating func acknowledged(bytes: Int, now: Instant) { acknowledged.add(bytes, now: now) }

  /// - Parameter loss: fraction lost of the packets this feedback covers, 0…1.
  /// - Parameter isExact: arrivals were acknowledged packet by packet, not by a report's fraction.
  mutating func receivedLoss(_ loss: Double, isExact: Bool = true, now: Instant) {
    let elapsed = min(lastIncrease.map { (now - $0).microseconds } ?? 0, 1_000_000)
    lastIncrease = now
    let leaving = sent.bitsPerSecond(now: now)
    let arrived = isExact ? acknowledged.bitsPerSecond(now: now) : Int64(Double(leaving) * (1 - min(max(loss, 0), 1)))
    if loss > 0.9, now - (outageSince ?? now) < Self.outageLimit {
      outageSince = outageSince ?? now
      return
    }
    if loss <= 0.9 { outageSince = nil }
    // Sound alone loses what the line loses anyway: that says nothing of how much more it would carry.
    let isIdle = leaving < Self.idleBitsPerSecond
    if loss > 0.10 {
      guard !isIdle else { return }
      guard lastDecrease.map({ now - $0 >= Self.decreasePause }) ?? true else { return }
      bitsPerSecond = Int64(Double(bitsPerSecond) * (1 - 0.5 * min(loss, 1)))
      lastDecrease = now
      isLimited = true
      limit(to: arrived)
      // What has arrived, has arrived: a line that loses at random is not thinner than that.
      bitsPerSecond = max(bitsPerSecond, arrived)
    } else if loss < 0.02 || isIdle {
      bitsPerSecond = max(bitsPerSecond + bitsPerSecond * 8 * elapsed / 100_000_000, arrived)
      if let lastDecrease, now - lastDecrease > Self.limitMemory { isLimited = false }
      if isLimited, leaving * 5 >= bitsPerSecond * 4 { limit(to: arrived) }
    }
    if let cap, now - cap.at < .seconds(5) { bitsPerSecond = min(bitsPerSecond, cap.bitsPerSecond) }
    bitsPerSecond = min(max(bitsPerSecond, Self.floorBitsPerSecond), Self.ceilingBitsPerSecond)
  }

  /// The line took less than was to be sent though nothing was lost, as a connection does: it carries what has left.
  mutating func lineFull(now: Instant) {
    isLimited = true
    lastDecrease = now
    lastIncrease = now
    bitsPerSecond = min(bitsPerSecond, max(sent.bitsPerSecond(now: now), Self.floorBitsPerSecond))
  }

  private mutating func limit(to arrived: Int64) {
    if arrived > 0 { bitsPerSecond = min(bitsPerSecond, max(arrived * 3 / 2, Self.floorBitsPerSecond)) }
  }
}

/// The budget of one receiver's video: 2.5 × the estimate, 1.5 × that of a line that has shown its limit.
///
/// A line that has shown its limit gets bursts of at most max(5 packets, 5 ms' worth). Any other gets max(16 packets,
/// 40 ms of the estimate) at once: a whole picture in one train, which lies before a bottleneck of that width no longer
/// than one picture lasts.
struct PacerBudget {
  static let tick = Interval.milliseconds(5)
  private static let packetByteCount: Int64 = 1_250
  private var available: Int64 = 0
  private var lastRefill: Instant?

  var isOpen: Bool { available > 0 }

  /// - Parameter minimumBitsPerSecond: four times the stream's rate while a burst brings a late joiner up.
  mutating func refill(estimate: Int64, isLimited: Bool, minimumBitsPerSecond: Int64, now: Instant) {
    let rate = max(isLimited ? estimate * 3 / 2 : estimate * 5 / 2, minimumBitsPerSecond)
    let cap =
      isLimited
      ? max(5 * Self.packetByteCount, rate / 8 * Self.tick.microseconds / 1_000_000)
      : max(16 * Self.packetByteCount, rate / 8 * Self.tick.microseconds / 1_000_000, estimate / 8 / 25)
    if let lastRefill {
      let elapsed = min((now - lastRefill).microseconds, 1_000_000)
      available = min(available + rate / 8 * elapsed / 1_000_000, cap)
    } else {
      available = cap
    }
    lastRefill = now
  }

  mutating func spend(_ byteCount: Int) { available -= Int64(byteCount) }
}

/// Loss over at least 200 ms and 20 packets, so that one lost packet of three does not halve an estimate; over 60 ms
/// while a picture that was paused is on trial, and over 10 packets when five of them are lost.
struct LossWindow {
  /// More than a line loses that merely loses at random.
  static let trialLimit = 0.25
  private var lost = 0
  private var received = 0
  private var since: Instant?

  mutating func add(lost: Int, received: Int) {
    self.lost += lost
    self.received += received
  }

  mutating func restart() { self = LossWindow() }

  /// The fraction lost, once the window is long enough; starts the next window.
  mutating func take(isTrial: Bool, now: Instant) -> Double? {
    guard let since else {
      self.since = now
      return nil
    }
    let isClear = isTrial && lost >= 5
    guard now - since >= .milliseconds(isTrial ? 60 : 200), lost + received >= (isClear ? 10 : 20) else { return nil }
    defer {
      lost = 0
      received = 0
      self.since = now
    }
    return Double(lost) / Double(lost + received)
  }
}
