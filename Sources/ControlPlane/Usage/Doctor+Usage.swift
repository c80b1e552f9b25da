import Foundation
package import Ledger

extension Doctor {
  /// Milliseconds that statements may wait before it is told.
  static let usagePatience: Int64 = 24 * 3_600_000

  /// Whether usage reaches platforms; nothing before there is an outbox.
  func usage() -> [Finding] {
    for platform in configuration.reporting.platforms {
      do { _ = try SignInWays.secret(platform.passwordFile) } catch {
        return [Finding(.outboxSecret, ["platform": platform.name, "file": platform.passwordFile])]
      }
    }
    guard let status = try? LedgerStore.inspectOutbox(path: configuration.data + "/ledger.sqlite") else { return [] }
    guard !configuration.reporting.platforms.isEmpty else { return [Finding(.outboxFiles)] }
    return [Self.usage(status, now: now)]
  }

  package static func usage(_ status: OutboxStatus, now: Int64) -> Finding {
    if let oldest = status.oldestWaiting, now &- oldest > usagePatience {
      return Finding(
        .outboxLate, ["waiting": "\(status.waiting)", "hours": "\((now &- oldest) / 3_600_000)"])
    }
    if status.held > 0 || status.parked > 0 {
      return Finding(.outboxHeld, ["held": "\(status.held)", "parked": "\(status.parked)"])
    }
    return Finding(.outboxGood, ["sent": "\(status.sent)", "waiting": "\(status.waiting)"])
  }
}
