import Classroom
import ControlAPI
import Foundation
import Ledger
import Reporting

/// Counts figures, one report at a time, on a queue of its own: a county's term takes seconds.
actor ReportDesk {
  private nonisolated let executor = QueueExecutor(label: "tongke.reports")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private let store: LedgerStore
  private let desk: FigureDesk

  init(store: LedgerStore, clock: @escaping @Sendable () -> Int64) {
    self.store = store
    desk = FigureDesk(store: store, clock: clock)
  }

  func report(_ kind: FigureReport.Kind, _ query: FigureQuery) throws -> FigureReport { try desk.report(kind, query) }

  func facts(_ span: FigureSpan) throws -> [LessonFact] { try store.lessonFacts(span.instants, detail: .whole) }

  func heads() throws -> SignedHeads { try store.signedHeads() }

  // MARK: Snapshots

  func keep(_ kind: FigureReport.Kind, _ query: FigureQuery, by actor: Identifier) throws -> FigureSnapshot {
    let report = try desk.report(kind, query)
    let body = try Self.encode(report)
    let number: Int64
    do {
      number = try store.keepSnapshot(
        report: kind.rawValue, from: report.from, through: report.through, scope: report.scope, actor: actor,
        body: body)
    } catch LedgerError.payloadTooLarge { throw Problem(.tooLarge) }
    return try snapshot(number)
  }

  func snapshot(_ number: Int64) throws -> FigureSnapshot {
    guard let snapshot = try store.snapshots(id: number).first else { throw Problem(.notFound) }
    return snapshot
  }

  func snapshots() throws -> [FigureSnapshot] { try store.snapshots() }

  /// Counts a snapshot's report again by what its definitions say it was asked for.
  func compare(_ snapshot: FigureSnapshot, _ query: FigureQuery) throws -> [SnapshotComparison.Difference] {
    guard let then = try? JSONDecoder().decode(FigureReport.self, from: Data(snapshot.body)) else {
      throw Problem(.notFound)
    }
    var query = query
    let asked = Dictionary(then.definitions.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    query.minimumLessons = asked["minimumLessons"].flatMap { Int($0) }
    query.years = asked["yearKind"].flatMap(YearKind.init(rawValue:)) ?? .school
    return Self.differences(then, try desk.report(then.kind, query))
  }

  /// Cell by cell; rows are known by their first column, or by the last of those that begin with a time, which is the
  /// lesson.
  static func differences(_ then: FigureReport, _ now: FigureReport) -> [SnapshotComparison.Difference] {
    var differences: [SnapshotComparison.Difference] = []
    for old in then.tables {
      guard let new = now[table: old.name], new.columns == old.columns else { continue }
      let keys = keyColumns(of: old)
      func key(_ row: [FigureCell]) -> String { keys.map { row[$0].plain }.joined(separator: " ") }
      var rows = Dictionary(new.rows.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
      for row in old.rows {
        let name = key(row)
        let other = rows.removeValue(forKey: name)
        for place in old.columns.indices where !keys.contains(place) && other?[place] != row[place] {
          differences.append(
            .init(
              table: old.name, row: name, column: old.columns[place].key, was: ReportCell(row[place]),
              now: other.map { ReportCell($0[place]) } ?? .none))
        }
      }
      for (name, row) in rows.sorted(by: { $0.key < $1.key }) {
        for place in new.columns.indices where !keys.contains(place) {
          differences.append(
            .init(
              table: new.name, row: name, column: new.columns[place].key, was: .none, now: ReportCell(row[place])))
        }
      }
    }
    return Array(differences.prefix(10_000))
  }

  /// Columns that name a row and count nothing.
  private static func keyColumns(of table: FigureReport.Table) -> [Int] {
    if let first = table.columns.first, first.form == .word, table.name != "exceptions" { return [0] }
    return table.columns.indices.filter { table.columns[$0].form == .text || table.columns[$0].form == .time }
  }

  /// The form that is signed: keys in order.
  private static func encode(_ report: FigureReport) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(report))
  }
}

extension FigureCell {
  fileprivate var plain: String {
    switch self {
    case .text(let text): text
    case .number(let number): "\(number)"
    case .none: ""
    }
  }
}

extension ReportCell {
  init(_ cell: FigureCell) {
    switch cell {
    case .text(let text): self = .text(text)
    case .number(let number): self = .number(number)
    case .none: self = .none
    }
  }
}

extension SnapshotReply {
  init(_ snapshot: FigureSnapshot) {
    self.init(
      number: snapshot.id, madeAt: CivilText.text(snapshot.at), report: snapshot.report, from: snapshot.from,
      through: snapshot.through, scope: snapshot.scope, signed: snapshot.isSigned, signature: snapshot.signature)
  }
}
