// Goal: what /metrics prints is well-formed for any snapshot and says what the snapshot says.
import Classroom
import ControlPlane
import MediaWorker
import RTCCore
import Testing

/// A reader of the exposition format that refuses what the format does not allow.
private struct Exposition {
  struct Malformed: Error { var line: String }
  struct Sample: Hashable {
    var name: String
    var labels: [String: String]
  }
  var values: [Sample: Double] = [:]
  var types: [String: String] = [:]
  var helped: Set<String> = []

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(line: "no newline at the end") }
    var current = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      if line.hasPrefix("# HELP ") {
        guard words.count == 4, helped.insert(words[2]).inserted else { throw Malformed(line: String(line)) }
        current = words[2]
      } else if line.hasPrefix("# TYPE ") {
        guard words.count == 4, words[2] == current, types[current] == nil,
          ["counter", "gauge", "histogram"].contains(words[3])
        else { throw Malformed(line: String(line)) }
        types[current] = words[3]
      } else {
        try read(line, of: current)
      }
    }
  }

  private mutating func read(_ line: Substring, of metric: String) throws {
    let pattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
    guard let match = line.wholeMatch(of: pattern), let value = Double(match.3), types[metric] != nil else {
      throw Malformed(line: String(line))
    }
    let suffixes = types[metric] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    guard suffixes.contains(where: { metric + $0 == match.1 }) else { throw Malformed(line: String(line)) }
    var labels: [String: String] = [:]
    var rest = match.2 ?? ""
    while !rest.isEmpty {
      guard let pair = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)",?/) else {
        throw Malformed(line: String(line))
      }
      guard labels.updateValue(String(pair.2), forKey: String(pair.1)) == nil else {
        throw Malformed(line: String(line))
      }
      rest = rest[pair.range.upperBound...]
    }
    guard values.updateValue(value, forKey: Sample(name: String(match.1), labels: labels)) == nil else {
      throw Malformed(line: "twice: \(line)")
    }
  }

  subscript(name: String, labels: [String: String]) -> Double? { values[Sample(name: name, labels: labels)] }
}

@Suite struct MetricsTextTests {
  private func gauge(_ seat: UInt64, _ role: Seat.Role, feed: String) -> SessionGauge {
    var statistics = PeerStatistics(peer: PeerID(rawValue: seat), at: Instant(microseconds: 1))
    statistics.roundTripMicroseconds = 25_000
    statistics.fractionLost = 64
    statistics.packetsLost = 3
    return SessionGauge(
      lesson: Identifier(high: 1, low: 2), seat: Identifier(high: 3, low: seat), role: role,
      direction: feed.isEmpty ? .receive : .publish, feed: feed, statistics: statistics)
  }

  private func snapshot() -> MetricsSnapshot {
    var worker = WorkerCounters()
    worker.core.packetsReceived = 7
    worker.core.slotsTotal = 100
    worker.core.slotsFree = 60
    worker.core.drops[DropReason.replayed.rawValue] = 5
    worker.utilisationPermille = 250
    worker.tcp.connections = 3
    worker.tcp.refused[TCPRefusal.noCheck.rawValue] = 4
    worker.coalescingMicroseconds = 5_000
    worker.longestTurnMicroseconds = 1_500
    worker.busyCPUMicroseconds = 2_500_000
    var snapshot = MetricsSnapshot()
    snapshot.workers = [worker, WorkerCounters()]
    var recorder = RecorderGauge()
    recorder.lagMilliseconds = 1_500
    snapshot.recorders = [recorder]
    snapshot.lessons = [.live: 2]
    snapshot.responses = [0, 40, 1, 2, 3]
    snapshot.ledgerEvents = 99
    snapshot.certificateExpires = 1_900_000_000
    snapshot.cipher = .openSSL
    snapshot.cipherLibraries = [.multiBuffer, .openSSL]
    snapshot.fullness = [
      FullnessGauge(worker: 1, resource: .processor, ratio: 0.5),
      FullnessGauge(worker: nil, resource: .uplink, ratio: 0.25),
    ]
    snapshot.refusals = [.uplink: 6]
    snapshot.sessions = [
      gauge(1, .lead, feed: "camera"), gauge(2, .receiver, feed: ""), gauge(2, .receiver, feed: ""),
    ]
    return snapshot
  }

  @Test func everyLineIsWellFormedAndTellsTheSnapshot() throws {
    let text = try Exposition(MetricsText.write(snapshot()))
    #expect(text["tongke_packets_received_total", ["worker": "0"]] == 7)
    #expect(text["tongke_packets_received_total", ["worker": "1"]] == 0)
    #expect(text["tongke_ring_slots_used", ["worker": "0"]] == 40)
    #expect(text["tongke_packets_dropped_total", ["worker": "0", "reason": "replayed"]] == 5)
    #expect(text["tongke_recorder_lag_seconds", ["volume": "0"]] == 1.5)
    #expect(text["tongke_lessons", ["state": "live"]] == 2)
    #expect(text["tongke_lessons", ["state": "armed"]] == 0)
    #expect(text["tongke_http_responses_total", ["class": "5xx"]] == 3)
    #expect(text["tongke_ledger_events", [:]] == 99)
    #expect(text["tongke_sessions", ["role": "receiver", "direction": "receive"]] == 2)
    #expect(text["tongke_sessions", ["role": "observer", "direction": "receive"]] == 0)
    #expect(text["tongke_worker_utilisation_ratio", ["worker": "0"]] == 0.25)
    #expect(text["tongke_tcp_connections", ["worker": "0"]] == 3)
    #expect(text["tongke_tcp_refused_total", ["worker": "0", "reason": "noCheck"]] == 4)
    #expect(text["tongke_tcp_refused_total", ["worker": "1", "reason": "badFrame"]] == 0)
    #expect(text["tongke_worker_processor_seconds_total", ["worker": "0"]] == 2.5)
    #expect(text["tongke_coalescing_seconds", ["worker": "0"]] == 0.005)
    #expect(text["tongke_longest_turn_seconds", ["worker": "0"]] == 0.0015)
    #expect(text["tongke_seal_info", ["library": "openssl"]] == 1)
    #expect(text["tongke_seal_info", ["library": "ipsec-mb"]] == 0)
    #expect(text["tongke_load_ratio", ["worker": "1", "resource": "processor"]] == 0.5)
    #expect(text["tongke_load_ratio", ["resource": "uplink"]] == 0.25)
    #expect(text["tongke_joins_refused_total", ["reason": "uplink"]] == 6)
    #expect(text["tongke_joins_refused_total", ["reason": "peers"]] == 0)
    let seat = [
      "lesson": "\(Identifier(high: 1, low: 2))", "seat": "\(Identifier(high: 3, low: 1))", "role": "lead",
      "direction": "publish", "feed": "camera",
    ]
    #expect(text["tongke_session_round_trip_seconds", seat] == 0.025)
    #expect(text["tongke_session_loss_ratio", seat] == 0.25)
    #expect(text["tongke_session_packets_lost_total", seat] == 3)
    for reason in DropReason.allCases {
      #expect(text["tongke_packets_dropped_total", ["worker": "1", "reason": "\(reason)"]] == 0)
    }
  }

  @Test func histogramBucketsGrowAndEndInTheCount() throws {
    let text = try Exposition(MetricsText.write(snapshot()))
    let histograms = text.types.filter { $0.value == "histogram" }.keys
    #expect(Set(histograms) == ["tongke_turn_seconds", "tongke_train_datagrams", "tongke_backlog_seconds"])
    for name in histograms {
      let buckets = text.values.filter { $0.key.name == name + "_bucket" && $0.key.labels["worker"] == "0" }
        .map { (bound: Double($0.key.labels["le"]?.replacing("+Inf", with: "inf") ?? "") ?? -1, count: $0.value) }
        .sorted { $0.bound < $1.bound }
      #expect(buckets.count == Histogram().buckets.count)
      #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.count <= $1.count && $0.bound < $1.bound })
      #expect(buckets.last?.bound == .infinity)
      #expect(buckets.last?.count == text[name + "_count", ["worker": "0"]])
    }
  }

  @Test func emptySnapshotAndStrangeTextsAreWellFormed() throws {
    let empty = try Exposition(MetricsText.write(MetricsSnapshot()))
    #expect(empty.types["tongke_packets_received_total"] == nil)
    var strange = snapshot()
    strange.sessions = [gauge(1, .lead, feed: "a\"b\\c\nd")]
    let text = try Exposition(MetricsText.write(strange))
    #expect(text.values.keys.contains { $0.labels["feed"] == "a\\\"b\\\\c\\nd" })
  }

  @Test func sessionsAreLimitedOneByOneAndCountedAll() throws {
    var crowd = MetricsSnapshot()
    crowd.sessions = (0..<1_500).map { gauge(UInt64($0), .receiver, feed: "") }
    let text = try Exposition(MetricsText.write(crowd))
    #expect(text.values.keys.count { $0.name == "tongke_session_loss_ratio" } == MetricsText.sessionLimit)
    #expect(text["tongke_sessions", ["role": "receiver", "direction": "receive"]] == 1_500)
  }
}
