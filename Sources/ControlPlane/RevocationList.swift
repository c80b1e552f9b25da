import Classroom
import Ledger

/// What is revoked, in memory: bounded by the ledger's `revocationLimit`.
struct RevocationList: Sendable {
  /// Number of the last revocation taken over.
  private(set) var latest: Int64 = 0
  /// Tokens and sessions, with the UTC millisecond after which they have run out.
  private var tokens: [Identifier: Int64] = [:]
  /// Subjects: tokens made until `at` are worth nothing.
  private var subjects: [Identifier: (at: Int64, expires: Int64)] = [:]

  /// Takes over revocations, and lets go what has run out. Cost: O(all) when there are new ones, else nothing.
  mutating func apply(_ news: [Revocation], now: Int64) {
    guard !news.isEmpty else { return }
    tokens = tokens.filter { $0.value >= now }
    subjects = subjects.filter { $0.value.expires >= now }
    for entry in news {
      latest = max(latest, entry.id)
      switch entry.kind {
      case .token: tokens[entry.value] = entry.expires
      case .subject:
        let former = subjects[entry.value]
        subjects[entry.value] = (max(entry.at, former?.at ?? 0), max(entry.expires, former?.expires ?? 0))
      }
    }
  }

  /// O(1).
  func holds(_ claims: AccessClaims) -> Bool {
    if tokens[claims.id] != nil || tokens[claims.session] != nil { return true }
    guard let at = subjects[claims.subject]?.at else { return false }
    // The identifier has the milliseconds that `iat` has not.
    return (claims.id.milliseconds ?? 0) <= at
  }
}
