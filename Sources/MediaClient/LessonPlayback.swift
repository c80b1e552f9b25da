public import Classroom
import Dispatch
import Foundation
public import Media
public import MediaWorker
public import RTCCore
import Synchronization

/// How a playback stands; times are milliseconds of the recording.
public struct PlaybackStanding: Sendable, Equatable {
  public var state: PlaybackClock.State
  public var position: Int64
  public var length: Int64
  /// What was shown of it, however often.
  public var played: Int64
  /// Packets that found no room in the worker.
  public var packetsUnsent: UInt64
  /// Why it can go on no more.
  public var failure: MediaError?
}

/// Plays the files of a recorded lesson into a lesson of a worker, by injections: pictures and Opus as they are.
///
/// While it is paused nothing is sent, and the worker's history has the picture for whoever comes. A jump goes to the
/// key frame at or before its target. On the receivers' line time only goes on. One thread; a worker has 64
/// injections, of which each file takes one while it is shown.
public final class LessonPlayback: Sendable {
  /// Further behind than this, what follows is shown later: no burst.
  private static let lateLimit: Int64 = 500_000
  /// Waited for a slot at most: the worker grants them every millisecond.
  private static let slotPatience = 20
  /// A picture that is asked for is sent again unless a key frame went out so lately; and so often at most.
  private static let keyAge: Int64 = 3_000_000
  private static let refreshPause: Int64 = 1_000_000
  /// Numbers of injections: every playback of a process has its own.
  private static let lastInjection = Atomic<UInt16>(0)

  private struct State {
    var clock: PlaybackClock
    /// Where a jump leads that was not made yet.
    var sought: Int64?
    var wanted: Set<InjectionID> = []
    var packetsUnsent: UInt64 = 0
    var failure: MediaError?
    var isStopped = false
  }

  private let worker: MediaWorker
  private let lesson: LessonID
  private let files: [PlaybackFile]
  private let stopSignal = StopSignal()
  private let wake = DispatchSemaphore(value: 0)
  private let state: Mutex<State>

  /// Begins to wait at a position, its picture shown.
  /// - Parameters:
  ///   - files: those looked at first stand last, such as a screen behind a camera; at least one.
  ///   - position: milliseconds.
  ///   - played: milliseconds that were shown before, when it is taken up again.
  public init(
    _ worker: MediaWorker, lesson: LessonID, files: [PlaybackFile], position: Int64 = 0, played: Int64 = 0
  ) {
    self.worker = worker
    self.lesson = lesson
    self.files = files
    let length = files.map { $0.start.addingReportingOverflow($0.length).partialValue }.max() ?? 0
    let clock = PlaybackClock(
      length: length, position: Self.microseconds(position), played: Self.microseconds(played))
    state = Mutex(State(clock: clock, sought: clock.position(now: 0)))
    let thread = Thread { [self] in run() }
    thread.name = "playback"
    thread.stackSize = 4 << 20
    thread.start()
  }

  private static func microseconds(_ milliseconds: Int64) -> Int64 {
    min(max(0, milliseconds), Int64.max / 1_000_000) * 1_000
  }

  private static var now: Int64 { monotonicNow().monotonic.microseconds }

  // MARK: Asked from outside

  public var standing: PlaybackStanding {
    let now = Self.now
    return state.withLock { state in
      PlaybackStanding(
        state: state.clock.state, position: state.clock.position(now: now) / 1_000, length: state.clock.length / 1_000,
        played: state.clock.played(now: now) / 1_000, packetsUnsent: state.packetsUnsent, failure: state.failure)
    }
  }

  /// Goes on; at the end, from the beginning.
  public func play() {
    let now = Self.now
    state.withLock { state in
      if state.clock.state == .ended { state.sought = 0 }
      state.clock.play(now: now)
    }
    wake.signal()
  }

  public func pause() {
    let now = Self.now
    state.withLock { $0.clock.pause(now: now) }
    wake.signal()
  }

  /// Jumps to the key frame at or before a position in milliseconds, 0…length.
  public func seek(to position: Int64) {
    let now = Self.now
    state.withLock { state in
      state.clock.seek(to: Self.microseconds(position), now: now)
      state.sought = state.clock.position(now: now)
    }
    wake.signal()
  }

  /// Takes everything out of the lesson. To be called once.
  public func stop() {
    state.withLock { $0.isStopped = true }
    stopSignal.raise()
    wake.signal()
  }

  /// Somebody needs a key frame of an injection, of this playback or another.
  public func wantsPicture(_ injection: InjectionID) {
    state.withLock { state in
      // Those of other playbacks fall out with the next look; more than a worker has are nobody's.
      if state.wanted.count < 64 { state.wanted.insert(injection) }
    }
    wake.signal()
  }

  // MARK: The thread

  private enum Step {
    case stop
    case seek(Int64)
    case refresh(Set<InjectionID>)
    case play, wait
  }

  private func nextStep() -> Step {
    state.withLock { state in
      if state.isStopped { return .stop }
      if let target = state.sought {
        state.sought = nil
        return .seek(target)
      }
      if !state.wanted.isEmpty {
        defer { state.wanted = [] }
        return .refresh(state.wanted)
      }
      return state.clock.state == .playing ? .play : .wait
    }
  }

  private func run() {
    var tracks: [PlaybackTrack] = []
    do throws(MediaError) {
      for file in files { tracks.append(try PlaybackTrack(file, stop: stopSignal)) }
      try play(tracks)
    } catch {
      let now = Self.now
      state.withLock { state in
        if !state.isStopped { state.failure = error }
        state.clock.pause(now: now)
      }
    }
    // What failed keeps its last picture until the lesson is told what to do.
    while !state.withLock({ $0.isStopped }) { wake.wait() }
    for track in tracks { close(track) }
  }

  private func play(_ tracks: [PlaybackTrack]) throws(MediaError) {
    while true {
      switch nextStep() {
      case .stop: return
      case .seek(let target): try seek(tracks, to: target)
      case .refresh(let wanted):
        for track in tracks where track.injection.map(wanted.contains) == true { try refresh(track) }
      case .wait: wake.wait()
      case .play: try playNext(tracks)
      }
    }
  }

  /// Sends the next unit of all files when it is due, or waits for that or for an order.
  private func playNext(_ tracks: [PlaybackTrack]) throws(MediaError) {
    let next = tracks.indices.filter { tracks[$0].head != nil }
      .min { (tracks[$0].nextPosition ?? .max) < (tracks[$1].nextPosition ?? .max) }
    let now = Self.now
    guard let next, let position = tracks[next].nextPosition else {
      state.withLock { if $0.sought == nil, $0.clock.state == .playing { $0.clock.end(now: now) } }
      return
    }
    let due = state.withLock { state in
      if now - state.clock.due(position) > Self.lateLimit { state.clock.lag(behind: position, now: now) }
      return state.clock.due(position)
    }
    guard due <= now else {
      _ = wake.wait(timeout: .now() + .microseconds(Int(min(due - now, 100_000))))
      return
    }
    if let unit = try tracks[next].take() { send(unit, of: tracks[next], number: next) }
    // A file that is over while others go on is shown no more.
    if tracks[next].head == nil, tracks.contains(where: { $0.head != nil }) { close(tracks[next]) }
  }

  /// Goes to the key frame of what people look at; the other files go to the very place.
  private func seek(_ tracks: [PlaybackTrack], to target: Int64) throws(MediaError) {
    let shown = tracks.lastIndex { $0.hasPicture && $0.covers(target) } ?? tracks.lastIndex { $0.covers(target) }
    var position = target
    if let shown, let key = try tracks[shown].seekToKeyFrame(target) { position = min(key, target) }
    for (number, track) in tracks.enumerated() where number != shown { try track.seek(exactly: position) }
    let now = Self.now
    let isPlaying = state.withLock { state in
      // Another jump that came meanwhile is made next.
      if state.sought == nil { state.clock.seek(to: position, now: now) }
      return state.clock.state == .playing
    }
    for (number, track) in tracks.enumerated() {
      guard track.covers(position) || number == shown else {
        close(track)
        continue
      }
      for unit in track.takeEarly() { send(unit, of: track, number: number, at: position) }
      // Whoever is paused sees where they are.
      guard !isPlaying, number == shown, let unit = try track.take() else { continue }
      send(unit, of: track, number: number)
    }
  }

  /// Sends the pictures from the last key frame on once more, for somebody who has none.
  private func refresh(_ track: PlaybackTrack) throws(MediaError) {
    let now = Self.now
    let (isPlaying, position) = state.withLock { ($0.clock.state == .playing, $0.clock.position(now: now)) }
    let isRecent = track.lastKey > now - Self.keyAge
    guard track.hasPicture, track.covers(position), track.lastRefresh < now - Self.refreshPause,
      !(isPlaying && isRecent)
    else { return }
    track.lastRefresh = now
    try track.seek(exactly: position)
    guard let number = files.firstIndex(of: track.file) else { return }
    for unit in track.takeEarly() { send(unit, of: track, number: number, at: position) }
  }

  // MARK: The worker

  /// - Parameter position: the moment a unit is sent at that lies before it; nil is its own.
  private func send(_ unit: EncodedUnit, of track: PlaybackTrack, number: Int, at position: Int64? = nil) {
    guard open(track) else { return note(unsent: 1) }
    let isSound = unit.encoding == .opus
    let moment = position ?? track.position(of: unit)
    let stamp = state.withLock { $0.clock.stamp(moment, track: number * 2 + (isSound ? 1 : 0)) }
    guard var player = track.player.take() else { return }
    let missed = player.send(unit, at: stamp, captureTime: stamp, patience: Self.slotPatience)
    track.player = consume player
    if missed > 0 { note(unsent: missed) }
    if !isSound, unit.isKeyFrame { track.lastKey = Self.now }
  }

  private func note(unsent count: Int) {
    state.withLock { $0.packetsUnsent &+= UInt64(count) }
  }

  private func open(_ track: PlaybackTrack) -> Bool {
    guard track.injection == nil else { return true }
    let number = Self.lastInjection.wrappingAdd(1, ordering: .relaxed).newValue
    let injection = InjectionID(rawValue: number)
    guard let lane = worker.attachInjection(injection) else { return false }
    track.player = LanePlayer(lane: lane, arena: worker.arena, lines: track.lines)
    track.injection = injection
    guard worker.send(.openInjection(lesson, track.file.feed, injection: injection, lines: track.lines)) else {
      close(track)
      return false
    }
    return true
  }

  private func close(_ track: PlaybackTrack) {
    guard let injection = track.injection else { return }
    track.injection = nil
    _ = worker.send(.closeInjection(injection))
    guard var player = track.player.take() else { return }
    player.giveBack()
  }
}
