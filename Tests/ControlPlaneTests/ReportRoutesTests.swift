// Goal: the golden county's figures come out of a relay as agreed, for those who may see them, in words and on paper.
// Method: a relay over a ledger that holds the county's lessons as events (Fixtures/golden-county), asked over HTTP.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct ReportRoutesTests {
  private static let span = "from=2026-09-01&to=2027-01-31"
  private static let kinds = [
    "attendance", "coverage", "quality", "screen-time", "teachers", "resources", "spaces", "exceptions", "minors",
  ]

  /// A relay over the county's ledger, half a year after its lessons.
  private func county() async throws -> TimetableRelay {
    let scratch = try ScratchFolder()
    let file = projectRoot.appending(path: "Tests/Fixtures/golden-county/ledger.sqlite")
    try FileManager.default.copyItem(atPath: file.path, toPath: scratch.path + "/ledger.sqlite")
    let clock = GivenClock()
    clock.set(CivilTime.instant(CivilDate("2027-02-01")!, ClockTime("08:00")!))
    return try await TimetableRelay(clock: clock, scratch: scratch)
  }

  private func report(
    _ relay: TimetableRelay, _ kind: String, _ more: String = "", token: String? = nil
  ) async throws -> ReportReply {
    try await relay.ask("GET", "/api/v1/reports/\(kind)?\(Self.span)\(more)", token: token).value()
  }

  private func figures(_ report: ReportReply, _ table: String) throws -> [String: Int64] {
    let table = try #require(report.tables.first { $0.name == table })
    var figures: [String: Int64] = [:]
    for row in table.rows {
      if case .text(let key) = row[0], case .number(let value) = row[1] { figures[key] = value }
    }
    return figures
  }

  @Test func theGoldenCountyIsPrinted() async throws {
    let relay = try await county()
    let report = try await report(relay, "coverage", "&minimumLessons=1")
    let plan = try figures(report, "plan")
    let wanted: [String: Int64] = [
      "planned": 12, "taught": 7, "cancelled": 1, "notTaught": 4, "withoutReceiver": 1, "notHeld": 3, "classHours": 8,
      "offerings": 2, "clusters": 1, "playbacks": 1, "meetings": 1, "tooShort": 0, "pending": 0, "excluded": 0,
    ]
    for (key, value) in wanted { #expect(plan[key] == value, "\(key)") }
    let coverage = try #require(report.tables.first { $0.name == "coverage" })
    #expect(coverage.rows[0] == [.text("coveredInstitutions"), .number(2), .number(4), .number(500)])
    let never = try #require(report.tables.first { $0.name == "neverReached" })
    #expect(never.rows.map { $0[0] } == [.text("P3"), .text("P4")])
    #expect(report.definitions.contains { $0.key == "minimumLessons" && $0.value == "1" })
    #expect(report.definitions.contains { $0.key == "thresholdsVersion" })
    #expect(try figures(try await self.report(relay, "coverage"), "plan")["offerings"] == 0, "of twelve lessons")
  }

  @Test func everyReportHasItsWordsAndPrints() async throws {
    let relay = try await county()
    for kind in Self.kinds {
      let report = try await report(relay, kind)
      #expect(!report.tables.isEmpty && !report.definitions.isEmpty, "\(kind)")
      var keys = ["title.\(kind)"] + report.definitions.map { "definition.\($0.key)" }
      for table in report.tables {
        keys.append("table.\(table.name)")
        keys += table.columns.map { "column.\($0.key)" }
        for row in table.rows {
          for case (let column, .text(let word)) in zip(table.columns, row) where column.form == "word" {
            keys.append("word.\(word)")
          }
        }
      }
      for key in Set(keys) {
        for language in Language.allCases { #expect(Text.has("figures.\(key)", in: language), "\(key) of \(kind)") }
      }
      let text = FigureWords.text(report, in: .chinese)
      #expect(!text.contains("figures.") && !text.contains("{"), "\(kind)")
      #expect(FigureWords.csv(report, table: nil)?.isEmpty == false && FigureWords.csv(report, table: "?") == nil)
      let page = try await relay.ask("GET", "/api/v1/reports/\(kind)?\(Self.span)&format=html").text
      #expect(page.contains("<html lang=\"zh-CN\">") && page.contains("size:A4"), "\(kind)")
      #expect(!page.contains("<script") && !page.contains("figures."), "\(kind)")
    }
    #expect(try await relay.ask("GET", "/api/v1/reports/coverage?\(Self.span)&format=html").text.contains("<svg"))
  }

  @Test func whatHeadsShowHasWords() {
    for code in ["badSignature", "otherRelay", "otherKey", "cutTail", "missingDay", "rebuilt", "broken"] {
      for language in Language.allCases { #expect(Text.has("cli.report.head.\(code)", in: language), "\(code)") }
    }
  }

  @Test func eachSeesItsOwn() async throws {
    let relay = try await county()
    let schools = try relay.relay.store.institutions()
    let second = try #require(schools.first { $0.number == "P2" })
    let own = try relay.token(.schoolAdmin, .school(second.id))
    let seen = try await report(relay, "attendance", token: own)
    #expect(seen.scope == "school:P2")
    #expect(try figures(seen, "plan")["classHours"] == 1 && figures(seen, "plan")["planned"] == 4)
    let rooms = try #require(seen.tables.first { $0.name == "rooms" })
    #expect(rooms.rows.count == 1 && rooms.rows[0][0] == .text("P2-1"))
    func status(_ query: String, _ token: String) async throws -> Int {
      try await relay.ask("GET", "/api/v1/reports/coverage?\(query)", token: token).status
    }
    #expect(try await status("\(Self.span)&scope=city", own) == 403)
    #expect(try await status("\(Self.span)&scope=school:P1", own) == 403)
    let county = try relay.token(.countyCoordinator, .county("某县"))
    #expect(try await report(relay, "coverage", token: county).scope == "county:某县")
    #expect(try await status(Self.span, try relay.token(.countyCoordinator, .county("别县"))) == 200, "an empty county")
    #expect(try await status(Self.span, try relay.token(.reviewer, .city)) == 403)
    let operatorToken = relay.relay.operatorToken()
    for bad in ["from=2026-09-01", "from=2027-09-01&to=2026-09-01", "\(Self.span)&scope=town", "from=x&to=y"] {
      #expect(try await status(bad, operatorToken) == 400, "\(bad)")
    }
    #expect(try await relay.ask("GET", "/api/v1/reports/everything?\(Self.span)").status == 404)
  }

  @Test func aCorrectionIsSeenAgainstTheSnapshot() async throws {
    let relay = try await county()
    let query = ReportQuery(kind: "coverage", from: "2026-09-01", to: "2027-01-31", minimumLessons: 1)
    let kept: SnapshotReply = try await relay.ask("POST", "/api/v1/snapshots", body: query).value()
    #expect(kept.signed && kept.number == 1)
    let path = "/api/v1/snapshots/1/comparison"
    let same: SnapshotComparison = try await relay.ask("GET", path).value()
    #expect(same.differences.isEmpty)
    let list: [SnapshotReply] = try await relay.ask("GET", "/api/v1/snapshots").value()
    #expect(list == [kept])

    let taught = try #require(
      try relay.relay.store.lessons().first { try relay.relay.store.lessonFact($0.id).attended.count == 2 })
    let corrections = "/api/v1/lessons/\(taught.id)/corrections"
    let foreign = try relay.token(.countyCoordinator, .county("别县"))
    let wanted = CorrectionRequest(reason: "试讲，不计", excluded: true)
    #expect(try await relay.ask("POST", corrections, token: foreign, body: wanted).status == 403)
    #expect(try await relay.ask("POST", corrections, body: CorrectionRequest(reason: "")).status == 400)
    let reply: LessonOutcomeReply = try await relay.ask("POST", corrections, body: wanted).value()
    #expect(reply.outcome == "excluded" && reply.corrections == 1)
    let found: SnapshotComparison = try await relay.ask("GET", path).value()
    let planned = try #require(found.differences.first { $0.row == "taught" && $0.table == "plan" })
    #expect(planned.was == .number(7) && planned.now == .number(6))
    #expect(try await relay.ask("GET", "/api/v1/snapshots/2/comparison").status == 404)

    let seat = try #require(reply.seats.first)
    let changed: LessonOutcomeReply = try await relay.ask(
      "POST", corrections, body: CorrectionRequest(reason: "误记", seat: seat.seat, attendedSeconds: 600)
    ).value()
    #expect(changed.seats.first?.attendedSeconds == 600 && changed.seats.first?.originalSeconds == 2_400)
  }

  @Test func headsAreCountedByTheRoomItself() async throws {
    struct Wanted: Encodable {
      var title = "音乐"
      var plannedStart = Int64(Date().timeIntervalSince1970 * 1_000) - 60_000
      var plannedEnd = Int64(Date().timeIntervalSince1970 * 1_000) + 2_400_000
      var receivers = 2
    }
    struct Made: Decodable {
      struct Place: Decodable {
        var seat: String?
        var token: String
      }
      var lesson: String
      var whep: [Place]
    }
    let relay = try await TimetableRelay()
    let made: Made = try await relay.ask("POST", "/api/v1/lessons", body: Wanted()).value()
    let path = "/api/v1/lessons/\(made.lesson)/headcounts"
    let own = made.whep[0]
    let request = HeadCountRequest(cohort: 2_024, count: 9)
    #expect(try await relay.ask("POST", path, token: own.token, body: request).kind == "beforeWindow")
    let id = try #require(Identifier(made.lesson))
    try relay.relay.store.append(LedgerEvent(kind: .lessonArmed, lesson: id))
    let reply: LessonOutcomeReply = try await relay.ask("POST", path, token: own.token, body: request).value()
    #expect(reply.seats.map(\.headCount) == [9, nil] && reply.outcome == "pending")
    let other = HeadCountRequest(seat: made.whep[1].seat, cohort: 2_024, count: 9)
    #expect(try await relay.ask("POST", path, token: own.token, body: other).status == 403)
    #expect(try await relay.ask("POST", path, token: try relay.token(.auditor, .city), body: other).status == 403)
    #expect(try await relay.ask("POST", path, body: other).status == 200, "the operator counts for any")
    let absurd = HeadCountRequest(seat: made.whep[1].seat, cohort: 2_024, count: 201)
    #expect(try await relay.ask("POST", path, body: absurd).kind == "badRange")
    #expect(try await relay.ask("POST", path, body: request).kind == "notASite", "whose, it has to be said")
    let statistics = "/api/v1/lessons/\(made.lesson)/peers/77/statistics"
    let told = ["freezeCount": 1.0, "totalFreezesDuration": 0.5]
    #expect(try await relay.ask("POST", statistics, token: own.token, body: told).status == 404, "no such transport")
  }

  @Test func theLedgersHeadsAndFactsGoOut() async throws {
    let relay = try await county()
    let heads = try await relay.ask("GET", "/api/v1/ledger/heads")
    let signed: SignedHeads = try heads.value()
    #expect(signed.isSigned && signed.heads.count > 10)
    #expect(try LedgerStore.inspect(path: relay.scratch.path + "/ledger.sqlite", against: signed) == [])
    let facts: [LessonFact] = try await relay.ask("GET", "/api/v1/ledger/facts?\(Self.span)").value()
    let merged = LessonFact.merged([facts, facts]).map { CountedLesson($0) }
    #expect(PlanFigures(merged, minimumLessons: 1).planned == 12 && PlanFigures(merged).classHours == 8)
    let own = try relay.token(.schoolAdmin, .school(Identifier(high: 1, low: 1)))
    #expect(try await relay.ask("GET", "/api/v1/ledger/heads", token: own).status == 403)
  }
}
