internal import Classroom
internal import GRDB

/// Recomputes the chain event by event, and finds the first that does not fit.
struct ChainWalk {
  /// Of the ledger; nil in one that no event names it in.
  let relay: [UInt8]?
  private(set) var count: Int64 = 0
  private(set) var previous = EventChain.genesis
  private(set) var firstBroken: Int64?
  private var lastAt: Int64?
  /// Whether an event named its relay: none after it may fall back to the format before.
  private var isNamed = false

  init(relay: [UInt8]?) { self.relay = relay }

  /// - Parameter row: `id, at, kind, lesson, seat, payload, hash, relay`.
  mutating func take(_ row: Row) {
    count += 1
    guard firstBroken == nil else { return }
    if row["id"] == count, let hash = hash(of: row) { previous = hash } else { firstBroken = count }
    lastAt = Int64.fromDatabaseValue(row["at"])
  }

  /// The row's hash when it is what the row's other columns give; nil otherwise, whatever the columns hold.
  private mutating func hash(of row: Row) -> [UInt8]? {
    guard let at = Int64.fromDatabaseValue(row["at"]), let kind = String.fromDatabaseValue(row["kind"]),
      let payload = String.fromDatabaseValue(row["payload"]), let stored = RowReading.blob(row["hash"])
    else { return nil }
    let values: [DatabaseValue] = [row["lesson"], row["seat"], row["relay"]]
    guard values.allSatisfy({ $0.isNull || RowReading.blob($0) != nil }) else { return nil }
    let named = RowReading.blob(values[2])
    guard named == nil ? !isNamed : named == relay else { return nil }
    let expected = EventChain.hash(
      previous: previous, id: count, at: at, kind: kind, lesson: RowReading.blob(values[0]),
      seat: RowReading.blob(values[1]), payload: payload, relay: named)
    guard expected == stored else { return nil }
    if named != nil {
      guard followsDay(at: at, payload) else { return nil }
      isNamed = true
    }
    return stored
  }

  /// Whether the first event of a day names the day before it and its head, where it has room to.
  private func followsDay(at: Int64, _ text: String) -> Bool {
    guard let lastAt, CivilTime.date(of: lastAt) != CivilTime.date(of: at) else { return true }
    guard let payload = try? PayloadCoding.decode(text) else { return false }
    guard let named = payload.first(where: { $0.0 == "previousHead" }) else {
      return text.utf8.count > LedgerEvent.payloadByteLimit - 256
        || payload.count > LedgerEvent.entryLimit - 2
    }
    return named.1 == EventChain.hexadecimal(previous)
      && payload.contains { $0.0 == "previousDay" && $0.1 == "\(CivilTime.date(of: lastAt))" }
  }
}
