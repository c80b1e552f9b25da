/// A resource: what was made of one lesson, on its way from being recorded to being found.
public struct ResourceReply: Codable, Hashable, Sendable {
  public struct File: Codable, Hashable, Sendable {
    /// UUID.
    public var id: String
    /// Such as `recording`.
    public var kind: String
    public var mediaType: String
    public var byteCount: Int64
    public var sha256: String
    public var durationMilliseconds: Int64
    /// Its name in an export: unique in the resource.
    public var name: String

    public init(
      id: String, kind: String, mediaType: String, byteCount: Int64, sha256: String, durationMilliseconds: Int64,
      name: String
    ) {
      self.id = id
      self.kind = kind
      self.mediaType = mediaType
      self.byteCount = byteCount
      self.sha256 = sha256
      self.durationMilliseconds = durationMilliseconds
      self.name = name
    }
  }

  /// A school that it was given to.
  public struct Push: Codable, Hashable, Sendable {
    /// Number of the school.
    public var school: String
    public var schoolName: String
    /// `pushed`, `opened`, `accepted` or `declined`.
    public var state: String
    public var at: String

    public init(school: String, schoolName: String, state: String, at: String) {
      self.school = school
      self.schoolName = schoolName
      self.state = state
      self.at = at
    }
  }

  /// UUID.
  public var id: String
  public var lesson: String
  public var title: String
  /// Key of the table of subjects, or a name of its own.
  public var subject: String
  /// In the language of the request.
  public var subjectName: String
  public var grades: [Int]
  public var term: String
  /// 册次
  public var volume: String
  /// 版本
  public var textbook: String
  /// 章节
  public var chapter: String
  /// 课名
  public var lessonName: String
  public var keywords: [String]
  public var summary: String
  /// Whether pupils may be seen in it.
  public var faces: Bool
  public var consent: String
  /// Number of the school.
  public var school: String
  public var schoolName: String
  /// Such as `P07/001`; empty where nobody is known.
  public var teacher: String
  public var teacherName: String
  /// `recorded`, `draft`, `submitted`, `approved`, `rejected`, `published` or `withdrawn`.
  public var state: String
  /// The widest level that approved: `school`, `cluster`, `county`, `city` or `province`.
  public var approvedFor: String?
  public var visibility: String?
  /// Why it was rejected.
  public var reason: String?
  /// 名课
  public var nominated: Bool
  public var held: Bool
  public var expired: Bool
  public var madeAt: String
  public var changedAt: String
  /// Names of the fields that a collection asks for and are empty.
  public var missing: [String]
  /// Of one resource alone, not in lists.
  public var files: [File]?
  public var pushes: [Push]?

  public init(
    id: String, lesson: String, title: String, subject: String, subjectName: String, grades: [Int], term: String,
    volume: String, textbook: String, chapter: String, lessonName: String, keywords: [String], summary: String,
    faces: Bool, consent: String, school: String, schoolName: String, teacher: String, teacherName: String,
    state: String, approvedFor: String?, visibility: String?, reason: String?, nominated: Bool, held: Bool,
    expired: Bool, madeAt: String, changedAt: String, missing: [String], files: [File]? = nil, pushes: [Push]? = nil
  ) {
    self.id = id
    self.lesson = lesson
    self.title = title
    self.subject = subject
    self.subjectName = subjectName
    self.grades = grades
    self.term = term
    self.volume = volume
    self.textbook = textbook
    self.chapter = chapter
    self.lessonName = lessonName
    self.keywords = keywords
    self.summary = summary
    self.faces = faces
    self.consent = consent
    self.school = school
    self.schoolName = schoolName
    self.teacher = teacher
    self.teacherName = teacherName
    self.state = state
    self.approvedFor = approvedFor
    self.visibility = visibility
    self.reason = reason
    self.nominated = nominated
    self.held = held
    self.expired = expired
    self.madeAt = madeAt
    self.changedAt = changedAt
    self.missing = missing
    self.files = files
    self.pushes = pushes
  }
}

/// Which resources are listed; what is nil does not choose.
public struct ResourceListQuery: Hashable, Sendable {
  /// Words that all have to be there; two hanzi are enough.
  public var text: String?
  public var subject: String?
  public var grade: Int?
  /// Number of a school.
  public var school: String?
  /// Such as `P07/001`.
  public var teacher: String?
  public var term: String?
  public var state: String?
  public var nominated: Bool
  /// Number of a school that they were given to.
  public var pushedTo: String?

  public init(
    text: String? = nil, subject: String? = nil, grade: Int? = nil, school: String? = nil, teacher: String? = nil,
    term: String? = nil, state: String? = nil, nominated: Bool = false, pushedTo: String? = nil
  ) {
    self.text = text
    self.subject = subject
    self.grade = grade
    self.school = school
    self.teacher = teacher
    self.term = term
    self.state = state
    self.nominated = nominated
    self.pushedTo = pushedTo
  }
}

/// The body of `PATCH /api/v1/resources/{resource}`: what is nil stays.
public struct ResourceChangeRequest: Codable, Hashable, Sendable {
  public var title: String?
  public var subject: String?
  public var grades: [Int]?
  public var volume: String?
  public var textbook: String?
  public var chapter: String?
  public var lessonName: String?
  public var keywords: [String]?
  public var summary: String?
  public var faces: Bool?
  public var consent: String?

  public init(
    title: String? = nil, subject: String? = nil, grades: [Int]? = nil, volume: String? = nil, textbook: String? = nil,
    chapter: String? = nil, lessonName: String? = nil, keywords: [String]? = nil, summary: String? = nil,
    faces: Bool? = nil, consent: String? = nil
  ) {
    self.title = title
    self.subject = subject
    self.grades = grades
    self.volume = volume
    self.textbook = textbook
    self.chapter = chapter
    self.lessonName = lessonName
    self.keywords = keywords
    self.summary = summary
    self.faces = faces
    self.consent = consent
  }
}

/// The body of `POST /api/v1/resources/{resource}/steps`.
public struct ResourceStepRequest: Codable, Hashable, Sendable {
  public enum Step: String, Codable, Hashable, Sendable, CaseIterable {
    case submit, approve, reject, publish, withdraw, nominate, hold, release
  }

  public var step: Step
  /// Of approving, rejecting and publishing: `school`, `cluster`, `county`, `city` or `province`.
  public var level: String?
  /// Why it is rejected.
  public var reason: String?

  public init(step: Step, level: String? = nil, reason: String? = nil) {
    self.step = step
    self.level = level
    self.reason = reason
  }
}

/// The body of `POST /api/v1/resources/{resource}/pushes`: to whom, or, with an outcome, that school's answer.
public struct ResourcePushRequest: Codable, Hashable, Sendable {
  /// Number of the school.
  public var school: String
  /// `accepted` or `declined`; nil gives it to the school.
  public var answer: String?

  public init(school: String, answer: String? = nil) {
    self.school = school
    self.answer = answer
  }
}

/// The body of `POST /api/v1/resources/{resource}/links`.
public struct ResourceLinkRequest: Codable, Hashable, Sendable {
  /// How long it is good, 1…10080.
  public var minutes: Int
  /// Which file; nil is the longest picture.
  public var file: String?

  public init(minutes: Int, file: String? = nil) {
    self.minutes = minutes
    self.file = file
  }
}

/// An address that plays one file to whoever has it, for a while.
public struct ResourceLinkReply: Codable, Hashable, Sendable {
  /// The file itself.
  public var url: String
  /// A page that plays it, and counts that it was played.
  public var page: String
  /// UTC seconds.
  public var expires: Int64

  public init(url: String, page: String, expires: Int64) {
    self.url = url
    self.page = page
    self.expires = expires
  }
}

/// The body of `POST /api/v1/resources/{resource}/playback`: what a player does. Times are milliseconds.
public struct PlayerRequest: Codable, Hashable, Sendable {
  public enum Act: String, Codable, Hashable, Sendable, CaseIterable {
    case started, paused, resumed, seeked, ended
  }

  /// UUID that the player makes when it starts.
  public var session: String
  public var file: String
  public var act: Act
  public var position: Int64
  public var length: Int64
  /// Of a seek: where it was before.
  public var from: Int64?
  /// Of an end: how much was really seen.
  public var played: Int64?

  public init(
    session: String, file: String, act: Act, position: Int64, length: Int64, from: Int64? = nil, played: Int64? = nil
  ) {
    self.session = session
    self.file = file
    self.act = act
    self.position = position
    self.length = length
    self.from = from
    self.played = played
  }
}
