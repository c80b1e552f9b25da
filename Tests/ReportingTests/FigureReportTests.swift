import Foundation
// Goal: a report's cells survive JSON as what they are. Method: there and back, and the rows beyond a table's limit.
import Reporting
import Testing

@Suite struct FigureReportTests {
  @Test func cellsKeepTheirKind() throws {
    let cells: [FigureCell] = [.text("P1"), .number(-3), .none, .text("7")]
    let data = try JSONEncoder().encode(cells)
    #expect(String(decoding: data, as: UTF8.self) == #"["P1",-3,null,"7"]"#)
    #expect(try JSONDecoder().decode([FigureCell].self, from: data) == cells)
  }

  @Test func rowsBeyondTheLimitAreCounted() {
    var table = FigureReport.Table("t", [.init("n", .count)])
    for number in 0..<FigureReport.rowLimit + 3 { table.add([FigureCell(number)]) }
    #expect(table.rows.count == FigureReport.rowLimit && table.leftOut == 3)
  }
}
