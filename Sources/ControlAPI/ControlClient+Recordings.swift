import Foundation

/// What is marked in recordings, who may be seen in them, and how long they stay.
extension ControlClient {
  /// Marks this moment of a lesson that is being taught.
  public func mark(lesson: String, label: String?) async throws(ControlError) {
    guard let body = try? JSONEncoder().encode(MarkerRequest(label: label)) else {
      throw .badAnswer(reason: "not encodable")
    }
    var request = ControlRequest(.post, ["lessons", lesson, "markers"])
    request.body = body
    _ = try await transport.send(request)
  }

  /// Whether a class consents to being recorded.
  public func consent(schoolClass number: String) async throws(ControlError) -> ConsentReply {
    try await get(["classes", number, "consent"])
  }

  public func giveConsent(schoolClass number: String, reference: String) async throws(ControlError) -> ConsentReply {
    try await post(["classes", number, "consent"], ConsentRequest(reference: reference))
  }

  /// Withdraws every file that shows the class.
  public func withdrawConsent(schoolClass number: String) async throws(ControlError) -> ConsentReply {
    try Self.value(try await transport.send(ControlRequest(.delete, ["classes", number, "consent"])))
  }

  /// Whether a course's sites are recorded.
  public func recording(course: String, term: String) async throws(ControlError) -> CourseRecordingReply {
    try await get(["terms", term, "courses", course, "recording"])
  }

  public func setRecording(
    course: String, term: String, sites: Bool
  ) async throws(ControlError) -> CourseRecordingReply {
    try await send(
      .patch, ["terms", term, "courses", course, "recording"], CourseRecordingRequest(sites: sites), match: nil)
  }

  /// Recordings that nobody keeps.
  public func expiry() async throws(ControlError) -> ExpiryList { try await get(["resources", "expiry"]) }

  /// Tells owners, and lets go what is due, now.
  public func expire() async throws(ControlError) -> ExpiryReply {
    try await post(["resources", "expiry"])
  }
}
