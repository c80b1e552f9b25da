import Dispatch
import Foundation
import PacketRing
import Synchronization

/// Something that takes leases out of a sink's lane; used by the reader's thread alone.
protocol SinkTaker: AnyObject, Sendable {
  /// Takes what is there and gives the leases back. Answers how many there were.
  func take(arena: SlotArena) -> Int
  /// The last call: nothing comes any more.
  func finish()
}

/// Reads the sinks of one transport on one thread.
///
/// A lane has no wake-up of its own, so the thread looks every 2 ms while there is anyone to look for.
final class SinkReader: Sendable {
  private enum Change: Sendable {
    case add(any SinkTaker)
    case remove(any SinkTaker, CheckedContinuation<Void, Never>)
  }

  private let arena: SlotArena
  private let changes = Mutex<[Change]>([])
  private let wake = DispatchSemaphore(value: 0)
  private let isStopping = Atomic<Bool>(false)
  private let ended = DispatchSemaphore(value: 0)

  init(arena: SlotArena) {
    self.arena = arena
    let thread = Thread { [self] in run() }
    thread.name = "sinks"
    thread.stackSize = 4 << 20
    thread.start()
  }

  func add(_ taker: any SinkTaker) {
    changes.withLock { $0.append(.add(taker)) }
    wake.signal()
  }

  /// Returns when the taker has finished.
  func remove(_ taker: any SinkTaker) async {
    await withCheckedContinuation { continuation in
      changes.withLock { $0.append(.remove(taker, continuation)) }
      wake.signal()
    }
  }

  /// To be called when all takers are removed.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    wake.signal()
  }

  private func run() {
    var takers: [any SinkTaker] = []
    while !isStopping.load(ordering: .acquiring) || !takers.isEmpty || changes.withLock({ !$0.isEmpty }) {
      for change in changes.withLock({ changes in
        defer { changes.removeAll() }
        return changes
      }) {
        switch change {
        case .add(let taker): takers.append(taker)
        case .remove(let taker, let continuation):
          if takers.contains(where: { $0 === taker }) { _ = taker.take(arena: arena) }
          takers.removeAll { $0 === taker }
          taker.finish()
          continuation.resume()
        }
      }
      var taken = 0
      for taker in takers { taken += taker.take(arena: arena) }
      if taken == 0 {
        _ =
          takers.isEmpty
          ? wake.wait(timeout: .now() + .milliseconds(500)) : wake.wait(timeout: .now() + .milliseconds(2))
      }
    }
  }
}
