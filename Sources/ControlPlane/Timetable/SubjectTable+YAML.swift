public import Classroom
import Yams

extension SubjectTable {
  /// Reads a table such as `Configs/subjects.yaml`; keys that are not known are errors, and so is what names a subject
  /// that the table does not have.
  public init(file: String) throws(ConfigurationError) {
    try self.init(yaml: ConfigurationError.contents(of: file))
  }

  package init(yaml: String) throws(ConfigurationError) {
    let root = try YAMLMapping(ConfigurationError.compose(yaml), keys: ["subjects", "curriculum"])
    var subjects: [Subject] = []
    var keys: Set<String> = []
    let entries = try root.list("subjects", count: 1...Limits.subjects)
    for entry in entries {
      let subject = try Self.subject(entry)
      guard keys.insert(subject.key).inserted else { throw Self.wrong(entry, "subjects.key") }
      subjects.append(subject)
    }
    for (entry, subject) in zip(entries, subjects) {
      guard keys.isSuperset(of: subject.satisfies) else { throw Self.wrong(entry, "subjects.satisfies") }
    }
    guard root.values["curriculum"] != nil else { throw root.wrong("curriculum") }
    var curriculum = Curriculum(requirements: [])
    for entry in try root.list("curriculum", count: 0...Limits.subjects) {
      let fields = try YAMLMapping(entry, keys: ["subject", "grades"], path: "curriculum")
      let subject = try fields.text("subject")
      guard keys.contains(subject) else { throw fields.wrong("subject") }
      curriculum.requirements.append(
        Curriculum.Requirement(subject: subject, grades: try fields.numbers("grades", count: 1...12, in: 1...12)))
    }
    // All that could be wrong is asked above, with its line.
    do { try self.init(curriculum.asked(of: subjects)) } catch { throw root.wrong("subjects") }
  }

  private static func subject(_ node: Node) throws(ConfigurationError) -> Subject {
    let fields = try YAMLMapping(
      node, keys: ["key", "name", "english", "aliases", "code", "satisfies"], path: "subjects")
    let names = 0...Limits.subjectNames
    let subject = Subject(
      key: try fields.text("key"), name: try fields.text("name"), englishName: try fields.text("english"),
      aliases: try fields.texts("aliases", count: names), code: try fields.text("code", absent: ""),
      satisfies: try fields.texts("satisfies", count: names))
    do { try subject.validate() } catch {
      // A code of another form is one of the key, of what it satisfies or of the standard.
      throw error == .duplicate ? fields.wrong("satisfies") : wrong(node, "subjects")
    }
    return subject
  }

  private static func wrong(_ node: Node, _ key: String) -> ConfigurationError {
    ConfigurationError(reason: .wrongValue, line: node.mark?.line ?? 0, key: key)
  }
}
