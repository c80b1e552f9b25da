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

/// Joins the worker's sinks to the recorder, and makes files of what it wrote, one lesson after another, away from
/// everything that must not wait.
final class RecordingDesk: Sendable {
  /// Leases out of a feed: 2 s of 4 Mbit/s. Beyond that the disk has stalled and a gap is recorded.
  static let leaseLimit = 1_024

  let recorder: LessonRecorder
  private let maker: ResourceMaker
  private let store: LedgerStore
  private let logger: Logger
  private let queue = DispatchQueue(label: "tongke.resources", qos: .utility)

  private struct State {
    /// Feeds whose last records are not on the disk yet, by lesson.
    var finishing: [Identifier: Int] = [:]
    /// Lessons whose files are asked for and not made yet.
    var wanted: Set<Identifier> = []
    var problems: [Identifier: String] = [:]
  }
  private let state = Mutex(State())

  init(data: String, store: LedgerStore, logger: Logger) throws {
    let folder = data + "/log"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    recorder = try LessonRecorder(folder: folder, configuration: RecorderConfiguration())
    maker = ResourceMaker(logFolder: folder, dataFolder: data, store: store, recorder: recorder)
    self.store = store
    self.logger = logger
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
    state.withLock { $0.finishing[lesson, default: 0] += 1 }
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
    let isLast = state.withLock { state in
      let left = (state.finishing[lesson] ?? 1) - 1
      state.finishing[lesson] = left > 0 ? left : nil
      return left <= 0 && state.wanted.contains(lesson)
    }
    if isLast { queue.async { [self] in make(lesson) } }
  }

  // MARK: Files

  /// Makes a lesson's files once its logs are on the disk.
  func makeResource(of lesson: Identifier) {
    let isReady = state.withLock { state in
      state.wanted.insert(lesson)
      return state.finishing[lesson] == nil
    }
    if isReady { queue.async { [self] in make(lesson) } }
  }

  /// Takes up what an earlier run of the relay left.
  func makePending() {
    do {
      for lesson in try maker.pending() { makeResource(of: lesson) }
    } catch {
      logger.error("old recordings cannot be read", metadata: ["error": "\(error)"])
    }
  }

  private func make(_ lesson: Identifier) {
    var problem: String?
    do {
      let made = try maker.make(lesson)
      problem = made.problems.first.map { "\($0)" }
      logger.info("files made", metadata: ["lesson": "\(lesson)", "files": "\(made.files.count)"])
    } catch {
      problem = "\(error)"
      logger.error("files cannot be made", metadata: ["lesson": "\(lesson)", "error": "\(error)"])
    }
    state.withLock { state in
      state.wanted.remove(lesson)
      state.problems[lesson] = problem
    }
  }

  var waiting: Int { state.withLock { $0.wanted.count } }

  /// Waits until the lesson's files are made; nil when the time is over before.
  func awaitResources(_ lesson: Identifier, seconds: Int) async -> [ResourceFile]? {
    for _ in 0..<max(seconds, 0) * 20 {
      if !state.withLock({ $0.wanted.contains(lesson) }) { return try? store.resourceFiles(lesson: lesson) }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return nil
  }

  /// Waits for everything that was asked for, then ends the recorder.
  func finish() async {
    while state.withLock({ !$0.wanted.isEmpty || !$0.finishing.isEmpty }) {
      try? await Task.sleep(for: .milliseconds(50))
    }
    recorder.stop()
  }
}
