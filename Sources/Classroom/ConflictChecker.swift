/// Finds what is wrong with the courses of a timetable, and goes on doing so while courses come and go.
///
/// Courses stand in the order of the timetable, added ones last, and each is held against those before it: so `check()`
/// says of every pair once, and of what is too much (seats, screen time) by which course it became so.
public struct ConflictChecker: Sendable {
  let timetable: Timetable

  public init(_ timetable: Timetable) { self.timetable = timetable }

  /// Everything that is wrong, course by course.
  public func check() -> [Conflict] { [] }

  /// What would be wrong with a course if it were added, or took the place of the one with its identifier.
  public func check(adding course: Course) -> [Conflict] { [] }

  /// Adds a course behind all others; one with the same identifier gives way to it.
  public mutating func add(_ course: Course) {}

  public mutating func remove(_ course: Identifier) {}
}
