/// So much at once and so much a second: what has been spent comes back with time. 16 bytes.
struct Allowance {
  /// Millionths below full.
  private var spent: Int64 = 0
  private var settled = Instant(microseconds: 0)

  /// Whether anything is left. The caller spends only what turned out to be worth it.
  mutating func isOpen(perSecond: Int64, depth: Int64, now: Instant) -> Bool {
    let elapsed = min(max((now - settled).microseconds, 0), 3_600_000_000)
    settled = now
    spent = max(0, spent - elapsed * perSecond)
    return spent < depth * 1_000_000
  }

  mutating func spend(_ count: Int) { spent += Int64(count) * 1_000_000 }
}

/// What one peer may ask of the relay, so that none asks at the others' expense. What is beyond is a counted drop.
///
/// Spent by what is authentic only: nobody spends for another. The figures are several times what browsers need: a
/// report of losses each 20 ms, feedback each 50 ms, a dozen address pairs checked at once.
struct PeerLimits {
  private var reports = Allowance()
  private var items = Allowance()
  private var checks = Allowance()
  private var handshake = Allowance()
  private var repairs = Allowance()

  /// RTCP datagrams: 500 a second.
  mutating func mayReport(now: Instant) -> Bool { reports.isOpen(perSecond: 500, depth: 500, now: now) }
  mutating func reported() { reports.spend(1) }

  /// Packets asked for or told of in reports: 8,192 a second; one NACK can name 6,000 and one feedback 65,535.
  mutating func mayName(_ count: Int, now: Instant) -> Bool {
    guard items.isOpen(perSecond: 8_192, depth: 8_192, now: now) else { return false }
    items.spend(count)
    return true
  }

  /// STUN messages: 50 a second, 150 at once.
  mutating func mayCheck(now: Instant) -> Bool { checks.isOpen(perSecond: 50, depth: 150, now: now) }
  mutating func checked() { checks.spend(1) }

  /// DTLS records, which all come from a path that has been checked: 50 a second, 100 at once.
  mutating func mayShakeHands(now: Instant) -> Bool {
    guard handshake.isOpen(perSecond: 50, depth: 100, now: now) else { return false }
    handshake.spend(1)
    return true
  }

  /// Retransmissions: half of what the peer is sent, and 64 KiB; an outage of a second may be made good at once.
  mutating func mayRepair(sentBitsPerSecond: Int64, now: Instant) -> Bool {
    let rate = max(sentBitsPerSecond, 500_000) / 16
    return repairs.isOpen(perSecond: rate, depth: rate + 65_536, now: now)
  }
  /// Counted as large as packets of pictures are: asking the history would cost more than it tells.
  mutating func repaired() { repairs.spend(1_200) }
}

/// How often one receiver's wish for a key frame counts: everyone is sent it.
///
/// The first wish counts at once. Whoever goes on wishing is heard only when the stream's last key frame is older than
/// 1, 2, 4 and then 5 s, so that any number of such receivers cause no more than one key frame in 5 s together.
struct PictureWishes {
  private static let waits: [Int64] = [1, 2, 4, 5]
  private static let memory = Interval.seconds(10)
  private var lastHeard: Instant?
  private var repeats: UInt8 = 0

  func isHeard(keyFrame: Instant?, now: Instant) -> Bool {
    guard let lastHeard, now - lastHeard < Self.memory else { return true }
    let wait = Interval.seconds(Self.waits[Int(repeats)])
    return now - lastHeard >= wait && (keyFrame.map { now - $0 >= wait } ?? true)
  }

  mutating func heard(now: Instant) {
    let goesOn = lastHeard.map { now - $0 < Self.memory } ?? false
    repeats = goesOn ? min(repeats + 1, UInt8(Self.waits.count - 1)) : 0
    lastHeard = now
  }
}
