import Classroom
import ControlAPI
import Ledger

/// What a term's timetable was when the ledger was read, with what is looked up in it again and again.
struct TermSnapshot: Sendable {
  private(set) var timetable: Timetable
  private(set) var checker: ConflictChecker
  let places: AccessPlaces
  private let courses: [String: Course]
  private let coursesByID: [Identifier: Course]
  private let rooms: [String: [Identifier]]
  private let classes: [String: Identifier]

  init(_ timetable: Timetable) {
    self.timetable = timetable
    checker = ConflictChecker(timetable)
    places = AccessPlaces(institutions: timetable.institutions.values, rooms: timetable.rooms.values)
    courses = Dictionary(timetable.courses.map { ($0.number, $0) }) { first, _ in first }
    coursesByID = Dictionary(timetable.courses.map { ($0.id, $0) }) { first, _ in first }
    rooms = Dictionary(grouping: timetable.rooms.values, by: \.number).mapValues { $0.map(\.id) }
    classes = Dictionary(timetable.classes.values.map { ($0.number, $0.id) }) { first, _ in first }
  }

  /// Takes up what the dated lessons of a course have become. Cost: what they touch, and one pass over the lessons.
  mutating func update(
    _ course: Identifier, lessons: [Lesson], roomChanges: [Identifier: [RoomChange]]
  ) {
    guard coursesByID[course] != nil else { return }
    // The lessons of a draft follow from its courses, but for those that were added.
    let lessons = timetable.term.state == .draft ? lessons.filter { $0.origin == nil } : lessons
    for lesson in timetable.lessons where lesson.course == course { timetable.roomChanges[lesson.id] = nil }
    timetable.lessons.removeAll { $0.course == course }
    timetable.lessons += lessons
    timetable.roomChanges.merge(roomChanges) { $1 }
    checker.update(course, lessons: lessons, roomChanges: roomChanges)
  }

  /// - Throws: `unknownName`.
  func course(_ number: String) throws(Problem) -> Course {
    guard !number.isEmpty, let course = courses[number] else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return course
  }

  /// Nil for one that is not of the term.
  func course(_ id: Identifier) -> Course? { coursesByID[id] }

  /// - Throws: `unknownName`, `ambiguousName` where schools number alike.
  func room(_ number: String) throws(Problem) -> Identifier {
    guard let found = rooms[number] else { throw Problem(.unknownName, arguments: ["name": number]) }
    guard found.count == 1 else { throw Problem(.ambiguousName, arguments: ["name": number]) }
    return found[0]
  }

  /// - Throws: `unknownName`.
  func schoolClass(_ number: String) throws(Problem) -> Identifier {
    guard !number.isEmpty, let found = classes[number] else {
      throw Problem(.unknownName, arguments: ["name": number])
    }
    return found
  }

  /// The number of a course; empty for one that is not of the term.
  func number(ofCourse id: Identifier) -> String { coursesByID[id]?.number ?? "" }

  /// Who changes the whole term has every place of its courses.
  var target: AccessTarget {
    var joint = AccessTarget.Joint(leads: [], sites: [])
    for room in Set(timetable.courses.map(\.lead.room)) { joint.leads.append(places.place(room: room)) }
    for room in Set(timetable.courses.flatMap { $0.receivers.map(\.room) }) {
      joint.sites.append(places.place(room: room))
    }
    return .joint(joint)
  }
}
