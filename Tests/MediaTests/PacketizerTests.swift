import Media
import RTCWire
import Testing

@Suite struct PacketizerTests {
  private func packetizer(_ encoding: MediaEncoding, limit: Int = 1_160, first: UInt16 = 65_530) -> Packetizer {
    Packetizer(encoding: encoding, payloadType: 96, ssrc: 0x1234_5678, payloadLimit: limit, firstSequence: first)
  }

  @Test func keyFrameIsOneAggregateAndEqualFragments() throws {
    var random = SeededGenerator(seed: 1)
    let parameters = nal(0x67, 20, using: &random) + nal(0x68, 6, using: &random) + nal(0x06, 300, using: &random)
    let whole = unit(parameters + nal(0x65, 5_000, using: &random), isKey: true)
    var packetizer = packetizer(.h264)
    let packets = try packetizer.packets(whole, timestamp: 90_000)
    #expect(packets.count == 6)
    #expect(packets.map(\.header.sequence) == [65_530, 65_531, 65_532, 65_533, 65_534, 65_535])
    #expect(packets.map(\.header.marker) == [false, false, false, false, false, true])
    #expect(packets.allSatisfy { $0.header.timestamp == 90_000 && $0.header.ssrc == 0x1234_5678 })
    #expect(packets.allSatisfy { $0.header.payloadType == 96 && $0.header.payloadOffset == 12 })
    #expect(packets[0].payload.first == 0x78)
    let fragments = packets.dropFirst()
    #expect(fragments.allSatisfy { $0.payload.first == 0x7C })
    #expect(Set(fragments.dropLast().map(\.payload.count)).count == 1)
    #expect(fragments.last!.payload.count <= fragments.first!.payload.count)
    #expect(fragments.first!.payload.dropFirst().first == 0x85)
    #expect(fragments.last!.payload.dropFirst().first == 0x45)
    let begins = packets[0].bytes[12...].withUnsafeBytes { startsH264KeyFrame($0) }
    #expect(begins)
    #expect(packetizer.nextSequence == 0)
  }

  @Test(arguments: [2, 1_159, 1_160, 1_161, 1_162, 2_317, 2_318, 40_000])
  func h264ComesBackWhole(size: Int) throws {
    var random = SeededGenerator(seed: UInt64(size))
    let whole = unit(nal(0x41, size, using: &random))
    var packetizer = packetizer(.h264)
    var assembler = AccessUnitAssembler(encoding: .h264)
    let packets = try packetizer.packets(whole, timestamp: 1)
    #expect(packets.allSatisfy { $0.payload.count <= 1_160 })
    var sequence: Int64 = 0
    var units: [EncodedUnit] = []
    for packet in packets {
      units += assembler.add(packet.payload, sequence: sequence, timestamp: 1, marker: packet.header.marker, at: 77)
      sequence += 1
    }
    #expect(units.count == 1)
    #expect(units.first?.bytes == whole.bytes)
    #expect(units.first?.presentationMicroseconds == 77)
    #expect(units.first?.isKeyFrame == false)
    #expect(assembler.incompleteUnits == 0)
  }

  @Test func severalSlicesAndThreeByteStartCodes() throws {
    var random = SeededGenerator(seed: 3)
    let slices = (0..<4).map { _ in nal(0x65, 700, using: &random) }
    let bytes = Array(slices.joined(separator: []).dropFirst())
    let delimiter: [UInt8] = [0, 0, 0, 1, 9, 0xF0]
    var packetizer = packetizer(.h264)
    var assembler = AccessUnitAssembler(encoding: .h264)
    let packets = try packetizer.packets(unit(delimiter + bytes), timestamp: 5)
    #expect(packets.count == 4)
    var units: [EncodedUnit] = []
    for packet in packets { units += assembler.add(packet) }
    #expect(units.map(\.bytes) == [Array(slices.joined())])
    #expect(units.first?.isKeyFrame == true)
  }

  @Test func vp8CarriesADescriptorWithARisingPictureID() throws {
    var random = SeededGenerator(seed: 4)
    let key = unit([0x10, 0, 0] + random.bytes(4_000), .vp8, isKey: true)
    let delta = unit([0x11] + random.bytes(50), .vp8)
    var packetizer = packetizer(.vp8, first: 0x7FFF)
    var assembler = AccessUnitAssembler(encoding: .vp8)
    var units: [EncodedUnit] = []
    var ids: [[UInt16?]] = []
    var sequence: Int64 = 0
    for (index, whole) in [key, delta].enumerated() {
      let packets = try packetizer.packets(whole, timestamp: UInt32(index))
      ids.append(packets.map { packet in Array(packet.payload).withUnsafeBytes { VP8Descriptor($0)?.pictureID } })
      for packet in packets {
        units += assembler.add(
          packet.payload, sequence: sequence, timestamp: UInt32(index), marker: packet.header.marker)
        sequence += 1
      }
    }
    #expect(ids == [[0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF], [0]])
    #expect(units.map(\.bytes) == [key.bytes, delta.bytes])
    #expect(units.map(\.isKeyFrame) == [true, false])
  }

  @Test func opusIsOnePacketWithoutMarker() throws {
    let sound = unit([0xFC] + Array(repeating: 7, count: 120), .opus)
    var packetizer = packetizer(.opus)
    let packets = try packetizer.packets(sound, timestamp: 960)
    #expect(packets.count == 1)
    #expect(packets[0].header.marker == false)
    #expect(Array(packets[0].payload) == sound.bytes)
    #expect(try packetizer.packets(unit(Array(repeating: 0xFC, count: 1_161), .opus), timestamp: 0).isEmpty)
    #expect(packetizer.unusableUnits == 1)
  }

  @Test func smallMemoryIsRefusedAndTheSequenceNumberSpent() {
    var packetizer = packetizer(.opus, first: 9)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 20, alignment: 16)
    defer { memory.deallocate() }
    var written = -1
    packetizer.packetize(unit([0xFC, 1, 2, 3, 4, 5, 6, 7, 8], .opus), timestamp: 0) { fill in written = fill(memory) }
    #expect(written == 0)
    packetizer.packetize(unit([0xFC, 1], .opus), timestamp: 0) { _ in }
    #expect(packetizer.nextSequence == 11)
  }

  @Test func bytesWithoutAnyNALUnitAreCounted() throws {
    var packetizer = packetizer(.h264)
    for bytes: [UInt8] in [[], [0], [0, 0, 1], [0, 0, 0, 1, 0, 0], [5, 5, 5, 5]] {
      #expect(try packetizer.packets(unit(bytes), timestamp: 0).isEmpty)
    }
    #expect(packetizer.unusableUnits == 5)
  }
}
