/// How years are cut.
public enum YearKind: String, Hashable, Sendable, Codable, CaseIterable {
  /// January to December.
  case calendar
  /// September to August; the last days of August count to the coming one.
  case school
}

/// Days that figures are counted over, in civil time of China.
public struct FigureSpan: Hashable, Sendable, Codable {
  public var from: CivilDate
  /// The last day.
  public var through: CivilDate

  /// Nil when it ends before it begins.
  public init?(from: CivilDate, through: CivilDate) {
    guard from <= through else { return nil }
    self.from = from
    self.through = through
  }

  /// UTC milliseconds.
  public var instants: Range<Int64> {
    let start = CivilTime.instant(from, .midnight)
    return start..<max(start, CivilTime.instant(through + 1, .midnight))
  }

  /// The years that it touches, oldest first, each as a whole and named by its first year.
  public func years(_ kind: YearKind) -> [(name: Int, span: FigureSpan)] {
    let first = Self.year(of: from, kind)
    let last = Self.year(of: through, kind)
    return (first...max(first, last)).compactMap { year in
      let month = kind == .calendar ? 1 : 8
      guard let start = CivilDate(year: year, month: month, day: 1),
        let next = CivilDate(year: year + 1, month: month, day: 1),
        let span = FigureSpan(from: start, through: next - 1)
      else { return nil }
      return (year, span)
    }
  }

  static func year(of date: CivilDate, _ kind: YearKind) -> Int {
    kind == .calendar ? date.parts.year : date.schoolYear
  }
}

extension Institution {
  /// Whether it was open at some time of a span: a merger later leaves the figures of before as they were.
  public func isOpen(in span: FigureSpan) -> Bool {
    let instants = span.instants
    return (validFrom ?? .min) < instants.upperBound && (validUntil ?? .max) > instants.lowerBound
  }
}
