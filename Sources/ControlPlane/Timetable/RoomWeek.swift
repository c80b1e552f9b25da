import Classroom
import Ledger

/// What a room has in one week: the joint lessons, and beside them those that its classes are taught by their own
/// school.
struct RoomWeek {
  private(set) var lessons: [WeekLesson] = []
  /// Classes of the room whose local timetable was never imported as a whole: what they have besides is not known.
  private(set) var unknown: [Identifier] = []

  init(
    of room: Identifier, from monday: CivilDate, week: Int, _ names: TimetableNames, _ store: LedgerStore,
    showsLocals: Bool
  ) throws {
    let timetable = names.timetable
    let span = CivilText.midnight(monday)...(CivilText.midnight(monday + 7) - 1)
    let held = try store.lessons(room: room, startingIn: span).filter {
      $0.state != .cancelled && $0.state != .notHeld
    }
    let seats = try store.seats(lessons: held.map(\.id))
    // Times that joint lessons have taken from local ones, by class and subject.
    var filled: [(schoolClass: Identifier, subject: String, span: Range<Int64>)] = []
    for lesson in held where lesson.plannedStart < lesson.plannedEnd {
      let course = names.course(lesson.course)
      let lead = seats[lesson.id]?.first { $0.role == .lead }?.room ?? course?.lead.room ?? room
      let teacher = (lesson.teacher ?? course?.lead.teacher).flatMap { timetable.persons[$0]?.name } ?? ""
      lessons.append(
        WeekLesson(
          weekday: CivilTime.date(of: lesson.plannedStart).weekday, start: CivilTime.time(of: lesson.plannedStart),
          end: CivilTime.time(of: lesson.plannedEnd), weeks: WeekSet([week]),
          subject: course.map { names.subject($0.subject) } ?? lesson.title, teacher: teacher,
          room: names.number(ofRoom: lead), title: lesson.title))
      for seat in seats[lesson.id] ?? [] where seat.room == room {
        guard let schoolClass = seat.schoolClass, let course else { continue }
        filled.append((schoolClass, course.subject, lesson.plannedStart..<lesson.plannedEnd))
      }
    }
    guard showsLocals else { return }
    for schoolClass in Self.classes(of: room, timetable) {
      if !timetable.knowsLocals(of: schoolClass) { unknown.append(schoolClass) }
      for local in timetable.localOccurrences(of: schoolClass, from: monday) {
        let isFilled = filled.contains {
          $0.schoolClass == schoolClass && $0.subject == local.lesson.subject && $0.span.overlaps(local.span)
        }
        guard !isFilled else { continue }
        lessons.append(
          WeekLesson(
            weekday: local.date.weekday, start: local.start, end: local.end, weeks: WeekSet([week]),
            subject: names.subject(local.lesson.subject),
            teacher: local.lesson.teacher.flatMap { timetable.persons[$0]?.name } ?? "",
            room: timetable.classes[schoolClass]?.number ?? "", isLocal: true))
      }
    }
  }

  /// Those whose room it is, and those that come into it for a course of the term.
  private static func classes(of room: Identifier, _ timetable: Timetable) -> [Identifier] {
    var classes = Set(timetable.classes.values.filter { $0.homeRoom == room }.map(\.id))
    for course in timetable.courses {
      for party in [course.lead] + course.receivers where party.room == room {
        if let schoolClass = party.schoolClass { classes.insert(schoolClass) }
      }
    }
    return classes.sorted()
  }
}
