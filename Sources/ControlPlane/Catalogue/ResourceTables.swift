import Classroom
public import ControlAPI

/// Tables of resources for people and spreadsheets.
public enum ResourceTables {
  /// The headers; each has `resource.column.<name>` in the catalogue.
  private enum Column: String, CaseIterable {
    case id, title, subject, grades, term, school, teacher, state, madeAt, field, value
  }

  /// What one resource is told by, in order; those of a collection are `ResourceField`s as well.
  private static let fields = [
    "id", "lesson", "title", "subject", "grades", "term", "volume", "textbook", "chapter", "lessonName", "keywords",
    "summary", "faces", "consent", "school", "teacher", "state", "approvedFor", "visibility", "reason", "nominated",
    "held", "madeAt", "changedAt", "missing", "file", "push",
  ]

  /// Keys of all words that tables put together.
  package static var keys: [String] {
    Column.allCases.map { "resource.column.\($0.rawValue)" } + fields.map { "resource.field.\($0)" }
      + ResourceState.allCases.map { "resource.state.\($0.rawValue)" }
      + ResourceVisibility.allCases.map { "resource.level.\($0.rawValue)" }
      + ResourcePush.State.allCases.map { "resource.push.\($0.rawValue)" }
      + ResourceField.allCases.map { "resource.field.\($0.rawValue)" } + ["resource.expired", "resource.nominated"]
  }

  private static func word(_ kind: String, _ value: String, _ language: Language) -> String {
    let key = "resource.\(kind).\(value)"
    return Text.has(key, in: language) ? Text.of(key, in: language) : value
  }

  private static func yes(_ value: Bool, _ language: Language) -> String {
    Text.of(value ? "place.yes.true" : "place.yes.false", in: language)
  }

  private static func table(_ columns: [Column], _ language: Language) -> TextTable {
    TextTable(columns.map { TextTable.Column(Text.of("resource.column.\($0.rawValue)", in: language)) })
  }

  private static func list(_ texts: [String], _ language: Language) -> String {
    texts.joined(separator: language.listSeparator)
  }

  private static func grades(_ grades: [Int], _ language: Language) -> String {
    list(grades.map { (1...12).contains($0) ? Text.of("timetable.grade.\($0)", in: language) : "\($0)" }, language)
  }

  private static func state(_ row: ResourceReply, _ language: Language) -> String {
    var words = [word("state", row.state, language)]
    if let visibility = row.visibility { words.append(word("level", visibility, language)) }
    if row.nominated { words.append(Text.of("resource.nominated", in: language)) }
    if row.expired { words.append(Text.of("resource.expired", in: language)) }
    return list(words, language)
  }

  /// The names of what a collection asks for and is empty.
  public static func missing(_ row: ResourceReply, in language: Language) -> String {
    list(row.missing.map { word("field", $0, language) }, language)
  }

  public static func resources(_ rows: [ResourceReply], in language: Language) -> TextTable {
    var table = table([.title, .subject, .grades, .term, .school, .teacher, .state, .madeAt, .id], language)
    for row in rows {
      table.add([
        row.title, row.subjectName, grades(row.grades, language), row.term, row.schoolName, row.teacherName,
        state(row, language), row.madeAt, row.id,
      ])
    }
    return table
  }

  /// One resource, field by field.
  public static func resource(_ row: ResourceReply, in language: Language) -> TextTable {
    var table = table([.field, .value], language)
    func add(_ field: String, _ value: String) {
      table.add([Text.of("resource.field.\(field)", in: language), value])
    }
    func person(_ key: String, _ name: String) -> String { key.isEmpty ? name : name + language.inBrackets(key) }
    add("id", row.id)
    add("lesson", row.lesson)
    add("title", row.title)
    add("subject", row.subjectName)
    add("grades", grades(row.grades, language))
    add("term", row.term)
    add("volume", row.volume)
    add("textbook", row.textbook)
    add("chapter", row.chapter)
    add("lessonName", row.lessonName)
    add("keywords", list(row.keywords, language))
    add("summary", row.summary)
    add("faces", yes(row.faces, language))
    add("consent", row.consent)
    add("school", person(row.school, row.schoolName))
    add("teacher", person(row.teacher, row.teacherName))
    add("state", state(row, language))
    if let level = row.approvedFor { add("approvedFor", word("level", level, language)) }
    if let reason = row.reason { add("reason", reason) }
    add("held", yes(row.held, language))
    add("madeAt", row.madeAt)
    add("changedAt", row.changedAt)
    add("missing", missing(row, in: language))
    for file in row.files ?? [] {
      add("file", "\(file.name)  \(file.mediaType)  \(file.byteCount / 1_024) KiB  \(file.id)")
    }
    for push in row.pushes ?? [] {
      add("push", "\(person(push.school, push.schoolName))  \(word("push", push.state, language))  \(push.at)")
    }
    return table
  }
}
