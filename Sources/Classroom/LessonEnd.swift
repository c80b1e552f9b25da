/// How long a lesson may go on after its bell.
public struct OvertimePolicy: Hashable, Sendable {
  /// Milliseconds after the planned end, 0…1 h; 0 ends every lesson at its bell.
  public var longest: Int64
  /// Milliseconds that a lead may be away once the bell has rung: a line that was lost comes back within a minute.
  public var patience: Int64

  public init(longest: Int64, patience: Int64) {
    self.longest = min(max(0, longest), 3_600_000)
    self.patience = min(max(0, patience), 3_600_000)
  }

  public static let standard = OvertimePolicy(longest: 600_000, patience: 60_000)
}

/// The rooms, classes and teachers that lessons take at one bell or soon after it, and from when.
///
/// Made once of all lessons around the bell, asked for each lesson that ends with it. Cost of making: O(seats); of a
/// question: the lessons that take the one thing asked for, which are hardly ever two.
public struct BookedAtBell: Sendable {
  /// A seat of a lesson that is still to be held or goes on.
  public struct Entry: Hashable, Sendable {
    /// UTC milliseconds.
    public var start: Int64
    public var seat: Seat
    /// Whether the lesson takes classes at all: research does not.
    public var takesClass: Bool

    public init(start: Int64, seat: Seat, takesClass: Bool = true) {
      self.start = start
      self.seat = seat
      self.takesClass = takesClass
    }
  }

  enum Thing: Hashable {
    case room(Identifier)
    case schoolClass(Identifier)
    case person(Identifier)
  }

  private var taken: [Thing: [(lesson: Identifier, start: Int64)]] = [:]

  public init(_ entries: some Sequence<Entry>) {
    for entry in entries {
      func take(_ thing: Thing?) {
        if let thing { taken[thing, default: []].append((entry.seat.lesson, entry.start)) }
      }
      take(entry.seat.room.map { .room($0) })
      if entry.takesClass { take(entry.seat.schoolClass.map { .schoolClass($0) }) }
      take(entry.seat.person.map { .person($0) })
    }
  }

  /// When another lesson first takes it.
  func start(of thing: Thing, besides lesson: Identifier) -> Int64? {
    taken[thing]?.lazy.filter { $0.lesson != lesson }.map(\.start).min()
  }
}

/// When a lesson has to end, and why then: the lead may run over its bell, unless somebody else needs what the lesson
/// occupies.
public struct LessonEnd: Hashable, Sendable {
  /// Stable codes; those that take something are in the order of which is told when several come at once.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    /// No lesson runs over.
    case bell
    /// As long as any lesson may run over.
    case limit
    /// The next lesson takes the lead's room, class or teacher, or a receiving room or class.
    case leadRoom, leadClass, leadTeacher, siteRoom, siteClass
    /// The bell has rung and nobody teaches any more.
    case leadGone
  }

  public enum Phase: Hashable, Sendable {
    case beforeBell
    case overtime
    case over(Reason)
  }

  /// UTC milliseconds.
  public let plannedEnd: Int64
  /// UTC milliseconds, `plannedEnd` or later.
  public let endsBy: Int64
  /// Why then: never `leadGone`.
  public let reason: Reason
  private let patience: Int64

  /// - Parameters:
  ///   - seats: of the lesson; of the lead room, class and teacher count, of receivers room and class, others nothing.
  ///   - booked: of lessons that end after `lesson` does and begin before the overtime would be over; the lesson itself
  ///     may be among them.
  public init(
    of lesson: Lesson, seats: some Sequence<Seat>, booked: BookedAtBell, policy: OvertimePolicy = .standard
  ) {
    plannedEnd = lesson.plannedEnd
    patience = policy.patience
    let (sum, overflow) = plannedEnd.addingReportingOverflow(policy.longest)
    var endsBy = overflow ? .max : sum
    var reason = policy.longest > 0 ? Reason.limit : .bell
    for seat in seats {
      for (thing, why) in Self.needs(of: seat) {
        guard let start = booked.start(of: thing, besides: lesson.id) else { continue }
        let until = max(plannedEnd, start)
        guard until < endsBy || (until == endsBy && why.rank < reason.rank) else { continue }
        (endsBy, reason) = (until, why)
      }
    }
    self.endsBy = endsBy
    self.reason = reason
  }

  private static func needs(of seat: Seat) -> [(BookedAtBell.Thing, Reason)] {
    switch seat.role {
    case .lead:
      [
        seat.room.map { (.room($0), .leadRoom) }, seat.schoolClass.map { (.schoolClass($0), .leadClass) },
        seat.person.map { (.person($0), .leadTeacher) },
      ].compactMap(\.self)
    case .receiver:
      [seat.room.map { (.room($0), .siteRoom) }, seat.schoolClass.map { (.schoolClass($0), .siteClass) }]
        .compactMap(\.self)
    case .observer, .operator: []
    }
  }

  /// Where the lesson stands.
  /// - Parameters:
  ///   - now: UTC milliseconds.
  ///   - leadGoneSince: since when nobody teaches, UTC milliseconds; nil while somebody does.
  public func phase(now: Int64, leadGoneSince: Int64? = nil) -> Phase {
    guard now >= plannedEnd else { return .beforeBell }
    guard now < endsBy else { return .over(reason) }
    if let since = leadGoneSince {
      let (gone, overflow) = now.subtractingReportingOverflow(since)
      if !overflow, gone >= patience { return .over(.leadGone) }
    }
    return .overtime
  }
}

extension LessonEnd.Reason {
  fileprivate var rank: Int {
    switch self {
    case .leadRoom: 0
    case .leadClass: 1
    case .leadTeacher: 2
    case .siteRoom: 3
    case .siteClass: 4
    // What takes nothing is told last: whoever has to leave a room should hear that it is needed.
    case .bell, .limit, .leadGone: 5
    }
  }
}
