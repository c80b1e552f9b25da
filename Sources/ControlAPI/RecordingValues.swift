/// `POST /api/v1/lessons/{id}/markers`.
public struct MarkerRequest: Codable, Hashable, Sendable {
  /// What the moment is called in the recording, up to 100 characters.
  public var label: String?
  public init(label: String? = nil) { self.label = label }
}

/// `GET /api/v1/classes/{number}/consent`.
public struct ConsentReply: Codable, Hashable, Sendable {
  public struct Entry: Codable, Hashable, Sendable {
    /// UTC milliseconds.
    public var at: Int64
    public var given: Bool
    public var reference: String?

    public init(at: Int64, given: Bool, reference: String?) {
      self.at = at
      self.given = given
      self.reference = reference
    }
  }

  /// The class's number.
  public var number: String
  public var name: String
  public var given: Bool
  /// Where it is filed; empty without one.
  public var reference: String
  /// The latest first, at most 20.
  public var history: [Entry]

  public init(number: String, name: String, given: Bool, reference: String, history: [Entry]) {
    self.number = number
    self.name = name
    self.given = given
    self.reference = reference
    self.history = history
  }
}

/// `POST /api/v1/classes/{number}/consent`.
public struct ConsentRequest: Codable, Hashable, Sendable {
  /// Where the guardians' consent is filed.
  public var reference: String
  public init(reference: String) { self.reference = reference }
}

/// `GET /api/v1/terms/{term}/courses/{course}/recording`.
public struct CourseRecordingReply: Codable, Hashable, Sendable {
  public var course: String
  public var term: String
  /// Whether the course says that its sites are recorded.
  public var sites: Bool
  /// Whether they are: the course says so, and every class has consented.
  public var recorded: Bool
  /// Numbers, or names, of classes without consent; of a room without a class its number.
  public var missing: [String]

  public init(course: String, term: String, sites: Bool, recorded: Bool, missing: [String]) {
    self.course = course
    self.term = term
    self.sites = sites
    self.recorded = recorded
    self.missing = missing
  }
}

/// `PATCH /api/v1/terms/{term}/courses/{course}/recording`.
public struct CourseRecordingRequest: Codable, Hashable, Sendable {
  public var sites: Bool
  public init(sites: Bool) { self.sites = sites }
}

/// `GET /api/v1/resources/expiry`: recordings that nobody keeps, those that go first first.
public struct ExpiryList: Codable, Hashable, Sendable {
  public struct Entry: Codable, Hashable, Sendable {
    /// UUID.
    public var lesson: String
    public var title: String
    public var files: Int
    public var byteCount: Int64
    /// UTC milliseconds; the notice's is nil before it is given.
    public var madeAt: Int64
    public var noticedAt: Int64?
    public var expiresAt: Int64

    public init(
      lesson: String, title: String, files: Int, byteCount: Int64, madeAt: Int64, noticedAt: Int64?,
      expiresAt: Int64
    ) {
      self.lesson = lesson
      self.title = title
      self.files = files
      self.byteCount = byteCount
      self.madeAt = madeAt
      self.noticedAt = noticedAt
      self.expiresAt = expiresAt
    }
  }

  public var unreviewedDays: Int
  public var lessons: [Entry]

  public init(unreviewedDays: Int, lessons: [Entry]) {
    self.unreviewedDays = unreviewedDays
    self.lessons = lessons
  }
}

/// `POST /api/v1/resources/expiry`: lessons whose owners were told, and whose files went.
public struct ExpiryReply: Codable, Hashable, Sendable {
  public var noticed: Int
  public var expired: Int

  public init(noticed: Int, expired: Int) {
    self.noticed = noticed
    self.expired = expired
  }
}
