import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct EventTests {
  @Test func eventsComeBackAsTheyWereAppended() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let before = try store.verifyChain().events
    let payload = [("cause", "loss \"12 %\" / 丢包\u{1}"), ("empty", ""), ("cause", "again")]
    let first = try store.append(classes.event(.degraded, classes.receivers[0], payload))
    folder.advance(5)
    let rest = try store.append([classes.event(.restored, classes.receivers[0]), classes.event(.recordingStarted)])
    #expect(first == Int64(before + 1) && rest == [first + 1, first + 2])
    let events = try store.events(lesson: classes.lesson.id)
    #expect(events.map(\.id) == [first, first + 1, first + 2])
    #expect(events.map(\.kind) == [.degraded, .restored, .recordingStarted])
    #expect(events[0].payload.map(\.0) == payload.map(\.0) && events[0].payload.map(\.1) == payload.map(\.1))
    #expect(events[0]["cause"] == payload[0].1)
    #expect(events.map(\.seat) == [classes.receivers[0].id, classes.receivers[0].id, nil])
    #expect(events.map(\.at) == [folder.now - 5, folder.now, folder.now])
    #expect(try store.eventCount(lesson: classes.lesson.id) == 3)
    #expect(try store.events(lesson: classes.lesson.id, after: first, limit: 1).map(\.id) == [first + 1])
    #expect(try store.append(LedgerEvent(kind: .tokenIssued)) == first + 3)
    #expect(try store.verifyChain().isIntact)
  }

  @Test func payloadsAreBounded() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let before = try store.verifyChain()
    try store.append(LedgerEvent(kind: .tokenIssued, payload: [("k", String(repeating: "x", count: 4_080))]))
    let tooMuch: [[(String, String)]] = [
      [("k", String(repeating: "x", count: 4_097))], [("k", String(repeating: "\u{1}", count: 1_000))],
      [("", "v")], [(String(repeating: "k", count: 65), "v")], (0..<65).map { ("k\($0)", "v") },
    ]
    for payload in tooMuch {
      #expect(throws: LedgerError.payloadTooLarge) {
        try store.append(LedgerEvent(kind: .tokenIssued, payload: payload))
      }
    }
    #expect(try store.verifyChain().events == before.events + 1)
  }

  @Test func strangersAndStepsOutOfOrderAreRefused() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let other = try Classes(in: store, start: folder.now, number: 2)
    let nobody = Identifier(high: 9, low: 9)
    #expect(throws: LedgerError.notFound) { try store.append(LedgerEvent(kind: .published, lesson: nobody)) }
    #expect(throws: LedgerError.notFound) { try store.append(classes.event(.seatJoined, other.lead)) }
    #expect(throws: LedgerError.notFound) { try store.append(LedgerEvent(kind: .tokenIssued, seat: nobody)) }
    for kind in [EventKind.lessonLive, .lessonEnded, .interrupted] {
      #expect(throws: LedgerError.badTransition) { try store.append(classes.event(kind)) }
    }
    #expect(throws: LedgerError.badTransition) {
      try store.append([classes.event(.lessonArmed), classes.event(.lessonEnded)])
    }
    #expect(try store.lesson(classes.lesson.id)?.state == .published, "all or none")
    try store.append([classes.event(.lessonArmed), classes.event(.lessonLive), classes.event(.lessonLive)])
    #expect(try store.lesson(classes.lesson.id)?.state == .live)
    try store.append([classes.event(.interrupted), classes.event(.lessonLive), classes.event(.lessonEnded)])
    #expect(try store.lesson(classes.lesson.id)?.state == .ended)
    #expect(throws: LedgerError.badTransition) { try store.append(classes.event(.lessonLive)) }
    let sample = try store.installSampleCluster()
    #expect(throws: LedgerError.badTransition) {
      try store.append(LedgerEvent(kind: .lessonEnded, lesson: sample.lesson.id))
    }
  }

  @Test func theLogRefusesToBeChanged() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    _ = try Classes(in: store, start: folder.now)
    try store.append([LedgerEvent(kind: .tokenIssued), LedgerEvent(kind: .tokenIssued)])
    let stranger = try folder.stranger()
    let attempts = [
      "UPDATE events SET at = at + 1 WHERE id = 1", "DELETE FROM events", "DELETE FROM events WHERE id = 2",
      """
      INSERT OR REPLACE INTO events
        SELECT id, at, 'seatLeft', lesson, seat, payload, hash, relay FROM events WHERE id = 1
      """,
      "INSERT INTO events SELECT id + 100, at, kind, lesson, seat, payload, hash, relay FROM events WHERE id = 1",
      "DELETE FROM chain", "UPDATE chain SET hash = zeroblob(32)",
      "INSERT OR REPLACE INTO chain VALUES (1, 0, zeroblob(32))",
    ]
    for sql in attempts {
      #expect(throws: DatabaseError.self, "\(sql)") { try stranger.write { try $0.execute(sql: sql) } }
    }
    #expect(try store.verifyChain().isIntact)
  }

  @Test func tamperingShowsWhereverItIs() throws {
    let folder = try LedgerFolder()
    do {
      let store = try folder.open()
      let classes = try Classes(in: store, start: folder.now)
      for index in 0..<20 {
        try store.append(classes.event(.degraded, classes.receivers[index % 3], [("index", "\(index)")]))
      }
      try store.backup(to: folder.file("clean.sqlite"))
      try store.close()
    }
    let attempts: [(sql: String, firstBroken: Int64, events: Int)] = [
      ("UPDATE events SET payload = replace(payload, '5', '6') WHERE id = 8", 8, 22),
      ("UPDATE events SET at = at - 1 WHERE id = 1", 1, 22),
      ("UPDATE events SET kind = 'restored' WHERE id = 22", 22, 22),
      ("UPDATE events SET seat = NULL WHERE id = 10", 10, 22),
      ("UPDATE events SET lesson = (SELECT lesson FROM events WHERE id = 1) WHERE id = 10", 10, 22),
      ("UPDATE events SET hash = zeroblob(32) WHERE id = 11", 11, 22),
      ("DELETE FROM events WHERE id = 9", 9, 21), ("DELETE FROM events WHERE id = 22", 22, 21),
      ("DELETE FROM events", 1, 0),
      ("INSERT INTO events SELECT 23, at, kind, lesson, seat, payload, hash, relay FROM events WHERE id = 22", 23, 23),
      ("UPDATE chain SET hash = zeroblob(32)", 23, 22),
      ("UPDATE chain SET events = 21, hash = (SELECT hash FROM events WHERE id = 21)", 22, 22),
    ]
    for (index, attempt) in attempts.enumerated() {
      let name = "tampered-\(index).sqlite"
      try FileManager.default.copyItem(atPath: folder.file("clean.sqlite"), toPath: folder.file(name))
      let stranger = try folder.stranger(name)
      try stranger.write { db in
        for trigger in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
          try db.execute(sql: "DROP TRIGGER \(trigger)")
        }
        try db.execute(sql: attempt.sql)
      }
      try stranger.close()
      let found = try folder.open(name).verifyChain()
      #expect(!found.isIntact, "\(attempt.sql)")
      #expect(found.firstBroken == attempt.firstBroken, "\(attempt.sql)")
      #expect(found.events == attempt.events, "\(attempt.sql)")
      #expect(throws: LedgerError.chainBroken) {
        try LedgerStore.restore(from: folder.file(name), to: folder.file("target.sqlite"))
      }
      #expect(!FileManager.default.fileExists(atPath: folder.file("target.sqlite")))
    }
    #expect(try folder.open("clean.sqlite").verifyChain().isIntact)
  }
}
