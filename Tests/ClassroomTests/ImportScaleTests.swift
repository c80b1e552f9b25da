// Goal: a county of full size is planned in one go, twice is as once whatever the values, and hostile sheets of right
// form never trap. Method: seeded counties written out and read back, a sheet of 100,000 rows, seeded cells.
import Classroom
import Testing

@Suite struct ImportScaleTests {
  private func csv(_ table: [[String]]) -> String {
    var writer = CSVWriter(header: table[0])
    for row in table.dropFirst() { writer.add(row.map(CSVCell.text)) }
    return writer.text
  }

  /// Institutions, two rooms each, and courses among them, as text.
  static func county(institutions: Int, courses: Int) -> [(SheetKind, String)] {
    let clusters = max(1, institutions / 10)
    var schools = ["编号,名称,类型,中心校,城乡,区县"]
    var rooms = ["教室编号,学校编号,名称"]
    var groups = ["编号,名称,主讲学校,接收学校"]
    for number in 0..<institutions {
      let isPoint = number % 10 != 0
      schools.append(
        "P\(number),第\(number)小学,\(isPoint ? "教学点" : "学校"),\(isPoint ? "P\(number / 10 * 10)" : ""),乡村,道县")
      for room in 1...2 { rooms.append("P\(number)-\(room),P\(number),教室\(room)") }
    }
    for cluster in 0..<clusters {
      let points = (1..<10).map { "P\(min(cluster * 10 + $0, institutions - 1))" }
      groups.append("Q\(cluster),群\(cluster),P\(cluster * 10),\(Set(points).sorted().joined(separator: "、"))")
    }
    var lines = ["课程编号,学期,联校群编号,学科,年级,主讲教室,接收教室,上课时间"]
    for number in 0..<courses {
      let cluster = number % clusters
      let day = ["一", "二", "三", "四", "五"][number % 5]
      let rooms = "P\(cluster * 10)-1,P\(cluster * 10 + 1)-1、P\(cluster * 10 + 2)-2"
      lines.append("K\(number),T1,Q\(cluster),音乐,三年级,\(rooms),周\(day)第\(number % 7 + 1)节(1-16)")
    }
    let terms = "学期,名称,第一周日期,周数\nT1,秋,2026/9/1,20"
    return [
      (.institutions, schools.joined(separator: "\n")), (.rooms, rooms.joined(separator: "\n")),
      (.clusters, groups.joined(separator: "\n")), (.terms, terms), (.courses, lines.joined(separator: "\n")),
    ]
  }

  @Test func aLargeCountyIsPlannedAndPlannedAgain() throws {
    let county = Self.county(institutions: 600, courses: 320)
    let plan = try ImportSupport.plan(county)
    #expect(
      plan.changes.institutions.count == 600 && plan.changes.rooms.count == 1_200 && plan.changes.courses.count == 320)
    var base = ImportBase()
    base.apply(plan.changes)
    #expect(try ImportSupport.plan(county, onto: base).changes.isEmpty)
  }

  @Test func aHundredThousandRowsAreRead() throws {
    var text = "教室编号,学校编号,名称,设备\n"
    for number in 0..<100_000 { text += "R\(number),P\(number % 50),教室\(number),\"摄像机, 话筒\"\n" }
    let schools = "编号,名称\n" + (0..<50).map { "P\($0),第\($0)小学" }.joined(separator: "\n")
    let plan = try ImportSupport.plan([(.rooms, text), (.institutions, schools)])
    #expect(plan.changes.rooms.count == 100_000 && plan.changes.rooms.last?.number == "R99999")
    #expect(plan.lines.last?.row == 100_001)
  }

  /// Random cells under right headers: each sheet is planned or refused, and a plan that was applied changes nothing
  /// when it is written out and planned again.
  @Test(arguments: SheetKind.allCases) func randomCellsNeverTrap(kind: SheetKind) throws {
    var generator = SeededGenerator(seed: 1_000 + UInt64(SheetKind.allCases.firstIndex(of: kind) ?? 0))
    let start = try SampleCounty.base()
    let cells = [
      "", "P01", "P07", "P07-2", "P01-1", "P07-B23", "001", "Q1", "K0137", "2026-2027-1", "音乐", "三年级", "1-16", "1月16日",
      "周一第3节",
      "周一", "8:00-8:40", "8:50-9:30", "2026/9/1", "2026-10-01", "放假", "调休", "5", "20", "王丽", "-", "、", "P07、P08",
      "學\u{301}", "9999999999",
      "2999-12-31", "1900/1/1", "2999", "\u{1}", "教学点", "学校",
    ]
    var planned = 0
    for _ in 0..<150 {
      let columns = kind.columns.filter { $0.isRequired || Bool.random(using: &generator) }
      var table = [columns.map(\.chinese)]
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        table.append(columns.map { _ in cells.randomElement(using: &generator) ?? "" })
      }
      // Half of the tables are ones that could be right.
      if Bool.random(using: &generator) {
        var right = start.table(of: kind)
        let row = Int.random(in: 1..<right.count, using: &generator)
        let column = right[row].indices.randomElement(using: &generator) ?? 0
        right[row][column] = cells.randomElement(using: &generator) ?? ""
        table = right
      }
      let options = ImportOptions(
        deleteMissing: Bool.random(using: &generator), schoolYear: 2026, term: "2026-2027-1",
        schoolClass: start.classes[1].id)
      guard let plan = try? ImportSupport.plan([(kind, csv(table))], onto: start, options: options) else { continue }
      planned += 1
      var base = start
      base.apply(plan.changes)
      let again = try ImportSupport.plan([(kind, csv(base.table(of: kind)))], onto: base)
      #expect(again.changes.isEmpty, "\(table) \(again.lines)")
    }
    #expect(planned > 5)
  }
}
