/// Figures: tables with the definitions they were counted by. Words are codes.
public struct ReportReply: Codable, Hashable, Sendable {
  public struct Definition: Codable, Hashable, Sendable {
    public var key: String
    public var value: String
  }

  public struct Column: Codable, Hashable, Sendable {
    public var key: String
    /// `text`, `count`, `seconds`, `permille`, `word` (a code) or `time` (UTC milliseconds).
    public var form: String
  }

  public struct Table: Codable, Hashable, Sendable {
    public var name: String
    public var columns: [Column]
    public var rows: [[ReportCell]]
    /// Rows beyond what one answer holds.
    public var leftOut: Int
    public var plotted: String?
  }

  /// `attendance`, `coverage`, `quality`, `screen-time`, `teachers`, `resources`, `spaces`, `exceptions`, `minors`.
  public var kind: String
  /// First and last day, `2026-09-07`.
  public var from: String
  public var through: String
  public var scope: String
  /// Identifier of the relay whose events were counted.
  public var relay: String
  /// UTC milliseconds.
  public var madeAt: Int64
  public var definitions: [Definition]
  public var tables: [Table]
}

/// A cell: text, a number, or nothing.
public enum ReportCell: Codable, Hashable, Sendable {
  case text(String)
  case number(Int64)
  case none

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .none
    } else if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .none: try container.encodeNil()
    }
  }
}

/// Which figures are asked for; what is nil is the relay's to choose.
public struct ReportQuery: Codable, Hashable, Sendable {
  public var kind: String
  /// First and last day, `2026-09-07`.
  public var from: String
  public var to: String
  /// `city`, `county:NAME`, `school:NUMBER` or `school:UUID`.
  public var scope: String?
  /// `calendar` or `school`.
  public var years: String?
  /// Taught lessons that make a 门次.
  public var minimumLessons: Int?

  public init(
    kind: String, from: String, to: String, scope: String? = nil, years: String? = nil, minimumLessons: Int? = nil
  ) {
    self.kind = kind
    self.from = from
    self.to = to
    self.scope = scope
    self.years = years
    self.minimumLessons = minimumLessons
  }
}

/// Figures kept as they were one day.
public struct SnapshotReply: Codable, Hashable, Sendable {
  public var number: Int64
  /// `2026-09-07 10:10`, civil time of China.
  public var madeAt: String
  public var report: String
  public var from: String
  public var through: String
  public var scope: String
  /// Whether the relay's key signed it as it is kept.
  public var signed: Bool
  /// Base64 of the Ed25519 signature over the report's JSON.
  public var signature: String

  public init(
    number: Int64, madeAt: String, report: String, from: String, through: String, scope: String, signed: Bool,
    signature: String
  ) {
    self.number = number
    self.madeAt = madeAt
    self.report = report
    self.from = from
    self.through = through
    self.scope = scope
    self.signed = signed
    self.signature = signature
  }
}

/// What is another figure now than it was in a snapshot.
public struct SnapshotComparison: Codable, Hashable, Sendable {
  public struct Difference: Codable, Hashable, Sendable {
    public var table: String
    /// What the row begins with.
    public var row: String
    public var column: String
    public var was: ReportCell
    public var now: ReportCell

    public init(table: String, row: String, column: String, was: ReportCell, now: ReportCell) {
      self.table = table
      self.row = row
      self.column = column
      self.was = was
      self.now = now
    }
  }

  public var snapshot: SnapshotReply
  public var differences: [Difference]

  public init(snapshot: SnapshotReply, differences: [Difference]) {
    self.snapshot = snapshot
    self.differences = differences
  }
}

/// What is to hold of a lesson from now on; the original stays in the log and in the figures beside it.
public struct CorrectionRequest: Codable, Hashable, Sendable {
  /// Why, without names of persons.
  public var reason: String
  /// Takes the lesson out of all figures, or back in.
  public var excluded: Bool?
  /// How long it was live.
  public var liveSeconds: Int?
  /// The seat whose attendance is corrected, with `attendedSeconds`.
  public var seat: String?
  public var attendedSeconds: Int?

  public init(
    reason: String, excluded: Bool? = nil, liveSeconds: Int? = nil, seat: String? = nil, attendedSeconds: Int? = nil
  ) {
    self.reason = reason
    self.excluded = excluded
    self.liveSeconds = liveSeconds
    self.seat = seat
    self.attendedSeconds = attendedSeconds
  }
}

/// Pupils of one entry year that a local teacher counts in the room.
public struct HeadCountRequest: Codable, Hashable, Sendable {
  /// The site's seat; nil is the caller's own.
  public var seat: String?
  /// The year in which they entered the first grade.
  public var cohort: Int
  public var count: Int

  public init(seat: String? = nil, cohort: Int, count: Int) {
    self.seat = seat
    self.cohort = cohort
    self.count = count
  }
}

/// What a lesson came to after a correction or a head count.
public struct LessonOutcomeReply: Codable, Hashable, Sendable {
  public struct Seat: Codable, Hashable, Sendable {
    public var seat: String
    public var attendedSeconds: Int
    /// Before it was corrected.
    public var originalSeconds: Int?
    public var confirmedSeconds: Int
    public var headCount: Int?

    public init(seat: String, attendedSeconds: Int, originalSeconds: Int?, confirmedSeconds: Int, headCount: Int?) {
      self.seat = seat
      self.attendedSeconds = attendedSeconds
      self.originalSeconds = originalSeconds
      self.confirmedSeconds = confirmedSeconds
      self.headCount = headCount
    }
  }

  public var lesson: String
  /// `taught`, `cancelled`, `notHeld`, `withoutReceiver`, `tooShort`, `pending` or `excluded`.
  public var outcome: String
  public var corrections: Int
  public var seats: [Seat]

  public init(lesson: String, outcome: String, corrections: Int, seats: [Seat]) {
    self.lesson = lesson
    self.outcome = outcome
    self.corrections = corrections
    self.seats = seats
  }
}

/// `GET /api/v1/ledger/heads`: heads of days, signed, to be lodged elsewhere.
public struct HeadsReply: Codable, Hashable, Sendable {
  public struct Head: Codable, Hashable, Sendable {
    public var day: String
    public var event: Int64
    public var hash: String
  }

  public var format: Int
  public var relay: String
  public var madeAt: Int64
  public var heads: [Head]
  public var key: String
  public var signature: String
}
