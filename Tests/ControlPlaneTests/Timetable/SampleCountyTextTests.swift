// Goal: whoever tries the county that ships reads what was planted in it. Method: its files as they are, one of them in
// GB18030, through decoder, plan and checker to sentences.
import Classroom
import ControlPlane
import Foundation
import Testing

@Suite struct SampleCountyTextTests {
  private static func plan(_ folder: String, onto base: ImportBase) throws -> ImportChanges {
    let root = projectRoot.appending(path: "Configs/\(folder)")
    let names = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".csv") }
    let sheets = try names.sorted().map { try ImportSheet([UInt8](Data(contentsOf: root.appending(path: $0)))) }
    var count = UInt64(base.courses.count) * 1_000_000
    return try ImportPlan.make(sheets, onto: base) {
      count += 1
      return Identifier(high: 7, low: count)
    }.changes
  }

  private static func timetable() throws -> Timetable {
    var base = ImportBase()
    base.apply(try plan("sample-county", onto: base))
    base.apply(try plan("sample-county-conflicts", onto: base))
    var policy = TimetablePolicy.standard
    policy.relaySeats = 8
    return try #require(Timetable(base, term: "2026-2027-1", policy: policy))
  }

  @Test(arguments: Language.allCases)
  func everyPlantedConflictIsTold(_ language: Language) throws {
    let timetable = try Self.timetable()
    let text = ConflictText(timetable, language: language)
    let found = ConflictChecker(timetable).check()
    let planted = found.filter { $0.severity != .note }
    #expect(planted.map(\.code) == ConflictCode.allCases)
    let unknown = ["course", "institution", "room", "class", "person", "cluster"].map {
      Text.of("timetable.unknown.\($0)", in: language)
    }
    for (index, conflict) in planted.enumerated() {
      let lines = [text.sentence(conflict)] + text.resolutions(conflict)
      #expect(lines[0].contains(index < 9 ? "X0\(index + 1)" : "X\(index + 1)"))
      for line in lines {
        #expect(!line.contains("{") && !line.contains("?"), "\(line)")
        #expect(!unknown.contains { line.contains($0) }, "\(line)")
      }
    }
    #expect(found.count > planted.count, "notes are told too")
    #expect(Set(found.map(text.sentence)).count == found.count)
  }
}
