// Goal: the coalescing window follows the utilisation as stated. Method: utilisations up and down.
import MediaWorker
import RTCCore
import Testing

@Suite struct CoalescingTests {
  private static let bound = Interval.milliseconds(5)

  private static func window(after utilisations: [Int], mode: Coalescing = .adaptive) -> Int64 {
    var window = CoalescingWindow(mode, bound: bound)
    for permille in utilisations { window.update(utilisation: permille) }
    return window.interval.microseconds
  }

  @Test(arguments: [(0, 0), (200, 0), (300, 1_250), (400, 2_500), (600, 5_000), (1_000, 5_000)] as [(Int, Int64)])
  func itGrowsBetweenTwentyAndSixtyPercent(permille: Int, microseconds: Int64) {
    #expect(Self.window(after: [permille]) == microseconds)
  }

  @Test func itShrinksOnlyAfterAFallOfFivePoints() {
    #expect(Self.window(after: [600, 560]) == 5_000, "four points change nothing")
    #expect(Self.window(after: [600, 540]) == 4_875)
    #expect(Self.window(after: [600, 540, 540]) == 4_875)
    #expect(Self.window(after: [600, 149]) == 0)
    #expect(Self.window(after: [600, 300, 340]) == 1_875, "up again within the five points: no change")
  }

  @Test func turnsAreSpacedByWhatThereIsToDo() {
    #expect(turnSpacing(utilisation: 0) == .microseconds(0))
    #expect(turnSpacing(utilisation: 20) == .microseconds(120))
    #expect(turnSpacing(utilisation: 120) == .microseconds(900))
    #expect(turnSpacing(utilisation: 1_000) == .microseconds(1_500))
  }

  @Test func aFixedWindowStays() {
    #expect(Self.window(after: [0, 1_000], mode: .fixed(.milliseconds(3))) == 3_000)
  }
}
