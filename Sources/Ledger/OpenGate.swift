internal import Dispatch
internal import Synchronization

/// Lets calls through until it is shut; shutting waits for those inside.
///
/// A call on a closed database would hand SQLite a null handle, which ends the process.
final class OpenGate: Sendable {
  private let isOpen = Mutex(true)
  private let inside = DispatchGroup()

  /// Runs the body, or throws `LedgerError.closed`.
  func pass<T>(_ body: () throws -> T) throws -> T {
    let entered = isOpen.withLock { isOpen in
      if isOpen { inside.enter() }
      return isOpen
    }
    guard entered else { throw LedgerError.closed }
    defer { inside.leave() }
    return try body()
  }

  /// True for the one call that shuts it.
  func shut() -> Bool {
    let wasOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    inside.wait()
    return wasOpen
  }
}
