// Goal: a printed week shows what a school teaches by itself beside the joint lessons, told apart, and says where that
// is not known. Method: HTTP requests to a running relay, with and without an imported local timetable.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct RoomWeekTests {
  private static let week = "/api/v1/terms/" + TimetableRelay.term + "/week?room=B01-1&week=1&format="

  private func file(_ name: String, _ text: String) -> ImportRequest.File {
    ImportRequest.File(name: name, data: Data(text.utf8))
  }

  /// With a class whose room it is.
  private func published(locals: Bool) async throws -> TimetableRelay {
    let county = try await TimetableRelay()
    let classes = file("classes.csv", "班级编号,学校编号,班级名称,教室编号,年级,人数\nB01-B3,B01,三年级,B01-1,3,12\n")
    var answer = try await county.ask(
      "POST", "/api/v1/imports",
      body: ImportRequest(files: county.places + [classes], schoolYear: county.monday.schoolYear))
    #expect(answer.status == 200, "\(answer.text)")
    let courses = file(
      "courses.csv",
      """
      课程编号,学期,联校群编号,学科,年级,主讲教室,主讲教师,接收教室,接收班级,上课时间,周次
      K1,\(TimetableRelay.term),Q1,音乐,三年级,A01-1,1001,B01-1,B01-B3,周一第2节,1-4
      """)
    #expect(try await county.send([courses]).status == 200)
    if locals {
      let own = file(
        "locals.csv",
        "班级编号,学期,课程名称,星期,节次\nB01-B3,\(TimetableRelay.term),语文,周一,1\nB01-B3,\(TimetableRelay.term),音乐,周一,2\n"
          + "B01-B3,\(TimetableRelay.term),数学,周二,3\n")
      answer = try await county.send([own])
      #expect(answer.status == 200, "\(answer.text)")
    }
    answer = try await county.ask("POST", "/api/v1/terms/\(TimetableRelay.term)/publish")
    #expect(answer.status == 200, "\(answer.text)")
    return county
  }

  @Test func localLessonsStandBesideJointOnesAndAreToldApart() async throws {
    let county = try await published(locals: true)
    let text = try await county.ask("GET", Self.week + "text").text
    #expect(text.contains("[本校] 语文") && text.contains("[本校] 数学"), "\(text)")
    #expect(text.contains("音乐") && !text.contains("[本校] 音乐"), "the joint lesson fills the local one's time")
    #expect(!text.contains("未导入"))
    let page = try await county.ask("GET", Self.week + "html").text
    #expect(page.contains("<div class=\"local\"><b>[本校] 语文</b>"))
    #expect(page.contains("<div><b>音乐</b>"))
    let rows = try await county.ask("GET", Self.week + "csv").text.split(separator: "\r\n")
    #expect(rows.count == 4)
    #expect(rows.filter { $0.hasSuffix("本校课") }.count == 2 && rows.filter { $0.hasSuffix("联校课") }.count == 1)
    let english = try await county.ask("GET", Self.week + "text", headers: ["Accept-Language": "en"]).text
    #expect(english.contains("[local] "))
    // Saved and imported, the week brings back the school's own lessons alone.
    let csv = ImportRequest.File(name: "week.csv", data: try await county.ask("GET", Self.week + "csv").data)
    let reply: ImportReply = try await county.ask(
      "POST", "/api/v1/imports",
      body: ImportRequest(files: [csv], term: TimetableRelay.term, schoolClass: "B01-B3", dryRun: true)
    ).value()
    #expect(reply.lines.allSatisfy { line in line.changes.allSatisfy { !$0.new.contains("音乐") } }, "\(reply)")
    await county.relay.stop()
  }

  @Test func whatWasNeverImportedIsSaidToBeUnknown() async throws {
    let county = try await published(locals: false)
    let text = try await county.ask("GET", Self.week + "text").text
    #expect(text.contains("B01-B3 的本校课表未导入"), "\(text)")
    #expect(text.contains("音乐"))
    // A screen reads the lessons of its room, not what the school teaches besides.
    let places = try county.relay.store.rooms(number: "B01-1")
    let device = try county.token(.device, .room(try #require(places.first).id))
    let seen = try await county.ask("GET", Self.week + "text", token: device)
    #expect(seen.status == 200 && !seen.text.contains("未导入"))
    await county.relay.stop()
  }
}
