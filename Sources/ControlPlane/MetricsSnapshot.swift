public import Classroom
public import Ledger
public import MediaWorker
public import RTCCore

/// What a recorder tells of itself.
public struct RecorderGauge: Sendable {
  /// The volume's number, as its thread is named.
  public var volume = 0
  public var bytesWritten: UInt64 = 0
  public var recordsWritten: UInt64 = 0
  public var syncs: UInt64 = 0
  /// Packets that were dropped before the disk and stand in the log as gaps.
  public var gapPackets: UInt64 = 0
  public var writeErrors: UInt64 = 0
  /// Age of the oldest packet that is not on the disk yet, milliseconds.
  public var lagMilliseconds: Int64 = 0
  /// Leases out of the packet memory.
  public var leases = 0
  public init() {}
}

/// One session as it is now. Its URL is a secret and is not here.
public struct SessionGauge: Sendable {
  public enum Direction: String, Sendable, CaseIterable { case publish, receive }
  public var lesson: Identifier
  public var seat: Identifier
  public var role: Seat.Role
  public var direction: Direction
  /// What it publishes, such as `camera`; empty for a receiver.
  public var feed: String
  public var statistics: PeerStatistics

  public init(
    lesson: Identifier, seat: Identifier, role: Seat.Role, direction: Direction, feed: String,
    statistics: PeerStatistics
  ) {
    self.lesson = lesson
    self.seat = seat
    self.role = role
    self.direction = direction
    self.feed = feed
    self.statistics = statistics
  }
}

/// How full something is, 1 = no more joins.
package struct FullnessGauge: Sendable, Equatable {
  /// Nil is the whole relay.
  package var worker: Int?
  package var resource: Shortage
  package var ratio: Double

  package init(worker: Int?, resource: Shortage, ratio: Double) {
    self.worker = worker
    self.resource = resource
    self.ratio = ratio
  }
}

/// Everything `/metrics` tells, taken at one moment.
public struct MetricsSnapshot: Sendable {
  public var version = TongkeVersion.current
  public var uptimeSeconds: Double = 0
  /// Index is the worker's number.
  public var workers: [WorkerCounters] = []
  public var recorders: [RecorderGauge] = []
  /// Lessons open now, by state.
  public var lessons: [LessonState: Int] = [:]
  public var sessions: [SessionGauge] = []
  /// HTTP responses since the start; index 0 counts 1xx, index 4 counts 5xx.
  public var responses: [UInt64] = Array(repeating: 0, count: 5)
  /// Events in the ledger's log.
  public var ledgerEvents: UInt64 = 0
  /// Finished lessons whose files are still to be made.
  public var resourcesWaiting = 0
  /// What is on its way to platforms; nil before there is an outbox.
  public var outbox: OutboxStatus?
  /// Seconds since the oldest statement that waits was made; 0 when none does.
  public var outboxOldestSeconds: Double = 0
  /// Work on recordings that is not done.
  public var recordingJobs: [RecordingJob] = []
  /// The volume of the recordings; nil where it is not known.
  public var disk: DiskOutlook?
  /// UTC seconds when the HTTPS certificate ends; nil without HTTPS.
  public var certificateExpires: Int64?
  /// What seals packets, and the libraries that are there.
  package var cipher: CipherLibrary?
  package var cipherLibraries: [CipherLibrary] = []
  package var fullness: [FullnessGauge] = []
  package var clock = LessonClockCounters()
  /// Refused joins since the start.
  package var refusals: [Shortage: UInt64] = [:]
  public init() {}
}
