import CMeasure
import Foundation
import RTCCore
import RTCWire

/// One relay, its load and the baselines, measured in turn.
final class FanoutRun {
  let options: FanoutOptions
  private let relay: RelayProcess
  private let client: LoadClient
  private let counts: [Int]
  private let workers: Int
  private let relayProcessor: Int?
  private let loadProcessor: Int?
  private var joined = 0
  private var result: FanoutResult
  private static let limit = 4_000

  /// - Parameter workers: media threads of the relay; with one, the relay keeps to the first processor.
  /// - Parameter pinsRelay: whether a relay of one worker keeps to one processor.
  init(
    options: FanoutOptions, receivers: Int, lessons: Int, workers: Int = 1, pinsRelay: Bool = true
  ) throws {
    self.options = options
    self.workers = workers
    let isPinned = Processors.count >= 2
    relayProcessor = isPinned && pinsRelay && workers == 1 ? 0 : nil
    loadProcessor = isPinned ? min(1, Processors.count - 1) : nil
    if let loadProcessor { _ = tk_pin_process(Int32(loadProcessor)) }
    counts = (0..<lessons).map { receivers / lessons + ($0 < receivers % lessons ? 1 : 0) }
    var settings = RelayProcess.Settings(lessons: lessons, lines: options.lines(workers: workers))
    settings.processor = relayProcessor
    settings.sessions = Self.limit
    relay = try RelayProcess(receivers: min(200, counts.max() ?? 1), settings: settings)
    client = try LoadClient(limit: Self.limit, profile: options.profile, pacing: options.pacing)
    result = FanoutResult(
      receivers: receivers, lessons: lessons, workers: workers, pacing: options.pacing,
      bitsPerSecond: options.bitrate.bitsPerSecond)
    // SHA-1 goes by OpenSSL alone.
    result.cipher =
      options.profile == .sha1
      ? CipherLibrary.openSSL.rawValue : options.cipher == "auto" ? CipherLibrary.best.rawValue : options.cipher
    result.pinned =
      isPinned
      ? "relay on processor \(relayProcessor.map(String.init) ?? "any"), load on \(loadProcessor ?? 0)"
      : "relay and load on one processor"
  }

  func stop() {
    client.stop()
    relay.stop()
  }

  // MARK: Joining

  private var bitsPerSecond: Int { options.bitrate.bitsPerSecond }

  /// Publishers, then all receivers.
  func join() async throws {
    try await client.publish(relay.links.lessons)
    client.loop.send(.begin(bitsPerSecond: bitsPerSecond))
    try await Task.sleep(for: .seconds(1))
    let clock = ContinuousClock()
    let start = clock.now
    try await receive()
    result.joinSeconds = Double((clock.now - start) / .milliseconds(1)) / 1_000
    result.profile = try await client.loop.figures().profile.map { "\($0)" } ?? ""
  }

  /// As many receivers as the run has, behind those there are.
  private func receive() async throws {
    let links = relay.links.lessons.enumerated().flatMap { place, lesson in
      (0..<counts[place]).map { lesson.whep[$0 % lesson.whep.count] }
    }
    let first = relay.links.lessons.count + joined
    try await client.receive(links, numbers: first..<first + links.count)
    joined += links.count
  }

  // MARK: Measuring

  /// All that a run measures.
  /// - Parameter memorySettle: seconds after joining at which memory is read; nil leaves it out.
  func measure(memorySettle: Int?) async throws -> FanoutResult {
    let clock = ContinuousClock()
    try await join()
    let start = clock.now
    try await Task.sleep(for: .seconds(options.settle))
    for _ in 0..<options.rounds { try await measureRound() }
    try await measureSlope()
    if let memorySettle { try await measureMemory(memorySettle, since: start) }
    let figures = try await client.loop.figures()
    guard figures.strangers == 0 else { throw BenchError("\(figures.strangers) packets of unannounced SSRCs") }
    result.opened = figures.opened
    result.unauthentic = figures.refused
    return result
  }

  private func measureRound() async throws {
    client.loop.send(.begin(bitsPerSecond: bitsPerSecond))
    try await Task.sleep(for: .seconds(2))
    client.loop.send(.sampleLatencies(true))
    _ = try await client.loop.takeLatencies()
    let span = try await look(seconds: options.seconds)
    let latencies = try await client.loop.takeLatencies()
    client.loop.send(.sampleLatencies(false))
    result.latencies.others += latencies.others
    result.latencies.keyFrames += latencies.keyFrames
    result.spans.append(span)
    client.loop.send(.pause)
    try await Task.sleep(for: .milliseconds(300))
    let meanTrain = max(median(result.spans.map(\.meanTrain)), 1)
    result.baseline.append(try await baseline(trains: 1))
    result.sameTrains.append(try await baseline(trains: max(span.packetsPerFrame / meanTrain, 1)))
    result.sendEach.append(try await baseline(trains: 0))
  }

  private struct Moment {
    var metrics: [String: Double]
    var metricsAt: ContinuousClock.Instant
    var usage: RelayCommand.Usage
    var usageAt: ContinuousClock.Instant
    var figures: LoadFigures
    var busy: (relay: (busy: Double, idle: Double), load: (busy: Double, idle: Double))
  }

  private func moment() async throws -> Moment {
    let clock = ContinuousClock()
    let metrics = try await relay.metrics()
    let metricsAt = clock.now
    let figures = try await client.loop.figures()
    // What the answer costs the relay's other threads is no part of the span.
    try await Task.sleep(for: .milliseconds(200))
    let busy = (Processors.times(relayProcessor ?? 0), Processors.times(loadProcessor ?? 0))
    let usage = try relay.usage()
    return Moment(
      metrics: metrics, metricsAt: metricsAt, usage: usage, usageAt: clock.now, figures: figures, busy: busy)
  }

  private func look(seconds: Int) async throws -> RelaySpan {
    let before = try await moment()
    try await Task.sleep(for: .seconds(seconds))
    let clock = ContinuousClock()
    let busy = (Processors.times(relayProcessor ?? 0), Processors.times(loadProcessor ?? 0))
    let usage = try relay.usage()
    let usageAt = clock.now
    try await Task.sleep(for: .milliseconds(200))
    let metrics = try await relay.metrics()
    let after = Moment(
      metrics: metrics, metricsAt: clock.now, usage: usage, usageAt: usageAt,
      figures: try await client.loop.figures(), busy: busy)
    return try span(from: before, to: after)
  }

  private func span(from before: Moment, to after: Moment) throws -> RelaySpan {
    func total(_ name: String, _ metrics: [String: Double]) -> Double {
      metrics.reduce(0) { $0 + ($1.key == name || $1.key.hasPrefix(name + "{") ? $1.value : 0) }
    }
    func grown(_ name: String) -> Double {
      total("tongke_" + name, after.metrics) - total("tongke_" + name, before.metrics)
    }
    var span = RelaySpan()
    span.packets = grown("packets_sent_total")
    guard span.packets > 0 else { throw BenchError("the relay forwarded nothing") }
    let running = after.metrics.keys.count { $0.hasPrefix("tongke_packets_sent_total{") }
    guard running == workers else { throw BenchError("the relay runs \(running) workers, not \(workers)") }
    span.shares = (0..<workers).map {
      let name = "tongke_packets_sent_total{worker=\"\($0)\"}"
      return ((after.metrics[name] ?? 0) - (before.metrics[name] ?? 0)) / span.packets
    }
    let metricsSeconds = Double((after.metricsAt - before.metricsAt) / .microseconds(1)) / 1e6
    let usageSeconds = Double((after.usageAt - before.usageAt) / .microseconds(1)) / 1e6
    span.packetsPerSecond = span.packets / metricsSeconds
    let share = (after.usage.processSeconds - before.usage.processSeconds) / usageSeconds
    span.relayShare = share
    span.microsecondsPerPacket = share * 1e6 / span.packetsPerSecond
    func busy(_ from: (busy: Double, idle: Double), _ to: (busy: Double, idle: Double)) -> Double {
      (to.busy - from.busy) / max(to.busy - from.busy + to.idle - from.idle, 1e-9)
    }
    span.busy = busy(before.busy.relay, after.busy.relay)
    span.loadBusy = busy(before.busy.load, after.busy.load)
    let pictures = Double(after.figures.picturesPublished - before.figures.picturesPublished)
    let published = Double(after.figures.published - before.figures.published)
    span.lowestEstimate = after.metrics.filter {
      $0.key.hasPrefix("tongke_session_estimate_bits_per_second{") && $0.key.contains("\"receive\"")
    }.map(\.value).min()
    span.loadShare = (after.figures.seconds - before.figures.seconds) / metricsSeconds
    span.forwarded = span.packets / max(published * Double(counts.reduce(0, +)) / Double(counts.count), 1)
    span.packetsPerFrame = pictures / max(Double(after.figures.framesPublished - before.figures.framesPublished), 1)
    span.meanTrain = meanTrain(grown, packets: span.packets, pictureShare: pictures / max(published, 1))
    span.pacedMilliseconds = grown("paced_seconds_total") * 1_000 / (span.packets * pictures / max(published, 1))
    span.lost = after.figures.missing - before.figures.missing
    for reason in ["queueFull", "overBudget", "egressFull", "staleEntry", "noSlot"] {
      span.dropped += after.metrics.reduce(0) { sum, sample in
        guard sample.key.hasPrefix("tongke_packets_dropped_total"), sample.key.contains("\"\(reason)\"") else {
          return sum
        }
        return sum + sample.value - (before.metrics[sample.key] ?? 0)
      }
    }
    span.dropped += grown("send_drops_total")
    span.allocationsPerSecond = Double(after.usage.allocations - before.usage.allocations) / usageSeconds
    span.locksPerSecond = Double(after.usage.locks - before.usage.locks) / usageSeconds
    func highest(_ part: String) -> Double? {
      after.metrics.filter { $0.key.hasPrefix("tongke_") && $0.key.contains(part) }.map(\.value).max()
    }
    span.longestTurnMilliseconds = highest("longest_turn_seconds").map { $0 * 1_000 }
    span.coalescingMilliseconds = highest("coalescing").map { $0 * 1_000 }
    return span
  }

  /// Packets of picture in a train: what is no media travels alone, and so does the sound.
  private func meanTrain(_ grown: (String) -> Double, packets: Double, pictureShare: Double) -> Double {
    let trains = grown("train_datagrams_count")
    let others = grown("train_datagrams_sum") - packets
    let sound = packets * (1 - pictureShare)
    return (packets - sound) / max(trains - others - sound, 1)
  }

  private func baseline(trains: Double) async throws -> Double {
    client.loop.send(.expectBaseline)
    let numbers = (0..<UInt32(counts.reduce(0, +))).map { UInt32(relay.links.lessons.count) + $0 }
    let addresses = numbers.map { client.loop.address($0) }
    let plan = BaselineCommand.Plan(
      profile: options.profile, cipher: result.cipher, trains: trains, bitsPerSecond: bitsPerSecond,
      seconds: max(options.seconds / 2, 2), lessons: counts, addresses: addresses.map { UInt32($0.high >> 32) },
      ports: addresses.map(\.port), processor: relayProcessor ?? (Processors.count >= 2 ? 0 : nil))
    let outcome = try await BaselineCommand.start(plan)
    let after = try await settled()
    // What never came has not been read: it would have been cheaper to send.
    let lost = Int64(outcome.packets) - Int64(after.baselinePackets)
    result.baselineLost += max(lost, 0)
    guard Double(lost) < 0.02 * Double(outcome.packets), outcome.refused == 0 else {
      throw BenchError(
        "of the baseline's \(outcome.packets) packets \(lost) never came and \(outcome.refused) were refused; "
          + "a socket of the load holds \(client.loop.room) bytes")
    }
    return outcome.microsecondsPerPacket
  }

  /// What has been counted once the load has read all that lay in its sockets.
  private func settled() async throws -> LoadFigures {
    var last = try await client.loop.figures()
    for _ in 0..<50 {
      try await Task.sleep(for: .milliseconds(200))
      let figures = try await client.loop.figures()
      if figures.baselinePackets == last.baselinePackets { return figures }
      last = figures
    }
    return last
  }

  /// Allocations and locks of a packet, apart from those of a second: the same at half the rate, and the difference.
  private func measureSlope() async throws {
    client.loop.send(.begin(bitsPerSecond: bitsPerSecond / 2))
    try await Task.sleep(for: .seconds(3))
    let half = try await look(seconds: options.seconds)
    client.loop.send(.begin(bitsPerSecond: bitsPerSecond))
    let packets = result.middle(\.packetsPerSecond) - half.packetsPerSecond
    guard packets > 0 else { return }
    result.allocationsPerPacket = (result.middle(\.allocationsPerSecond) - half.allocationsPerSecond) / packets
    result.locksPerPacket = (result.middle(\.locksPerSecond) - half.locksPerSecond) / packets
  }

  /// (PSS at 2N − PSS at N) / N, each so many seconds after joining.
  private func measureMemory(_ settle: Int, since start: ContinuousClock.Instant) async throws {
    let clock = ContinuousClock()
    let passed = clock.now - start
    if passed < .seconds(settle) { try await Task.sleep(for: .seconds(settle) - passed) }
    let before = try relay.proportionalBytes()
    let count = joined
    try await receive()
    try await Task.sleep(for: .seconds(settle))
    result.memoryPerReceiver = Double(try relay.proportionalBytes() - before) / Double(count)
  }
}
