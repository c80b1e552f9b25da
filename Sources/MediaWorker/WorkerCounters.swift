public import RTCCore

/// A power-of-two histogram: bucket n counts values in 2^(n−1)…2^n − 1, bucket 0 counts zero.
public struct Histogram: Sendable {
  public private(set) var buckets: [UInt64] = Array(repeating: 0, count: 24)
  public private(set) var sum: UInt64 = 0
  public private(set) var count: UInt64 = 0
  public init() {}

  mutating func add(_ value: Int) {
    let value = UInt64(max(value, 0))
    buckets[min(64 - value.leadingZeroBitCount, buckets.count - 1)] &+= 1
    sum &+= value
    count &+= 1
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
  public init() {}
}
