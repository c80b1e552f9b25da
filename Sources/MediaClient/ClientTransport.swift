public import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Synchronization

/// What a client transport is started with.
public struct TransportConfiguration: Sendable {
  /// Sends from addresses of the loopback alone.
  public var loopbackOnly = false
  /// PEM file of certificates to trust besides the system's, such as the relay's own authority.
  public var trustFile: String?
  /// Language tag in which refusals are asked for (RFC 9110 §12.5.4); nil leaves it to the relay.
  public var language: String?
  /// Share of datagrams lost on purpose each way, 0…1, for trials.
  public var faultDropFraction = 0.0
  /// Packet buffers: 16,384 of 1,600 bytes are 25 MiB of address space, touched as used.
  public var slotCount = 16_384
  public init() {}
}

/// One UDP port, one media thread and one HTTP client, shared by any number of sessions.
///
/// Sessions of one transport are strangers to each other: each has a lesson of its own in the worker. Over loopback
/// each has an address of its own besides (127.1.0.1 and on), so that many may lead to one relay; elsewhere a relay is
/// led to by one session at a time, because a path, which is two addresses with their ports, belongs to one peer.
public final class ClientTransport: Sendable {
  /// Sessions of one transport at a time.
  public static let sessionLimit = 256

  public let worker: MediaWorker
  let signalling: SignallingClient
  let reader: SinkReader
  private let identity: DTLSIdentity
  private let addresses: [SocketAddress]
  private let loopbackOnly: Bool
  private let silence = Atomic<Bool>(false)
  private let routes = Mutex(Routes())
  private let dispatcher = Mutex<Task<Void, Never>?>(nil)

  private struct Routes {
    var peers: [PeerID: @Sendable (CoreEvent) -> Void] = [:]
    var injections: [InjectionID: KeyFrameFlag] = [:]
    var sessions: [UInt64: @Sendable () async -> Void] = [:]
    /// Host and port that a session leads to.
    var relays: [UInt64: String] = [:]
    var lastPeer: UInt64 = 0
    var lastSession: UInt64 = 0
    var lastLesson: UInt32 = 0
    var lastSink: UInt16 = 0
    var lastInjection: UInt16 = 0
    var isClosed = false
  }

  /// Starts the threads.
  public init(configuration: TransportConfiguration = TransportConfiguration()) throws(ClientError) {
    loopbackOnly = configuration.loopbackOnly
    var settings = WorkerConfiguration()
    settings.slotCount = configuration.slotCount
    settings.faultDropFraction = configuration.faultDropFraction
    settings.seed = UInt64.random(in: 1...UInt64.max)
    addresses = configuration.loopbackOnly ? [] : LocalAddresses.list().filter { !$0.isBridge }.map(\.address)
    settings.core.localAddresses = addresses
    settings.core.peerLimit = Self.sessionLimit
    settings.core.lessonLimit = Self.sessionLimit
    signalling = try SignallingClient(trustFile: configuration.trustFile, language: configuration.language)
    do throws(CertificateError) { identity = try DTLSIdentity.generate() } catch {
      throw .worker("certificate: \(error)")
    }
    do throws(WorkerError) {
      worker = try MediaWorker(configuration: settings, identity: identity)
    } catch { throw ClientError(error) }
    reader = SinkReader(arena: worker.arena)
    let events = worker.events
    let task = Task { [weak self] in
      for await batch in events { for event in batch { self?.dispatch(event) } }
    }
    dispatcher.withLock { $0 = task }
  }

  /// Ends all sessions with a goodbye, then the threads. To be called once; sessions started later are refused.
  public func shutdown() async {
    await stopSessions()
    await end()
  }

  /// Falls silent from one moment to the next, as by a power cut: nobody is told. For trials; to be called once.
  public func abandon() async {
    silence.store(true, ordering: .releasing)
    worker.stop()
    await stopSessions()
    await end()
  }

  private func stopSessions() async {
    let stops = routes.withLock { routes in
      routes.isClosed = true
      return Array(routes.sessions.values)
    }
    await withTaskGroup(of: Void.self) { group in
      for stop in stops { group.addTask { await stop() } }
    }
  }

  private func end() async {
    reader.stop()
    worker.stop()
    await dispatcher.withLock { $0 }?.value
    await signalling.shutdown()
  }

  /// Whether the transport still speaks to the relay: an abandoned one must not say goodbye.
  var isSilent: Bool { silence.load(ordering: .acquiring) }

  // MARK: Sessions

  /// A number for a session; nil when the transport is closed or full.
  func openSession(url: String) -> UInt64? {
    routes.withLock { routes in
      guard !routes.isClosed, routes.sessions.count < Self.sessionLimit else { return nil }
      let relay = loopbackOnly ? "" : String(url.split(separator: "/").dropFirst().first ?? "")
      guard loopbackOnly || !routes.relays.values.contains(relay) else { return nil }
      routes.lastSession += 1
      routes.sessions[routes.lastSession] = {}
      routes.relays[routes.lastSession] = relay
      return routes.lastSession
    }
  }

  /// How a session is ended with its transport: `stop` returns when it has ended.
  func enrol(_ session: UInt64, stop: @escaping @Sendable () async -> Void) {
    let isTooLate = routes.withLock { routes in
      guard routes.sessions[session] != nil else { return false }
      routes.sessions[session] = stop
      return routes.isClosed
    }
    if isTooLate { Task { await stop() } }
  }

  func closeSession(_ session: UInt64) {
    routes.withLock { routes in
      routes.sessions[session] = nil
      routes.relays[session] = nil
    }
  }

  func newLesson() -> LessonID {
    routes.withLock { routes in
      routes.lastLesson &+= 1
      return LessonID(rawValue: routes.lastLesson)
    }
  }

  func newSink() -> SinkID {
    routes.withLock { routes in
      routes.lastSink &+= 1
      return SinkID(rawValue: routes.lastSink)
    }
  }

  func newInjection() -> InjectionID {
    routes.withLock { routes in
      routes.lastInjection &+= 1
      return InjectionID(rawValue: routes.lastInjection)
    }
  }

  /// A number for a peer; what the worker tells of it goes to `receive`, on no particular thread.
  func openPeer(_ receive: @escaping @Sendable (CoreEvent) -> Void) -> PeerID {
    routes.withLock { routes in
      routes.lastPeer += 1
      let peer = PeerID(rawValue: routes.lastPeer)
      routes.peers[peer] = receive
      return peer
    }
  }

  func closePeer(_ peer: PeerID) { routes.withLock { $0.peers[peer] = nil } }

  func route(_ injection: InjectionID, to flag: KeyFrameFlag?) { routes.withLock { $0.injections[injection] = flag } }

  /// Where a session's media goes out.
  func localAddresses(of lesson: LessonID) -> [SocketAddress] {
    let own = loopbackOnly ? [SocketAddress(ipv4: 0x7F01_0000 | lesson.rawValue & 0xFFFF, port: 0)] : addresses
    return own.map { address in
      var address = address
      address.port = worker.port
      return address
    }
  }

  /// What goes into an offer: fresh credentials, and candidates for the session's addresses.
  func localTransport(of lesson: LessonID) -> LocalTransport {
    let usable = localAddresses(of: lesson).filter { loopbackOnly || !$0.isLoopback }
    let candidates = usable.prefix(16).enumerated().map { place, address in
      // Type preference of a host candidate 126; the local preference falls with the place in the list.
      ICECandidateLine(
        foundation: String(place + 1), transport: "udp",
        priority: UInt32(126) << 24 | UInt32(65_535 - place) << 8 | 255, address: address.addressText,
        port: worker.port, type: "host")
    }
    return LocalTransport(
      credentials: ICECredentials(userFragment: Self.randomText(8), password: Self.randomText(24)),
      fingerprint: identity.fingerprint, candidates: Array(candidates),
      sessionID: UInt64.random(in: 1...UInt64(Int64.max)))
  }

  /// Characters of the base64 alphabet: every one an ice-char (RFC 8839 §5.4), six bits each.
  private static func randomText(_ count: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    return String(decoding: secureRandomBytes(count).map { alphabet[Int($0 & 63)] }, as: UTF8.self)
  }

  // MARK: Events

  private func dispatch(_ event: CoreEvent) {
    switch event {
    case .iceConnected(let peer, _, _), .dtlsConnected(let peer, _, _), .mediaFlowing(let peer, _),
      .stalled(let peer, _), .resumed(let peer, _), .ended(let peer, _, _):
      deliver(event, to: peer)
    case .peerStatistics(let statistics): deliver(event, to: statistics.peer)
    case .keyFrameRequested(let injection): routes.withLock { $0.injections[injection] }?.raise()
    case .trackStarted, .trackEnded, .paneFilled, .paneWithoutCommonCodec, .degraded, .restored: break
    }
  }

  private func deliver(_ event: CoreEvent, to peer: PeerID) {
    routes.withLock { $0.peers[peer] }?(event)
  }
}

/// Raised when a receiver wants a key frame; the source takes it down when it makes one.
final class KeyFrameFlag: Sendable {
  private let isRaised = Atomic<Bool>(false)
  func raise() { isRaised.store(true, ordering: .releasing) }
  func take() -> Bool { isRaised.exchange(false, ordering: .acquiringAndReleasing) }
}
