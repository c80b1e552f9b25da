/// A subject by our own stable key; names and codes change with curricula, keys never.
public struct Subject: Hashable, Sendable, Codable {
  /// Such as `moralityAndLaw`.
  public var key: String
  /// Such as 道德与法治; courses and imports may use it in place of the key.
  public var name: String
  public var englishName: String
  /// Other names that imports use, such as 品德.
  public var aliases: [String]
  /// ZXXKC (JY/T 1001); empty where the code list has none.
  public var code: String
  /// Grades, 1…12, in which the curriculum asks for it; empty for a subject beside the curriculum.
  public var grades: [Int]
  /// Keys of the subjects that lessons of this one count for besides it, such as `arts` for music; one step only.
  public var satisfies: [String]

  public init(
    key: String, name: String, englishName: String, aliases: [String] = [], code: String = "", grades: [Int] = [],
    satisfies: [String] = []
  ) {
    self.key = key
    self.name = name
    self.englishName = englishName
    self.aliases = aliases
    self.code = code
    self.grades = grades
    self.satisfies = satisfies
  }

  /// Throws what is wrong with the value by itself; `badCode` for a key that is no ASCII word, or a code that is not of
  /// two digits.
  public func validate() throws(ClassroomError) {
    for word in [key] + satisfies { try Self.checkKey(word) }
    for name in [name, englishName] + aliases { try Limits.checkName(name) }
    guard aliases.count <= Limits.subjectNames, satisfies.count <= Limits.subjectNames else { throw .tooMany }
    guard code.isEmpty || (code.utf8.count == 2 && code.utf8.allSatisfy { (0x30...0x39).contains($0) }) else {
      throw .badCode
    }
    guard grades.allSatisfy({ (1...12).contains($0) }) else { throw .badRange }
    guard grades == Set(grades).sorted(), Set(satisfies).count == satisfies.count, !satisfies.contains(key) else {
      throw .duplicate
    }
  }

  private static func checkKey(_ text: String) throws(ClassroomError) {
    guard (1...Limits.codeScalars).contains(text.utf8.count), let first = text.utf8.first,
      (0x61...0x7a).contains(first),
      text.utf8.allSatisfy({
        (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
      })
    else { throw .badCode }
  }
}
