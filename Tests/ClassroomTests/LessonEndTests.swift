// Goal: a lesson may run over its bell, by no more than the policy and never into what others have booked; overtime is
// no attendance. Method: lessons with seats and neighbours made for each rule, and a brute-force reading of the rule
// over random neighbours.
import Classroom
import Testing

@Suite struct LessonEndTests {
  private static let bell: Int64 = 1_000_000_000
  private static let minute: Int64 = 60_000

  private static func id(_ high: UInt64, _ low: UInt64) -> Identifier { Identifier(high: high, low: low) }
  private static let lesson = Lesson(
    id: id(1, 1), registration: id(2, 1), cluster: id(3, 1), title: "音乐", plannedStart: bell - 40 * minute,
    plannedEnd: bell, state: .live)

  /// Room, class and teacher of place `number`; places are the lead's 0 and the sites' 1 and 2.
  private static func seat(
    _ lesson: Identifier, _ role: Seat.Role, room: UInt64? = nil, class grade: UInt64? = nil, person: UInt64? = nil
  ) -> Seat {
    Seat(
      id: id(lesson.low, role == .lead ? 0 : (room ?? 0) + 1), lesson: lesson, role: role,
      room: room.map { id(10, $0) },
      schoolClass: grade.map { id(11, $0) }, person: person.map { id(12, $0) })
  }

  private static let seats = [
    seat(lesson.id, .lead, room: 0, class: 0, person: 0), seat(lesson.id, .receiver, room: 1, class: 1, person: 1),
    seat(lesson.id, .receiver, room: 2, class: 2), seat(lesson.id, .observer, room: 3, class: 3, person: 3),
  ]

  private static func entry(
    _ minutes: Int64, _ role: Seat.Role = .lead, room: UInt64? = nil, class grade: UInt64? = nil,
    person: UInt64? = nil, number: UInt64 = 2, takesClass: Bool = true
  ) -> BookedAtBell.Entry {
    BookedAtBell.Entry(
      start: bell + minutes * minute, seat: seat(id(1, number), role, room: room, class: grade, person: person),
      takesClass: takesClass)
  }

  private static func end(
    _ entries: [BookedAtBell.Entry], policy: OvertimePolicy = .standard
  ) -> LessonEnd {
    LessonEnd(of: lesson, seats: seats, booked: BookedAtBell(entries), policy: policy)
  }

  private static func expect(
    _ end: LessonEnd, minutes: Int64, _ reason: LessonEnd.Reason, _ place: SourceLocation = #_sourceLocation
  ) {
    #expect(end.endsBy == bell + minutes * minute, sourceLocation: place)
    #expect(end.reason == reason, sourceLocation: place)
    #expect(end.plannedEnd == bell, sourceLocation: place)
  }

  @Test func whatNobodyNeedsMayRunOverTenMinutes() {
    Self.expect(Self.end([]), minutes: 10, .limit)
    Self.expect(Self.end([Self.entry(2, room: 9, class: 9, person: 9)]), minutes: 10, .limit)
    Self.expect(Self.end([Self.entry(11, room: 0)]), minutes: 10, .limit)
    let none = OvertimePolicy(longest: 0, patience: 0)
    Self.expect(Self.end([Self.entry(2, room: 0)], policy: none), minutes: 0, .bell)
  }

  @Test func whateverTheLessonOccupiesEndsIt() {
    Self.expect(Self.end([Self.entry(6, room: 0)]), minutes: 6, .leadRoom)
    Self.expect(Self.end([Self.entry(6, .receiver, class: 0)]), minutes: 6, .leadClass)
    Self.expect(Self.end([Self.entry(6, person: 0)]), minutes: 6, .leadTeacher)
    Self.expect(Self.end([Self.entry(6, .receiver, room: 2)]), minutes: 6, .siteRoom)
    Self.expect(Self.end([Self.entry(6, class: 1)]), minutes: 6, .siteClass)
    // The earliest decides, whatever it takes; of two at once the lead's room is told.
    Self.expect(Self.end([Self.entry(6, room: 0), Self.entry(5, class: 1, number: 3)]), minutes: 5, .siteClass)
    Self.expect(Self.end([Self.entry(6, class: 1), Self.entry(6, room: 0, number: 3)]), minutes: 6, .leadRoom)
    // Exactly when it would be over anyway it is told that the room is needed.
    Self.expect(Self.end([Self.entry(10, room: 0)]), minutes: 10, .leadRoom)
    // What is booked already leaves no overtime, and no lesson is cut short of its bell.
    Self.expect(Self.end([Self.entry(-5, room: 0)]), minutes: 0, .leadRoom)
  }

  @Test func whatItDoesNotOccupyCountsForNothing() {
    let others = [
      Self.entry(1, room: 3, class: 3, person: 3), Self.entry(1, .receiver, person: 1, number: 3),
      Self.entry(1, class: 0, number: 4, takesClass: false),
      // The lesson itself may be among those that run.
      Self.entry(-40, room: 0, class: 0, person: 0, number: 1),
    ]
    Self.expect(Self.end(others), minutes: 10, .limit)
  }

  @Test func theBellTheOvertimeAndTheEnd() {
    let end = Self.end([Self.entry(6, room: 0)])
    let bell = Self.bell
    #expect(end.phase(now: bell - 1) == .beforeBell)
    #expect(end.phase(now: bell) == .overtime)
    #expect(end.phase(now: bell + 6 * Self.minute - 1) == .overtime)
    #expect(end.phase(now: bell + 6 * Self.minute) == .over(.leadRoom))
    // A clock that was set back ends nothing.
    #expect(end.phase(now: 0) == .beforeBell && end.phase(now: .min) == .beforeBell)
    // Nobody teaches: over at the bell, or a minute after who was there has gone.
    #expect(end.phase(now: bell - 1, leadGoneSince: 0) == .beforeBell)
    #expect(end.phase(now: bell, leadGoneSince: bell - Self.minute) == .over(.leadGone))
    #expect(end.phase(now: bell + 10_000, leadGoneSince: bell - 20_000) == .overtime)
    #expect(end.phase(now: bell + 40_000, leadGoneSince: bell - 20_000) == .over(.leadGone))
    #expect(end.phase(now: bell + 40_000, leadGoneSince: bell + 90_000) == .overtime, "the clock was set back")
    #expect(Self.end([Self.entry(0, room: 0)]).phase(now: bell) == .over(.leadRoom))
  }

  @Test func valuesNobodyPlansTrapNothing() {
    var lesson = Self.lesson
    lesson.plannedEnd = .max
    let late = LessonEnd(of: lesson, seats: Self.seats, booked: BookedAtBell([Self.entry(1, room: 0)]))
    #expect(late.endsBy == .max && late.phase(now: .min) == .beforeBell)
    lesson.plannedEnd = .min
    let early = LessonEnd(of: lesson, seats: Self.seats, booked: BookedAtBell([]))
    #expect(early.phase(now: .max, leadGoneSince: .min) == .over(.limit))
    #expect(OvertimePolicy(longest: .max, patience: .min) == OvertimePolicy(longest: 3_600_000, patience: 0))
  }

  @Test func theEarliestNeighbourDecidesWhateverTheyAre() {
    var random = SeededGenerator(seed: 4)
    var cut = 0
    for _ in 0..<2_000 {
      let entries = (0..<Int.random(in: 0...6, using: &random)).map { number in
        func thing() -> UInt64? { Bool.random(using: &random) ? UInt64.random(in: 0...5, using: &random) : nil }
        return Self.entry(
          Int64.random(in: -20...15, using: &random), Bool.random(using: &random) ? .lead : .receiver, room: thing(),
          class: thing(), person: thing(), number: UInt64(2 + number))
      }
      // By the words of the rule: the lead's room, class and teacher, the receivers' rooms and classes.
      let starts = entries.filter { entry in
        Self.seats.contains { seat in
          guard seat.role == .lead || seat.role == .receiver else { return false }
          let sharesPerson = seat.role == .lead && seat.person == entry.seat.person
          return (seat.room != nil && seat.room == entry.seat.room)
            || (seat.schoolClass != nil && seat.schoolClass == entry.seat.schoolClass)
            || (seat.person != nil && sharesPerson)
        }
      }.map(\.start)
      let expected = starts.map { max($0, Self.bell) }.min().map { min($0, Self.bell + 10 * Self.minute) }
      let end = Self.end(entries)
      #expect(end.endsBy == expected ?? Self.bell + 10 * Self.minute)
      if end.endsBy < Self.bell + 10 * Self.minute { cut += 1 }
    }
    #expect(cut > 200, "the rule was put to use")
  }

  @Test func overtimeIsNoAttendance() {
    var tracker = AttendanceTracker(lesson: Self.lesson)
    let bell = Self.bell
    tracker.setLive(true, now: bell - 40 * Self.minute)
    _ = tracker.connect(peer: 1, now: bell - 20_000)
    // Media is acknowledged every five seconds until ten minutes after the bell.
    for second in stride(from: Int64(-15), through: 600, by: 5) {
      tracker.acknowledge(peer: 1, now: bell + second * 1_000)
    }
    #expect(tracker.effectiveMilliseconds == 20_000)
  }
}
