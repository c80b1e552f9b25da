internal import Classroom
internal import GRDB

extension Course: CatalogueRow {
  static let table = "courses"
  static let columns = [
    "id", "cluster", "term", "subject", "grades", "textbook", "lead", "receivers", "mode", "label", "weeklyTimes",
  ]
  static let limit = 100_000
  func check() throws(ClassroomError) { try validate() }
  func values() throws -> [DatabaseValue] {
    [
      id.databaseValue, cluster.databaseValue, term.databaseValue, subject.databaseValue,
      try RowReading.text(grades), textbook.databaseValue, try RowReading.text(lead),
      try RowReading.text(receivers), mode.rawValue.databaseValue, label.rawValue.databaseValue,
      try RowReading.text(weeklyTimes),
    ]
  }
  var references: [(table: String, id: Identifier)] {
    ([lead] + receivers).flatMap { party in
      [("rooms", party.room)] + (party.schoolClass.map { [("classes", $0)] } ?? [])
    }
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), cluster: try RowReading.identifier(row, "cluster"),
      term: try RowReading.value(row, "term"), subject: try RowReading.value(row, "subject"),
      grades: try RowReading.list(row, "grades"), textbook: try RowReading.value(row, "textbook"),
      lead: try RowReading.list(row, "lead"), receivers: try RowReading.list(row, "receivers"),
      mode: try RowReading.choice(row, "mode"), label: try RowReading.choice(row, "label"),
      weeklyTimes: try RowReading.list(row, "weeklyTimes"))
  }
}

extension Lesson: CatalogueRow {
  static let table = "lessons"
  static let columns = [
    "id", "registration", "course", "cluster", "title", "plannedStart", "plannedEnd", "state", "isAlwaysLive",
    "thresholdsVersion",
  ]
  static let limit = 5_000_000
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, registration.databaseValue, course.databaseValue, cluster.databaseValue,
      title.databaseValue, plannedStart.databaseValue, plannedEnd.databaseValue, state.rawValue.databaseValue,
      isAlwaysLive.databaseValue, thresholdsVersion.databaseValue,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), registration: try RowReading.identifier(row, "registration"),
      course: try RowReading.optionalIdentifier(row, "course"),
      cluster: try RowReading.identifier(row, "cluster"), title: try RowReading.value(row, "title"),
      plannedStart: try RowReading.value(row, "plannedStart"), plannedEnd: try RowReading.value(row, "plannedEnd"),
      state: try RowReading.choice(row, "state"), isAlwaysLive: try RowReading.value(row, "isAlwaysLive"),
      thresholdsVersion: try RowReading.value(row, "thresholdsVersion"))
  }
}

extension Seat: CatalogueRow {
  static let table = "seats"
  static let columns = ["id", "lesson", "role", "room", "schoolClass", "person"]
  static let limit = 200_000_000
  func check() throws(ClassroomError) {}
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, lesson.databaseValue, role.rawValue.databaseValue, room.databaseValue,
      schoolClass.databaseValue, person.databaseValue,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), lesson: try RowReading.identifier(row, "lesson"),
      role: try RowReading.choice(row, "role"), room: try RowReading.optionalIdentifier(row, "room"),
      schoolClass: try RowReading.optionalIdentifier(row, "schoolClass"),
      person: try RowReading.optionalIdentifier(row, "person"))
  }
}

extension LessonResource: CatalogueRow {
  static let table = "resources"
  static let columns = [
    "id", "lesson", "kind", "path", "mediaType", "byteCount", "sha256", "durationMilliseconds", "state", "madeAt",
  ]
  static let limit = 20_000_000
  func check() throws(ClassroomError) { try validate() }
  func values() -> [DatabaseValue] {
    [
      id.databaseValue, lesson.databaseValue, kind.rawValue.databaseValue, path.databaseValue,
      mediaType.databaseValue, byteCount.databaseValue, sha256.databaseValue, durationMilliseconds.databaseValue,
      state.rawValue.databaseValue, madeAt.databaseValue,
    ]
  }
  init(row: Row) throws {
    self.init(
      id: try RowReading.identifier(row, "id"), lesson: try RowReading.identifier(row, "lesson"),
      kind: try RowReading.choice(row, "kind"), path: try RowReading.value(row, "path"),
      mediaType: try RowReading.value(row, "mediaType"), byteCount: try RowReading.value(row, "byteCount"),
      sha256: try RowReading.value(row, "sha256"),
      durationMilliseconds: try RowReading.value(row, "durationMilliseconds"),
      state: try RowReading.choice(row, "state"), madeAt: try RowReading.value(row, "madeAt"))
  }
}
