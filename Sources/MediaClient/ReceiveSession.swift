public import Media
import MediaWorker
import RTCCore

/// What a receiving session has had so far.
public struct ReceiveStatistics: Sendable, Equatable {
  public var isConnected = false
  /// One for each connection, the present one last.
  public var connections: [ConnectionStatistics] = []
  public var media = ReceivedMedia()

  public var packetsReceived: UInt64 { connections.reduce(0) { $0 + $1.packetsReceived } }
  public var bytesReceived: UInt64 { connections.reduce(0) { $0 + $1.bytesReceived } }
  public var packetsRepaired: UInt64 { connections.reduce(0) { $0 + $1.packetsRepaired } }
  public var packetsLost: UInt64 { connections.reduce(0) { $0 + $1.packetsLost } }
}

/// Whole units put together from what was received.
public struct ReceivedMedia: Sendable, Equatable {
  public var framesComplete = 0
  /// Pictures with a hole that stayed, and holes in which whole pictures vanished.
  public var framesIncomplete = 0
  public var keyFrames = 0
  /// Packets of sound.
  public var soundUnits = 0
  public var soundLost = 0
  /// Sum of `durationMicroseconds` of the sound.
  public var soundMicroseconds: Int64 = 0
  public init() {}
}

/// Receives what a WHEP URL (draft-ietf-wish-whep-03) shows, until stopped, over as many connections as that takes.
public final class ReceiveSession: Sendable {
  /// Leases of the sink at most: 8 s of 4 Mbit/s.
  private static let leaseLimit = 4_096
  /// Connected for so long without a picture or a sound, and something is wrong.
  private static let silenceLimit: Int64 = 10_000_000

  private let loop: SessionLoop
  private let receiver: UnitReceiver
  private let task: Task<SessionEnd, Never>

  /// POSTs and waits until the connection stands; media may come later, when someone publishes.
  /// - Parameters:
  ///   - token: bearer token (RFC 6750), nil for none.
  ///   - pane: what to receive: `called`, `stageScreen`, `stageCamera`, `seat:UUID`; nil is what the relay gives.
  ///   - file: where to write what comes, MP4 for H.264 and WebM for VP8; nil for nowhere.
  ///   - patience: how long a lesson that is not open yet or a connection that is gone is waited for.
  ///   - onUnit: called for each whole unit, on the thread that reads all sessions of the transport: it must not wait.
  ///     Times are microseconds of this machine's monotonic clock at which the unit was captured, as far as is known.
  /// - Throws: what HTTP, ICE or DTLS failed of.
  public static func start(
    _ transport: ClientTransport, url: String, token: String?, pane: String? = nil, file: String? = nil,
    patience: Duration = .seconds(120), onUnit: (@Sendable (EncodedUnit) -> Void)? = nil
  ) async throws(ClientError) -> ReceiveSession {
    let plan = SessionPlan(
      role: .whep, url: url, token: token,
      tracks: [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)],
      lesson: transport.newLesson(), patience: patience, pane: pane)
    guard let session = ReceiveSession(transport, plan: plan, file: file, onUnit: onUnit) else { throw .full }
    do throws(ClientError) { try await session.loop.connected() } catch {
      await session.stop()
      throw error
    }
    return session
  }

  private init?(
    _ transport: ClientTransport, plan: SessionPlan, file: String?, onUnit: (@Sendable (EncodedUnit) -> Void)?
  ) {
    let loop = SessionLoop(transport: transport, plan: plan)
    self.loop = loop
    let worker = transport.worker
    let sink = transport.newSink()
    guard let lane = worker.attachSink(sink, capacity: Self.leaseLimit), worker.send(.openLesson(plan.lesson)),
      worker.send(.addSink(plan.lesson, SessionLoop.feed, sink: sink)),
      let number = transport.openSession(url: plan.url)
    else { return nil }
    let receiver = UnitReceiver(
      lane: lane, file: file, onUnit: onUnit, onFirstFrame: { loop.noteFirstFrame(at: $0) })
    self.receiver = receiver
    transport.reader.add(receiver)
    task = Task {
      let reason = await loop.run()
      _ = worker.send(.removeSink(sink: sink))
      _ = worker.send(.closeLesson(plan.lesson))
      // The worker's next turn lends nothing more; what it lent is read before the reader lets go.
      try? await Task.sleep(for: .milliseconds(20))
      await transport.reader.remove(receiver)
      transport.closeSession(number)
      return reason == .stopped ? .stopped : .failed(reason)
    }
    transport.enrol(number) { [task] in
      loop.stop()
      _ = await task.value
    }
  }

  public var statistics: ReceiveStatistics {
    ReceiveStatistics(isConnected: loop.isConnected, connections: loop.connections, media: receiver.media)
  }

  /// What the last connection failed of while the next is tried, or that nothing comes over the present one.
  public var trouble: ClientError? {
    if let error = loop.lastError { return error }
    guard loop.isConnected, let last = loop.connections.last, last.packetsReceived == 0,
      monotonicNow().monotonic.microseconds - last.startedAt > Self.silenceLimit
    else { return nil }
    return .mediaNeverCame
  }

  /// What the file came to, once the session has ended; nil without a file.
  public var file: Result<WrittenFile, ClientError>? { receiver.written }

  /// Waits until the session is stopped or given up.
  public func end() async -> SessionEnd { await task.value }

  /// Says goodbye and waits until that is done and the file is finished.
  public func stop() async {
    loop.stop()
    _ = await task.value
  }
}
