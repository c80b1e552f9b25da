import Classroom
import Ledger
import Logging
import MediaWorker
import RTCCore

/// Runs the lessons that are open: lets peers in, keeps seats, stage and attendance, records, and tells the ledger.
///
/// Isolated on a queue of its own, because the ledger's calls wait for the disk and must not hold up the HTTP server's
/// threads. One mutation at a time: a request, a worker's event, or the tick of a second.
actor LessonDirector {
  private nonisolated let executor = QueueExecutor(label: "tongke.lessons")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  let configuration: RelayConfiguration
  let store: LedgerStore
  let pool: MediaWorkerPool
  var workers: [MediaWorker] { pool.workers }
  let identity: DTLSIdentity
  let recordings: RecordingDesk
  let clock: @Sendable () -> Int64
  let logger: Logger

  var lessons: [Identifier: LiveLesson] = [:]
  var lessonsByNumber: [LessonID: Identifier] = [:]
  var sessions: SessionBook
  var placement: WorkerPlacement
  var admission: Admission
  var meters: [LoadMeter]
  var followers: [Identifier: Followers] = [:]
  var recentOpenings: [Identifier: [Int64]] = [:]
  var recentChanges: [Identifier: [Int64]] = [:]
  /// Hands that each seat raised or lowered of late.
  var recentHands: [Identifier: [Int64]] = [:]
  /// What was done to each lesson's recording of late.
  var recentPlays: [Identifier: [Int64]] = [:]
  /// Transports that are no more let in and whose worker had no room for the command.
  var owedRemovals: [(worker: Int, peer: PeerID)] = []
  /// What other lessons take around a bell, by its UTC milliseconds; emptied when the timetable changes.
  var booked: [Int64: BookedAtBell] = [:]
  var isGoingByTimetable = false
  var lessonClock = LessonClockCounters()
  var nextPeer: UInt64 = 1
  var nextLesson: UInt32 = 1
  var nextSink: UInt16 = 1
  var random = SystemRandomNumberGenerator()
  /// A core's lessons: one that spreads is on several, so this is the limit of all together.
  static let lessonLimit = CoreConfiguration().lessonLimit
  private(set) var isStopping = false
  private var isServing = false
  /// Whether lessons can be let in.
  var isReady: Bool { isServing && !isStopping }
  /// Events that the ledger could not take, as when its disk is full.
  var unkeptEvents: UInt64 = 0
  /// How the lines of seats are in this minute.
  var lineMinutes = LineMinutes()
  /// Events on their way to the ledger together.
  private var gathered: [LedgerEvent] = []

  init(
    configuration: RelayConfiguration, store: LedgerStore, pool: MediaWorkerPool, identity: DTLSIdentity,
    recordings: RecordingDesk, clock: @escaping @Sendable () -> Int64, logger: Logger
  ) {
    self.configuration = configuration
    self.store = store
    self.pool = pool
    let workers = pool.workers
    sessions = SessionBook(workers: workers.count)
    placement = WorkerPlacement(workers: workers.count)
    admission = Admission(
      limits: configuration.admission, sessionLimit: configuration.sessionLimit,
      peerLimit: CoreConfiguration().peerLimit, workers: workers.count)
    meters = Array(repeating: LoadMeter(), count: workers.count)
    self.identity = identity
    self.recordings = recordings
    self.clock = clock
    self.logger = logger
  }

  // MARK: The ledger

  /// Keeps events durably. A ledger that cannot write must not end a lesson: the loss is counted and told.
  @discardableResult
  func keep(_ events: [LedgerEvent]) -> Bool {
    guard !events.isEmpty else { return true }
    keepGathered()
    return append(events)
  }

  private func append(_ events: [LedgerEvent]) -> Bool {
    do {
      try store.append(events)
      return true
    } catch {
      unkeptEvents += UInt64(events.count)
      logger.error("events were not kept", metadata: ["count": "\(events.count)", "error": "\(error)"])
      return false
    }
  }

  /// Keeps events with others of the next moment: the disk is synced once for a classroom's worth of them. They are in
  /// the ledger within some 20 ms, and before whatever is kept after them.
  func gather(_ events: [LedgerEvent]) {
    guard !events.isEmpty else { return }
    if gathered.isEmpty {
      Task {
        try? await Task.sleep(for: .milliseconds(20))
        keepGathered()
      }
    }
    gathered += events
    if gathered.count >= 512 { keepGathered() }
  }

  /// Writes what is gathered. One that the ledger refuses takes no other with it.
  func keepGathered() {
    guard !gathered.isEmpty else { return }
    let events = gathered
    gathered = []
    if (try? store.append(events)) != nil { return }
    for event in events { _ = append([event]) }
  }

  func keep(_ kind: EventKind, lesson: Identifier, seat: Identifier? = nil, _ payload: [(String, String)] = []) {
    keep([LedgerEvent(kind: kind, lesson: lesson, seat: seat, payload: payload)])
  }

  /// - Parameter seat: the one it is about; nil is news for everyone.
  func tell(_ lesson: Identifier, _ news: LessonNews, about seat: Identifier? = nil) {
    followers[lesson]?.tell(news, about: seat)
  }

  /// Gives a command to every worker that has the lesson.
  func send(_ command: Command, toAllOf lesson: LessonID) {
    for worker in placement.workers(of: lesson) { _ = workers[worker].send(command) }
  }

  // MARK: Opening

  /// The lesson as it runs, opened when its time has come.
  /// - Throws: `notFound`, or `beforeWindow`, `afterWindow`, `lessonEnded` when its doors are closed.
  func open(_ id: Identifier) throws(Problem) -> LiveLesson {
    let now = clock()
    if let lesson = lessons[id] {
      guard !lesson.isEnding else { throw Problem(.lessonEnded) }
      return lesson
    }
    guard !isStopping else { throw Problem(.stopping, retryAfter: 5) }
    var lesson = try stored(id)
    guard !lesson.state.isFinal else { throw Problem(.lessonEnded) }
    if !lesson.isAlwaysLive {
      let opens = LessonWindow.opens(lesson)
      // What is armed stays so, whatever a clock that was set back says.
      guard lesson.state.isOpen || now >= opens else {
        throw Problem(.beforeWindow, retryAfter: Int(min((opens - now + 999) / 1_000, 3_600)))
      }
      // Only what was being taught can run over.
      guard now < (lesson.state == .interrupted ? LessonWindow.closes(lesson) : lesson.plannedEnd) else {
        throw Problem(.afterWindow)
      }
    }
    guard lessons.count < Self.lessonLimit || letGoIdle() else { throw refuseLesson(id) }
    do {
      if lesson.state == .planned {
        _ = lesson.take(.publish)
        try store.upsert(lesson)
      }
      if lesson.state == .published {
        keepGathered()
        try store.append(LedgerEvent(kind: .lessonArmed, lesson: id))
        _ = lesson.take(.arm)
      }
      return try install(lesson, now: now)
    } catch let problem as Problem { throw problem } catch {
      logger.error("lesson cannot be opened", metadata: ["lesson": "\(id)", "error": "\(error)"])
      throw Problem(.store, retryAfter: 10)
    }
  }

  private func refuseLesson(_ id: Identifier) -> Problem {
    logger.warning(
      "a lesson is refused: as many run as this relay can",
      metadata: ["lesson": "\(id)", "limit": "\(Self.lessonLimit)"])
    return refusal(.lessons)
  }

  private func install(_ lesson: Lesson, now: Int64) throws -> LiveLesson {
    let number = LessonID(rawValue: nextLesson)
    let home = placement.open(number, loads: admission.expectedLoads)
    guard workers[home].send(.openLesson(number)) else {
      placement.close(number)
      throw Problem.full(.commands, retryAfter: 1)
    }
    nextLesson += 1
    let seats: [Seat]
    let kept: [AttendanceCounter]
    let floor: LiveFloor
    let isPlayback: Bool
    do {
      isPlayback = try store.playback(lesson: lesson.id) != nil
      seats = try store.seats(lesson: lesson.id)
      kept = try store.attendance(lesson: lesson.id)
      floor = try restoredFloor(of: lesson.id, seats: seats)
    } catch {
      _ = workers[home].send(.closeLesson(number))
      placement.close(number)
      throw error
    }
    var live = LiveLesson(
      number: number, home: home, value: lesson,
      seats: Dictionary(seats.map { ($0.id, $0) }, uniquingKeysWith: { $1 }),
      trackers: [:], floor: floor)
    live.isPlayback = isPlayback
    live.cameBefore = Set(kept.map(\.seat))
    live.floor.owesCalled = !workers[home].send(live.stageCommand) || !workers[home].send(live.calledCommand)
    for seat in seats {
      let counted = kept.first { $0.seat == seat.id }?.effectiveMilliseconds ?? 0
      var tracker = AttendanceTracker(lesson: lesson, effectiveMilliseconds: counted)
      tracker.setLive(lesson.state == .live && !lesson.isAlwaysLive && !isPlayback, now: now)
      live.trackers[seat.id] = tracker
    }
    lessons[lesson.id] = live
    lessonsByNumber[number] = lesson.id
    logger.info("lesson opened", metadata: ["lesson": "\(lesson.id)", "state": "\(lesson.state.rawValue)"])
    return live
  }

  func stored(_ id: Identifier) throws(Problem) -> Lesson {
    let found: Lesson?
    do { found = try store.lesson(id) } catch { throw Problem(.store, retryAfter: 10) }
    guard let found else { throw Problem(.notFound) }
    return found
  }

  // MARK: Stopping

  /// Closes everything for an orderly end of the process. Lessons that were live go on when the relay is back.
  func stop() {
    isStopping = true
    checkpoint(Array(lessons.keys))
    for (id, lesson) in lessons {
      if lesson.value.state == .live, !lesson.value.isAlwaysLive {
        keep(.interrupted, lesson: id, [("reason", "relayStopped")])
        _ = lessons[id]?.value.take(.interrupt)
      }
      close(id, reason: "relayStopped")
    }
    keepGathered()
  }

  func setReady() { isServing = true }

  // MARK: Following

  /// - Parameter seat: the only one whose transports the follower hears of; nil hears of all.
  func follow(_ id: Identifier, seat: Identifier?) throws(Problem) -> (follower: UInt64, stream: AsyncStream<String>) {
    let lesson = try open(id)
    guard followers[id]?.isFull != true else { throw .full(.followers, retryAfter: 30) }
    let added = followers[id, default: Followers()].add(seat: seat)
    followers[id]?.tell(.state(lesson.value.state.rawValue), follower: added.id)
    followers[id]?.tell(.feeds(lesson.liveFeeds.map(\.name)), follower: added.id)
    followers[id]?.tell(.recording(!lesson.recordings.isEmpty), follower: added.id)
    followers[id]?.tell(.peers(sessions.watching(id)), follower: added.id)
    followers[id]?.tell(.floor(floorReply(lesson, for: seat)), follower: added.id)
    if let clock = clockNews(id) { followers[id]?.tell(clock, follower: added.id) }
    if lesson.isPlayback, let playback = try? playback(id) {
      followers[id]?.tell(.playback(playback), follower: added.id)
    }
    return (added.id, added.stream)
  }

  func unfollow(_ id: Identifier, _ follower: UInt64) { followers[id]?.remove(follower) }

  /// Tells how many watch, twice a second at most: when a bell brings hundreds, each one's news for all of them would
  /// be the square of their number. The tick tells what was held back.
  func tellCount(_ id: Identifier) {
    guard let lesson = lessons[id] else { return }
    let now = clock()
    let isEarly = (0..<500).contains(now - lesson.countToldAt)
    lessons[id]?.hasUntoldCount = isEarly
    guard !isEarly else { return }
    lessons[id]?.countToldAt = now
    tell(id, .peers(sessions.watching(id)))
  }
}

extension LessonDirector {
  /// What the lesson's page shows of it now; nothing runs in a lesson that is not open.
  func summary(_ id: Identifier) -> (live: [String], connected: Int, isRecording: Bool) {
    guard let lesson = lessons[id] else { return ([], 0, false) }
    return (lesson.liveFeeds.map(\.name), sessions.watching(id), !lesson.recordings.isEmpty)
  }
}
