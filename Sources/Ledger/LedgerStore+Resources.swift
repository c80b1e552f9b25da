public import Classroom
internal import GRDB

/// Which resources are looked for; what is nil does not choose.
public struct ResourceQuery: Hashable, Sendable {
  /// Words that all have to be there, each as it stands; two hanzi are enough.
  public var text: String?
  public var subject: String?
  public var grade: Int?
  public var institution: Identifier?
  public var author: Identifier?
  public var term: String?
  public var state: ResourceState?
  public var isNominated: Bool?
  /// Given to this school by a push.
  public var pushedTo: Identifier?
  /// Those with lower numbers: behind the last of the page before.
  public var before: Int64?

  public init() {}
}

/// One read of a recording.
public struct RecordingRead: Hashable, Sendable {
  public var at: Int64
  public var resource: Identifier
  public var file: Identifier
  /// Nil for whoever had a link and no token.
  public var actor: Identifier?
  /// The link it was read by; empty for a token.
  public var link: String
  public var address: String

  public init(
    at: Int64, resource: Identifier, file: Identifier, actor: Identifier?, link: String = "", address: String
  ) {
    self.at = at
    self.resource = resource
    self.file = file
    self.actor = actor
    self.link = link
    self.address = address
  }
}

extension LedgerStore {
  public func resource(_ id: Identifier) throws -> LessonResource? { try read { try ResourceRow.fetch($0, id: id) } }

  public func resource(lesson: Identifier) throws -> LessonResource? {
    try read { try ResourceRow.fetch($0, lesson: lesson) }
  }

  /// What a resource's approval would be bound to now, 64 hexadecimal digits.
  public func digest(of resource: LessonResource) throws -> String {
    try read { try ResourceRow.digest($0, resource) }
  }

  /// The newest first. Text without a letter or digit finds nothing. Cost: O(found) with text, else along an index.
  public func resources(_ query: ResourceQuery, limit: Int) throws -> [LessonResource] {
    var conditions = ["1"]
    var arguments: [DatabaseValue] = []
    func add(_ condition: String, _ value: DatabaseValue?) {
      guard let value else { return }
      conditions.append(condition)
      arguments.append(value)
    }
    if let text = query.text {
      guard let expression = SearchWords.expression(text) else { return [] }
      add("number IN (SELECT rowid FROM resourceWords WHERE resourceWords MATCH ?)", expression.databaseValue)
    }
    add("subject = ?", query.subject?.databaseValue)
    add("EXISTS (SELECT 1 FROM json_each(grades) WHERE value = ?)", query.grade?.databaseValue)
    add("institution = ?", query.institution?.databaseValue)
    add("author = ?", query.author?.databaseValue)
    add("term = ?", query.term?.databaseValue)
    add("state = ?", query.state?.rawValue.databaseValue)
    add("isNominated = ?", query.isNominated?.databaseValue)
    add("id IN (SELECT resource FROM resourcePushes WHERE institution = ?)", query.pushedTo?.databaseValue)
    add("number < ?", query.before?.databaseValue)
    return try read { db in
      try ResourceRow.fetch(
        db, where: conditions.joined(separator: " AND ") + " ORDER BY number DESC LIMIT ?",
        StatementArguments(arguments + [limit.databaseValue]))
    }
  }

  /// To whom a resource was given, the earliest first.
  public func pushes(resource: Identifier) throws -> [ResourcePush] {
    try read { try ResourcePush.fetch($0, where: "resource = ? ORDER BY id", [resource.databaseValue]) }
  }

  /// Keeps that a recording is read; durable before it returns. `link` and `address`: at most 200 scalars.
  public func record(_ reading: RecordingRead) throws {
    try Limits.checkName(reading.link, mayBeEmpty: true)
    try Limits.checkName(reading.address, mayBeEmpty: true)
    try write { db in
      try db.cachedStatement(
        sql: "INSERT INTO recordingReads (at, resource, file, actor, link, address) VALUES (?, ?, ?, ?, ?, ?)"
      ).execute(arguments: [
        reading.at, reading.resource.databaseValue, reading.file.databaseValue, reading.actor.databaseValue,
        reading.link, reading.address,
      ])
    }
  }

  /// Who read a resource, the latest first.
  public func reads(resource: Identifier, limit: Int = 1_000) throws -> [RecordingRead] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT at, resource, file, actor, link, address FROM recordingReads WHERE resource = ?
          ORDER BY id DESC LIMIT ?
          """, arguments: [resource.databaseValue, limit])
      return try rows.map { row in
        var columns = ColumnReader(row)
        return RecordingRead(
          at: try columns.integer(), resource: try columns.identifier(), file: try columns.identifier(),
          actor: try columns.optionalIdentifier(), link: try columns.text(), address: try columns.text())
      }
    }
  }
}
