import Synchronization

/// What a recorder is started with.
public struct RecorderConfiguration: Sendable {
  /// A segment is followed by the next one at this size, in bytes.
  public var segmentBytes: Int64 = 256 << 20
  /// Space set aside at a time, in bytes; a sixteenth of what is free when that is less, and none below 1 MiB.
  public var preallocationBytes: Int64 = 16 << 20
  /// How long a packet may wait in its lane, in microseconds: the writer looks this often.
  public var pollMicroseconds: Int64 = 20_000
  public var syncMicroseconds: Int64 = 1_000_000
  /// Pause before writing is tried again after it failed, in microseconds.
  public var retryMicroseconds: Int64 = 1_000_000
  /// Free bytes under which the operator is told.
  public var lowSpaceBytes: Int64 = 2 << 30
  /// Makes the disk fail on purpose, for tests.
  package var faults: DiskFaults?

  public init() {}
}

/// Why a recorder or a log cannot be opened. `errno` values are the system's.
public enum RecorderError: Error, Hashable, Sendable {
  /// Another recorder writes in the folder.
  case inUse
  case cannotOpen(errno: Int32)
  case cannotRead(errno: Int32)
  case cannotWrite(errno: Int32)
}

/// What a recorder tells the control plane.
public enum RecorderEvent: Sendable {
  /// Packets of a feed are not being recorded from now on. `at`: lesson time in microseconds.
  case gapBegan(RecordedFeed, GapReason, at: Int64)
  /// They are again, or the gap was noticed when it was over.
  case gapEnded(RecordedFeed, LoggedGap)
  case diskFull(freeBytes: Int64)
  case diskFailed(errno: Int32)
  /// Writing works again after `diskFull` or `diskFailed`.
  case diskRecovered
  /// Free space fell under `RecorderConfiguration.lowSpaceBytes`; told again after it was above.
  case lowSpace(freeBytes: Int64)
}

/// What a recorder has counted since it was started.
public struct RecorderCounters: Sendable {
  /// Upper bounds in milliseconds of the buckets of `syncHistogram`; the last bucket has none.
  public static let syncBounds: [Int64] = [1, 3, 10, 30, 100, 300, 1_000]

  public var bytes: UInt64 = 0
  public var records: UInt64 = 0
  public var packets: UInt64 = 0
  public var gaps: UInt64 = 0
  /// Packets given back unwritten, because the disk failed.
  public var unrecordedPackets: UInt64 = 0
  /// Packets that came after their feed was finished.
  public var latePackets: UInt64 = 0
  /// Packets longer than the log takes.
  public var oversizedPackets: UInt64 = 0
  public var writeErrors: UInt64 = 0
  public var syncErrors: UInt64 = 0
  /// Age of the oldest unwritten lease, at most.
  public var lagMicroseconds: Int64 = 0
  public var syncHistogram: [UInt64] = Array(repeating: 0, count: syncBounds.count + 1)
  public var syncMaximumMicroseconds: Int64 = 0
  public var freeBytes: Int64 = 0
  public var activeFeeds = 0
  public var eventsDropped: UInt64 = 0
  public init() {}
}

/// The counters as the recorder's threads write them.
final class SharedRecorderCounters: Sendable {
  let bytes = Atomic<UInt64>(0)
  let records = Atomic<UInt64>(0)
  let packets = Atomic<UInt64>(0)
  let gaps = Atomic<UInt64>(0)
  let unrecorded = Atomic<UInt64>(0)
  let late = Atomic<UInt64>(0)
  let oversized = Atomic<UInt64>(0)
  let writeErrors = Atomic<UInt64>(0)
  let syncErrors = Atomic<UInt64>(0)
  let syncMaximum = Atomic<Int64>(0)
  let freeBytes = Atomic<Int64>(0)
  let activeFeeds = Atomic<Int>(0)
  let eventsDropped = Atomic<UInt64>(0)
  /// When the lanes were last found and left empty, in monotonic microseconds; 0 while no feed is recorded.
  let drainedAt = Atomic<Int64>(0)
  private let syncs = Mutex([UInt64](repeating: 0, count: RecorderCounters.syncBounds.count + 1))

  func noteSync(microseconds: Int64) {
    let bucket =
      RecorderCounters.syncBounds.firstIndex { microseconds < $0 * 1_000 } ?? RecorderCounters.syncBounds.count
    syncs.withLock { $0[bucket] += 1 }
    if microseconds > syncMaximum.load(ordering: .relaxed) { syncMaximum.store(microseconds, ordering: .relaxed) }
  }

  func read(now: Int64) -> RecorderCounters {
    var counters = RecorderCounters()
    counters.bytes = bytes.load(ordering: .relaxed)
    counters.records = records.load(ordering: .relaxed)
    counters.packets = packets.load(ordering: .relaxed)
    counters.gaps = gaps.load(ordering: .relaxed)
    counters.unrecordedPackets = unrecorded.load(ordering: .relaxed)
    counters.latePackets = late.load(ordering: .relaxed)
    counters.oversizedPackets = oversized.load(ordering: .relaxed)
    counters.writeErrors = writeErrors.load(ordering: .relaxed)
    counters.syncErrors = syncErrors.load(ordering: .relaxed)
    counters.syncMaximumMicroseconds = syncMaximum.load(ordering: .relaxed)
    counters.freeBytes = freeBytes.load(ordering: .relaxed)
    counters.activeFeeds = activeFeeds.load(ordering: .relaxed)
    counters.eventsDropped = eventsDropped.load(ordering: .relaxed)
    let drained = drainedAt.load(ordering: .relaxed)
    counters.lagMicroseconds = drained == 0 ? 0 : max(0, now - drained)
    counters.syncHistogram = syncs.withLock { $0 }
    return counters
  }
}
