/// What people say of a resource so that others find it: the collection fields, filled from the timetable at first.
public struct ResourceMetadata: Hashable, Sendable, Codable {
  public static let keywordLimit = 20
  /// Unicode scalars.
  public static let summaryScalars = 2_000

  public var title: String
  /// 学科: key of the table of subjects, or a name of its own; may be empty.
  public var subject: String
  /// 年级: 1…12, ascending.
  public var grades: [Int]
  /// Such as `2026-2027-1`; may be empty.
  public var term: String
  /// 册次, such as 上册.
  public var volume: String
  /// 版本: whose textbook.
  public var textbook: String
  /// 章节
  public var chapter: String
  /// 课名
  public var lessonName: String
  public var keywords: [String]
  public var summary: String
  /// Whether pupils may be seen in it.
  public var containsFaces: Bool
  /// What says that those who are seen consented; empty when nothing does.
  public var consent: String
  /// 学校: whose lesson it was.
  public var institution: Identifier?
  /// 主讲教师: a person, never a name.
  public var author: Identifier?
  public var cluster: Identifier?

  public init(
    title: String, subject: String = "", grades: [Int] = [], term: String = "", volume: String = "",
    textbook: String = "", chapter: String = "", lessonName: String = "", keywords: [String] = [],
    summary: String = "", containsFaces: Bool = true, consent: String = "", institution: Identifier? = nil,
    author: Identifier? = nil, cluster: Identifier? = nil
  ) {
    self.title = title
    self.subject = subject
    self.grades = grades
    self.term = term
    self.volume = volume
    self.textbook = textbook
    self.chapter = chapter
    self.lessonName = lessonName
    self.keywords = keywords
    self.summary = summary
    self.containsFaces = containsFaces
    self.consent = consent
    self.institution = institution
    self.author = author
    self.cluster = cluster
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(title)
    try Limits.checkName(term, limit: Limits.codeScalars, mayBeEmpty: true)
    for text in [subject, volume, textbook, chapter, lessonName, consent] {
      try Limits.checkName(text, mayBeEmpty: true)
    }
    try Limits.checkName(summary, limit: Self.summaryScalars, mayBeEmpty: true)
    guard keywords.count <= Self.keywordLimit else { throw .tooMany }
    for word in keywords { try Limits.checkName(word, limit: Limits.codeScalars) }
    guard grades.allSatisfy({ (1...12).contains($0) }) else { throw .badRange }
    guard grades == Set(grades).sorted(), Set(keywords).count == keywords.count else { throw .duplicate }
  }

  /// The form that approval is bound to: each field as its name, the number of its bytes and its text, in an order that
  /// never changes. Equal values have equal forms and others do not.
  public var canonical: String {
    let fields: [(String, String)] = [
      ("title", title), ("subject", subject), ("grades", grades.map { "\($0)" }.joined(separator: ",")),
      ("term", term), ("volume", volume), ("textbook", textbook), ("chapter", chapter), ("lessonName", lessonName),
      ("keywords", keywords.map { "\($0.utf8.count):\($0)" }.joined()), ("summary", summary),
      ("containsFaces", containsFaces ? "1" : "0"), ("consent", consent),
      ("institution", institution.map { "\($0)" } ?? ""), ("author", author.map { "\($0)" } ?? ""),
      ("cluster", cluster.map { "\($0)" } ?? ""),
    ]
    return fields.map { "\($0)=\($1.utf8.count):\($1)\n" }.joined()
  }

  /// What the collection asks for and is not there, in the order of the fields.
  public var missing: [ResourceField] {
    ResourceField.allCases.filter { field in
      switch field {
      case .subject: subject.isEmpty
      case .grades: grades.isEmpty
      case .volume: volume.isEmpty
      case .textbook: textbook.isEmpty
      case .chapter: chapter.isEmpty
      case .lessonName: lessonName.isEmpty
      case .author: author == nil
      case .institution: institution == nil
      case .keywords: keywords.isEmpty
      case .summary: summary.isEmpty
      case .consent: containsFaces && consent.isEmpty
      }
    }
  }
}

/// What the collection of lessons asks of each resource (学科 年级 册次 版本 章节 课名 主讲教师 学校 …).
public enum ResourceField: String, Hashable, Sendable, Codable, CaseIterable {
  case subject, grades, volume, textbook, chapter, lessonName, author, institution, keywords, summary
  /// Where pupils may be seen.
  case consent
}

/// What is made of one lesson, or of all stretches of an always-live one: files that are reviewed, found and played
/// together.
public struct LessonResource: Hashable, Sendable {
  /// Milliseconds for which seats of its own lesson may replay it while it is not published: 14 days.
  public static let replayMilliseconds: Int64 = 14 * 86_400_000

  /// Made of the lesson's identifier, so that it is the same whoever asks.
  public var id: Identifier
  public var lesson: Identifier
  /// 1, 2, 3 … in the order in which they were made.
  public var number: Int64
  /// UTC milliseconds.
  public var madeAt: Int64
  public var changedAt: Int64
  public var metadata: ResourceMetadata
  public var review: ResourceReview
  /// 名课
  public var isNominated: Bool
  /// Kept in spite of its age.
  public var isHeld: Bool
  /// Its files are gone.
  public var isExpired: Bool
  /// Raised whenever it stops being published: links of before are void.
  public var epoch: Int64

  public init(
    id: Identifier, lesson: Identifier, number: Int64, madeAt: Int64, changedAt: Int64, metadata: ResourceMetadata,
    review: ResourceReview, isNominated: Bool = false, isHeld: Bool = false, isExpired: Bool = false,
    epoch: Int64 = 0
  ) {
    self.id = id
    self.lesson = lesson
    self.number = number
    self.madeAt = madeAt
    self.changedAt = changedAt
    self.metadata = metadata
    self.review = review
    self.isNominated = isNominated
    self.isHeld = isHeld
    self.isExpired = isExpired
    self.epoch = epoch
  }

  public var state: ResourceState { review.state }
}

/// 点对点推送: a resource given to one named school, and what became of it.
public struct ResourcePush: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case pushed
    /// Somebody of the school has played it.
    case opened
    case accepted
    case declined

    /// Whether an answer or an opening leads on from here; an answer is final.
    public func leads(to next: State) -> Bool {
      switch (self, next) {
      case (.pushed, .opened), (.pushed, .accepted), (.pushed, .declined), (.opened, .accepted), (.opened, .declined):
        true
      default: false
      }
    }
  }

  public var resource: Identifier
  public var institution: Identifier
  public var by: Identifier
  /// UTC milliseconds.
  public var at: Int64
  public var state: State
  public var answeredBy: Identifier?
  public var answeredAt: Int64?

  public init(
    resource: Identifier, institution: Identifier, by: Identifier, at: Int64, state: State = .pushed,
    answeredBy: Identifier? = nil, answeredAt: Int64? = nil
  ) {
    self.resource = resource
    self.institution = institution
    self.by = by
    self.at = at
    self.state = state
    self.answeredBy = answeredBy
    self.answeredAt = answeredAt
  }
}
