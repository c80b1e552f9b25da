public import Classroom
internal import GRDB

/// Changes of single lessons after publication. Each raises the lesson's revision, keeps later publications away from
/// the lesson, and appends an event with old and new.
///
/// `reason` has 1…200 scalars; people should be told not to write names into it. All throw `notFound` for what does
/// not exist, `immutable` for a lesson that is being taught or was, `badTransition` for one that was cancelled or
/// lapsed, `stale` for another version than `ifVersion`, and `ClassroomError` for a value that is wrong by itself.
extension LedgerTransaction {
  /// 调课: another time, end exclusive, in UTC milliseconds. A lesson that was armed is published again, to be armed when
  /// its new time comes.
  @discardableResult
  public func moveLesson(
    _ id: Identifier, to span: Range<Int64>, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    let old = try changeable(id, ifVersion)
    var lesson = old
    _ = lesson.take(.disarm)
    lesson.plannedStart = span.lowerBound
    lesson.plannedEnd = span.upperBound
    let facts = LessonChangeWriter.moved(from: old, to: lesson)
    try changeWriter(reason, actor).keep(&lesson, .lessonMoved, byHand: true, facts)
    return lesson
  }

  /// 代课: another teacher who leads it, nil for the course's own again.
  @discardableResult
  public func substitute(
    _ id: Identifier, teacher: Identifier?, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    var lesson = try changeable(id, ifVersion)
    let course = try lesson.course.flatMap { try Course.fetch(db, id: $0) }
    let facts = [("old", lesson.teacher?.description ?? ""), ("new", teacher?.description ?? "")]
    lesson.teacher = teacher
    try changeWriter(reason, actor).keep(&lesson, .lessonSubstituted, byHand: true, facts)
    for var seat in try Seat.fetch(db, where: "lesson = ? AND role = 'lead'", [id.databaseValue]) {
      seat.person = teacher ?? course?.lead.teacher
      try seat.put(db)
    }
    return lesson
  }

  /// 取消: the lesson stays, as one that will not be held.
  @discardableResult
  public func cancelLesson(
    _ id: Identifier, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    var lesson = try changeable(id, ifVersion)
    let facts = [("oldState", lesson.state.rawValue)]
    guard lesson.take(.cancel) else { throw LedgerError.badTransition }
    try changeWriter(reason, actor).keep(&lesson, .lessonCancelled, byHand: true, facts)
    return lesson
  }

  /// 加课: a lesson beside the weekly times, with the course's seats, told to the sites at once; it may start in five
  /// minutes, or have started. Throws `badRange` for one that would be over already.
  @discardableResult
  public func addLesson(
    course id: Identifier, span: Range<Int64>, title: String, teacher: Identifier? = nil, reason: String,
    by actor: Identifier
  ) throws -> Lesson {
    guard let course = try Course.fetch(db, id: id) else { throw LedgerError.notFound }
    guard span.upperBound > now else { throw ClassroomError.badRange }
    let writer = try changeWriter(reason, actor)
    var random = SystemRandomNumberGenerator()
    func identifier() -> Identifier { Identifier(milliseconds: now, using: &random) }
    let lesson = Lesson(
      id: identifier(), registration: identifier(), course: id, cluster: course.cluster, title: title,
      plannedStart: span.lowerBound, plannedEnd: span.upperBound, state: .published, teacher: teacher)
    try lesson.put(db)
    for var seat in course.seats(of: lesson) {
      seat.id = identifier()
      try seat.put(db)
    }
    let facts = [("newStart", String(lesson.plannedStart)), ("newEnd", String(lesson.plannedEnd))]
    try writer.note(lesson, .lessonAdded, byHand: true, facts)
    return lesson
  }

  /// Puts a seat of one lesson into another room. Throws `duplicate` when the lesson has a seat there already.
  @discardableResult
  public func changeRoom(
    ofSeat id: Identifier, to room: Identifier, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Seat {
    guard var seat = try Seat.fetch(db, id: id) else { throw LedgerError.notFound }
    try checkVersion(of: seat, ifVersion)
    var lesson = try changeable(seat.lesson, nil)
    let others = try Seat.fetch(
      db, where: "lesson = ? AND room = ? AND id <> ?",
      [seat.lesson.databaseValue, room.databaseValue, id.databaseValue])
    guard others.isEmpty else { throw ClassroomError.duplicate }
    let facts = [("old", seat.room?.description ?? ""), ("new", room.description)]
    seat.room = room
    try seat.put(db)
    try changeWriter(reason, actor).keep(&lesson, .lessonRoomChanged, seat: id, byHand: true, facts)
    return seat
  }

  private func changeable(_ id: Identifier, _ version: String?) throws -> Lesson {
    guard let lesson = try Lesson.fetch(db, id: id) else { throw LedgerError.notFound }
    try checkVersion(of: lesson, version)
    switch lesson.state {
    case .live, .ended, .interrupted: throw LedgerError.immutable
    case .cancelled, .notHeld: throw LedgerError.badTransition
    case .planned, .published, .armed: return lesson
    }
  }

  private func changeWriter(_ reason: String, _ actor: Identifier) throws -> LessonChangeWriter {
    try Limits.checkName(reason)
    return LessonChangeWriter(db: db, now: now, actor: actor, reason: reason)
  }
}

extension Course {
  /// The seats that a lesson of it has, lead first; their identifiers are still to be given.
  func seats(of lesson: Lesson) -> [Seat] {
    ([lead] + receivers).enumerated().map { index, party in
      Seat(
        id: Identifier(high: 0, low: 0), lesson: lesson.id, role: index == 0 ? .lead : .receiver, room: party.room,
        schoolClass: party.schoolClass, person: index == 0 ? lesson.teacher ?? party.teacher : party.teacher)
    }
  }
}

/// Each a transaction of its own; see `LedgerTransaction`.
extension LedgerStore {
  @discardableResult
  public func moveLesson(
    _ id: Identifier, to span: Range<Int64>, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    try transaction { try $0.moveLesson(id, to: span, reason: reason, by: actor, ifVersion: ifVersion) }
  }

  @discardableResult
  public func substitute(
    _ id: Identifier, teacher: Identifier?, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    try transaction { try $0.substitute(id, teacher: teacher, reason: reason, by: actor, ifVersion: ifVersion) }
  }

  @discardableResult
  public func cancelLesson(
    _ id: Identifier, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Lesson {
    try transaction { try $0.cancelLesson(id, reason: reason, by: actor, ifVersion: ifVersion) }
  }

  @discardableResult
  public func addLesson(
    course: Identifier, span: Range<Int64>, title: String, teacher: Identifier? = nil, reason: String,
    by actor: Identifier
  ) throws -> Lesson {
    try transaction {
      try $0.addLesson(course: course, span: span, title: title, teacher: teacher, reason: reason, by: actor)
    }
  }

  @discardableResult
  public func changeRoom(
    ofSeat id: Identifier, to room: Identifier, reason: String, by actor: Identifier, ifVersion: String? = nil
  ) throws -> Seat {
    try transaction { try $0.changeRoom(ofSeat: id, to: room, reason: reason, by: actor, ifVersion: ifVersion) }
  }
}
