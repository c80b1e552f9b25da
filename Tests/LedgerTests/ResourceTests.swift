// Goal: a resource is there from its first file on, is found by what it says, and is published by no way round the
// review. Method: a published county's lesson with files written as the recorder's maker writes them; SQL by another
// program; a ledger of before.
import Classroom
import Foundation
import GRDB
import Ledger
import Testing

@Suite struct ResourceTests {
  static let teacher = Identifier(high: 0xE, low: 1)
  static let reviewer = Identifier(high: 0xE, low: 2)

  /// A county whose first lesson has one file.
  struct Shelf {
    let folder: LedgerFolder
    let store: LedgerStore
    let county: County
    let lesson: Lesson
    let file: ResourceFile

    init() throws {
      (folder, store, county) = try County.published(by: ResourceTests.teacher)
      let course = try #require(county.courses.first)
      lesson = try #require(try store.lessons(course: course.id).first)
      file = Shelf.file(lesson.id, 1, sha256: String(repeating: "a", count: 64))
      try make(file)
    }

    static func file(_ lesson: Identifier, _ number: UInt64, sha256: String) -> ResourceFile {
      ResourceFile(
        id: Identifier(high: 0xF11E, low: number), lesson: lesson, kind: .recording,
        path: "lessons/\(lesson)/\(number).mp4",
        mediaType: "video/mp4", byteCount: 100, sha256: sha256, durationMilliseconds: 2_400_000, state: .verified,
        madeAt: 1_800_000_000_000)
    }

    /// As the maker of files does it: the row, then the event.
    func make(_ file: ResourceFile) throws {
      try store.transaction { try $0.upsert(file) }
      try store.append(
        LedgerEvent(kind: .resourceMade, lesson: file.lesson, payload: [("resource", "\(file.id)")]))
    }

    func resource() throws -> LessonResource { try #require(try store.resource(lesson: lesson.id)) }

    @discardableResult
    func take(_ step: ResourceStep, by actor: Identifier) throws -> LessonResource {
      let id = try resource().id
      return try store.transaction { try $0.review(id, step, by: actor) }
    }

    func publish(_ level: ResourceVisibility = .county) throws {
      try take(.submit(by: teacher), by: teacher)
      try take(.approve(by: reviewer, for: level), by: reviewer)
      try take(.publish(level), by: teacher)
    }

    func kinds() throws -> [EventKind] { try store.events(lesson: lesson.id).map(\.kind) }
  }

  @Test func theFirstFileMakesItFromTheTimetable() throws {
    let shelf = try Shelf()
    let found = try shelf.resource()
    let course = shelf.county.courses[0]
    #expect(found.state == .recorded && found.number == 1 && found.madeAt == shelf.folder.now)
    #expect(found.metadata.title == shelf.lesson.title && found.metadata.subject == "music")
    #expect(found.metadata.grades == [3] && found.metadata.term == County.code)
    #expect(found.metadata.author == course.lead.teacher && found.metadata.cluster == course.cluster)
    #expect(found.metadata.institution == shelf.county.institutions[0].id)
    #expect(found.metadata.containsFaces, "until somebody says otherwise")
    try shelf.make(Shelf.file(shelf.lesson.id, 2, sha256: String(repeating: "b", count: 64)))
    #expect(try shelf.resource() == found, "a second file makes no second resource")
    #expect(try shelf.store.resource(found.id) == found)
  }

  @Test func eachStepIsAnEventOfItsTransaction() throws {
    let shelf = try Shelf()
    try shelf.publish()
    let digest = try shelf.store.digest(of: try shelf.resource())
    let told = try shelf.store.events(lesson: shelf.lesson.id).filter { $0["by"] != nil }
    #expect(
      told.map(\.kind) == [.resourceDrafted, .resourceSubmitted, .resourceApproved, .resourcePublished])
    #expect(told.allSatisfy { $0["resource"] == (try? shelf.resource()).map { "\($0.id)" } })
    #expect(told[2]["digest"] == digest && told[2]["by"] == "\(Self.reviewer)")
    #expect(told[3]["visibility"] == "county")
    let before = try shelf.kinds().count
    #expect(throws: ResourceRefusal.noSuchStep) { try shelf.take(.submit(by: Self.teacher), by: Self.teacher) }
    #expect(try shelf.kinds().count == before, "what is refused is no event")
    let withdrawn = try shelf.take(.withdraw, by: Self.reviewer)
    #expect(withdrawn.state == .withdrawn && withdrawn.epoch == 1)
    #expect(try shelf.store.verifyChain().isIntact)
  }

  @Test func whatChangesIsADraftAgain() throws {
    let shelf = try Shelf()
    try shelf.publish()
    var changed = shelf.file
    changed.sha256 = String(repeating: "c", count: 64)
    try shelf.store.transaction { try $0.upsert(changed) }
    #expect(try shelf.resource().state == .draft && shelf.resource().epoch == 1)
    #expect(try shelf.kinds().last == .resourceDrafted)
    #expect(throws: ResourceRefusal.notApproved) { try shelf.take(.publish(.school), by: Self.teacher) }
    try shelf.publish()
    // The same file once more changes nothing.
    try shelf.store.transaction { try $0.upsert(changed) }
    #expect(try shelf.resource().state == .published)
    var words = try shelf.resource().metadata
    words.chapter = "第二单元"
    let id = try shelf.resource().id
    let described = try shelf.store.transaction { try $0.describe(id, words, by: Self.teacher) }
    #expect(described.state == .draft && described.metadata.chapter == "第二单元")
    #expect(throws: (any Error).self) {
      try shelf.store.transaction { try $0.describe(id, ResourceMetadata(title: ""), by: Self.teacher) }
    }
    #expect(try shelf.resource() == described)
  }

  @Test func noOtherProgramPublishesWithoutApproval() throws {
    let shelf = try Shelf()
    try shelf.take(.submit(by: Self.teacher), by: Self.teacher)
    let other = try shelf.folder.stranger()
    let ways = [
      "UPDATE resources SET state = 'published', visibility = 3",
      "UPDATE resources SET state = 'published', visibility = 3, approvedFor = 3, approver = submitter",
      "UPDATE resources SET state = 'published', visibility = 3, approvedFor = 3, approver = x'01'",
      "UPDATE resources SET state = 'approved', approvedFor = 3, approver = submitter",
      "INSERT INTO resources SELECT number + 1, x'00112233445566778899aabbccddeeff', x'00', madeAt, changedAt, title, "
        + "subject, grades, term, volume, textbook, chapter, lessonName, keywords, summary, containsFaces, consent, "
        + "institution, author, cluster, 'published', submitter, x'01', 3, 3, digest, reason, 0, 0, 0, 0 "
        + "FROM resources",
    ]
    for sql in ways {
      #expect(throws: DatabaseError.self, "\(sql)") { try other.write { try $0.execute(sql: sql) } }
    }
    try shelf.take(.approve(by: Self.reviewer, for: .school), by: Self.reviewer)
    #expect(throws: DatabaseError.self) {
      try other.write { try $0.execute(sql: "UPDATE resources SET state = 'published', visibility = 3") }
    }
    try shelf.take(.publish(.school), by: Self.teacher)
    #expect(try shelf.resource().review.visibility == .school)
  }

  @Test func searchFindsWordsOfTwoCharactersAndTakesAnyQuery() throws {
    let shelf = try Shelf()
    let id = try shelf.resource().id
    var words = try shelf.resource().metadata
    (words.title, words.lessonName, words.keywords) = ("三年级音乐", "茉莉花", ["民歌", "Jasmine"])
    (words.chapter, words.textbook) = ("第三单元", "人教版")
    try shelf.store.transaction { _ = try $0.describe(id, words, by: Self.teacher) }
    func count(_ text: String) throws -> Int {
      var query = ResourceQuery()
      query.text = text
      return try shelf.store.resources(query, limit: 10).count
    }
    for text in ["茉莉", "莉花", "音乐", "民歌", "jasmine", "Jasmine 茉莉", "三年级", "人教", "学校", "music"] {
      #expect(try count(text) == 1, "\(text)")
    }
    // Neither apart, nor across two fields, nor what is not there.
    for text in ["花茉", "美术", "茉莉 美术", "乐人", "Jasmin", "一茉"] { #expect(try count(text) == 0, "\(text)") }
    for hostile in ["\"", "*", "\" OR 1", "茉莉\" OR \"x", "words:茉", "NEAR(茉 莉)", "-", "", "'; DROP TABLE x", "a\0b"] {
      #expect((0...1).contains(try count(hostile)), "\(hostile)")
    }
    #expect(try count("\"茉莉\"*") == 1)
  }

  @Test func filtersAndPagesChoose() throws {
    let shelf = try Shelf()
    let lessons = try shelf.store.lessons(course: shelf.county.courses[0].id).prefix(6)
    for (index, lesson) in lessons.enumerated() where lesson.id != shelf.lesson.id {
      try shelf.make(Shelf.file(lesson.id, UInt64(index) + 10, sha256: String(repeating: "d", count: 64)))
    }
    func found(_ change: (inout ResourceQuery) -> Void) throws -> [LessonResource] {
      var query = ResourceQuery()
      change(&query)
      return try shelf.store.resources(query, limit: 100)
    }
    let all = try found { _ in }
    #expect(all.count >= 6 && all.map(\.number) == all.map(\.number).sorted(by: >))
    #expect(try found { $0.before = all[2].number } == Array(all.dropFirst(3)))
    #expect(try found { $0.subject = "music" }.count == all.count)
    #expect(try found { $0.subject = "art" }.isEmpty)
    #expect(try found { $0.grade = 3 }.count == all.count)
    #expect(try found { $0.grade = 4 }.isEmpty)
    #expect(try found { $0.institution = shelf.county.institutions[0].id }.count == all.count)
    #expect(try found { $0.institution = shelf.county.institutions[1].id }.isEmpty)
    #expect(try found { $0.author = shelf.county.persons[0].id }.count == all.count)
    #expect(try found { $0.term = "none" }.isEmpty)
    try shelf.publish()
    #expect(try found { $0.state = .published }.map(\.lesson) == [shelf.lesson.id])
    #expect(try found { $0.isNominated = true }.isEmpty)
    let id = try shelf.resource().id
    try shelf.store.transaction { _ = try $0.nominate(id, by: Self.reviewer) }
    #expect(try found { $0.isNominated = true }.map(\.id) == [id])
    #expect(try shelf.kinds().last == .resourceNominated)
  }

  @Test func pushesAreTrackedToTheirAnswer() throws {
    let shelf = try Shelf()
    let id = try shelf.resource().id
    let school = shelf.county.institutions[1].id
    func push(_ to: Identifier) throws {
      try shelf.store.transaction { _ = try $0.push(id, to: to, by: Self.reviewer) }
    }
    #expect(throws: ResourceRefusal.notApproved) { try push(school) }
    try shelf.publish()
    try push(school)
    #expect(throws: LedgerError.self) { try push(school) }
    #expect(throws: LedgerError.notFound) { try push(Identifier(high: 9, low: 9)) }
    func answer(_ state: ResourcePush.State) throws {
      try shelf.store.transaction { _ = try $0.answer(id, at: school, state, by: Self.teacher) }
    }
    try answer(.opened)
    try answer(.accepted)
    #expect(throws: ResourceRefusal.noSuchStep) { try answer(.declined) }
    let kept = try shelf.store.pushes(resource: id)
    #expect(kept.map(\.state) == [.accepted] && kept[0].answeredBy == Self.teacher)
    let told = try shelf.store.events(lesson: shelf.lesson.id).suffix(3)
    #expect(told.map(\.kind) == [.resourcePushed, .resourcePushAnswered, .resourcePushAnswered])
    #expect(told.compactMap { $0["outcome"] } == ["opened", "accepted"])
    var query = ResourceQuery()
    query.pushedTo = school
    #expect(try shelf.store.resources(query, limit: 5).map(\.id) == [id])
  }

  @Test func holdingAndExpiryAreKept() throws {
    let shelf = try Shelf()
    let id = try shelf.resource().id
    try shelf.store.transaction { _ = try $0.hold(id, true, by: Self.reviewer) }
    try shelf.store.transaction { _ = try $0.hold(id, true, by: Self.reviewer) }
    try shelf.store.transaction { _ = try $0.hold(id, false, by: Self.reviewer) }
    #expect(try shelf.kinds().suffix(2) == [.resourceHeld, .resourceReleased])
    try shelf.store.append(LedgerEvent(kind: .resourceExpired, lesson: shelf.lesson.id))
    #expect(try shelf.resource().isExpired)
    #expect(throws: ResourceRefusal.expired) { try shelf.take(.submit(by: Self.teacher), by: Self.teacher) }
    #expect(throws: ResourceRefusal.expired) {
      try shelf.store.transaction { _ = try $0.hold(id, true, by: Self.reviewer) }
    }
  }

  @Test func readsAreKept() throws {
    let shelf = try Shelf()
    let id = try shelf.resource().id
    for (index, link) in ["", "abc"].enumerated() {
      try shelf.store.record(
        RecordingRead(
          at: Int64(index), resource: id, file: shelf.file.id, actor: link.isEmpty ? Self.teacher : nil, link: link,
          address: "127.0.0.1"))
    }
    let reads = try shelf.store.reads(resource: id)
    #expect(reads.map(\.link) == ["abc", ""] && reads.map(\.actor) == [nil, Self.teacher])
  }

  @Test func ledgersOfBeforeGetTheirResources() throws {
    let shelf = try Shelf()
    let before = try shelf.resource()
    try shelf.store.close()
    let other = try shelf.folder.stranger()
    try other.write { db in
      // As it was before resources were reviewed.
      for table in ["recordingReads", "resourcePushes", "resourceWords", "resources"] {
        try db.execute(sql: "DROP TABLE \(table)")
      }
      try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier LIKE 'v9%'")
    }
    try other.close()
    let again = try shelf.folder.open()
    let made = try #require(try again.resource(lesson: shelf.lesson.id))
    #expect(made.id == before.id && made.metadata == before.metadata && made.madeAt == shelf.file.madeAt)
    var query = ResourceQuery()
    query.text = "音乐"
    #expect(try again.resources(query, limit: 5).map(\.id) == [before.id])
  }
}
