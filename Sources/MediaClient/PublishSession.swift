public import Media
import MediaWorker
import RTCCore

/// What a publishing session has done so far.
public struct PublishStatistics: Sendable, Equatable {
  public var isConnected = false
  /// One for each connection, the present one last.
  public var connections: [ConnectionStatistics] = []
  /// Pictures taken from the source.
  public var picturesPlayed: UInt64 = 0
  /// Packets that found no room in the worker.
  public var packetsUnsent: UInt64 = 0

  public var packetsSent: UInt64 { connections.reduce(0) { $0 + $1.packetsSent } }
  public var bytesSent: UInt64 { connections.reduce(0) { $0 + $1.bytesSent } }
  public var packetsRetransmitted: UInt64 { connections.reduce(0) { $0 + $1.packetsRetransmitted } }
}

/// Why a session is over.
public enum SessionEnd: Sendable, Equatable {
  case stopped
  /// The source has nothing more.
  case sourceEnded
  case failed(ClientError)
}

/// Publishes a source to a WHIP URL (RFC 9725) until it ends or is stopped, over as many connections as that takes.
public final class PublishSession: Sendable {
  private let feeder: MediaFeeder
  private let loop: SessionLoop
  private let task: Task<SessionEnd, Never>

  /// Opens the source, POSTs and waits until the connection stands; the source begins to play then.
  /// - Parameters:
  ///   - token: bearer token (RFC 6750), nil for none.
  ///   - patience: how long a lesson that is not open yet or a connection that is gone is waited for.
  ///   - onUnit: called for each unit as it goes out, on the thread that plays the source: it must not wait.
  /// - Throws: what the source, HTTP, ICE or DTLS failed of.
  public static func start(
    _ transport: ClientTransport, url: String, token: String?, source: PublishSource,
    patience: Duration = .seconds(120), onUnit: (@Sendable (EncodedUnit) -> Void)? = nil
  ) async throws(ClientError) -> PublishSession {
    let feeder = MediaFeeder(source, onUnit: onUnit)
    let tracks = try await feeder.open()
    // Payload types and codecs are the same in every offer of these tracks.
    var random = SystemRandomNumberGenerator()
    let lesson = transport.newLesson()
    let lines = Negotiation.offer(
      role: .whip, tracks: tracks, local: transport.localTransport(of: lesson), random: &random
    ).mediaLines
    let injection = transport.newInjection()
    guard let lane = transport.worker.attachInjection(injection) else {
      feeder.stop()
      throw .full
    }
    let plan = SessionPlan(
      role: .whip, url: url, token: token, tracks: tracks, lesson: lesson, patience: patience)
    guard let session = PublishSession(transport, feeder: feeder, plan: plan, injection: injection, lines: lines)
    else {
      feeder.stop()
      throw .full
    }
    do throws(ClientError) { try await session.loop.connected() } catch {
      await session.stop()
      throw error
    }
    feeder.begin(lane, arena: transport.worker.arena, lines: lines)
    return session
  }

  private init?(
    _ transport: ClientTransport, feeder: MediaFeeder, plan: SessionPlan, injection: InjectionID, lines: [MediaLine]
  ) {
    self.feeder = feeder
    let loop = SessionLoop(transport: transport, plan: plan)
    self.loop = loop
    let worker = transport.worker
    guard worker.send(.openLesson(plan.lesson)),
      worker.send(.openInjection(plan.lesson, SessionLoop.feed, injection: injection, lines: lines)),
      let number = transport.openSession(url: plan.url)
    else { return nil }
    transport.route(injection, to: feeder.keyFrames)
    task = Task {
      let ending = Task { () -> SessionEnd in
        let end = await feeder.end()
        // What was sent last is still on its way, and may be asked for again.
        if end == .sourceEnded { try? await Task.sleep(for: .milliseconds(300)) }
        loop.stop()
        return end
      }
      let reason = await loop.run()
      feeder.stop()
      let end = await ending.value
      transport.route(injection, to: nil)
      _ = worker.send(.closeInjection(injection))
      _ = worker.send(.closeLesson(plan.lesson))
      transport.closeSession(number)
      return reason == .stopped ? end : .failed(reason)
    }
    transport.enrol(number) { [task] in
      feeder.stop()
      loop.stop()
      _ = await task.value
    }
  }

  public var statistics: PublishStatistics {
    PublishStatistics(
      isConnected: loop.isConnected, connections: loop.connections, picturesPlayed: feeder.picturesPlayed,
      packetsUnsent: feeder.packetsUnsent)
  }

  /// What the last connection failed of, while the next is tried.
  public var trouble: ClientError? { loop.lastError }

  /// Waits until the source ends, or the session is stopped or given up.
  public func end() async -> SessionEnd { await task.value }

  /// Says goodbye and waits until that is done.
  public func stop() async {
    feeder.stop()
    loop.stop()
    _ = await task.value
  }
}
