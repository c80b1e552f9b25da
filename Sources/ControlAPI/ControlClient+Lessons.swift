/// Running lessons: who is there, how it goes, and the end of it.
extension ControlClient {
  /// A page of a lesson's seats, 1…512 of them.
  public func seats(
    lesson: String, limit: Int = 512, cursor: String? = nil
  ) async throws(ControlError) -> SeatList {
    try await get(["lessons", lesson, "seats"], [("limit", String(limit)), ("cursor", cursor)])
  }

  /// All seats of a lesson: a lead's and 512 receiving ones, which are two pages.
  public func allSeats(lesson: String) async throws(ControlError) -> SeatList {
    var list = try await seats(lesson: lesson)
    // A server that goes on with pages is not followed for ever.
    for _ in 0..<4 {
      guard let cursor = list.next else { break }
      let page = try await seats(lesson: lesson, cursor: cursor)
      list.seats += page.seats
      list.next = page.next
    }
    return list
  }

  /// Links and tokens of a lesson's seats: keys, to be kept for their schools.
  public func links(lesson: String) async throws(ControlError) -> SeatLinks {
    try await get(["lessons", lesson, "links"])
  }

  /// 一键关停 of one lesson.
  public func end(lesson: String) async throws(ControlError) {
    _ = try await transport.send(ControlRequest(.post, ["lessons", lesson, "end"]))
  }

  /// 一键关停 of every lesson within the scopes of the token.
  public func endAll() async throws(ControlError) -> StopAllReply {
    try Self.value(try await transport.send(ControlRequest(.post, ["lessons", "end-all"])))
  }

  /// What is told of a lesson as it happens, until the relay ends the stream or goes away; then it just ends.
  /// - Throws: what is thrown before the first event: `.refused`, `.unreachable`, `.untrusted`.
  public func news(lesson: String) async throws(ControlError) -> AsyncStream<ControlNews> {
    var request = ControlRequest(.get, ["lessons", lesson, "events"])
    request.accept = "text/event-stream"
    return try await transport.news(request)
  }
}
