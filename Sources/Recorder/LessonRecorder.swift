import CLinuxIO
import Glibc
public import PacketRing
import Synchronization

/// Records feeds of lessons into the segments of one volume's folder.
///
/// Two threads: one writes what the workers lend it and gives it back at once, one syncs. Nothing on a worker's side
/// ever waits: while the disk does, lanes fill, the worker drops at hand-off, and the log tells of a gap. A killed
/// process loses what is in the lanes (`pollMicroseconds`), a power cut `syncMicroseconds` more.
public final class LessonRecorder: Sendable {
  /// Events not yet taken at most; of more, the newest are dropped and counted.
  public static let eventLimit = 1_024

  public let folder: String
  /// What the control plane should know, in order. One consumer.
  public let events: AsyncStream<RecorderEvent>

  private let writer: VolumeWriter
  private let syncer: VolumeSyncer
  private let book: SegmentBook
  private let shared: SharedRecorderCounters
  private let outlet: EventOutlet
  private let lock: Int32
  private let registry = Registry()

  /// Which feeds are taken; apart from the recorder, so that the syncing thread never holds the recorder itself.
  private final class Registry: Sendable {
    struct State {
      var active: Set<RecordedFeed> = []
      /// Feeds whose end is being written.
      var finishing: [RecordedFeed: Int] = [:]
      var threads: [UInt64] = []
      var isStopped = false
    }
    let state = Mutex(State())

    func withLock<Result>(_ body: (inout State) -> sending Result) -> sending Result { state.withLock(body) }

    func finished(_ feed: RecordedFeed) {
      state.withLock { state in
        let left = (state.finishing[feed] ?? 1) - 1
        state.finishing[feed] = left > 0 ? left : nil
      }
    }
  }

  /// Makes the folder (mode 0700) when it is missing, and starts the threads. What earlier recorders left stays as it
  /// is.
  ///
  /// Throws `inUse` when another recorder writes there, `cannotOpen` or `cannotRead` for a folder that is none.
  public init(folder: String, configuration: RecorderConfiguration) throws(RecorderError) {
    if mkdir(folder, 0o700) != 0, errno != EEXIST { throw .cannotOpen(errno: errno) }
    let last = try VolumeDisk.segments(in: folder).last ?? 0
    let taken = tk_lock_file(folder + "/lock")
    guard taken >= 0 else { throw taken == -EWOULDBLOCK ? .inUse : .cannotOpen(errno: -taken) }
    lock = taken
    self.folder = folder
    shared = SharedRecorderCounters()
    let (stream, continuation) = AsyncStream.makeStream(
      of: RecorderEvent.self, bufferingPolicy: .bufferingOldest(Self.eventLimit))
    events = stream
    outlet = EventOutlet(continuation: continuation, counters: shared)
    let disk = VolumeDisk(folder: folder, faults: configuration.faults)
    shared.freeBytes.store(disk.freeBytes(), ordering: .relaxed)
    book = SegmentBook(folder: folder)
    syncer = VolumeSyncer(disk: disk, configuration: configuration, book: book, counters: shared, events: outlet)
    writer = VolumeWriter(
      disk: disk, configuration: configuration, lastSegment: last, book: book, syncer: syncer, counters: shared,
      events: outlet)
    let writing = startThread("record", writer) { $0.run() }
    let syncing = startThread("sync", syncer) { $0.run() }
    registry.withLock { $0.threads = [writing, syncing] }
  }

  deinit { stop() }

  /// Records what comes by a lane, from now until `finish`. False when the feed is being recorded already, its name is
  /// too long, 256 feeds are being recorded, or the recorder was stopped; the lanes are then gone.
  ///
  /// - Parameters:
  ///   - leases: its capacity is the feed's lease budget, two seconds of its bitrate.
  ///   - returns: holds at least twice as many, so that giving back never waits.
  public func start(
    _ feed: RecordedFeed, leases: consuming LaneConsumer<PacketRecord>, returns: consuming LaneProducer<SlotIndex>,
    arena: SlotArena
  ) -> Bool {
    guard feed.name.utf8.count <= RecordedFeed.nameByteLimit else { return false }
    let intake = FeedIntake(feed: feed, arena: arena, leases: leases, returns: returns)
    return registry.withLock { registry in
      guard !registry.isStopped, registry.active.count < LogWriterCore.feedLimit,
        registry.active.insert(feed).inserted
      else { return false }
      writer.send(.start(intake))
      return true
    }
  }

  /// Says what a track of a feed is. May come after its first packets; says nothing about feeds that are not recorded.
  public func declareTrack(
    _ feed: RecordedFeed, track: UInt32, isVideo: Bool, encoding: LoggedEncoding, clockRate: UInt32
  ) {
    writer.send(
      .declare(feed, LoggedTrack(number: track, isVideo: isVideo, encoding: encoding, clockRate: clockRate)))
  }

  /// Writes what the feed's lane holds and its end, and tells when all of it is on the disk, or that it is not.
  ///
  /// The sink is removed from the worker before; leases that still come are given back for five seconds. The
  /// completion runs on the syncing thread and must be quick. It is told once, also after `stop`.
  public func finish(_ feed: RecordedFeed, completion: @escaping @Sendable (FeedSummary) -> Void) {
    let isSent = registry.withLock { registry in
      guard !registry.isStopped, registry.active.remove(feed) != nil else { return false }
      registry.finishing[feed, default: 0] += 1
      writer.send(
        .finish(feed) { [taken = self.registry] summary in
          taken.finished(feed)
          completion(summary)
        })
      return true
    }
    if !isSent { completion(FeedSummary(feed: feed)) }
  }

  /// Whether the feed is being recorded here and now, until its completion is told.
  public func isRecording(_ feed: RecordedFeed) -> Bool {
    registry.withLock { $0.active.contains(feed) || $0.finishing[feed] != nil }
  }

  /// Lets the found runs of a feed go: they are not found again, and a segment without any other run is deleted.
  ///
  /// Durable when it returns. Blocks for the disk, and reads older segments at its first call; not for the media's
  /// threads.
  public func release(_ found: FoundFeed) throws(RecorderError) {
    try book.release(Set(found.runs.map { RunKey(feed: found.feed, start: $0.start) }))
    if let segment = book.releasedCurrent() { writer.send(.closeSegment(segment)) }
  }

  public func counters() -> RecorderCounters { shared.read(now: tk_monotonic_microseconds()) }

  /// Ends the threads when all that came so far is written and synced. Feeds not finished stay interrupted.
  public func stop() {
    let threads = registry.withLock { registry in
      registry.isStopped = true
      defer { registry.threads = [] }
      return registry.threads
    }
    guard threads.count == 2 else { return }
    writer.stop()
    tk_thread_join(threads[0])
    syncer.stop()
    tk_thread_join(threads[1])
    registry.withLock { $0.active = [] }
    outlet.continuation.finish()
    tk_close(lock)
  }
}

extension LessonLog {
  /// Lets the found runs of a feed go in a folder in which no recorder writes. Throws `inUse` when one does.
  public static func release(_ found: FoundFeed, folder: String) throws(RecorderError) {
    let lock = tk_lock_file(folder + "/lock")
    guard lock >= 0 else { throw lock == -EWOULDBLOCK ? .inUse : .cannotOpen(errno: -lock) }
    defer { tk_close(lock) }
    try SegmentBook(folder: folder).release(Set(found.runs.map { RunKey(feed: found.feed, start: $0.start) }))
  }
}

/// What a thread of its own does; a class, so that a C context can carry it.
private final class ThreadBody {
  let run: () -> Void
  init(_ run: @escaping () -> Void) { self.run = run }
}

/// Runs a body on a thread of its own; the object lives until it returns.
private func startThread<Object: AnyObject>(_ name: String, _ object: Object, _ body: @escaping (Object) -> Void)
  -> UInt64
{
  let context = Unmanaged.passRetained(ThreadBody { body(object) }).toOpaque()
  var handle: UInt64 = 0
  let error = tk_thread_start(
    name, -1, { Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().run() }, context, &handle)
  precondition(error == 0, "the system starts no more threads")
  return handle
}
