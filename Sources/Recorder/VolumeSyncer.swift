import CLinuxIO
import Glibc
import Synchronization

/// The thread that makes a volume's writes last: one `fdatasync` a second, and one before a feed counts as finished.
///
/// Owns the descriptors of segments from when they are begun, so that none is closed while it is synced.
final class VolumeSyncer: @unchecked Sendable {
  struct Finished: Sendable {
    var summary: FeedSummary
    var completion: @Sendable (FeedSummary) -> Void
  }

  private struct State {
    var current: Int32 = -1
    var isDirty = false
    /// Segments that take no more records: cut to their length, synced, closed.
    var closing: [(segment: UInt32, descriptor: Int32, length: Int64)] = []
    var folderIsDirty = false
    var finished: [Finished] = []
    var wantsPrune = false
    var isStopping = false
  }

  private let disk: VolumeDisk
  private let configuration: RecorderConfiguration
  private let book: SegmentBook
  private let counters: SharedRecorderCounters
  private let events: EventOutlet
  private let wake = tk_eventfd()
  private let state = Mutex(State())
  private var spaceIsLow = false

  init(
    disk: VolumeDisk, configuration: RecorderConfiguration, book: SegmentBook, counters: SharedRecorderCounters,
    events: EventOutlet
  ) {
    self.disk = disk
    self.configuration = configuration
    self.book = book
    self.counters = counters
    self.events = events
  }

  deinit { tk_close(wake) }

  // MARK: From the writer

  func begin(_ descriptor: Int32) {
    state.withLock {
      $0.current = descriptor
      $0.folderIsDirty = true
    }
  }

  func wrote() { state.withLock { $0.isDirty = true } }

  /// - Parameter prune: the segment was closed to be deleted.
  func close(_ segment: UInt32, _ descriptor: Int32, length: Int64, prune: Bool) {
    state.withLock {
      $0.closing.append((segment, descriptor, length))
      if $0.current == descriptor {
        $0.current = -1
        $0.isDirty = false
      }
      if prune { $0.wantsPrune = true }
    }
    if prune { tk_eventfd_signal(wake) }
  }

  /// Tells the completion once everything written before is on the disk.
  func finish(_ finished: Finished) {
    state.withLock { $0.finished.append(finished) }
    tk_eventfd_signal(wake)
  }

  func stop() {
    state.withLock { $0.isStopping = true }
    tk_eventfd_signal(wake)
  }

  // MARK: The thread

  func run() {
    while true {
      tk_eventfd_wait(wake, configuration.syncMicroseconds * 1_000)
      let isStopping = state.withLock { $0.isStopping }
      turn()
      if isStopping { return }
    }
  }

  private func turn() {
    // A finished feed's records may lie in a closing segment, so both are taken at once and synced before it is told.
    let work = state.withLock { state in
      defer {
        state.isDirty = false
        state.closing = []
        state.folderIsDirty = false
        state.finished = []
      }
      return state
    }
    var isDurable = true
    for (segment, descriptor, length) in work.closing {
      if ftruncate(descriptor, off_t(length)) != 0 { isDurable = false }
      isDurable = sync(descriptor) && isDurable
      Glibc.close(descriptor)
      book.closed(segment)
    }
    if work.isDirty { isDurable = sync(work.current) && isDurable }
    if work.folderIsDirty, tk_folder_sync(disk.folder) != 0 { isDurable = false }
    for finished in work.finished {
      var summary = finished.summary
      summary.isDurable = summary.isDurable && isDurable
      finished.completion(summary)
    }
    if work.wantsPrune, book.pruneIfFree() { state.withLock { $0.wantsPrune = false } }
    watchSpace()
  }

  private func sync(_ descriptor: Int32) -> Bool {
    let before = tk_monotonic_microseconds()
    let error = disk.sync(descriptor)
    counters.noteSync(microseconds: tk_monotonic_microseconds() - before)
    guard error != 0 else { return true }
    counters.syncErrors.add(1, ordering: .relaxed)
    events.tell(.diskFailed(errno: error))
    return false
  }

  private func watchSpace() {
    let free = disk.freeBytes()
    guard free >= 0 else { return }
    counters.freeBytes.store(free, ordering: .relaxed)
    // A tenth more before it counts as enough again, so that the edge is told once.
    if free < configuration.lowSpaceBytes, !spaceIsLow {
      spaceIsLow = true
      events.tell(.lowSpace(freeBytes: free))
    } else if free > configuration.lowSpaceBytes + configuration.lowSpaceBytes / 10 {
      spaceIsLow = false
    }
  }
}

/// Where the recorder's threads leave their events.
struct EventOutlet: Sendable {
  let continuation: AsyncStream<RecorderEvent>.Continuation
  let counters: SharedRecorderCounters

  func tell(_ event: RecorderEvent) {
    if case .dropped = continuation.yield(event) { counters.eventsDropped.add(1, ordering: .relaxed) }
  }
}
