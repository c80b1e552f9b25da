/// A lesson with its outcome, which is decided by all of its seats and stays so when only some of them are looked at.
public struct CountedLesson: Hashable, Sendable {
  public var fact: LessonFact
  public var outcome: LessonOutcome
  /// Receiving rooms that attended.
  public var attended: [SeatFact]

  public init(_ fact: LessonFact) {
    self.fact = fact
    attended = fact.attended
    outcome = fact.outcome(attended: attended.count)
  }

  public var isSync: Bool { fact.mode == .sync }

  /// What of it concerns some institutions; nil when nothing does. A lesson without any seat concerns nobody alone.
  public func restricted(to institutions: Set<Identifier>) -> CountedLesson? {
    var part = self
    part.fact.seats.removeAll { !($0.institution.map(institutions.contains) ?? false) }
    guard !part.fact.seats.isEmpty else { return nil }
    part.attended.removeAll { !($0.institution.map(institutions.contains) ?? false) }
    return part
  }
}

/// What counts once among the 门次: one subject taught to the same grades of a cluster in a term, by however many
/// courses.
public struct CourseOffering: Hashable, Comparable, Sendable {
  public var cluster: Identifier
  public var subject: String
  public var grades: [Int]
  public var term: String

  /// Nil for a lesson of no course.
  public init?(_ fact: LessonFact) {
    guard fact.course != nil, !fact.subject.isEmpty else { return nil }
    cluster = fact.cluster
    subject = fact.subject
    grades = fact.grades
    term = fact.term
  }

  public static func < (first: Self, second: Self) -> Bool {
    if first.term != second.term { return first.term < second.term }
    if first.cluster != second.cluster { return first.cluster < second.cluster }
    if first.subject != second.subject { return first.subject < second.subject }
    return first.grades.lexicographicallyPrecedes(second.grades)
  }
}

/// 课次 by what became of them, 课时, 门次 and clusters.
///
/// `planned` = `taught` + `cancelled` + `notTaught` + `pending`; lessons that a correction excluded stand beside it, as
/// do asynchronous and research ones.
public struct PlanFigures: Hashable, Sendable, Codable {
  public var taught = 0
  public var cancelled = 0
  public var notHeld = 0
  public var withoutReceiver = 0
  public var tooShort = 0
  public var pending = 0
  public var excluded = 0
  /// 课时: receiving rooms that attended a taught lesson.
  public var classHours = 0
  /// 门次 with at least `minimumLessons` taught, and those with fewer.
  public var offerings = 0
  public var offeringsBegun = 0
  /// 联校群 with a taught lesson.
  public var clusters = 0
  /// Asynchronous lessons played, and research meetings held; neither is in any other figure.
  public var playbacks = 0
  public var meetings = 0
  /// Seconds of taught lessons, and of it by receiving rooms that attended.
  public var taughtSeconds: Int64 = 0
  public var attendedSeconds: Int64 = 0
  /// Of the latter those with a head count or interaction.
  public var confirmedSeconds: Int64 = 0
  public var minimumLessons: Int

  public var notTaught: Int { notHeld + withoutReceiver + tooShort }
  public var planned: Int { taught + cancelled + notTaught + pending }

  /// Cost: O(lessons and their seats).
  /// - Parameter minimumLessons: of a 门次; nil takes that of the definitions in force.
  public init(_ lessons: some Sequence<CountedLesson>, minimumLessons: Int? = nil) {
    self.minimumLessons = max(1, minimumLessons ?? AttendanceThresholds.current.minimumLessons)
    var perOffering: [CourseOffering: Int] = [:]
    var taughtClusters: Set<Identifier> = []
    for lesson in lessons {
      guard lesson.isSync else {
        countBeside(lesson)
        continue
      }
      count(lesson.outcome)
      guard lesson.outcome == .taught else { continue }
      taughtClusters.insert(lesson.fact.cluster)
      classHours += lesson.attended.count
      taughtSeconds &+= lesson.fact.liveMilliseconds / 1_000
      for seat in lesson.attended {
        attendedSeconds &+= seat.effectiveMilliseconds / 1_000
        confirmedSeconds &+= seat.confirmedMilliseconds / 1_000
      }
      if let offering = CourseOffering(lesson.fact) { perOffering[offering, default: 0] += 1 }
    }
    clusters = taughtClusters.count
    offerings = perOffering.values.count { $0 >= self.minimumLessons }
    offeringsBegun = perOffering.count - offerings
  }

  private mutating func countBeside(_ lesson: CountedLesson) {
    guard lesson.fact.state == .ended, !lesson.fact.isExcluded, lesson.fact.liveMilliseconds > 0 else { return }
    if lesson.fact.mode == .asyncDual { playbacks += 1 } else { meetings += 1 }
  }

  private mutating func count(_ outcome: LessonOutcome) {
    switch outcome {
    case .taught: taught += 1
    case .cancelled: cancelled += 1
    case .notHeld: notHeld += 1
    case .withoutReceiver: withoutReceiver += 1
    case .tooShort: tooShort += 1
    case .pending: pending += 1
    case .excluded: excluded += 1
    }
  }
}
