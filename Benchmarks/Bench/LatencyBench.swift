import ArgumentParser
import CLinuxIO
import MediaWorker
import RTCCore
import RTCWire

/// What the relay adds to a packet's way, from the publisher's send to the moment it lies in a receiver's socket.
struct LatencyBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency", abstract: "Latency the relay adds, socket to socket.",
    discussion: """
      The same lesson goes from a publisher through the relay to all receivers, and from a publisher to one receiver
      directly; both over loopback, DTLS and SRTP, alternating. Key frames, which the pacer spreads on purpose, are told
      apart.
      """)

  @Option(help: "Receivers, up to 200.") var receivers = 20
  @Option(help: "Seconds of each run.") var seconds = 10
  @Option(help: "Seconds before it, in which the estimates of the lines grow beyond the lesson.") var settle = 12
  @Option(help: "Runs of each kind, alternating.") var repeats = 3
  @Option(help: "Bits a second of the publisher.") var bitrate = 2_000_000
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...200).contains(receivers), seconds > 0, settle >= 0, repeats > 0,
      (100_000...20_000_000).contains(bitrate)
    else {
      throw ValidationError("out of range")
    }
  }

  func run() throws {
    var direct = Run()
    var relayed = Run()
    for _ in 0..<repeats {
      direct.add(try measure(count: 1, isDirect: true))
      relayed.add(try measure(count: receivers, isDirect: false))
    }
    var report = Report("latency", unit: "the same packets without a relay between")
    let group = "\(receivers) receivers"
    for (name, share) in [("P50", 0.5), ("P99", 0.99)] {
      report.add(
        group, "ratio" + name, relayed.microseconds(share) / max(direct.microseconds(share), 0.001), "of the unit")
    }
    for (name, share) in [("P50", 0.5), ("P99", 0.99)] {
      report.add(
        group, "addedMilliseconds" + name, (relayed.microseconds(share) - direct.microseconds(share)) / 1_000,
        "ms, the difference; sound and all pictures but key frames")
    }
    report.add(
      group, "keyFrameMillisecondsP99", percentile(relayed.keyFrames, 0.99) / 1e6,
      "ms from publisher to receiver, what the pacer held included")
    report.add(
      group, "pacedMillisecondsPerPacket", relayed.pacedMicroseconds / 1_000 / Double(max(relayed.sent, 1)),
      "ms, held on purpose, over all packets")
    for (name, run) in [("relayed", relayed), ("direct", direct)] {
      report.add(group, name + "MillisecondsP50", run.microseconds(0.5) / 1_000, "ms")
      report.add(group, name + "MillisecondsP99", run.microseconds(0.99) / 1_000, "ms")
      report.add(group, name + "MillisecondsMax", run.microseconds(1) / 1_000, "ms")
      let count = run.others.count + run.keyFrames.count
      report.add(group, name + "Packets", Double(count), "looked at")
      report.add(group, name + "PacketsMissing", Double(run.expected - count), "that never came")
    }
    report.print(asJSON: json)
  }

  private struct Run {
    /// Nanoseconds from departure to arrival: of key frames, and of sound and all other pictures.
    var keyFrames: [Double] = []
    var others: [Double] = []
    var expected = 0
    var sent = 0
    var pacedMicroseconds = 0.0

    mutating func add(_ other: Run) {
      keyFrames += other.keyFrames
      others += other.others
      expected += other.expected
      sent += other.sent
      pacedMicroseconds += other.pacedMicroseconds
    }
    func microseconds(_ share: Double) -> Double { percentile(others, share) / 1_000 }
  }

  /// One publisher, connected and teaching; answers what was seen once it had settled.
  private func measure(count: Int, isDirect: Bool) throws -> Run {
    let lead = try SocketEndpoint()
    let far = try SocketEndpoint(slotCount: 32_768)
    let worker = isDirect ? nil : try Self.startRelay()
    defer { worker?.stop() }
    let injection = InjectionID(rawValue: 1)
    let lesson = LessonID(rawValue: 1)
    var source = lead.attachSource(injection)
    let toRelay = try Pairing(
      role: .whip, number: 1, lesson: lesson, relayLesson: lesson,
      addresses: (SocketAddress(ipv4: 0x7F00_0001, port: worker?.worker.port ?? far.port), lead.address()),
      fingerprints: (worker?.identity.fingerprint ?? far.identity.fingerprint, lead.identity.fingerprint))
    if let worker {
      _ = worker.worker.send(.addPeer(toRelay.relay))
      for number in 0..<UInt32(count) {
        let own = LessonID(rawValue: number + 1)
        let pairing = try Pairing(
          role: .whep, number: UInt64(number) + 2, lesson: own, relayLesson: lesson,
          addresses: (SocketAddress(ipv4: 0x7F00_0001, port: worker.worker.port), far.address(0x7F01_0001 + number)),
          fingerprints: (worker.identity.fingerprint, far.identity.fingerprint))
        far.listen(to: own)
        _ = worker.worker.send(.addPeer(pairing.relay))
        pairing.apply(injection: injection, to: &far.core, now: monotonicNow())
      }
    } else {
      far.listen(to: lesson)
      far.core.apply(.addPeer(toRelay.relay), now: monotonicNow())
    }
    toRelay.apply(injection: injection, to: &lead.core, now: monotonicNow())
    try connect(lead, far, count: count)
    let taught = teach(lead, far, &source, seconds: seconds, worker: worker?.worker)
    return evaluate(lead, far, lines: toRelay.lines, taught, count: count)
  }

  private struct RelayWorker {
    var worker: MediaWorker
    var identity: DTLSIdentity
    func stop() { worker.stop() }
  }

  private static func startRelay() throws -> RelayWorker {
    let identity = try DTLSIdentity.generate()
    var configuration = WorkerConfiguration()
    configuration.loopbackOnly = true
    configuration.slotCount = 16_384
    let worker = try MediaWorker(configuration: configuration, identity: identity)
    _ = worker.send(.openLesson(LessonID(rawValue: 1)))
    _ = worker.send(.setStage(LessonID(rawValue: 1), Pairing.feed))
    return RelayWorker(worker: worker, identity: identity)
  }

  private func connect(_ lead: SocketEndpoint, _ far: SocketEndpoint, count: Int) throws {
    let epoll = tk_epoll(lead.readable, far.readable)
    defer { tk_close(epoll) }
    let deadline = tk_monotonic_microseconds() + 15_000_000
    while lead.connected < 1 || far.connected < count {
      guard tk_monotonic_microseconds() < deadline else {
        throw BenchError("\(far.connected) of \(count) receivers connected")
      }
      lead.turn()
      far.turn()
      _ = tk_epoll_wait(epoll, 1_000)
    }
  }

  private struct Taught {
    /// Nanoseconds of the monotonic clock between which packets count by their departure.
    var from: Int64 = 0
    var until: Int64 = 0
    var sent = 0
    var pacedMicroseconds = 0.0
  }

  private func teach(
    _ lead: SocketEndpoint, _ far: SocketEndpoint, _ source: inout InjectionEnd, seconds: Int, worker: MediaWorker?
  ) -> Taught {
    let epoll = tk_epoll(lead.readable, far.readable)
    defer { tk_close(epoll) }
    let start = tk_monotonic_microseconds() + 50_000
    var pattern = VideoPattern(bitsPerSecond: bitrate, start: Instant(microseconds: start))
    let from = start + (worker == nil ? 2 : Int64(settle)) * 1_000_000
    var taught = Taught(from: from * 1_000, until: (from + Int64(seconds) * 1_000_000) * 1_000)
    let end = taught.until / 1_000 + 300_000
    var first: WorkerCounters?
    while true {
      let now = Instant(microseconds: tk_monotonic_microseconds())
      guard now.microseconds < end else { break }
      if pattern.nextDeadline <= now, now.microseconds < taught.until / 1_000 {
        _ = pattern.write(into: &source, arena: lead.arena, now: now)
      }
      if first == nil, now.microseconds * 1_000 > taught.from { first = worker?.counters() }
      lead.turn()
      far.turn()
      // The endpoints' own deadlines are looked at every millisecond.
      let pause = min(pattern.nextDeadline.microseconds - tk_monotonic_microseconds(), 1_000)
      _ = tk_epoll_wait(epoll, max(pause, 0))
    }
    if let last = worker?.counters(), let first {
      taught.sent = Int(last.core.packetsSent - first.core.packetsSent)
      taught.pacedMicroseconds = Double(last.core.pacedMicroseconds - first.core.pacedMicroseconds)
    }
    return taught
  }

  private func evaluate(
    _ lead: SocketEndpoint, _ far: SocketEndpoint, lines: [MediaLine], _ taught: Taught, count: Int
  ) -> Run {
    var run = Run(sent: taught.sent, pacedMicroseconds: taught.pacedMicroseconds)
    func departures(_ kind: MediaKind) -> [Int64] {
      lines.first { $0.kind == kind }?.sources.first.flatMap { lead.departures[$0.ssrc] } ?? []
    }
    let sound = departures(.audio)
    let pictures = departures(.video)
    let counted = taught.from..<taught.until
    for arrival in far.takeArrivals() {
      let known = arrival.isSound ? sound : pictures
      guard known.indices.contains(Int(arrival.number)) else { continue }
      let left = known[Int(arrival.number)]
      guard counted.contains(left) else { continue }
      if arrival.isKeyFrame {
        run.keyFrames.append(Double(arrival.at - left))
      } else {
        run.others.append(Double(arrival.at - left))
      }
    }
    run.expected = (sound + pictures).count { counted.contains($0) } * count
    return run
  }
}
