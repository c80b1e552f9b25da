import ArgumentParser
import Classroom
import Foundation
import Ledger
import Reporting
import Synchronization

/// How fast events go into the ledger, and how long a term's coverage takes.
struct ReportBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Events into the ledger a minute, and a term's coverage.",
    discussion: """
      A ledger in a folder of its own. Minutes of seats go in by batches of 256, as a relay writes them, each batch with \
      its sync of the disk. Then lessons with four receiving rooms each are armed, attended and ended, and coverage is \
      counted from the facts that were kept with it.
      """)

  @Option(help: "Lessons of the term.") var lessons = 60_000
  @Option(help: "Events of minutes.") var events = 20_000
  @Option(help: "Folder for the ledger. Default: the system's for temporary files.") var folder: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (100...1_000_000).contains(lessons), (256...1_000_000).contains(events) else {
      throw ValidationError("--lessons is 100…1000000, --events 256…1000000")
    }
  }

  func run() throws {
    let place = URL(filePath: folder ?? NSTemporaryDirectory()).appending(path: "tongke-report-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    let term = try BenchTerm(path: place.appending(path: "ledger.sqlite").path, lessons: lessons)
    var report = Report("report", unit: "seconds, and events a minute")
    let (perMinute, share) = try term.writeMinutes(events)
    report.add("events", "a minute", perMinute, "aim: 10,000")
    report.add("events", "share of the writer for 10,000 a minute", share, "what is left is the lessons'")
    let filled = try term.teachAll()
    report.add(
      "lessons", "armed, attended and ended, seconds each", filled / Double(lessons), "facts are kept with it")
    let coverage = try (0..<3).map { _ in try term.coverage() }
    report.add("coverage", "of \(lessons) lessons", coverage.sorted()[1], "aim: 3 s, middle of three")
    report.print(asJSON: json)
  }
}

/// A term of lessons in a ledger, each with a lead and four receiving rooms of one of a hundred clusters.
private final class BenchTerm {
  private static let clusters: UInt64 = 100
  private let clock: BenchClock
  private let store: LedgerStore
  private let lessons: Int
  private static let span = FigureSpan(from: CivilDate("2026-09-01")!, through: CivilDate("2027-01-31")!)!

  init(path: String, lessons: Int) throws {
    let clock = BenchClock(Self.span.instants.lowerBound)
    self.lessons = lessons
    self.clock = clock
    store = try LedgerStore(path: path) { clock.now }
    try store.transaction { try Self.catalogue($0) }
  }

  private static func id(_ section: UInt64, _ number: UInt64) -> Identifier {
    Identifier(high: section << 16 | 0x7000, low: 1 << 63 | number)
  }

  private static func catalogue(_ changes: LedgerTransaction) throws {
    for cluster in 0..<clusters {
      var members: [Cluster.Member] = []
      for site in 0...4 as ClosedRange<UInt64> {
        let number = cluster * 5 + site
        let isLead = site == 0
        try changes.upsert(
          Institution(
            id: id(1, number), number: "S\(number)", kind: isLead ? .school : .teachingPoint, name: "学校",
            parent: isLead ? nil : id(1, cluster * 5), setting: isLead ? .town : .rural, region: "某县"))
        try changes.upsert(Room(id: id(2, number), institution: id(1, number), number: "S\(number)-1", name: "教室"))
        members.append(.init(institution: id(1, number), leads: isLead))
      }
      try changes.upsert(Cluster(id: id(3, cluster), number: "Q\(cluster)", name: "群", members: members))
      try changes.upsert(
        Course(
          id: id(4, cluster), number: "K\(cluster)", cluster: id(3, cluster), term: "2026-2027-1", subject: "music",
          grades: [3], lead: .init(room: id(2, cluster * 5)),
          receivers: (1...4).map { .init(room: id(2, cluster * 5 + $0)) }))
    }
  }

  private static func lesson(_ number: Int) -> (lesson: Lesson, seats: [Seat]) {
    let cluster = UInt64(number) % clusters
    // As they come in the term: 430 a day.
    let day = Int64(number / 430) % 140
    let start = span.instants.lowerBound + day * 86_400_000 + Int64(number % 480) * 60_000 + 28_800_000
    let lesson = Lesson(
      id: id(5, UInt64(number)), registration: id(6, UInt64(number)), course: id(4, cluster), cluster: id(3, cluster),
      title: "音乐", plannedStart: start, plannedEnd: start + 2_400_000, state: .published)
    let seats = (0...4 as ClosedRange<UInt64>).map {
      Seat(
        id: id(7, UInt64(number) * 5 + $0), lesson: lesson.id, role: $0 == 0 ? .lead : .receiver,
        room: id(2, cluster * 5 + $0))
    }
    return (lesson, seats)
  }

  /// - Returns: events a minute, and which part of a minute 10,000 take.
  func writeMinutes(_ count: Int) throws -> (perMinute: Double, share: Double) {
    let (lesson, seats) = Self.lesson(1_000_001)
    try store.transaction { changes in
      try changes.upsert(lesson)
      for seat in seats { try changes.upsert(seat) }
    }
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: lesson.id))
    let start = ContinuousClock.now
    for first in stride(from: 0, to: count, by: 256) {
      try store.append(
        (first..<min(count, first + 256)).map { number in
          LedgerEvent(
            SeatMinute(minute: Int64(number) * 60_000, loss: number % 20, roundTrip: 30, jitter: 4, bitrate: 1_800),
            lesson: lesson.id, seat: seats[1 + number % 4].id)
        })
    }
    let seconds = (ContinuousClock.now - start).seconds
    return (Double(count) / seconds * 60, seconds / Double(count) * 10_000 / 60)
  }

  /// - Returns: seconds.
  func teachAll() throws -> Double {
    let start = ContinuousClock.now
    for first in stride(from: 0, to: lessons, by: 100) {
      let batch = (first..<min(lessons, first + 100)).map { Self.lesson($0) }
      clock.set(batch[0].lesson.plannedStart)
      try store.transaction { changes in
        for (lesson, seats) in batch {
          try changes.upsert(lesson)
          for seat in seats { try changes.upsert(seat) }
          try changes.append(LedgerEvent(kind: .lessonArmed, lesson: lesson.id))
          for seat in seats { try changes.append(LedgerEvent(kind: .seatJoined, lesson: lesson.id, seat: seat.id)) }
          try changes.append(LedgerEvent(kind: .lessonLive, lesson: lesson.id))
        }
      }
      clock.set(batch[0].lesson.plannedEnd)
      try store.checkpoint(
        batch.flatMap { lesson, seats in
          seats.map {
            AttendanceCounter(lesson: lesson.id, seat: $0.id, effectiveMilliseconds: 2_400_000, connected: true)
          }
        })
      try store.append(batch.map { LedgerEvent(kind: .lessonEnded, lesson: $0.lesson.id) })
    }
    return (ContinuousClock.now - start).seconds
  }

  /// - Returns: seconds.
  func coverage() throws -> Double {
    let desk = FigureDesk(store: store) { 0 }
    let start = ContinuousClock.now
    let report = try desk.report(.coverage, FigureQuery(span: Self.span))
    let seconds = (ContinuousClock.now - start).seconds
    let taught = report[table: "plan"]?.rows.first { $0[0] == .text("taught") }?[1]
    guard taught == .number(Int64(lessons)) else { throw BenchError("coverage counts \(String(describing: taught))") }
    return seconds
  }
}

/// A clock that the bench sets.
private final class BenchClock: Sendable {
  private let time: Mutex<Int64>
  init(_ time: Int64) { self.time = Mutex(time) }
  var now: Int64 { time.withLock { $0 } }
  func set(_ value: Int64) { time.withLock { $0 = value } }
}
