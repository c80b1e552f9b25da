/// A subject that the curriculum asks for and a class is not known to have.
public struct Gap: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    /// Neither taught locally nor by relay.
    case missing
    /// Not taught by relay; whether locally nobody can say, for the class's own timetable was never imported.
    case notKnown
  }

  public var schoolClass: Identifier
  /// The grades of the class that ask for it, ascending; several in a 复式班.
  public var grades: [Int]
  /// A key of the table of subjects.
  public var subject: String
  public var state: State

  public init(schoolClass: Identifier, grades: [Int], subject: String, state: State) {
    self.schoolClass = schoolClass
    self.grades = grades
    self.subject = subject
    self.state = state
  }
}

extension Timetable {
  /// What the curriculum asks for and classes lack: class by class, subjects in the order of the table.
  ///
  /// Grades are those of the school year the term begins in. A subject is had by a local lesson, or by a live or
  /// recorded course that the class leads or receives, of it or of one that satisfies it; when and how often is asked
  /// by `check`. A class of several grades lacks what any of them asks for, and has what is taught to all of it.
  ///
  /// `classes` nil takes all, by number; those not known, and those of a school that is closed before the term or
  /// opened after it, have no line. Cost: classes × subjects, courses × their parties, local lessons.
  public func gaps(subjects: SubjectTable, classes chosen: [Identifier]? = nil) -> [Gap] {
    let year = term.firstDay.schoolYear
    let relayed = relayedSubjects(subjects)
    let rows = chosen?.compactMap { classes[$0] } ?? classes.values.sorted { ($0.number, $0.id) < ($1.number, $1.id) }
    var gaps: [Gap] = []
    for row in rows where isHeld(row.institution) {
      let grades = Set(row.cohorts.compactMap { $0.grade(inSchoolYearStarting: year) }).sorted()
      let lessons = localLessons[row.id]
      var covered = relayed[row.id] ?? []
      for lesson in lessons ?? [] {
        if let index = subjects.index(of: lesson.subject) { covered.formUnion(subjects.covered(by: index)) }
      }
      for (index, subject) in subjects.subjects.enumerated() where !covered.contains(index) {
        let asking = grades.filter(subject.grades.contains)
        guard !asking.isEmpty else { continue }
        gaps.append(
          Gap(
            schoolClass: row.id, grades: asking, subject: subject.key,
            state: knowsLocals(of: row.id) ? .missing : .notKnown))
      }
    }
    return gaps
  }

  /// By class, where the subjects stand that courses give it.
  private func relayedSubjects(_ subjects: SubjectTable) -> [Identifier: Set<Int>] {
    var relayed: [Identifier: Set<Int>] = [:]
    for course in courses where course.mode != .research {
      guard let index = subjects.index(of: course.subject) else { continue }
      let covered = subjects.covered(by: index)
      for row in (course.receivers + [course.lead]).compactMap(\.schoolClass) {
        relayed[row, default: []].formUnion(covered)
      }
    }
    return relayed
  }

  /// Whether an institution is open at some time of the term; one that is not known is taken for open.
  private func isHeld(_ institution: Identifier) -> Bool {
    guard let institution = institutions[institution] else { return true }
    let dates = calendar(of: institution).dates
    return (institution.validUntil ?? .max) > CivilTime.instant(dates.lowerBound, .midnight)
      && (institution.validFrom ?? .min) < CivilTime.instant(dates.upperBound + 1, .midnight)
  }
}
