extension ControlClient {
  /// The pages of the catalogue one after another, the newest first, up to so many rows.
  public func resources(
    _ query: ResourceListQuery, atMost limit: Int
  ) async throws(ControlError) -> Page<ResourceReply> {
    try await pages(
      ["resources"],
      [
        ("text", query.text), ("subject", query.subject), ("grade", query.grade.map(String.init)),
        ("school", query.school), ("teacher", query.teacher), ("term", query.term), ("state", query.state),
        ("nominated", query.nominated ? "1" : nil), ("pushedto", query.pushedTo),
      ], atMost: limit)
  }

  /// One resource by its identifier or its lesson's, with the tag that a change has to name.
  public func resource(_ id: String) async throws(ControlError) -> (row: ResourceReply, tag: String) {
    try await tagged(ControlRequest(.get, ["resources", id]))
  }

  /// Changes the fields that are named; it is a draft afterwards.
  /// - Parameter tag: of the resource as it was read; another one is refused with status 412.
  public func change(
    resource id: String, tag: String, _ change: ResourceChangeRequest
  ) async throws(ControlError) -> ResourceReply {
    var request = try Self.request(.patch, ["resources", id], change)
    request.match = tag
    return try await tagged(request).row
  }

  public func step(resource id: String, _ step: ResourceStepRequest) async throws(ControlError) -> ResourceReply {
    try await post(["resources", id, "steps"], step)
  }

  /// Gives a resource to a school, or answers for that school.
  public func push(resource id: String, _ push: ResourcePushRequest) async throws(ControlError) -> ResourceReply {
    try await post(["resources", id, "pushes"], push)
  }

  /// An address that plays a file to whoever has it; it is told here and never again.
  public func link(resource id: String, _ link: ResourceLinkRequest) async throws(ControlError) -> ResourceLinkReply {
    try await post(["resources", id, "links"], link)
  }
}
