import Foundation
import PacketRing
import Recorder

/// A deterministic generator, so that a failing test names the seed that repeats it.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// A folder that goes with the test.
final class Folder: Sendable {
  let path: String

  /// - Parameter isInMemory: for thousands of small files, where the system has such a place.
  init(isInMemory: Bool = false) {
    let hasMemory = FileManager.default.isWritableFile(atPath: "/dev/shm")
    let parent = isInMemory && hasMemory ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    path = parent + "/recorder-" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  var segments: [String] {
    (try! FileManager.default.contentsOfDirectory(atPath: path)).filter { $0.hasPrefix("segment-") }.sorted()
  }
}

/// What is expected of a packet, made from its number alone.
struct Expected: Equatable, Hashable {
  var track: UInt32
  var extendedSequence: Int64
  var lessonTime: Int64
  var timestamp: UInt32
  var payloadType: UInt8
  var flags: UInt8
  var audioLevel: UInt8
  var payload: [UInt8]

  init(track: UInt32, number: Int64) {
    self.track = track
    extendedSequence = 65_536 + number
    lessonTime = 1_000_000 + number * 5_000
    timestamp = UInt32(truncatingIfNeeded: 4_294_960_000 + number * 450)
    payloadType = track % 2 == 0 ? 96 : 111
    flags = number % 4 == 3 ? 1 : 0
    audioLevel = UInt8(number % 128)
    var generator = SeededGenerator(seed: UInt64(track) << 32 | UInt64(number))
    // From nothing to a full datagram.
    let count = number % 50 == 0 ? 0 : Int(generator.next() % 1_400)
    payload = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  init(_ packet: LoggedPacket) {
    track = packet.track
    extendedSequence = packet.extendedSequence
    lessonTime = packet.lessonTime
    timestamp = packet.timestamp
    payloadType = packet.payloadType
    flags = packet.flags.rawValue
    audioLevel = packet.audioLevel
    payload = Array(packet.payload)
  }

  /// Fills a slot with the whole RTP packet and says what a worker's lease of it would say.
  func write(to arena: SlotArena, slot: SlotIndex, headerBytes: Int = 12) -> PacketRecord {
    let bytes = arena.pointer(slot)
    // Not zero: a header that found its way into the log would show.
    bytes.initializeMemory(as: UInt8.self, repeating: 0xEE, count: headerBytes)
    (bytes + headerBytes).copyMemory(from: payload, byteCount: payload.count)
    return PacketRecord(
      extendedSequence: extendedSequence, lessonTime: lessonTime, slot: slot, timestamp: timestamp,
      stream: UInt16(truncatingIfNeeded: track), payloadOffset: UInt8(headerBytes),
      flags: PacketFlags(rawValue: flags),
      payloadByteCount: UInt16(payload.count), payloadType: payloadType, audioLevel: audioLevel)
  }
}

/// The worker's side of a sink: lends packets and takes them back, never waiting.
final class Lender {
  let arena: SlotArena
  var ledger: SlotLedger
  var leases: LaneProducer<PacketRecord>
  var returns: LaneConsumer<SlotIndex>
  private(set) var dropped = 0
  private(set) var lent = 0
  private(set) var returned = 0

  /// The lender, already known to the recorder.
  init(_ feed: RecordedFeed, to recorder: LessonRecorder, capacity: Int, slots: Int = 4_096) {
    let arena = SlotArena(slotCount: slots)
    let leases = makeLane(of: PacketRecord.self, capacity: capacity)
    let returns = makeLane(of: SlotIndex.self, capacity: capacity * 2 + LogBatch.packetLimit)
    let isStarted = recorder.start(feed, leases: leases.consumer, returns: returns.producer, arena: arena)
    precondition(isStarted, "the recorder refused the feed")
    self.arena = arena
    ledger = SlotLedger(slotCount: slots)
    self.leases = leases.producer
    self.returns = returns.consumer
  }

  func takeBack() {
    while let slot = returns.pop() {
      // The worker may use the slot for another packet at once.
      arena.pointer(slot).initializeMemory(as: UInt8.self, repeating: 0xDD, count: arena.stride)
      ledger.release(slot)
      returned += 1
    }
  }

  /// False when it was dropped at hand-off.
  @discardableResult
  func lend(_ packet: Expected, headerBytes: Int = 12) -> Bool {
    takeBack()
    guard let slot = ledger.claim() else {
      dropped += 1
      return false
    }
    guard leases.push(packet.write(to: arena, slot: slot, headerBytes: headerBytes)) else {
      ledger.release(slot)
      dropped += 1
      return false
    }
    lent += 1
    return true
  }

  /// Waits until nothing is lent, at most five seconds.
  func settle() -> Bool {
    for _ in 0..<1_000 {
      takeBack()
      if returned == lent { return true }
      usleep(5_000)
    }
    return false
  }
}

let lesson = LogIdentity(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
let camera = RecordedFeed(lesson: lesson, name: "camera", number: 0)
let screen = RecordedFeed(lesson: lesson, name: "screen", number: 1)

extension LessonRecorder {
  func finish(_ feed: RecordedFeed) async -> FeedSummary {
    await withCheckedContinuation { continuation in
      finish(feed) { continuation.resume(returning: $0) }
    }
  }
}

/// A feed's log as values.
struct Replayed {
  var packets: [Expected] = []
  var gaps: [LoggedGap] = []
  var tracks: [LoggedTrack] = []
  var starts = 0
  var ends = 0

  init(_ folder: String, _ found: FoundFeed) {
    LessonLog(folder: folder).replay(found) { record in
      switch record {
      case .start: starts += 1
      case .track(_, let track): tracks.append(track)
      case .packet(let packet): packets.append(Expected(packet))
      case .gap(_, let gap): gaps.append(gap)
      case .end: ends += 1
      }
    }
  }
}

/// Waits for a condition, at most `seconds`.
func eventually(_ seconds: Double = 10, _ condition: () -> Bool) async -> Bool {
  for _ in 0..<Int(seconds * 200) {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return condition()
}
