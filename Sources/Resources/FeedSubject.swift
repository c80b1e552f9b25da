import Classroom
import Ledger

/// Whom a feed's recording shows.
public struct FeedSubject: Sendable {
  /// What the feed of a site is called: this and the seat's identifier.
  public static let sitePrefix = "site-"

  let containsFaces: Bool
  let schoolClass: Identifier?
  private let isSite: Bool

  /// A screen shows nobody. A lead's camera shows a class where one sits with the lead, and nobody's pupils where a
  /// teacher is alone; a site's camera always shows pupils, and so does what is not known.
  init(of feed: String, lesson: Identifier, in store: LedgerStore) throws {
    let seats = try store.seats(lesson: lesson)
    if feed.hasPrefix(Self.sitePrefix) {
      let seat = Identifier(String(feed.dropFirst(Self.sitePrefix.count)))
      schoolClass = seats.first { $0.id == seat }?.schoolClass
      containsFaces = true
      isSite = true
      return
    }
    isSite = false
    if feed == "screen" {
      schoolClass = nil
      containsFaces = false
    } else {
      let leads = seats.filter { $0.role == .lead }
      schoolClass = leads.compactMap(\.schoolClass).first
      containsFaces = leads.isEmpty || schoolClass != nil
    }
  }

  /// A site's class has to consent, still.
  func mayBeKept(in store: LedgerStore) throws -> Bool {
    guard isSite else { return true }
    guard let schoolClass, let value = try store.schoolClass(schoolClass) else { return false }
    return !value.consentRecord.isEmpty
  }
}
