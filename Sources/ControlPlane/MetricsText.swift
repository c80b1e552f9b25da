import Classroom
import Ledger
import MediaWorker
import RTCCore

/// A snapshot as Prometheus text exposition, version 0.0.4: one HELP, one TYPE and then the samples of each metric.
///
/// Labels name lessons and seats by their identifiers and nothing else of them. At most `sessionLimit` sessions are
/// told one by one; the rest are in the sums only. Cost: some 100 bytes a sample.
public struct MetricsText: Sendable {
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
  /// Six metrics of 1,000 sessions are some 1 MiB.
  public static let sessionLimit = 1_000

  public static func write(_ snapshot: MetricsSnapshot) -> String {
    var text = MetricsText()
    text.addProcess(snapshot)
    text.addClock(snapshot.clock)
    text.addTraffic(snapshot.workers)
    text.addWork(snapshot.workers)
    text.addConnections(snapshot.workers.map(\.tcp))
    text.addLoad(snapshot)
    text.addRecorders(snapshot.recorders)
    text.addSessions(snapshot.sessions)
    return text.text
  }

  private enum Kind: String { case counter, gauge, histogram }
  private typealias Label = (name: String, value: String)
  private var text = ""

  private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP tongke_\(name) \(help)\n# TYPE tongke_\(name) \(kind.rawValue)\n"
  }

  private mutating func sample(_ name: String, _ labels: [Label], _ value: String) {
    text += "tongke_\(name)"
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
    }
    text += " \(value)\n"
  }

  private static func escaped(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [Label], value: String)]
  ) {
    guard !samples.isEmpty else { return }
    begin(name, kind, help)
    for entry in samples { sample(name, entry.labels, entry.value) }
  }

  private mutating func addProcess(_ snapshot: MetricsSnapshot) {
    add("build_info", .gauge, "The running release.", [([("version", snapshot.version)], "1")])
    add(
      "seal_info", .gauge, "Libraries that can seal packets with AES-GCM; 1 for the one that does.",
      snapshot.cipherLibraries.map { ([("library", $0.rawValue)], $0 == snapshot.cipher ? "1" : "0") })
    add("uptime_seconds", .gauge, "Time since the relay started.", [([], "\(snapshot.uptimeSeconds)")])
    add(
      "lessons", .gauge, "Lessons open, by state.",
      LessonState.allCases.map { ([("state", $0.rawValue)], "\(snapshot.lessons[$0, default: 0])") })
    add(
      "http_responses_total", .counter, "HTTP responses, by class of status.",
      snapshot.responses.enumerated().map { ([("class", "\($0.offset + 1)xx")], "\($0.element)") })
    add("ledger_events", .gauge, "Events in the ledger's log.", [([], "\(snapshot.ledgerEvents)")])
    add(
      "resources_waiting", .gauge, "Finished lessons whose files are still to be made.",
      [([], "\(snapshot.resourcesWaiting)")])
    addOutbox(snapshot)
    add(
      "recording_jobs", .gauge, "Work on recordings that is not done, by state.",
      RecordingJob.State.allCases.map { state in
        ([("state", state.rawValue)], "\(snapshot.recordingJobs.count { $0.state == state })")
      })
    add(
      "recording_jobs_troubled", .gauge, "Of these, those whose last attempt ended with a problem.",
      [([], "\(snapshot.recordingJobs.count { !$0.problem.isEmpty })")])
    addDisk(snapshot.disk)
    if let expires = snapshot.certificateExpires {
      add(
        "certificate_expiry_timestamp_seconds", .gauge, "When the HTTPS certificate ends, Unix time.",
        [([], "\(expires)")])
    }
  }

  private mutating func addOutbox(_ snapshot: MetricsSnapshot) {
    guard let outbox = snapshot.outbox else { return }
    add(
      "outbox_statements", .gauge, "Statements that have not reached their platform, by state.",
      [
        ([("state", "waiting")], "\(outbox.waiting)"), ([("state", "held")], "\(outbox.held)"),
        ([("state", "parked")], "\(outbox.parked)"),
      ])
    add("outbox_sent_total", .counter, "Statements that platforms took.", [([], "\(outbox.sent)")])
    add(
      "outbox_passed_over_total", .counter, "Events that would be told, of nobody or of an unreported lesson.",
      [([], "\(outbox.passedOver)")])
    add(
      "outbox_oldest_seconds", .gauge, "Since when the oldest statement waits.",
      [([], "\(snapshot.outboxOldestSeconds)")])
  }

  private mutating func addDisk(_ disk: DiskOutlook?) {
    guard let disk else { return }
    add("disk_free_bytes", .gauge, "Room for recordings.", [([], "\(disk.freeBytes)")])
    add("disk_grown_bytes", .gauge, "Files made of recordings in seven days.", [([], "\(disk.grownBytes)")])
    add(
      "disk_full_days", .gauge, "Days that the room lasts at that rate; +Inf while nothing grows.",
      [([], disk.daysLeft.map { "\($0)" } ?? "+Inf")])
  }

  private mutating func addClock(_ clock: LessonClockCounters) {
    add("lessons_armed_total", .counter, "Lessons armed before their bell.", [([], "\(clock.armed)")])
    add("lessons_not_held_total", .counter, "Lessons that passed and nobody taught.", [([], "\(clock.notHeld)")])
    add("lessons_ended_by_clock_total", .counter, "Lessons that the clock ended.", [([], "\(clock.ended)")])
    add(
      "lessons_over_limit_total", .counter, "Lessons armed while more were due than the relay runs at once.",
      [([], "\(clock.overLimit)")])
  }

  private mutating func addTraffic(_ workers: [WorkerCounters]) {
    func each(_ value: (CoreCounters) -> UInt64) -> [(labels: [Label], value: String)] {
      workers.enumerated().map { ([("worker", "\($0.offset)")], "\(value($0.element.core))") }
    }
    add("packets_received_total", .counter, "RTP packets received.", each(\.packetsReceived))
    add("bytes_received_total", .counter, "Bytes of RTP received.", each(\.bytesReceived))
    add("packets_sent_total", .counter, "RTP packets sent.", each(\.packetsSent))
    add("bytes_sent_total", .counter, "Bytes of RTP sent.", each(\.bytesSent))
    add("packets_retransmitted_total", .counter, "RTP packets sent again on request.", each(\.packetsRetransmitted))
    add("packets_repaired_total", .counter, "Lost packets that came after all.", each(\.packetsRepaired))
    add("picture_requests_sent_total", .counter, "Key frames asked of publishers.", each(\.pictureRequestsSent))
    add("key_frames_received_total", .counter, "Key frames received.", each(\.keyFramesReceived))
    add("layer_switches_total", .counter, "Switches of a receiver to another layer.", each(\.layerSwitches))
    add("group_bursts_total", .counter, "Groups of pictures sent to late joiners.", each(\.groupBursts))
    add("peers", .gauge, "Live transports.", each(\.peers))
    add("streams", .gauge, "Received streams.", each(\.streams))
    add("ring_slots", .gauge, "Packet buffers.", each(\.slotsTotal))
    add("ring_slots_used", .gauge, "Packet buffers in use.", each { $0.slotsTotal - min($0.slotsFree, $0.slotsTotal) })
    let paced = workers.enumerated().map { index, worker in
      (labels: [("worker", "\(index)")] as [Label], value: "\(Double(worker.core.pacedMicroseconds) / 1e6)")
    }
    add("paced_seconds_total", .counter, "Time video packets were held on purpose, summed over packets.", paced)
    let drops = workers.enumerated().flatMap { index, worker in
      DropReason.allCases.map { reason in
        let count = worker.core.drops.indices.contains(reason.rawValue) ? worker.core.drops[reason.rawValue] : 0
        return (labels: [("worker", "\(index)"), ("reason", "\(reason)")] as [Label], value: "\(count)")
      }
    }
    add("packets_dropped_total", .counter, "Packets dropped on purpose, by reason.", drops)
  }

  private mutating func addWork(_ workers: [WorkerCounters]) {
    func each(_ value: (WorkerCounters) -> UInt64) -> [(labels: [Label], value: String)] {
      workers.enumerated().map { ([("worker", "\($0.offset)")], "\(value($0.element))") }
    }
    add("receive_calls_total", .counter, "System calls that receive.", each(\.receiveCalls))
    add("send_calls_total", .counter, "System calls that send.", each(\.sendCalls))
    add("send_drops_total", .counter, "Datagrams dropped because the socket was full.", each(\.sendDrops))
    add("send_errors_total", .counter, "Datagrams the system refused.", each(\.sendErrors))
    add("events_dropped_total", .counter, "Events lost because nobody read them.", each(\.eventsDropped))
    add(
      "socket_receive_buffer_bytes", .gauge, "Receive buffer the system granted.",
      each { UInt64(max(0, $0.receiveBufferBytes)) })
    addDecimals(
      "worker_utilisation_ratio", .gauge, "Share of its processor that a worker uses.",
      workers.map { Double($0.utilisationPermille) / 1e3 })
    addDecimals(
      "worker_processor_seconds_total", .counter, "Processor time of a worker's turns.",
      workers.map { Double($0.busyCPUMicroseconds) / 1e6 })
    addDecimals(
      "coalescing_seconds", .gauge, "How long packets wait for others of their train now.",
      workers.map { Double($0.coalescingMicroseconds) / 1e6 })
    addDecimals(
      "longest_turn_seconds", .gauge, "Processor time of a worker's longest turn since the start.",
      workers.map { Double($0.longestTurnMicroseconds) / 1e6 })
    histogram(
      "backlog_seconds", "From the start of a turn until what was due in it had left, for each datagram.",
      workers.map(\.backlogMicroseconds), scale: 1e6)
    histogram(
      "turn_seconds", "Work of one turn of a worker, without the sleep.", workers.map(\.turnMicroseconds), scale: 1e6)
    histogram("train_datagrams", "Datagrams in one segmented send.", workers.map(\.trainLength), scale: 1)
  }

  private mutating func addConnections(_ connections: [TCPCounters]) {
    func each(_ value: (TCPCounters) -> UInt64) -> [(labels: [Label], value: String)] {
      connections.enumerated().map { ([("worker", "\($0.offset)")], "\(value($0.element))") }
    }
    add("tcp_connections", .gauge, "Media connections by TCP.", each { UInt64(max(0, $0.connections)) })
    add("tcp_accepted_total", .counter, "TCP connections accepted.", each(\.accepted))
    add(
      "tcp_refused_total", .counter, "TCP connections refused or closed, by reason.",
      connections.enumerated().flatMap { worker, counters in
        TCPRefusal.allCases.map {
          ([("worker", "\(worker)"), ("reason", "\($0)")], "\(counters.refused[$0.rawValue])")
        }
      })
    add("tcp_bytes_received_total", .counter, "Bytes received by TCP.", each(\.bytesReceived))
    add("tcp_bytes_sent_total", .counter, "Bytes sent by TCP.", each(\.bytesSent))
    add(
      "tcp_packets_dropped_total", .counter, "Sealed packets a TCP connection had no room for.", each(\.packetsDropped)
    )
  }

  /// One decimal of each worker.
  private mutating func addDecimals(_ name: String, _ kind: Kind, _ help: String, _ values: [Double]) {
    add(name, kind, help, values.enumerated().map { ([("worker", "\($0.offset)")], "\($0.element)") })
  }

  private mutating func addLoad(_ snapshot: MetricsSnapshot) {
    add(
      "load_ratio", .gauge, "How full the relay or a worker is of something; joins are refused at 1.",
      snapshot.fullness.map { gauge in
        let worker: [Label] = gauge.worker.map { [("worker", "\($0)")] } ?? []
        return (worker + [("resource", gauge.resource.rawValue)], "\(gauge.ratio)")
      })
    add(
      "joins_refused_total", .counter, "Joins refused because something is full.",
      snapshot.refusals.isEmpty && snapshot.workers.isEmpty
        ? []
        : Shortage.allCases.map { ([("reason", $0.rawValue)], "\(snapshot.refusals[$0, default: 0])") })
  }

  /// Bucket n of the source counts integers up to 2^n − 1, so that is its upper bound; the last one has none.
  private mutating func histogram(_ name: String, _ help: String, _ histograms: [Histogram], scale: Double) {
    guard !histograms.isEmpty else { return }
    begin(name, .histogram, help)
    func number(_ value: UInt64) -> String { scale == 1 ? "\(value)" : "\(Double(value) / scale)" }
    for (index, histogram) in histograms.enumerated() {
      let worker = ("worker", "\(index)")
      var below: UInt64 = 0
      for (place, count) in histogram.buckets.dropLast().enumerated() {
        below &+= count
        sample(name + "_bucket", [worker, ("le", number(1 << UInt64(place) - 1))], "\(below)")
      }
      // The total is recounted, since a snapshot may be taken between two increments.
      let total = below &+ (histogram.buckets.last ?? 0)
      sample(name + "_bucket", [worker, ("le", "+Inf")], "\(total)")
      sample(name + "_sum", [worker], number(histogram.sum))
      sample(name + "_count", [worker], "\(total)")
    }
  }

  private mutating func addRecorders(_ recorders: [RecorderGauge]) {
    func each(_ value: (RecorderGauge) -> String) -> [(labels: [Label], value: String)] {
      recorders.map { ([("volume", "\($0.volume)")], value($0)) }
    }
    add("recorder_bytes_total", .counter, "Bytes written to lesson logs.", each { "\($0.bytesWritten)" })
    add("recorder_records_total", .counter, "Packets written to lesson logs.", each { "\($0.recordsWritten)" })
    add("recorder_syncs_total", .counter, "Syncs of the disk.", each { "\($0.syncs)" })
    add("recorder_gap_packets_total", .counter, "Packets recorded as a gap.", each { "\($0.gapPackets)" })
    add("recorder_write_errors_total", .counter, "Writes the system refused.", each { "\($0.writeErrors)" })
    add(
      "recorder_lag_seconds", .gauge, "Age of the oldest packet that is not on the disk yet.",
      each { "\(Double($0.lagMilliseconds) / 1e3)" })
    add("recorder_leases", .gauge, "Packet buffers lent to the recorder.", each { "\($0.leases)" })
  }

  private mutating func addSessions(_ sessions: [SessionGauge]) {
    let kinds = Seat.Role.allCases.flatMap { role in SessionGauge.Direction.allCases.map { (role, $0) } }
    add(
      "sessions", .gauge, "Sessions, by role and direction.",
      kinds.map { role, direction in
        let count = sessions.count { $0.role == role && $0.direction == direction }
        return ([("role", role.rawValue), ("direction", direction.rawValue)], "\(count)")
      })
    // While a seat is taken over it has two sessions for a moment; samples of one name need different labels.
    var seen = Set<String>()
    let distinct = sessions.filter {
      seen.insert("\($0.lesson) \($0.seat) \($0.direction) \($0.feed)").inserted
    }.prefix(Self.sessionLimit)
    func each(_ value: (PeerStatistics) -> String) -> [(labels: [Label], value: String)] {
      distinct.map { session in
        let labels: [Label] = [
          ("lesson", "\(session.lesson)"), ("seat", "\(session.seat)"), ("role", session.role.rawValue),
          ("direction", session.direction.rawValue), ("feed", session.feed),
        ]
        return (labels, value(session.statistics))
      }
    }
    add(
      "session_round_trip_seconds", .gauge, "Round trip to the client.",
      each { "\(Double($0.roundTripMicroseconds) / 1e6)" })
    add(
      "session_loss_ratio", .gauge, "Share lost on the way to the client, as it last reported.",
      each { "\(Double($0.fractionLost) / 256)" })
    add(
      "session_packets_lost_total", .counter, "Packets from the client that never came.", each { "\($0.packetsLost)" })
    add("session_jitter_seconds", .gauge, "Jitter.", each { "\(Double($0.jitterMicroseconds) / 1e6)" })
    add(
      "session_estimate_bits_per_second", .gauge, "What the line to the client is thought to carry.",
      each { "\($0.estimateBitsPerSecond)" })
    add(
      "session_queued_seconds", .gauge, "Media waiting for the line.",
      each { "\(Double($0.queuedMilliseconds) / 1e3)" })
  }
}
