package import RTCCore

/// Decides whether one more may join, from what the relay knows of itself, before it would hurt a running lesson.
///
/// What a worker is expected to carry is the larger of two figures, with the newcomer on top:
/// - *measured*: what it carries, and what those who have joined but do not show in the measurement yet will cost;
/// - *promised*: all its receivers at what their lessons' stages have cost so far. It counts a classroom that waits for
///   the bell, and a lesson whose teacher has paused.
///
/// Publishers, and seats that come back, are measured against counted limits alone: a lesson that runs must not lose
/// its teacher or its class to newcomers, and what they cost was admitted before.
/// Cost of each call: O(1), of `note` O(lessons × workers).
package struct Admission: Sendable {
  /// Share of the packet buffers in use from which joins are refused: the rest is for retransmission and key frames.
  package static let slotLimit = 0.9
  /// Below this share of its processor a worker's delays are not of its own load, and refusing would not shorten them.
  package static let leastUtilisation = 0.2
  /// A joiner counts as not yet measured until so long after its first packets, and not longer than `pendingLimit`
  /// without any, UTC milliseconds.
  static let settlingSpan: Int64 = 2_000
  static let pendingLimit: Int64 = 15_000

  /// One who wants in.
  package struct Join: Sendable {
    package var worker: Int
    /// What a receiver of the lesson is sent; nil of a publisher.
    package var rate: StageRate?
    /// A publisher, or a seat that was just there.
    package var isExempt: Bool

    package init(worker: Int, rate: StageRate?, isExempt: Bool) {
      self.worker = worker
      self.rate = rate
      self.isExempt = isExempt
    }
  }

  private struct Pending {
    var worker: Int
    /// Nanoseconds of a processor each second, and bits; integers, so that what is added can be taken away again.
    var cost: Int
    var bits: Int
    var until: Int64
  }

  package let limits: AdmissionLimits?
  package let sessionLimit: Int
  /// Transports of one worker.
  package let peerLimit: Int
  private var loads: [WorkerLoad]
  private var pending: [PeerID: Pending] = [:]
  private var pendingCost: [Int]
  private var pendingBits = 0
  private var promisedCost: [Double]
  private var promisedBits = 0.0
  /// Refusals of late, which each second makes fewer by a tenth.
  private var recentRefusals = 0.0
  package private(set) var refusals: [Shortage: UInt64] = [:]

  /// - Parameter limits: nil never refuses for load; counted limits hold all the same.
  package init(limits: AdmissionLimits?, sessionLimit: Int, peerLimit: Int, workers: Int) {
    self.limits = limits
    self.sessionLimit = sessionLimit
    self.peerLimit = peerLimit
    loads = Array(repeating: WorkerLoad(), count: workers)
    pendingCost = Array(repeating: 0, count: workers)
    promisedCost = Array(repeating: 0, count: workers)
  }

  // MARK: What is known

  /// Takes the measurements of a second.
  /// - Parameters:
  ///   - receivers: how many a lesson has at a worker, and what each is sent.
  ///   - now: UTC milliseconds.
  package mutating func note(
    _ loads: [WorkerLoad], receivers: [(worker: Int, count: Int, rate: StageRate)], now: Int64
  ) {
    self.loads = loads
    for (peer, entry) in pending where now >= entry.until { remove(peer) }
    promisedCost = Array(repeating: 0, count: loads.count)
    promisedBits = 0
    for entry in receivers {
      promisedCost[entry.worker] += Double(entry.count) * cost(of: entry.rate, at: entry.worker)
      promisedBits += Double(entry.count) * entry.rate.bitsPerSecond
    }
    recentRefusals *= 0.9
  }

  /// A receiver has been let in; what it will cost counts from now on.
  package mutating func admit(_ peer: PeerID, _ join: Join, now: Int64) {
    guard let rate = join.rate else { return }
    let cost = cost(of: rate, at: join.worker)
    remove(peer)
    let entry = Pending(
      worker: join.worker, cost: Int(cost * 1e9), bits: Int(rate.bitsPerSecond), until: now + Self.pendingLimit)
    pending[peer] = entry
    pendingCost[entry.worker] += entry.cost
    pendingBits += entry.bits
    promisedCost[join.worker] += cost
    promisedBits += rate.bitsPerSecond
  }

  /// Packets go to the peer: soon it shows in what is measured.
  package mutating func settle(_ peer: PeerID, now: Int64) {
    guard let entry = pending[peer] else { return }
    pending[peer]?.until = min(entry.until, now + Self.settlingSpan)
  }

  package mutating func remove(_ peer: PeerID) {
    guard let entry = pending.removeValue(forKey: peer) else { return }
    pendingCost[entry.worker] -= entry.cost
    pendingBits -= entry.bits
  }

  // MARK: What follows

  /// What the worker is expected to carry of its processor, 1 = all of it.
  package func expected(_ worker: Int) -> Double {
    max(loads[worker].utilisation + Double(pendingCost[worker]) / 1e9, promisedCost[worker])
  }

  /// The worker's backlog, larger by the share of those who do not show in it yet; microseconds.
  private func expectedBacklog(_ worker: Int) -> Double? {
    let load = loads[worker]
    return load.backlog.map { $0 * (1 + Double(pendingCost[worker]) / 1e9 / max(load.utilisation, 0.01)) }
  }

  package var expectedLoads: [Double] { loads.indices.map(expected) }

  /// What the relay is expected to send, bits/s.
  package var expectedBits: Double {
    max(loads.reduce(0) { $0 + $1.bitsPerSecond } + Double(pendingBits), promisedBits)
  }

  /// What is in the way of one more; nil lets it in.
  /// - Parameters:
  ///   - peers: transports of the worker now.
  ///   - sessions: of the relay now.
  package func obstacle(to join: Join, peers: Int, sessions: Int) -> Shortage? {
    if sessions >= sessionLimit { return .sessions }
    if peers >= peerLimit { return .peers }
    guard let limits, !join.isExempt else { return nil }
    let load = loads[join.worker]
    if load.slots >= Self.slotLimit { return .slots }
    let rate = join.rate ?? StageRate()
    let wanted = expected(join.worker) + cost(of: rate, at: join.worker)
    if wanted > Double(limits.processor) / 100 { return .processor }
    if load.utilisation >= Self.leastUtilisation, let backlog = expectedBacklog(join.worker),
      backlog > Double(limits.backlog) * 1_000
    {
      return .backlog
    }
    if limits.uplink > 0, expectedBits + rate.bitsPerSecond > Double(limits.uplink) * 1e6 { return .uplink }
    return nil
  }

  /// Counts a refusal and says in how many seconds to come again: 5 and up to as many more as spread those refused of
  /// late over the time, ten a second, so that a school that was refused does not come back in one blow. 5…70.
  package mutating func refuse(_ shortage: Shortage, using random: inout some RandomNumberGenerator) -> Int {
    refusals[shortage, default: 0] += 1
    recentRefusals += 1
    let spread = min(max(5, Int(recentRefusals / 10)), 65)
    return 5 + Int.random(in: 0...spread, using: &random)
  }

  /// How full a worker is of something, 1 = no more joins; nil where it has no limit.
  package func ratio(_ shortage: Shortage, worker: Int, peers: Int) -> Double? {
    let limits = limits ?? Self.unlimited
    switch shortage {
    case .processor: return expected(worker) / (Double(limits.processor) / 100)
    case .backlog: return (expectedBacklog(worker) ?? 0) / (Double(limits.backlog) * 1_000)
    case .slots: return loads[worker].slots / Self.slotLimit
    case .peers: return Double(peers) / Double(peerLimit)
    default: return nil
    }
  }

  /// How full the whole relay is; nil where it has no limit.
  package func ratio(_ shortage: Shortage, sessions: Int) -> Double? {
    switch shortage {
    case .sessions: return Double(sessions) / Double(sessionLimit)
    case .uplink:
      guard let uplink = limits?.uplink, uplink > 0 else { return nil }
      return expectedBits / (Double(uplink) * 1e6)
    default: return nil
    }
  }

  /// What ratios are told against when joins are not refused for load.
  private static let unlimited: AdmissionLimits = {
    var limits = AdmissionLimits()
    limits.processor = 100
    return limits
  }()

  private func cost(of rate: StageRate, at worker: Int) -> Double {
    rate.packetsPerSecond * loads[worker].packetCost / 1e6
  }
}
