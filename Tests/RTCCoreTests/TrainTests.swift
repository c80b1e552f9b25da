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

  @Test(arguments: [1, 5]) func picturesOfABrowserLeaveAsTrains(receivers: Int) throws {
    let pictures = try Self.pictures()
    let packets = pictures.joined().map { $0 }
    try #require(pictures.count > 200 && packets.count > 5 * pictures.count)
    let bench = CoreBench()
    bench.core.coalescing = .milliseconds(5)
    let lead = RelayCoreTests.publisher(bench)
    let sites = (0..<receivers).map { _ in RelayCoreTests.receiver(bench) }
    bench.trains = []
    var passed: Int64 = 0
    for picture in pictures {
      let due = picture[0].microseconds / 1_000
      bench.pass(milliseconds: due - passed)
      passed = due
      for packet in picture {
        bench.send(
          lead, type: 102, sequence: packet.sequence + 1_000, timestamp: packet.timestamp, ssrc: 10, mid: "1",
          payload: packet.payload, isLast: packet.isLast)
      }
    }
    bench.pass(milliseconds: 500)
    for site in sites {
      #expect(site.rtp.map(\.payload) == packets.map(\.payload))
      #expect(site.rtp.map(\.header.marker) == packets.map(\.isLast))
    }
    let meanTrain = Double(bench.trains.reduce(0) { $0 + $1.segmentCount }) / Double(max(bench.trains.count, 1))
    let packetsOfPicture = Double(packets.count) / Double(pictures.count)
    #expect(meanTrain >= 0.9 * packetsOfPicture, "\(meanTrain) of \(packetsOfPicture)")
    #expect(bench.finish())
  }
}
