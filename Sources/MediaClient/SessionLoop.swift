import MediaWorker
import RTCCore
import Synchronization

/// What one connection of a session came to: from its POST to its end.
public struct ConnectionStatistics: Sendable, Equatable {
  /// When it was POSTed, microseconds of the monotonic clock.
  public var startedAt: Int64
  /// When it ended, on the same clock; nil while it lasts.
  public var endedAt: Int64?
  /// POST to ICE and DTLS connected.
  public var connectMilliseconds: Double?
  /// POST to the first whole key frame; receivers only.
  public var firstFrameMilliseconds: Double?
  public var packetsReceived: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  public var packetsRepaired: UInt64 = 0
  /// Sequence gaps left after retransmission.
  public var packetsLost: UInt64 = 0
  public var packetsSent: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var packetsRetransmitted: UInt64 = 0
  public var roundTripMilliseconds = 0.0
  /// What the path is thought to carry, bits per second.
  public var estimateBitsPerSecond: Int64 = 0

  mutating func take(_ latest: PeerStatistics) {
    packetsReceived = latest.packetsReceived
    bytesReceived = latest.bytesReceived
    packetsRepaired = latest.packetsRepaired
    packetsLost = latest.packetsLost
    packetsSent = latest.packetsSent
    bytesSent = latest.bytesSent
    packetsRetransmitted = latest.packetsRetransmitted
    roundTripMilliseconds = Double(latest.roundTripMicroseconds) / 1_000
    estimateBitsPerSecond = latest.estimateBitsPerSecond
  }
}

/// What a session publishes or receives, and how long it tries.
struct SessionPlan: Sendable {
  var role: NegotiationRole
  var url: String
  var token: String?
  var tracks: [OfferedTrack]
  var lesson: LessonID
  /// How long a lesson that is not there yet, or a connection that is gone, is waited for.
  var patience: Duration
  /// What a receiver's lines show; nil leaves it to the relay.
  var pane: String?
}

/// Keeps one session connected: POST, ICE, DTLS, media, its end, and again; DELETE at last.
///
/// A state machine on notes that are taken one at a time: what the worker tells, what HTTP answered, the clock, `stop`.
final class SessionLoop: Sendable {
  static let feed = FeedID(rawValue: 1)
  /// After so many connections the oldest statistics are folded into one.
  private static let connectionLimit = 64
  private static let connectLimit = Duration.seconds(12)

  private enum Note: Sendable {
    case core(CoreEvent)
    case answered(Result<SignalledSession, ClientError>)
    case alarm(Int)
    case stop
  }

  private struct State {
    var connections: [ConnectionStatistics] = []
    var waiting: CheckedContinuation<ClientError?, Never>?
    /// Set once: nil inside for success.
    var first: ClientError??
    var isConnected = false
    var lastError: ClientError?
  }

  private let transport: ClientTransport
  private let plan: SessionPlan
  private let notes: AsyncStream<Note>
  private let inbox: AsyncStream<Note>.Continuation
  private let state = Mutex(State())

  init(transport: ClientTransport, plan: SessionPlan) {
    self.transport = transport
    self.plan = plan
    // A second of statistics is one note; the newest are kept, so a stop is never the one that falls out.
    (notes, inbox) = AsyncStream.makeStream(of: Note.self, bufferingPolicy: .bufferingNewest(1_024))
  }

  // MARK: Asked from outside

  var connections: [ConnectionStatistics] { state.withLock { $0.connections } }
  var isConnected: Bool { state.withLock { $0.isConnected } }
  /// What the last attempt failed of, while it is tried again.
  var lastError: ClientError? { state.withLock { $0.lastError } }

  func stop() { inbox.yield(.stop) }

  /// Waits until the first connection stands, or is given up.
  func connected() async throws(ClientError) {
    let error = await withCheckedContinuation { continuation in
      let known: ClientError?? = state.withLock { state in
        if state.first == nil { state.waiting = continuation }
        return state.first
      }
      if let known { continuation.resume(returning: known) }
    }
    if let error { throw error }
  }

  /// The reader has seen the first whole key frame of the present connection.
  func noteFirstFrame(at microseconds: Int64) {
    state.withLock { state in
      guard let last = state.connections.indices.last, state.connections[last].firstFrameMilliseconds == nil else {
        return
      }
      state.connections[last].firstFrameMilliseconds =
        Double(microseconds - state.connections[last].startedAt) / 1_000
    }
  }

  private func settle(_ outcome: ClientError?) {
    let waiting = state.withLock { state -> CheckedContinuation<ClientError?, Never>? in
      guard state.first == nil else { return nil }
      state.first = .some(outcome)
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: outcome)
  }

  // MARK: The loop

  /// Runs until stopped or given up; answers why.
  func run() async -> ClientError {
    var inbox = notes.makeAsyncIterator()
    var attempt = 0
    var lastGood = ContinuousClock.now
    while true {
      let before = state.withLock { $0.first.map { $0 == nil } ?? false }
      let error = await connectOnce(&inbox)
      finish()
      let wasConnected = state.withLock { state in
        defer {
          state.isConnected = false
          state.lastError = error
        }
        return state.isConnected
      }
      if wasConnected {
        lastGood = .now
        attempt = 0
      }
      guard error != .stopped,
        let delay = error.retryDelay(attempt: attempt, hasConnected: before || wasConnected),
        ContinuousClock.now - lastGood + delay < plan.patience
      else {
        settle(error)
        return error
      }
      attempt += 1
      guard await pause(delay, &inbox) else {
        settle(.stopped)
        return .stopped
      }
    }
  }

  /// False when stopped meanwhile.
  private func pause(_ delay: Duration, _ inbox: inout AsyncStream<Note>.Iterator) async -> Bool {
    let alarm = setAlarm(-1, after: delay)
    defer { alarm.cancel() }
    while let note = await inbox.next() {
      switch note {
      case .stop: return false
      case .alarm(-1): return true
      default: continue
      }
    }
    return false
  }

  private func setAlarm(_ number: Int, after delay: Duration) -> Task<Void, Never> {
    Task { [self] in
      try? await Task.sleep(for: delay)
      if !Task.isCancelled { self.inbox.yield(.alarm(number)) }
    }
  }

  /// One connection from its POST to its end; answers why it ended.
  private func connectOnce(_ inbox: inout AsyncStream<Note>.Iterator) async -> ClientError {
    var random = SystemRandomNumberGenerator()
    let offer = Negotiation.offer(
      role: plan.role, tracks: plan.tracks, local: transport.localTransport(of: plan.lesson), random: &random)
    begin()
    let posting = Task { [self] in
      let answer: Result<SignalledSession, ClientError>
      do throws(ClientError) {
        answer = .success(try await open(offer))
      } catch { answer = .failure(error) }
      self.inbox.yield(.answered(answer))
    }
    var isStopped = false
    var answered: Result<SignalledSession, ClientError>?
    while answered == nil, let note = await inbox.next() {
      if case .stop = note {
        isStopped = true
        posting.cancel()
      }
      if case .answered(let answer) = note { answered = answer }
    }
    switch answered {
    case nil: return .stopped
    case .failure(let error): return isStopped ? .stopped : error
    case .success(let session):
      if isStopped {
        await close(session)
        return .stopped
      }
      return await carry(session, offer: offer, &inbox)
    }
  }

  private func open(_ offer: PendingOffer) async throws(ClientError) -> SignalledSession {
    let session = try await transport.signalling.open(url: plan.url, token: plan.token, offer: offer.description)
    guard let pane = plan.pane else { return session }
    do throws(ClientError) { try await transport.signalling.show(pane, in: session, token: plan.token) } catch {
      await close(session)
      throw error
    }
    return session
  }

  private func begin() {
    let now = monotonicNow().monotonic.microseconds
    state.withLock { state in
      if state.connections.count >= Self.connectionLimit { state.connections.removeFirst() }
      state.connections.append(ConnectionStatistics(startedAt: now))
    }
  }

  private func finish() {
    let now = monotonicNow().monotonic.microseconds
    state.withLock { state in
      guard let last = state.connections.indices.last else { return }
      state.connections[last].endedAt = now
      // What never connected leaves nothing behind.
      if state.connections[last].connectMilliseconds == nil { state.connections.removeLast() }
    }
  }

  /// A connection from its answer on.
  private func carry(
    _ session: SignalledSession, offer: PendingOffer, _ inbox: inout AsyncStream<Note>.Iterator
  ) async -> ClientError {
    let peer = transport.openPeer { [inbox = self.inbox] event in inbox.yield(.core(event)) }
    defer { transport.closePeer(peer) }
    do throws(NegotiationError) {
      var description = try Negotiation.apply(
        answer: session.answer, to: offer, peer: peer, lesson: plan.lesson, feed: Self.feed)
      description.localAddresses = transport.localAddresses(of: plan.lesson)
      guard addPeer(description) else {
        await close(session)
        return .full
      }
    } catch {
      await close(session)
      return .badAnswer(reason: error.reason.rawValue)
    }
    let end = await watch(peer, &inbox)
    if end.isOurs { await dismiss(peer, &inbox) }
    if end.error != .endedByRelay { await close(session) }
    return end.error
  }

  private func addPeer(_ description: PeerDescription) -> Bool {
    guard transport.worker.send(.addPeer(description)) else { return false }
    for line in description.lines where line.direction == .send {
      _ = transport.worker.send(.setPane(description.id, mid: line.mid, source: .feed(Self.feed), maxHeight: 0))
    }
    return true
  }

  private struct End {
    var error: ClientError
    /// The worker still has the peer.
    var isOurs: Bool
  }

  private func watch(_ peer: PeerID, _ inbox: inout AsyncStream<Note>.Iterator) async -> End {
    let alarm = setAlarm(Int(peer.rawValue), after: Self.connectLimit)
    defer { alarm.cancel() }
    var hasPath = false
    var isConnected = false
    while let note = await inbox.next() {
      switch note {
      case .stop: return End(error: .stopped, isOurs: true)
      case .answered: continue
      case .alarm(let number):
        guard number == Int(peer.rawValue), !isConnected else { continue }
        return End(error: hasPath ? .handshakeFailed : .noPath, isOurs: true)
      case .core(.iceConnected(peer, _, _)): hasPath = true
      case .core(.dtlsConnected(peer, _, let moment)):
        isConnected = true
        noteConnected(at: moment)
      case .core(.peerStatistics(let latest)) where latest.peer == peer: take(latest)
      case .core(.stalled(peer, _)): return End(error: .connectionLost, isOurs: true)
      case .core(.ended(peer, let reason, _)):
        return End(error: ClientError(reason, hadPath: hasPath), isOurs: false)
      case .core: continue
      }
    }
    return End(error: .stopped, isOurs: true)
  }

  private func noteConnected(at moment: Instant) {
    state.withLock { state in
      state.isConnected = true
      state.lastError = nil
      guard let last = state.connections.indices.last else { return }
      state.connections[last].connectMilliseconds =
        Double(moment.microseconds - state.connections[last].startedAt) / 1_000
    }
    settle(nil)
  }

  private func take(_ latest: PeerStatistics) {
    state.withLock { state in
      guard let last = state.connections.indices.last else { return }
      state.connections[last].take(latest)
    }
  }

  /// Says goodbye by RTCP and waits for the last statistics, half a second at most.
  private func dismiss(_ peer: PeerID, _ inbox: inout AsyncStream<Note>.Iterator) async {
    guard !transport.isSilent, transport.worker.send(.removePeer(peer)) else { return }
    let alarm = setAlarm(-2, after: .milliseconds(500))
    defer { alarm.cancel() }
    while let note = await inbox.next() {
      switch note {
      case .core(.peerStatistics(let latest)) where latest.peer == peer: take(latest)
      case .core(.ended(peer, _, _)), .alarm(-2): return
      default: continue
      }
    }
  }

  private func close(_ session: SignalledSession) async {
    guard !transport.isSilent else { return }
    await transport.signalling.close(url: session.url, token: plan.token)
  }
}
