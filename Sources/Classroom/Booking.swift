/// What one dated lesson occupies: times in UTC milliseconds, end exclusive, and whom and what it needs then.
///
/// The lead's teacher, room and class are booked for the lesson's span, those of a site for what the site occupies.
/// Research books no classes. A recorded lesson (`asyncDual`) books its sites alone and takes no seat of the relay.
public struct Booking: Hashable, Sendable {
  /// One receiving room.
  public struct Site: Hashable, Sendable {
    public var room: Identifier
    /// Nil in research.
    public var schoolClass: Identifier?
    public var teacher: Identifier?
    public var institution: Identifier
    /// The lesson's span joined with every period of the site's bells that shares time with it. Where the site keeps
    /// the lead's bell, joined with the one period that shares most (the earlier of two); in research the span itself.
    public var occupied: Range<Int64>
    /// Minutes that the period which shares most time departs from the lesson: its start from the lesson's, or the
    /// lesson's end behind its own, whichever is more. 0 where the site keeps the lead's bell, and in research. Nil
    /// when no period of the day shares time with the lesson: on a holiday, between bells, and when no bells are known.
    public var misfit: Int?
    /// Minutes of the lesson that lie in that period: all where the site keeps the lead's bell, and in research.
    public var overlap: Int
    /// Whether the site keeps the lead's bell for this lesson.
    public var keepsLeadBell: Bool
  }

  /// Nil in a draft.
  public var lesson: Identifier?
  public var course: Identifier
  public var mode: Course.Mode
  public var origin: LessonOrigin?
  /// The date on which it starts.
  public var date: CivilDate
  public var span: Range<Int64>
  /// Nil for a recorded lesson, and where nobody is named.
  public var leadTeacher: Identifier?
  /// Where it is led from; not occupied by a recorded lesson.
  public var leadRoom: Identifier
  /// Nil for a recorded lesson, in research, and for a lead without a class.
  public var leadClass: Identifier?
  /// In the order of the course's receivers; those whose room or school is not known are left out.
  public var sites: [Site]
  /// Which of the course's weekly times it comes from; nil for a lesson moved to another date or start, or added.
  public var weeklyTime: Int?

  /// Sessions that the relay carries for it: lead and sites; none for a recorded lesson.
  public var seats: Int { mode == .asyncDual ? 0 : 1 + sites.count }
  /// Whether teacher, room and class of the lead are needed.
  public var needsLead: Bool { mode != .asyncDual }
}

extension Timetable {
  /// What the lessons of a course occupy, by start.
  ///
  /// In a published term these are its lessons, but for cancelled ones, those not held and samples without a window; a
  /// course without published lessons, and every course of a draft, has those that follow from its weekly times, and
  /// those that were added beside them. Lessons are in the rooms that they were given in place of the course's. Lessons
  /// that last no time, or more than a day, are left out. Cost: lessons of the term, days × weekly times × sites.
  public func bookings(of course: Course) -> [Booking] {
    var schools = SchoolTable()
    return plan(of: course, lessons: lessonsByCourse[course.id] ?? [], schools: &schools).bookings
  }

  /// What all lessons of the term occupy, course by course in their order.
  public func bookings() -> [Booking] {
    var schools = SchoolTable()
    let lessons = lessonsByCourse
    return courses.flatMap { plan(of: $0, lessons: lessons[$0.id] ?? [], schools: &schools).bookings }
  }

  /// Of a draft those alone that were added beside its weekly times: the others follow from its courses.
  var lessonsByCourse: [Identifier: [Lesson]] {
    var byCourse: [Identifier: [Lesson]] = [:]
    for lesson in lessons where term.state == .published || lesson.origin == nil {
      if let course = lesson.course { byCourse[course, default: []].append(lesson) }
    }
    return byCourse
  }

  /// What a course occupies, and the weekly times that could not be dated; those of dated lessons are told no more.
  ///
  /// `changes` of rooms are by lesson; nil takes the timetable's.
  func plan(
    of course: Course, lessons: [Lesson], changes: [Identifier: [RoomChange]]? = nil, schools: inout SchoolTable
  ) -> (bookings: [Booking], undated: [Undated]) {
    let (occurrences, undated) = occurrences(of: course)
    let isDated = term.state == .published && lessons.contains { $0.origin != nil }
    var frames = isDated || !lessons.isEmpty ? frames(of: lessons, occurrences: occurrences) : []
    if !isDated {
      frames += self.frames(of: occurrences)
      frames.sort { ($0.span.lowerBound, $0.span.upperBound) < ($1.span.lowerBound, $1.span.upperBound) }
    }
    let changes = changes ?? roomChanges
    let usual = places(of: course, with: [], &schools)
    let adopting = course.weeklyTimes.map { Set($0.adoptedBy) }
    let isResearch = course.mode == .research
    var bookings: [Booking] = []
    bookings.reserveCapacity(frames.count)
    for frame in frames {
      let own = frame.lesson.flatMap { changes[$0] } ?? []
      let places = own.isEmpty ? usual : places(of: course, with: own, &schools)
      let keeping = frame.weeklyTime.map { adopting[$0] } ?? []
      bookings.append(
        Booking(
          lesson: frame.lesson, course: course.id, mode: course.mode, origin: frame.origin, date: frame.date,
          span: frame.span,
          leadTeacher: course.mode == .asyncDual ? nil : frame.teacher ?? course.lead.teacher,
          leadRoom: room(of: course.lead, of: course, with: own),
          leadClass: course.mode == .sync ? course.lead.schoolClass : nil,
          sites: places.map { site(of: $0, frame, keeps: keeping.contains($0.party.room), isResearch) },
          weeklyTime: frame.weeklyTime))
    }
    return (bookings, isDated ? [] : undated)
  }

  /// Where a receiver of a course is in a lesson.
  private struct SitePlace {
    var party: Course.Party
    var room: Identifier
    var school: Identifier
    var days: SchoolDays
  }

  /// Those whose room or school is not known are left out.
  private func places(
    of course: Course, with changes: [RoomChange], _ schools: inout SchoolTable
  ) -> [SitePlace] {
    var places: [SitePlace] = []
    for party in course.receivers {
      let room = room(of: party, of: course, with: changes)
      guard let school = rooms[room]?.institution, let days = schools.days(of: school, in: self) else { continue }
      places.append(SitePlace(party: party, room: room, school: school, days: days))
    }
    return places
  }

  private func site(of place: SitePlace, _ frame: Frame, keeps: Bool, _ isResearch: Bool) -> Booking.Site {
    var fit = place.days.fit(frame.span, on: frame.date)
    if keeps { fit.occupied = fit.best.map { frame.span.joined($0) } ?? frame.span }
    if isResearch { fit.occupied = frame.span }
    if keeps || isResearch { (fit.misfit, fit.overlap) = (0, frame.span.minutes) }
    return Booking.Site(
      room: place.room, schoolClass: isResearch ? nil : place.party.schoolClass, teacher: place.party.teacher,
      institution: place.school, occupied: fit.occupied, misfit: fit.misfit, overlap: fit.overlap,
      keepsLeadBell: keeps)
  }

  /// When a lesson is, before what it occupies is worked out.
  private struct Frame {
    var lesson: Identifier?
    var origin: LessonOrigin?
    var date: CivilDate
    var span: Range<Int64>
    var teacher: Identifier?
    var weeklyTime: Int?
  }

  private func frames(of occurrences: [Occurrence]) -> [Frame] {
    occurrences.compactMap { occurrence in
      guard occurrence.start < occurrence.end else { return nil }
      return Frame(
        origin: occurrence.origin, date: occurrence.date, span: occurrence.span, weeklyTime: occurrence.weeklyTime)
    }
  }

  private func frames(of lessons: [Lesson], occurrences: [Occurrence]) -> [Frame] {
    let planned = Dictionary(occurrences.map { ($0.origin, $0) }) { first, _ in first }
    return lessons.compactMap { lesson in
      guard lesson.state != .cancelled, lesson.state != .notHeld, !lesson.isAlwaysLive,
        (0...Limits.latestTime).contains(lesson.plannedStart), lesson.plannedStart < lesson.plannedEnd,
        lesson.plannedMilliseconds <= Limits.plannedMilliseconds
      else { return nil }
      let date = CivilTime.date(of: lesson.plannedStart)
      // Dates end before what a lesson's milliseconds can say.
      guard lesson.plannedStart - CivilTime.instant(date, .midnight) < CivilTime.dayLength else { return nil }
      let asPlanned = lesson.origin.flatMap { planned[$0] }.flatMap {
        CivilTime.instant($0.date, $0.start) == lesson.plannedStart ? $0.weeklyTime : nil
      }
      return Frame(
        lesson: lesson.id, origin: lesson.origin, date: date, span: lesson.plannedStart..<lesson.plannedEnd,
        teacher: lesson.teacher, weeklyTime: asPlanned)
    }.sorted { ($0.span.lowerBound, $0.span.upperBound) < ($1.span.lowerBound, $1.span.upperBound) }
  }
}
