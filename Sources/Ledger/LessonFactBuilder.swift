public import Classroom
internal import GRDB

/// Makes a lesson's facts of its events, one pass in their order; what no event tells is the catalogue's.
struct LessonFactBuilder {
  private(set) var fact: LessonFact
  private var tallies: [Identifier: SeatTally] = [:]
  private var seats: [Identifier: Int] = [:]
  private var headCounts: [Identifier: [String: Int]] = [:]
  private var corrected: [Identifier: Int64] = [:]
  private var correctedLive: Int64?
  private var liveSince: Int64?
  private var speaking: (seat: Identifier, since: Int64)?
  private let definitions: FigureDefinitions

  /// Kinds after which facts are kept at once.
  static let closing: Set<EventKind> = [.lessonEnded, .lessonNotHeld, .lessonCancelled, .lessonCorrected]

  init(_ fact: LessonFact, definitions: FigureDefinitions = .current) {
    self.fact = fact
    self.definitions = definitions
    for (place, seat) in fact.seats.enumerated() {
      seats[seat.seat] = place
      tallies[seat.seat] = SeatTally(leaveGap: fact.thresholds.leaveGapMilliseconds)
    }
  }

  mutating func take(_ event: StoredEvent) {
    fact.events += 1
    if let seat = event.seat, event.kind != .seatCalled, event.kind != .seatUncalled {
      takeSeat(event, seat)
    } else {
      takeLesson(event)
    }
  }

  // MARK: The lesson

  private mutating func takeLesson(_ event: StoredEvent) {
    switch event.kind {
    case .lessonArmed: plan(event)
    case .lessonLive:
      fact.state = .live
      if liveSince == nil { liveSince = event.at }
    case .lessonEnded:
      fact.state = .ended
      fact.endedAt = event.at
      stop(at: event.at)
    case .lessonNotHeld: fact.state = .notHeld
    case .lessonCancelled: fact.state = .cancelled
    case .lessonReinstated: fact.state = .published
    case .interrupted:
      fact.state = .interrupted
      stop(at: event["seenAt"].flatMap { Int64($0) } ?? event.at)
    case .lessonSubstituted:
      if let new = event["new"].flatMap({ Identifier($0) }) { fact.teacher = new }
    case .seatCalled, .seatUncalled: call(event)
    case .lessonCorrected:
      fact.corrections += 1
      if let excluded = event["excluded"] { fact.isExcluded = excluded == "1" }
      if let live = event.event.number("liveMilliseconds") { correctedLive = live }
    default: break
    }
  }

  /// The chain's word on the plan wins over the catalogue's.
  private mutating func plan(_ event: StoredEvent) {
    fact.state = .armed
    fact.plannedStart = event.event.number("plannedStart") ?? fact.plannedStart
    fact.plannedEnd = event.event.number("plannedEnd") ?? fact.plannedEnd
    fact.thresholdsVersion = event["thresholdsVersion"].flatMap { Int($0) } ?? fact.thresholdsVersion
    fact.cluster = event["cluster"].flatMap { Identifier($0) } ?? fact.cluster
    guard let course = event["course"].flatMap({ Identifier($0) }) else { return }
    fact.course = course
    fact.mode = event["mode"].flatMap(Course.Mode.init(rawValue:)) ?? fact.mode
    fact.term = event["term"] ?? fact.term
    fact.subject = event["subject"] ?? fact.subject
    fact.grades = event["grades"].map { $0.split(separator: ",").compactMap { Int($0) } } ?? fact.grades
    fact.teacher = event["teacher"].flatMap { Identifier($0) } ?? fact.teacher
  }

  private mutating func stop(at end: Int64) {
    if let liveSince { fact.liveMilliseconds &+= max(0, end &- liveSince) }
    liveSince = nil
    endSpeech(at: end)
  }

  /// The floor is one seat's at a time.
  private mutating func call(_ event: StoredEvent) {
    endSpeech(at: event.at)
    guard event.kind == .seatCalled, let seat = event.seat, let place = seats[seat] else { return }
    fact.seats[place].calls += 1
    speaking = (seat, event.at)
  }

  private mutating func endSpeech(at end: Int64) {
    if let speaking, let place = seats[speaking.seat] {
      fact.seats[place].spokenMilliseconds &+= max(0, end &- speaking.since)
    }
    speaking = nil
  }

  // MARK: Seats

  private mutating func takeSeat(_ event: StoredEvent, _ seat: Identifier) {
    guard let place = seats[seat] else { return }
    tallies[seat]?.take(event)
    switch event.kind {
    case .seatJoined:
      fact.seats[place].role = event["role"].flatMap(Seat.Role.init(rawValue:)) ?? fact.seats[place].role
      fact.seats[place].room = event["room"].flatMap { Identifier($0) } ?? fact.seats[place].room
      fact.seats[place].schoolClass = event["class"].flatMap { Identifier($0) } ?? fact.seats[place].schoolClass
      fact.seats[place].institution = event["institution"].flatMap { Identifier($0) } ?? fact.seats[place].institution
    case .seatLeft, .interrupted:
      if speaking?.seat == seat { endSpeech(at: event.at) }
    case .handRaised: fact.seats[place].hands += 1
    case .headCounted:
      if let count = event["count"].flatMap({ Int($0) }), (0...Limits.headCount).contains(count) {
        headCounts[seat, default: [:]][event["cohort"] ?? ""] = count
      }
    case .seatMinute:
      if let minute = SeatMinute(event.event) { fact.seats[place].line.take(minute, definitions) }
    case .lessonCorrected:
      fact.corrections += 1
      if let effective = event.event.number("effectiveMilliseconds") { corrected[seat] = effective }
    default: break
    }
  }

  /// - Parameters:
  ///   - end: of a lesson that is open: now.
  ///   - running: attendance that the chain does not know yet.
  mutating func finish(at end: Int64, running: [Identifier: Int64] = [:]) -> LessonFact {
    if liveSince != nil { stop(at: end) }
    if let correctedLive { fact.liveMilliseconds = correctedLive }
    for place in fact.seats.indices {
      let id = fact.seats[place].seat
      guard var tally = tallies[id] else { continue }
      tally.settle(at: end)
      fact.seats[place].joins = tally.joins
      fact.seats[place].leaves = tally.leaves
      fact.seats[place].reconnects = tally.reconnects
      fact.seats[place].effectiveMilliseconds = max(tally.effectiveMilliseconds, running[id] ?? 0)
      if let corrected = corrected[id] {
        fact.seats[place].correctedFrom = fact.seats[place].effectiveMilliseconds
        fact.seats[place].effectiveMilliseconds = corrected
      }
      fact.seats[place].headCount = headCounts[id].map { $0.values.reduce(0, +) }
    }
    return fact
  }
}

extension LedgerEvent {
  /// A value of milliseconds, 0…2^53; nil for anything else.
  func number(_ key: String) -> Int64? {
    guard let value = self[key].flatMap({ Int64($0) }), (0...(1 << 53)).contains(value) else { return nil }
    return value
  }

  /// How a seat's line was over one minute.
  public init(_ minute: SeatMinute, lesson: Identifier, seat: Identifier) {
    var payload = [("minute", String(minute.minute)), ("loss", String(minute.loss))]
    let figures = [
      ("rtt", minute.roundTrip), ("jitter", minute.jitter), ("bitrate", minute.bitrate), ("freezes", minute.freezes),
      ("frozen", minute.frozenMilliseconds), ("degraded", minute.degradedMilliseconds),
    ]
    for (key, value) in figures where value != 0 { payload.append((key, String(value))) }
    if !minute.degradedTo.isEmpty { payload.append(("degradedTo", minute.degradedTo)) }
    self.init(kind: .seatMinute, lesson: lesson, seat: seat, payload: payload)
  }
}

extension SeatMinute {
  /// Nil for an event of another kind, or without its minute; figures are held to what a minute can have.
  init?(_ event: LedgerEvent) {
    guard event.kind == .seatMinute, let minute = event.number("minute") else { return nil }
    func figure(_ key: String, most: Int) -> Int { min(most, max(0, event[key].flatMap { Int($0) } ?? 0)) }
    self.init(
      minute: minute, loss: figure("loss", most: 1_000), roundTrip: figure("rtt", most: 60_000),
      jitter: figure("jitter", most: 60_000), bitrate: figure("bitrate", most: 10_000_000),
      freezes: figure("freezes", most: 10_000), frozenMilliseconds: figure("frozen", most: 60_000),
      degradedMilliseconds: figure("degraded", most: 60_000), degradedTo: event["degradedTo"] ?? "")
  }
}
