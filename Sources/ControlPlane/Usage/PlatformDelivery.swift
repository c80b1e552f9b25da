import Classroom
import Foundation
import Ledger
import Logging
import Reporting

/// How it goes with one platform.
struct DeliveryState: Sendable, Equatable {
  var platform: String
  /// Why the last attempt came to nothing; empty while it goes well.
  var trouble: String
  var failures: Int
}

/// Sends what waits for one platform, as its core says, on a queue of its own.
actor PlatformDelivery {
  private nonisolated let executor = QueueExecutor(label: "tongke.delivery")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  nonisolated let platform: String
  private let store: LedgerStore
  private let records: RecordStore
  private let holder: OutboxHolder
  private let clock: @Sendable () -> Int64
  private let logger: Logger
  private var core: DeliveryCore
  private var statements: [Int64: WaitingStatement] = [:]
  private var toldTrouble = ""

  /// Bytes of one request; a larger single statement goes by itself.
  static let byteLimit = 1 << 20

  init(
    platform: String, records: RecordStore, store: LedgerStore, holder: OutboxHolder, batch: Int,
    clock: @escaping @Sendable () -> Int64, logger: Logger
  ) {
    self.platform = platform
    self.records = records
    self.store = store
    self.holder = holder
    self.clock = clock
    self.logger = logger
    var limits = DeliveryCore.Limits()
    limits.batch = batch
    core = DeliveryCore(limits: limits)
  }

  var state: DeliveryState { DeliveryState(platform: platform, trouble: core.trouble, failures: core.failures) }

  /// Tries at once what was put off.
  func hurry() { core.hurry() }

  /// Goes on until it is cancelled; `may` says whether anything may be sent.
  func run(may: @Sendable () -> Bool) async {
    while !Task.isCancelled {
      if may() { await step() } else { await rest(500) }
    }
    await records.shutdown()
  }

  private func rest(_ milliseconds: Int64) async {
    try? await Task.sleep(for: .milliseconds(min(max(1, milliseconds), 500)))
  }

  private func step() async {
    let now = clock()
    switch core.next(now: now) {
    case .wait(let until):
      await rest(until &- now)
      core.wake()
    case .fetch(let limit):
      do {
        let found = try store.waitingStatements(platform: platform, limit: limit, byteLimit: Self.byteLimit)
        statements = Dictionary(found.map { ($0.number, $0) }) { first, _ in first }
        core.fetched(found.map(\.number), now: now)
      } catch { await ledgerFailed(error) }
    case .post(let numbers):
      let answer = await records.post(numbers.compactMap { statements[$0] })
      core.answered(answer, now: clock(), random: .random(in: .min ... .max))
    case .compare(let number):
      guard let statement = statements[number] else { return core.compared(.unknown, now: now, random: 0) }
      let comparison = await records.compare(statement)
      core.compared(comparison, now: clock(), random: .random(in: .min ... .max))
    case .settle(let settlements):
      do {
        try store.settle(settlements, holder: holder)
        core.settled()
        tell(settlements)
      } catch { await ledgerFailed(error) }
    }
    tellTrouble()
  }

  private func ledgerFailed(_ error: any Error) async {
    logger.error("the outbox was not read or written", metadata: ["platform": "\(platform)", "error": "\(error)"])
    await rest(500)
  }

  private func tell(_ settlements: [StatementSettlement]) {
    for settlement in settlements {
      guard case .parked(let reason) = settlement.outcome else { continue }
      logger.warning(
        "a platform refused a statement",
        metadata: [
          "platform": "\(platform)", "statement": "\(statements[settlement.number]?.id.description ?? "")",
          "status": "\(reason)",
        ])
    }
  }

  /// Once when it begins to fail or fails otherwise, and once when it goes again.
  private func tellTrouble() {
    guard core.trouble != toldTrouble else { return }
    toldTrouble = core.trouble
    if core.trouble.isEmpty {
      logger.notice("statements are delivered again", metadata: ["platform": "\(platform)"])
    } else {
      logger.warning(
        "statements are not delivered", metadata: ["platform": "\(platform)", "why": "\(core.trouble)"])
    }
  }
}
