// Goal: a recording that nobody reviewed is shown to the rooms of its own lesson alone, for two weeks. Method: the rule
// is asked at its edges.
import Classroom
import Testing

@Suite struct ReplayRuleTests {
  private static let rooms = (1...3).map { Identifier(high: 1, low: UInt64($0)) }
  private static let day: Int64 = 86_400_000

  private func refusal(_ rooms: [Identifier], published: Bool = false, after age: Int64) -> ReplayRule.Refusal? {
    do throws(ReplayRule.Refusal) {
      try ReplayRule.check(
        rooms: Set(rooms), seated: Set(Self.rooms.prefix(2)), endedAt: 1_000, isPublished: published, now: 1_000 + age)
      return nil
    } catch { return error }
  }

  @Test func itsOwnSeatsHaveTwoWeeks() {
    #expect(refusal([Self.rooms[1]], after: 0) == nil)
    #expect(refusal([Self.rooms[0], Self.rooms[1]], after: 14 * Self.day) == nil)
    #expect(refusal([Self.rooms[1]], after: 14 * Self.day + 1) == .tooOld)
  }

  @Test func othersWaitUntilItIsPublished() {
    #expect(refusal([Self.rooms[1], Self.rooms[2]], after: 0) == .notItsSeats)
    #expect(refusal([Self.rooms[2]], published: true, after: 400 * Self.day) == nil)
  }
}
