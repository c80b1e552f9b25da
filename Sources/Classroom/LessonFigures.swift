/// How much each teacher led.
public struct TeacherFigures: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var teacher: Identifier
    public var planned = 0
    public var taught = 0
    public var taughtSeconds: Int64 = 0
    /// 课时 that came of it.
    public var classHours = 0
    public var calls = 0
    public var playbacks = 0
  }

  /// By teacher; lessons without a known teacher are left out and counted.
  public var rows: [Row]
  public var withoutTeacher = 0

  public init(_ lessons: some Sequence<CountedLesson>) {
    var rows: [Identifier: Row] = [:]
    for lesson in lessons where lesson.outcome != .excluded && lesson.fact.mode != .research {
      guard let teacher = lesson.fact.teacher else {
        withoutTeacher += 1
        continue
      }
      var row = rows[teacher] ?? Row(teacher: teacher)
      if !lesson.isSync {
        if lesson.fact.liveMilliseconds > 0 { row.playbacks += 1 }
      } else {
        row.planned += 1
        if lesson.outcome == .taught {
          row.taught += 1
          row.taughtSeconds &+= lesson.fact.liveMilliseconds / 1_000
          row.classHours += lesson.attended.count
          row.calls += lesson.fact.seats.reduce(0) { $0 + $1.calls }
        }
      }
      rows[teacher] = row
    }
    self.rows = rows.values.sorted { $0.teacher < $1.teacher }
  }
}

/// How the personal spaces (of teachers) and the institutional ones (of schools and teaching points) are used: each is
/// the space of what an actor did in lessons, whether a platform knows it or not.
public struct SpaceFigures: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case personal
    case institutional
  }

  public struct Row: Hashable, Sendable {
    public var kind: Kind
    /// Spaces with a taught lesson.
    public var active = 0
    /// Lessons, once for each space that had part in them.
    public var lessons = 0
    public var seconds: Int64 = 0
  }

  public var rows: [Row]

  public init(_ lessons: some Sequence<CountedLesson>) {
    var personal = Row(kind: .personal)
    var institutional = Row(kind: .institutional)
    var teachers: Set<Identifier> = []
    var institutions: Set<Identifier> = []
    for lesson in lessons where lesson.isSync && lesson.outcome == .taught {
      if let teacher = lesson.fact.teacher {
        teachers.insert(teacher)
        personal.lessons += 1
        personal.seconds &+= lesson.fact.liveMilliseconds / 1_000
      }
      var had: Set<Identifier> = []
      for seat in lesson.attended {
        guard let institution = seat.institution else { continue }
        had.insert(institution)
        institutional.seconds &+= seat.effectiveMilliseconds / 1_000
      }
      for seat in lesson.fact.seats where seat.role == .lead {
        guard let institution = seat.institution, had.insert(institution).inserted else { continue }
        institutional.seconds &+= lesson.fact.liveMilliseconds / 1_000
      }
      institutional.lessons += had.count
      institutions.formUnion(had)
    }
    personal.active = teachers.count
    institutional.active = institutions.count
    rows = [personal, institutional]
  }
}

/// How lines were, by receiving room and month.
public struct QualityFigures: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var institution: Identifier?
    public var room: Identifier?
    public var year: Int
    public var month: Int
    public var lessons = 0
    public var line = LineFact()
    public var reconnects = 0
  }

  private struct Key: Hashable {
    var room: Identifier?
    var institution: Identifier?
    var year: Int
    var month: Int
  }

  /// By room, then month.
  public var rows: [Row]

  public init(_ lessons: some Sequence<CountedLesson>) {
    var rows: [Key: Row] = [:]
    for lesson in lessons where lesson.outcome != .excluded {
      let parts = CivilTime.date(of: lesson.fact.plannedStart).parts
      for seat in lesson.fact.seats where seat.line.minutes > 0 && seat.role == .receiver {
        let key = Key(room: seat.room, institution: seat.institution, year: parts.year, month: parts.month)
        var row =
          rows[key]
          ?? Row(institution: seat.institution, room: seat.room, year: parts.year, month: parts.month)
        row.lessons += 1
        row.reconnects &+= seat.reconnects
        row.line.add(seat.line)
        rows[key] = row
      }
    }
    self.rows = rows.values.sorted {
      ($0.room?.high ?? 0, $0.room?.low ?? 0, $0.year, $0.month)
        < ($1.room?.high ?? 0, $1.room?.low ?? 0, $1.year, $1.month)
    }
  }
}

/// What an overseer has to look into.
public struct ExceptionFigures: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case notHeld
    case withoutReceiver
    case tooShort
    /// Ended later after the bell than the definitions let it.
    case overTime
    /// A receiving room's minutes were poor.
    case poorQuality
    /// Attended, and neither a head count nor interaction says that anybody was there.
    case unconfirmed
    case corrected
    case excluded
  }

  public struct Row: Hashable, Sendable {
    public var kind: Kind
    public var lesson: Identifier
    public var plannedStart: Int64
    /// Of one receiving room; nil when it is about the lesson.
    public var room: Identifier?
    public var institution: Identifier?
    /// Seconds over time, poor minutes of the room, seconds unconfirmed; 0 otherwise.
    public var amount: Int64
  }

  /// By time, at most `limit`; `total` counts all.
  public var rows: [Row] = []
  public var total = 0
  public var counts: [Kind: Int] = [:]
  public static let limit = 10_000

  public init(_ lessons: some Sequence<CountedLesson>, definitions: FigureDefinitions = .current) {
    for lesson in lessons where lesson.fact.mode == .sync {
      inspect(lesson, definitions)
    }
    rows.sort { ($0.plannedStart, $0.lesson) < ($1.plannedStart, $1.lesson) }
    if rows.count > Self.limit { rows.removeLast(rows.count - Self.limit) }
  }

  private mutating func inspect(_ lesson: CountedLesson, _ definitions: FigureDefinitions) {
    switch lesson.outcome {
    case .notHeld: note(.notHeld, lesson)
    case .withoutReceiver: note(.withoutReceiver, lesson)
    case .tooShort: note(.tooShort, lesson)
    case .excluded: note(.excluded, lesson)
    case .taught, .cancelled, .pending: break
    }
    if lesson.outcome != .excluded, lesson.fact.corrections > 0 { note(.corrected, lesson) }
    guard lesson.outcome == .taught else { return }
    if let ended = lesson.fact.endedAt {
      let over = ended.subtractingReportingOverflow(lesson.fact.plannedEnd)
      if !over.overflow, over.partialValue > definitions.overtimeMilliseconds {
        note(.overTime, lesson, amount: over.partialValue / 1_000)
      }
    }
    for seat in lesson.attended {
      if seat.line.quality(definitions) == .poor {
        note(.poorQuality, lesson, seat, amount: Int64(seat.line.poorMinutes))
      }
      if !seat.isConfirmed { note(.unconfirmed, lesson, seat, amount: seat.effectiveMilliseconds / 1_000) }
    }
  }

  private mutating func note(_ kind: Kind, _ lesson: CountedLesson, _ seat: SeatFact? = nil, amount: Int64 = 0) {
    total += 1
    counts[kind, default: 0] += 1
    rows.append(
      Row(
        kind: kind, lesson: lesson.fact.id, plannedStart: lesson.fact.plannedStart, room: seat?.room,
        institution: seat?.institution, amount: amount))
  }
}
