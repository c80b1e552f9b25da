import RTCWire

/// Loss and jitter of a received stream for receiver reports (RFC 3550 §6.4.1, A.3, A.8).
struct ReceptionStatistics {
  private(set) var received: Int64 = 0
  private var base: Int64 = 0
  private(set) var highest: Int64 = .min
  private var expectedBefore: Int64 = 0
  private var receivedBefore: Int64 = 0
  private var jitterScaled: Int64 = 0
  private var transit: Int64 = 0

  /// Packets expected so far and never received, repaired ones not counted as lost.
  var lost: Int64 { highest == .min ? 0 : max(0, highest - base + 1 - received) }
  /// In timestamp units.
  var jitter: UInt32 { UInt32(truncatingIfNeeded: jitterScaled >> 4) }

  mutating func receive(_ sequence: Int64, timestamp: UInt32, arrival: Instant, clockRate: Int64) {
    if highest == .min {
      base = sequence
      highest = sequence
    }
    received += 1
    if sequence < base { base = sequence }
    guard sequence >= highest else { return }
    highest = sequence
    let arrivalUnits = arrival.microseconds / 1_000 * clockRate / 1_000
    let newTransit = Int64(Int32(truncatingIfNeeded: arrivalUnits &- Int64(timestamp)))
    if transit != 0 {
      let difference = min(abs(newTransit - transit), clockRate * 10)
      jitterScaled += difference - ((jitterScaled + 8) >> 4)
    }
    transit = newTransit
  }

  /// A packet that came by retransmission.
  mutating func repair() { received += 1 }

  /// A block for the next report; the fraction lost is since the last call.
  mutating func block(ssrc: UInt32, lastReport: UInt32, delay: UInt32) -> ReportBlock {
    let expected = highest == .min ? 0 : highest - base + 1
    let newExpected = expected - expectedBefore
    let newReceived = received - receivedBefore
    expectedBefore = expected
    receivedBefore = received
    let newLost = newExpected - newReceived
    let fraction = newExpected <= 0 || newLost <= 0 ? 0 : UInt8(min(255, newLost * 256 / newExpected))
    return ReportBlock(
      ssrc: ssrc, fractionLost: fraction, cumulativeLost: Int32(clamping: min(lost, 0x7F_FFFF)),
      highestSequence: UInt32(truncatingIfNeeded: highest == .min ? 0 : highest - 65_536), jitter: jitter,
      lastSR: lastReport, delaySinceLastSR: delay)
  }
}

/// Bits per second over the last second or so, by buckets of 100 ms.
struct RateMeter {
  private var buckets: (Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64) =
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  private var sum: Int64 = 0
  private var last: Int64 = 0

  mutating func add(_ byteCount: Int, now: Instant) {
    roll(to: now)
    sum += Int64(byteCount)
    withUnsafeMutableBytes(of: &buckets) { $0.assumingMemoryBound(to: Int64.self)[Int(last % 10)] += Int64(byteCount) }
  }

  mutating func bitsPerSecond(now: Instant) -> Int64 {
    roll(to: now)
    return sum * 8
  }

  private mutating func roll(to now: Instant) {
    let bucket = max(now.microseconds / 100_000, 0)
    guard bucket > last else { return }
    withUnsafeMutableBytes(of: &buckets) { raw in
      let values = raw.assumingMemoryBound(to: Int64.self)
      for passed in max(last + 1, bucket - 9)...bucket {
        sum -= values[Int(passed % 10)]
        values[Int(passed % 10)] = 0
      }
    }
    last = bucket
  }
}

/// Sequence numbers a stream misses, and when each was last asked for.
///
/// At most 256 packets and one second are waited for; a request is repeated after 1.5 round trips, ten times at most.
struct MissingPackets {
  struct Item {
    var sequence: Int64
    var since: Instant
    var lastAsked: Instant?
    var requests: UInt8
  }

  private static let limit = 256
  private static let age = Interval.seconds(1)
  private static let requestLimit: UInt8 = 10
  /// Packets overtaken on the way are not lost: wait this long before the first request.
  private static let reorderGrace = Interval.milliseconds(4)
  private(set) var items: [Item] = []

  var isEmpty: Bool { items.isEmpty }

  /// Notes the gap between the highest sequence so far and a newer one.
  mutating func noteGap(from first: Int64, through last: Int64, now: Instant) {
    guard last >= first else { return }
    let start = max(first, last - Int64(Self.limit) + 1)
    let overflow = items.count + Int(last - start + 1) - Self.limit
    if overflow > 0 { items.removeFirst(min(overflow, items.count)) }
    for sequence in start...last {
      items.append(Item(sequence: sequence, since: now, lastAsked: nil, requests: 0))
    }
  }

  mutating func received(_ sequence: Int64) {
    guard !items.isEmpty else { return }
    items.removeAll { $0.sequence == sequence }
  }

  mutating func forget() { items.removeAll(keepingCapacity: true) }

  /// Numbers one request asks for at most: 120 far apart are 492 bytes of RTCP.
  private static let askLimit = 120

  /// Appends what is to be asked for now, ascending.
  mutating func due(now: Instant, roundTrip: Interval, into sequences: inout [UInt16]) {
    items.removeAll { now - $0.since > Self.age || $0.requests >= Self.requestLimit }
    let pause = max(Interval.milliseconds(20), Interval(microseconds: roundTrip.microseconds * 3 / 2))
    for index in items.indices where sequences.count < Self.askLimit {
      let isDue = items[index].lastAsked.map { now - $0 >= pause } ?? (now - items[index].since >= Self.reorderGrace)
      guard isDue else { continue }
      items[index].lastAsked = now
      items[index].requests += 1
      sequences.append(UInt16(truncatingIfNeeded: items[index].sequence))
    }
  }
}
