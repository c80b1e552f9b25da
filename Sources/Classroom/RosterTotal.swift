/// How many pupils and teachers an institution had in a school year, which shares of coverage are counted from; never
/// who they are.
public struct RosterTotal: Hashable, Sendable, Codable {
  public var institution: Identifier
  /// The calendar year of its September.
  public var schoolYear: Int
  /// 1…12; nil for the institution as a whole.
  public var grade: Int?
  public var pupils: Int
  public var teachers: Int

  /// More than any school has.
  static let limit = 100_000

  public init(institution: Identifier, schoolYear: Int, grade: Int? = nil, pupils: Int, teachers: Int = 0) {
    self.institution = institution
    self.schoolYear = schoolYear
    self.grade = grade
    self.pupils = pupils
    self.teachers = teachers
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    guard (1950...2998).contains(schoolYear), grade.map((1...12).contains) ?? true,
      (0...Self.limit).contains(pupils), (0...Self.limit).contains(teachers)
    else { throw .badRange }
  }
}
