import ArgumentParser
import CLinuxIO
import CMeasure
import COpenSSL
import Foundation
import Media
import MediaClient

/// What a whole relay's processor time comes to for each packet it forwards.
struct LessonBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lesson", abstract: "A whole relay: processor time of a forwarded packet, trains, calls.",
    discussion: """
      Relay in a process of its own, publisher and receivers in this one, loopback. The unit is an AES-GCM seal and one
      system call for each packet.
      """)

  @Option(help: "Receivers, up to 200.") var receivers = 20
  @Option(help: "Seconds measured.") var seconds = 20
  @Option(help: "Seconds before it.") var settle = 8
  @Flag(help: "Record the lesson meanwhile.") var record = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...200).contains(receivers), seconds > 0, settle >= 0 else { throw ValidationError("out of range") }
  }

  func run() async throws {
    let relay = try RelayProcess(receivers: receivers, records: record)
    defer { relay.stop() }
    let file = relay.folder.appending(path: "lesson.mp4").path
    try GeneratedLesson().writeMP4(to: file, seconds: 10)
    let lead = try JoinBench.transport()
    let publisher = try await PublishSession.start(
      lead, url: relay.links.whip.url, token: relay.links.whip.token, source: .media(url: file, loops: true))
    let sites = try JoinBench.transport(sessions: receivers)
    var sessions: [ReceiveSession] = []
    for link in relay.links.whep {
      sessions.append(try await ReceiveSession.start(sites, url: link.url, token: link.token))
    }
    try await Task.sleep(for: .seconds(settle))
    let (usageBefore, before) = (try relay.usage(), try await relay.metrics())
    try await Task.sleep(for: .seconds(seconds))
    let (usageAfter, after) = (try relay.usage(), try await relay.metrics())
    let lost = sessions.reduce(0) { $0 + $1.statistics.packetsLost }
    await publisher.stop()
    await sites.shutdown()
    await lead.shutdown()
    func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }
    let packets = grown("tongke_packets_sent_total{worker=\"0\"}")
    let bytes = grown("tongke_bytes_sent_total{worker=\"0\"}")
    guard packets > 0 else { throw BenchError("the relay forwarded nothing") }
    var report = Report("lesson", unit: "a seal and one system call a packet")
    let group = "\(receivers) receivers" + (record ? ", recorded" : "")
    let microseconds = (usageAfter.processSeconds - usageBefore.processSeconds) * 1e6 / packets
    let unit = try SendEachBaseline.microseconds(bytes: Int(bytes / packets))
    report.add(group, "ratio", microseconds / unit.both, "of the unit, a forwarded packet")
    report.add(group, "ratioToSeal", microseconds / unit.seal, "of an AES-GCM seal alone")
    report.add(group, "microsecondsPerPacket", microseconds, "µs of the whole relay process")
    report.add(group, "unitMicroseconds", unit.both, "µs")
    report.add(group, "coreShare", (usageAfter.processSeconds - usageBefore.processSeconds) / Double(seconds), "cores")
    report.add(
      group, "allocationsPerPacket", Double(usageAfter.allocations - usageBefore.allocations) / packets,
      "of the media thread, RTCP and timers included")
    report.add(
      group, "locksPerPacket", Double(usageAfter.locks - usageBefore.locks) / packets,
      "of the media thread, RTCP and timers included")
    report.add(group, "packetsPerSecond", packets / Double(seconds), "forwarded")
    report.add(group, "bytesPerPacket", bytes / packets, "mean")
    report.add(group, "packetsLost", Double(lost), "at the receivers")
    addTrains(grown, into: &report, group)
    report.print(asJSON: json)
  }

  private func addTrains(_ grown: (String) -> Double, into report: inout Report, _ group: String) {
    let name = "tongke_train_datagrams"
    let count = grown("\(name)_count{worker=\"0\"}")
    report.add(
      group, "trainLengthMean", grown("\(name)_sum{worker=\"0\"}") / max(count, 1), "datagrams, RTCP and STUN included"
    )
    var below = 0.0
    for bound in [1, 3, 7, 15, 31, 63] {
      let upTo = grown("\(name)_bucket{worker=\"0\",le=\"\(bound)\"}")
      report.add(group, "trainShareUpTo\(bound)", (upTo - below) / max(count, 1), "of the trains")
      below = upTo
    }
  }
}

/// The plainest way to send a sealed packet: a system call for each.
enum SendEachBaseline {
  /// Microseconds of processor time a packet of so many bytes, seal and call together, and the seal alone.
  static func microseconds(bytes: Int) throws -> (both: Double, seal: Double) {
    let key = [UInt8](repeating: 7, count: 16)
    let header = 32
    let payload = max(bytes - header - 16, 16)
    let plain = [UInt8](repeating: 0x5A, count: 2_048)
    var out = [UInt8](repeating: 0, count: 2_048)
    var iv = [UInt8](repeating: 0, count: 12)
    guard let context = tk_gcm_create(key, key.count, 1) else { throw BenchError("OpenSSL has no AES-GCM") }
    defer { tk_gcm_free(context) }
    let (sender, receiver) = (try LoopbackSocket(), try LoopbackSocket())
    var both: Int64 = 0
    var seal: Int64 = 0
    let rounds = 1_500
    let burst = 32
    for round in 0..<rounds {
      for isSending in [false, true] {
        let start = tk_thread_nanoseconds()
        for number in 0..<burst {
          withUnsafeBytes(of: UInt32(round * burst + number)) { iv.replaceSubrange(8..<12, with: $0) }
          let count = tk_gcm_seal(context, iv, plain, header, nil, 0, plain, payload, 0, &out)
          if isSending { sender.send(out, count: count, to: receiver) }
        }
        let time = tk_thread_nanoseconds() - start
        if isSending { both += time } else { seal += time }
      }
      receiver.empty()
    }
    let packets = Double(rounds * burst)
    return (Double(both) / packets / 1_000, Double(seal) / packets / 1_000)
  }
}

/// A UDP port of 127.0.0.1.
private final class LoopbackSocket {
  private let descriptor: Int32
  private let port: UInt16
  private let isIPv6: Int32
  private var room = [UInt8](repeating: 0, count: Int(TK_BATCH) * 2_048)
  private var received = [tk_received](repeating: tk_received(), count: Int(TK_BATCH))

  init() throws {
    var bound: UInt16 = 0
    var isIPv6: Int32 = 0
    var got: Int32 = 0
    descriptor = tk_udp_open(&bound, 1, &isIPv6, 4 << 20, &got)
    guard descriptor >= 0 else { throw BenchError("no UDP socket") }
    self.isIPv6 = isIPv6
    port = bound
  }

  deinit { tk_close(descriptor) }

  private func address(port: UInt16) -> tk_address {
    var address = tk_address()
    address.family = 4
    address.port = port
    address.bytes.0 = 127
    address.bytes.3 = 1
    return address
  }

  func send(_ bytes: [UInt8], count: Int, to other: LoopbackSocket) {
    bytes.withUnsafeBytes {
      var train = tk_train(
        remote: address(port: other.port), local: address(port: 0), bytes: $0.baseAddress, count: UInt32(count),
        segment: 0)
      _ = tk_udp_send(descriptor, isIPv6, &train, 1)
    }
  }

  func empty() {
    room.withUnsafeMutableBytes { bytes in
      let buffers = (0..<Int(TK_BATCH)).map { slot in bytes.baseAddress.map { $0 + slot * 2_048 } }
      while tk_udp_receive(descriptor, buffers, 2_048, &received, Int32(TK_BATCH)) > 0 {}
    }
  }
}
