// Goal: of two coordinators who edit one course the second is told what the first has made of it; columns are read as
// an import reads them, and changed by whom it is allowed alone. Method: HTTP requests to a running relay.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct CourseRoutesTests {
  private static let path = "/api/v1/terms/\(TimetableRelay.term)/courses/K1"

  private func set(
    _ county: TimetableRelay, _ fields: [String: String], version: String?, language: String = "zh-CN",
    token: String? = nil
  ) async throws -> TimetableRelay.Answer {
    var headers = ["Accept-Language": language]
    if let version { headers["If-Match"] = "\"\(version)\"" }
    return try await county.ask(
      "PATCH", Self.path, token: token, body: CourseChangeRequest(fields: fields), headers: headers)
  }

  @Test func theSecondOfTwoIsToldWhatTheFirstHasChanged() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let read = try await county.ask("GET", Self.path)
    let course: CourseFieldsReply = try read.value()
    #expect(read.tag == "\"\(course.version)\"" && course.fields["times"] == "周一第2节(1-4)")
    #expect(course.fields["number"] == nil && course.fields["leadRoom"] == "A01-1")

    let first = try await set(county, ["times": "周二第3节", "教材": "人音版"], version: course.version)
    let changed: CourseFieldsReply = try first.value()
    #expect(changed.fields["times"] == "周二第3节" && changed.fields["textbook"] == "人音版")
    #expect(changed.version != course.version && first.tag == "\"\(changed.version)\"")

    let second = try await set(county, ["times": "周五第1节"], version: course.version)
    #expect(second.status == 412 && second.kind == "staleCourse" && second.tag == "\"\(changed.version)\"")
    let told = try second.value(ProblemReply.self).title
    #expect(told.contains("上课时间") && told.contains("周二第3节") && told.contains("人音版"), "\(told)")
    #expect(!told.contains("主讲教室"), "what was not changed is not told: \(told)")
    let english = try await set(county, ["times": "周五第1节"], version: course.version, language: "en")
    #expect(try english.value(ProblemReply.self).title.contains("times is now"))
    #expect(try await set(county, ["times": "周五第1节"], version: "?").status == 412)
    #expect(try await set(county, ["times": "周五第1节"], version: nil).kind == "noRevision")

    #expect(try await set(county, ["times": "周五第1节"], version: changed.version).status == 200)
    let now: CourseFieldsReply = try await county.ask("GET", Self.path).value()
    #expect(now.fields["times"] == "周五第1节" && now.fields["textbook"] == "人音版")
    #expect(try county.relay.store.auditEntries().contains { $0.entry.operation == "changeCourses" })
    await county.relay.stop()
  }

  @Test func twoAtOnceDoNotBothGetThrough() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let course: CourseFieldsReply = try await county.ask("GET", Self.path).value()
    async let one = set(county, ["times": "周二第1节"], version: course.version)
    async let other = set(county, ["times": "周四第1节"], version: course.version)
    let statuses = try await [one, other].map(\.status).sorted()
    #expect(statuses == [200, 412])
    await county.relay.stop()
  }

  @Test func whatCannotBeReadOrMayNotBeDoneChangesNothing() async throws {
    let county = try await TimetableRelay()
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    let course: CourseFieldsReply = try await county.ask("GET", Self.path).value()
    func refused(_ fields: [String: String], token: String? = nil) async throws -> (Int, String) {
      let answer = try await set(county, fields, version: course.version, token: token)
      return (answer.status, answer.kind)
    }
    #expect(try await refused(["times": "1月16日"]) == (422, "importRefused"))
    #expect(try await refused(["rooms": "Z99"]) == (422, "importRefused"))
    #expect(try await refused(["number": "K9"]) == (400, "badQuery"))
    #expect(try await refused(["colour": "red"]) == (400, "badQuery"))
    #expect(try await refused([:]) == (400, "badQuery"))
    let foreign = try county.token(.countyCoordinator, .county("乙县"))
    #expect(try await refused(["times": "周二第1节"], token: foreign) == (403, "outsideScope"))
    #expect(try await refused(["times": "周二第1节"], token: county.token(.auditor, .city)) == (403, "wrongRole"))
    let unknown = try await county.ask("GET", Self.path + "9")
    #expect(unknown.status == 404 && unknown.kind == "unknownName")
    let now: CourseFieldsReply = try await county.ask("GET", Self.path).value()
    #expect(now == course)
    await county.relay.stop()
  }
}
