import Foundation

/// One span in which the relay was looked at.
struct RelaySpan: Sendable {
  var microsecondsPerPacket = 0.0
  /// RTP packets the relay sent, and a second.
  var packets = 0.0
  var packetsPerSecond = 0.0
  /// Of what was published for all receivers, the share that left meanwhile.
  var forwarded = 0.0
  /// Of the packets, by worker.
  var shares: [Double] = []
  /// Processors' worth of the relay process.
  var relayShare = 0.0
  /// Share of the relay's processor that was busy with anything, interrupts and other programs included.
  var busy = 0.0
  var loadBusy = 0.0
  /// Processors' worth of the thread that stands for the receivers.
  var loadShare = 0.0
  var meanTrain = 0.0
  var packetsPerFrame = 0.0
  var pacedMilliseconds = 0.0
  var lost: Int64 = 0
  /// What the relay let go on purpose, as it counts it.
  var dropped = 0.0
  /// Of the media threads.
  var allocationsPerSecond = 0.0
  var locksPerSecond = 0.0
  /// Of the lines to the receivers, bits a second.
  var lowestEstimate: Double?
  var longestTurnMilliseconds: Double?
  var coalescingMilliseconds: Double?
}

/// What a run of `fanout` came to.
struct FanoutResult: Sendable {
  var receivers: Int
  var lessons: Int
  var workers: Int
  var profile = ""
  var cipher = ""
  var pacing: Pacing
  var bitsPerSecond: Int
  var spans: [RelaySpan] = []
  var baseline: [Double] = []
  var sameTrains: [Double] = []
  var sendEach: [Double] = []
  var baselineLost: Int64 = 0
  var latencies = LoadLatencies()
  var opened: UInt64 = 0
  var unauthentic: UInt64 = 0
  var memoryPerReceiver: Double?
  var allocationsPerPacket: Double?
  var locksPerPacket: Double?
  var joinSeconds = 0.0
  var pinned = ""

  func middle(_ value: (RelaySpan) -> Double) -> Double { median(spans.map(value)) }

  var relayMicroseconds: Double { middle(\.microsecondsPerPacket) }
  var baselineMicroseconds: Double { median(baseline) }
  var sendEachMicroseconds: Double { median(sendEach) }
  var ratio: Double { relayMicroseconds / max(baselineMicroseconds, 1e-9) }
  var ratioSameTrains: Double { relayMicroseconds / max(median(sameTrains), 1e-9) }
  var packetsLost: Int64 { spans.reduce(0) { $0 + $1.lost } }
  /// Receivers that one core's microseconds are enough for.
  var receiversPerCore: Double {
    let rate = middle(\.packetsPerSecond) / Double(receivers)
    return 1e6 / max(relayMicroseconds * rate, 1e-9)
  }
  /// A baseline that is not at most half as dear as a call for each packet is no baseline.
  var isVoid: Bool { baselineMicroseconds > 0.5 * sendEachMicroseconds }
  var longestTurn: Double? { spans.compactMap(\.longestTurnMilliseconds).max() }

  private func latency(_ values: [Double]) -> [String: Double] {
    ["p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1].mapValues { percentile(values, $0) / 1e6 }
  }

  var object: [String: Any] {
    func orNull(_ value: Double?) -> Any { value.map { $0 as Any } ?? NSNull() }
    let window = spans.compactMap(\.coalescingMilliseconds)
    return [
      "ratio": ratio, "ratioSameTrains": ratioSameTrains, "relayMicrosecondsPerPacket": relayMicroseconds,
      "baselineMicrosecondsPerPacket": baselineMicroseconds, "sendEachMicrosecondsPerPacket": sendEachMicroseconds,
      "receiversPerCore": receiversPerCore.rounded(.down), "meanTrainLength": middle(\.meanTrain),
      "packetsLost": packetsLost, "latencyMilliseconds": latency(latencies.others),
      "pacedMilliseconds": middle(\.pacedMilliseconds), "memoryPerReceiverBytes": orNull(memoryPerReceiver),
      "allocationsPerPacket": orNull(allocationsPerPacket), "longestTurnMilliseconds": orNull(longestTurn),
      // Beyond the keys that are promised.
      "keyFrameLatencyMilliseconds": latency(latencies.keyFrames), "packetsPerFrame": middle(\.packetsPerFrame),
      "locksPerPacket": orNull(locksPerPacket), "relayDropped": spans.reduce(0) { $0 + $1.dropped },
      "loadProcessors": middle(\.loadShare), "forwardedShare": middle(\.forwarded),
      "relayProcessors": middle(\.relayShare),
      "relayProcessorBusy": middle(\.busy),
      "loadProcessorBusy": middle(\.loadBusy),
      "packetsPerSecond": middle(\.packetsPerSecond), "packetsOpened": opened, "packetsNotAuthentic": unauthentic,
      "baselinePacketsLost": baselineLost, "receivers": receivers, "lessons": lessons, "workers": workers,
      "profile": profile, "cipher": cipher, "pacing": pacing.rawValue, "bitsPerSecond": bitsPerSecond,
      "coalescingMilliseconds": orNull(window.isEmpty ? nil : median(window)), "joinSeconds": joinSeconds,
      "lowestEstimateBitsPerSecond": orNull(spans.compactMap(\.lowestEstimate).min()),
      "workerShares": spans.last?.shares ?? [], "processors": pinned, "void": isVoid,
    ]
  }

  func print(asJSON: Bool) {
    if asJSON {
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      let data = (try? JSONSerialization.data(withJSONObject: object, options: options)) ?? Data()
      Swift.print(String(decoding: data, as: UTF8.self))
      return
    }
    var report = Report("fanout", unit: "the same packets sealed and sent as one train a frame and receiver")
    let group = "\(receivers) receivers, \(lessons) lessons, \(profile), \(cipher), \(pacing); \(pinned)"
    for (name, value, meaning) in lines { report.add(group, name, value, meaning) }
    report.print(asJSON: false)
    if isVoid { Swift.print("VOID: the baseline costs more than half of a system call for each packet") }
  }

  private var lines: [(String, Double, String)] {
    let latency = latency(latencies.others)
    let lines: [(String, Double?, String)] = [
      ("ratio", ratio, "of the baseline"), ("ratioSameTrains", ratioSameTrains, "of one whose trains are as short"),
      ("relayMicrosecondsPerPacket", relayMicroseconds, "µs of the whole relay process"),
      ("baselineMicrosecondsPerPacket", baselineMicroseconds, "µs"),
      ("sendEachMicrosecondsPerPacket", sendEachMicroseconds, "µs, a system call for each packet"),
      ("receiversPerCore", receiversPerCore, "of this rate"),
      ("meanTrainLength", middle(\.meanTrain), "packets of picture in a train"),
      ("packetsPerFrame", middle(\.packetsPerFrame), "as published"),
      ("packetsLost", Double(packetsLost), "gaps at the receivers"),
      ("latencyMilliseconds.p50", latency["p50"], "ms, departure to the receiver's socket"),
      ("latencyMilliseconds.p99", latency["p99"], "ms"), ("latencyMilliseconds.max", latency["max"], "ms"),
      ("pacedMilliseconds", middle(\.pacedMilliseconds), "ms a packet, held on purpose"),
      ("memoryPerReceiverBytes", memoryPerReceiver, "bytes"),
      ("allocationsPerPacket", allocationsPerPacket, "of the media threads, as a slope"),
      ("longestTurnMilliseconds", longestTurn, "ms"),
      ("relayProcessorBusy", middle(\.busy), "of one"), ("loadProcessorBusy", middle(\.loadBusy), "of one"),
    ]
    return lines.compactMap { name, value, meaning in value.map { (name, $0, meaning) } }
  }
}
