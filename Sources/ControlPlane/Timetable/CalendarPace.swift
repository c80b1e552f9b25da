import Synchronization

/// How often a link to a calendar may be fetched, and how often somebody may try links that are none.
///
/// Within a minute: each link 30 times, each address 10 wrong ones, all addresses together 10,000 things remembered;
/// past that everything is refused until the minute is over.
package final class CalendarPace: Sendable {
  package static let perLink = 30
  package static let wrongPerAddress = 10
  private static let limit = 10_000

  private struct Minute {
    var number: Int64 = 0
    var fetches: [[UInt8]: Int] = [:]
    var wrong: [String: Int] = [:]
  }

  private let minute = Mutex(Minute())

  package init() {}

  /// Whether a link may be answered once more. `now`: UTC milliseconds.
  package func takesFetch(of link: [UInt8], now: Int64) -> Bool {
    counts(now) { minute in
      guard minute.fetches[link] != nil || minute.fetches.count < Self.limit else { return false }
      minute.fetches[link, default: 0] += 1
      return minute.fetches[link, default: 0] <= Self.perLink
    }
  }

  /// Whether somebody who tried a wrong link, or is about to try one, is told that it is none.
  package func takes(from address: String, isWrong: Bool, now: Int64) -> Bool {
    counts(now) { minute in
      guard isWrong else { return minute.wrong[address, default: 0] < Self.wrongPerAddress }
      guard minute.wrong[address] != nil || minute.wrong.count < Self.limit else { return false }
      minute.wrong[address, default: 0] += 1
      return minute.wrong[address, default: 0] <= Self.wrongPerAddress
    }
  }

  private func counts(_ now: Int64, _ body: (inout Minute) -> Bool) -> Bool {
    minute.withLock { minute in
      if minute.number != now / 60_000 { minute = Minute(number: now / 60_000) }
      return body(&minute)
    }
  }
}
