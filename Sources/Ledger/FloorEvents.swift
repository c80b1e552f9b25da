public import Classroom
internal import GRDB

extension EventKind {
  /// What each verb of the floor is kept as.
  init(_ verb: FloorVerb) {
    switch verb {
    case .call: self = .seatCalled
    case .uncall: self = .seatUncalled
    case .mute: self = .seatMuted
    case .unmute: self = .seatUnmuted
    case .eject: self = .seatEjected
    case .ban: self = .seatBanned
    case .unban: self = .seatUnbanned
    case .grant: self = .mediaGranted
    case .pause: self = .floorPaused
    case .resume: self = .floorResumed
    case .raiseHand: self = .handRaised
    case .lowerHand: self = .handLowered
    }
  }

  /// Kinds that acts on the floor are kept as.
  static let floorKinds = Set(FloorVerb.allCases.map { EventKind($0) })
}

extension LedgerEvent {
  /// An act on a lesson's floor.
  /// - Parameters:
  ///   - called: who was called before it, whom the end of a call is about.
  ///   - actor: who did it; nil for the relay itself.
  public init(_ act: FloorAct, lesson: Identifier, called: Identifier?, by actor: Identifier?) {
    var payload: [(String, String)] = []
    if let actor { payload.append(("by", "\(actor)")) }
    if case .grant(_, let medium, let isOn) = act {
      payload += [("medium", medium.rawValue), ("on", isOn ? "1" : "0")]
    }
    if !act.reason.isEmpty {
      payload.append(
        ("reason", String(String.UnicodeScalarView(act.reason.unicodeScalars.prefix(Floor.reasonScalars)))))
    }
    self.init(
      kind: EventKind(act.verb), lesson: lesson, seat: act.verb == .uncall ? called : act.seat, payload: payload)
  }

  /// The act that the event keeps; nil for an event of another kind.
  public var floorAct: FloorAct? {
    switch kind {
    case .seatUncalled: return .uncall
    case .seatMuted: return .mute(seat)
    case .seatUnmuted: return .unmute(seat)
    case .floorPaused: return .pause
    case .floorResumed: return .resume
    default: break
    }
    guard let seat else { return nil }
    let reason = self["reason"] ?? ""
    switch kind {
    case .seatCalled: return .call(seat)
    case .seatEjected: return .eject(seat, reason: reason)
    case .seatBanned: return .ban(seat, reason: reason)
    case .seatUnbanned: return .unban(seat)
    case .mediaGranted:
      return self["medium"].flatMap(FloorMedium.init(rawValue:)).map { .grant(seat, $0, isOn: self["on"] == "1") }
    case .handRaised: return .raiseHand(seat)
    case .handLowered: return .lowerHand(seat)
    default: return nil
    }
  }
}

extension LedgerStore {
  /// A lesson's floor made anew of its events. Cost: O(events of the lesson), memory of the floor alone.
  /// - Parameter sites: the lesson's receiving seats.
  public func floor(lesson: Identifier, sites: Set<Identifier>) throws -> Floor {
    let kinds = EventKind.floorKinds.map(\.rawValue).sorted()
    let marks = kinds.map { _ in "?" }.joined(separator: ", ")
    return try read { db in
      var arguments: [(any DatabaseValueConvertible)?] = [lesson.databaseValue]
      arguments += kinds.map { $0 as (any DatabaseValueConvertible)? }
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT id, at, kind, lesson, seat, payload, hash FROM events
          WHERE lesson = ? AND kind IN (\(marks)) ORDER BY id
          """, arguments: StatementArguments(arguments))
      var floor = Floor(sites: sites)
      while let row = try rows.next() {
        if let act = try StoredEvent(row: row).event.floorAct { floor.apply(act) }
      }
      return floor
    }
  }
}
