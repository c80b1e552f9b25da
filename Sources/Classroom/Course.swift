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
  public var name: String
  public var members: [Member]

  public init(id: Identifier, name: String, members: [Member]) {
    self.id = id
    self.name = name
    self.members = members
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
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
    public init(weekday: Int, period: Int) {
      self.weekday = weekday
      self.period = period
    }
  }

  public var id: Identifier
  public var cluster: Identifier
  /// Such as `2026-2027-1`.
  public var term: String
  public var subject: String
  /// 1…12, ascending.
  public var grades: [Int]
  public var textbook: String
  public var lead: Party
  public var receivers: [Party]
  public var mode: Mode
  public var label: Label
  public var weeklyTimes: [WeeklyTime]

  public init(
    id: Identifier, cluster: Identifier, term: String, subject: String, grades: [Int], textbook: String = "",
    lead: Party, receivers: [Party], mode: Mode = .sync, label: Label = .dedicated,
    weeklyTimes: [WeeklyTime] = []
  ) {
    self.id = id
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
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(term, limit: Limits.codeScalars)
    try Limits.checkName(subject)
    try Limits.checkName(textbook, mayBeEmpty: true)
    guard receivers.count <= Limits.seats, weeklyTimes.count <= Limits.weeklyTimes else { throw .tooMany }
    guard grades.allSatisfy({ (1...12).contains($0) }) else { throw .badRange }
    guard grades == Set(grades).sorted() else { throw .duplicate }
    let rooms = receivers.map(\.room) + [lead.room]
    guard Set(rooms).count == rooms.count, Set(weeklyTimes).count == weeklyTimes.count else { throw .duplicate }
    for time in weeklyTimes {
      guard (1...7).contains(time.weekday), (1...20).contains(time.period) else { throw .badRange }
    }
  }
}
