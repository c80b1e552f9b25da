import Classroom
import Ledger
import Logging
import MediaWorker
import RTCCore
import RTCWire

extension LessonDirector {
  // MARK: Joining

  /// The worker for one more session of a seat; the lesson is there when this returns.
  /// - Throws: `full` with what is in the way at the worker that was to take it.
  func place(_ kind: Session.Kind, of seat: Identifier, in lesson: LiveLesson) throws(Problem) -> Admission.Join {
    guard sessions.count(seat: seat) < Self.sessionsPerSeat else { throw refusal(.seat) }
    let isReceiver = kind == .receive
    let isExempt = mustEnter(kind, of: seat, in: lesson)
    var candidates =
      isReceiver ? placement.candidates(of: lesson.number, loads: admission.expectedLoads) : [lesson.home]
    // The lead looks at many sites, and all that it looks at elsewhere would have to be lent.
    if isReceiver, lesson.seats[seat]?.role == .lead {
      candidates = [lesson.home] + candidates.filter { $0 != lesson.home }
    }
    var obstacle: Shortage?
    for worker in candidates {
      let join = Admission.Join(worker: worker, rate: isReceiver ? lesson.stageRate : nil, isExempt: isExempt)
      let shortage =
        admission.obstacle(to: join, peers: sessions.peers[worker], sessions: sessions.count)
        ?? (bring(lesson, to: worker) ? nil : .commands)
      guard shortage != nil else { return join }
      obstacle = obstacle ?? shortage
    }
    throw refusal(obstacle ?? .commands)
  }

  /// Whether a session is let in however much there is to do: the lesson itself, and whoever just took part in it.
  private func mustEnter(_ kind: Session.Kind, of seat: Identifier, in lesson: LiveLesson) -> Bool {
    switch kind {
    case .publish(.camera), .publish(.screen): true
    case .publish(.site):
      lesson.floor.value.called == seat || sessions.of(seat: seat).contains { $0.kind == kind && $0.isConnected }
    case .receive: sessions.isReturning(seat, now: clock())
    }
  }

  /// Counts a refused join.
  func refusal(_ shortage: Shortage) -> Problem {
    .full(shortage, retryAfter: admission.refuse(shortage, using: &random))
  }

  /// Has the lesson opened and linked at a worker. False when the worker takes no more.
  private func bring(_ lesson: LiveLesson, to worker: Int) -> Bool {
    guard !placement.isOpen(lesson.number, at: worker) else { return true }
    guard workers[worker].send(.openLesson(lesson.number)) else { return false }
    guard workers[worker].send(lesson.stageCommand), workers[worker].send(lesson.calledCommand) else {
      _ = workers[worker].send(.closeLesson(lesson.number))
      return false
    }
    guard pool.link(lesson.number, from: lesson.home, to: worker) else {
      _ = workers[worker].send(.closeLesson(lesson.number))
      return false
    }
    placement.link(lesson.number, to: worker, now: clock())
    logger.info("lesson spreads", metadata: ["lesson": "\(lesson.value.id)", "worker": "\(worker)"])
    return true
  }

  /// Takes lessons from workers where nobody has been for a while.
  private func endIdleLinks(now: Int64) {
    for (lesson, worker) in placement.idleLinks(now: now) {
      if let home = placement.home(of: lesson) { pool.unlink(lesson, from: home, to: worker) }
      _ = workers[worker].send(.closeLesson(lesson))
      placement.unlink(lesson, from: worker)
    }
  }

  func candidates(_ reach: Reach, worker: Int) -> [ICECandidateLine] {
    reach.candidates(
      port: workers[worker].port, hasTCP: workers[worker].tcpPort != nil, announce: configuration.announce,
      loopbackOnly: configuration.loopbackOnly)
  }

  // MARK: Measuring

  /// What a second brings: each worker's load, and what follows for those who want in.
  func measure(now: Int64) {
    for (index, worker) in workers.enumerated() {
      meters[index].note(LoadSample(worker.counters(), seconds: Measurement.seconds()))
    }
    var receivers: [(worker: Int, count: Int, rate: StageRate)] = []
    for lesson in lessons.values {
      for worker in placement.workers(of: lesson.number) {
        receivers.append((worker, placement.receivers(of: lesson.number, at: worker), lesson.stageRate))
      }
    }
    admission.note(meters.map(\.load), receivers: receivers, now: now)
    sessions.forgetLeft(now: now)
    endIdleLinks(now: now)
  }

  /// Takes what a receiver was sent since its last statistics. The lead's are sent whoever is called, not the stage.
  func measureStage(_ statistics: PeerStatistics, now: Int64) {
    guard let session = sessions[statistics.peer], session.kind == .receive else { return }
    if statistics.packetsSent > 0 { admission.settle(statistics.peer, now: now) }
    guard let former = session.statistics, session.role != .lead else { return }
    let span = Double(statistics.at.microseconds - former.at.microseconds) / 1e6
    guard (0.5...5).contains(span) else { return }
    lessons[session.lesson]?.stageRate.note(
      packetsPerSecond: Double(statistics.packetsSent &- former.packetsSent) / span,
      bitsPerSecond: Double(statistics.bytesSent &- former.bytesSent) * 8 / span)
  }
}

extension LoadSample {
  init(_ counters: WorkerCounters, seconds: Double) {
    let core = counters.core
    let used = core.slotsTotal - min(core.slotsFree, core.slotsTotal)
    self.init(
      seconds: seconds, busyMicroseconds: counters.busyMicroseconds,
      processorMicroseconds: counters.busyCPUMicroseconds, packetsSent: core.packetsSent, bytesSent: core.bytesSent,
      slots: core.slotsTotal == 0 ? 0 : Double(used) / Double(core.slotsTotal),
      backlogBuckets: counters.backlogMicroseconds.buckets)
  }
}
