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

  public init(
    key: String, name: String, englishName: String, aliases: [String] = [], code: String = "", grades: [Int] = []
  ) {
    self.key = key
    self.name = name
    self.englishName = englishName
    self.aliases = aliases
    self.code = code
    self.grades = grades
  }
}
