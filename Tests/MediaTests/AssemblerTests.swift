import Media
import RTCWire
import Testing

@Suite struct AssemblerTests {
  /// Packets of a stream of mixed units, sequence numbers from 0.
  private func stream(
    _ encoding: MediaEncoding, count: Int, using random: inout SeededGenerator
  ) throws -> (units: [EncodedUnit], packets: [Received]) {
    var packetizer = Packetizer(encoding: encoding, payloadType: 96, ssrc: 1, firstSequence: 0)
    var units: [EncodedUnit] = []
    var packets: [Received] = []
    for index in 0..<count {
      let isKey = index % 10 == 0
      let size = Int.random(in: 30...6_000, using: &random)
      let bytes: [UInt8]
      switch encoding {
      case .h264:
        bytes =
          isKey
          ? nal(0x67, 12, using: &random) + nal(0x68, 5, using: &random) + nal(0x65, size, using: &random)
          : nal(0x41, size, using: &random)
      case .vp8: bytes = [isKey ? 0x10 : 0x11] + random.bytes(size)
      case .opus: bytes = [0xFC] + random.bytes(size % 200)
      }
      let whole = unit(bytes, encoding, at: Int64(index) * 40_000, isKey: isKey || encoding == .opus)
      units.append(whole)
      packets += try packetizer.packets(whole, timestamp: UInt32(index))
    }
    return (units, packets)
  }

  private func run(_ assembler: inout AccessUnitAssembler, _ packets: [Received]) -> [EncodedUnit] {
    var units: [EncodedUnit] = []
    for packet in packets { units += assembler.add(packet, at: Int64(packet.header.timestamp) * 40_000) }
    return units + assembler.flush()
  }

  private func same(_ first: [EncodedUnit], _ second: [EncodedUnit]) -> Bool {
    first.map(\.bytes) == second.map(\.bytes) && first.map(\.isKeyFrame) == second.map(\.isKeyFrame)
      && first.map(\.presentationMicroseconds) == second.map(\.presentationMicroseconds)
  }

  @Test(arguments: [MediaEncoding.h264, .vp8, .opus], [1, 2, 3, 4, 5] as [UInt64])
  func reorderingAndDuplicatesChangeNothing(encoding: MediaEncoding, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let (units, packets) = try stream(encoding, count: 60, using: &random)
    // Each packet is delayed by up to 8 places; the first stays, because a stream begins with what comes first.
    var order = packets.indices.map { ($0, $0 == 0 ? -1 : $0 + Int.random(in: 0...8, using: &random)) }
    order.sort { $0.1 < $1.1 }
    var shuffled = order.map { packets[$0.0] }
    for _ in 0..<20 {
      let place = Int.random(in: 1..<shuffled.count, using: &random)
      shuffled.insert(shuffled[place], at: min(place + 3, shuffled.count))
    }
    var assembler = AccessUnitAssembler(encoding: encoding)
    #expect(same(run(&assembler, shuffled), units))
    #expect(assembler.incompleteUnits == 0)
    #expect(assembler.latePayloads == 20)
    #expect(assembler.malformedPayloads == 0)
  }

  @Test(arguments: [MediaEncoding.h264, .vp8, .opus])
  func oneLostPacketCostsItsUnitOnly(encoding: MediaEncoding) throws {
    var random = SeededGenerator(seed: 11)
    let (units, packets) = try stream(encoding, count: 25, using: &random)
    for lost in 1..<packets.count - 1 {
      var rest = packets
      let victim = Int64(rest.remove(at: lost).header.timestamp) * 40_000
      var assembler = AccessUnitAssembler(encoding: encoding)
      let whole = run(&assembler, rest)
      let expected = units.filter { $0.presentationMicroseconds != victim }
      // Parameter sets in a packet of their own can be lost and leave a whole picture.
      let hasOnlyLostParameters = whole.count == units.count && encoding == .h264
      #expect(same(whole, expected) || hasOnlyLostParameters)
      #expect(assembler.incompleteUnits == 1)
    }
  }

  @Test func missingPacketsAreGivenUpAfterTheBound() throws {
    var assembler = AccessUnitAssembler(encoding: .opus, reorderLimit: 4, patienceMicroseconds: 100_000)
    #expect(assembler.add([0xFC, 1], sequence: 0, at: 0).count == 1)
    for sequence in 2...5 { #expect(assembler.add([0xFC, 2], sequence: Int64(sequence), at: 0).isEmpty) }
    #expect(assembler.add([0xFC, 2], sequence: 6, at: 0).count == 5)
    #expect(assembler.incompleteUnits == 1)
    #expect(assembler.add([0xFC, 1], sequence: 1, at: 0).isEmpty)
    #expect(assembler.latePayloads == 1)
    #expect(assembler.add([0xFC, 1], sequence: 8, at: 20_000).isEmpty)
    #expect(assembler.add([0xFC, 1], sequence: 9, at: 120_001).count == 2)
    #expect(assembler.incompleteUnits == 2)
  }

  @Test func aStreamJoinedInTheMiddleOfAPictureLosesNothing() throws {
    var random = SeededGenerator(seed: 5)
    let (units, packets) = try stream(.h264, count: 12, using: &random)
    let second = try #require(packets.firstIndex { $0.payload.first == 0x7C && $0.payload.dropFirst().first == 0x05 })
    var assembler = AccessUnitAssembler(encoding: .h264)
    let whole = run(&assembler, Array(packets[second...]))
    #expect(same(whole, Array(units.dropFirst(units.count - whole.count))))
    #expect(whole.count >= units.count - 11)
    #expect(assembler.incompleteUnits == 0)
  }

  @Test func aNewTimestampEndsAUnitWithoutMarker() {
    var assembler = AccessUnitAssembler(encoding: .h264)
    #expect(assembler.add([0x41, 0x88, 1], sequence: 0, timestamp: 1).isEmpty)
    let units = assembler.add([0x41, 0x88, 2], sequence: 1, timestamp: 2)
    #expect(units.map(\.bytes) == [[0, 0, 0, 1, 0x41, 0x88, 1]])
    #expect(assembler.flush().isEmpty)
    #expect(assembler.incompleteUnits == 1)
  }

  @Test func paddingKeepsTheSequence() {
    var assembler = AccessUnitAssembler(encoding: .h264)
    #expect(assembler.add([0x41, 0x88, 1], sequence: 0, marker: true).count == 1)
    #expect(assembler.add([], sequence: 1, timestamp: 0).isEmpty)
    #expect(assembler.add([0x41, 0x88, 2], sequence: 2, timestamp: 9, marker: true).count == 1)
    #expect(assembler.incompleteUnits == 0)
  }

  @Test(
    arguments: [
      [0x78], [0x78, 0, 5, 0x67], [0x78, 0, 0, 0x67], [0x78, 0, 1, 0x67, 0], [0x7C], [0x7C, 0x85], [0x7C, 0x05, 1],
      [0x00, 1], [0x7D, 1, 2, 3], [0x1F, 1],
    ] as [[UInt8]])
  func malformedH264IsDroppedAndTheStreamGoesOn(payload: [UInt8]) {
    var assembler = AccessUnitAssembler(encoding: .h264)
    #expect(assembler.add([0x41, 0x88, 1], sequence: 0, timestamp: 0, marker: true).count == 1)
    #expect(assembler.add(payload, sequence: 1, timestamp: 1, marker: true).isEmpty)
    #expect(assembler.add([0x41, 0x88, 2], sequence: 2, timestamp: 2, marker: true).count == 1)
    #expect(assembler.incompleteUnits == 1)
  }

  @Test(arguments: [MediaEncoding.h264, .vp8, .opus])
  func truncationAtEveryLengthNeverTraps(encoding: MediaEncoding) throws {
    var random = SeededGenerator(seed: 21)
    let packets = try stream(encoding, count: 11, using: &random).packets
    for packet in packets {
      for length in 0...packet.payload.count {
        var assembler = AccessUnitAssembler(encoding: encoding)
        let units = assembler.add(packet.payload.prefix(length), sequence: .max - 1, timestamp: 1, marker: true)
        #expect(units.allSatisfy { $0.bytes.count <= length + 64 })
      }
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededGenerator(seed: 33)
    for round in 0..<3_000 {
      var bytes = random.bytes(Int.random(in: 0...400, using: &random))
      // Half of them lean towards the kinds of payload that are taken apart.
      if round % 2 == 0 {
        for place in stride(from: 6, to: bytes.count, by: 23) { bytes[place] = [0x78, 0x7C, 0x90, 0xFC][place % 4] }
      }
      let count = bytes.withUnsafeBytes { countUnits(ofPackets: $0) }
      #expect(count <= bytes.count)
    }
    for encoding in [MediaEncoding.h264, .vp8, .opus] {
      var assembler = AccessUnitAssembler(encoding: encoding, reorderLimit: 8)
      for _ in 0..<20_000 {
        let sequence =
          Bool.random(using: &random)
          ? Int64.random(in: 0...200, using: &random) : .random(in: .min ... .max, using: &random)
        _ = assembler.add(
          random.bytes(Int.random(in: 0...40, using: &random)), sequence: sequence,
          timestamp: .random(in: 0...3, using: &random), marker: .random(using: &random),
          at: .random(in: .min ... .max, using: &random))
      }
      _ = assembler.flush()
    }
  }

  @Test func unitsHaveALimit() {
    var assembler = AccessUnitAssembler(encoding: .h264)
    let part = Array(repeating: UInt8(0x88), count: 60_000)
    var units = assembler.add([0x7C, 0x85] + part, sequence: 0, timestamp: 1)
    for sequence in 1..<80 { units += assembler.add([0x7C, 0x05] + part, sequence: Int64(sequence), timestamp: 1) }
    units += assembler.add([0x7C, 0x45] + part, sequence: 80, timestamp: 1, marker: true)
    #expect(units.isEmpty)
    #expect(assembler.incompleteUnits == 1)
  }
}
