import Foundation

extension StormBench {
  private static let waveSize = 40
  private static let fullRate = 2_000_000

  /// Receivers come until the relay takes no more; then those inside are looked at. One worker, so that the load has a
  /// processor of its own; a full rate, since it is load that fills it.
  func measureAdmission(into report: inout Report) async throws {
    for lessons in [1, 20] {
      let run = try StormRun(
        lessons: lessons, seats: 200, limit: fill * 2 + lessons + 1, lines: ["workers: 1"] + setting,
        processor: Processors.count >= 2 ? 0 : nil)
      do {
        try await run.publish(bitsPerSecond: Self.fullRate)
        let first = run.next
        var (admitted, refused, failed) = (0, 0, 0)
        // Refusals come and go at the edge: two waves without anyone let in end it.
        var emptyWaves = 0
        while admitted < fill, emptyWaves < 2 {
          let links = (0..<min(Self.waveSize, fill - admitted)).map { place in
            let seats = run.lessons[(admitted + place) % lessons].whep
            return seats[(admitted + place) / lessons % seats.count]
          }
          let joined = try await run.join(links, within: .seconds(1))
          admitted += joined.sessions.count
          refused += joined.refused + joined.unanswered
          failed += joined.failed
          emptyWaves = joined.sessions.isEmpty ? emptyWaves + 1 : 0
          try await Task.sleep(for: .seconds(2))
        }
        try await Task.sleep(for: .seconds(5))
        let span = try await run.look(at: first..<run.next) { try await Task.sleep(for: .seconds(seconds)) }
        let metrics = try await run.relay.metrics()
        let group = "a relay filled until it refuses, \(lessons == 1 ? "one lesson" : "\(lessons) lessons")"
        report.add(group, "latencyMillisecondsP99", percentile(span.latencies, 0.99), "ms, all of them")
        report.add(group, "latencyMillisecondsP50", median(span.latencies), "ms")
        report.add(group, "admitted", Double(admitted), "receivers of \(Self.fullRate / 1_000_000) Mbit/s")
        report.add(group, "refused", Double(refused), "POSTs")
        report.add(group, "failed", Double(failed), "sessions that did not connect")
        report.add(group, "packetsLost", Double(span.missing), "in \(seconds) s")
        report.add(group, "packetsPerSecond", Double(span.packets) / span.seconds, "received")
        for (key, count) in metrics where key.hasPrefix("tongke_joins_refused_total{") && count > 0 {
          let reason = key.split(separator: "\"").dropFirst().first.map(String.init) ?? key
          report.add(group, "refusedFor" + reason.prefix(1).uppercased() + reason.dropFirst(), count, "POSTs")
        }
        for (name, shortage) in [("processorRatio", "processor"), ("backlogRatio", "backlog")] {
          let ratio = metrics.filter { $0.key.hasPrefix("tongke_load_ratio{") && $0.key.contains("\"\(shortage)\"") }
          report.add(group, name, ratio.values.max() ?? 0, "of what ends joins")
        }
        report.add(group, "longestTurnMilliseconds", StormRun.longestTurn(metrics), "ms of processor time")
      } catch {
        await run.stop()
        throw error
      }
      await run.stop()
    }
  }
}
