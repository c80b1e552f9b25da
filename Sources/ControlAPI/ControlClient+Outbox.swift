extension ControlClient {
  public func outbox() async throws(ControlError) -> OutboxReply { try await get(["reports", "outbox"]) }

  /// Whose statements are held, those with most of them first.
  public func unmapped() async throws(ControlError) -> [UnmappedReply] {
    try await get(["reports", "outbox", "unmapped"])
  }

  /// The latest first.
  public func parked(atMost limit: Int) async throws(ControlError) -> Page<ParkedReply> {
    var all = Page<ParkedReply>(rows: [])
    repeat {
      let page: Page<ParkedReply> = try await get(
        ["reports", "outbox", "parked"], [("limit", "\(min(1_000, limit - all.rows.count))"), ("cursor", all.next)])
      all.rows += page.rows.prefix(limit - all.rows.count)
      all.next = page.next
      // A server that goes on with empty pages is not followed.
      if page.rows.isEmpty { break }
    } while all.next != nil && all.rows.count < limit
    return all
  }

  public func pauseOutbox() async throws(ControlError) -> OutboxReply {
    try await post(["reports", "outbox", "pause"])
  }

  public func resumeOutbox() async throws(ControlError) -> OutboxReply {
    try await post(["reports", "outbox", "resume"])
  }

  /// - Parameter id: of one statement that is parked; nil is all.
  public func retryOutbox(_ id: String?) async throws(ControlError) -> OutboxRetryReply {
    try await post(["reports", "outbox", "retry"], OutboxRetryRequest(id: id))
  }
}
