/// The subjects that are taught, found by key or by any name that people use.
///
/// `standard` ships; `Configs/subjects.yaml` holds the same as a file to edit.
public struct SubjectTable: Hashable, Sendable {
  /// In the order in which people list them.
  public let subjects: [Subject]
  private let keys: [String: Int]
  /// Every key and name; nil for one that several subjects have.
  private let names: [String: Int?]

  /// Throws what is wrong with a subject; `duplicate` for a key that two have, `badCode` for a subject that counts for
  /// one the table does not have, `tooMany` past 200.
  ///
  /// Two subjects may share a name: it then finds neither.
  public init(_ subjects: [Subject]) throws(ClassroomError) {
    guard subjects.count <= Limits.subjects else { throw .tooMany }
    for subject in subjects { try subject.validate() }
    self.init(checked: subjects)
    guard keys.count == subjects.count else { throw .duplicate }
    for key in subjects.flatMap(\.satisfies) where keys[key] == nil { throw .badCode }
  }

  private init(checked subjects: [Subject]) {
    self.subjects = subjects
    keys = Dictionary(subjects.enumerated().map { ($1.key, $0) }) { first, _ in first }
    var names: [String: Int?] = [:]
    for (index, subject) in subjects.enumerated() {
      for name in Set([subject.key, subject.name, subject.englishName] + subject.aliases) {
        names.updateValue(names[name] == nil ? index : nil, forKey: name)
      }
    }
    self.names = names
  }

  /// By key alone.
  public subscript(key: String) -> Subject? { keys[key].map { subjects[$0] } }

  /// By key, name or alias, as a whole and exactly; nil for what no subject is called, and for what several are.
  public func subject(named text: String) -> Subject? { index(of: text).map { subjects[$0] } }

  /// The subjects that the curriculum asks for in a grade, in their order.
  public func required(inGrade grade: Int) -> [Subject] { subjects.filter { $0.grades.contains(grade) } }

  /// Where the subject stands that a course or a local lesson names.
  func index(of text: String) -> Int? { names[text] ?? nil }

  /// What a lesson of a subject counts for: itself, and what it satisfies.
  func covered(by index: Int) -> [Int] { [index] + subjects[index].satisfies.compactMap { keys[$0] } }

  /// The subjects of the curriculum of 2022 and those beside it.
  ///
  /// Codes are ZXXKC of JY/T 1001, which is older than the curriculum: what has no code there has none here.
  public static let standard = SubjectTable(checked: Curriculum.edition2022.asked(of: standardSubjects))
}

/// Which subjects are asked for in which grades.
public struct Curriculum: Hashable, Sendable, Codable {
  /// One subject and the grades that have it.
  public struct Requirement: Hashable, Sendable, Codable {
    /// The key of a subject.
    public var subject: String
    /// 1…12, ascending.
    public var grades: [Int]
    public init(subject: String, grades: [Int]) {
      self.subject = subject
      self.grades = grades
    }
  }

  public var requirements: [Requirement]

  public init(requirements: [Requirement]) { self.requirements = requirements }

  /// The subjects with the grades in which this curriculum asks for them; none where it does not. Of two requirements
  /// about one subject both hold. Those about subjects that are not in the list ask for nothing.
  public func asked(of subjects: [Subject]) -> [Subject] {
    let grades = Dictionary(grouping: requirements, by: \.subject).mapValues { Set($0.flatMap(\.grades)).sorted() }
    return subjects.map { subject in
      var subject = subject
      subject.grades = grades[subject.key] ?? []
      return subject
    }
  }

  /// The ministry's plan for compulsory education, edition of 2022, for six years of primary and three of junior
  /// school.
  ///
  /// The arts may be given as music, as fine arts or both, and junior science as one subject in place of physics,
  /// chemistry and biology: what satisfies what is said by the subjects.
  public static let edition2022 = Curriculum(requirements: [
    Requirement(subject: "moralityAndLaw", grades: Array(1...9)),
    Requirement(subject: "chinese", grades: Array(1...9)),
    Requirement(subject: "mathematics", grades: Array(1...9)),
    Requirement(subject: "foreignLanguage", grades: Array(3...9)),
    Requirement(subject: "science", grades: Array(1...6)),
    Requirement(subject: "physics", grades: [8, 9]), Requirement(subject: "chemistry", grades: [9]),
    Requirement(subject: "biology", grades: [7, 8]), Requirement(subject: "history", grades: [7, 8, 9]),
    Requirement(subject: "geography", grades: [7, 8]),
    Requirement(subject: "informationTechnology", grades: Array(3...8)),
    Requirement(subject: "physicalEducation", grades: Array(1...9)),
    Requirement(subject: "arts", grades: Array(1...9)),
    Requirement(subject: "labour", grades: Array(1...9)),
    Requirement(subject: "integratedPractice", grades: Array(1...9)),
  ])
}
