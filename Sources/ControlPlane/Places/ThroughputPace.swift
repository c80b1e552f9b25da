package import Classroom
import Synchronization

/// Bounds what measuring lines takes of the relay's own, so that no lesson suffers: transfers at one time, and bytes of
/// one caller.
package final class ThroughputPace: Sendable {
  /// Bytes of one transfer.
  package static let transferLimit = 16 << 20
  /// Transfers of all callers at one time.
  package static let placeLimit = 4
  /// Bytes of one caller in `window`: two whole measurements.
  package static let byteLimit = 160 << 20
  package static let window: Int64 = 600_000
  /// Callers that are remembered.
  static let callerLimit = 10_000

  /// Milliseconds after which a transfer that was not ended, as of a client that went away, holds nobody up.
  static let patience: Int64 = 120_000

  private struct State {
    /// Callers with a transfer under way, and when it is given up.
    var busy: [Identifier: Int64] = [:]
    var accounts: [Identifier: (since: Int64, bytes: Int)] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Lets a transfer of a caller begin; `leave` ends it.
  /// - Throws: `tooMuchMeasured`, with the seconds after which it is worth trying again.
  package func enter(_ caller: Identifier, bytes: Int, now: Int64) throws(Problem) {
    let wait = state.withLock { state -> Int? in
      state.busy = state.busy.filter { (0...Self.patience).contains($1 - now) }
      guard state.busy.count < Self.placeLimit, state.busy[caller] == nil else { return 5 }
      // Also when the clock was set back.
      func isOpen(_ since: Int64) -> Bool { (0..<Self.window).contains(now - since) }
      if state.accounts.count >= Self.callerLimit {
        state.accounts = state.accounts.filter { isOpen($1.since) }
        if state.accounts.count >= Self.callerLimit { return 60 }
      }
      var account = state.accounts[caller] ?? (now, 0)
      if !isOpen(account.since) { account = (now, 0) }
      guard account.bytes + bytes <= Self.byteLimit else {
        return Int((account.since + Self.window - now) / 1_000) + 1
      }
      account.bytes += bytes
      state.accounts[caller] = account
      state.busy[caller] = now + Self.patience
      return nil
    }
    if let wait { throw Problem(.tooMuchMeasured, arguments: ["seconds": "\(wait)"], retryAfter: wait) }
  }

  package func leave(_ caller: Identifier) { state.withLock { _ = $0.busy.removeValue(forKey: caller) } }
}
