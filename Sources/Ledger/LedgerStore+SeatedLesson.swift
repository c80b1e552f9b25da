public import Classroom
internal import GRDB

/// A lesson with a seat for each room that takes part.
public struct SeatedLesson: Hashable, Sendable {
  public var lesson: Lesson
  public var leadSeat: Seat
  public var receiverSeats: [Seat]
  /// The lead's room first, then the receivers' in the order of their seats.
  public var rooms: [Room]
}

extension SampleCluster {
  public var seated: SeatedLesson {
    SeatedLesson(lesson: lesson, leadSeat: leadSeat, receiverSeats: receiverSeats, rooms: rooms)
  }
}

extension LedgerStore {
  /// Makes a lesson outside any timetable: a lead and up to 200 receivers in the rooms of a cluster that exists for it.
  ///
  /// Schools and rooms are made once and used again by later lessons, so figures of `P01-1` stay comparable. One
  /// transaction. Throws `ClassroomError` for a title or a window that is wrong by itself.
  public func makeLesson(
    title: String, plannedStart: Int64, plannedEnd: Int64, receivers: Int
  ) throws -> SeatedLesson {
    precondition((0...200).contains(receivers), "0…200 receivers")
    let now = clock()
    var random = SystemRandomNumberGenerator()
    return try write { db in
      let school = OpenCluster.identifier(1, 0)
      var members: [Cluster.Member] = []
      var rooms: [Room] = []
      for number in 0...receivers {
        let institution = OpenCluster.identifier(1, UInt64(number))
        // A number, so that the space of each can be imported.
        if try Institution.fetch(db, id: institution)?.number.isEmpty ?? true {
          let isLead = number == 0
          try Institution(
            id: institution, number: OpenCluster.number(number), kind: isLead ? .school : .teachingPoint,
            name: isLead ? "主讲学校 Lead school" : "教学点 Site \(number)", parent: isLead ? nil : school,
            setting: isLead ? .town : .rural
          ).put(db)
        }
        let id = OpenCluster.identifier(2, UInt64(number))
        if try Room.fetch(db, id: id) == nil { try OpenCluster.room(number, institution: institution, id: id).put(db) }
        if let room = try Room.fetch(db, id: id) { rooms.append(room) }
        members.append(Cluster.Member(institution: institution, leads: number == 0))
      }
      let cluster = OpenCluster.identifier(4, 1)
      let known = try Cluster.fetch(db, id: cluster)
      if known?.members.count ?? 0 < members.count {
        try Cluster(id: cluster, name: known?.name ?? "临时联校群 Open cluster", members: members).put(db)
      }
      let lesson = Lesson(
        id: Identifier(milliseconds: now, using: &random), registration: Identifier(milliseconds: now, using: &random),
        cluster: cluster, title: title, plannedStart: plannedStart, plannedEnd: plannedEnd, state: .published)
      try lesson.put(db)
      let seats = rooms.enumerated().map { index, room in
        Seat(
          id: Identifier(milliseconds: now, using: &random), lesson: lesson.id, role: index == 0 ? .lead : .receiver,
          room: room.id)
      }
      for seat in seats { try seat.put(db) }
      return SeatedLesson(
        lesson: lesson, leadSeat: seats[0], receiverSeats: Array(seats.dropFirst()), rooms: rooms)
    }
  }
}

/// Identifiers of the cluster for lessons outside any timetable: version 8 UUIDs (RFC 9562 §5.8) that spell `open`.
private enum OpenCluster {
  static func identifier(_ section: UInt64, _ number: UInt64) -> Identifier {
    Identifier(high: 0x6f70_656e_0000_8000 | section, low: 0x8000_0000_0000_0000 | number)
  }

  /// Of the school or teaching point, such as `OPEN-P01`.
  static func number(_ number: Int) -> String { number == 0 ? "OPEN-L01" : "OPEN-P\(number < 10 ? "0" : "")\(number)" }

  static func room(_ number: Int, institution: Identifier, id: Identifier) -> Room {
    let digits = number < 10 ? "0\(number)" : "\(number)"
    return number == 0
      ? Room(id: id, institution: institution, number: "L01-1", name: "主讲教室")
      : Room(id: id, institution: institution, number: "P\(digits)-1", name: "教室")
  }
}
