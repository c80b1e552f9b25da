public import Foundation

extension ControlClient {
  private static func query(_ query: ReportQuery) -> [(name: String, value: String?)] {
    [
      ("from", query.from), ("to", query.to), ("scope", query.scope), ("years", query.years),
      ("minimumLessons", query.minimumLessons.map(String.init)),
    ]
  }

  public func report(_ query: ReportQuery) async throws(ControlError) -> ReportReply {
    try await get(["reports", query.kind], Self.query(query))
  }

  /// A page to be printed.
  public func reportPage(_ query: ReportQuery) async throws(ControlError) -> Data {
    try await file(["reports", query.kind], Self.query(query) + [("format", "html")])
  }

  public func keepSnapshot(_ query: ReportQuery) async throws(ControlError) -> SnapshotReply {
    try await post(["snapshots"], query)
  }
  public func snapshots() async throws(ControlError) -> [SnapshotReply] { try await get(["snapshots"]) }
  public func compare(snapshot: Int64) async throws(ControlError) -> SnapshotComparison {
    try await get(["snapshots", String(snapshot), "comparison"])
  }

  public func correct(lesson: String, _ request: CorrectionRequest) async throws(ControlError) -> LessonOutcomeReply {
    try await post(["lessons", lesson, "corrections"], request)
  }
  public func count(lesson: String, _ request: HeadCountRequest) async throws(ControlError) -> LessonOutcomeReply {
    try await post(["lessons", lesson, "headcounts"], request)
  }

  public func ledgerHeads() async throws(ControlError) -> HeadsReply { try await get(["ledger", "heads"]) }
  /// Facts of lessons as JSON, to be put together with those of other relays.
  public func ledgerFacts(from: String, to: String) async throws(ControlError) -> Data {
    try await file(["ledger", "facts"], [("from", from), ("to", to)])
  }
}
