import ArgumentParser
import Foundation

/// Much at once: the bell that begins all lessons, joins and leaves without end, hundreds of lessons, and receivers
/// that do harm.
struct StormBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storm", abstract: "Joins, leaves and lessons by the hundred; receivers that do harm.",
    discussion: """
      Without --hostile: joins within one second beside a running lesson; joins and leaves in waves; many lessons; a
      relay filled until it refuses. With it: as many receivers turn hostile beside as many good ones, and the figures are ratios of the good ones' with and
      without them. All over real HTTP, ICE, DTLS and SRTP, in a relay of its own.
      """)

  @Option(help: "Joins within one second; 0 leaves it out.") var joins = 500
  @Option(help: "Receivers of the lesson that runs meanwhile.") var running = 30
  @Option(help: "Lessons that the joins are for.") var lessons = 25
  @Option(help: "Joins and leaves in all; 0 leaves it out.") var churn = 10_000
  @Option(help: "Joins of one wave of them.") var wave = 250
  @Option(help: "Lessons at once, a publisher and two receivers each; 0 leaves it out.") var many = 300
  @Option(help: "Receivers that come, wave by wave, to a relay that refuses for load; 0 leaves it out.") var fill =
    1_200
  @Option(help: "Hostile receivers, and good ones beside them.") var hostile = 0
  @Option(help: "Bits a second of each publisher.") var bitrate = BitRate(bitsPerSecond: 500_000)
  @Option(help: "Seconds of each look at a running lesson.") var seconds = 10
  @Option(help: "Seconds before memory is read; an association is freed 30 s after its handshake.") var settle = 40
  @Option(help: ArgumentHelp("A further line of the relay's configuration file.", valueName: "key: value"))
  var setting: [String] = []
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (0...1_500).contains(joins), (1...200).contains(running), (1...200).contains(lessons),
      (0...100_000).contains(churn), (1...500).contains(wave), (0...400).contains(many), (0...200).contains(hostile),
      (0...2_000).contains(fill),
      (1...120).contains(seconds), (0...300).contains(settle), joins / lessons <= 200
    else { throw ValidationError("out of range") }
  }

  private var lines: [String] { ["admission: off"] + setting }

  func run() async throws {
    var report = Report("storm", unit: "the same relay before")
    if hostile > 0 {
      try await measureHostility(into: &report)
    } else {
      if joins > 0 { try await measureBell(into: &report) }
      if churn > 0 { try await measureChurn(into: &report) }
      if many > 0 { try await measureLessons(into: &report) }
      if fill > 0 { try await measureAdmission(into: &report) }
    }
    report.print(asJSON: json)
  }

  // MARK: The bell

  private func measureBell(into report: inout Report) async throws {
    let perLesson = (joins + lessons - 1) / lessons
    let run = try StormRun(
      lessons: lessons + 1, seats: max(running, perLesson), limit: lessons + 1 + running + joins, lines: lines)
    do {
      try await run.publish(bitsPerSecond: bitrate.bitsPerSecond)
      let first = run.next
      let pupils = try await run.join(Array(run.lessons[0].whep.prefix(running)), within: .seconds(1))
      guard pupils.complete != nil else { throw BenchError("the running lesson's receivers do not get media") }
      let watched = first..<run.next
      try await Task.sleep(for: .seconds(5))
      let before = try await run.look(at: watched) { try await Task.sleep(for: .seconds(seconds)) }
      let turnBefore = StormRun.longestTurn(try await run.relay.metrics())
      let links = (0..<joins).map { run.lessons[1 + $0 % lessons].whep[$0 / lessons] }
      var joined = StormRun.Joined()
      let during = try await run.look(at: watched) { joined = try await run.join(links, within: .seconds(1)) }
      let turn = StormRun.longestTurn(try await run.relay.metrics())
      let group = "\(joins) joins within 1 s, \(running) receivers of a running lesson"
      add(joined, into: &report, group)
      report.add(group, "longestTurnMilliseconds", turn, "ms of processor time, the relay's longest")
      report.add(group, "longestTurnMillisecondsBefore", turnBefore, "ms, before the storm")
      let (p99, p99Before) = (percentile(during.latencies, 0.99), percentile(before.latencies, 0.99))
      report.add(group, "ratioLatencyP99", p99 / max(p99Before, 1e-6), "of the running lesson's before")
      report.add(group, "latencyMillisecondsP99", p99, "ms, the running lesson during the storm")
      report.add(group, "latencyMillisecondsP99Before", p99Before, "ms, before it")
      report.add(group, "packetsLost", Double(during.missing), "of the running lesson during the storm")
    } catch {
      await run.stop()
      throw error
    }
    await run.stop()
  }

  func add(_ joined: StormRun.Joined, into report: inout Report, _ group: String) {
    report.add(group, "completeMilliseconds", joined.complete ?? -1, "ms, first POST to media at all; -1: never")
    report.add(group, "postMillisecondsP50", median(joined.posts), "ms, of a POST")
    report.add(group, "postMillisecondsP99", percentile(joined.posts, 0.99), "ms")
    report.add(group, "admitted", Double(joined.sessions.count), "sessions")
    report.add(group, "refused", Double(joined.refused), "POSTs answered otherwise")
    report.add(group, "unanswered", Double(joined.unanswered), "POSTs")
    report.add(group, "failed", Double(joined.failed), "sessions that did not connect")
  }

  // MARK: Joins and leaves

  private func measureChurn(into report: inout Report) async throws {
    // As many associations linger then as later, and what grows once has done so.
    let warming = max(1, churn / 2 / wave) * wave
    let total = churn + warming
    let run = try StormRun(lessons: 1, seats: 200, limit: total + 2, lines: lines)
    do {
      try await run.publish(bitsPerSecond: bitrate.bitsPerSecond)
      let links = (0..<wave).map { run.lessons[0].whep[$0 % run.lessons[0].whep.count] }
      var (refused, failed, incomplete, slowest) = (0, 0, 0, 0.0)
      var before = 0
      var done = -warming
      while done < churn {
        let joined = try await run.join(
          Array(links.prefix(min(wave, max(churn - done, 1)))), within: .milliseconds(500))
        refused += joined.refused + joined.unanswered
        failed += joined.failed
        if let complete = joined.complete { slowest = max(slowest, complete) } else { incomplete += 1 }
        try await run.leave(joined.sessions)
        done += wave
        if done == 0 {
          try await Task.sleep(for: .seconds(settle))
          before = try run.relay.anonymousBytes()
        }
      }
      try await Task.sleep(for: .seconds(settle))
      let after = try run.relay.anonymousBytes()
      let metrics = try await run.relay.metrics()
      let group = "\(churn) joins and leaves, \(wave) at a time"
      report.add(
        group, "ratioMemory", Double(after) / Double(max(before, 1)), "of what it was after the first \(warming)")
      report.add(group, "memoryMegabytesBefore", Double(before) / 1e6, "MB, of no file")
      report.add(group, "memoryMegabytes", Double(after) / 1e6, "MB")
      report.add(group, "slowestWaveMilliseconds", slowest, "ms, first POST to media at all of a wave")
      report.add(group, "incompleteWaves", Double(incomplete), "waves")
      report.add(group, "refused", Double(refused), "POSTs")
      report.add(group, "failed", Double(failed), "sessions that did not connect")
      report.add(
        group, "peersLeft", StormRun.total("tongke_peers", metrics) - 1, "peers but the publisher, at the end")
      report.add(group, "longestTurnMilliseconds", StormRun.longestTurn(metrics), "ms of processor time")
    } catch {
      await run.stop()
      throw error
    }
    await run.stop()
  }

  // MARK: Many lessons

  private func measureLessons(into report: inout Report) async throws {
    let run = try StormRun(lessons: many, seats: 2, limit: many * 3 + 1, lines: lines)
    do {
      try await run.publish(bitsPerSecond: bitrate.bitsPerSecond)
      let first = run.next
      let joined = try await run.join(run.lessons.flatMap { $0.whep.prefix(2) }, within: .seconds(2))
      try await Task.sleep(for: .seconds(5))
      let span = try await run.look(at: first..<run.next) { try await Task.sleep(for: .seconds(seconds)) }
      let metrics = try await run.relay.metrics()
      let group = "\(many) lessons, a publisher and two receivers each"
      add(joined, into: &report, group)
      report.add(group, "packetsPerSecond", Double(span.packets) / span.seconds, "received")
      report.add(group, "packetsLost", Double(span.missing), "in \(seconds) s")
      report.add(group, "latencyMillisecondsP99", percentile(span.latencies, 0.99), "ms")
      report.add(group, "longestTurnMilliseconds", StormRun.longestTurn(metrics), "ms of processor time")
    } catch {
      await run.stop()
      throw error
    }
    await run.stop()
  }

  // MARK: Hostility

  private func measureHostility(into report: inout Report) async throws {
    let run = try StormRun(lessons: 1, seats: min(hostile * 2, 200), limit: hostile * 2 + 2, lines: lines)
    do {
      try await run.publish(bitsPerSecond: bitrate.bitsPerSecond)
      let first = run.next
      let seats = run.lessons[0].whep
      let toBeHostile = first + hostile..<first + hostile * 2
      let joined = try await run.join((0..<hostile * 2).map { seats[$0 % seats.count] }, within: .seconds(2)) {
        toBeHostile.contains($0) && Misbehaviour.of($0) == .blackHole
      }
      guard joined.complete != nil else { throw BenchError("not all receivers get media") }
      let good = first..<first + hostile
      try await Task.sleep(for: .seconds(8))
      let before = try await run.look(at: good) { try await Task.sleep(for: .seconds(seconds)) }
      let metricsBefore = try await run.relay.metrics()
      run.client.loop.send(.misbehave(toBeHostile))
      try await Task.sleep(for: .seconds(2))
      let during = try await run.look(at: good) { try await Task.sleep(for: .seconds(seconds)) }
      let metrics = try await run.relay.metrics()
      let group = "\(hostile) hostile beside \(hostile) good receivers"
      func rate(_ span: StormRun.Span) -> Double { Double(span.packets) / span.seconds }
      func p99(_ span: StormRun.Span) -> Double { percentile(span.latencies, 0.99) }
      report.add(
        group, "ratioDelivered", rate(during) / max(rate(before), 1), "of the good ones' packets a second before")
      report.add(group, "ratioLatencyP99", p99(during) / max(p99(before), 1e-6), "of the good ones' before")
      let keyFrames = (Double(during.keyFrames) / during.seconds, Double(before.keyFrames) / before.seconds)
      report.add(group, "ratioKeyFrames", keyFrames.0 / max(keyFrames.1, 0.01), "of the publisher's before")
      report.add(group, "latencyMillisecondsP99", p99(during), "ms, the good ones")
      report.add(group, "latencyMillisecondsP99Before", p99(before), "ms")
      report.add(group, "packetsLost", Double(during.missing), "of the good ones")
      report.add(group, "packetsLostBefore", Double(before.missing), "of the good ones")
      report.add(group, "keyFramesPerSecond", keyFrames.0, "of the publisher")
      report.add(group, "keyFramesPerSecondBefore", keyFrames.1, "of the publisher")
      let names = [
        ("retransmitted", "tongke_packets_retransmitted_total", "", "packets, to all"),
        ("repairsRefused", "tongke_packets_dropped_total", "repairLimit", "asked for beyond the budget"),
        ("reportsRefused", "tongke_packets_dropped_total", "reportLimit", "beyond what one receiver may report"),
        ("pictureRequestsRefused", "tongke_packets_dropped_total", "pictureLimit", "beyond what one may ask for"),
      ]
      for (name, metric, reason, meaning) in names {
        let grown = [metrics, metricsBefore].map { samples in
          StormRun.total(metric, samples.filter { reason.isEmpty || $0.key.contains("\"\(reason)\"") })
        }
        report.add(group, name, grown[0] - grown[1], meaning)
      }
      let connections = [metricsBefore, metrics].map { StormRun.total("tongke_tcp_connections", $0) }
      report.add(group, "tcpConnections", connections[0], "of hostile ones that then read no more")
      report.add(group, "tcpConnectionsLeft", connections[1], "of them in the end")
      report.add(group, "longestTurnMilliseconds", StormRun.longestTurn(metrics), "ms of processor time")
      report.add(group, "longestTurnMillisecondsBefore", StormRun.longestTurn(metricsBefore), "ms")
    } catch {
      await run.stop()
      throw error
    }
    await run.stop()
  }
}
