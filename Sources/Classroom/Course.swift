/// 联校群: institutions that teach each other, 1+N with one lead or N+N with several.
public struct Cluster: Hashable, Sendable, Codable {
  /// One institution's part in a cluster.
  public struct Member: Hashable, Sendable, Codable {
    public var institution: Identifier
    /// Whether it teaches others, not only receives.
    public var leads: Bool
    public init(institution: Identifier, leads: Bool) {
      self.institution = institution
      self.leads = leads
    }
  }

  public var id: Identifier
  /// The short number people use, such as `Q12`; unique where it is given.
  public var number: String
  public var name: String
  public var members: [Member]

  public init(id: Identifier, number: String = "", name: String, members: [Member]) {
    self.id = id
    self.number = number
    self.name = name
    self.members = members
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(number, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(name)
    guard members.count <= Limits.clusterMembers else { throw .tooMany }
    guard Set(members.map(\.institution)).count == members.count else { throw .duplicate }
  }
}

/// What a cluster teaches together through one term.
public struct Course: Hashable, Sendable, Codable {
  public enum Mode: String, Sendable, Codable, CaseIterable {
    /// 同步: live, to all receiving seats at once.
    case sync
    /// 异步双师: recorded lead teacher, local teacher in the room.
    case asyncDual
    /// 教研: teachers among themselves.
    case research
  }

  /// The programme that a course is counted under.
  public enum Label: String, Sendable, Codable, CaseIterable {
    /// 专递课堂
    case dedicated
    /// 名师课堂
    case masterTeacher
    /// 名校网络课堂
    case leadingSchool
  }

  /// One end of a course: a class, in a room, with a teacher, each where known.
  public struct Party: Hashable, Sendable, Codable {
    public var schoolClass: Identifier?
    public var room: Identifier
    public var teacher: Identifier?
    public init(schoolClass: Identifier? = nil, room: Identifier, teacher: Identifier? = nil) {
      self.schoolClass = schoolClass
      self.room = room
      self.teacher = teacher
    }
  }

  /// One weekly occurrence: ISO weekday 1 (Monday) … 7 and 第几节, 1…20, of the lead's bells.
  public struct WeeklyTime: Hashable, Sendable, Codable {
    public var weekday: Int
    public var period: Int
    /// As the lead's school counts them.
    public var weeks: WeekSet
    /// A lesson shorter than the period, from the period's start; nil for the whole of it. Minutes, 10…120.
    public var minutes: Int?
    /// Receiving rooms whose school keeps the lead's bell for this period.
    public var adoptedBy: [Identifier]

    public init(
      weekday: Int, period: Int, weeks: WeekSet = .all, minutes: Int? = nil, adoptedBy: [Identifier] = []
    ) {
      self.weekday = weekday
      self.period = period
      self.weeks = weeks
      self.minutes = minutes
      self.adoptedBy = adoptedBy
    }

    /// Rows of the first ledgers hold weekday and period alone.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weekday: try values.decode(Int.self, forKey: .weekday), period: try values.decode(Int.self, forKey: .period),
        weeks: try values.decodeIfPresent(WeekSet.self, forKey: .weeks) ?? .all,
        minutes: try values.decodeIfPresent(Int.self, forKey: .minutes),
        adoptedBy: try values.decodeIfPresent([Identifier].self, forKey: .adoptedBy) ?? [])
    }
  }

  /// How microphones and encoders are set.
  public enum Audio: String, Sendable, Codable, CaseIterable {
    /// Echo cancellation, noise suppression and gain control.
    case speech
    /// Stereo, as it sounds.
    case music
  }

  public var id: Identifier
  /// The short number people use, such as `K0137`; unique in its term where it is given.
  public var number: String
  public var cluster: Identifier
  /// Such as `2026-2027-1`.
  public var term: String
  /// Key of the table of subjects, such as `music`.
  public var subject: String
  /// 1…12, ascending.
  public var grades: [Int]
  public var textbook: String
  public var lead: Party
  public var receivers: [Party]
  public var mode: Mode
  public var label: Label
  public var weeklyTimes: [WeeklyTime]
  public var audio: Audio
  /// Whether what its sites send back is recorded as well, once each of its classes has consented.
  public var recordsSites: Bool

  public init(
    id: Identifier, number: String = "", cluster: Identifier, term: String, subject: String, grades: [Int],
    textbook: String = "", lead: Party, receivers: [Party], mode: Mode = .sync, label: Label = .dedicated,
    weeklyTimes: [WeeklyTime] = [], audio: Audio = .speech,
    recordsSites: Bool = false
  ) {
    self.id = id
    self.number = number
    self.cluster = cluster
    self.term = term
    self.subject = subject
    self.grades = grades
    self.textbook = textbook
    self.lead = lead
    self.receivers = receivers
    self.mode = mode
    self.label = label
    self.weeklyTimes = weeklyTimes
    self.audio = audio
    self.recordsSites = recordsSites
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(number, limit: Limits.codeScalars, mayBeEmpty: true)
    try Limits.checkName(term, limit: Limits.codeScalars)
    try Limits.checkName(subject)
    try Limits.checkName(textbook, mayBeEmpty: true)
    guard receivers.count <= Limits.seats, weeklyTimes.count <= Limits.weeklyTimes else { throw .tooMany }
    guard grades.allSatisfy({ (1...12).contains($0) }) else { throw .badRange }
    guard grades == Set(grades).sorted() else { throw .duplicate }
    let rooms = receivers.map(\.room) + [lead.room]
    guard Set(rooms).count == rooms.count, Set(weeklyTimes).count == weeklyTimes.count else { throw .duplicate }
    // Twice in one week at one time would make two lessons of one origin.
    for (index, time) in weeklyTimes.enumerated() {
      let isTwice = weeklyTimes[..<index].contains {
        $0.weekday == time.weekday && $0.period == time.period && !$0.weeks.intersection(time.weeks).isEmpty
      }
      guard !isTwice else { throw .duplicate }
    }
    for time in weeklyTimes {
      guard (1...7).contains(time.weekday), (1...20).contains(time.period), !time.weeks.isEmpty,
        time.minutes.map((10...120).contains) ?? true
      else { throw .badRange }
      guard time.adoptedBy.count <= Limits.seats else { throw .tooMany }
    }
  }
}
