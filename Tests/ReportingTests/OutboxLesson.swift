import Classroom
import Foundation
import Ledger
import Reporting
import Synchronization

/// A ledger in a folder of its own with one published lesson, a clock that the test sets, and an open outbox.
final class OutboxLesson: Sendable {
  let path: String
  let store: LedgerStore
  let lesson: Lesson
  let lead: Seat
  let receivers: [Seat]
  let schools: [Identifier]
  private let time: Clock

  final class Clock: Sendable {
    private let value = Mutex<Int64>(1_800_000_000_000)
    var now: Int64 { value.withLock { $0 } }
    func advance(_ milliseconds: Int64) { value.withLock { $0 += milliseconds } }
  }

  static let holder = OutboxHolder(id: Identifier(high: 1, low: 1), host: "here")
  static let base = "https://relay.example.cn"
  static let page = "https://space.example.cn"

  init() throws {
    path = NSTemporaryDirectory() + "tongke-outbox-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let time = Clock()
    self.time = time
    store = try LedgerStore(path: path + "/ledger.sqlite") { time.now }
    let sample = try store.installSampleCluster()
    let lesson = Lesson(
      id: Identifier(high: 0xA, low: 1), registration: Identifier(high: 0xB, low: 1), cluster: sample.cluster.id,
      title: "王老师的音乐课", plannedStart: time.now, plannedEnd: time.now + 2_400_000, state: .published)
    self.lesson = lesson
    try store.upsert(lesson)
    let seats = sample.rooms.enumerated().map { index, room in
      Seat(
        id: Identifier(high: 0xC00 + UInt64(index), low: 1), lesson: lesson.id, role: index == 0 ? .lead : .receiver,
        room: room.id)
    }
    for seat in seats { try store.upsert(seat) }
    lead = seats[0]
    receivers = Array(seats.dropFirst())
    schools = sample.rooms.map(\.institution)
    try store.openOutbox(activityBase: Self.base)
    try store.holdOutbox(Self.holder)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var now: Int64 { time.now }
  func advance(seconds: Int64) { time.advance(seconds * 1_000) }

  func tell(_ kind: EventKind, _ seat: Seat? = nil, _ payload: [(String, String)] = []) throws {
    try store.append(LedgerEvent(kind: kind, lesson: lesson.id, seat: seat?.id, payload: payload))
  }

  /// Gives the schools of seats their spaces; 0 is the lead's.
  func map(_ seats: [Int], page: String = page) throws {
    try store.transaction { transaction in
      for seat in seats {
        try transaction.upsert(
          Space(owner: .institution(schools[seat]), kind: .school, homePage: page, name: "S-\(seat)"))
      }
    }
  }

  /// A lesson of 40 minutes: all come, the lead teaches, all go.
  func teach() throws {
    try tell(.lessonArmed)
    for seat in [lead] + receivers {
      try tell(.seatJoined, seat)
      try tell(.peerConnected, seat, [("peer", "1"), ("kind", "receive")])
    }
    advance(seconds: 2)
    try tell(.lessonLive)
    advance(seconds: 2_398)
    try store.checkpoint(
      receivers.map {
        AttendanceCounter(lesson: lesson.id, seat: $0.id, effectiveMilliseconds: 2_398_350, connected: true)
      })
    try tell(.lessonEnded)
  }

  static func settings(
    _ profile: StatementSettings.Profile = .none, platforms: [StatementSettings.Platform] = [.init(name: "lrs")]
  ) -> StatementSettings {
    StatementSettings(
      activityBase: base, appID: "4101", platformCode: "430000", profile: profile, platforms: platforms)
  }

  func make(_ settings: StatementSettings = settings()) throws {
    let writer = StatementWriter(settings)
    while try store.makeStatements(writer, holder: Self.holder) {}
    while try store.makeHeld(writer, holder: Self.holder) > 0 {}
  }

  func waiting(_ platform: String = "lrs") throws -> [WaitingStatement] {
    try store.waitingStatements(platform: platform, limit: 10_000, byteLimit: .max)
  }

  func settle(_ statements: [WaitingStatement], _ outcome: StatementSettlement.Outcome = .sent) throws {
    try store.settle(
      statements.map { StatementSettlement(number: $0.number, outcome: outcome) }, holder: Self.holder)
  }
}

/// A statement as a receiver reads it.
struct ReadStatement {
  let json: [String: Any]
  let text: String

  init(_ body: [UInt8]) throws {
    text = String(decoding: body, as: UTF8.self)
    json = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
  }

  private func at(_ path: [String]) -> Any? {
    path.reduce(json as Any?) { value, key in (value as? [String: Any])?[key] }
  }

  subscript(_ path: String...) -> String? { at(path) as? String }
  func number(_ path: String...) -> Double? { (at(path) as? NSNumber)?.doubleValue }
  var id: String { self["id"] ?? "" }
  /// What stands behind the last slash.
  var verb: String { self["verb", "id"]?.split(separator: "/").last.map(String.init) ?? "" }
  var account: String { self["actor", "account", "name"] ?? "" }
  var categories: [String] {
    (at(["context", "contextActivities", "category"]) as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
  }
  var session: String? { self["context", "extensions", "https://w3id.org/xapi/cmi5/context/extensions/sessionid"] }
}
