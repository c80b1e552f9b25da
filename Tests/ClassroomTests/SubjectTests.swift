// Goal: a subject is found by any name people use and never by a guess, and the curriculum asks for what the plan of
// 2022 asks for. Method: the built-in table against the plan written out grade by grade, against the annotated file
// that holds the same, and tables that nobody can use.
import Classroom
import Foundation
import Testing

@Suite struct SubjectTests {
  static let table = SubjectTable.standard

  @Test func theStandardTableIsSound() throws {
    #expect(try SubjectTable(Self.table.subjects) == Self.table)
    for subject in Self.table.subjects {
      for name in [subject.key, subject.name, subject.englishName] + subject.aliases {
        #expect(Self.table.subject(named: name) == subject, "\(name)")
      }
      #expect(Self.table[subject.key] == subject)
    }
    for key in ["道德与法治", "信息科技", "劳动", "心理健康", "书法", "地方课程"] {
      #expect(Self.table.subject(named: key)?.code == "", "\(key)")
    }
    let codes = [
      ("语文", "13"), ("数学", "14"), ("科学", "15"), ("物理", "16"), ("化学", "17"), ("生物", "18"), ("历史与社会", "19"),
      ("地理", "20"), ("历史", "21"), ("体育与健康", "22"), ("艺术", "23"), ("音乐", "24"), ("美术", "25"), ("通用技术", "27"),
      ("外语", "40"), ("英语", "41"), ("日语", "42"), ("俄语", "43"), ("其他外国语", "49"), ("综合实践活动", "60"),
    ]
    for (name, code) in codes { #expect(Self.table.subject(named: name)?.code == code, "\(name)") }
    #expect(Self.table.subjects.filter { !$0.code.isEmpty }.count == codes.count)
  }

  /// Keys are in courses of past terms; a change of one here is a change of their meaning.
  @Test func keysStayAsTheyAre() {
    #expect(
      Self.table.subjects.map(\.key) == [
        "moralityAndLaw", "chinese", "mathematics", "foreignLanguage", "english", "japanese", "russian",
        "otherForeignLanguage", "science", "physics", "chemistry", "biology", "historyAndSociety", "history",
        "geography", "informationTechnology", "physicalEducation", "arts", "music", "fineArts", "labour",
        "integratedPractice", "generalTechnology", "mentalHealth", "calligraphy", "localCurriculum",
        "schoolCurriculum", "classMeeting",
      ])
  }

  @Test func theCurriculumOf2022() {
    let always = ["道德与法治", "语文", "数学", "体育与健康", "艺术", "劳动", "综合实践活动"]
    let asked: [[String]] = [
      ["科学"], ["科学"], ["科学", "外语", "信息科技"], ["科学", "外语", "信息科技"], ["科学", "外语", "信息科技"],
      ["科学", "外语", "信息科技"], ["外语", "信息科技", "历史", "地理", "生物学"],
      ["外语", "信息科技", "历史", "地理", "生物学", "物理"], ["外语", "历史", "物理", "化学"],
    ]
    for (index, names) in asked.enumerated() {
      let required = Self.table.required(inGrade: index + 1).map(\.name)
      #expect(Set(required) == Set(always + names), "grade \(index + 1)")
      #expect(required.count == always.count + names.count)
    }
    for grade in [0, 10, 11, 12, Int.max, Int.min] { #expect(Self.table.required(inGrade: grade).isEmpty) }
  }

  @Test func namesAreWholeAndExact() throws {
    for text in ["", "语", "音乐课", " 音乐", "音乐 ", "Music ", "music.", "ＭＵＳＩＣ", "24", "品德与", "音楽"] {
      #expect(Self.table.subject(named: text) == nil, "\(text)")
    }
    #expect(Self.table["音乐"] == nil)
    let two = try SubjectTable([
      Subject(key: "a", name: "写字", englishName: "A", aliases: ["写字", "共"]),
      Subject(key: "b", name: "书法", englishName: "B", aliases: ["共", "a"]),
      Subject(key: "c", name: "其他", englishName: "C", aliases: ["共"]),
    ])
    #expect(two.subject(named: "写字")?.key == "a", "one subject may say a name twice")
    #expect(two.subject(named: "共") == nil)
    #expect(two.subject(named: "a") == nil, "a key of one and an alias of another")
    #expect(two["a"]?.name == "写字", "a key is found by itself")
  }

  @Test func tablesThatNobodyCanUseAreRefused() {
    let good = Subject(key: "a1", name: "甲", englishName: "A")
    func refuses(_ error: ClassroomError, _ subjects: [Subject]) {
      #expect(throws: error) { _ = try SubjectTable(subjects) }
    }
    func changed(_ change: (inout Subject) -> Void) -> [Subject] {
      var subject = good
      change(&subject)
      return [subject]
    }
    refuses(.duplicate, [good, good])
    for key in ["", "A", "1a", "音乐", "a b", "a-b", String(repeating: "a", count: 41)] {
      refuses(.badCode, changed { $0.key = key })
    }
    for code in ["1", "123", "ab", "２４"] { refuses(.badCode, changed { $0.code = code }) }
    refuses(.badCode, changed { $0.satisfies = ["unknown"] })
    refuses(.duplicate, changed { $0.satisfies = ["a1"] })
    refuses(.badRange, changed { $0.grades = [0] })
    refuses(.badRange, changed { $0.grades = [13] })
    refuses(.duplicate, changed { $0.grades = [2, 1] })
    refuses(.badName, changed { $0.name = "" })
    refuses(.badName, changed { $0.aliases = [""] })
    refuses(.tooMany, changed { $0.aliases = (0...40).map { "甲\($0)" } })
    refuses(.tooMany, (0...200).map { Subject(key: "a\($0)", name: "甲\($0)", englishName: "A\($0)") })
  }

  @Test func requirementsAreJoinedToSubjects() {
    let curriculum = Curriculum(requirements: [
      .init(subject: "a", grades: [3, 4]), .init(subject: "a", grades: [1, 3]), .init(subject: "z", grades: [1]),
    ])
    let asked = curriculum.asked(of: [
      Subject(key: "a", name: "甲", englishName: "A"), Subject(key: "b", name: "乙", englishName: "B", grades: [9]),
    ])
    #expect(asked.map(\.grades) == [[1, 3, 4], []])
  }

  /// Of the file, lines of one flow map each are read: that is the form it keeps.
  @Test func theAnnotatedFileHoldsTheSame() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = root.deletingLastPathComponent().appending(path: "Configs/subjects.yaml")
    var subjects: [Subject] = []
    var requirements: [Curriculum.Requirement] = []
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where line.hasPrefix("  - {") {
      let row = Self.flowMap(line)
      if let key = row["subject"]?.first {
        requirements.append(.init(subject: key, grades: try #require(row["grades"]).compactMap { Int($0) }))
      } else {
        subjects.append(
          Subject(
            key: try #require(row["key"]?.first), name: try #require(row["name"]?.first),
            englishName: try #require(row["english"]?.first), aliases: row["aliases"] ?? [],
            code: row["code"]?.first ?? "", satisfies: row["satisfies"] ?? []))
      }
    }
    #expect(subjects.count > 20 && requirements.count > 10)
    let curriculum = Curriculum(requirements: requirements)
    #expect(curriculum == .edition2022)
    #expect(try SubjectTable(curriculum.asked(of: subjects)) == Self.table)
  }

  private static func flowMap(_ line: Substring) -> [String: [String]] {
    var row: [String: [String]] = [:]
    var rest = line.dropFirst(5)
    while let colon = rest.firstRange(of: ": ") {
      let key = rest[..<colon.lowerBound]
      rest = rest[colon.upperBound...]
      let isList = rest.first == "["
      let end = rest.firstIndex { isList ? $0 == "]" : ",}".contains($0) } ?? rest.endIndex
      let values = rest[..<end].split { "[,\"".contains($0) }.map { $0.drop { $0 == " " } }
      row[String(key)] = values.map(String.init)
      rest = rest[end...].drop { "], ".contains($0) }
    }
    return row
  }
}
