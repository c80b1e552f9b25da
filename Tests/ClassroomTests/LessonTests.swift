import Classroom
import Testing

@Suite struct LessonTests {
  static let id = Identifier(high: 1, low: 1)

  static func lesson(start: Int64 = 0, end: Int64 = 2_400_000, state: LessonState = .planned) -> Lesson {
    Lesson(
      id: id, registration: id, cluster: id, title: "三年级音乐", plannedStart: start, plannedEnd: end, state: state)
  }

  @Test func everyStepFromEveryStateIsAsDrawn() {
    let drawn: [LessonState: [LessonStep: LessonState]] = [
      .planned: [.publish: .published, .cancel: .cancelled, .lapse: .notHeld],
      .published: [.arm: .armed, .cancel: .cancelled, .lapse: .notHeld],
      .armed: [.disarm: .published, .goLive: .live, .cancel: .cancelled, .lapse: .notHeld],
      .live: [.end: .ended, .interrupt: .interrupted],
      .interrupted: [.goLive: .live, .end: .ended],
      .ended: [:], .cancelled: [:], .notHeld: [:],
    ]
    for state in LessonState.allCases {
      for step in LessonStep.allCases {
        #expect(state.after(step) == drawn[state]?[step], "\(state) \(step)")
        var lesson = Self.lesson(state: state)
        #expect(lesson.take(step) == (drawn[state]?[step] != nil))
        #expect(lesson.state == drawn[state]?[step] ?? state)
      }
    }
    #expect(LessonState.allCases.filter(\.isFinal) == [.ended, .cancelled, .notHeld])
    #expect(LessonState.allCases.filter(\.isOpen) == [.armed, .live, .interrupted])
    #expect(LessonState.live.leads(to: .ended) && !LessonState.planned.leads(to: .live))
  }

  @Test func lessonsOutsideTheirRangesAreRefused() throws {
    try Self.lesson().validate()
    let wrong: [(Lesson, ClassroomError)] = [
      (Self.lesson(start: 5, end: 5), .badRange), (Self.lesson(start: 6, end: 5), .badRange),
      (Self.lesson(start: -1), .badRange), (Self.lesson(start: .min, end: .max), .badRange),
      (Self.lesson(end: 25 * 3_600_000), .badRange),
    ]
    for (lesson, error) in wrong { #expect(throws: error) { try lesson.validate() } }
    var lesson = Self.lesson()
    lesson.thresholdsVersion = 99
    #expect(throws: ClassroomError.badRange) { try lesson.validate() }
    lesson = Self.lesson()
    lesson.title = String(repeating: "课", count: 200)
    try lesson.validate()
    for title in [
      "", "a\u{0}b", "a\nb", String(repeating: "课", count: 201), "e" + String(repeating: "\u{301}", count: 200),
    ] {
      lesson.title = title
      #expect(throws: ClassroomError.badName) { try lesson.validate() }
    }
  }

  @Test func institutionsNeedWhatTheirKindSays() throws {
    let parent = Identifier(high: 2, low: 2)
    var point = Institution(id: Self.id, kind: .teachingPoint, name: "东山教学点", code: "0123456789", parent: parent)
    try point.validate()
    point.parent = nil
    #expect(throws: ClassroomError.missingParent) { try point.validate() }
    point.parent = point.id
    #expect(throws: ClassroomError.duplicate) { try point.validate() }
    point.parent = parent
    for code in ["", "123456789", "12345678901", "123456789x", "１２３４５６７８９０"] {
      point.code = code
      #expect(throws: ClassroomError.badCode) { try point.validate() }
    }
    point.code = nil
    point.validFrom = 2
    point.validUntil = 1
    #expect(throws: ClassroomError.badRange) { try point.validate() }
  }

  @Test func gradesFollowFromTheSchoolYear() throws {
    let cohort = SchoolClass.Cohort(entryYear: 2024, headCount: 31)
    let grades: [Int?] = [nil] + (1...12).map { $0 } + [nil, nil]
    #expect((2023...2037).map { cohort.grade(inSchoolYearStarting: $0) } == grades)
    #expect(cohort.grade(inSchoolYearStarting: .min) == nil)
    var mixed = SchoolClass(
      id: Self.id, institution: Self.id, name: "复式班", cohorts: [cohort, .init(entryYear: 2025, headCount: 4)])
    try mixed.validate()
    #expect(mixed.headCount == 35)
    mixed.cohorts.append(cohort)
    #expect(throws: ClassroomError.duplicate) { try mixed.validate() }
    mixed.cohorts = [.init(entryYear: 2024, headCount: -1)]
    #expect(throws: ClassroomError.badRange) { try mixed.validate() }
    mixed.cohorts = (0..<13).map { .init(entryYear: 2000 + $0, headCount: 1) }
    #expect(throws: ClassroomError.tooMany) { try mixed.validate() }
  }

  @Test func coursesAndClustersNameEachOnce() throws {
    let rooms = (0..<4).map { Identifier(high: 7, low: $0) }
    var course = Course(
      id: Self.id, cluster: Self.id, term: "2026-2027-1", subject: "音乐", grades: [1, 3],
      lead: .init(room: rooms[0]), receivers: rooms.dropFirst().map { .init(room: $0) },
      weeklyTimes: [.init(weekday: 1, period: 3)])
    try course.validate()
    course.grades = [3, 1]
    #expect(throws: ClassroomError.duplicate) { try course.validate() }
    course.grades = [0]
    #expect(throws: ClassroomError.badRange) { try course.validate() }
    course.grades = [1]
    course.receivers.append(.init(room: rooms[0]))
    #expect(throws: ClassroomError.duplicate) { try course.validate() }
    course.receivers = []
    course.weeklyTimes = [.init(weekday: 8, period: 1)]
    #expect(throws: ClassroomError.badRange) { try course.validate() }
    let member = Cluster.Member(institution: Self.id, leads: true)
    #expect(throws: ClassroomError.duplicate) {
      try Cluster(id: Self.id, name: "群", members: [member, member]).validate()
    }
  }

  @Test func resourcePathsStayInTheDataFolder() throws {
    var resource = ResourceFile(
      id: Self.id, lesson: Self.id, kind: .recording, path: "resources/a/lesson.mp4", mediaType: "video/mp4",
      byteCount: 1, sha256: String(repeating: "0f", count: 32), durationMilliseconds: 1, state: .made, madeAt: 1)
    try resource.validate()
    for path in ["", "/etc/passwd", "a//b", "../x", "a/../b", "a/.", "a/"] {
      resource.path = path
      #expect(throws: ClassroomError.badName) { try resource.validate() }
    }
    resource.path = "a"
    resource.sha256 = String(repeating: "0F", count: 32)
    #expect(throws: ClassroomError.badCode) { try resource.validate() }
  }
}
