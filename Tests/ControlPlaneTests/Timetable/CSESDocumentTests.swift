// Goal: what timetable programs export is read as it is written, and whatever else comes is refused by path. Method:
// what our own writer writes, written files, broken and hostile ones.
import Classroom
import ControlPlane
import Testing

@Suite struct CSESDocumentTests {
  private func issues(_ yaml: String) -> [ImportIssue] {
    do throws(ImportRefusal) {
      _ = try CSESDocument.read([UInt8](yaml.utf8))
      return []
    } catch { return error.issues }
  }

  static let yaml = """
    version: 1
    subjects:
      - name: 数学
        simplified_name: 数
        teacher: 李强
        room: "101"
      - {name: 语文, teacher: ~}
    schedules:
      - name: 星期一
        enable_day: 1
        weeks: odd
        classes:
          - subject: 数学
            start_time: 08:00:00
            end_time: "08:40:00"
      - enable_day: 2
        classes:
    """
  static let file = CSESFile(
    subjects: [CSESFile.Subject(name: "数学", teacher: "李强"), CSESFile.Subject(name: "语文")],
    schedules: [
      CSESFile.Schedule(
        name: "星期一", day: "1", weeks: "odd",
        entries: [CSESFile.Entry(subject: "数学", start: "08:00:00", end: "08:40:00")]),
      CSESFile.Schedule(day: "2", entries: []),
    ])

  @Test func aFileIsReadAsItIsWritten() throws {
    #expect(try CSESDocument.read([UInt8](Self.yaml.utf8)) == Self.file)
    #expect(try CSESDocument.read([0xEF, 0xBB, 0xBF] + [UInt8](Self.yaml.utf8)) == Self.file)
    // 数 and 学 as a Chinese editor may save them.
    let saved =
      [UInt8]("version: 1\nsubjects:\n- name: ".utf8) + [0xCA, 0xFD, 0xD1, 0xA7] + [UInt8]("\nschedules: []".utf8)
    #expect(try CSESDocument.read(saved).subjects.map(\.name) == ["数学"])
  }

  @Test func whatOurWriterWritesComesBack() throws {
    let lesson = WeekLesson(
      weekday: 5, start: TimetableSample.time("08:00"), end: TimetableSample.time("08:40"), weeks: .even,
      subject: "音乐 \"&a *a\"", teacher: "王丽")
    let text = CSESWriter.text(
      of: [lesson], termWeeks: 20, labels: TimetableText.csesLabels(in: .chinese)
    ).text
    let file = try CSESDocument.read([UInt8](text.utf8.filter { $0 != UInt8(ascii: "&") }))
    #expect(file.version == "1")
    #expect(file.subjects == [CSESFile.Subject(name: "音乐 \"a *a\"", teacher: "王丽")])
    #expect(file.schedules.map(\.day) == ["5"])
    #expect(file.schedules.map(\.weeks) == ["even"])
    #expect(
      file.schedules[0].entries == [CSESFile.Entry(subject: "音乐 \"a *a\"", start: "08:00:00", end: "08:40:00")])
  }

  @Test func whatIsBuiltOtherwiseIsToldByPathAllAtOnce() {
    let found = issues(
      """
      version: [1]
      subjects: {name: 数学}
      schedules:
        - just text
        - enable_day: 1
          classes:
            - subject: 数学
              start_time: {hour: 8}
            - 语文
      """)
    #expect(found.allSatisfy { $0.code == .badStructure })
    #expect(
      found.map { "\($0.row) \($0.column)" } == [
        "1 version", "2 subjects", "4 schedules[0]", "8 schedules[1].classes[0].start_time",
        "9 schedules[1].classes[1]",
      ])
    #expect(issues("version: 1").map(\.code) == [.missingValue])
    #expect(issues("version: 1").map(\.column) == ["schedules"])
    #expect(issues("- 1").map(\.code) == [.badStructure])
    #expect(issues("").map(\.code) == [.emptyFile])
    #expect(issues("version: 1\nschedules: [\n").map(\.code) == [.notYAML])
    #expect(issues("version: 1\nversion: 1\nschedules: []\n").map(\.code) == [.notYAML])
    #expect(issues("version: 1\n  x: {\n").first.map { $0.row > 0 } == true)
    for issue in found { #expect(ImportIssueText.text(of: issue, in: .chinese).hasPrefix("第 \(issue.row) 行「")) }
  }

  @Test func hostileFilesAreRefused() {
    func read(_ bytes: [UInt8]) -> ImportIssue.Code? {
      do throws(ImportRefusal) {
        _ = try CSESDocument.read(bytes)
        return nil
      } catch { return error.issues.first?.code }
    }
    #expect(read([UInt8](repeating: 0x20, count: CSESDocument.byteLimit + 1)) == .fileTooLarge)
    #expect(read([0x61, 0xFF, 0xFF]) == .unknownEncoding)
    // A few lines that stand for more than any memory holds, as a key too.
    let levels = (1...40).map { "a\($0): &a\($0) [*a\($0 - 1),*a\($0 - 1)]" }.joined(separator: "\n")
    #expect(read([UInt8]("a0: &a0 [x]\n\(levels)\n? *a40\n: 1\n".utf8)) == .badStructure)
    #expect(read([UInt8](repeating: UInt8(ascii: "["), count: 1 << 19)) == .notYAML)
    #expect(read([UInt8](String(repeating: "- ", count: 1 << 18).utf8)) == .notYAML)
    let many = "version: 1\nschedules:\n- enable_day: 1\n  classes: [" + String(repeating: "{},", count: 5_000) + "]\n"
    #expect(read([UInt8](many.utf8)) == .tooManyEntries)
    #expect(issues(many).count == 1)
  }

  @Test func anAmpersandIsNoName() throws {
    let yaml = "version: 1\nsubjects: [{name: R&B}, {name: Q & A}, {name: 2*3}]\nschedules: []\n"
    #expect(try CSESDocument.read([UInt8](yaml.utf8)).subjects.map(\.name) == ["R&B", "Q & A", "2*3"])
  }
}
