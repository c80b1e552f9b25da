import Classroom
import Ledger
import Testing

/// The county whose figures were agreed on, as lessons that were really armed, taught and ended in a ledger.
struct GoldenCounty {
  static let seconds: Int64 = 2_400
  static let term = "2026-2027-1"
  /// The first lesson's day; one lesson follows each day.
  static let firstDay = CivilDate("2026-09-07")!
  static let span = FigureSpan(from: CivilDate("2026-09-01")!, through: CivilDate("2027-01-31")!)!

  private(set) var lessons: [Lesson] = []
  private(set) var seats: [Identifier: [Seat]] = [:]

  static func id(_ section: UInt64, _ number: UInt64) -> Identifier {
    Identifier(high: 0x901D_0000_0000_7000 | section << 16, low: 0x8000_0000_0000_0000 | number)
  }
  static func point(_ number: UInt64) -> Identifier { id(1, number) }
  static func room(_ number: UInt64) -> Identifier { id(2, number) }
  static func pupils(_ number: UInt64) -> Identifier { id(3, number) }

  static func start(_ number: UInt64) -> Int64 {
    CivilTime.instant(firstDay + Int(number), ClockTime("08:20")!)
  }

  /// Each course with its cluster, teacher, grades and points.
  private static func courses() -> [Course] {
    func course(
      _ number: UInt64, _ cluster: UInt64, _ subject: String, _ grades: [Int], _ points: [UInt64],
      _ mode: Course.Mode = .sync
    ) -> Course {
      Course(
        id: id(6, number), number: "K\(number)", cluster: id(5, cluster), term: term, subject: subject, grades: grades,
        lead: .init(room: room(0), teacher: id(4, number)),
        receivers: points.map { .init(schoolClass: pupils($0), room: room($0)) }, mode: mode)
    }
    return [
      course(1, 1, "music", [3], [1, 2]), course(2, 1, "music", [4], [1]), course(3, 1, "music", [4], [1]),
      course(4, 2, "english", [3], [3]), course(5, 2, "music", [3], [3], .asyncDual),
      course(6, 1, "music", [3], [1], .research),
    ]
  }

  private static func catalogue(_ changes: LedgerTransaction) throws {
    for number in 0...4 as ClosedRange<UInt64> {
      let isLead = number == 0
      try changes.upsert(
        Institution(
          id: point(number), number: isLead ? "L" : "P\(number)", kind: isLead ? .school : .teachingPoint,
          name: isLead ? "中心小学" : "教学点\(number)", parent: isLead ? nil : point(0), setting: isLead ? .town : .rural,
          region: "某县"))
      try changes.upsert(
        Room(
          id: room(number), institution: point(number), number: isLead ? "L-1" : "P\(number)-1",
          name: isLead ? "录播教室" : "教室"))
      guard !isLead else { continue }
      try changes.upsert(
        SchoolClass(
          id: pupils(number), number: "P\(number)-B1", institution: point(number), name: "复式班",
          cohorts: [.init(entryYear: 2024, headCount: 9), .init(entryYear: 2023, headCount: 6)]))
    }
    for number in 1...6 as ClosedRange<UInt64> {
      try changes.upsert(
        Person(id: id(4, number), institution: point(0), name: "教师\(number)", staffNumber: "100\(number)"))
    }
    for (number, points) in [(1, [1, 2]), (2, [3])] as [(UInt64, [UInt64])] {
      try changes.upsert(
        Cluster(
          id: id(5, number), number: "Q\(number)", name: "联校群\(number)",
          members: [.init(institution: point(0), leads: true)]
            + points.map { .init(institution: point($0), leads: false) }))
    }
    for course in courses() { try changes.upsert(course) }
  }

  /// Fills a ledger whose clock the folder sets, at the times of the lessons.
  init(in store: LedgerStore, _ folder: LedgerFolder) throws {
    folder.set(Self.start(0) - 86_400_000)
    try store.transaction { try Self.catalogue($0) }
    let courses = Self.courses()
    // Course and lesson by lesson: seconds by point.
    let plan: [(course: Int, attended: [UInt64: Int64]?)] = [
      (0, [1: 2_400, 2: 2_400]), (0, [1: 2_400, 2: 1_599]), (0, [1: 2_400, 2: 0]), (0, nil),
      (1, [1: 2_400]), (1, [1: 2_400]), (2, [1: 2_400]), (2, [1: 2_400]),
      (3, [:]), (3, nil), (3, nil), (3, nil), (4, [3: 2_400]), (5, [1: 2_400]),
    ]
    for (index, entry) in plan.enumerated() {
      try add(UInt64(index + 1), courses[entry.course], to: store)
    }
    for (index, entry) in plan.enumerated() {
      let lesson = lessons[index]
      if index == 3 {
        _ = try store.transaction {
          try $0.cancelLesson(lesson.id, reason: "教师外出培训", by: Self.id(9, 1))
        }
      } else if let attended = entry.attended {
        try teach(lesson, attended, store, folder)
      } else {
        folder.set(lesson.plannedEnd)
        try store.append(LedgerEvent(kind: .lessonNotHeld, lesson: lesson.id, payload: [("reason", "unheld")]))
      }
    }
    folder.set(Self.start(20))
  }

  private mutating func add(_ number: UInt64, _ course: Course, to store: LedgerStore) throws {
    let start = Self.start(number - 1)
    let lesson = Lesson(
      id: Self.id(7, number), registration: Self.id(8, number), course: course.id, cluster: course.cluster,
      title: "第\(number)课", plannedStart: start, plannedEnd: start + Self.seconds * 1_000, state: .published)
    try store.upsert(lesson)
    lessons.append(lesson)
    for (index, party) in ([course.lead] + course.receivers).enumerated() {
      let seat = Seat(
        id: Self.id(0xA, number * 10 + UInt64(index)), lesson: lesson.id, role: index == 0 ? .lead : .receiver,
        room: party.room, schoolClass: party.schoolClass, person: party.teacher)
      try store.upsert(seat)
      seats[lesson.id, default: []].append(seat)
    }
  }

  private func teach(
    _ lesson: Lesson, _ attended: [UInt64: Int64], _ store: LedgerStore, _ folder: LedgerFolder
  ) throws {
    let seats = seats[lesson.id] ?? []
    func event(_ kind: EventKind, _ seat: Seat? = nil) -> LedgerEvent {
      LedgerEvent(kind: kind, lesson: lesson.id, seat: seat?.id)
    }
    folder.set(lesson.plannedStart - 60_000)
    try store.append([event(.lessonArmed), event(.seatJoined, seats[0]), event(.peerConnected, seats[0])])
    folder.set(lesson.plannedStart)
    try store.append(event(.lessonLive))
    var counters: [AttendanceCounter] = []
    for (point, seconds) in attended.sorted(by: { $0.key < $1.key }) where seconds > 0 {
      guard let seat = seats.first(where: { $0.room == Self.room(point) }) else { continue }
      try store.append([event(.seatJoined, seat), event(.peerConnected, seat)])
      counters.append(
        AttendanceCounter(
          lesson: lesson.id, seat: seat.id, effectiveMilliseconds: seconds * 1_000, connected: true))
    }
    folder.set(lesson.plannedEnd)
    try store.checkpoint(counters)
    try store.append(event(.lessonEnded))
  }
}
