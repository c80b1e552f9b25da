// Goal: every RTCP writer's packet reads back as what was written, and no cut of it upsets the reader.
import RTCWire
import Testing

private func written(_ body: (inout RTCPWriter) throws -> Void) rethrows -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 1_500)
  let count = try bytes.withUnsafeMutableBytes { buffer in
    var writer = RTCPWriter(buffer)
    try body(&writer)
    return writer.count
  }
  return Array(bytes.prefix(count))
}

private func read(_ bytes: [UInt8], _ body: (RTCPPacket) -> Void) throws {
  try bytes.withUnsafeBytes { for packet in try RTCPPackets(validating: $0) { body(packet) } }
}

@Suite struct RTCPTests {
  static let block = ReportBlock(
    ssrc: 7, fractionLost: 3, cumulativeLost: -5, highestSequence: 99, jitter: 4, lastSR: 12, delaySinceLastSR: 34)

  @Test func senderReportRoundTrip() throws {
    let bytes = try written {
      try $0.senderReport(
        ssrc: 1, ntp: NTPTime(rawValue: 0x0102_0304_0506_0708), rtp: 9, packetCount: 10, octetCount: 11,
        blocks: [Self.block])
      try $0.sdesCNAME(ssrc: 1, cname: "relay")
      try $0.bye(ssrcs: [1, 2], reason: "done")
    }
    var kinds = 0
    try read(bytes) { packet in
      kinds += 1
      switch packet {
      case .senderReport(let report):
        #expect(report.ssrc == 1 && report.ntp.rawValue == 0x0102_0304_0506_0708 && report.rtp == 9)
        #expect(report.packets == 10 && report.octets == 11)
        #expect(Array(report.reports) == [Self.block])
      case .sourceDescription: break
      case .bye(let sources): #expect(Array(sources) == [1, 2])
      default: Issue.record("unexpected packet")
      }
    }
    #expect(kinds == 3)
  }

  @Test func nackFoldsAndUnfoldsAcrossTheWrap() throws {
    let lost: [UInt16] = [65_530, 65_531, 65_535, 0, 10, 11, 300]
    let bytes = try written { try $0.nack(sender: 1, media: 2, sequences: lost) }
    var seen: [UInt16] = []
    try read(bytes) { packet in
      guard case .nack(1, 2, let items) = packet else { return }
      seen = Array(items)
    }
    #expect(seen == lost)
  }

  @Test(arguments: [UInt64(30_000), 2_500_000, 262_143, 1_000_000_000])
  func rembKeepsItsMantissa(rate: UInt64) throws {
    let bytes = try written { try $0.remb(sender: 1, bitsPerSecond: rate, ssrcs: [5, 6]) }
    var found = false
    try read(bytes) { packet in
      guard case .remb(let bits, let sources) = packet else { return }
      found = true
      #expect(bits <= rate && Double(bits) > Double(rate) * 0.9999)
      #expect(Array(sources) == [5, 6])
    }
    #expect(found)
  }

  @Test func transportFeedbackKeepsEveryStatus() throws {
    let statuses: [TransportStatus] = [
      .received(delta250us: 0), .lost, .received(delta250us: 255), .received(delta250us: 256), .lost,
      .received(delta250us: -3), .received(delta250us: 9), .lost, .lost, .received(delta250us: 1_000),
    ]
    let bytes = try written {
      try $0.transportFeedback(
        sender: 1, media: 2, baseSequence: 65_534, referenceTime64ms: 77, feedbackCount: 3, statuses: statuses)
    }
    var items: [TransportFeedback.Item] = []
    try read(bytes) { packet in
      guard case .transportFeedback(let feedback) = packet else { return }
      #expect(feedback.referenceTime == 77 && feedback.feedbackCount == 3)
      items = Array(feedback)
    }
    #expect(items.count == statuses.count)
    for (index, status) in statuses.enumerated() where index < items.count {
      #expect(items[index].sequence == 65_534 &+ UInt16(index))
      if case .received(let delta) = status {
        #expect(items[index].isReceived && items[index].deltaMicroseconds == Int64(delta) * 250)
      } else {
        #expect(!items[index].isReceived)
      }
    }
  }

  @Test func everyTruncationIsReadOrRefused() throws {
    let bytes = try written {
      try $0.senderReport(
        ssrc: 1, ntp: NTPTime(rawValue: 1), rtp: 9, packetCount: 1, octetCount: 1, blocks: [Self.block])
      try $0.nack(sender: 1, media: 2, sequences: [1, 5, 90])
      try $0.transportFeedback(
        sender: 1, media: 2, baseSequence: 3, referenceTime64ms: 1, feedbackCount: 0,
        statuses: [.received(delta250us: 300), .lost])
      try $0.fullIntraRequest(sender: 1, media: 2, sequenceNumber: 8)
    }
    // Whole packets may be cut off at the end; anything else must be refused.
    var ends: Set<Int> = []
    var offset = 0
    while offset < bytes.count {
      offset += (Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3]) + 1) * 4
      ends.insert(offset)
    }
    for count in 0..<bytes.count { #expect(Self.consume(Array(bytes.prefix(count))) == ends.contains(count)) }
  }

  /// Whether the bytes were accepted; reads everything in them.
  static func consume(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { raw in
      guard let packets = try? RTCPPackets(validating: raw) else { return false }
      for packet in packets {
        switch packet {
        case .senderReport(let report): for _ in report.reports {}
        case .receiverReport(_, let blocks): for _ in blocks {}
        case .nack(_, _, let items): for _ in items {}
        case .transportFeedback(let feedback): for _ in feedback {}
        case .fullIntraRequest(_, let entries): for _ in entries {}
        case .remb(_, let sources): for _ in sources {}
        case .bye(let sources): for _ in sources {}
        default: break
        }
      }
      return true
    }
  }
}
