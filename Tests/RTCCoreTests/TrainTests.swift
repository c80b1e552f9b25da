// Goal: a real publisher's pictures leave as whole trains, and nothing of them is changed. Method: the packet sizes and
// times of a Chromium, recorded once (Tests/Fixtures), through a core; receivers open and compare every payload.
import Foundation
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct TrainTests {
  private struct Packet {
    var microseconds: Int64
    var sequence: Int64
    var timestamp: UInt32
    var isLast: Bool
    var byteCount: Int

    /// H.264 without a key frame but at the start; the rest tells this packet from all others.
    var payload: [UInt8] {
      var random = UInt64(sequence) &+ 1
      var bytes = (0..<byteCount).map { _ in
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: random >> 56)
      }
      bytes[0] = sequence == 0 ? 0x67 : 0x41
      return bytes
    }
  }

  /// Pictures of the recording, each a list of its packets.
  private static func pictures() throws -> [[Packet]] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/chromium-h264-packets.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    let packets = try lines.map { line in
      let fields = line.split(separator: ",").compactMap { Int64($0) }
      try #require(fields.count == 5)
      return Packet(
        microseconds: fields[0], sequence: fields[1], timestamp: UInt32(fields[2]), isLast: fields[3] == 1,
        byteCount: Int(fields[4]))
    }
    var pictures: [[Packet]] = [[]]
    for packet in packets {
      pictures[pictures.count - 1].append(packet)
      if packet.isLast { pictures.append([]) }
    }
    pictures.removeLast()
    return pictures
  }

  /// Transport-wide feedback of what a site has had since the last, as a browser sends it.
  private static func acknowledge(_ bench: CoreBench, _ site: CoreBench.FarEnd, from first: inout Int) throws {
    let numbers = site.rtp[first...].compactMap { packet in
      packet.bytes.withUnsafeBytes { bytes in
        findExtension(id: 3, in: bytes, header: packet.header).map {
          UInt16(bytes[$0.lowerBound]) << 8 | UInt16(bytes[$0.lowerBound + 1])
        }
      }
    }
    try #require(numbers.count == site.rtp.count - first)
    guard let base = numbers.first else { return }
    first = site.rtp.count
    let time = bench.now.monotonic.microseconds
    let offset = Int16(time % 64_000 / 250)
    try bench.report(site) { writer in
      try writer.transportFeedback(
        sender: 77, media: 900, baseSequence: base, referenceTime64ms: Int32(time / 64_000), feedbackCount: 0,
        statuses: numbers.indices.map { .received(delta250us: $0 == 0 ? offset : 0) })
    }
  }

  /// Twice the recording, until the lines are known to carry it; then once more, looked at.
  @Test(arguments: [1, 5]) func picturesOfABrowserLeaveAsTrains(receivers: Int) throws {
    let pictures = try Self.pictures()
    let packets = pictures.joined().map { $0 }
    try #require(pictures.count > 200 && packets.count > 5 * pictures.count)
    let bench = CoreBench()
    bench.core.coalescing = .milliseconds(5)
    let lead = RelayCoreTests.publisher(bench)
    let sites = (0..<receivers).map { _ in RelayCoreTests.receiver(bench) }
    var acknowledged = sites.map { _ in 0 }
    var starts = sites.map { _ in 0 }
    for round in 0..<3 {
      bench.trains = []
      starts = sites.map(\.rtp.count)
      var passed: Int64 = 0
      for picture in pictures {
        let due = picture[0].microseconds / 1_000
        bench.pass(milliseconds: due - passed)
        passed = due
        for packet in picture {
          bench.send(
            lead, type: 102, sequence: packet.sequence + Int64(1_000 + round * packets.count),
            timestamp: packet.timestamp &+ UInt32(round) &* 1_000_000, ssrc: 10, mid: "1", payload: packet.payload,
            isLast: packet.isLast)
        }
        for (place, site) in sites.enumerated() { try Self.acknowledge(bench, site, from: &acknowledged[place]) }
      }
      bench.pass(milliseconds: 100)
    }
    for (site, start) in zip(sites, starts) {
      #expect(site.rtp[start...].map(\.payload) == packets.map(\.payload))
      #expect(site.rtp[start...].map(\.header.marker) == packets.map(\.isLast))
    }
    let meanTrain = Double(bench.trains.reduce(0) { $0 + $1.segmentCount }) / Double(max(bench.trains.count, 1))
    let packetsOfPicture = Double(packets.count) / Double(pictures.count)
    #expect(meanTrain >= 0.9 * packetsOfPicture, "\(meanTrain) of \(packetsOfPicture)")
    #expect(bench.finish())
  }
}
