public import Classroom
public import Ledger

/// One seat's part in one lesson, as the file drop tells it.
public struct UsageRow: Sendable {
  public var report: LessonReport
  public var lesson: Lesson
  public var seat: SeatReport
  /// Number or ministry's code of the institution that the seat's room is of; empty where it has none.
  public var institution: String
  public var subject: String
  public var mode: Course.Mode?
  public var space: Space?

  public init(
    report: LessonReport, lesson: Lesson, seat: SeatReport, institution: String, subject: String, mode: Course.Mode?,
    space: Space?
  ) {
    self.report = report
    self.lesson = lesson
    self.seat = seat
    self.institution = institution
    self.subject = subject
    self.mode = mode
    self.space = space
  }
}

/// A day's usage as a file for platforms that fetch one: the same rows as CSV and as JSON lines.
///
/// Schema `tongke.usage` version 1, `Configs/usage.schema.json`. The same ledger gives the same bytes. No person is
/// named: a teacher appears as the account of the own space.
public struct UsageFile: Sendable {
  public static let schema = "tongke.usage"
  public static let version = 1

  public var day: CivilDate
  public var settings: StatementSettings
  public var rows: [UsageRow]

  public init(day: CivilDate, settings: StatementSettings, rows: [UsageRow]) {
    self.day = day
    self.settings = settings
    self.rows = rows
  }

  /// Columns of the CSV, and members of each line of JSON.
  public static let columns = [
    "schema", "version", "appId", "platformCode", "relay", "day", "lesson", "registration", "subject", "mode", "state",
    "plannedStart", "plannedEnd", "plannedSeconds", "liveSeconds", "taught", "seat", "role", "institution",
    "spaceKind",
    "spaceHomePage", "spaceId", "joins", "reconnects", "attendanceSeconds", "attended", "thresholdsVersion",
  ]

  private func cells(_ row: UsageRow) -> [StatementJSON] {
    [
      .text(Self.schema), .number("\(Self.version)"), .text(settings.appID), .text(settings.platformCode),
      .text(settings.activityBase), .text("\(day)"), .text("\(row.report.lesson)"),
      .text("\(row.lesson.registration)"),
      .text(row.subject), .text(row.mode?.rawValue ?? ""), .text(row.report.state.rawValue),
      .text(StatementTime.text(row.report.plannedStart)), .text(StatementTime.text(row.report.plannedEnd)),
      .number("\(row.report.plannedSeconds)"), .number("\(row.report.liveSeconds)"), .truth(row.report.taught),
      .text("\(row.seat.seat)"), .text(row.seat.role.rawValue), .text(row.institution),
      .text(row.space?.kind.rawValue ?? ""), .text(row.space?.homePage ?? ""), .text(row.space?.name ?? ""),
      .number("\(row.seat.joins)"), .number("\(row.seat.reconnects)"), .number("\(row.seat.attendanceSeconds)"),
      .truth(row.seat.attended), .number("\(row.report.thresholdsVersion)"),
    ]
  }

  public var csv: String {
    var table = CSVWriter(header: Self.columns)
    for row in rows {
      table.add(
        cells(row).map { cell in
          switch cell {
          case .text(let text): .text(text)
          case .number(let digits): Int(digits).map(CSVCell.number) ?? CSVCell.text(digits)
          case .truth(let value): .text(value ? "true" : "false")
          case .list, .object: .blank
          }
        })
    }
    return table.text
  }

  /// One object a line, each ending in a line feed.
  public var jsonLines: [UInt8] {
    rows.flatMap { StatementJSON.object(Array(zip(Self.columns, cells($0)))).bytes + [0x0A] }
  }
}
