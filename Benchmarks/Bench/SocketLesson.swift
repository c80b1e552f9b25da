import CLinuxIO
import MediaWorker
import RTCCore
import RTCWire

/// A lesson over loopback with both ends in this process: one publisher, a worker of the relay, many receivers behind
/// one port; or the publisher and one receiver directly.
final class SocketLesson {
  let lead: SocketEndpoint
  let far: SocketEndpoint
  /// None when there is no relay between.
  let worker: MediaWorker?
  /// The publisher's lines.
  let lines: [MediaLine]
  private let count: Int
  private var source: InjectionEnd

  /// - Parameter receivers: nil for the publisher and one receiver, no relay between.
  init(receivers: Int?, configuration: WorkerConfiguration = WorkerConfiguration()) throws {
    let lead = try SocketEndpoint()
    let far = try SocketEndpoint(slotCount: 32_768)
    let injection = InjectionID(rawValue: 1)
    let lesson = LessonID(rawValue: 1)
    let source = lead.attachSource(injection)
    var worker: MediaWorker?
    var identity = far.identity
    if receivers != nil {
      identity = try DTLSIdentity.generate()
      worker = try Self.startRelay(identity, configuration)
    }
    let toRelay = try Pairing(
      role: .whip, number: 1, lesson: lesson, relayLesson: lesson,
      addresses: (SocketAddress(ipv4: 0x7F00_0001, port: worker?.port ?? far.port), lead.address()),
      fingerprints: (identity.fingerprint, lead.identity.fingerprint))
    if let worker {
      _ = worker.send(.addPeer(toRelay.relay))
      for number in 0..<UInt32(receivers ?? 0) {
        let own = LessonID(rawValue: number + 1)
        let pairing = try Pairing(
          role: .whep, number: UInt64(number) + 2, lesson: own, relayLesson: lesson,
          addresses: (SocketAddress(ipv4: 0x7F00_0001, port: worker.port), far.address(0x7F01_0001 + number)),
          fingerprints: (identity.fingerprint, far.identity.fingerprint))
        far.listen(to: own)
        _ = worker.send(.addPeer(pairing.relay))
        pairing.apply(injection: injection, to: &far.core, now: monotonicNow())
      }
    } else {
      far.listen(to: lesson)
      far.core.apply(.addPeer(toRelay.relay), now: monotonicNow())
    }
    toRelay.apply(injection: injection, to: &lead.core, now: monotonicNow())
    self.lead = lead
    self.far = far
    self.worker = worker
    self.source = source
    lines = toRelay.lines
    count = receivers ?? 1
    do { try connect() } catch {
      stop()
      throw error
    }
  }

  func stop() { worker?.stop() }

  private static func startRelay(_ identity: DTLSIdentity, _ wanted: WorkerConfiguration) throws -> MediaWorker {
    var configuration = wanted
    configuration.loopbackOnly = true
    configuration.slotCount = 16_384
    let worker = try MediaWorker(configuration: configuration, identity: identity)
    _ = worker.send(.openLesson(LessonID(rawValue: 1)))
    _ = worker.send(.setStage(LessonID(rawValue: 1), Pairing.feed))
    return worker
  }

  private func connect() throws {
    let epoll = tk_epoll(lead.readable, far.readable)
    defer { tk_close(epoll) }
    let deadline = tk_monotonic_microseconds() + 15_000_000
    while lead.connected < 1 || far.connected < count {
      guard tk_monotonic_microseconds() < deadline else {
        throw BenchError("\(far.connected) of \(count) receivers connected")
      }
      lead.turn()
      far.turn()
      _ = tk_epoll_wait(epoll, 1_000)
    }
  }

  /// Teaches for `settle` seconds and then for `seconds`.
  /// - Parameters:
  ///   - begin: called between the two, `end` behind the second.
  /// - Returns: nanoseconds of the monotonic clock between which `seconds` lie.
  func teach(
    bitsPerSecond: Int, settle: Int, seconds: Int, begin: () -> Void = {}, end: () -> Void = {}
  ) -> Range<Int64> {
    let epoll = tk_epoll(lead.readable, far.readable)
    defer { tk_close(epoll) }
    let start = tk_monotonic_microseconds() + 50_000
    var pattern = VideoPattern(bitsPerSecond: bitsPerSecond, start: Instant(microseconds: start))
    let from = start + Int64(settle) * 1_000_000
    let until = from + Int64(seconds) * 1_000_000
    var (hasBegun, hasEnded) = (false, false)
    while true {
      let now = Instant(microseconds: tk_monotonic_microseconds())
      guard now.microseconds < until + 300_000 else { break }
      if pattern.nextDeadline <= now, now.microseconds < until {
        _ = pattern.write(into: &source, arena: lead.arena, now: now)
      }
      if !hasBegun, now.microseconds > from {
        hasBegun = true
        begin()
      }
      if !hasEnded, now.microseconds > until {
        hasEnded = true
        end()
      }
      lead.turn()
      far.turn()
      // The endpoints' own deadlines are looked at every millisecond.
      let pause = min(pattern.nextDeadline.microseconds - tk_monotonic_microseconds(), 1_000)
      _ = tk_epoll_wait(epoll, max(pause, 0))
    }
    return from * 1_000..<until * 1_000
  }
}
