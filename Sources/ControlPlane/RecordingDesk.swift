import Classroom
import Dispatch
import Foundation
import Ledger
import Logging
import MediaWorker
import RTCCore
import Recorder
import Resources
import Synchronization

/// Joins the worker's sinks to the recorder, and has files made of what it wrote, one lesson after another, away from
/// everything that must not wait.
final class RecordingDesk: Sendable {
  /// Leases out of a feed: 2 s of 4 Mbit/s. Beyond that the disk has stalled and a gap is recorded.
  static let leaseLimit = 1_024

  let recorder: LessonRecorder
  private let maker: ResourceMaker
  private let store: LedgerStore
  private let logger: Logger
  private let queue = DispatchQueue(label: "tongke.recordings", qos: .utility)
  private let jobs: RecordingJobs
  private let configuration: RelayConfiguration
  private let clock: @Sendable () -> Int64

  private struct State {
    /// Feeds whose last records are not on the disk yet, by lesson.
    var finishing: [Identifier: Int] = [:]
    /// Lessons whose files were asked for and not tried to be made yet.
    var wanted: Set<Identifier> = []
    /// Of these, those that the ledger has not been told of.
    var untold: Set<Identifier> = []
  }
  private final class Shared: Sendable {
    let state = Mutex(State())
  }
  private let shared: Shared

  init(
    _ configuration: RelayConfiguration, store: LedgerStore, clock: @escaping @Sendable () -> Int64, logger: Logger
  ) throws {
    let shared = Shared()
    self.shared = shared
    let data = configuration.data
    let folder = data + "/log"
    self.clock = clock
    self.configuration = configuration
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var settings = RecorderConfiguration()
    settings.lowSpaceBytes = configuration.lowSpaceBytes
    let recorder = try LessonRecorder(folder: folder, configuration: settings)
    let language = Language.ofEnvironment
    let maker = ResourceMaker(
      logFolder: folder, dataFolder: data, store: store, recorder: recorder,
      words: ChapterWords(
        screen: Text.of("chapter.screen", in: language), marker: Text.of("chapter.marker", in: language),
        site: Text.of("chapter.site", in: language)))
    (self.recorder, self.maker) = (recorder, maker)
    self.store = store
    self.logger = logger
    jobs = RecordingJobs(store: store, clock: clock, logger: logger) { [shared] in
      shared.state.withLock { Set($0.finishing.keys) }
    } body: { [shared] job in
      let outcome = Self.attempt(job, maker, logger)
      if job.kind == .makeFiles { _ = shared.state.withLock { $0.wanted.remove(job.lesson) } }
      return outcome
    }
  }

  // MARK: Recording

  /// Begins a feed's log at the worker that has the feed. False when the worker or the recorder is full.
  func start(_ feed: RecordedFeed, sink: SinkID, lesson: LessonID, feed id: FeedID, at worker: MediaWorker) -> Bool {
    guard let lane = worker.attachSink(sink, capacity: Self.leaseLimit) else { return false }
    guard recorder.start(feed, leases: lane.leases, returns: lane.returns, arena: worker.arena) else { return false }
    return worker.send(.addSink(lesson, id, sink: sink))
  }

  func declare(_ track: LiveLesson.AnnouncedTrack, of feed: RecordedFeed) {
    let encoding: LoggedEncoding =
      switch track.codec.encoding {
      case .h264: .h264
      case .vp8: .vp8
      case .opus: .opus
      default: .other
      }
    recorder.declareTrack(
      feed, track: track.number, isVideo: track.kind == .video, encoding: encoding,
      clockRate: track.codec.clockRate)
  }

  /// Ends a feed's log; its files may be asked for at once.
  func finish(_ feed: RecordedFeed, sink: SinkID, at worker: MediaWorker) {
    let lesson = Identifier(high: feed.lesson.high, low: feed.lesson.low)
    shared.state.withLock { $0.finishing[lesson, default: 0] += 1 }
    _ = worker.send(.removeSink(sink: sink))
    // The worker's next turn takes the sink out; what it lent before is drained then.
    queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [self] in
      recorder.finish(feed) { [self] summary in finished(summary, lesson: lesson) }
    }
  }

  private func finished(_ summary: FeedSummary, lesson: Identifier) {
    logger.info(
      "recording finished",
      metadata: [
        "lesson": "\(lesson)", "feed": "\(summary.feed.name)", "packets": "\(summary.packets)",
        "gaps": "\(summary.gaps)", "durable": "\(summary.isDurable)",
      ])
    shared.state.withLock { state in
      let left = (state.finishing[lesson] ?? 1) - 1
      state.finishing[lesson] = left > 0 ? left : nil
    }
    jobs.wake()
  }

  // MARK: Files

  /// Has a lesson's files made once its logs are on the disk.
  ///
  /// The ledger is told of it a moment later: whoever asks must not wait for the disk. Should the process end before,
  /// the logs say the same (`takeUp`).
  func makeResource(of lesson: Identifier) {
    shared.state.withLock { state in
      state.wanted.insert(lesson)
      state.untold.insert(lesson)
    }
    queue.async { [self] in tell() }
  }

  /// Those that came together are told of together.
  private func tell() {
    let untold = shared.state.withLock { Array($0.untold) }
    guard !untold.isEmpty else { return }
    do {
      try store.ask(for: .makeFiles, of: untold)
      shared.state.withLock { $0.untold.subtract(untold) }
    } catch {
      logger.error("recording jobs are not kept", metadata: ["lessons": "\(untold.count)", "error": "\(error)"])
      queue.asyncAfter(deadline: .now() + .seconds(5)) { [weak self] in self?.tell() }
    }
    jobs.wake()
  }

  /// Begins to make files, of what an earlier run of the relay left as well. Reads the logs in the background.
  func takeUp() {
    queue.async { [self] in
      do {
        for lesson in try maker.pending() { makeResource(of: lesson) }
      } catch {
        logger.error("old recordings cannot be read", metadata: ["error": "\(error)"])
      }
      jobs.start()
      sweep()
    }
  }

  /// Each hour: what nobody keeps goes when its time has come.
  private func sweep() {
    do {
      let done = try expirySweep.run(now: clock())
      if done.noticed + done.expired > 0 {
        logger.notice(
          "recordings expire", metadata: ["noticed": "\(done.noticed)", "expired": "\(done.expired)"])
        jobs.wake()
      }
    } catch { logger.error("recordings cannot be looked through", metadata: ["error": "\(error)"]) }
    queue.asyncAfter(deadline: .now() + .seconds(3_600)) { [weak self] in self?.sweep() }
  }

  var expirySweep: ExpirySweep { ExpirySweep(store: store, unreviewedDays: configuration.unreviewedDays) }

  /// Has expired and withdrawn files taken off the disk now.
  func wakeJobs() { jobs.wake() }

  // MARK: Room

  /// Free bytes of the volume, as last looked at; negative when the system does not tell.
  var freeBytes: Int64 { recorder.counters().freeBytes }

  /// Whether the room is left to what lessons cannot do without.
  var isShortOfRoom: Bool { (0..<configuration.lowSpaceBytes).contains(freeBytes) }

  func outlook() -> DiskOutlook {
    DiskOutlook(freeBytes: freeBytes, grownBytes: (try? store.bytesMade(since: clock() - DiskOutlook.span)) ?? 0)
  }

  private static func attempt(_ job: RecordingJob, _ maker: ResourceMaker, _ logger: Logger) -> RecordingJobs.Outcome {
    do {
      guard job.kind == .makeFiles else {
        try maker.deleteWithdrawn(job.lesson)
        return RecordingJobs.Outcome()
      }
      let made = try maker.make(job.lesson)
      logger.info("files made", metadata: ["lesson": "\(job.lesson)", "files": "\(made.files.count)"])
      for problem in made.problems where !problem.keepsLog {
        logger.warning("a recording lacks something", metadata: ["lesson": "\(job.lesson)", "problem": "\(problem)"])
      }
      let problems = made.problems.filter(\.keepsLog)
      return RecordingJobs.Outcome(
        problem: problems.first.map { "\($0)" }, isHopeless: problems.allSatisfy(\.isHopeless))
    } catch {
      return RecordingJobs.Outcome(problem: "\(error)")
    }
  }

  var waiting: Int { shared.state.withLock { $0.wanted.count } }

  /// Waits until the lesson's files are made; nil when the time is over before.
  func awaitResources(_ lesson: Identifier, seconds: Int) async -> [ResourceFile]? {
    for _ in 0..<max(seconds, 0) * 20 {
      if !shared.state.withLock({ $0.wanted.contains(lesson) }) { return try? store.resourceFiles(lesson: lesson) }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return nil
  }

  /// Waits until everything that was asked for was tried once, then ends the recorder.
  func finish() async {
    // What the ledger could not be told of is found in the logs at the next start.
    while shared.state.withLock({ !$0.wanted.subtracting($0.untold).isEmpty || !$0.finishing.isEmpty }) {
      try? await Task.sleep(for: .milliseconds(50))
    }
    await jobs.stop()
    recorder.stop()
  }
}
