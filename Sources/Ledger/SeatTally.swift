internal import Classroom

/// Joins, leaves and reconnects of one seat, recounted from its events in order.
///
/// Presence follows the seat's events, and the peers' where a seat event is missing; an absence shorter than the leave
/// gap is a reconnect, whichever event told of it.
struct SeatTally {
  private(set) var joins = 0
  private(set) var leaves = 0
  private(set) var reconnects = 0
  private(set) var effectiveMilliseconds: Int64 = 0

  private let leaveGap: Int64
  private var isPresent = false
  private var peers = 0
  /// Since when no connection stood; nil while one does, or before the first.
  private var awaySince: Int64?
  /// Whether that absence is in `leaves` already.
  private var isLeaveCounted = false

  init(leaveGap: Int64) { self.leaveGap = leaveGap }

  mutating func take(_ event: StoredEvent) {
    switch event.kind {
    case .seatJoined:
      if !isPresent || awaySince != nil { arrive(event.at) }
    case .peerConnected:
      if !isPresent || awaySince != nil {
        arrive(event.at)
      } else if event["replaces"] != nil {
        reconnects += 1
        peers = max(0, peers - 1)
      }
      peers += 1
    case .peerLost:
      guard isPresent, peers > 0 else { break }
      peers -= 1
      if peers == 0, awaySince == nil { awaySince = event.at }
    case .seatLeft:
      // Being there at the end is not leaving.
      depart(event.at, isLeave: event["reason"] != "lessonEnded")
      takeAttendance(event)
    case .interrupted:
      // The relay went, not the seat: whether that was a leave shows when the seat comes back, or does not.
      if isPresent, awaySince == nil { awaySince = event["seenAt"].flatMap { Int64($0) } ?? event.at }
      peers = 0
      takeAttendance(event)
    default: break
    }
  }

  /// Settles an absence that was never ended: `end` is when the lesson ended, or now.
  mutating func settle(at end: Int64) {
    if isPresent, let awaySince, end &- awaySince >= leaveGap { depart(awaySince, isLeave: true) }
  }

  private mutating func arrive(_ at: Int64) {
    if let since = awaySince, joins > 0, at &- since < leaveGap {
      reconnects += 1
      if isLeaveCounted { leaves -= 1 }
    } else {
      if isPresent { leaves += 1 }
      joins += 1
    }
    isPresent = true
    isLeaveCounted = false
    awaySince = nil
    peers = 0
  }

  private mutating func depart(_ at: Int64, isLeave: Bool) {
    guard isPresent else { return }
    isPresent = false
    peers = 0
    if awaySince == nil { awaySince = at }
    isLeaveCounted = isLeave
    if isLeave { leaves += 1 }
  }

  private mutating func takeAttendance(_ event: StoredEvent) {
    guard let figure = event["effectiveMilliseconds"].flatMap({ Int64($0) }) else { return }
    effectiveMilliseconds = max(effectiveMilliseconds, figure)
  }
}
