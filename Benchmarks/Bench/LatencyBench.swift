import ArgumentParser
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
    let lesson = try SocketLesson(receivers: isDirect ? nil : count)
    defer { lesson.stop() }
    var first: WorkerCounters?
    let counted = lesson.teach(
      bitsPerSecond: bitrate, settle: isDirect ? 2 : settle, seconds: seconds,
      begin: { first = lesson.worker?.counters() })
    var run = evaluate(lesson, counted, count: count)
    if let last = lesson.worker?.counters(), let first {
      run.sent = Int(last.core.packetsSent - first.core.packetsSent)
      run.pacedMicroseconds = Double(last.core.pacedMicroseconds - first.core.pacedMicroseconds)
    }
    return run
  }

  private func evaluate(_ lesson: SocketLesson, _ counted: Range<Int64>, count: Int) -> Run {
    var run = Run()
    func departures(_ kind: MediaKind) -> [Int64] {
      lesson.lines.first { $0.kind == kind }?.sources.first.flatMap { lesson.lead.departures[$0.ssrc] } ?? []
    }
    let sound = departures(.audio)
    let pictures = departures(.video)
    for arrival in lesson.far.takeArrivals() {
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
