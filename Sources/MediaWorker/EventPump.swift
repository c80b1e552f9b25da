import CLinuxIO
import PacketRing
import RTCCore
import Synchronization

/// Carries events from the worker's lane into an `AsyncStream`, on a thread of its own: yielding takes a lock, and the
/// worker takes none.
final class EventPump: @unchecked Sendable {
  let wake: Int32
  private var events: LaneConsumer<CoreEvent>
  private let continuation: AsyncStream<[CoreEvent]>.Continuation
  /// Events of one batch.
  private static let batchLimit = 256
  private let stopping = StopFlag()
  /// Events that nobody read in time.
  let dropped = Atomic<UInt64>(0)

  init(events: consuming LaneConsumer<CoreEvent>, continuation: AsyncStream<[CoreEvent]>.Continuation) {
    wake = tk_eventfd()
    self.events = events
    self.continuation = continuation
  }

  deinit { tk_close(wake) }

  func run() {
    while !stopping.isSet {
      yieldAll()
      tk_eventfd_wait(wake, 1_000_000_000)
    }
    yieldAll()
    continuation.finish()
  }

  private func yieldAll() {
    while let first = events.pop() {
      var batch = [first]
      while batch.count < Self.batchLimit, let event = events.pop() { batch.append(event) }
      if case .dropped = continuation.yield(batch) { dropped.add(UInt64(batch.count), ordering: .relaxed) }
    }
  }

  func stop() {
    stopping.set()
    tk_eventfd_signal(wake)
  }
}
