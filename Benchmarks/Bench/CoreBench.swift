import ArgumentParser
import CMeasure
import COpenSSL
import RTCCore

/// The relay's core alone, without sockets, beside the cipher alone.
struct CoreBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "core", abstract: "The core without sockets: cost, allocations and locks of a packet.",
    discussion: """
      One publisher of a 720p25 lesson, fanned out to 1, 10 and 100 receivers in virtual time. The unit is an AES-GCM
      seal of the same bytes, under as many keys, by the same library.
      """)

  @Option(help: "Receivers, one figure for each.", transform: numbers) var receivers = [1, 10, 100]
  @Option(help: "Seconds of a lesson in each of the runs.") var seconds = 20
  @Option(help: "Bits a second of the publisher.") var bitrate = 2_000_000
  @Option(help: "Runs of each, alternating with the unit; the median is told.") var repeats = 5
  @Option(help: "gcm or sha1.") var profile = "gcm"
  @Flag(help: "Print one JSON object.") var json = false

  static func numbers(_ text: String) throws -> [Int] {
    let values = text.split(separator: ",").compactMap { Int($0) }
    guard !values.isEmpty, values.allSatisfy({ (1...200).contains($0) }) else {
      throw ValidationError("\(text) is no list of numbers up to 200")
    }
    return values
  }

  func validate() throws {
    guard ["gcm", "sha1"].contains(profile), repeats > 0, seconds > 0, bitrate >= 100_000, bitrate <= 20_000_000
    else { throw ValidationError("out of range") }
  }

  private var srtp: SRTPProfile { profile == "sha1" ? .aes128CMSHA180 : .aeadAES128GCM }

  func run() throws {
    guard WorkMeter.isSighted else { throw BenchError("the counters of allocations and locks see nothing") }
    var report = Report("core", unit: "an AES-128-GCM seal of the same bytes")
    for count in receivers { try measure(count, loss: 0, into: &report) }
    try measure(10, loss: 0.02, into: &report)
    report.print(asJSON: json)
  }

  private func measure(_ count: Int, loss: Double, into report: inout Report) throws {
    let meter = WorkMeter()
    let lesson = try MemoryLesson(
      receivers: count, bitsPerSecond: bitrate, profile: srtp, loss: loss, meter: meter)
    // Until joining, its bursts, and buffers that grow once are over.
    lesson.run(milliseconds: 4_000)
    guard lesson.counters.packetsSent > 0 else { throw BenchError("no packet came through") }
    let before = lesson.counters
    var ratios: [Double] = []
    var costs: [Double] = []
    var seals: [Double] = []
    for _ in 0..<repeats {
      lesson.startRecordingSizes()
      meter.isRunning = true
      let (packets, nanoseconds) = (meter.packets, meter.nanoseconds)
      lesson.run(milliseconds: seconds * 1_000)
      meter.isRunning = false
      let seal = SealBaseline.nanosecondsPerPacket(lesson.takeSizes(), receivers: count)
      let cost = Double(meter.nanoseconds - nanoseconds) / Double(max(meter.packets - packets, 1))
      costs.append(cost)
      seals.append(seal)
      ratios.append(cost / seal)
    }
    let name = loss > 0 ? "\(count) receivers, \(loss * 100) % lost each way" : "\(count) receivers"
    report.add(name, "ratio", median(ratios), "of the unit, a forwarded packet")
    report.add(name, "nanosecondsPerPacket", median(costs), "ns, a forwarded packet, timers and RTCP included")
    report.add(name, "sealNanoseconds", median(seals), "ns, the unit")
    addCalls(meter, peers: count + 1, into: &report, name)
    guard loss > 0 else { return }
    let after = lesson.counters
    report.add(
      name, "retransmittedShare",
      Double(after.packetsRetransmitted - before.packetsRetransmitted) / Double(max(meter.packets, 1)),
      "of what was sent")
    report.add(
      name, "allocationsPerRepair", Double(meter[.repair].allocations) / Double(max(meter[.repair].packets, 1)),
      "RTX out, once its NACK is read")
    report.add(
      name, "locksPerRepair", Double(meter[.repair].locks) / Double(max(meter[.repair].packets, 1)),
      "RTX out, once its NACK is read")
  }

  private func addCalls(_ meter: WorkMeter, peers: Int, into report: inout Report, _ name: String) {
    let packets = Double(meter.packets)
    let peerSeconds = Double(seconds * repeats * peers)
    let (ingest, media) = (meter[.ingest], meter[.media])
    report.add(
      name, "nanosecondsPerPacketRTPOnly",
      Double(ingest.nanoseconds + media.nanoseconds) / Double(max(media.packets, 1)), "ns, without timers and RTCP")
    report.add(
      name, "allocationsPerPacket", Double(ingest.allocations + media.allocations) / packets, "RTP in and RTP out")
    report.add(name, "locksPerPacket", Double(ingest.locks + media.locks) / packets, "RTP in and RTP out")
    report.add(
      name, "allocationsPerPeerSecond", Double(meter[.control].allocations) / peerSeconds, "RTCP, STUN, events, timers"
    )
    report.add(name, "locksPerPeerSecond", Double(meter[.control].locks) / peerSeconds, "RTCP, STUN, events, timers")
    report.add(name, "packets", packets, "sent")
    report.add(
      name, "pacedShare", Double(meter.heldPackets) / packets, "of them left later than they came")
  }
}

/// The unit of the core's cost: sealing and nothing else.
enum SealBaseline {
  /// Seals packets of these sizes for so many receivers, frame by frame and receiver by receiver.
  static func nanosecondsPerPacket(_ sizes: [MemoryLesson.PacketSize], receivers: Int) -> Double {
    let key = [UInt8](repeating: 7, count: 16)
    let contexts = (0..<receivers).compactMap { _ in tk_gcm_create(key, key.count, 1) }
    precondition(contexts.count == receivers, "OpenSSL has no AES-GCM")
    defer { contexts.forEach { tk_gcm_free($0) } }
    let slotCount = 4_096
    let slots = UnsafeMutablePointer<UInt8>.allocate(capacity: slotCount * 1_600)
    let room = 4 << 20
    let out = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
    slots.initialize(repeating: 0x5A, count: slotCount * 1_600)
    out.initialize(repeating: 0, count: room)
    defer {
      slots.deallocate()
      out.deallocate()
    }
    var iv = [UInt8](repeating: 0, count: 12)
    var written = 0
    var sealed = 0
    let start = tk_thread_nanoseconds()
    var first = 0
    while first < sizes.count {
      var end = first
      while end < sizes.count, sizes[end].at == sizes[first].at { end += 1 }
      for context in contexts {
        for index in first..<end {
          if written + 1_600 > room { written = 0 }
          let slot = slots + index % slotCount * 1_600
          withUnsafeBytes(of: UInt32(truncatingIfNeeded: index)) { iv.replaceSubrange(8..<12, with: $0) }
          written += tk_gcm_seal(
            context, iv, slot, sizes[index].header, nil, 0, slot + sizes[index].header, sizes[index].payload,
            0, out + written)
          sealed += 1
        }
      }
      first = end
    }
    return Double(tk_thread_nanoseconds() - start) / Double(max(sealed, 1))
  }
}
