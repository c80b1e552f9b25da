/// What one seat had of a lesson: everything that figures are counted from.
public struct SeatFact: Hashable, Sendable, Codable {
  public var seat: Identifier
  public var role: Seat.Role
  /// Of the day of the lesson, whatever became of them since.
  public var institution: Identifier?
  public var schoolClass: Identifier?
  public var room: Identifier?
  /// Connected and vouched for, as `AttendanceTracker` counts; what holds after corrections.
  public var effectiveMilliseconds: Int64 = 0
  /// What the events said before a correction; nil without one.
  public var correctedFrom: Int64?
  public var joins = 0
  public var leaves = 0
  public var reconnects = 0
  public var hands = 0
  public var calls = 0
  /// How long the floor was the seat's.
  public var spokenMilliseconds: Int64 = 0
  /// Pupils that the local teacher counted, over all cohorts; nil when nobody counted.
  public var headCount: Int?
  public var line = LineFact()

  public init(
    seat: Identifier, role: Seat.Role, institution: Identifier? = nil, schoolClass: Identifier? = nil,
    room: Identifier? = nil, effectiveMilliseconds: Int64 = 0
  ) {
    self.seat = seat
    self.role = role
    self.institution = institution
    self.schoolClass = schoolClass
    self.room = room
    self.effectiveMilliseconds = effectiveMilliseconds
  }

  /// Somebody was seen to be there: pupils were counted, or the seat raised its hand or spoke.
  public var isConfirmed: Bool { headCount ?? 0 > 0 || hands > 0 || spokenMilliseconds > 0 }
  public var confirmedMilliseconds: Int64 { isConfirmed ? effectiveMilliseconds : 0 }
}

/// A seat's minutes added up.
public struct LineFact: Hashable, Sendable, Codable {
  public var minutes = 0
  public var fairMinutes = 0
  public var poorMinutes = 0
  /// Sums over the minutes, of which means are made.
  public var loss = 0
  public var roundTrip = 0
  public var jitter = 0
  public var bitrate = 0
  public var freezes = 0
  public var frozenMilliseconds = 0
  public var degradedMilliseconds = 0

  public init() {}

  public mutating func take(_ minute: SeatMinute, _ definitions: FigureDefinitions) {
    minutes &+= 1
    switch minute.quality(definitions) {
    case .good: break
    case .fair: fairMinutes &+= 1
    case .poor: poorMinutes &+= 1
    }
    loss &+= minute.loss
    roundTrip &+= minute.roundTrip
    jitter &+= minute.jitter
    bitrate &+= minute.bitrate
    freezes &+= minute.freezes
    frozenMilliseconds &+= minute.frozenMilliseconds
    degradedMilliseconds &+= minute.degradedMilliseconds
  }

  public mutating func add(_ other: LineFact) {
    minutes &+= other.minutes
    fairMinutes &+= other.fairMinutes
    poorMinutes &+= other.poorMinutes
    loss &+= other.loss
    roundTrip &+= other.roundTrip
    jitter &+= other.jitter
    bitrate &+= other.bitrate
    freezes &+= other.freezes
    frozenMilliseconds &+= other.frozenMilliseconds
    degradedMilliseconds &+= other.degradedMilliseconds
  }

  /// What of a sum falls on one minute, rounded.
  public func mean(_ sum: Int) -> Int { minutes == 0 ? 0 : (sum + minutes / 2) / minutes }

  /// Of all minutes together: poor or fair as soon as `poorShare` of them is. Nil without any.
  public func quality(_ definitions: FigureDefinitions) -> LineQuality? {
    guard minutes > 0 else { return nil }
    if poorMinutes * 1_000 >= minutes * definitions.poorShare, poorMinutes > 0 { return .poor }
    let noticed = poorMinutes + fairMinutes
    return noticed * 1_000 >= minutes * definitions.poorShare && noticed > 0 ? .fair : .good
  }
}

/// What became of a lesson that was planned.
public enum LessonOutcome: String, Hashable, Sendable, Codable, CaseIterable {
  /// Live long enough, and a receiving seat attended.
  case taught
  case cancelled
  case notHeld
  /// Live long enough, and nobody attended.
  case withoutReceiver
  /// Live, and not long enough.
  case tooShort
  /// Still to come, or being taught.
  case pending
  /// A correction took it out of all figures.
  case excluded
}

/// What a lesson came to, made of its events alone where they tell it.
public struct LessonFact: Hashable, Sendable, Codable {
  public var id: Identifier
  public var course: Identifier?
  public var cluster: Identifier
  /// Empty for a lesson of no course.
  public var term: String
  public var subject: String
  public var grades: [Int]
  public var mode: Course.Mode
  public var teacher: Identifier?
  /// UTC milliseconds, as planned when it was armed; before that, as planned now.
  public var plannedStart: Int64
  public var plannedEnd: Int64
  public var state: LessonState
  /// Interruptions by the relay left out.
  public var liveMilliseconds: Int64 = 0
  public var endedAt: Int64?
  public var thresholdsVersion: Int
  /// How many events it is made of: of two accounts of one lesson the one of more events is the later.
  public var events = 0
  public var isExcluded = false
  /// How often it was corrected.
  public var corrections = 0
  public var seats: [SeatFact] = []

  public init(
    id: Identifier, course: Identifier? = nil, cluster: Identifier, term: String = "", subject: String = "",
    grades: [Int] = [], mode: Course.Mode = .sync, teacher: Identifier? = nil, plannedStart: Int64, plannedEnd: Int64,
    state: LessonState, thresholdsVersion: Int = AttendanceThresholds.current.version
  ) {
    self.id = id
    self.course = course
    self.cluster = cluster
    self.term = term
    self.subject = subject
    self.grades = grades
    self.mode = mode
    self.teacher = teacher
    self.plannedStart = plannedStart
    self.plannedEnd = plannedEnd
    self.state = state
    self.thresholdsVersion = thresholdsVersion
  }

  public var plannedMilliseconds: Int64 {
    let (length, overflow) = plannedEnd.subtractingReportingOverflow(plannedStart)
    return overflow ? 0 : max(0, length)
  }

  /// The definitions of its day; the first for a version that this program does not know.
  public var thresholds: AttendanceThresholds { .version(thresholdsVersion) ?? AttendanceThresholds.all[0] }

  /// Receiving seats that attended, each room once: of two devices of one the longer.
  public var attended: [SeatFact] {
    let thresholds = thresholds
    let planned = plannedMilliseconds
    return receivers.filter {
      thresholds.isAttended(effectiveMilliseconds: $0.effectiveMilliseconds, plannedMilliseconds: planned)
    }
  }

  /// Receiving seats, each room once: of two devices of one the longer.
  public var receivers: [SeatFact] {
    var places: [Identifier: Int] = [:]
    var kept: [SeatFact] = []
    kept.reserveCapacity(seats.count)
    for seat in seats where seat.role == .receiver {
      guard let room = seat.room else {
        kept.append(seat)
        continue
      }
      if let place = places[room] {
        if kept[place].effectiveMilliseconds < seat.effectiveMilliseconds { kept[place] = seat }
      } else {
        places[room] = kept.count
        kept.append(seat)
      }
    }
    return kept
  }

  /// - Parameter attended: how many receiving seats attended.
  public func outcome(attended: Int) -> LessonOutcome {
    if isExcluded { return .excluded }
    switch state {
    case .cancelled: return .cancelled
    case .notHeld: return .notHeld
    case .ended: break
    default: return .pending
    }
    guard liveMilliseconds > 0 else { return .notHeld }
    let isLong = thresholds.isTaught(liveMilliseconds: liveMilliseconds, plannedMilliseconds: plannedMilliseconds)
    return !isLong ? .tooShort : attended > 0 ? .taught : .withoutReceiver
  }

  /// Puts the accounts of several relays together: each lesson once, by the account of most events, and of equal ones
  /// by the first. Order: as they come. Cost: O(lessons).
  public static func merged(_ accounts: [[LessonFact]]) -> [LessonFact] {
    var places: [Identifier: Int] = [:]
    var merged: [LessonFact] = []
    for fact in accounts.joined() {
      if let place = places[fact.id] {
        if merged[place].events < fact.events { merged[place] = fact }
      } else {
        places[fact.id] = merged.count
        merged.append(fact)
      }
    }
    return merged
  }
}
