/// A room that one lesson has in place of its course's.
public struct RoomChange: Hashable, Sendable, Codable {
  /// The course's, as it was when the lesson was first given another.
  public var from: Identifier
  public var to: Identifier

  public init(from: Identifier, to: Identifier) {
    self.from = from
    self.to = to
  }
}

extension Timetable {
  /// Where a party of a course is in a lesson with some changes of rooms.
  ///
  /// A change of a room that the course no longer has is that of the party of the same school.
  func room(of party: Course.Party, of course: Course, with changes: [RoomChange]) -> Identifier {
    guard !changes.isEmpty else { return party.room }
    if let change = changes.first(where: { $0.from == party.room }) { return change.to }
    guard let school = rooms[party.room]?.institution else { return party.room }
    let known = [course.lead.room] + course.receivers.map(\.room)
    let change = changes.first { rooms[$0.to]?.institution == school && !known.contains($0.from) }
    return change?.to ?? party.room
  }
}
