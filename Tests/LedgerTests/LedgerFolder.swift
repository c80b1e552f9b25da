import Classroom
import Foundation
import GRDB
import Ledger
import Synchronization

/// A ledger in a folder of its own that goes with it, and a clock that the test sets.
final class LedgerFolder: Sendable {
  let path: String
  private let time = Mutex<Int64>(1_800_000_000_000)

  init() throws {
    path = NSTemporaryDirectory() + "tongke-ledger-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var now: Int64 { time.withLock { $0 } }
  func advance(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
  func set(_ milliseconds: Int64) { time.withLock { $0 = milliseconds } }

  func file(_ name: String = "ledger.sqlite") -> String { path + "/" + name }

  func open(_ name: String = "ledger.sqlite") throws -> LedgerStore {
    try LedgerStore(path: file(name)) { [self] in now }
  }

  /// Another program's connection, with none of the ledger's care.
  func stranger(_ name: String = "ledger.sqlite") throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    return try DatabaseQueue(path: file(name), configuration: configuration)
  }
}

/// A published lesson of the sample cluster with one lead and three receivers.
struct Classes {
  let lesson: Lesson
  let lead: Seat
  let receivers: [Seat]

  init(in store: LedgerStore, start: Int64, seconds: Int64 = 2_400, number: UInt64 = 1) throws {
    let sample = try store.installSampleCluster()
    lesson = Lesson(
      id: Identifier(high: 0xA, low: number), registration: Identifier(high: 0xB, low: number),
      cluster: sample.cluster.id, title: "三年级音乐", plannedStart: start, plannedEnd: start + seconds * 1000,
      state: .published)
    try store.upsert(lesson)
    let seats = sample.rooms.enumerated().map { index, room in
      Seat(
        id: Identifier(high: 0xC00 + UInt64(index), low: number), lesson: Identifier(high: 0xA, low: number),
        role: index == 0 ? .lead : .receiver, room: room.id)
    }
    for seat in seats { try store.upsert(seat) }
    lead = seats[0]
    receivers = Array(seats.dropFirst())
  }

  func event(_ kind: EventKind, _ seat: Seat? = nil, _ payload: [(String, String)] = []) -> LedgerEvent {
    LedgerEvent(kind: kind, lesson: lesson.id, seat: seat?.id, payload: payload)
  }

  func counter(_ seat: Seat, seconds: Int64, connected: Bool = true) -> AttendanceCounter {
    AttendanceCounter(
      lesson: lesson.id, seat: seat.id, effectiveMilliseconds: seconds * 1000, connected: connected)
  }
}
