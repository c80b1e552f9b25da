/// `GET /api/v1/terms/{term}/courses/{course}`: a course as a sheet of courses has it.
public struct CourseFieldsReply: Codable, Hashable, Sendable {
  public var term: String
  public var number: String
  /// By the English headers of a sheet of courses, such as `times`: `周一第3节(1-16)、周三第2节`.
  public var fields: [String: String]
  /// What `If-Match` of a change names; the same content has the same version.
  public var version: String

  public init(term: String, number: String, fields: [String: String], version: String) {
    self.term = term
    self.number = number
    self.fields = fields
    self.version = version
  }
}

/// `PATCH /api/v1/terms/{term}/courses/{course}`: some columns of a course; the others stay.
public struct CourseChangeRequest: Codable, Hashable, Sendable {
  /// By the headers of a sheet of courses, in Chinese or English; values as its cells are written.
  public var fields: [String: String]

  public init(fields: [String: String]) { self.fields = fields }
}
