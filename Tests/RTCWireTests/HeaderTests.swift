// Goal: RTP headers, STUN messages and datagram kinds are read as written. Method: hand-made packets, every truncation.
import RTCWire
import Testing

@Suite struct HeaderTests {
  static let oneByte: [UInt8] =
    [0xB1, 0xE0, 0x12, 0x34, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 0, 7] + [0xBE, 0xDE, 0, 3]
    + [0x40, 0x31, 0x00, 0x22, 1, 2, 3, 0x00, 0xF0, 0x51, 0, 0] + [9, 8, 7, 1]
  static let twoByte: [UInt8] =
    [0x90, 0x60, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4] + [0x10, 0x00, 0, 3] + [20, 1, 7, 0, 3, 0, 21, 4, 1, 2, 3, 4] + [9]

  @Test func oneByteExtensionsAreFound() throws {
    try Self.oneByte.withUnsafeBytes { raw in
      let header = try RTPHeader(raw)
      #expect(header.marker && header.payloadType == 0x60 && header.sequence == 0x1234 && header.timestamp == 9)
      #expect(header.ssrc == 0x0102_0304 && header.hasPadding && header.payloadOffset == 32)
      #expect(findExtension(id: 4, in: raw, header: header).map { Array(raw[$0]) } == [0x31])
      #expect(findExtension(id: 2, in: raw, header: header).map { Array(raw[$0]) } == [1, 2, 3])
      // Id 15 ends the block (RFC 8285 §4.2).
      #expect(findExtension(id: 5, in: raw, header: header) == nil)
      #expect(findExtension(id: 0, in: raw, header: header) == nil)
    }
  }

  @Test func twoByteExtensionsAreFound() throws {
    try Self.twoByte.withUnsafeBytes { raw in
      let header = try RTPHeader(raw)
      #expect(findExtension(id: 20, in: raw, header: header).map { Array(raw[$0]) } == [7])
      #expect(findExtension(id: 3, in: raw, header: header)?.isEmpty == true)
      #expect(findExtension(id: 21, in: raw, header: header).map { Array(raw[$0]) } == [1, 2, 3, 4])
    }
  }

  @Test(arguments: [oneByte, twoByte]) func everyTruncationIsReadOrRefused(packet: [UInt8]) throws {
    let whole = try packet.withUnsafeBytes { try RTPHeader($0).payloadOffset }
    for count in 0..<packet.count {
      Array(packet[0..<count]).withUnsafeBytes { raw in
        guard let header = try? RTPHeader(raw) else { return #expect(count < whole) }
        #expect(count >= whole && header.payloadOffset == whole)
        for id in UInt8.min...UInt8.max { _ = findExtension(id: id, in: raw, header: header) }
      }
    }
  }

  /// RFC 7983 §7 and RFC 5761 §4.
  @Test func datagramsAreToldApart() {
    func kind(_ first: UInt8, _ second: UInt8 = 0, count: Int = 12) -> DatagramKind {
      withBytes([first, second] + [UInt8](repeating: 0, count: count - 2)) { classify($0) }
    }
    #expect(kind(0) == .stun && kind(3) == .stun && kind(4) == .other)
    #expect(kind(20) == .dtls && kind(63) == .dtls && kind(19) == .other)
    #expect(kind(64) == .turnChannel && kind(79) == .turnChannel && kind(80) == .other)
    #expect(kind(128, 96) == .rtp && kind(191, 0xE0) == .rtp && kind(192, 96) == .other)
    #expect(kind(128, 200) == .rtcp && kind(129, 206) == .rtcp && kind(128, 224) == .rtp && kind(128, 191) == .rtp)
    #expect(kind(0, count: 7) == .other)
  }

  @Test func addressesGoThroughXOR() throws {
    let transaction = STUNTransaction(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)
    let texts = ["192.0.2.1", "2001:db8:1234:5678:11:2233:4455:6677"]
    for text in texts {
      let address = try #require(SocketAddress(address: text, port: 32_853))
      var writer = STUNWriter(.success, transaction: transaction)
      writer.addXORMappedAddress(address)
      writer.finishWithoutIntegrity()
      let read = try writer.bytes.withUnsafeBytes { try STUNMessage($0).xorMappedAddress }
      #expect(read == address)
      for count in 0..<writer.bytes.count {
        #expect(throws: WireError.self) {
          try Array(writer.bytes[0..<count]).withUnsafeBytes { _ = try STUNMessage($0) }
        }
      }
    }
  }

  /// RFC 5769 §2.4: a request with long-term credentials, whose name is no ASCII.
  @Test func longTermRequestVector() throws {
    let message = hex(
      """
      000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000
      0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700
      00080014f67024656dd64a3e02b8e0712e85c9a28ca89666
      """)
    try message.withUnsafeBytes { raw in
      let parsed = try STUNMessage(raw)
      #expect(parsed.username.flatMap { String(validating: $0, as: UTF8.self) } == "マトリックス")
      #expect(parsed.messageClass == .request && parsed.integrityOffset == message.count - 24)
      // REALM and NONCE are not ICE's: required to be understood and not known (RFC 8489 §6.3.1).
      #expect(parsed.unknownRequired == [0x0015, 0x0014])
    }
    for count in 0..<message.count {
      #expect(throws: WireError.self) { try Array(message[0..<count]).withUnsafeBytes { _ = try STUNMessage($0) } }
    }
  }

  private func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8.filter { $0 > 32 })
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0
    }
  }

  @Test func clocksBeforeAndAfterTheEpochsConvert() {
    for microseconds in [Int64(-1), -1_500_000, 0, 1, 1_700_000_000_123_456, -2_208_988_799_999_999] {
      let back = NTPTime(unixMicroseconds: microseconds).unixMicroseconds
      #expect(back == microseconds)
    }
  }
}
