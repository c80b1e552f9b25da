import Dispatch
import Foundation
import Synchronization

/// SIGTERM and SIGINT: the first asks for an orderly stop, the second ends the process at once.
final class StopSignals: Sendable {
  private let stream: AsyncStream<Void>
  private let sources: Mutex<[any DispatchSourceSignal]>

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.stream = stream
    let count = Counter()
    let sources = [SIGTERM, SIGINT].map { number in
      // The default action would end the process before the source hears of it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if count.next() > 1 { _exit(128 + number) }
        continuation.yield()
      }
      source.resume()
      return source
    }
    self.sources = Mutex(sources)
  }

  /// Waits for the first signal; returns at once when it has come.
  func first() async {
    for await _ in stream { return }
  }

  private final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
      count.withLock {
        $0 += 1
        return $0
      }
    }
  }
}
