/// Figures as they are printed: tables with the definitions they were counted by, without any sentence. Words are codes
/// that whoever prints them puts into a language.
public struct FigureReport: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case attendance
    case coverage
    case quality
    case screenTime = "screen-time"
    case teachers
    case resources
    case spaces
    case exceptions
    /// What is kept of minors, for the yearly audit.
    case minors
  }

  public enum Form: String, Codable, Hashable, Sendable {
    case text
    case count
    case seconds
    case permille
    /// A code of the catalogue.
    case word
    /// UTC milliseconds.
    case time
  }

  public struct Column: Codable, Hashable, Sendable {
    public var key: String
    public var form: Form
    public init(_ key: String, _ form: Form = .text) {
      self.key = key
      self.form = form
    }
  }

  public struct Table: Codable, Hashable, Sendable {
    public var name: String
    public var columns: [Column]
    public var rows: [[FigureCell]]
    /// Rows beyond the limit.
    public var leftOut = 0
    /// The column that a plot shows, over the first one.
    public var plotted: String?

    public init(_ name: String, _ columns: [Column], plotted: String? = nil) {
      self.name = name
      self.columns = columns
      self.plotted = plotted
      rows = []
    }

    /// - Parameter row: as many cells as there are columns (trap).
    public mutating func add(_ row: [FigureCell]) {
      precondition(row.count == columns.count, "a row has a cell for each column")
      if rows.count < FigureReport.rowLimit { rows.append(row) } else { leftOut += 1 }
    }
  }

  /// Rows of one table; what is beyond is counted.
  public static let rowLimit = 20_000

  public struct Definition: Codable, Hashable, Sendable {
    public var key: String
    public var value: String
    public init(_ key: String, _ value: some CustomStringConvertible) {
      self.key = key
      self.value = "\(value)"
    }
  }

  public var kind: Kind
  /// `2026-09-01`, first and last day.
  public var from: String
  public var through: String
  public var scope: String
  /// Whose events it is counted from.
  public var relay: String
  /// UTC milliseconds.
  public var madeAt: Int64
  public var definitions: [Definition]
  public var tables: [Table]

  public subscript(table name: String) -> Table? { tables.first { $0.name == name } }
}

/// A cell; JSON has it as a string, a number or null.
public enum FigureCell: Codable, Hashable, Sendable {
  case text(String)
  case number(Int64)
  case none

  public init(_ number: some FixedWidthInteger) { self = .number(Int64(clamping: number)) }
  public init(_ number: Int?) { self = number.map { .number(Int64($0)) } ?? .none }
  public init(_ text: String) { self = .text(text) }

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
