public import Classroom

/// Rows of tables about a timetable, and the words that a printed or exported week is made with.
public struct TimetableText: Sendable {
  /// What a table lists.
  public enum List: String, Sendable, CaseIterable {
    case free, gaps, courses, lessons

    fileprivate var columns: [String] {
      switch self {
      case .free: ["weekday", "period", "time", "weeks", "sites"]
      case .gaps: ["class", "grades", "subject", "state"]
      case .courses: ["number", "subject", "grades", "lead", "teacher", "sites", "times", "mode"]
      case .lessons: ["date", "weekday", "time", "course", "lead", "teacher", "sites", "state"]
      }
    }
  }

  private let names: TimetableNames
  private var language: Language { names.language }
  private var timetable: Timetable { names.timetable }

  public init(_ timetable: Timetable, subjects: SubjectTable = .standard, language: Language) {
    names = TimetableNames(timetable, subjects: subjects, language: language)
  }

  /// Titles of the rows of a list.
  public static func columns(of list: List, in language: Language) -> [TextTable.Column] {
    list.columns.map { TextTable.Column(Text.of("timetable.column.\($0)", in: language)) }
  }

  /// Weekday, period, time, weeks, and how it suits each receiving room, rooms that it suits alike together.
  public func row(_ window: FreeWindow) -> [String] {
    var groups: [(fit: String, rooms: [String])] = []
    for site in window.sites {
      let (fit, room) = (fit(of: site), names.number(ofRoom: site.room))
      if let place = groups.firstIndex(where: { $0.fit == fit }) {
        groups[place].rooms.append(room)
      } else {
        groups.append((fit, [room]))
      }
    }
    let sites = groups.map {
      names.text("fit", ["rooms": $0.rooms.joined(separator: language.listSeparator), "fit": $0.fit])
    }
    return [
      names.weekday(window.weekday), "\(window.period)", "\(window.start)-\(window.end)", names.weeks(window.weeks),
      sites.joined(separator: language.semicolon),
    ]
  }

  /// How a time suits one receiving room, and whether that can be known.
  public func fit(of site: FreeWindow.SiteFit) -> String {
    let bells =
      switch site.misfit {
      case nil: names.text("fit.noBells")
      case 0?: names.text("fit.whole")
      case let minutes?:
        names.text("fit.departs", ["overlap": "\(site.overlapMinutes)", "minutes": "\(minutes)"])
      }
    return site.isKnown ? bells : [bells, names.text("fit.notKnown")].joined(separator: language.comma)
  }

  /// Class, grades, subject, and whether it is known to be missing.
  public func row(_ gap: Gap) -> [String] {
    [
      names.schoolClass(gap.schoolClass), names.grades(gap.grades), names.subject(gap.subject),
      names.text("gap.\(gap.state.rawValue)"),
    ]
  }

  /// Number, subject, grades, lead room, lead teacher, receiving rooms, weekly times, mode.
  public func row(_ course: Course) -> [String] {
    [
      names.number(of: course), names.subject(course.subject), names.grades(course.grades),
      names.room(course.lead.room), course.lead.teacher.map(names.person) ?? "", sites(course.receivers.map(\.room)),
      course.weeklyTimes.map(names.weeklyTime).joined(separator: language.semicolon),
      names.text("mode.\(course.mode.rawValue)"),
    ]
  }

  /// Date, weekday, time, course, lead room, teacher, receiving rooms, state.
  public func row(_ lesson: Lesson) -> [String] {
    let course = names.course(lesson.course)
    let (start, end) = (CivilTime.time(of: lesson.plannedStart), CivilTime.time(of: lesson.plannedEnd))
    return row(
      course, title: lesson.title, on: CivilTime.date(of: lesson.plannedStart), "\(start)-\(end)",
      teacher: lesson.teacher ?? course?.lead.teacher, state: lesson.state)
  }

  /// As a lesson's, of one that is not dated yet.
  public func row(_ booking: Booking) -> [String] {
    let start = CivilTime.time(of: booking.span.lowerBound)
    return row(
      names.course(booking.course), title: "", on: booking.date,
      "\(start)-\(CivilTime.time(of: booking.span.upperBound))", teacher: booking.leadTeacher, state: .planned)
  }

  /// Lessons of the week of a date, by time: in a published term those that are dated, the cancelled among them, else
  /// those that follow from the courses. Cost: as `Timetable.bookings()`.
  public func rows(inWeekOf date: CivilDate) -> [[String]] {
    let monday = date.monday
    func isInWeek(_ start: Int64) -> Bool { CivilTime.date(of: start).monday == monday }
    guard timetable.term.state == .published, !timetable.lessons.isEmpty else {
      let bookings = timetable.bookings().filter { isInWeek($0.span.lowerBound) }
      return bookings.sorted { ($0.span.lowerBound, $0.course) < ($1.span.lowerBound, $1.course) }.map(row)
    }
    let lessons = timetable.lessons.filter { isInWeek($0.plannedStart) }
    return lessons.sorted { ($0.plannedStart, $0.id) < ($1.plannedStart, $1.id) }.map(row)
  }

  private func row(
    _ course: Course?, title: String, on date: CivilDate, _ time: String, teacher: Identifier?, state: LessonState
  ) -> [String] {
    let number = course.map { names.number(of: $0) + " " + names.title(of: $0) }
    return [
      "\(date)", names.weekday(date.weekday), time, number ?? title, course.map { names.room($0.lead.room) } ?? "",
      teacher.map(names.person) ?? "", sites(course?.receivers.map(\.room) ?? []),
      Text.of("report.state.\(state.rawValue)", in: language),
    ]
  }

  private func sites(_ rooms: [Identifier]) -> String {
    rooms.map { names.number(ofRoom: $0) }.joined(separator: language.listSeparator)
  }

  // MARK: Words of a week

  /// What a printed week is labelled with; `title` stands over it.
  public static func gridLabels(title: String, in language: Language) -> WeekGrid.Labels {
    func text(_ key: String) -> String { Text.of("timetable.\(key)", in: language) }
    return WeekGrid.Labels(
      language: language.rawValue, title: title, periods: text("column.period"), period: text("period"),
      days: days(in: language), odd: text("weeks.odd"), even: text("weeks.even"), weeks: text("weeks.some"))
  }

  /// What the schedules of an exported week are called.
  public static func csesLabels(in language: Language) -> CSESWriter.Labels {
    func bracketed(_ key: String) -> String { language.inBrackets(Text.of("timetable.\(key)", in: language)) }
    return CSESWriter.Labels(days: days(in: language), odd: bracketed("weeks.odd"), even: bracketed("weeks.even"))
  }

  private static func days(in language: Language) -> [String] {
    (1...7).map { Text.of("timetable.weekday.\($0)", in: language) }
  }
}
