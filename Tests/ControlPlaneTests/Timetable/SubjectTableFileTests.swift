// Goal: the table of subjects that ships as a file is the one that is built in, and a mistake in an edited one is told
// with its line. Method: the file itself, and one mistake after another in a small one.
import Classroom
import ControlPlane
import Foundation
import Testing

@Suite struct SubjectTableFileTests {
  @Test func theFileIsTheStandardTable() throws {
    let file = projectRoot.appending(path: "Configs/subjects.yaml").path
    let table = try SubjectTable(file: file)
    #expect(table == .standard)
    #expect(table.subjects.count > 20)
    #expect(throws: ConfigurationError.self) { try SubjectTable(file: file + ".none") }
  }

  static let yaml = """
    subjects:
      - {key: arts, name: 艺术, english: Arts}
      - key: music
        name: 音乐
        english: Music
        aliases: [唱歌]
        code: "24"
        satisfies: [arts]
    curriculum:
      - {subject: arts, grades: [1, 2]}
    """

  @Test func aTableIsRead() throws {
    let table = try SubjectTable(yaml: Self.yaml)
    #expect(
      table.subjects == [
        Subject(key: "arts", name: "艺术", englishName: "Arts", grades: [1, 2]),
        Subject(key: "music", name: "音乐", englishName: "Music", aliases: ["唱歌"], code: "24", satisfies: ["arts"]),
      ])
  }

  @Test(arguments: [
    ("curriculum:", "curiculum:", ConfigurationError.Reason.unknownKey, 9, "curiculum"),
    ("english: Music", "englisch: Music", .unknownKey, 5, "subjects.englisch"),
    ("grades: [1, 2]", "grade: [1, 2]", .unknownKey, 10, "curriculum.grade"),
    ("key: music", "key: Music", .wrongValue, 3, "subjects"),
    ("{key: arts,", "{key: music,", .wrongValue, 3, "subjects.key"),
    ("name: 音乐", "name: [音乐]", .wrongValue, 4, "subjects.name"),
    ("[唱歌]", "唱歌", .wrongValue, 6, "subjects.aliases"), ("\"24\"", "\"240\"", .wrongValue, 3, "subjects"),
    ("[arts]", "[art]", .wrongValue, 3, "subjects.satisfies"),
    ("[1, 2]", "[0, 2]", .wrongValue, 10, "curriculum.grades"),
    ("[1, 2]", "[1, 9223372036854775807:1]", .wrongValue, 10, "curriculum.grades"),
    ("{subject: arts,", "{subject: art,", .wrongValue, 10, "curriculum.subject"),
    ("subjects:\n", "subjects: 1\nsubjects2:\n", .unknownKey, 2, "subjects2"),
  ])
  func mistakesAreToldWithTheirLine(
    _ right: String, _ wrong: String, _ reason: ConfigurationError.Reason, _ line: Int, _ key: String
  ) {
    let yaml = Self.yaml.replacingOccurrences(of: right, with: wrong)
    #expect(yaml != Self.yaml)
    let error = #expect(throws: ConfigurationError.self) { try SubjectTable(yaml: yaml) }
    #expect((error?.reason, error?.line, error?.key) == (reason, line, key))
  }

  @Test func bothListsAreWanted() {
    let half = Self.yaml.components(separatedBy: "curriculum:")[0]
    let error = #expect(throws: ConfigurationError.self) { try SubjectTable(yaml: half) }
    #expect(error?.key == "curriculum")
    #expect(throws: ConfigurationError.self) { try SubjectTable(yaml: "curriculum: []\n") }
    #expect(throws: ConfigurationError.self) { try SubjectTable(yaml: "") }
  }
}
