import Classroom
import Foundation
import Ledger
import Reporting

/// Writes the files that platforms fetch: `usage/2026-11-28.csv` and `.jsonl` of the data folder, one pair a day.
///
/// A file is written beside and renamed, and left alone when it is the same already. A day is written again whenever a
/// lesson of it ends or is corrected.
struct UsageDrop {
  let folder: String
  let store: LedgerStore
  let settings: StatementSettings

  /// Events after which a day's file is another.
  static let kinds: Set<EventKind> = [
    .lessonEnded, .lessonNotHeld, .interrupted, .lessonCancelled, .lessonCorrected, .lessonMoved, .seatLeft,
  ]

  /// Brings some of the days up to date; whether there are more.
  func writeChangedDays(holder: OutboxHolder) throws -> Bool {
    let changed = try store.changedDays(of: Self.kinds)
    for day in changed.days { try write(day) }
    try store.noteDays(through: changed.through, holder: holder)
    return changed.isMore
  }

  func write(_ day: CivilDate) throws {
    let midnight = CivilText.midnight(day)
    let lessons = try store.lessons(startingIn: max(0, midnight)...max(0, midnight + 86_399_999), limit: 100_000)
    var rows: [UsageRow] = []
    for lesson in lessons where (lesson.state.isFinal || lesson.state == .interrupted) && !lesson.isAlwaysLive {
      let report = try store.report(lesson: lesson.id)
      let seats = Dictionary(try store.usageSeats(lesson: lesson.id).map { ($0.seat, $0) }) { first, _ in first }
      let course = try lesson.course.flatMap { try store.course($0) }
      for seat in report.seats where seat.role == .lead || seat.role == .receiver {
        rows.append(
          UsageRow(
            report: report, lesson: lesson, seat: seat, institution: seats[seat.seat]?.institution ?? "",
            subject: course?.subject ?? "", mode: course?.mode, space: seats[seat.seat]?.space))
      }
    }
    // A day whose lessons were all moved away keeps an empty file: whoever fetched it before has to know.
    let file = UsageFile(day: day, settings: settings, rows: rows)
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    try put(Data(file.csv.utf8), "\(day).csv")
    try put(Data(file.jsonLines), "\(day).jsonl")
  }

  private func put(_ data: Data, _ name: String) throws {
    let path = folder + "/" + name
    if FileManager.default.contents(atPath: path) == data { return }
    let unfinished = folder + "/.\(name).new"
    guard FileManager.default.createFile(atPath: unfinished, contents: data, attributes: [.posixPermissions: 0o640])
    else { throw CocoaError(.fileWriteUnknown) }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: unfinished))
    try handle.synchronize()
    try handle.close()
    guard rename(unfinished, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
