public import RTCCore

/// A power-of-two histogram: bucket n counts values in 2^(n−1)…2^n − 1, bucket 0 counts zero.
public struct Histogram: Sendable {
  public var buckets: [UInt64] { counts.indices.map { counts[$0] } }
  /// Flat: an array would be shared with every snapshot, and copied when the next value comes.
  private var counts = InlineArray<24, UInt64>(repeating: 0)
  public private(set) var sum: UInt64 = 0
  public private(set) var count: UInt64 = 0
  public init() {}

  /// - Parameter weight: how many the value stands for.
  mutating func add(_ value: Int, weight: UInt64 = 1) {
    let value = UInt64(max(value, 0))
    counts[min(64 - value.leadingZeroBitCount, counts.count - 1)] &+= weight
    sum &+= value &* weight
    count &+= weight
  }
}

/// What a worker has counted since it started; a snapshot is published about ten times a second.
public struct WorkerCounters: Sendable {
  public var core = CoreCounters()
  public var turns: UInt64 = 0
  /// Microseconds of work in a turn, without the sleep.
  public var turnMicroseconds = Histogram()
  /// Datagrams in a train.
  public var trainLength = Histogram()
  public var receiveCalls: UInt64 = 0
  public var sendCalls: UInt64 = 0
  public var sendDrops: UInt64 = 0
  public var sendErrors: UInt64 = 0
  public var eventsDropped: UInt64 = 0
  public var receiveBufferBytes: Int = 0
  /// Time between the starts and ends of turns, by the wall and of the processor.
  public var busyMicroseconds: UInt64 = 0
  public var busyCPUMicroseconds: UInt64 = 0
  /// Processor time of the longest turn since the start.
  public var longestTurnMicroseconds: UInt64 = 0
  /// Processor time in the last half second, 0…1,000.
  public var utilisationPermille = 0
  /// How long the packets of a picture may wait for each other now.
  public var coalescingMicroseconds: Int64 = 0
  /// From the start of a turn in which something was to be sent until the last of it had left, over as many turns as
  /// that took; once for each datagram.
  public var backlogMicroseconds = Histogram()
  public var tcp = TCPCounters()
  public init() {}
}
