import ArgumentParser
import Classroom
import Foundation
import Ledger
import Media
import PacketRing
import Recorder
import Resources

/// What making a lesson's files costs.
struct ResourceBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resource", abstract: "Finalising a recording: from a lesson's log to a file that is verified.",
    discussion: """
      A lesson's log is written as a worker would, then made into its file by the part that the relay uses, and the log
      is copied byte by byte for comparison. Figures are seconds of one core, of user and system together. The pictures
      of one generated minute are repeated. --minutes 360 makes a file of over 4 GiB.
      """)

  @Option(help: "Length of the lesson.") var minutes = 45
  @Option(help: "Bits a second of the pictures.") var bitrate = 2_500_000
  @Option(help: ArgumentHelp("Folder for log and file; needs room for both twice.", valueName: "folder"))
  var folder = FileManager.default.temporaryDirectory.path
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...1_400).contains(minutes) else { throw ValidationError("--minutes is 1…1400") }
    guard (100_000...20_000_000).contains(bitrate) else { throw ValidationError("--bitrate is 100000…20000000") }
  }

  func run() async throws {
    let path = folder + "/bench-resource-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path + "/log", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let store = try LedgerStore(path: path + "/ledger.sqlite") { Int64(Date().timeIntervalSince1970 * 1_000) }
    defer { try? store.close() }
    let lesson = try ended(store)
    let logged = try await RecordedMinutes(minutes: minutes, bitrate: bitrate).write(lesson, to: path + "/log")
    let copying = try seconds { try copy(path + "/log", to: path + "/copy") }
    let maker = ResourceMaker(
      logFolder: path + "/log", dataFolder: path, store: store, recorder: nil,
      words: ChapterWords(screen: "screen", marker: "marker", site: "site"))
    var made = MadeLesson()
    let making = try seconds { made = try maker.make(lesson) }
    guard made.problems.isEmpty, let file = made.files.first else {
      throw BenchError("no file was made: \(made.problems)")
    }
    var report = Report("resource", unit: "seconds of one core, of a plain copy of the log")
    report.add("ratio", "making / copying", making / copying, "times the cost of copying the log once")
    report.add(
      "seconds", "making the file", making, "log to verified file with digest and poster; aim: 20 at 45 minutes")
    report.add("seconds", "copying the log", copying, "the same bytes, read and written")
    report.add("sizes", "minutes", file.durationSeconds / 60, "of the file")
    report.add("sizes", "megabytes of log", Double(logged) / 1e6, "")
    report.add("sizes", "megabytes of file", Double(file.byteCount) / 1e6, "")
    report.add("sizes", "pictures", Double(file.videoFrames), "all of them in the file")
    report.print(asJSON: json)
  }

  private func ended(_ store: LedgerStore) throws -> Identifier {
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let lesson = try store.makeLesson(title: "bench", plannedStart: now, plannedEnd: now + 2_700_000, receivers: 1)
      .lesson.id
    for kind in [EventKind.lessonArmed, .lessonLive, .lessonEnded] {
      try store.append(LedgerEvent(kind: kind, lesson: lesson))
    }
    return lesson
  }

  /// Of this process, which does nothing else meanwhile.
  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    func used() -> Double {
      var usage = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
      return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
    let before = used()
    try body()
    return used() - before
  }

  private func copy(_ from: String, to: String) throws {
    guard FileManager.default.createFile(atPath: to, contents: nil), let target = FileHandle(forWritingAtPath: to)
    else { throw BenchError("cannot write \(to)") }
    for name in try FileManager.default.contentsOfDirectory(atPath: from).sorted() {
      guard let source = FileHandle(forReadingAtPath: from + "/" + name) else { continue }
      while let block = try source.read(upToCount: 1 << 20), !block.isEmpty { try target.write(contentsOf: block) }
      try source.close()
    }
    try target.synchronize()
    try target.close()
    try FileManager.default.removeItem(atPath: to)
  }
}

/// A generated minute, repeated, as a worker lends its packets to the recorder.
private struct RecordedMinutes {
  let minutes: Int
  let bitrate: Int

  /// Returns the bytes of the log.
  func write(_ lesson: Identifier, to folder: String) async throws -> UInt64 {
    var settings = RecorderConfiguration()
    settings.pollMicroseconds = 1_000
    let recorder = try LessonRecorder(folder: folder, configuration: settings)
    let feed = RecordedFeed(
      lesson: LogIdentity(high: lesson.high, low: lesson.low), name: "camera", number: 0)
    try lend(try units(), feed, recorder)
    let summary = await withCheckedContinuation { continuation in
      recorder.finish(feed) { continuation.resume(returning: $0) }
    }
    let bytes = recorder.counters().bytes
    recorder.stop()
    guard summary.isDurable, summary.unrecordedPackets == 0 else { throw BenchError("the log is not whole") }
    return bytes
  }

  private func units() throws -> [EncodedUnit] {
    var settings = GeneratedLesson.Settings()
    settings.bitsPerSecond = bitrate
    let source = try GeneratedLesson(settings)
    var units: [EncodedUnit] = []
    for picture in 0..<60 * settings.framesPerSecond {
      units.append(try source.nextVideo(stripValue: UInt64(picture)))
    }
    for _ in 0..<3_000 { units.append(try source.nextAudio()) }
    return units.sorted { $0.presentationMicroseconds < $1.presentationMicroseconds }
  }

  private func lend(_ units: [EncodedUnit], _ feed: RecordedFeed, _ recorder: LessonRecorder) throws {
    let slots = 16_384
    let arena = SlotArena(slotCount: slots)
    var ledger = SlotLedger(slotCount: slots)
    let lane = makeLane(of: PacketRecord.self, capacity: 4_096)
    let back = makeLane(of: SlotIndex.self, capacity: 16_384)
    guard recorder.start(feed, leases: lane.consumer, returns: back.producer, arena: arena) else {
      throw BenchError("the recorder refused the feed")
    }
    var leases = lane.producer
    var returns = back.consumer
    recorder.declareTrack(feed, track: 4, isVideo: true, encoding: .h264, clockRate: 90_000)
    recorder.declareTrack(feed, track: 5, isVideo: false, encoding: .opus, clockRate: 48_000)
    var video = Packetizer(encoding: .h264, payloadType: 96, ssrc: 1, payloadLimit: 1_160, firstSequence: 0)
    var sound = Packetizer(encoding: .opus, payloadType: 111, ssrc: 2, firstSequence: 0)
    var sequences: [Int64] = [65_536, 65_536]
    func claim() -> SlotIndex {
      while true {
        while let slot = returns.pop() { ledger.release(slot) }
        if let slot = ledger.claim() { return slot }
        usleep(500)
      }
    }
    func send(_ unit: EncodedUnit, at: Int64) {
      let isSound = unit.encoding == .opus
      let timestamp = UInt32(truncatingIfNeeded: at * (isSound ? 48 : 90) / 1_000)
      var isFirst = true
      func take(_ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        let slot = claim()
        let memory = UnsafeMutableRawBufferPointer(start: arena.pointer(slot), count: arena.stride)
        let count = fill(memory)
        var flags: PacketFlags = isSound ? .audio : []
        if memory[1] & 0x80 != 0 { flags.insert(.marker) }
        if isFirst, unit.isKeyFrame, !isSound { flags.insert(.keyFrameStart) }
        isFirst = false
        let record = PacketRecord(
          extendedSequence: sequences[isSound ? 1 : 0], lessonTime: 50_000_000 + at, slot: slot, timestamp: timestamp,
          stream: isSound ? 5 : 4, payloadOffset: 12, flags: flags, payloadByteCount: UInt16(count - 12),
          payloadType: memory[1] & 0x7F)
        sequences[isSound ? 1 : 0] += 1
        while !leases.push(record) { usleep(500) }
      }
      if isSound {
        _ = sound.packetize(unit, timestamp: timestamp, write: take)
      } else {
        _ = video.packetize(unit, timestamp: timestamp, write: take)
      }
    }
    for minute in 0..<Int64(minutes) {
      for unit in units { send(unit, at: minute * 60_000_000 + unit.presentationMicroseconds) }
    }
    while ledger.freeCount < slots {
      while let slot = returns.pop() { ledger.release(slot) }
      usleep(1_000)
    }
  }
}
