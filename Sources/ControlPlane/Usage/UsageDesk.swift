import Classroom
import Foundation
import Ledger
import Logging
import Reporting
import Synchronization

/// Everything by which usage leaves the relay: statements made of events and sent to platforms, and files by day.
final class UsageDesk: Sendable {
  let maker: StatementWriter
  let deliveries: [PlatformDelivery]
  private let desk: UsageMaking
  private let state: DeliveryPermission

  /// Opens the outbox; its activities get their base at the first start of a data folder and keep it.
  init(
    _ configuration: RelayConfiguration, store: LedgerStore, clock: @escaping @Sendable () -> Int64, logger: Logger
  ) throws(RelayStartError) {
    let reporting = configuration.reporting
    var random = SystemRandomNumberGenerator()
    let own = Identifier(milliseconds: clock(), using: &random)
    let wanted = reporting.activityBase ?? configuration.access.publicAddress ?? "https://\(own).tongke.invalid"
    let base: String
    do { base = try store.openOutbox(activityBase: wanted) } catch {
      throw RelayStartError { Text.of("serve.store", in: $0, ["folder": configuration.data, "error": "\(error)"]) }
    }
    if let asked = reporting.activityBase, asked != base {
      logger.warning(
        "reporting.activityBase is another than the ledger's, which holds", metadata: ["ledger": "\(base)"])
    }
    let settings = StatementSettings(
      activityBase: base, appID: reporting.appID, platformCode: reporting.platformCode, profile: reporting.profile,
      platforms: reporting.platforms.map { StatementSettings.Platform(name: $0.name, homePage: $0.homePage) })
    maker = StatementWriter(settings)
    let holder = OutboxHolder(
      id: Identifier(milliseconds: clock(), using: &random), host: Self.machine)
    deliveries = try reporting.platforms.map { platform throws(RelayStartError) in
      PlatformDelivery(
        platform: platform.name,
        records: RecordStore(platform, password: try SignInWays.secret(platform.passwordFile)), store: store,
        holder: holder, batch: reporting.batch, clock: clock, logger: logger)
    }
    state = DeliveryPermission()
    desk = UsageMaking(
      maker: maker, holder: holder, store: store, folder: reporting.writesFiles ? configuration.data + "/usage" : nil,
      permission: state, clock: clock, logger: logger)
  }

  /// Goes on until it is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [desk] in await desk.run() }
      for delivery in deliveries { group.addTask { [state] in await delivery.run { state.mayDeliver } } }
    }
  }

  /// Whether another relay has the outbox, so that this one delivers nothing.
  var isRefused: Bool { state.isRefused }

  func hurry() async {
    state.lookAgain()
    for delivery in deliveries { await delivery.hurry() }
  }

  /// Notes a change of `pause` at once; another process's is seen within two seconds.
  func paused(_ isPaused: Bool) { state.set(paused: isPaused) }

  func states() async -> [DeliveryState] {
    var states: [DeliveryState] = []
    for delivery in deliveries { states.append(await delivery.state) }
    return states
  }

  /// What a machine is told from another by; the same after a restart.
  private static var machine: String {
    let id = (try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8)) ?? ""
    let words = id.split(whereSeparator: \.isWhitespace).first.map { " \($0.prefix(8))" } ?? ""
    return ProcessInfo.processInfo.hostName + words
  }
}

/// Whether anything may be sent now.
final class DeliveryPermission: Sendable {
  private struct State {
    var holds = false
    var isRefused = false
    var isPaused = true
    var looksAgain = false
  }
  private let state = Mutex(State())

  var mayDeliver: Bool { state.withLock { $0.holds && !$0.isPaused } }
  var isRefused: Bool { state.withLock { $0.isRefused } }

  func set(holds: Bool) {
    state.withLock {
      $0.holds = holds
      $0.isRefused = !holds
    }
  }

  func set(paused: Bool) { state.withLock { $0.isPaused = paused } }
  func lookAgain() { state.withLock { $0.looksAgain = true } }

  func takeLook() -> Bool {
    state.withLock { state in
      defer { state.looksAgain = false }
      return state.looksAgain
    }
  }
}

/// Makes statements of what happened, and the files of days, on a queue of its own.
actor UsageMaking {
  private nonisolated let executor = QueueExecutor(label: "tongke.usage")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let maker: StatementWriter
  private let holder: OutboxHolder
  private let store: LedgerStore
  private let folder: String?
  private let permission: DeliveryPermission
  private let clock: @Sendable () -> Int64
  private let logger: Logger
  private var isTold = false

  /// Seconds between looks for spaces that have come, and for days whose files changed.
  private static let lookSeconds = 10

  init(
    maker: StatementWriter, holder: OutboxHolder, store: LedgerStore, folder: String?,
    permission: DeliveryPermission, clock: @escaping @Sendable () -> Int64, logger: Logger
  ) {
    self.maker = maker
    self.holder = holder
    self.store = store
    self.folder = folder
    self.permission = permission
    self.clock = clock
    self.logger = logger
  }

  func run() async {
    var second = 0
    while !Task.isCancelled {
      if second % Self.lookSeconds == 0 || permission.isRefused { hold() }
      if !permission.isRefused { await work(looks: second % Self.lookSeconds == 0 || permission.takeLook()) }
      second &+= 1
      try? await Task.sleep(for: .seconds(1))
    }
    try? store.releaseOutbox(holder)
  }

  /// Says that this relay delivers, unless another one does.
  private func hold() {
    do {
      try store.holdOutbox(holder)
      permission.set(holds: true)
      isTold = false
    } catch LedgerError.inUse {
      permission.set(holds: false)
      if !isTold {
        isTold = true
        logger.error("another relay delivers from this ledger; this one tells platforms nothing")
      }
    } catch { logger.error("the outbox was not taken", metadata: ["error": "\(error)"]) }
  }

  private func work(looks: Bool) async {
    do {
      permission.set(paused: try store.isOutboxPaused())
      guard !maker.settings.platforms.isEmpty else { return try looks ? dropFiles() : () }
      // Other writers of the ledger come in between.
      while try store.makeStatements(maker, holder: holder), !Task.isCancelled { await Task.yield() }
      guard looks else { return }
      while try store.makeHeld(maker, holder: holder) == 500, !Task.isCancelled { await Task.yield() }
      try dropFiles()
    } catch LedgerError.inUse { permission.set(holds: false) } catch {
      logger.error("usage was not taken up", metadata: ["error": "\(error)"])
    }
  }

  private func dropFiles() throws {
    guard let folder else { return }
    let drop = UsageDrop(folder: folder, store: store, settings: maker.settings)
    while !Task.isCancelled, try drop.writeChangedDays(holder: holder) {}
  }
}
