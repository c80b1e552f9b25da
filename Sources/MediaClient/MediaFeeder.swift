import Dispatch
import Foundation
import Media
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Synchronization

/// Plays a source into a worker's injection lane at the pace of the wall clock, on a thread of its own.
final class MediaFeeder: Sendable {
  /// Further behind than this, the time line is shifted: what is late stays late, but no burst follows.
  private static let lateLimit: Int64 = 500_000
  /// Waited for a slot at most: the worker grants them every millisecond.
  private static let slotPatience = 20

  let keyFrames = KeyFrameFlag()
  private let source: PublishSource
  private let stopSignal = StopSignal()
  private let isStopping = Atomic<Bool>(false)
  private let unsent = Atomic<UInt64>(0)
  private let units = Atomic<UInt64>(0)
  private let lane = Mutex<InjectionLane?>(nil)
  private let plan = Mutex<(arena: SlotArena, lines: [MediaLine])?>(nil)
  private let begins = DispatchSemaphore(value: 0)
  private let opened: AsyncStream<Result<[OfferedTrack], ClientError>>
  private let openedEnd: AsyncStream<Result<[OfferedTrack], ClientError>>.Continuation
  private let ended: AsyncStream<SessionEnd>
  private let endedEnd: AsyncStream<SessionEnd>.Continuation

  private let onUnit: (@Sendable (EncodedUnit) -> Void)?

  init(_ source: PublishSource, onUnit: (@Sendable (EncodedUnit) -> Void)?) {
    self.source = source
    self.onUnit = onUnit
    (opened, openedEnd) = AsyncStream.makeStream(of: Result<[OfferedTrack], ClientError>.self)
    (ended, endedEnd) = AsyncStream.makeStream(of: SessionEnd.self)
  }

  /// Opens the source. To be called once.
  func open() async throws(ClientError) -> [OfferedTrack] {
    let thread = Thread { [self] in run() }
    thread.name = "feeder"
    thread.stackSize = 4 << 20
    thread.start()
    for await result in opened { return try result.get() }
    throw .stopped
  }

  /// Begins to play. `lines` are those of the offer: the first codec of each is what is sent.
  func begin(_ lane: consuming InjectionLane, arena: SlotArena, lines: [MediaLine]) {
    var lane: InjectionLane? = consume lane
    self.lane.withLock { $0 = lane.take() }
    plan.withLock { $0 = (arena, lines) }
    begins.signal()
  }

  /// Waits until the source has ended or was stopped.
  func end() async -> SessionEnd {
    for await end in ended { return end }
    return .stopped
  }

  func stop() {
    isStopping.store(true, ordering: .releasing)
    stopSignal.raise()
    begins.signal()
  }

  /// Packets for which the worker had no slot.
  var packetsUnsent: UInt64 { unsent.load(ordering: .relaxed) }
  /// Pictures played.
  var picturesPlayed: UInt64 { units.load(ordering: .relaxed) }

  // MARK: The thread

  private var isStopped: Bool { isStopping.load(ordering: .acquiring) }

  private func run() {
    let opened: OpenedSource
    do throws(MediaError) { opened = try OpenedSource(source, stop: stopSignal) } catch {
      openedEnd.yield(.failure(isStopped ? .stopped : .sourceUnreadable(reason: error.message)))
      openedEnd.finish()
      endedEnd.finish()
      return
    }
    openedEnd.yield(.success(opened.tracks))
    openedEnd.finish()
    begins.wait()
    guard !isStopped, let plan = plan.withLock({ $0 }), let lane = lane.withLock({ $0.take() }) else {
      endedEnd.finish()
      return
    }
    var player = LanePlayer(lane: lane, arena: plan.arena, lines: plan.lines)
    var end = SessionEnd.sourceEnded
    do throws(MediaError) {
      switch opened {
      case .media(let source): try play(source, opened, &player)
      case .generated(let lesson): try play(lesson, &player)
      }
    } catch { end = .failed(.sourceUnreadable(reason: error.message)) }
    endedEnd.yield(isStopped ? .stopped : end)
    endedEnd.finish()
  }

  private func play(_ source: MediaSource, _ opened: OpenedSource, _ player: inout LanePlayer) throws(MediaError) {
    var clock = PlayClock()
    while !isStopped, let unit = try source.next() {
      guard wait(until: clock.due(unit.presentationMicroseconds, lateLimit: Self.lateLimit)) else { return }
      send(unit, at: clock.base + unit.presentationMicroseconds, &player)
      if keyFrames.take() { opened.requestKeyFrame() }
    }
  }

  /// Sound and pictures in the order of their times; a picture is painted when its time has come, not before.
  private func play(_ lesson: GeneratedLesson, _ player: inout LanePlayer) throws(MediaError) {
    var clock = PlayClock()
    var nextAudio: Int64 = 0
    var nextVideo: Int64 = 0
    while !isStopped {
      let isAudio = nextAudio <= nextVideo
      let presentation = isAudio ? nextAudio : nextVideo
      guard wait(until: clock.due(presentation, lateLimit: Self.lateLimit)) else { return }
      if keyFrames.take() { lesson.requestKeyFrame() }
      let unit: EncodedUnit
      if isAudio {
        unit = try lesson.nextAudio()
        nextAudio = unit.presentationMicroseconds + unit.durationMicroseconds
      } else {
        unit = try lesson.nextVideo(stripValue: wallClockStrip())
        nextVideo = unit.presentationMicroseconds + unit.durationMicroseconds
      }
      send(unit, at: clock.base + unit.presentationMicroseconds, &player)
    }
  }

  private func wait(until due: Int64) -> Bool {
    while !isStopped {
      let left = due - monotonicNow().monotonic.microseconds
      if left <= 0 { return true }
      Thread.sleep(forTimeInterval: Double(min(left, 100_000)) / 1_000_000)
    }
    return false
  }

  private func send(_ unit: EncodedUnit, at captureTime: Int64, _ player: inout LanePlayer) {
    onUnit?(unit)
    let missed = player.send(
      unit, at: unit.presentationMicroseconds, captureTime: captureTime, patience: Self.slotPatience)
    if missed > 0 { unsent.add(UInt64(missed), ordering: .relaxed) }
    if unit.encoding != .opus { units.add(1, ordering: .relaxed) }
  }
}

/// Milliseconds of the wall clock, as many as a strip holds.
public func wallClockStrip() -> UInt64 {
  UInt64(max(0, monotonicNow().ntp.unixMicroseconds / 1_000)) & (1 << 36 - 1)
}

/// Where a source's time line lies on the monotonic clock.
private struct PlayClock {
  private(set) var base: Int64 = 0
  private var isSet = false

  /// When a unit is due. The first one is due now.
  mutating func due(_ presentation: Int64, lateLimit: Int64) -> Int64 {
    let now = monotonicNow().monotonic.microseconds
    if !isSet {
      base = now - presentation
      isSet = true
    }
    if now - (base + presentation) > lateLimit { base = now - presentation }
    return base + presentation
  }
}

extension MediaEncoding {
  /// Nil for what this client neither cuts nor puts together.
  init?(_ encoding: Encoding) {
    switch encoding {
    case .h264: self = .h264
    case .vp8: self = .vp8
    case .opus: self = .opus
    case .vp9, .av1, .h265, .red: return nil
    }
  }
}
