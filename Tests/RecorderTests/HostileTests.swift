import Foundation
import PacketRing
import Recorder
import Testing

/// Whatever a segment's bytes are, reading yields whole records that were written, and never traps.
@Suite struct HostileTests {
  /// A segment made by the core alone: no thread, no clock.
  static func segment(packets: Int64) -> [UInt8] {
    var core = LogWriterCore(instance: 9)
    let batch = LogBatch()
    let arena = SlotArena(slotCount: 256)
    defer { arena.unmap() }
    core.beginSegment(1, salt: 0x1234_5678, wall: 1_700_000_000_000_000)
    let start = RunStart(monotonic: 1_000_000, wall: 1_700_000_000_000_000, boot: LogIdentity(high: 1, low: 2))
    let place = core.open(camera, start: start)!
    core.declare(LoggedTrack(number: 2, isVideo: true, encoding: .h264, clockRate: 90_000), feed: place)
    var bytes: [UInt8] = []
    var number: Int64 = 0
    while number < packets {
      batch.reset()
      core.addGaps(to: batch, now: number * 5_000)
      for slot in 0..<UInt32(16) where number < packets {
        var packet = Expected(track: 2, number: number)
        packet.payload = Array(packet.payload.prefix(90))
        let record = packet.write(to: arena, slot: SlotIndex(rawValue: slot))
        core.add(
          record, slot: arena.bytes(record.slot, count: record.byteCount), feed: place, to: batch, now: number * 5_000)
        // Every tenth packet never comes.
        number += number % 10 == 8 ? 2 : 1
      }
      bytes += batch.bytes()
      core.settle(batch, written: batch.byteCount, failure: .diskError)
    }
    batch.reset()
    core.addEnd(feed: place, to: batch, now: number * 5_000)
    bytes += batch.bytes()
    core.settle(batch, written: batch.byteCount, failure: .diskError)
    precondition(core.position == Int64(bytes.count) && core.isEnded(place))
    return bytes
  }

  /// Reads a segment with these bytes; the numbers of its packets, each checked against what was written.
  static func read(_ bytes: [UInt8], in folder: Folder) throws -> (numbers: [Int64], found: FoundFeed?) {
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/segment-00000001.log"))
    guard let found = try LessonLog.scan(folder: folder.path).first else { return ([], nil) }
    let replayed = Replayed(folder.path, found)
    for packet in replayed.packets {
      var expected = Expected(track: 2, number: packet.extendedSequence - 65_536)
      expected.payload = Array(expected.payload.prefix(90))
      #expect(packet == expected)
    }
    return (replayed.packets.map { $0.extendedSequence - 65_536 }, found)
  }

  static func numbers(_ packets: Int64) -> [Int64] { (0..<packets).filter { $0 % 10 != 9 } }

  @Test func theUndamagedSegmentIsWhole() throws {
    let folder = Folder(isInMemory: true)
    let (numbers, found) = try Self.read(Self.segment(packets: 60), in: folder)
    #expect(numbers == Self.numbers(60))
    #expect(found?.state == .complete)
    #expect(found?.gaps ?? 0 > 0)
    #expect(found?.damagedBytes == 0)
  }

  @Test func everyTruncationReadsAsAPrefix() throws {
    let folder = Folder(isInMemory: true)
    let bytes = Self.segment(packets: 40)
    let all = Self.numbers(40)
    var seen: Set<Int> = []
    for length in 0..<bytes.count {
      let (numbers, found) = try Self.read(Array(bytes.prefix(length)), in: folder)
      #expect(numbers == Array(all.prefix(numbers.count)))
      // Padding at the very end is not missed.
      if length < bytes.count - 8 { #expect(found?.state != .complete) }
      seen.insert(numbers.count)
      // The rest of the set-aside space: zeros.
      if length % 7 == 0 {
        let padded = Array(bytes.prefix(length)) + [UInt8](repeating: 0, count: 5_000)
        #expect(try Self.read(padded, in: folder).numbers.count >= numbers.count)
      }
    }
    #expect(seen.count == all.count + 1)
  }

  @Test func flippedBytesCostOnlyTheRecordsTheyAreIn() throws {
    let folder = Folder(isInMemory: true)
    let bytes = Self.segment(packets: 40)
    let all = Self.numbers(40)
    var generator = SeededGenerator(seed: 3)
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= UInt8(1 << (generator.next() % 8))
      let (numbers, found) = try Self.read(damaged, in: folder)
      #expect(numbers.count >= (place < 300 ? 0 : all.count - 1))
      #expect(Set(numbers).isSubset(of: all))
      // One of the header's copies is enough.
      if place < 128 { #expect(found?.packets == UInt64(all.count)) }
    }
  }

  @Test(arguments: 0..<200) func noiseNeverTraps(seed: Int) throws {
    let folder = Folder(isInMemory: true)
    var generator = SeededGenerator(seed: UInt64(seed))
    var bytes = Self.segment(packets: 60)
    switch seed % 4 {
    case 0:
      for _ in 0..<20 {
        bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
      }
    case 1:
      let from = Int(generator.next() % UInt64(bytes.count))
      bytes.removeSubrange(from..<min(bytes.count, from + 1 + Int(generator.next() % 500)))
    case 2:
      // A block of another place, as a failing disk may give.
      let from = Int(generator.next() % UInt64(bytes.count / 2))
      let to = Int(generator.next() % UInt64(bytes.count / 2))
      let block = Array(bytes[from..<from + bytes.count / 3])
      bytes.replaceSubrange(to..<to + block.count, with: block)
    default: bytes = (0..<bytes.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }
    let (numbers, _) = try Self.read(bytes, in: folder)
    #expect(Set(numbers).isSubset(of: Self.numbers(60)))
  }

  /// A payload that looks like records of the log must not become one, even behind damage.
  @Test func aPayloadIsNeverTakenForARecord() throws {
    let folder = Folder(isInMemory: true)
    let forged = Self.segment(packets: 20)
    var core = LogWriterCore(instance: 1)
    let batch = LogBatch()
    let arena = SlotArena(slotCount: 4)
    defer { arena.unmap() }
    core.beginSegment(1, salt: 0x0BAD_CAFE, wall: 0)
    let place = core.open(screen, start: RunStart(monotonic: 0, wall: 0, boot: lesson))!
    var packet = Expected(track: 2, number: 1)
    // Aligned as a record of its own would be: the packet's header has 40 bytes.
    packet.payload = Array(forged.dropFirst(128).prefix(1_400))
    let record = packet.write(to: arena, slot: SlotIndex(rawValue: 0))
    core.add(record, slot: arena.bytes(record.slot, count: record.byteCount), feed: place, to: batch, now: 0)
    var bytes = batch.bytes()
    // The header of the packet's record is damaged, so reading looks for records inside it.
    let packetStart = bytes.count - 1_440
    bytes[packetStart + 4] ^= 0xFF
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/segment-00000001.log"))
    let found = try LessonLog.scan(folder: folder.path)
    #expect(found.map(\.feed) == [screen])
    #expect(found.first?.packets == 0)
    #expect(found.first?.damagedBytes ?? 0 >= 1_400)
  }

  /// Records whose checksums are right and whose fields are not.
  @Test(arguments: 0..<100) func forgedRecordsNeverTrap(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var rows: [UInt8] = []
    for _ in 0..<60 {
      let kind = UInt8(generator.next() % 8)
      let count = Int(generator.next() % 120)
      var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 7) }
      // A name that ends with its record, and one that does not.
      if kind <= 2, count > 53, generator.next() % 4 > 0 { bytes[52] = UInt8(count - 53) }
      if generator.next() % 3 == 0 { for place in bytes.indices.prefix(16) { bytes[place] = 0xFF } }
      rows += [kind, 0, UInt8(count), UInt8(generator.next() % 3) << 4 | UInt8(generator.next() % 3)] + bytes
    }
    var seen = 0
    rows.withUnsafeBytes { seen = countPackets(ofForgedSegment: $0) }
    #expect(seen >= 0)
    for count in stride(from: 0, to: rows.count, by: 37) {
      Array(rows.prefix(count)).withUnsafeBytes { seen = min(seen, countPackets(ofForgedSegment: $0)) }
    }
    #expect(seen == 0)
  }

  @Test func forgedRecordsAreRead() {
    var start = [UInt8](repeating: 1, count: 53) + Array("cam".utf8)
    start[52] = 3
    let packet = [UInt8](repeating: 2, count: 40)
    let rows = [1, 0, UInt8(start.count), 0x10] + start + [4, 0, 40, 0x11] + packet + [4, 0, 40, 0x21] + packet
    // Of the two packets, one is of a feed that nobody announced.
    let seen = rows.withUnsafeBytes { countPackets(ofForgedSegment: $0) }
    #expect(seen == 1)
  }

  @Test func otherFilesAndDamagedListsAreNoObstacle() throws {
    let folder = Folder(isInMemory: true)
    for name in ["segment-1.log", "segment-0000000g.log", "notes.txt", "segment-00000001.log.bak"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }
    try Data((0..<4_000).map { UInt8(truncatingIfNeeded: $0 * 37) })
      .write(to: URL(fileURLWithPath: folder.path + "/released"))
    let (numbers, _) = try Self.read(Self.segment(packets: 20), in: folder)
    #expect(numbers == Self.numbers(20))
    #expect(throws: RecorderError.cannotRead(errno: ENOENT)) { try LessonLog.scan(folder: folder.path + "/none") }
  }
}
