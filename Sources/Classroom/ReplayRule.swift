/// Who may be shown the recording of a lesson.
///
/// What was published is there for every lesson that its visibility covers; what was not, for the rooms that had a seat
/// in the recorded lesson, for 14 days.
public enum ReplayRule {
  public enum Refusal: String, Error, Hashable, Sendable, CaseIterable {
    /// Some room had no seat in the recorded lesson.
    case notItsSeats
    case tooOld
  }

  /// Milliseconds after the end of the recorded lesson.
  public static let ownSeatsSpan: Int64 = 14 * 86_400_000

  /// - Parameters:
  ///   - rooms: to which it would be shown.
  ///   - seated: of the recorded lesson.
  ///   - endedAt: UTC milliseconds.
  ///   - isPublished: wide enough for the rooms.
  ///   - now: when it would be shown, UTC milliseconds.
  public static func check(
    rooms: Set<Identifier>, seated: Set<Identifier>, endedAt: Int64, isPublished: Bool, now: Int64
  ) throws(Refusal) {
    guard !isPublished else { return }
    guard rooms.isSubset(of: seated) else { throw .notItsSeats }
    let (age, overflow) = now.subtractingReportingOverflow(endedAt)
    guard !overflow, age <= ownSeatsSpan else { throw .tooOld }
  }
}
