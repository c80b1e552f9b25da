public import Classroom
internal import GRDB

/// What became of recordings in a span, and how they were played.
public struct ResourceUse: Hashable, Sendable {
  /// Events of each kind.
  public var counts: [EventKind: Int] = [:]
  /// Recordings that were played.
  public var resources = 0
  public var playedMilliseconds: Int64 = 0

  public init() {}

  /// Kinds that are counted, in the order they are told.
  public static let kinds: [EventKind] = [
    .recordingStarted, .recordingEnded, .resourceMade, .resourceDrafted, .resourceSubmitted, .resourceApproved,
    .resourceRejected, .resourcePublished, .resourceWithdrawn, .resourceNominated, .resourcePushed,
    .resourcePushAnswered, .resourceExpired, .playbackStarted, .playbackEnded, .consentGiven, .consentWithdrawn,
    .personErased,
  ]

  static let list = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
}

extension LedgerStore {
  /// Counted from events between two instants, of lessons with a seat in some institutions, nil for all.
  public func resourceUse(_ span: Range<Int64>, institutions: Set<Identifier>? = nil) throws -> ResourceUse {
    try read { db in
      var use = ResourceUse()
      var played: Set<String> = []
      var known: [Identifier: Bool] = [:]
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT kind, lesson, payload FROM events
          WHERE kind IN (\(ResourceUse.list)) AND at >= ? AND at < ? ORDER BY at
          """, arguments: [span.lowerBound, span.upperBound])
      while let row = try rows.next() {
        var columns = ColumnReader(row)
        let kind: EventKind = try columns.choice()
        let lesson = try columns.optionalIdentifier()
        if let institutions {
          guard let lesson, try Self.concerns(db, lesson, institutions, &known) else { continue }
        }
        use.counts[kind, default: 0] += 1
        guard kind == .playbackStarted || kind == .playbackEnded else { continue }
        let event = LedgerEvent(kind: kind, payload: try PayloadCoding.decode(try columns.text()))
        if let resource = event["resource"], kind == .playbackStarted { played.insert(resource) }
        if kind == .playbackEnded { use.playedMilliseconds &+= event.number("played") ?? 0 }
      }
      use.resources = played.count
      return use
    }
  }

  private static func concerns(
    _ db: Database, _ lesson: Identifier, _ institutions: Set<Identifier>, _ known: inout [Identifier: Bool]
  ) throws -> Bool {
    if let answer = known[lesson] { return answer }
    let rows = try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT rooms.institution FROM seats JOIN rooms ON rooms.id = seats.room WHERE seats.lesson = ?
          """), arguments: [lesson.databaseValue])
    let answer = try rows.contains { institutions.contains(try RowReading.identifier($0, "institution")) }
    known[lesson] = answer
    return answer
  }
}
