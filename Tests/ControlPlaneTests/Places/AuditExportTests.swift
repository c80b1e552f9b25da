// Goal: the trail is read by who may and proved whole, and what is taken out goes in again unchanged. Method: HTTP
// requests to a running relay; the shipped county out and in.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct AuditExportTests {
  @Test func theTrailIsPagedAndFilteredForAuditorsAlone() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places).status == 200)
    let auditor = try county.token(.auditor, .city)
    let coordinator = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    for _ in 0..<3 { #expect(try await county.ask("GET", "/api/v1/audit", token: coordinator).kind == "wrongRole") }
    let all: Page<AuditReply> = try await county.ask("GET", "/api/v1/audit", token: auditor).value()
    #expect(all.rows.map(\.id) == [4, 3, 2, 1] && all.next == nil)
    #expect(all.rows.map(\.operation) == ["readAudit", "readAudit", "readAudit", "importTables"])
    #expect(all.rows.map(\.outcome) == ["refused", "refused", "refused", "allowed"])
    let day = "\(CivilTime.date(of: Int64(Date().timeIntervalSince1970 * 1_000)))"
    #expect(all.rows[0].at.hasPrefix(day) && all.rows[0].at.count == 19, "\(all.rows[0].at)")
    var paged: [AuditReply] = []
    var cursor: String? = ""
    while let next = cursor, paged.count < 10 {
      let page: Page<AuditReply> = try await county.ask(
        "GET", "/api/v1/audit?limit=3" + (next.isEmpty ? "" : "&cursor=" + next), token: auditor
      ).value()
      paged += page.rows
      cursor = page.next
    }
    #expect(paged == all.rows)
    func ids(_ query: String) async throws -> [Int64] {
      let page: Page<AuditReply> = try await county.ask("GET", "/api/v1/audit?" + query, token: auditor).value()
      return page.rows.map(\.id)
    }
    #expect(try await ids("operation=importTables") == [1])
    #expect(try await ids("outcome=refused") == [4, 3, 2])
    #expect(try await ids("actor=\(Identifier(high: 3, low: 1))") == [4, 3, 2])
    #expect(try await ids("from=\(day)&to=\(day)").count == 4)
    #expect(try await ids("to=2020-01-01") == [])
    for bad in ["from=2026-02-30", "actor=x", "outcome=maybe", "cursor=x", "from=2026-09-02&to=2026-09-01"] {
      #expect(try await county.ask("GET", "/api/v1/audit?" + bad, token: auditor).status == 400, "\(bad)")
    }
    await county.relay.stop()
  }

  @Test func theChainsAreProvedToAuditorsAlone() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places).status == 200)
    let auditor = try county.token(.auditor, .city)
    let coordinator = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let refused = try await county.ask("GET", "/api/v1/audit/verification", token: coordinator)
    #expect(refused.kind == "wrongRole")
    let path = "/api/v1/audit/verification"
    let whole: ChainReply = try await county.ask("GET", path, token: auditor).value()
    #expect(whole.intact && whole.entries >= 2 && whole.firstBrokenEntry == nil && whole.head.count == 64)
    await county.relay.stop()
  }

  @Test func whatIsTakenOutGoesInUnchanged() async throws {
    let county = try await TimetableRelay()
    let folder = projectRoot.appending(path: "Configs/sample-county")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".csv") }
    let files = try names.map {
      ImportRequest.File(name: $0, data: try Data(contentsOf: folder.appending(path: $0)))
    }
    #expect(try await county.send(files).status == 200)
    for (encoding, language) in [("utf8", "zh-CN"), ("utf8", "en"), ("gb18030", "zh-CN")] {
      var taken: [ImportRequest.File] = []
      for kind in SheetKind.allCases {
        let sheet = try await county.ask(
          "GET", "/api/v1/exports/\(kind.rawValue)?encoding=\(encoding)", headers: ["Accept-Language": language])
        #expect(sheet.status == 200, "\(kind) \(sheet.text)")
        if encoding == "utf8" { #expect(sheet.data.starts(with: [0xEF, 0xBB, 0xBF]), "Excel needs the mark") }
        #expect(sheet.data.count { $0 == 0x0A } > 2, "\(kind) has rows")
        // Kinds are told by the headers.
        taken.append(ImportRequest.File(name: "\(kind.rawValue).csv", data: sheet.data))
      }
      let again: ImportReply = try await county.send(taken, dryRun: true).value()
      let counts = again.counts
      #expect(counts.add == 0 && counts.change == 0 && counts.remove == 0 && counts.absent == 0, "\(again.lines)")
      #expect(counts.same > 90, "\(counts)")
    }
    let courses = try await county.ask("GET", "/api/v1/exports/courses?term=2026-2027-1").text
    #expect(courses.split(separator: "\r\n").count == 12)
    #expect(try await county.ask("GET", "/api/v1/exports/courses?term=none").kind == "unknownName")
    #expect(try await county.ask("GET", "/api/v1/exports/pupils").status == 404)
    #expect(try await county.ask("GET", "/api/v1/exports/rooms?encoding=utf7").status == 400)
    await county.relay.stop()
  }

  @Test func formulasAndLongNumbersSurviveAsText() async throws {
    let county = try await TimetableRelay()
    let row = ["number": "000123456789012", "name": "=1+1", "region": TimetableRelay.county]
    #expect(try await county.ask("POST", "/api/v1/institutions", body: row).status == 201)
    let sheet = try await county.ask("GET", "/api/v1/exports/institutions")
    #expect(sheet.text.contains("\"=\"\"000123456789012\"\"\"") && sheet.text.contains("'=1+1"), "\(sheet.text)")
    let again: ImportReply = try await county.send(
      [ImportRequest.File(name: "a.csv", data: sheet.data)], dryRun: true
    ).value()
    #expect(again.counts == ImportReply.Counts(same: 1))
    await county.relay.stop()
  }

  @Test func onlyWhatIsOnesOwnIsTakenAway() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places).status == 200)
    let own = try county.token(.countyCoordinator, .county(TimetableRelay.county))
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    let researcher = try county.token(.researcher, .city)
    let teacher = try county.token(.leadTeacher, .school(Identifier(high: 1, low: 1)))
    #expect(try await county.ask("GET", "/api/v1/exports/rooms", token: own).text.contains("B01-1"))
    let none = try await county.ask("GET", "/api/v1/exports/rooms", token: foreign)
    #expect(none.status == 200 && !none.text.contains("B01-1"))
    #expect(try await county.ask("GET", "/api/v1/exports/persons", token: own).text.contains("李红"))
    #expect(try await county.ask("GET", "/api/v1/exports/rooms", token: researcher).status == 200)
    #expect(try await county.ask("GET", "/api/v1/exports/persons", token: researcher).kind == "wrongRole")
    #expect(try await county.ask("GET", "/api/v1/exports/rooms", token: teacher).kind == "wrongRole")
    await county.relay.stop()
  }
}
