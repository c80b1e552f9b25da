// Goal: tables line up for people and survive programs.
import Classroom
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct TextTableTests {
  @Test func columnsLineUp() {
    var table = TextTable([.init("教室"), .init("时长", isNumber: true), .init("到课")])
    table.add(["P01-1 东山教室", "45:00", "是"])
    table.add(["L01", "0:05", ""])
    let lines = table.text.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines[2] == "P01-1 东山教室  45:00  是")
    #expect(lines[3] == "L01              0:05")
    #expect(lines[0] == "教室             时长  到课")
  }

  @Test func aSentenceAtTheEndHasNoRuleOfItsLength() {
    var table = TextTable([.init("a"), .init("b")])
    table.add(["1", String(repeating: "x", count: 300)])
    let lines = table.text.split(separator: "\n")
    #expect(lines[1] == "-  " + String(repeating: "-", count: 40))
    #expect(lines[2].hasSuffix(String(repeating: "x", count: 300)), "the cell itself is whole")
  }

  @Test func aCellNeverBreaksItsLine() {
    var table = TextTable([.init("a")])
    table.add(["x\u{1B}[31m\ny"])
    #expect(table.text.split(separator: "\n").count == 3)
    #expect(!table.text.contains("\u{1B}"))
  }

  @Test func csvIsQuotedAndNoFormula() {
    var table = TextTable([.init("a"), .init("b")])
    table.add(["x,y", "say \"hi\"\nthere"])
    table.add(["=SUM(A1)", "-5"])
    table.add(["1-16", "001"])
    #expect(
      table.csv == "a,b\r\n\"x,y\",\"say \"\"hi\"\"\nthere\"\r\n'=SUM(A1),-5\r\n"
        + "\"=\"\"1-16\"\"\",\"=\"\"001\"\"\"\r\n")
  }

  @Test func lessonReportIsTheSameInAllForms() throws {
    let folder = try ScratchFolder()
    let store = try LedgerStore(path: folder.file("ledger.sqlite")) { 1_800_000_000_000 }
    let sample = try store.installSampleCluster()
    let report = try store.report(lesson: sample.lesson.id)
    let text = LessonReportText(report)
    struct Parsed: Decodable {
      struct Seat: Decodable {
        var role: String
        var room: String
        var attendanceSeconds: Int
        var attended: Bool
      }
      var lesson: String
      var title: String
      var state: String
      var plannedStart: String
      var plannedSeconds: Int
      var seats: [Seat]
    }
    let parsed = try JSONDecoder().decode(Parsed.self, from: Data(text.json.utf8))
    #expect(parsed.lesson == "\(sample.lesson.id)")
    #expect(parsed.title == report.title)
    #expect(parsed.state == "live")
    #expect(parsed.plannedStart == "2027-01-15T08:00:00Z")
    #expect(parsed.plannedSeconds == 2_400)
    #expect(parsed.seats.map(\.role) == ["lead", "receiver", "receiver", "receiver"])
    let rows = text.csv.components(separatedBy: "\r\n").filter { !$0.isEmpty }
    #expect(rows.count == 1 + report.seats.count)
    for language in Language.allCases {
      let table = text.table(in: language)
      #expect(table.contains("\(sample.lesson.id)"))
      #expect(table.contains("2027-01-15 16:00"), "civil time of the schools")
      for seat in report.seats { #expect(table.contains(seat.roomName)) }
      #expect(!table.contains("{") && !table.contains("report."))
    }
  }
}
