import Classroom
import Ledger
import MediaWorker
import RTCCore
import Recorder

/// Gathers what `/metrics` tells from those who count it.
struct MetricsSource: Sendable {
  let workers: [MediaWorker]
  let cipher: CipherChoice
  let director: LessonDirector
  let recordings: RecordingDesk
  let store: LedgerStore
  let server: HTTPServer
  let certificateExpires: Int64?
  /// UTC milliseconds.
  let started: Int64
  let clock: @Sendable () -> Int64

  func text() async -> String {
    var snapshot = MetricsSnapshot()
    snapshot.uptimeSeconds = Double(clock() - started) / 1_000
    snapshot.workers = workers.map { $0.counters() }
    snapshot.cipherLibraries = CipherLibrary.available
    snapshot.cipher = cipher.library(of: snapshot.cipherLibraries)
    let recorder = recordings.recorder.counters()
    var gauge = RecorderGauge()
    gauge.bytesWritten = recorder.bytes
    gauge.recordsWritten = recorder.records
    gauge.syncs = recorder.syncHistogram.reduce(0, +)
    gauge.gapPackets = recorder.unrecordedPackets
    gauge.writeErrors = recorder.writeErrors + recorder.syncErrors
    gauge.lagMilliseconds = recorder.lagMicroseconds / 1_000
    gauge.leases = recorder.activeFeeds
    snapshot.recorders = [gauge]
    let running = await director.gauges()
    snapshot.lessons = running.lessons
    snapshot.sessions = running.sessions
    snapshot.fullness = running.fullness
    snapshot.refusals = running.refusals
    snapshot.clock = running.clock
    snapshot.responses = Array(server.counters.byClass.dropFirst())
    snapshot.ledgerEvents = UInt64((try? store.eventCount()) ?? 0)
    snapshot.resourcesWaiting = recordings.waiting
    snapshot.outbox = (try? store.outboxStatus()) ?? nil
    snapshot.outboxOldestSeconds = snapshot.outbox?.oldestWaiting.map { Double(max(0, clock() &- $0)) / 1_000 } ?? 0
    snapshot.recordingJobs = (try? store.jobs()) ?? []
    snapshot.disk = recordings.outlook()
    snapshot.certificateExpires = certificateExpires
    return MetricsText.write(snapshot)
  }
}

extension LessonDirector {
  struct Gauges {
    var lessons: [LessonState: Int]
    var sessions: [SessionGauge]
    var fullness: [FullnessGauge]
    var refusals: [Shortage: UInt64]
    var clock: LessonClockCounters
  }

  func gauges() -> Gauges {
    let states = lessons.values.reduce(into: [:]) { $0[$1.value.state, default: 0] += 1 }
    let gauges = sessions.all.map { session in
      var feed = ""
      if case .publish(let name) = session.kind { feed = name.name }
      return SessionGauge(
        lesson: session.lesson, seat: session.seat, role: session.role,
        direction: session.isPublishing ? .publish : .receive, feed: feed,
        statistics: session.statistics ?? PeerStatistics(peer: session.peer, at: Instant(microseconds: 0)))
    }
    return Gauges(
      lessons: states, sessions: gauges, fullness: fullness(), refusals: admission.refusals, clock: lessonClock)
  }

  private func fullness() -> [FullnessGauge] {
    Shortage.ofJoins.flatMap { resource in
      let whole = admission.ratio(resource, sessions: sessions.count).map {
        FullnessGauge(worker: nil, resource: resource, ratio: $0)
      }
      let each = workers.indices.compactMap { worker in
        admission.ratio(resource, worker: worker, peers: sessions.peers[worker]).map {
          FullnessGauge(worker: worker, resource: resource, ratio: $0)
        }
      }
      return each + (whole.map { [$0] } ?? [])
    }
  }
}
