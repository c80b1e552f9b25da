public import Classroom

/// The lessons that a timetable asks for, worked out before the ledger is written to.
public struct Publication: Sendable {
  /// One course's.
  struct CourseLessons: Sendable {
    let course: Course
    let title: String
    let occurrences: [Occurrence]
  }

  let timetable: Timetable
  let courses: [CourseLessons]
  /// Weekly times that fall out or have no bell.
  public let undated: [Undated]

  /// Dates all courses of the timetable. `title` is asked once for each course, such as for 三年级 音乐 · 东山教学点, 1…200
  /// scalars. Cost: days of the term × weekly times of all courses.
  public init(_ timetable: Timetable, title: (Course) -> String) {
    var courses: [CourseLessons] = []
    var undated: [Undated] = []
    for course in timetable.courses {
      let (dated, missing) = timetable.occurrences(of: course)
      courses.append(CourseLessons(course: course, title: title(course), occurrences: dated))
      undated += missing
    }
    self.timetable = timetable
    self.courses = courses
    self.undated = undated
  }

  /// Occurrences of all courses.
  public var count: Int { courses.reduce(0) { $0 + $1.occurrences.count } }
}

/// What a publication did.
public struct PublicationSummary: Hashable, Sendable {
  public var term: String
  /// The term's from now on.
  public var version: Int
  /// Lessons made, under new identifiers.
  public var made = 0
  /// Lessons that were as asked for.
  public var unchanged = 0
  /// Lessons of other times, titles or seats than before.
  public var changed = 0
  /// Lessons that the timetable does not ask for any more.
  public var cancelled = 0
  /// Lessons that an earlier publication cancelled and this one asks for again.
  public var reinstated = 0
  /// Lessons left alone: changed by hand, open, taught, lapsed, or planned before the publication's start.
  public var kept = 0
  /// Occurrences before the publication's start that had no lesson, and have none.
  public var past = 0
  /// Weekly times that fall out or have no bell.
  public var undated = 0

  public init(term: String, version: Int) {
    self.term = term
    self.version = version
  }
}
