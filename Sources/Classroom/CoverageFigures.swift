/// Which rural institutions lessons reached, in a span and over the years.
public struct CoverageFigures: Hashable, Sendable {
  /// One year, whole or as far as the span reaches.
  public struct Year: Hashable, Sendable {
    /// Its first calendar year.
    public var name: Int
    /// Rural institutions open in it.
    public var open: Int
    public var covered: Int
    /// Covered in it and in no year before.
    public var newly: Int
    /// Covered in it or before, among all that were ever open so far.
    public var cumulative: Int
    /// Covered in the year before, open in this one, and not covered.
    public var lapsed: Int

    /// Newly covered of those open, in permille; 0 when none is open.
    public var newShare: Int { open == 0 ? 0 : newly * 1_000 / open }
  }

  /// Rural institutions open in the span, by number.
  public var open: [Identifier]
  /// Of them those with at least `coveredLessons` lessons attended in the span.
  public var covered: [Identifier]
  /// Of them those that attended no taught lesson ever, up to the span's end.
  public var neverReached: [Identifier]
  public var years: [Year]

  /// - Parameters:
  ///   - institutions: those that are asked about, rural or not.
  ///   - attended: lessons attended in the span, by institution.
  ///   - history: lessons attended in each whole year up to the span's end, the first year of all first.
  ///   - definitions: how many lessons cover.
  public init(
    institutions: [Institution], span: FigureSpan, attended: [Identifier: Int],
    history: [(name: Int, span: FigureSpan, attended: [Identifier: Int])],
    definitions: FigureDefinitions = .current
  ) {
    let rural = institutions.filter { $0.setting == .rural }.sorted { ($0.number, $0.id) < ($1.number, $1.id) }
    let least = max(1, definitions.coveredLessons)
    open = rural.filter { $0.isOpen(in: span) }.map(\.id)
    covered = open.filter { attended[$0] ?? 0 >= least }
    var everReached = Set(attended.filter { $0.value > 0 }.keys)
    let ruralIDs = Set(rural.map(\.id))
    var ever: Set<Identifier> = []
    var before: Set<Identifier> = []
    years = []
    for year in history {
      everReached.formUnion(year.attended.filter { $0.value > 0 }.keys)
      let openThen = Set(rural.filter { $0.isOpen(in: year.span) }.map(\.id))
      let now = Set(year.attended.filter { $0.value >= least && ruralIDs.contains($0.key) }.keys)
      let newly = now.subtracting(ever)
      ever.formUnion(now)
      years.append(
        Year(
          name: year.name, open: openThen.count, covered: now.count, newly: newly.count, cumulative: ever.count,
          lapsed: before.subtracting(now).intersection(openThen).count))
      before = now
    }
    neverReached = open.filter { !everReached.contains($0) }
  }
}

/// How many pupils of an institution its lessons reach, against what its roster says.
public struct ReachFigures: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var institution: Identifier
    /// Head counts of the classes that attended a taught lesson.
    public var pupils: Int
    /// Of the school year, over all grades; nil where no roster says.
    public var roster: Int?
    /// Permille, at most 1000; nil without a roster.
    public var share: Int? { roster.flatMap { $0 > 0 ? min(1_000, pupils * 1_000 / $0) : nil } }
  }

  /// By institution, those with a roster or a class that attended.
  public var rows: [Row]

  /// - Parameter schoolYear: the one whose roster is asked.
  public init(
    _ lessons: some Sequence<CountedLesson>, classes: [Identifier: SchoolClass], rosters: [RosterTotal],
    schoolYear: Int
  ) {
    var reached: [Identifier: Set<Identifier>] = [:]
    for lesson in lessons where lesson.isSync && lesson.outcome == .taught {
      for seat in lesson.attended {
        if let institution = seat.institution, let row = seat.schoolClass {
          reached[institution, default: []].insert(row)
        }
      }
    }
    var totals: [Identifier: Int] = [:]
    var wholes: Set<Identifier> = []
    for total in rosters where total.schoolYear == schoolYear {
      // The institution as a whole wins over the sum of its grades.
      if total.grade == nil {
        totals[total.institution] = total.pupils
        wholes.insert(total.institution)
      } else if !wholes.contains(total.institution) {
        totals[total.institution, default: 0] += total.pupils
      }
    }
    rows = Set(reached.keys).union(totals.keys).sorted().map { institution in
      let pupils = (reached[institution] ?? []).reduce(0) { $0 &+ (classes[$1]?.headCount ?? 0) }
      return Row(institution: institution, pupils: pupils, roster: totals[institution])
    }
  }
}
