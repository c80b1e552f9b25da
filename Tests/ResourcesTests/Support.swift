import Classroom
import Foundation
import Ledger
import Media
import PacketRing
import Recorder
import Resources
import Synchronization

/// A data folder with a ledger, a lesson that ended, and logs, that goes with the test.
final class DataFolder: Sendable {
  let path: String
  /// UTC milliseconds of the ledger's clock.
  let now = TestClock(1_800_000_000_000)
  let store: LedgerStore
  let lesson: Lesson

  var logs: String { path + "/log" }
  var identity: LogIdentity { LogIdentity(high: lesson.id.high, low: lesson.id.low) }

  /// - Parameter copying: another data folder, whose files are copied as they are now.
  init(copying other: DataFolder? = nil, state: LessonState = .ended) throws {
    path = FileManager.default.temporaryDirectory.path + "/resources-" + UUID().uuidString
    if let other {
      try FileManager.default.copyItem(atPath: other.path, toPath: path)
      store = try LedgerStore(path: path + "/ledger.sqlite") { [now] in now.value }
      lesson = other.lesson
      return
    }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    store = try LedgerStore(path: path + "/ledger.sqlite") { [now] in now.value }
    let sample = try store.installSampleCluster()
    lesson = Lesson(
      id: Identifier(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001),
      registration: Identifier(high: 0xB, low: 1), cluster: sample.cluster.id, title: "三年级音乐",
      plannedStart: 1_800_000_000_000, plannedEnd: 1_800_002_400_000, state: .published)
    try store.upsert(lesson)
    try store.append(LedgerEvent(kind: .lessonArmed, lesson: lesson.id))
    try store.append(LedgerEvent(kind: .lessonLive, lesson: lesson.id))
    if state == .ended { try store.append(LedgerEvent(kind: .lessonEnded, lesson: lesson.id)) }
    if state == .interrupted { try store.append(LedgerEvent(kind: .interrupted, lesson: lesson.id)) }
  }

  deinit {
    try? store.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  func feed(_ name: String, number: UInt32 = 0) -> RecordedFeed {
    RecordedFeed(lesson: identity, name: name, number: number)
  }

  static let words = ChapterWords(screen: "屏幕", marker: "标记", site: "教学点")

  var maker: ResourceMaker {
    ResourceMaker(logFolder: logs, dataFolder: path, store: store, recorder: nil, words: Self.words)
  }

  func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + file) }

  var lessonFiles: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/lessons/\(lesson.id)")) ?? []).sorted()
  }

  func report(_ file: String) throws -> MediaReport { try MediaReport(decoding: path + "/" + file) }

  var madeEvents: [LedgerEvent] {
    get throws { try store.events(lesson: lesson.id).filter { $0.kind == .resourceMade }.map(\.event) }
  }
}

/// A clock that stands where it is put.
final class TestClock: Sendable {
  private let time: Mutex<Int64>
  init(_ time: Int64) { self.time = Mutex(time) }
  var value: Int64 {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
}

/// One publishing session: encoded by itself, with sequence numbers and timestamps of its own.
struct Session {
  var encoding: MediaEncoding? = .h264
  var hasAudio = true
  /// Session number of the video; the audio has the next one.
  var track: UInt16 = 4
  /// Lesson time of the session's zero, in seconds.
  var from = 0.0
  var seconds = 4.0
  /// Times of the session, in seconds, in which every packet is lost.
  var lost: ClosedRange<Double>?
  var isDeclared = true
  /// Sound is announced though none comes.
  var announcesSound = false
  /// From a moment of the session on the clock is off by so many seconds; sound notices half a second later.
  var jump: (at: Double, by: Double)?
  /// Times in which the microphone is off: silent packets.
  var muted: ClosedRange<Double>?
  /// Times in which pictures come with wrong bits.
  var broken: ClosedRange<Double>?
  var width = 320
  var height = 180
}

/// Publishes sessions into a recorder as a worker would: packets in slots, leases by lane.
final class Publisher {
  /// The monotonic clock at the lesson's zero, in microseconds.
  static let zero: Int64 = 50_000_000
  private static let slots = 2_048

  private let recorder: LessonRecorder
  private let feed: RecordedFeed
  private let arena = SlotArena(slotCount: slots)
  private var ledger = SlotLedger(slotCount: slots)
  private var leases: LaneProducer<PacketRecord>
  private var returns: LaneConsumer<SlotIndex>

  init(_ feed: RecordedFeed, to recorder: LessonRecorder) {
    let lane = makeLane(of: PacketRecord.self, capacity: 512)
    let back = makeLane(of: SlotIndex.self, capacity: 2_048)
    let isStarted = recorder.start(feed, leases: lane.consumer, returns: back.producer, arena: arena)
    precondition(isStarted, "the recorder refused the feed")
    self.recorder = recorder
    self.feed = feed
    leases = lane.producer
    returns = back.consumer
  }

  func publish(_ session: Session) throws {
    var settings = GeneratedLesson.Settings()
    settings.width = session.width
    settings.height = session.height
    settings.framesPerSecond = 15
    settings.bitsPerSecond = 200_000
    settings.keyFrameSeconds = 1
    settings.encoding = session.encoding ?? .h264
    let source = try GeneratedLesson(settings)
    var video = Packetizer(
      encoding: settings.encoding, payloadType: 96, ssrc: 1, payloadLimit: 1_160, firstSequence: 65_530)
    var sound = Packetizer(encoding: .opus, payloadType: 111, ssrc: 2, firstSequence: 12)
    declare(session)
    var nextPicture = session.encoding == nil ? nil : try source.nextVideo(stripValue: 0)
    var nextSound = session.hasAudio ? try source.nextAudio() : nil
    var strip: UInt64 = 1
    let end = Int64(session.seconds * 1_000_000)
    while true {
      let pictureAt = nextPicture?.presentationMicroseconds ?? .max
      let soundAt = nextSound?.presentationMicroseconds ?? .max
      guard min(pictureAt, soundAt) < end else { break }
      if soundAt <= pictureAt, let unit = nextSound {
        lend(unit, &sound, session, track: session.track + 1, clockRate: 48)
        nextSound = try source.nextAudio()
      } else if let unit = nextPicture {
        lend(unit, &video, session, track: session.track, clockRate: 90)
        nextPicture = try source.nextVideo(stripValue: strip)
        strip += 1
      }
    }
    settle()
  }

  private func declare(_ session: Session) {
    guard session.isDeclared else { return }
    if let encoding = session.encoding {
      recorder.declareTrack(
        feed, track: UInt32(session.track), isVideo: true, encoding: encoding == .vp8 ? .vp8 : .h264,
        clockRate: 90_000)
    }
    if session.hasAudio || session.announcesSound {
      recorder.declareTrack(
        feed, track: UInt32(session.track) + 1, isVideo: false, encoding: .opus, clockRate: 48_000)
    }
  }

  private func lend(
    _ unit: EncodedUnit, _ packetizer: inout Packetizer, _ session: Session, track: UInt16, clockRate: Int64
  ) {
    let at = unit.presentationMicroseconds
    let unit = odd(unit, session)
    let isLost = session.lost?.contains(Double(at) / 1_000_000) ?? false
    let timestamp = UInt32(truncatingIfNeeded: at * clockRate / 1_000 + 4_294_900_000)
    var sequence = packetizer.nextSequence
    var isFirst = true
    let firstSequence = unit.encoding == .opus ? 12 : 65_530
    packetizer.packetize(unit, timestamp: timestamp) { fill in
      defer {
        sequence &+= 1
        isFirst = false
      }
      if isLost { return }
      let slot = claim()
      let memory = UnsafeMutableRawBufferPointer(start: arena.pointer(slot), count: arena.stride)
      let count = fill(memory)
      var flags: PacketFlags = unit.encoding == .opus ? .audio : []
      if memory[1] & 0x80 != 0 { flags.insert(.marker) }
      if isFirst, unit.isKeyFrame, unit.encoding != .opus { flags.insert(.keyFrameStart) }
      // Sessions are short: the 16-bit number goes over at most once.
      let extended = 65_536 + Int64(sequence) + (Int(sequence) < firstSequence ? 65_536 : 0)
      let record = PacketRecord(
        extendedSequence: extended, lessonTime: Self.lessonTime(at, unit, session), slot: slot,
        timestamp: timestamp, stream: track, payloadOffset: 12, flags: flags, payloadByteCount: UInt16(count - 12),
        payloadType: memory[1] & 0x7F)
      while !leases.push(record) { usleep(1_000) }
    }
  }

  /// The unit as the session's faults leave it.
  private func odd(_ unit: EncodedUnit, _ session: Session) -> EncodedUnit {
    var unit = unit
    let seconds = Double(unit.presentationMicroseconds) / 1_000_000
    if unit.encoding == .opus, session.muted?.contains(seconds) == true { unit.bytes = [0xF8, 0xFF, 0xFE] }
    if unit.encoding != .opus, !unit.isKeyFrame, session.broken?.contains(seconds) == true {
      for place in stride(from: 24, to: unit.bytes.count, by: 7) where unit.bytes[place] > 3 {
        unit.bytes[place] ^= 0x58
      }
    }
    return unit
  }

  private static func lessonTime(_ at: Int64, _ unit: EncodedUnit, _ session: Session) -> Int64 {
    var time = zero + Int64(session.from * 1_000_000) + at
    if let jump = session.jump, Double(at) / 1e6 >= jump.at + (unit.encoding == .opus ? 0.5 : 0) {
      time += Int64(jump.by * 1_000_000)
    }
    return time
  }

  private func claim() -> SlotIndex {
    while true {
      takeBack()
      if let slot = ledger.claim() { return slot }
      usleep(1_000)
    }
  }

  private func takeBack() { while let slot = returns.pop() { ledger.release(slot) } }

  private func settle() {
    for _ in 0..<2_000 where ledger.freeCount < Self.slots {
      takeBack()
      usleep(5_000)
    }
  }
}

extension DataFolder {
  /// Records sessions of one feed, from start to end; without an end when it is interrupted.
  func record(
    _ sessions: [Session], of feed: String = "camera", number: UInt32 = 0, isFinished: Bool = true
  ) async throws {
    let recorder = try LessonRecorder(folder: logs, configuration: RecorderConfiguration())
    let publisher = Publisher(self.feed(feed, number: number), to: recorder)
    for session in sessions { try publisher.publish(session) }
    if isFinished {
      let summary = await withCheckedContinuation { continuation in
        recorder.finish(self.feed(feed, number: number)) { continuation.resume(returning: $0) }
      }
      precondition(summary.isDurable && summary.unrecordedPackets == 0)
    }
    recorder.stop()
  }

  func foundFeeds() throws -> [FoundFeed] { try LessonLog.scan(folder: logs) }
}
