extension ControlClient {
  /// Who may be seen and heard in a lesson.
  public func floor(lesson: String) async throws(ControlError) -> FloorReply {
    try await get(["lessons", lesson, "floor"])
  }

  /// Calls, mutes, bans and so on; answers with the floor after it.
  public func act(lesson: String, _ request: FloorRequest) async throws(ControlError) -> FloorReply {
    try await post(["lessons", lesson, "floor"], request)
  }
}
