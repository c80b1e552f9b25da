public import Classroom
import Crypto
import Foundation
import HTTPTypes
public import Ledger
public import Logging
import MediaWorker
import RTCWire

/// Why a relay does not start, in words for whoever starts it.
public struct RelayStartError: Error, Sendable {
  private let tell: @Sendable (Language) -> String
  init(_ tell: @escaping @Sendable (Language) -> String) { self.tell = tell }
  public func message(in language: Language) -> String { tell(language) }
}

/// What the routes share.
struct RelayParts: Sendable {
  let director: LessonDirector
  let store: LedgerStore
  let tokens: TokenIssuer
  let gate: AccessGate
  let places: AccessPlacesCache
  let desk: AccessDesk
  let recordings: RecordingDesk
  /// Where `ResourceFile.path` begins.
  let dataFolder: String
  let timetables: TimetableDesk
  let ways: SignInWays
  let imports = ImportPlaces()
  let acceptance: AcceptanceProfile
  let pace = ThroughputPace()
  let clock: @Sendable () -> Int64
  let authorityPEM: String?
  let httpsPort: @Sendable () -> Int?
  /// The address that people of the same network use, without a slash at the end.
  let pageBase: @Sendable () -> String
  let calendarSecret: CalendarSecret
  let calendarPace = CalendarPace()
  let usage: UsageDesk
  let metricsText: @Sendable () async -> String

  /// Tokens of a lesson's links live this much longer than its doors are open, milliseconds.
  static let tokenGrace: Int64 = 3_600_000

  var routes: [Route] {
    SessionRoutes(director: director, gate: gate, places: places).all + LessonRoutes(relay: self).all
      + FloorRoutes(relay: self).all + PlaybackRoutes(relay: self).all + MakeUpRoutes(relay: self).all
      + TimetableRoutes(relay: self).all + TimetableLessonRoutes(relay: self).all
      + TimetableFileRoutes(relay: self).all + RunningLessonRoutes(relay: self).all
      + CalendarLinkRoutes(relay: self).all + CourseRoutes(relay: self).all
      + PlaceRoutes(relay: self).all + AcceptanceRoutes(relay: self).all
      + OutboxRoutes(relay: self).all + ResourceRoutes(relay: self).all + AuditRoutes(self).all
      + ExportRoutes(relay: self).all
      + ReportRoutes(self).all + LessonRecordRoutes(relay: self).all
      + AccountRoutes(relay: self).all + SignInRoutes(relay: self).all
      + RecordingRoutes(relay: self).all + SessionAccessRoutes(relay: self).all + DeviceRoutes(relay: self).all
      + PageRoutes(relay: self).all
  }

  func links(for seated: SeatedLesson, base: String) -> LessonLinks {
    LessonLinks(
      seated, base: base, pageBase: base, tokens: tokens, expires: linksExpire(seated.lesson) / 1_000)
  }
}

/// A whole relay: media worker, ledger, recorder, lessons and the HTTP server, started together and ended together.
public final class Relay: Sendable {
  public let configuration: RelayConfiguration
  public let store: LedgerStore
  let parts: RelayParts
  let pool: MediaWorkerPool
  let server: HTTPServer
  private let recovered: Int
  private let logger: Logger
  private let tasks: [Task<Void, Never>]

  public var httpPort: Int { server.httpPort ?? configuration.http.port }
  public var httpsPort: Int? { server.httpsPort }
  /// The media ports, UDP, one for each worker.
  public var mediaPorts: [Int] { pool.workers.map { Int($0.port) } }

  /// Whether media may come by TCP at these as well.
  public var mediaTakesTCP: Bool { pool.workers.allSatisfy { $0.tcpPort != nil } }

  /// Starts everything; when this returns, the relay serves.
  ///
  /// What a crash left open is closed first, and logs of finished lessons become files in the background.
  public static func start(configuration: RelayConfiguration, logger: Logger) async throws(RelayStartError) -> Relay {
    try await start(configuration: configuration, logger: logger) { Int64(Date().timeIntervalSince1970 * 1_000) }
  }

  /// As above, by a clock of UTC milliseconds that may jump.
  package static func start(
    configuration: RelayConfiguration, logger: Logger, clock: @escaping @Sendable () -> Int64
  ) async throws(RelayStartError) -> Relay {
    let relay = try Relay(configuration: configuration, logger: logger, clock: clock)
    do {
      try await relay.serve()
    } catch let error as ListenError {
      await relay.stop()
      throw RelayStartError { error.message(in: $0) }
    } catch {
      await relay.stop()
      throw RelayStartError { _ in "\(error)" }
    }
    return relay
  }

  private let certificate: ServerCertificate?
  private let lock: FolderLock

  private init(
    configuration: RelayConfiguration, logger: Logger, clock: @escaping @Sendable () -> Int64
  ) throws(RelayStartError) {
    self.configuration = configuration
    self.logger = logger
    let folder = configuration.data
    let (subjects, acceptance) = (try Self.subjects(configuration), try Self.acceptance(configuration))
    let ways = try SignInWays(configuration.access, clock: clock)
    let identity: DTLSIdentity
    do throws(ServerCertificateError) {
      try ServerCertificate.makeFolder(folder)
      identity = try DTLSIdentityFile.load(folder: folder + "/tls")
      certificate =
        configuration.https == nil
        ? nil : try ServerCertificate.load(configuration: configuration, folder: folder + "/tls", now: clock())
    } catch { throw RelayStartError { error.message(in: $0) } }
    // Before anything of it is touched: two that recover one ledger would each close the other's lessons.
    lock = try FolderLock(folder: folder)
    let tokens: TokenIssuer
    let calendarSecret: CalendarSecret
    do {
      store = try LedgerStore(path: folder + "/ledger.sqlite", clock: clock)
      tokens = try TokenIssuer(store: store, clock: clock)
      calendarSecret = CalendarSecret(
        key: SymmetricKey(
          data: try store.secret("calendarLinks") {
            SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
          }))
      recovered = try store.recover() + store.recoverPlaybacks()
    } catch {
      throw RelayStartError { Text.of("serve.store", in: $0, ["folder": folder, "error": "\(error)"]) }
    }
    let usage = try UsageDesk(configuration, store: store, clock: clock, logger: logger)
    pool = try Self.startWorkers(configuration, identity: identity)
    let recordings: RecordingDesk
    do { recordings = try RecordingDesk(configuration, store: store, clock: clock, logger: logger) } catch {
      pool.stop()
      throw RelayStartError { Text.of("serve.recorder", in: $0, ["folder": folder, "error": "\(error)"]) }
    }
    let director = LessonDirector(
      configuration: configuration, store: store, pool: pool, identity: identity, recordings: recordings,
      clock: clock, logger: logger)
    let server = HTTPServer()
    self.server = server
    let source = MetricsSource(
      workers: pool.workers, cipher: configuration.cipher, director: director, recordings: recordings, store: store,
      server: server, certificateExpires: certificate?.expires, started: clock(), clock: clock)
    let places = AccessPlacesCache(store: store, clock: clock)
    let timetables = TimetableDesk(
      store: store, subjects: subjects,
      policy: configuration.timetablePolicy(workers: pool.workers.count), clock: clock)
    parts = RelayParts(
      director: director, store: store, tokens: tokens,
      gate: Self.gate(tokens, clock, places, audit: Self.audit(logger, store, timetables, places)), places: places,
      desk: AccessDesk(store: store, tokens: tokens, policy: AccessPolicy(configuration.access), clock: clock),
      recordings: recordings, dataFolder: folder, timetables: timetables, ways: ways, acceptance: acceptance,
      clock: clock, authorityPEM: certificate?.authorityPEM, httpsPort: { server.httpsPort },
      pageBase: { configuration.pageBase(http: server.httpPort, https: server.httpsPort) },
      calendarSecret: calendarSecret, usage: usage, metricsText: { await source.text() })
    tasks = Self.tasks(pool, director, tokens, store) + [Task { await usage.run() }]
  }

  /// What goes on by itself: events of the workers, and a look at the clock each second.
  private static func tasks(
    _ pool: MediaWorkerPool, _ director: LessonDirector, _ tokens: TokenIssuer, _ ledger: LedgerStore
  ) -> [Task<Void, Never>] {
    pool.workers.map { worker in Task { for await batch in worker.events { await director.handle(batch) } } } + [
      Task {
        while !Task.isCancelled {
          try? await Task.sleep(for: .seconds(1))
          await director.tick()
          // Another process beside, such as `tongke token revoke`, may have changed them.
          try? tokens.reload(from: ledger)
        }
      }
    ]
  }

  private static func subjects(_ configuration: RelayConfiguration) throws(RelayStartError) -> SubjectTable {
    guard let file = configuration.subjects else { return .standard }
    do throws(ConfigurationError) { return try SubjectTable(file: file) } catch {
      throw RelayStartError { error.message(in: $0, file: file) }
    }
  }

  private static func acceptance(
    _ configuration: RelayConfiguration
  ) throws(RelayStartError) -> AcceptanceProfile {
    guard let file = configuration.acceptance else { return .standard }
    do throws(ConfigurationError) { return try AcceptanceProfile(file: file) } catch {
      throw RelayStartError { error.message(in: $0, file: file) }
    }
  }

  private static func gate(
    _ tokens: TokenIssuer, _ clock: @escaping @Sendable () -> Int64, _ places: AccessPlacesCache,
    audit: @escaping AuditSink
  ) -> AccessGate {
    AccessGate(tokens: tokens, clock: clock, places: { places.places() }, audit: audit)
  }

  /// Writes to the log and the audit trail. Every change that is made passes here, so those who keep what they read
  /// hear of it.
  private static func audit(
    _ logger: Logger, _ store: LedgerStore, _ timetables: TimetableDesk, _ places: AccessPlacesCache
  ) -> AuditSink {
    { record in
      // Whoever signs in, or conducts a lesson, changes no timetable.
      if record.refusal == nil, AccessEntry(rawValue: record.operation) == nil,
        AccessOperation(rawValue: record.operation)?.isConducting != true
      {
        timetables.changed(by: record.operation)
        places.forget()
      }
      do { try store.audit(AuditEntry(record)) } catch {
        logger.error("the audit trail was not written", metadata: ["error": "\(error)"])
      }
      logger.notice(
        "audit",
        metadata: [
          "actor": "\(record.actor.map(\.description) ?? "unknown")", "role": "\(record.role)",
          "operation": "\(record.operation)", "target": "\(record.target)", "address": "\(record.address)",
          "outcome": "\(record.refusal ?? "done")",
        ])
    }
  }

  private func serve() async throws {
    if recovered > 0 { logger.notice("closed what a crash left open", metadata: ["events": "\(recovered)"]) }
    await parts.director.catchUp(batches: 32)
    parts.recordings.takeUp()
    try await server.start(
      routes: parts.routes, http: configuration.http, https: configuration.https,
      chainPEM: certificate?.chainPEM ?? "",
      keyPEM: certificate?.privateKeyPEM ?? "", logger: logger)
    await parts.director.setReady()
    Task { [timetables = parts.timetables] in await timetables.warm() }
    logger.notice(
      "serving",
      metadata: [
        "http": "\(httpPort)", "https": "\(httpsPort.map(String.init) ?? "none")",
        "media": "\(mediaPorts.map(String.init).joined(separator: " "))",
      ])
  }

  /// Ends in order: clients are told, attendance is kept, recordings are finished and made into files.
  public func stop() async {
    await parts.director.stop()
    await parts.recordings.finish()
    // The last turn of the worker has the BYEs; a moment lets clients read them.
    try? await Task.sleep(for: .milliseconds(200))
    await server.stop()
    await parts.ways.shutdown()
    pool.stop()
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    defer { lock.release() }
    do { try store.close() } catch {
      logger.warning(
        "the ledger was not closed; its next opening takes up where it was", metadata: ["error": "\(error)"])
    }
  }

  // MARK: Links

  /// Where people and devices come by their tokens.
  public var accessDesk: AccessDesk { parts.desk }
  package var tokens: TokenIssuer { parts.tokens }

  /// The address that programs of this machine use.
  public var localBase: String { Self.localBase(configuration, server) }

  private static func localBase(_ configuration: RelayConfiguration, _ server: HTTPServer) -> String {
    "http://127.0.0.1:\(server.httpPort ?? configuration.http.port)"
  }

  /// The address that people use: the one configured, or of the same network; this machine's own when nobody else can
  /// reach it.
  public var pageBase: String { parts.pageBase() }

  /// Makes the sample cluster when it is not there, and links for its lesson, which is always live.
  public func installSample(_ plan: SamplePlan = .standard) throws -> SampleLinks {
    let seated = try store.installSampleCluster(plan).seated
    let links = LessonLinks(
      seated, base: localBase, pageBase: pageBase, tokens: parts.tokens,
      expires: (parts.clock() + 30 * 86_400_000) / 1_000)
    return SampleLinks(
      lesson: links.lesson, whip: links.whip, whep: links.whep[0],
      page: SampleLinks.Pages(lead: links.page.lead, receiver: links.page.receivers[0]),
      operator: SampleLinks.Operator(token: operatorToken()))
  }

  /// A token for the relay's operator, good for 30 days.
  public func operatorToken() -> String {
    let now = parts.clock()
    let claims = AccessClaims(
      subject: AccessClaims.operator, grants: AccessDesk.operatorGrants, expires: now / 1_000 + 30 * 86_400, now: now)
    guard let token = try? parts.tokens.sign(claims) else { preconditionFailure("the operator's claims are short") }
    return token
  }

  /// Makes a lesson that starts now; the demonstration's way in.
  public func makeLesson(title: String, receivers: Int, seconds: Int64) throws -> LessonLinks {
    let now = parts.clock()
    let seated = try store.makeLesson(
      title: title, plannedStart: now, plannedEnd: now + max(seconds, 1) * 1_000, receivers: receivers)
    return parts.links(for: seated, base: localBase)
  }

  /// Does now what each second brings, and all that is due by the timetable.
  package func advance() async {
    await parts.director.tick()
    await parts.director.catchUp()
  }

  public func endLesson(_ id: Identifier) async throws { try await parts.director.end(id, reason: "operator") }

  /// Waits until the lesson's recordings are files; nil when `seconds` pass before.
  public func awaitResources(_ lesson: Identifier, seconds: Int) async -> [ResourceFile]? {
    await parts.recordings.awaitResources(lesson, seconds: seconds)
  }

  /// Every route of the relay, for the test of its OpenAPI document.
  package var routes: [(method: String, path: String)] {
    parts.routes.map { ($0.method.rawValue, $0.path) }
  }
}

extension AuditEntry {
  /// As the ledger keeps a record of the gate; why it was refused stands in what is new.
  init(_ record: AccessRecord) {
    self.init(
      actor: record.actor, role: record.role, operation: record.operation, target: record.target,
      address: record.address, outcome: record.refusal == nil ? .allowed : .refused, old: record.old,
      new: record.new ?? record.refusal.map { #"{"refused":"\#($0)"}"# })
  }
}
