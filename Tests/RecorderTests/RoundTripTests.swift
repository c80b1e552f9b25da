import Foundation
import PacketRing
import Recorder
import Testing

@Suite(.serialized) struct RoundTripTests {
  /// A worker's thread lends while the recorder writes; every field of every packet comes back, and every lease.
  @Test func everyPacketComesBackAsItWas() async throws {
    let folder = Folder()
    let recorder = try LessonRecorder(folder: folder.path, configuration: RecorderConfiguration())
    defer { recorder.stop() }
    let total: Int64 = 6_000
    // The session numbers of a worker may be above 16 bits.
    recorder.declareTrack(camera, track: 65_536 + 2, isVideo: true, encoding: .h264, clockRate: 90_000)
    let outcome: (Bool, Int) = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        let lender = Lender(camera, to: recorder, capacity: 2_048)
        // What is declared before the feed starts is about no feed; now it counts.
        recorder.declareTrack(camera, track: 65_536 + 2, isVideo: true, encoding: .h264, clockRate: 90_000)
        for number in 0..<total {
          for track: UInt32 in [2, 3] {
            while !lender.lend(Expected(track: track, number: number), headerBytes: 12 + Int(number % 5) * 4) {
              usleep(1_000)
            }
          }
          if number == total / 2 {
            recorder.declareTrack(camera, track: 3, isVideo: false, encoding: .opus, clockRate: 48_000)
          }
        }
        let isSettled = lender.settle()
        continuation.resume(returning: (isSettled, lender.ledger.freeCount))
      }
    }
    #expect(outcome.0)
    #expect(outcome.1 == 4_096)
    let summary = await recorder.finish(camera)
    #expect(summary.isDurable)
    #expect(summary.packets == UInt64(total) * 2)
    #expect(summary.unrecordedPackets == 0)
    #expect(summary.lastTime == Expected(track: 2, number: total - 1).lessonTime)
    let found = try #require(try LessonLog.scan(folder: folder.path).first)
    #expect(found.feed == camera)
    #expect(found.state == .complete)
    #expect(found.packets == summary.packets)
    #expect(found.payloadBytes == summary.payloadBytes)
    #expect(found.damagedBytes == 0)
    let replayed = Replayed(folder.path, found)
    for track: UInt32 in [2, 3] {
      let wrong = replayed.packets.filter { $0.track == track }.enumerated().filter {
        $0.element != Expected(track: track, number: Int64($0.offset))
      }
      #expect(wrong.isEmpty)
    }
    #expect(
      Set(found.runs[0].tracks) == [
        LoggedTrack(number: 2, isVideo: true, encoding: .h264, clockRate: 90_000),
        LoggedTrack(number: 3, isVideo: false, encoding: .opus, clockRate: 48_000),
      ])
    #expect(replayed.starts == 1)
    #expect(replayed.ends == 1)
    let counters = recorder.counters()
    #expect(counters.packets == summary.packets)
    #expect(counters.syncHistogram.reduce(0, +) > 0)
    #expect(counters.freeBytes > 0)
  }

  @Test func feedsInterleaveAndASecondRunIsToldApart() async throws {
    let folder = Folder()
    var configuration = RecorderConfiguration()
    configuration.segmentBytes = 100_000
    do {
      let recorder = try LessonRecorder(folder: folder.path, configuration: configuration)
      let first = Lender(camera, to: recorder, capacity: 512)
      let second = Lender(screen, to: recorder, capacity: 512)
      for number: Int64 in 0..<400 {
        first.lend(Expected(track: 2, number: number))
        second.lend(Expected(track: 5, number: number))
        if number % 50 == 0 { usleep(20_000) }
      }
      #expect(first.settle())
      #expect(second.settle())
      let summary = await recorder.finish(screen)
      #expect(summary.packets == 400)
      // The camera is not finished: the process ended.
      recorder.stop()
    }
    do {
      let recorder = try LessonRecorder(folder: folder.path, configuration: configuration)
      let again = Lender(camera, to: recorder, capacity: 512)
      // A new worker numbers its sessions from the start again.
      for number: Int64 in 1_000..<1_100 { again.lend(Expected(track: 2, number: number)) }
      #expect(again.settle())
      _ = await recorder.finish(camera)
      recorder.stop()
    }
    #expect(folder.segments.count > 3)
    let found = try LessonLog.scan(folder: folder.path)
    #expect(found.map(\.feed.name).sorted() == ["camera", "screen"])
    let cameraLog = try #require(found.first { $0.feed == camera })
    #expect(cameraLog.runs.count == 2)
    #expect(cameraLog.runs.map(\.isEnded) == [false, true])
    #expect(cameraLog.runs[0].start.boot == cameraLog.runs[1].start.boot)
    let replayed = Replayed(folder.path, cameraLog)
    #expect(
      replayed.packets == (Array(0..<400) + Array(1_000..<1_100)).map { Expected(track: 2, number: Int64($0)) })
    let screenLog = try #require(found.first { $0.feed == screen })
    #expect(Replayed(folder.path, screenLog).packets == (0..<400).map { Expected(track: 5, number: Int64($0)) })
  }

  @Test func refusesWhatItCannotRecord() async throws {
    let folder = Folder()
    let recorder = try LessonRecorder(folder: folder.path, configuration: RecorderConfiguration())
    #expect(throws: RecorderError.inUse) {
      _ = try LessonRecorder(folder: folder.path, configuration: RecorderConfiguration())
    }
    let lender = Lender(camera, to: recorder, capacity: 16)
    func start(_ feed: RecordedFeed) -> Bool {
      let leases = makeLane(of: PacketRecord.self, capacity: 16)
      let returns = makeLane(of: SlotIndex.self, capacity: 32)
      return recorder.start(feed, leases: leases.consumer, returns: returns.producer, arena: lender.arena)
    }
    #expect(!start(camera))
    #expect(!start(RecordedFeed(lesson: lesson, name: String(repeating: "长", count: 22), number: 0)))
    for number in 0..<UInt32(LogWriterCore.feedLimit - 1) {
      #expect(start(RecordedFeed(lesson: lesson, name: "many", number: number)))
    }
    #expect(!start(screen))
    let unknown = await recorder.finish(screen)
    #expect(!unknown.isDurable)
    let known = await recorder.finish(camera)
    #expect(known.isDurable)
    #expect(start(screen))
    recorder.stop()
    #expect(!start(camera))
    let stopped = await recorder.finish(screen)
    #expect(!stopped.isDurable)
    #expect(throws: RecorderError.cannotOpen(errno: ENOENT)) {
      _ = try LessonRecorder(folder: folder.path + "/missing/deep", configuration: RecorderConfiguration())
    }
  }

  /// A segment goes when all its feeds were released, also over a restart, and never before.
  @Test func segmentsGoWithTheirLastFeed() async throws {
    let folder = Folder()
    var configuration = RecorderConfiguration()
    configuration.segmentBytes = 60_000
    let recorder = try LessonRecorder(folder: folder.path, configuration: configuration)
    let first = Lender(camera, to: recorder, capacity: 512)
    for number: Int64 in 0..<150 { first.lend(Expected(track: 2, number: number)) }
    #expect(first.settle())
    _ = await recorder.finish(camera)
    let second = Lender(screen, to: recorder, capacity: 512)
    for number: Int64 in 0..<300 {
      second.lend(Expected(track: 5, number: number))
      if number % 50 == 0 { usleep(30_000) }
    }
    #expect(second.settle())
    _ = await recorder.finish(screen)
    let before = folder.segments
    #expect(before.count > 3)
    let found = try LessonLog.scan(folder: folder.path)
    try recorder.release(try #require(found.first { $0.feed == screen }))
    let left = try LessonLog.scan(folder: folder.path)
    #expect(left.map(\.feed) == [camera])
    #expect(Replayed(folder.path, left[0]).packets == (0..<150).map { Expected(track: 2, number: Int64($0)) })
    // Those of the screen alone went, those it shares stay.
    #expect(folder.segments.count < before.count)
    recorder.stop()

    let restarted = try LessonRecorder(folder: folder.path, configuration: configuration)
    #expect(try LessonLog.scan(folder: folder.path).map(\.feed) == [camera])
    try restarted.release(left[0])
    #expect(folder.segments.isEmpty)
    #expect(try LessonLog.scan(folder: folder.path).isEmpty)
    // A new run of a released feed is wanted again.
    let again = Lender(camera, to: restarted, capacity: 512)
    again.lend(Expected(track: 2, number: 7))
    #expect(again.settle())
    _ = await restarted.finish(camera)
    let anew = try LessonLog.scan(folder: folder.path)
    #expect(anew.count == 1)
    #expect(anew[0].packets == 1)
    // Released while it is the current segment: closed, then deleted, without waiting for it to fill.
    try restarted.release(anew[0])
    #expect(await eventually { folder.segments.isEmpty })
    restarted.stop()
    #expect(throws: Never.self) { try LessonLog.release(anew[0], folder: folder.path) }
  }

  /// A folder copied in mid-flight, as after a crash of the machine, has all that was given back, and of what was on
  /// its way only whole packets in their order: pages of one write may reach a copy one before the other.
  @Test func aCopyTakenWhileWritingIsWhole() async throws {
    let folder = Folder()
    let recorder = try LessonRecorder(folder: folder.path, configuration: RecorderConfiguration())
    defer { recorder.stop() }
    let lender = Lender(camera, to: recorder, capacity: 1_024)
    var number: Int64 = 0
    for round in 0..<8 {
      for _ in 0..<300 {
        while !lender.lend(Expected(track: 2, number: number)) { usleep(1_000) }
        number += 1
      }
      if round % 2 == 0 { #expect(lender.settle()) }
      let copy = Folder()
      for name in folder.segments {
        try FileManager.default.copyItem(atPath: folder.path + "/" + name, toPath: copy.path + "/" + name)
      }
      let found = try LessonLog.scan(folder: copy.path)
      let packets = found.first.map { Replayed(copy.path, $0).packets } ?? []
      #expect(found.first?.state == .interrupted)
      // What was given back is in the file.
      #expect(packets.count >= (round % 2 == 0 ? Int(number) : 0))
      let numbers = packets.map { $0.extendedSequence - 65_536 }
      #expect(packets == numbers.map { Expected(track: 2, number: $0) })
      #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
      if round % 2 == 0 { #expect(numbers == Array(0..<number)) }
    }
  }
}
