// Goal: ledgers of the first release open with all they hold. Method: the kept file of that release, and rows written
// to it by the statements of its time, also those that a later release would refuse.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct MigrationTests {
  @Test func aLedgerOfTheFirstReleaseKeepsItsRows() throws {
    let folder = try LedgerFolder()
    try FileManager.default.copyItem(atPath: FixtureTests.folder + "/ledger.sqlite", toPath: folder.file())
    let ids = (1...6).map { Identifier(high: 0x11, low: $0) }
    func blob(_ index: Int) -> Data { Data(ids[index].bytes) }
    let stranger = try folder.stranger()
    try stranger.write { db in
      #expect(try !db.tableExists("terms"), "the file is of the first release")
      try db.execute(
        sql: "INSERT INTO institutions VALUES (?, 'school', '甲校', NULL, NULL, 'town', '', NULL, NULL, NULL)",
        arguments: [blob(0)])
      for room in 1...2 {
        try db.execute(
          sql: "INSERT INTO rooms VALUES (?, ?, '101', '教室', '', NULL)", arguments: [blob(room), blob(0)])
      }
      try db.execute(
        sql: "INSERT INTO classes VALUES (?, ?, '三年级', '', '[]', NULL, '')", arguments: [blob(3), blob(0)])
      try db.execute(sql: "INSERT INTO clusters VALUES (?, '群', '[]')", arguments: [blob(4)])
      try db.execute(
        sql: """
          INSERT INTO courses VALUES (?, ?, '2025-2026-1', 'music', '[3]', '',
            '{"room":"\(ids[1])","teacher":"\(ids[5])"}', '[]', 'sync', 'dedicated', '[{"period":2,"weekday":5}]')
          """, arguments: [blob(5), blob(4)])
    }
    try stranger.close()
    let head = try LedgerStore.inspect(path: folder.file())
    #expect(head.isIntact && head.auditEntries == 0)

    let store = try folder.open()
    #expect(try store.institution(ids[0]) == Institution(id: ids[0], kind: .school, name: "甲校", setting: .town))
    let rooms = try store.rooms(institution: ids[0])
    #expect(rooms.map(\.number) == ["101", "101"] && rooms.map(\.downlink) == [nil, nil])
    #expect(try store.schoolClass(ids[3])?.number == "" && store.cluster(ids[4])?.number == "")
    var course = try #require(try store.course(ids[5]))
    #expect(course.audio == .speech && course.number == "" && course.lead.teacher == ids[5])
    #expect(course.weeklyTimes == [.init(weekday: 5, period: 2)])
    // What the first release let in may be changed and need not be put right first.
    course.number = "K1"
    try store.upsert(course)
    var room = rooms[1]
    room.name = "音乐教室"
    try store.upsert(room)
    #expect(try store.rooms(number: "101").map(\.name) == ["教室", "音乐教室"])
    #expect(throws: LedgerError.taken(key: "number", value: "101", by: LedgerRow(.rooms, ids[1]))) {
      try store.upsert(Room(id: Identifier(high: 1, low: 1), institution: ids[0], number: "101", name: "室"))
    }
    for lesson in try store.lessons() {
      #expect(lesson.revision == 0 && lesson.origin == nil && lesson.teacher == nil)
    }
    #expect(try store.lessons().count == 2)
    #expect(try store.verifyChain().head == head.head && store.verifyChain().isIntact)
    #expect(throws: LedgerError.newerVersion) {
      let stranger = try folder.stranger()
      try stranger.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v9')") }
      try stranger.close()
      _ = try folder.open()
    }
  }

  @Test func aBackupOfTheFirstReleaseRestores() throws {
    let folder = try LedgerFolder()
    try LedgerStore.restore(from: FixtureTests.folder + "/ledger.sqlite", to: folder.file())
    let store = try folder.open()
    try County(clusters: 1).write(to: store)
    try store.audit(AuditEntry(actor: nil, role: "", operation: "test", address: "", outcome: .refused))
    try store.backup(to: folder.file("backup.sqlite"))
    try store.close()
    try LedgerStore.restore(from: folder.file("backup.sqlite"), to: folder.file("other.sqlite"))
    let other = try folder.open("other.sqlite")
    #expect(try other.timetable(term: County.code)?.courses.count == 2 && other.verifyChain().auditEntries == 1)
  }
}
