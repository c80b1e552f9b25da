import Classroom
import Foundation
import GRDB
import Ledger
import Synchronization
import Testing

@Suite struct DurabilityTests {
  /// Appends on threads of their own until told to stop; tells what was acknowledged.
  final class Writer: Sendable {
    private let acknowledgedID = Mutex<Int64>(0)
    private let isStopped = Mutex(false)
    private let failure = Mutex<String?>(nil)
    private let group = DispatchGroup()

    init(_ store: LedgerStore, _ classes: Classes, threads: Int = 2) {
      for thread in 0..<threads {
        DispatchQueue.global().async(group: group) { [self] in
          var count = 0
          while !isStopped.withLock({ $0 }) {
            do {
              let event = classes.event(.degraded, classes.receivers[thread], [("count", "\(count)")])
              let id = try store.append(event)
              acknowledgedID.withLock { $0 = max($0, id) }
              count += 1
            } catch {
              failure.withLock { $0 = "\(error)" }
              return
            }
          }
        }
      }
    }

    var acknowledged: Int64 { acknowledgedID.withLock { $0 } }

    func waitForMore(than id: Int64) throws {
      let deadline = Date(timeIntervalSinceNow: 20)
      while acknowledged <= id {
        guard Date() < deadline, failure.withLock({ $0 }) == nil else { throw LedgerError.corruptRow }
        usleep(1_000)
      }
    }

    func stop() -> String? {
      isStopped.withLock { $0 = true }
      group.wait()
      return failure.withLock { $0 }
    }
  }

  /// What `kill -9` leaves is the files as they are at that moment: main file and log, no shared memory.
  @Test func aCrashLosesNoAcknowledgedEvent() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    try store.append([classes.event(.lessonArmed), classes.event(.lessonLive)])
    try store.append(classes.event(.seatJoined, classes.receivers[0]))
    let writer = Writer(store, classes)
    for round in 0..<5 {
      try writer.waitForMore(than: writer.acknowledged + 20)
      let acknowledged = writer.acknowledged
      let name = "crash-\(round).sqlite"
      // The log first would miss what a checkpoint moved; a real crash takes both at one moment, so stop checkpoints
      // by holding a read snapshot while copying.
      let reader = try folder.stranger()
      try reader.read { db in
        _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM events")
        for suffix in ["", "-wal"] {
          try FileManager.default.copyItem(
            atPath: folder.file() + suffix, toPath: folder.file(name) + suffix)
        }
      }
      let after = try folder.open(name)
      let found = try after.verifyChain()
      #expect(found.isIntact)
      #expect(Int64(found.events) >= acknowledged)
      let events = try after.events(lesson: classes.lesson.id)
      #expect(events.filter { $0.kind == .degraded && $0.id <= acknowledged }.count == Int(acknowledged) - 5)
      #expect(try after.recover() == 2)
      #expect(try after.recover() == 0)
      #expect(try after.verifyChain().isIntact)
    }
    #expect(writer.stop() == nil)
  }

  @Test func everyCommitIsSynced() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    #expect(try store.pragma("synchronous") == "2")
    #expect(try store.pragma("journal_mode") == "wal")
    let mode = try FileManager.default.attributesOfItem(atPath: folder.file())[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func aBackupWhileWritingIsWholeAndRestores() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let secret = try store.secret("tokens") { [1, 2, 3] }
    let writer = Writer(store, classes)
    var lowest: [Int64] = []
    for round in 0..<3 {
      try writer.waitForMore(than: writer.acknowledged + 10)
      lowest.append(writer.acknowledged)
      try store.backup(to: folder.file("backup-\(round).sqlite"))
    }
    try writer.waitForMore(than: writer.acknowledged + 10)
    #expect(throws: LedgerError.alreadyExists) { try store.backup(to: folder.file("backup-0.sqlite")) }
    #expect(throws: LedgerError.inUse) {
      try LedgerStore.restore(from: folder.file("backup-0.sqlite"), to: folder.file())
    }
    #expect(writer.stop() == nil)
    let newest = try store.verifyChain()
    #expect(newest.isIntact)
    try store.close()

    for round in 0..<3 {
      try LedgerStore.restore(from: folder.file("backup-\(round).sqlite"), to: folder.file())
      let restored = try folder.open()
      let found = try restored.verifyChain()
      #expect(found.isIntact && Int64(found.events) >= lowest[round] && found.events < newest.events)
      #expect(try restored.secret("tokens") { [9] } == secret)
      #expect(try restored.append(classes.event(.restored, classes.lead)) == Int64(found.events + 1))
      try restored.close()
      if round == 0 {
        // What was replaced is still there, whole, with what its log held.
        let replaced = try folder.open("ledger.sqlite.replaced")
        #expect(try replaced.verifyChain() == newest)
        try replaced.close()
      }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".restoring") }, "\(left)")
  }

  @Test func aRestoreOverADamagedLedgerWorksAndOfADamagedBackupDoesNot() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    _ = try Classes(in: store, start: folder.now)
    try store.backup(to: folder.file("backup.sqlite"))
    let events = try store.verifyChain().events
    try store.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("backup.sqlite")))
    for name in ["torn.sqlite", "noise.sqlite", "empty.sqlite"] {
      let data =
        switch name {
        case "torn.sqlite": bytes.prefix(bytes.count / 2)
        case "noise.sqlite": Data((0..<8_192).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        default: Data()
        }
      try data.write(to: URL(fileURLWithPath: folder.file(name)))
      #expect(throws: LedgerError.notALedger, "\(name)") {
        try LedgerStore.restore(from: folder.file(name), to: folder.file())
      }
    }
    let other = try folder.stranger("other.sqlite")
    try other.write { try $0.execute(sql: "CREATE TABLE events (id INTEGER)") }
    try other.close()
    for open in [false, true] {
      #expect(throws: LedgerError.notALedger) {
        if open {
          _ = try folder.open("other.sqlite")
        } else {
          try LedgerStore.restore(from: folder.file("other.sqlite"), to: folder.file())
        }
      }
    }
    #expect(throws: LedgerError.notFound) { try LedgerStore.restore(from: folder.file("none"), to: folder.file()) }
    #expect(try folder.open().verifyChain().events == events)

    bytes.replaceSubrange(0..<100, with: Data(repeating: 0x5a, count: 100))
    try bytes.write(to: URL(fileURLWithPath: folder.file()))
    try Data(repeating: 7, count: 5_000).write(to: URL(fileURLWithPath: folder.file() + "-wal"))
    #expect(throws: LedgerError.notALedger) { try folder.open() }
    try LedgerStore.restore(from: folder.file("backup.sqlite"), to: folder.file())
    let found = try folder.open().verifyChain()
    #expect(found.isIntact && found.events == events)
  }

  @Test func aLedgerOfALaterReleaseIsLeftAlone() throws {
    let folder = try LedgerFolder()
    try folder.open().close()
    let stranger = try folder.stranger()
    try stranger.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999')") }
    try stranger.close()
    #expect(throws: LedgerError.newerVersion) { try folder.open() }
  }

  @Test func callsAroundAndAfterTheCloseEndInOrder() async throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let kept = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var kept = 0
          while kept < 10_000, (try? store.append(LedgerEvent(kind: .lessonArmed, lesson: classes.lesson.id))) != nil {
            kept += 1
          }
          return kept
        }
      }
      group.addTask {
        try? await Task.sleep(for: .milliseconds(50))
        try? store.close()
        return 0
      }
      return await group.reduce(0, +)
    }
    #expect(throws: LedgerError.closed) { try store.lesson(classes.lesson.id) }
    #expect(throws: LedgerError.closed) { try store.append(LedgerEvent(kind: .lessonArmed)) }
    try store.close()
    #expect(try folder.open().eventCount(lesson: classes.lesson.id) == kept)
  }
}
