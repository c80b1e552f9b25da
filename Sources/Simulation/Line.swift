public import RTCCore

/// How one direction of a line treats datagrams. Probabilities are 0…1.
public struct LineOptions: Sendable {
  public var loss = 0.0
  public var duplication = 0.0
  /// A packet that is overtaken waits this much longer.
  public var reordering = 0.0
  public var delay = Interval.milliseconds(10)
  public var jitter = Interval.zero
  /// Bits per second, 0 for no limit; what waits longer than 200 ms is dropped.
  public var rate: Int64 = 0
  public init() {}
}

/// One direction of a line: decides when, and how often, a datagram arrives.
struct Line {
  var options: LineOptions
  private var busyUntil = Instant(microseconds: 0)
  /// Queues keep the order: jitter alone does not let a packet overtake another.
  private var lastArrival = Instant(microseconds: 0)

  init(options: LineOptions) { self.options = options }

  /// Arrival times of one datagram sent at `now`: none, one or two.
  mutating func arrivals(byteCount: Int, now: Instant, random: inout SplitMix64) -> [Instant] {
    if Double.random(in: 0..<1, using: &random) < options.loss { return [] }
    var departure = now
    if options.rate > 0 {
      departure = max(now, busyUntil)
      if departure - now > .milliseconds(200) { return [] }
      departure = departure + .microseconds(Int64(byteCount) * 8_000_000 / options.rate)
      busyUntil = departure
    }
    var arrival = departure + options.delay
    if options.jitter > .zero {
      arrival = arrival + .microseconds(Int64.random(in: 0...options.jitter.microseconds, using: &random))
    }
    arrival = max(arrival, lastArrival)
    lastArrival = arrival
    if Double.random(in: 0..<1, using: &random) < options.reordering { arrival = arrival + .milliseconds(15) }
    var times = [arrival]
    if Double.random(in: 0..<1, using: &random) < options.duplication { times.append(arrival + .milliseconds(1)) }
    return times
  }
}
