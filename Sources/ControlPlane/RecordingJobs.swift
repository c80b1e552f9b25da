import CLinuxIO
import Classroom
import Dispatch
import Foundation
import Ledger
import Logging
import Synchronization

/// Does the ledger's jobs with recordings one after another, on a thread that has processor and disk only while nobody
/// else wants them, so that no lesson is slower for it.
///
/// Jobs are rows of the ledger: what waits, and what went wrong how often, outlives the process. One that fails is done
/// again after a pause that doubles.
final class RecordingJobs: Sendable {
  /// What an attempt came to.
  struct Outcome: Sendable {
    /// Nil when it is done.
    var problem: String?
    var isHopeless = false
  }

  /// Longest rest without a look at the ledger, milliseconds: another process may have asked for something.
  private static let longestRest: Int64 = 60_000

  private let store: LedgerStore
  private let clock: @Sendable () -> Int64
  private let logger: Logger
  private let passing: @Sendable () -> Set<Identifier>
  private let body: @Sendable (RecordingJob) -> Outcome
  private let bell = DispatchSemaphore(value: 0)
  private let isStopped = Atomic<Bool>(false)
  private let isRunning = Atomic<Bool>(false)

  /// - Parameters:
  ///   - passing: lessons whose jobs are not ready yet.
  ///   - body: makes one attempt; on the background thread.
  init(
    store: LedgerStore, clock: @escaping @Sendable () -> Int64, logger: Logger,
    passing: @escaping @Sendable () -> Set<Identifier>, body: @escaping @Sendable (RecordingJob) -> Outcome
  ) {
    self.store = store
    self.clock = clock
    self.logger = logger
    self.passing = passing
    self.body = body
  }

  /// Begins to work; once. What a crash left running is begun anew.
  func start() {
    guard !isStopped.load(ordering: .acquiring) else { return }
    let thread = Thread { [self] in
      _ = tk_thread_set_background()
      do { try store.reviveJobs() } catch {
        logger.error("recording jobs cannot be read", metadata: ["error": "\(error)"])
      }
      while !isStopped.load(ordering: .acquiring) { turn() }
      isRunning.store(false, ordering: .releasing)
    }
    thread.name = "resources"
    thread.stackSize = 8 << 20
    isRunning.store(true, ordering: .releasing)
    thread.start()
  }

  /// Says that something may have become due.
  func wake() { bell.signal() }

  private func turn() {
    do {
      if let job = try store.beginJob(passing: passing()) { return try attempt(job) }
      let due = try store.nextJobDue() ?? .max
      rest(min(max(due &- clock(), 50), Self.longestRest))
    } catch {
      if !isStopped.load(ordering: .acquiring) {
        logger.error("recording jobs cannot be read", metadata: ["error": "\(error)"])
      }
      rest(5_000)
    }
  }

  private func rest(_ milliseconds: Int64) {
    _ = bell.wait(timeout: .now() + .milliseconds(Int(milliseconds)))
  }

  private func attempt(_ job: RecordingJob) throws {
    let outcome = body(job)
    try store.endJob(job, problem: outcome.problem, isHopeless: outcome.isHopeless)
    guard let problem = outcome.problem else { return }
    logger.error(
      "a recording job failed",
      metadata: [
        "lesson": "\(job.lesson)", "kind": "\(job.kind.rawValue)", "attempts": "\(job.attempts + 1)",
        "problem": "\(problem)",
      ])
  }

  /// Ends the thread after the attempt under way.
  func stop() async {
    isStopped.store(true, ordering: .releasing)
    bell.signal()
    while isRunning.load(ordering: .acquiring) {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}
