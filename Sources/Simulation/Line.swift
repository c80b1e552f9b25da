public import RTCCore

/// How one direction of a line treats datagrams. Probabilities are 0…1.
public struct LineOptions: Sendable {
  /// Each datagram by itself.
  public var loss = 0.0
  /// Gilbert–Elliott: the chance for a datagram to begin a bad spell, in which three of four are lost, and to end one.
  public var burstBegin = 0.0
  public var burstEnd = 0.25
  public var duplication = 0.0
  /// A packet that is overtaken waits 15 ms longer.
  public var reordering = 0.0
  public var delay = Interval.milliseconds(10)
  public var jitter = Interval.zero
  /// Bits per second, 0 for no limit; what would wait longer than `queue` is dropped.
  public var rate: Int64 = 0
  public var queue = Interval.milliseconds(200)
  public init() {}
}

/// One direction of a line: decides when, and how often, a datagram arrives.
struct Line {
  var options: LineOptions
  private var busyUntil = Instant(microseconds: 0)
  /// Queues keep the order: jitter alone does not let a packet overtake another.
  private var lastArrival = Instant(microseconds: 0)
  private var isBad = false

  private static let lossInBadSpell = 0.75

  init(options: LineOptions) { self.options = options }

  /// Arrival times of one datagram sent at `now`: none, one or two.
  mutating func arrivals(byteCount: Int, now: Instant, random: inout SplitMix64) -> [Instant] {
    func chance() -> Double { Double.random(in: 0..<1, using: &random) }
    if options.burstBegin > 0 {
      if chance() < (isBad ? options.burstEnd : options.burstBegin) { isBad.toggle() }
      if isBad, chance() < Self.lossInBadSpell { return [] }
    }
    if chance() < options.loss { return [] }
    var departure = now
    if options.rate > 0 {
      departure = max(now, busyUntil)
      if departure - now > options.queue { return [] }
      departure = departure + .microseconds(Int64(byteCount) * 8_000_000 / options.rate)
      busyUntil = departure
    }
    var arrival = departure + options.delay
    if options.jitter > .zero {
      arrival = arrival + .microseconds(Int64.random(in: 0...options.jitter.microseconds, using: &random))
    }
    arrival = max(arrival, lastArrival)
    lastArrival = arrival
    if chance() < options.reordering { arrival = arrival + .milliseconds(15) }
    var times = [arrival]
    if chance() < options.duplication { times.append(arrival + .milliseconds(1)) }
    return times
  }
}
