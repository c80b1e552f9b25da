/// Finds what is wrong with the courses of a timetable, and goes on doing so while courses come and go.
///
/// Courses stand in the order of the timetable, added ones last, and each is held against those before it: `check()`
/// names every pair once, and for what is too much (seats, screen time) the course with which it became so. What is
/// not known is no conflict: classes without an imported timetable have no local lessons, rooms never measured no
/// bandwidth. People, rooms and classes are booked as `Booking` says; a local lesson of the course's own subject and
/// of a class that takes part in it is the slot that the course fills, and in nobody's way. Two lessons of one course
/// overlap when their spans do, and are told once, by their room.
public struct ConflictChecker: Sendable {
  /// Conflicts told by one check; nothing is looked for beyond them.
  public static let limit = 100_000

  let timetable: Timetable
  let locals: LocalTable
  let roomsOf: [Identifier: [Identifier]]
  let personsOf: [Identifier: [Identifier]]
  /// By course: of a draft those that were added beside its weekly times.
  private var lessons: [Identifier: [Lesson]]
  private var roomChanges: [Identifier: [RoomChange]]
  private(set) var schools = SchoolTable()
  private(set) var courses: [Int: CheckedCourse] = [:]
  private(set) var orders: [Identifier: Int] = [:]
  private(set) var uses: [Resource: UseList] = [:]
  /// By the day on which lessons begin.
  private(set) var loads: [Int: DayLoad] = [:]
  private var nextOrder = 0

  /// Cost: as `Timetable.bookings()`, and sorting them by room, person and class.
  public init(_ timetable: Timetable) {
    self.timetable = timetable
    locals = LocalTable(timetable)
    lessons = timetable.lessonsByCourse
    roomChanges = timetable.roomChanges
    // Sorted, so that nothing depends on hashing.
    roomsOf = Dictionary(grouping: timetable.rooms.values, by: \.institution).mapValues { $0.map(\.id).sorted() }
    personsOf = timetable.persons.values.reduce(into: [Identifier: [Identifier]]()) { byInstitution, person in
      if let institution = person.institution { byInstitution[institution, default: []].append(person.id) }
    }.mapValues { $0.sorted() }
    for local in timetable.localLessons.values.joined() { _ = schools.days(of: local.institution, in: timetable) }
    for course in timetable.courses {
      if orders[course.id] != nil { remove(course.id) }
      append(course, sorting: false)
    }
    for resource in uses.keys { uses[resource]?.sort() }
  }

  /// Everything that is wrong, course by course.
  public func check() -> [Conflict] {
    var found: [Conflict] = []
    for (order, course) in courses.sorted(by: { $0.key < $1.key }) {
      found += Inspection(of: course, in: self, schools: schools, before: order).conflicts()
      if found.count >= Self.limit { return Array(found.prefix(Self.limit)) }
    }
    return found
  }

  /// What would be wrong with a course if it were added, or took the place of the one with its identifier.
  ///
  /// Of a published term: with `lessons` instead of those the timetable has of it, so that a change of one can be
  /// checked. Cost: what its lessons touch, not the timetable.
  public func check(adding course: Course, lessons changed: [Lesson]? = nil) -> [Conflict] {
    var schools = schools
    let checked = plan(course, order: .max, lessons: changed ?? lessons[course.id] ?? [], schools: &schools)
    return Inspection(of: checked, in: self, schools: schools, except: orders[course.id]).conflicts()
  }

  /// Adds a course behind all others; one with the same identifier gives way to it. `lessons` as with `check(adding:)`.
  public mutating func add(_ course: Course, lessons changed: [Lesson]? = nil) {
    remove(course.id)
    if let changed { lessons[course.id] = changed }
    append(course, sorting: true)
  }

  public mutating func remove(_ course: Identifier) { _ = takeOut(course) }

  /// Takes a course up again in its place, with other dated lessons than before and their changes of rooms.
  ///
  /// Nothing happens for a course that is not in the checker. Cost: what its lessons touch.
  public mutating func update(
    _ course: Identifier, lessons changed: [Lesson], roomChanges changes: [Identifier: [RoomChange]]
  ) {
    for lesson in lessons[course] ?? [] { roomChanges[lesson.id] = nil }
    guard let order = orders[course], let checked = takeOut(course) else { return }
    lessons[course] = changed
    roomChanges.merge(changes) { $1 }
    put(checked.course, at: order, sorting: true)
  }

  /// What a change of one dated lesson, or a new one, would make wrong that is not so already.
  ///
  /// `lesson` takes the place of the one with its identifier; it is held against the rest of the term, its own course
  /// included, and told with its date alone. What is wrong with the course whatever the day is not looked for. Cost:
  /// what the lessons of its course touch, not the timetable.
  public func check(changing lesson: Lesson, of course: Course, roomChanges changes: [RoomChange]? = nil) -> [Conflict]
  {
    var schools = schools
    let known = lessons[course.id] ?? []
    let old = known.contains { $0.id == lesson.id } ? inspect(lesson.id, of: course, known, nil, &schools) : []
    var all = known.filter { $0.id != lesson.id }
    all.append(lesson)
    var rooms = roomChanges
    if let changes { rooms[lesson.id] = changes }
    let before = Set(old.map(Self.matter))
    return inspect(lesson.id, of: course, all, rooms, &schools).filter { !before.contains(Self.matter(of: $0)) }
  }

  /// A conflict without what another time or room would change of its weight alone.
  private static func matter(of conflict: Conflict) -> Conflict {
    var matter = conflict
    (matter.resolutions, matter.seats, matter.end) = ([], nil, nil)
    return matter
  }

  private func inspect(
    _ lesson: Identifier, of course: Course, _ lessons: [Lesson], _ changes: [Identifier: [RoomChange]]?,
    _ schools: inout SchoolTable
  ) -> [Conflict] {
    let checked = plan(course, order: .max, lessons: lessons, changes: changes, schools: &schools)
    return Inspection(of: checked, in: self, schools: schools, except: orders[course.id]).conflicts(of: lesson)
  }

  private mutating func takeOut(_ course: Identifier) -> CheckedCourse? {
    guard let order = orders.removeValue(forKey: course), let checked = courses.removeValue(forKey: order) else {
      return nil
    }
    for (resource, _) in checked.uses { uses[resource]?.remove(order: order) }
    for booking in checked.bookings { loads[booking.date.day]?.remove(order: order) }
    return checked
  }

  func plan(
    _ course: Course, order: Int, lessons: [Lesson], changes: [Identifier: [RoomChange]]? = nil,
    schools: inout SchoolTable
  ) -> CheckedCourse {
    let (bookings, undated) = timetable.plan(
      of: course, lessons: lessons, changes: changes ?? roomChanges, schools: &schools)
    if let lead = timetable.rooms[course.lead.room]?.institution { _ = schools.days(of: lead, in: timetable) }
    return CheckedCourse(course: course, order: order, bookings: bookings, undated: undated)
  }

  private mutating func append(_ course: Course, sorting: Bool) {
    put(course, at: nextOrder, sorting: sorting)
    nextOrder += 1
  }

  private mutating func put(_ course: Course, at order: Int, sorting: Bool) {
    let checked = plan(course, order: order, lessons: lessons[course.id] ?? [], schools: &schools)
    courses[order] = checked
    orders[course.id] = order
    for (resource, list) in checked.uses {
      uses[resource, default: UseList()].append(list)
      if sorting { uses[resource]?.sort() }
    }
    for booking in checked.bookings where booking.seats > 0 {
      loads[booking.date.day, default: DayLoad()].append(
        DayLoad.Part(span: booking.span, seats: booking.seats, order: order))
    }
  }
}
