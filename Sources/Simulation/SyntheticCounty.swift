public import Classroom
import RTCCore

/// A county made of a seed: schools with bells of their own, teaching points, clusters and two terms of courses.
///
/// Equal seeds and scales give equal counties, identifiers included. Without disorder no two courses, and no course and
/// local lesson, need a person, a room or a class at one time, but for the bookings that were planted.
public struct SyntheticCounty: Sendable {
  /// How large a county is, and how carefully it was planned.
  public struct Scale: Hashable, Sendable {
    /// Every fifth is a school, the others are teaching points; at least 2.
    public var institutions: Int
    /// At least one each institution.
    public var rooms: Int
    public var clusters: Int
    /// Of all terms together.
    public var courses: Int
    /// Of each term, 1…30; the seasons change and holidays fall within five.
    public var weeks: Int
    /// Permille of what is left to chance: times at which somebody is needed elsewhere, bells that nobody entered,
    /// rooms that are not known. 0 for a county without mistakes.
    public var disorder: Int

    public init(institutions: Int, rooms: Int, clusters: Int, courses: Int, weeks: Int, disorder: Int = 0) {
      self.institutions = max(institutions, 2)
      self.rooms = max(rooms, institutions)
      self.clusters = clusters
      self.courses = courses
      self.weeks = min(max(weeks, 1), Limits.termWeeks)
      self.disorder = min(max(disorder, 0), 1_000)
    }

    /// For property tests: everything meets everything.
    public static let small = Scale(institutions: 6, rooms: 9, clusters: 2, courses: 12, weeks: 5, disorder: 600)
    /// One school district.
    public static let district = Scale(institutions: 60, rooms: 120, clusters: 8, courses: 48, weeks: 20)
    /// What the timetable is measured with.
    public static let full = Scale(institutions: 3_000, rooms: 6_000, clusters: 300, courses: 1_600, weeks: 20)
  }

  /// Two courses of one term that need the same, and whose lessons are at one time.
  public struct DoubleBooking: Hashable, Sendable {
    /// `leadTeacher`, `leadRoom`, `leadClass`, `siteRoom` or `siteClass`.
    public var code: ConflictCode
    /// Index of the term.
    public var term: Int
    public var first: Identifier
    /// The one that was planted, behind the first in the list of courses.
    public var second: Identifier

    public init(code: ConflictCode, term: Int, first: Identifier, second: Identifier) {
      self.code = code
      self.term = term
      self.first = first
      self.second = second
    }
  }

  public let seed: UInt64
  public let scale: Scale
  /// Autumn and spring.
  public internal(set) var terms: [Term] = []
  public internal(set) var institutions: [Institution] = []
  public internal(set) var rooms: [Room] = []
  public internal(set) var classes: [SchoolClass] = []
  public internal(set) var persons: [Person] = []
  public internal(set) var clusters: [Cluster] = []
  public internal(set) var bells: [BellSchedule] = []
  /// By term, in the order of their numbers.
  public internal(set) var courses: [[Course]] = [[], []]
  /// By term and class; a class that is not in it never had its timetable imported.
  public internal(set) var localLessons: [[Identifier: [LocalLesson]]] = [[:], [:]]
  public internal(set) var doubleBookings: [DoubleBooking] = []

  /// Cost: about 1 s for `full`; lessons of classes and times that courses try out are most of it.
  public init(seed: UInt64, scale: Scale = .small, doubleBookings: Int = 0) {
    self.seed = seed
    self.scale = scale
    var planner = CountyPlanner(seed: seed, scale: scale)
    planner.makeTerms(in: &self)
    planner.makeInstitutions(in: &self)
    planner.makeClusters(in: &self)
    for term in terms.indices {
      planner.planCourses(ofTerm: term, in: &self)
      planner.planLocalLessons(ofTerm: term, in: &self)
    }
    planner.plant(doubleBookings, in: &self)
  }

  /// The timetable of one term, 0 or 1.
  public func timetable(_ term: Int) -> Timetable {
    Timetable(
      term: terms[term], subjects: SubjectTable.standard.subjects, institutions: institutions, rooms: rooms,
      classes: classes, persons: persons, clusters: clusters, courses: courses[term], bells: bells,
      localLessons: localLessons[term])
  }
}

/// What is drawn and remembered while a county is made.
struct CountyPlanner {
  /// One school or teaching point and what belongs to it, by index.
  struct School {
    var institution: Identifier
    var isSchool: Bool
    var rooms: [Identifier] = []
    var classes: [Int] = []
    var teachers: [Identifier] = []
    var bells = SchoolBells([])
    /// Periods by season and weekday, `seasons × 8`.
    var periods: [[BellSchedule.Period]] = []
  }

  let scale: SyntheticCounty.Scale
  var random: SplitMix64
  var schools: [School] = []
  /// Where a room is, as an index of `schools`.
  var roomPlaces: [Identifier: Int] = [:]
  /// Minutes of the day by season and weekday (`seasons × 8`) in which someone or something is needed by courses.
  var busy: [Identifier: [[Range<Int>]]] = [:]
  private var made: Int64 = 0

  /// Summer, winter, and one day of each.
  static let seasons = ["2026-09-14", "2026-10-12"]

  init(seed: UInt64, scale: SyntheticCounty.Scale) {
    self.scale = scale
    random = SplitMix64(seed: seed)
  }

  /// Identifiers sort in the order in which they are made.
  mutating func identifier() -> Identifier {
    made += 1
    return Identifier(milliseconds: 1_780_000_000_000 + made, using: &random)
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  mutating func chance(_ permille: Int) -> Bool { Int.random(in: 0..<1_000, using: &random) < permille }
  /// A mistake that is made so often in complete disorder.
  mutating func slip(_ permille: Int) -> Bool { chance(permille * scale.disorder / 1_000) }
  /// `values` must not be empty.
  mutating func pick<Values: RandomAccessCollection>(_ values: Values) -> Values.Element {
    values[values.index(values.startIndex, offsetBy: Int.random(in: 0..<values.count, using: &random))]
  }

  static func date(_ text: String) -> CivilDate {
    guard let date = CivilDate(text) else { preconditionFailure("\(text) is written here") }
    return date
  }

  static func time(_ minute: Int) -> ClockTime { ClockTime.noon + (minute - 720) }

  /// Whether someone is needed in any of the minutes given by season.
  func isBusy(_ who: Identifier, weekday: Int, _ minutes: [Range<Int>]) -> Bool {
    guard let times = busy[who] else { return false }
    return minutes.enumerated().contains { season, span in
      times[season * 8 + weekday].contains { $0.overlaps(span) }
    }
  }

  mutating func book(_ who: Identifier, weekday: Int, _ minutes: [Range<Int>]) {
    for (season, span) in minutes.enumerated() {
      let empty = [[Range<Int>]](repeating: [], count: Self.seasons.count * 8)
      busy[who, default: empty][season * 8 + weekday].append(span)
    }
  }
}
