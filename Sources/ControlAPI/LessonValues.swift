/// A dated lesson.
public struct LessonReply: Codable, Hashable, Sendable {
  /// UUID.
  public var id: String
  public var title: String
  /// Number of the course; nil for a lesson of no course.
  public var course: String?
  /// `2026-09-07 10:10`, civil time of China.
  public var start: String
  public var end: String
  public var state: String
  /// Numbers of the rooms, the lead's first.
  public var rooms: [String]
  /// What `If-Match` of a change names.
  public var revision: Int
  /// Of a change: what is not as it should be with the lesson now: warnings, and conflicts where it was forced.
  public var findings: [FindingReply]?

  public init(
    id: String, title: String, course: String?, start: String, end: String, state: String, rooms: [String],
    revision: Int, findings: [FindingReply]? = nil
  ) {
    self.id = id
    self.title = title
    self.course = course
    self.start = start
    self.end = end
    self.state = state
    self.rooms = rooms
    self.revision = revision
    self.findings = findings
  }
}

/// `GET /api/v1/lessons`, a page of it.
public struct LessonList: Codable, Hashable, Sendable {
  public var lessons: [LessonReply]
  /// `cursor` of the next page; nil for the last one.
  public var next: String?

  public init(lessons: [LessonReply], next: String? = nil) {
    self.lessons = lessons
    self.next = next
  }
}

/// `POST /api/v1/lessons/{id}/changes`: 调课, 代课, 取消, or another room.
public struct LessonChangeRequest: Codable, Hashable, Sendable {
  public enum Action: String, Codable, Hashable, Sendable, CaseIterable {
    case move, substitute, cancel, room
  }

  public var action: Action
  /// `2026-09-07 10:10`, civil time of China; of a move.
  public var start: String?
  /// Nil keeps the length.
  public var end: String?
  /// Institution and staff number, `P07/001`; of a substitute.
  public var teacher: String?
  /// Number of the room.
  public var room: String?
  public var reason: String
  /// True makes it whatever is in conflict with it.
  public var force: Bool?

  public init(
    action: Action, start: String? = nil, end: String? = nil, teacher: String? = nil, room: String? = nil,
    reason: String, force: Bool? = nil
  ) {
    self.action = action
    self.start = start
    self.end = end
    self.teacher = teacher
    self.room = room
    self.reason = reason
    self.force = force
  }
}

/// `POST /api/v1/terms/{term}/lessons`: 加课.
public struct LessonAddRequest: Codable, Hashable, Sendable {
  /// Number of the course.
  public var course: String
  /// `2026-09-07 10:10`, civil time of China.
  public var start: String
  /// Nil takes 40 minutes.
  public var end: String?
  public var reason: String
  /// True makes it whatever is in conflict with it.
  public var force: Bool?

  public init(course: String, start: String, end: String? = nil, reason: String, force: Bool? = nil) {
    self.course = course
    self.start = start
    self.end = end
    self.reason = reason
    self.force = force
  }
}

/// A refusal as problem+json (RFC 9457).
public struct ProblemReply: Codable, Hashable, Sendable, Error {
  /// Such as `urn:tongke:problem:staleMatch`.
  public var type: String
  public var title: String
  public var status: Int
  public var detail: String
  /// What is wrong with an import's files, as many as are told.
  public var issues: [ImportIssueReply]?
  /// What keeps a term from being published, or a lesson from being changed.
  public var findings: [FindingReply]?
  /// How many more issues there are than are told.
  public var more: Int?

  public init(
    type: String, title: String, status: Int, detail: String, issues: [ImportIssueReply]? = nil,
    findings: [FindingReply]? = nil, more: Int? = nil
  ) {
    self.type = type
    self.title = title
    self.status = status
    self.detail = detail
    self.issues = issues
    self.findings = findings
    self.more = more
  }
}
