// Goal: whoever rewrites the ledger is found out by heads that were lodged before. Method: three days of events, and a
// forger with a connection of his own who changes rows and recomputes every hash, by the format as it is written down.
import Classroom
import Crypto
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct HeadTests {
  private static let day: Int64 = 86_400_000

  /// Three days of five events each, and what was lodged at the end of them.
  private func filled() throws -> (folder: LedgerFolder, store: LedgerStore, lodged: SignedHeads) {
    let folder = try LedgerFolder()
    let store = try folder.open()
    for number in 0..<3 {
      for event in 0..<5 {
        try store.append(LedgerEvent(kind: .tokenIssued, payload: [("n", "\(number)-\(event)")]))
        folder.advance(1_000)
      }
      folder.advance(Self.day - 5_000)
    }
    return (folder, store, try store.signedHeads())
  }

  /// All hashes anew, by the format's own words, also the links of days and the head.
  private func rebuild(_ db: Database) throws {
    for trigger in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
      try db.execute(sql: "DROP TRIGGER \(trigger)")
    }
    let rows = try Row.fetchAll(db, sql: "SELECT * FROM events ORDER BY id")
    try db.execute(sql: "DELETE FROM events")
    try db.execute(sql: "DELETE FROM dayHeads")
    var previous = Data(count: 32)
    var last: Int64?
    for (index, row) in rows.enumerated() {
      let at: Int64 = row["at"]
      var payload = try #require(
        try JSONSerialization.jsonObject(with: Data((row["payload"] as String).utf8)) as? [[String]])
      payload.removeAll { $0[0].hasPrefix("previous") }
      if let last, CivilTime.date(of: last) != CivilTime.date(of: at) {
        payload.append(["previousDay", "\(CivilTime.date(of: last))"])
        payload.append(["previousHead", previous.map { String(format: "%02x", $0) }.joined()])
      }
      let text = String(decoding: try JSONEncoder().encode(payload), as: UTF8.self)
      var bytes = previous
      for number in [Int64(index + 1), at] { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
      let fields: [Data?] = [
        Data((row["kind"] as String).utf8), row["lesson"], row["seat"], Data(text.utf8), row["relay"],
      ]
      for field in fields {
        withUnsafeBytes(of: (field.map { UInt32($0.count) } ?? .max).bigEndian) { bytes.append(contentsOf: $0) }
        if let field { bytes.append(field) }
      }
      previous = Data(SHA256.hash(data: bytes))
      try db.execute(
        sql: "INSERT INTO events (id, at, kind, lesson, seat, payload, hash, relay) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          index + 1, at, row["kind"] as String, row["lesson"] as Data?, row["seat"] as Data?, text, previous,
          row["relay"] as Data?,
        ])
      last = at
    }
    try db.execute(sql: "UPDATE chain SET events = ?, hash = ?", arguments: [rows.count, previous])
  }

  private func forge(
    _ folder: LedgerFolder, recomputing: Bool = true, _ change: (Database) throws -> Void
  ) throws {
    let stranger = try folder.stranger()
    try stranger.write { db in
      for trigger in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
        try db.execute(sql: "DROP TRIGGER \(trigger)")
      }
      try change(db)
      if recomputing { try rebuild(db) }
    }
    try stranger.close()
  }

  @Test func daysAreLinkedAndHeadsFit() throws {
    let (folder, store, lodged) = try filled()
    #expect(lodged.isSigned && lodged.heads.map(\.event) == [5, 10, 15])
    #expect(Set(lodged.heads.map(\.day)).count == 3 && lodged.relay.version == 4)
    #expect(try store.relayIdentifier() == lodged.relay)
    #expect(try store.verifyChain().isIntact && store.verifyChain().head == lodged.heads[2].hash)
    #expect(try LedgerStore.inspect(path: folder.file(), against: lodged) == [])
    // The ledger goes on, and the heads still fit.
    try store.append(LedgerEvent(kind: .tokenIssued))
    #expect(try LedgerStore.inspect(path: folder.file(), against: lodged) == [])
    try store.close()
    let again = try folder.open()
    #expect(try again.relayIdentifier() == lodged.relay, "made once")
    #expect(try again.signedHeads().heads.map(\.event) == [5, 10, 15, 16])
    try again.close()
  }

  @Test func everyEventNamesItsRelay() throws {
    let (folder, store, lodged) = try filled()
    let stranger = try folder.stranger()
    let named = try stranger.read { try Data.fetchAll($0, sql: "SELECT relay FROM events") }
    #expect(named.count == 15 && named.allSatisfy { Identifier(bytes: Array($0)) == lodged.relay })
    try stranger.close()
    try store.close()
    try forge(folder, recomputing: false) {
      try $0.execute(sql: "UPDATE events SET relay = zeroblob(16) WHERE id = 7")
    }
    #expect(try LedgerStore.inspect(path: folder.file()).firstBroken == 7)
  }

  @Test func theForgersOwnChainIsTheFormat() throws {
    let (folder, store, lodged) = try filled()
    try store.close()
    try forge(folder) { _ in }
    // Nothing was changed: the same bytes come out, so what follows is really a rebuilt chain and no broken one.
    #expect(try LedgerStore.inspect(path: folder.file()).head == lodged.heads[2].hash)
    #expect(try LedgerStore.inspect(path: folder.file(), against: lodged) == [])
  }

  @Test func anEditedEventShows() throws {
    let (folder, store, lodged) = try filled()
    try store.close()
    try forge(folder, recomputing: false) {
      try $0.execute(sql: "UPDATE events SET payload = '[[\"n\",\"9\"]]' WHERE id = 8")
    }
    #expect(try LedgerStore.inspect(path: folder.file(), against: lodged).contains(.broken(8)))
  }

  @Test func aRebuiltChainShows() throws {
    let (folder, store, lodged) = try filled()
    try store.close()
    try forge(folder) { try $0.execute(sql: "UPDATE events SET payload = '[[\"n\",\"9\"]]' WHERE id = 8") }
    #expect(try LedgerStore.inspect(path: folder.file()).isIntact, "by itself it holds")
    #expect(
      try LedgerStore.inspect(path: folder.file(), against: lodged) == [.rebuilt(lodged.heads[1].day)])
  }

  @Test func aMissingDayShows() throws {
    let (folder, store, lodged) = try filled()
    try store.close()
    try forge(folder) { try $0.execute(sql: "DELETE FROM events WHERE id BETWEEN 6 AND 10") }
    #expect(try LedgerStore.inspect(path: folder.file()).isIntact)
    let found = try LedgerStore.inspect(path: folder.file(), against: lodged)
    #expect(found.contains(.missingDay(lodged.heads[1].day)))
  }

  @Test func aCutTailShows() throws {
    let (folder, store, lodged) = try filled()
    try store.close()
    try forge(folder) { try $0.execute(sql: "DELETE FROM events WHERE id > 13") }
    #expect(try LedgerStore.inspect(path: folder.file()).isIntact)
    #expect(
      try LedgerStore.inspect(path: folder.file(), against: lodged) == [.cutTail(lodged: 15, events: 13)])
  }

  @Test func anotherLedgerAndAForgedFileShow() throws {
    let (folder, store, lodged) = try filled()
    var forged = lodged
    forged.heads[0].event = 4
    #expect(try LedgerStore.inspect(path: folder.file(), against: forged) == [.badSignature])
    let (other, _, _) = try filled()
    #expect(try LedgerStore.inspect(path: other.file(), against: lodged) == [.otherRelay])
    let text = try JSONEncoder().encode(lodged)
    #expect(try JSONDecoder().decode(SignedHeads.self, from: text).isSigned)
    try store.close()
  }

  @Test func eventsOfTheFirstReleaseStayAsTheyWereHashed() throws {
    let folder = try LedgerFolder()
    try FileManager.default.copyItem(atPath: FixtureTests.folder + "/ledger.sqlite", toPath: folder.file())
    let store = try folder.open()
    folder.advance(Self.day)
    try store.append(LedgerEvent(kind: .tokenIssued))
    #expect(try store.verifyChain().isIntact)
    let heads = try store.signedHeads().heads
    // The day of the old events is closed by the first new one.
    #expect(heads.map(\.event) == [22, 23])
    try store.close()
    // None after it may fall back to the format before.
    try forge(folder, recomputing: false) { try $0.execute(sql: "UPDATE events SET relay = NULL WHERE id = 23") }
    #expect(try LedgerStore.inspect(path: folder.file()).firstBroken == 23)
  }
}
