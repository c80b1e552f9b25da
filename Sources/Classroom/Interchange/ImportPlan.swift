/// What there is before an import: the rows that files are laid beside.
///
/// Give it what the importer may see and change; rows left out are neither found by references nor ever removed.
public struct ImportBase: Sendable {
  public var subjects: SubjectTable
  public var institutions: [Institution]
  public var rooms: [Room]
  public var persons: [Person]
  public var classes: [SchoolClass]
  public var clusters: [Cluster]
  public var bells: [BellSchedule]
  public var terms: [Term]
  public var courses: [Course]
  public var rosterTotals: [RosterTotal]
  public var localLessons: [LocalLesson]
  public var spaces: [Space]
  /// Classes of `localLessons` that may have others besides: one teacher's timetable told of them.
  public var partialLocals: Set<LocalClass>
  /// Courses that a lesson was taught of, or is being taught of; they are not removed.
  public var taughtCourses: Set<Identifier>

  public init(
    subjects: SubjectTable = .standard, institutions: [Institution] = [], rooms: [Room] = [], persons: [Person] = [],
    classes: [SchoolClass] = [], clusters: [Cluster] = [], bells: [BellSchedule] = [], terms: [Term] = [],
    courses: [Course] = [], rosterTotals: [RosterTotal] = [], localLessons: [LocalLesson] = [],
    spaces: [Space] = [], taughtCourses: Set<Identifier> = [], partialLocals: Set<LocalClass> = []
  ) {
    self.subjects = subjects
    self.institutions = institutions
    self.rooms = rooms
    self.persons = persons
    self.classes = classes
    self.clusters = clusters
    self.bells = bells
    self.terms = terms
    self.courses = courses
    self.rosterTotals = rosterTotals
    self.localLessons = localLessons
    self.spaces = spaces
    self.taughtCourses = taughtCourses
    self.partialLocals = partialLocals
  }

  /// A class in one term.
  public struct LocalClass: Hashable, Sendable {
    public var schoolClass: Identifier
    public var term: String

    public init(schoolClass: Identifier, term: String) {
      self.schoolClass = schoolClass
      self.term = term
    }
  }
}

/// How an import is meant.
public struct ImportOptions: Sendable {
  /// Removes what the base has and the file lacks: of courses those of the terms the file names, of roster totals those
  /// of its school years, of bells those of its institutions, of local lessons those of its classes; of other sheets
  /// all, but for persons without an institution. A file without rows removes nothing.
  public var deleteMissing: Bool
  /// The school year in which a sheet of classes counts its grades; without one it has to name entry years.
  public var schoolYear: Int?
  /// The term of courses and local lessons whose file names none.
  public var term: String?
  /// The class whose local lessons a file without a column of classes holds.
  public var schoolClass: Identifier?
  /// The teacher whose local lessons a file without a column of teachers holds.
  public var teacher: Identifier?

  public init(
    deleteMissing: Bool = false, schoolYear: Int? = nil, term: String? = nil, schoolClass: Identifier? = nil,
    teacher: Identifier? = nil
  ) {
    self.deleteMissing = deleteMissing
    self.schoolYear = schoolYear
    self.term = term
    self.schoolClass = schoolClass
    self.teacher = teacher
  }
}

/// All local lessons that are known of a class in a term.
public struct LocalTimetable: Hashable, Sendable, Codable {
  public var schoolClass: Identifier
  public var term: String
  public var lessons: [LocalLesson]
  /// Whether the file was the class's; one teacher's lessons do not tell when the class is free.
  public var isWhole: Bool

  public init(schoolClass: Identifier, term: String, lessons: [LocalLesson], isWhole: Bool = true) {
    self.schoolClass = schoolClass
    self.term = term
    self.lessons = lessons
    self.isWhole = isWhole
  }
}

/// What an import writes, to be applied in one transaction: whole values, under the identifiers they have or get.
public struct ImportChanges: Hashable, Sendable {
  /// A row that is taken away.
  public struct Removal: Hashable, Sendable {
    public var sheet: SheetKind
    public var id: Identifier

    public init(sheet: SheetKind, id: Identifier) {
      self.sheet = sheet
      self.id = id
    }
  }

  public var institutions: [Institution] = []
  public var rooms: [Room] = []
  public var persons: [Person] = []
  public var classes: [SchoolClass] = []
  public var clusters: [Cluster] = []
  public var bells: [BellSchedule] = []
  public var terms: [Term] = []
  public var courses: [Course] = []
  /// Each in place of the one of its institution, school year and grade.
  public var rosterTotals: [RosterTotal] = []
  /// Each in place of all local lessons that its class has in its term.
  public var localTimetables: [LocalTimetable] = []
  /// Each in place of the one of its owner.
  public var spaces: [Space] = []
  public var removed: [Removal] = []
  /// They have no identifier of their own.
  public var removedRosterTotals: [RosterTotal] = []
  public var removedSpaces: [Space] = []

  public init() {}

  /// Whether nothing is written.
  public var isEmpty: Bool { self == ImportChanges() }
}

/// What an import would do, row by row, and the values that do it.
///
/// Pure: the same files, base and identifiers give the same plan. Applying a plan and planning the same files again
/// gives a plan that changes nothing.
public struct ImportPlan: Hashable, Sendable {
  /// One column of a row, as text in the form of the file.
  public struct FieldChange: Hashable, Sendable {
    public var field: SheetField
    public var old: String
    public var new: String

    public init(_ field: SheetField, old: String, new: String) {
      self.field = field
      self.old = old
      self.new = new
    }
  }

  public enum Action: Hashable, Sendable {
    case add
    case change([FieldChange])
    case same
    /// In the base and not in the file; it stays.
    case absent
    /// In the base and not in the file; it goes.
    case remove
  }

  public struct Line: Hashable, Sendable {
    public var sheet: SheetKind
    /// As a spreadsheet shows it; 0 for what the file lacks.
    public var row: Int
    /// What people find it by, such as `P07-2` or `2026-2027-1 K0137`.
    public var key: String
    /// Such as the name of an institution; may be empty.
    public var name: String
    public var action: Action
  }

  /// By sheet, in the order of the files; absent rows last.
  public internal(set) var lines: [Line] = []
  public internal(set) var changes = ImportChanges()

  /// Reads sheets and lays them beside the base; they may refer to each other whatever their order.
  ///
  /// Throws everything that is wrong, up to 1,000 issues, and then plans nothing. `newIdentifier` is asked once for
  /// each row that is not in the base. Cost: one pass over the rows and over the base.
  public static func make(
    _ sheets: [ImportSheet], onto base: ImportBase, options: ImportOptions = ImportOptions(),
    newIdentifier: @escaping () -> Identifier
  ) throws(ImportRefusal) -> ImportPlan {
    var run = ImportRun(sheets: sheets, base: base, options: options, newIdentifier: newIdentifier)
    run.readAll()
    if let refusal = run.issues.refusal { throw refusal }
    return run.plan
  }

  /// How many lines of a sheet are added, changed, the same, absent and removed.
  public func counts(of sheet: SheetKind) -> (add: Int, change: Int, same: Int, absent: Int, remove: Int) {
    var counts = (add: 0, change: 0, same: 0, absent: 0, remove: 0)
    for line in lines where line.sheet == sheet {
      switch line.action {
      case .add: counts.add += 1
      case .change: counts.change += 1
      case .same: counts.same += 1
      case .absent: counts.absent += 1
      case .remove: counts.remove += 1
      }
    }
    return counts
  }
}
