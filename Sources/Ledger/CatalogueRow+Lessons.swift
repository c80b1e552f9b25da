internal import Classroom
internal import GRDB

extension Course: CatalogueRow {
  static let form = RowForm(
    .courses, limit: 100_000,
    [
      "id", "number", "cluster", "term", "subject", "grades", "textbook", "lead", "receivers", "mode", "label",
      "weeklyTimes", "audio", "recordsSites",
    ])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, number.databaseValue, cluster.databaseValue, term.databaseValue, subject.databaseValue,
      try ListText.encode(grades), textbook.databaseValue, try ListText.encode(lead), try ListText.encode(receivers),
      mode.rawValue.databaseValue, label.rawValue.databaseValue, try ListText.encode(weeklyTimes),
      audio.rawValue.databaseValue, recordsSites.databaseValue,
    ]
  }
  /// Teachers are not among them: the first ledgers had no persons.
  var references: [LedgerRow] {
    ([lead] + receivers).flatMap { party in
      [LedgerRow(.rooms, party.room)] + (party.schoolClass.map { [LedgerRow(.classes, $0)] } ?? [])
    } + weeklyTimes.flatMap(\.adoptedBy).map { LedgerRow(.rooms, $0) }
  }
  var keys: [RowKey] {
    number.isEmpty
      ? []
      : [
        RowKey(
          "number", number, "term = ? AND number = ? AND number <> ''", [term.databaseValue, number.databaseValue])
      ]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), number: try columns.text(), cluster: try columns.identifier(),
      term: try columns.text(), subject: try columns.text(), grades: try columns.list(), textbook: try columns.text(),
      lead: try columns.list(), receivers: try columns.list(), mode: try columns.choice(),
      label: try columns.choice(), weeklyTimes: try columns.list(), audio: try columns.choice(),
      recordsSites: try columns.truth())
  }
}

extension Lesson: CatalogueRow {
  static let form = RowForm(
    .lessons, limit: 5_000_000,
    [
      "id", "registration", "course", "cluster", "title", "plannedStart", "plannedEnd", "state", "isAlwaysLive",
      "thresholdsVersion", "originDate", "originPeriod", "teacher", "revision",
    ])
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, registration.databaseValue, course.databaseValue, cluster.databaseValue,
      title.databaseValue, plannedStart.databaseValue, plannedEnd.databaseValue, state.rawValue.databaseValue,
      isAlwaysLive.databaseValue, thresholdsVersion.databaseValue,
      origin?.date.description.databaseValue ?? .null, origin?.period.databaseValue ?? .null,
      teacher.databaseValue, revision.databaseValue,
    ]
  }
  var keys: [RowKey] {
    guard let course, let origin else { return [] }
    return [
      RowKey(
        "origin", "\(origin.date) \(origin.period)",
        "course = ? AND originDate = ? AND originPeriod = ? AND originDate IS NOT NULL",
        [course.databaseValue, origin.date.description.databaseValue, origin.period.databaseValue])
    ]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), registration: try columns.identifier(),
      course: try columns.optionalIdentifier(), cluster: try columns.identifier(), title: try columns.text(),
      plannedStart: try columns.integer(), plannedEnd: try columns.integer(), state: try columns.choice(),
      isAlwaysLive: try columns.truth(), thresholdsVersion: try columns.integer(), origin: try columns.origin(),
      teacher: try columns.optionalIdentifier(), revision: try columns.integer())
  }
}

extension ColumnReader {
  /// Two columns: a date and a period, or neither.
  mutating func origin() throws -> LessonOrigin? {
    let date = try optionalDate()
    let period: Int? = try optionalInteger()
    guard let date, let period else {
      guard date == nil, period == nil else { throw LedgerError.corruptRow }
      return nil
    }
    return LessonOrigin(date: date, period: period)
  }
}

extension Seat: CatalogueRow {
  static let form = RowForm(.seats, limit: 200_000_000, ["id", "lesson", "role", "room", "schoolClass", "person"])
  func check() throws(ClassroomError) {}
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, lesson.databaseValue, role.rawValue.databaseValue, room.databaseValue,
      schoolClass.databaseValue, person.databaseValue,
    ]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), lesson: try columns.identifier(), role: try columns.choice(),
      room: try columns.optionalIdentifier(), schoolClass: try columns.optionalIdentifier(),
      person: try columns.optionalIdentifier())
  }
}

extension ResourceFile: CatalogueRow {
  static let form = RowForm(
    .resourceFiles, limit: 20_000_000,
    [
      "id", "lesson", "kind", "path", "mediaType", "byteCount", "sha256", "durationMilliseconds", "state", "madeAt",
      "containsFaces", "schoolClass", "quality",
    ])
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, lesson.databaseValue, kind.rawValue.databaseValue, path.databaseValue,
      mediaType.databaseValue, byteCount.databaseValue, sha256.databaseValue, durationMilliseconds.databaseValue,
      state.rawValue.databaseValue, madeAt.databaseValue, containsFaces.databaseValue, schoolClass.databaseValue,
      try quality.map { try ListText.encode($0) } ?? "".databaseValue,
    ]
  }
  init(_ columns: inout ColumnReader) throws {
    self.init(
      id: try columns.identifier(), lesson: try columns.identifier(), kind: try columns.choice(),
      path: try columns.text(), mediaType: try columns.text(), byteCount: try columns.integer(),
      sha256: try columns.text(), durationMilliseconds: try columns.integer(), state: try columns.choice(),
      madeAt: try columns.integer(), containsFaces: try columns.truth(), schoolClass: try columns.optionalIdentifier(),
      quality: try columns.quality())
  }
}

extension ColumnReader {
  /// JSON; empty where nothing is known.
  mutating func quality() throws -> RecordingQuality? {
    let text = try text()
    return text.isEmpty ? nil : try ListText.decode(text)
  }
}
