public import Classroom

/// A small cluster to try the relay with, under identifiers that are the same everywhere.
public struct SampleCluster: Hashable, Sendable {
  public var cluster: Cluster
  /// Always live.
  public var lesson: Lesson
  public var leadSeat: Seat
  public var receiverSeats: [Seat]
  /// The lead's room first, then the receivers' in the order of their seats.
  public var rooms: [Room]
}

/// Who takes part in the sample lesson, by name.
public struct SamplePlan: Hashable, Sendable {
  public struct Site: Hashable, Sendable {
    public var institution: String
    /// The short number people use, such as `P01-1`.
    public var room: String
    public var name: String
    public init(institution: String, room: String, name: String) {
      self.institution = institution
      self.room = room
      self.name = name
    }
  }

  /// Receivers of one plan.
  public static let receiverLimit = 200

  public var cluster: String
  public var lesson: String
  public var lead: Site
  /// 1…200 teaching points, branches of the lead school.
  public var receivers: [Site]

  public init(cluster: String, lesson: String, lead: Site, receivers: [Site]) {
    self.cluster = cluster
    self.lesson = lesson
    self.lead = lead
    self.receivers = receivers
  }

  /// One lead school and three teaching points; `Configs/sample-cluster.yaml` spells it out.
  public static let standard = SamplePlan(
    cluster: "示范联校群 Sample cluster", lesson: "示范课 Sample lesson",
    lead: Site(institution: "示范中心小学", room: "L01-1", name: "主讲教室"),
    receivers: [
      Site(institution: "东山教学点", room: "P01-1", name: "东山教室"),
      Site(institution: "西河教学点", room: "P02-1", name: "西河教室"),
      Site(institution: "南坪教学点", room: "P03-1", name: "南坪教室"),
    ])
}

extension LedgerStore {
  /// Makes the sample cluster, a lead school and its teaching points, with a lesson that is always live; what is there
  /// already stays as it is, so that it may be renamed. All in one transaction.
  ///
  /// Throws `ClassroomError` for a name that is wrong by itself, `full` for more than 200 receivers.
  public func installSampleCluster(_ plan: SamplePlan = .standard) throws -> SampleCluster {
    guard (1...SamplePlan.receiverLimit).contains(plan.receivers.count) else { throw LedgerError.full }
    let now = clock()
    return try write { db in
      let sample = try Sample(plan, now: now)
      for institution in sample.institutions where try Institution.fetch(db, id: institution.id) == nil {
        try institution.put(db)
      }
      for room in sample.rooms where try Room.fetch(db, id: room.id) == nil { try room.put(db) }
      if try Cluster.fetch(db, id: sample.cluster.id) == nil { try sample.cluster.put(db) }
      if try Lesson.fetch(db, id: sample.lesson.id) == nil { try sample.lesson.put(db) }
      for seat in sample.seats where try Seat.fetch(db, id: seat.id) == nil { try seat.put(db) }
      let writer = EventWriter(db: db, now: now)
      let state = try Lesson.fetch(db, id: sample.lesson.id)?.state
      if state == .published {
        _ = try writer.append(LedgerEvent(kind: .lessonArmed, lesson: sample.lesson.id))
        _ = try writer.append(LedgerEvent(kind: .lessonLive, lesson: sample.lesson.id))
      }
      guard let cluster = try Cluster.fetch(db, id: sample.cluster.id),
        let lesson = try Lesson.fetch(db, id: sample.lesson.id)
      else { throw LedgerError.notFound }
      let seats = try sample.seats.compactMap { try Seat.fetch(db, id: $0.id) }
      let rooms = try sample.rooms.compactMap { try Room.fetch(db, id: $0.id) }
      return SampleCluster(
        cluster: cluster, lesson: lesson, leadSeat: seats[0], receiverSeats: Array(seats.dropFirst()), rooms: rooms)
    }
  }
}

/// The sample's values. Identifiers are version 8 UUIDs (RFC 9562 §5.8) that spell out what they are.
private struct Sample {
  var institutions: [Institution] = []
  var rooms: [Room] = []
  var seats: [Seat] = []
  let cluster: Cluster
  let lesson: Lesson

  /// `section`: 1 institutions, 2 rooms, 3 seats, 4 cluster, 5 lesson, 6 registration.
  private static func identifier(_ section: UInt64, _ number: UInt64) -> Identifier {
    Identifier(high: 0x746f_6e67_6b65_8000 | section, low: 0x8000_0000_0000_0000 | number)
  }

  init(_ plan: SamplePlan, now: Int64) throws(ClassroomError) {
    let start = min(max(now, 0), Limits.latestTime - 2_400_000)
    lesson = Lesson(
      id: Self.identifier(5, 1), registration: Self.identifier(6, 1), cluster: Self.identifier(4, 1),
      title: plan.lesson, plannedStart: start, plannedEnd: start + 2_400_000, state: .published,
      isAlwaysLive: true)
    for (index, site) in ([plan.lead] + plan.receivers).enumerated() {
      let number = UInt64(index)
      let isLead = index == 0
      institutions.append(
        Institution(
          id: Self.identifier(1, number), kind: isLead ? .school : .teachingPoint, name: site.institution,
          parent: isLead ? nil : Self.identifier(1, 0), setting: isLead ? .town : .rural))
      rooms.append(
        Room(
          id: Self.identifier(2, number), institution: Self.identifier(1, number), number: site.room, name: site.name))
      seats.append(
        Seat(
          id: Self.identifier(3, number), lesson: lesson.id, role: isLead ? .lead : .receiver,
          room: Self.identifier(2, number)))
    }
    cluster = Cluster(
      id: Self.identifier(4, 1), name: plan.cluster,
      members: institutions.enumerated().map { Cluster.Member(institution: $1.id, leads: $0 == 0) })
  }
}
