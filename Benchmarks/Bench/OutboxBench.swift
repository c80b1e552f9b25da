import ArgumentParser
import Classroom
import ControlPlane
import Foundation
import Ledger
import Logging

/// How fast usage leaves for a platform.
struct OutboxBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outbox", abstract: "Statements made of events and delivered to a learning record store.",
    discussion: """
      tools/bench outbox starts the store: Ralph of the tests with real clients, and then one that only answers. A \
      ledger gets as many events of seats as statements are wanted; the time runs from the relay's start until the \
      store has answered for each.
      """)

  @Option(help: "Address of the store, before /statements.") var endpoint: String
  @Option(help: "Account at the store.") var user: String
  @Option(help: "File whose first line is its password.") var passwordFile: String
  @Option(help: "Statements.") var statements = 10_000
  @Option(help: "Statements of one request.") var batch = 50
  @Option(help: "What the store is called in the figures.") var name = "store"

  func validate() throws {
    guard (2...1_000_000).contains(statements), (1...500).contains(batch) else {
      throw ValidationError("--statements is 2…1000000 and --batch 1…500")
    }
  }

  func run() async throws {
    let folder = NSTemporaryDirectory() + "tongke-bench-outbox-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try fill(folder)
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = folder
    configuration.reporting.writesFiles = false
    configuration.reporting.batch = batch
    var platform = ReportingConfiguration.Platform()
    platform.name = "bench"
    platform.endpoint = endpoint
    platform.user = user
    platform.passwordFile = passwordFile
    configuration.reporting.platforms = [platform]
    var logger = Logger(label: "bench")
    logger.logLevel = .warning
    let relay = try await Relay.start(configuration: configuration, logger: logger)
    let start = ContinuousClock.now
    var made = Duration.zero
    while true {
      guard let status = try relay.store.outboxStatus() else { break }
      let passed = ContinuousClock.now - start
      if made == .zero, status.cursor == status.events { made = passed }
      if status.sent >= Int64(statements) {
        tell(made: made, sent: passed)
        break
      }
      if passed > .seconds(600) {
        print("\(name): \(status.sent) of \(statements) in ten minutes")
        break
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    await relay.stop()
  }

  private func tell(made: Duration, sent: Duration) {
    func rate(_ duration: Duration) -> Int { Int(Double(statements) / (duration / .seconds(1))) }
    print(
      "\(name): \(statements) statements in batches of \(batch): made \(rate(made))/s, delivered \(rate(sent))/s (aim 500/s)"
    )
  }

  /// A lesson in which seats come and go.
  private func fill(_ folder: String) throws {
    let store = try LedgerStore(path: folder + "/ledger.sqlite") { Int64(Date().timeIntervalSince1970 * 1_000) }
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let seated = try store.makeLesson(title: "bench", plannedStart: now, plannedEnd: now + 3_600_000, receivers: 20)
    try store.transaction { transaction in
      for school in Set(seated.rooms.map(\.institution)) {
        try transaction.upsert(
          Space(owner: .institution(school), kind: .school, homePage: "https://space.example.cn", name: "\(school)"))
      }
    }
    let seats = seated.receiverSeats
    var events: [LedgerEvent] = []
    for number in 0..<statements {
      let seat = seats[number / 2 % seats.count]
      events.append(
        LedgerEvent(kind: number % 2 == 0 ? .seatJoined : .seatLeft, lesson: seated.lesson.id, seat: seat.id))
      if events.count == 1_000 {
        try store.append(events)
        events = []
      }
    }
    if !events.isEmpty { try store.append(events) }
    try store.close()
  }
}
