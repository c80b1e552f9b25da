// Goal: the audit trail keeps who did what, cannot be changed unseen, and holds no person's name. Method: writing to
// it, attacking the file as another program would, and reading the forms of rows.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct AuditTests {
  static let actor = Identifier(high: 0xAC, low: 7)

  private func entry(_ operation: String = "course.change", target: String = "courses/1") -> AuditEntry {
    AuditEntry(
      actor: Self.actor, role: "countyCoordinator", operation: operation, target: target, address: "192.0.2.7",
      outcome: .allowed, old: "{\"textbook\":\"甲\"}", new: "{\"textbook\":\"乙\"}")
  }

  @Test func entriesComeBackAsTheyWereWritten() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let stranger = AuditEntry(
      actor: nil, role: "", operation: "token.use", address: "2001:db8::1", outcome: .refused)
    #expect(try store.audit(entry()) == 1)
    folder.advance(1_000)
    #expect(try store.audit(stranger) == 2)
    try store.transaction { changes in
      try changes.upsert(Institution(id: Self.actor, kind: .school, name: "校"))
      try changes.audit(entry("institution.add", target: "institutions/1"))
    }
    let all = try store.auditEntries()
    #expect(all.map(\.id) == [1, 2, 3] && all.map(\.entry.outcome) == [.allowed, .refused, .allowed])
    #expect(all[0].entry == entry() && all[1].entry == stranger && all[1].at == folder.now)
    #expect(try store.auditEntries(since: folder.now) == Array(all[1...]))
    #expect(try store.auditEntries(after: 1, limit: 1) == [all[1]])
    #expect(try store.auditEntries(target: "courses/1") == [all[0]])
    #expect(try store.auditEntries(actor: Self.actor) == [all[0], all[2]])
    #expect(try store.latestAuditEntries(target: "institutions/1") == [all[2]])
    let found = try store.verifyChain()
    #expect(found.isIntact && found.auditEntries == 3 && found.firstBrokenAudit == nil && found.events == 0)
  }

  @Test func pagesGoBackFromTheLatest() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    var times: [Int64] = []
    for number in 1...10 {
      var each = entry(number % 2 == 0 ? "importTables" : "acceptRoom")
      if number > 8 { each.outcome = .refused }
      if number == 3 { each.actor = nil }
      try store.audit(each)
      times.append(folder.now)
      folder.advance(1_000)
    }
    func ids(_ query: AuditQuery, _ limit: Int = 100) throws -> [Int64] {
      try store.auditEntries(query, limit: limit).map(\.id)
    }
    #expect(try ids(AuditQuery()) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    #expect(try ids(AuditQuery(), 3) == [10, 9, 8])
    #expect(try ids(AuditQuery(before: 8), 3) == [7, 6, 5])
    #expect(try ids(AuditQuery(span: times[2]...times[4])) == [5, 4, 3])
    #expect(try ids(AuditQuery(operation: "importTables")) == [10, 8, 6, 4, 2])
    #expect(try ids(AuditQuery(outcome: .refused)) == [10, 9])
    #expect(try ids(AuditQuery(span: times[0]...times[3], actor: Self.actor)) == [4, 2, 1])
    #expect(try ids(AuditQuery(operation: "nothing")) == [])
  }

  @Test func entriesAreBounded() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    var long = entry()
    long.new = String(repeating: "长", count: 1_366)
    #expect(throws: LedgerError.payloadTooLarge) { try store.audit(long) }
    long.new?.removeLast()
    try store.audit(long)
    #expect(throws: ClassroomError.badName) { try store.audit(entry("")) }
    #expect(throws: ClassroomError.badName) { try store.audit(entry(String(repeating: "o", count: 41))) }
    #expect(throws: ClassroomError.badName) { try store.audit(entry(target: "a\nb")) }
    #expect(try store.auditEntries().map(\.entry) == [long])
  }

  @Test func theTrailRefusesToBeChanged() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    for _ in 0..<3 { try store.audit(entry()) }
    let stranger = try folder.stranger()
    let columns = "at, actor, role, operation, target, address, outcome, old, new, hash"
    for sql in [
      "UPDATE audit SET role = 'auditor' WHERE id = 1", "DELETE FROM audit WHERE id = 3", "DELETE FROM audit",
      "INSERT OR REPLACE INTO audit SELECT id, \(columns) FROM audit WHERE id = 1",
      "INSERT INTO audit SELECT id + 9, \(columns) FROM audit WHERE id = 1", "DELETE FROM auditChain",
      "UPDATE auditChain SET hash = zeroblob(32)", "INSERT OR REPLACE INTO auditChain VALUES (1, 0, zeroblob(32))",
    ] {
      #expect(throws: DatabaseError.self, "\(sql)") { try stranger.write { try $0.execute(sql: sql) } }
    }
    #expect(try store.verifyChain().isIntact)
  }

  @Test func tamperingShowsWhereverItIs() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    for index in 0..<6 { try store.audit(entry(target: "courses/\(index)")) }
    try store.backup(to: folder.file("clean.sqlite"))
    let attempts: [(sql: String, firstBroken: Int64)] = [
      ("UPDATE audit SET outcome = 'refused' WHERE id = 2", 2), ("UPDATE audit SET actor = NULL WHERE id = 3", 3),
      ("UPDATE audit SET new = NULL WHERE id = 4", 4), ("UPDATE audit SET at = at + 1 WHERE id = 6", 6),
      ("UPDATE audit SET target = 'courses/', address = '1192.0.2.7' WHERE id = 2", 2),
      ("UPDATE audit SET old = new, new = old WHERE id = 5", 5), ("DELETE FROM audit WHERE id = 1", 1),
      ("DELETE FROM audit WHERE id = 6", 6), ("DELETE FROM audit", 1),
      ("UPDATE auditChain SET entries = 5, hash = (SELECT hash FROM audit WHERE id = 5)", 6),
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
      let found = try LedgerStore.inspect(path: folder.file(name))
      #expect(!found.isIntact && found.firstBroken == nil, "\(attempt.sql)")
      #expect(found.firstBrokenAudit == attempt.firstBroken, "\(attempt.sql)")
      #expect(throws: LedgerError.chainBroken) {
        try LedgerStore.restore(from: folder.file(name), to: folder.file("target.sqlite"))
      }
    }
  }

  @Test func formsTellWhatDiffersAndNameNobody() throws {
    let county = County(clusters: 1)
    let course = county.courses[0]
    var changed = course
    changed.textbook = "人音版 \"上\"\n"
    changed.receivers += (0..<100).map { .init(room: Identifier(high: 5, low: $0)) }
    let forms = try LedgerStore.auditForms(from: course, to: changed)
    let old = try #require(forms.old)
    let new = try #require(forms.new)
    let decoded = try #require(
      try JSONSerialization.jsonObject(with: Data(new.utf8)) as? [String: String])
    #expect(Set(decoded.keys) == ["textbook", "receivers"] && decoded["textbook"] == changed.textbook)
    #expect(decoded["receivers"]?.hasPrefix("sha256:") == true && old.contains("\"textbook\":\"\""))
    #expect(new.utf8.count <= AuditEntry.formByteLimit)
    let person = Person(
      id: Self.actor, institution: county.institutions[0].id, name: "欧阳某某", staffNumber: "007", issuer: "https://i",
      subject: "ouyang")
    let made = try LedgerStore.auditForms(from: nil, to: person)
    #expect(made.old == nil)
    let form = try #require(made.new)
    #expect(!form.contains("欧阳") && !form.contains("ouyang") && form.contains("\"staffNumber\":\"007\""))
    let renamed = try LedgerStore.auditForms(from: person, to: with(person) { $0.name = "某" })
    #expect(renamed.old == "{\"name\":\"-\"}" && renamed.new == "{\"name\":\"-\"}")
    let gone = try LedgerStore.auditForms(from: course, to: nil)
    #expect(gone.new == nil && gone.old?.contains(course.id.description) == true)
  }
}
