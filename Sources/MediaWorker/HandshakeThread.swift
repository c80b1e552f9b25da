import CLinuxIO
import COpenSSL
package import PacketRing
package import RTCCore
import Synchronization

/// Runs the DTLS handshakes of one worker, away from its packets: a handshake costs a millisecond of a core.
///
/// Datagrams come by a lane and records, keys and verdicts go back by another. An association is freed 30 s after its
/// handshake; until then it answers repeated flights.
package final class HandshakeThread: @unchecked Sendable {
  private struct Session {
    let dtls: OpaquePointer
    let isClient: Bool
    let fingerprints: [CertificateFingerprint]
    var begun: Int64
    var done: Int64?
    var deadline: Int64
    /// The earliest of its entries in the heap.
    var scheduled: Int64
  }

  static let sessionLimit = 4_096
  private static let handshakeLimit: Int64 = 15_000_000
  /// Memory of freed associations, tens of KiB each, is given back this often at most.
  private static let trimPause: Int64 = 5_000_000
  private static let mtu: Int32 = 1_200

  private let identity: OpaquePointer
  private let wake: Int32
  private let workerWake: Int32
  private var inputs: LaneConsumer<HandshakeInput>
  private var outputs: LaneProducer<HandshakeOutput>
  private let linger: Int64
  private var sessions: [PeerID: Session] = [:]
  private var deadlines = DeadlineHeap()
  private var hasFreed = false
  private var lastTrim: Int64 = 0
  private let stopping = Atomic<Bool>(false)
  private var handle: UInt64 = 0

  /// - Parameter workerWake: the eventfd that wakes the worker when there are outputs.
  /// - Parameter linger: how long an association answers repeated flights after its handshake.
  package init(
    identity: DTLSIdentity, workerWake: Int32, inputs: consuming LaneConsumer<HandshakeInput>,
    outputs: consuming LaneProducer<HandshakeOutput>, linger: Interval = .seconds(30)
  ) throws(CertificateError) {
    guard let made = tk_identity_create(identity.certificatePEM, identity.privateKeyPEM) else { throw .cannotRead }
    self.identity = made
    self.workerWake = workerWake
    self.linger = linger.microseconds
    wake = tk_eventfd()
    self.inputs = inputs
    self.outputs = outputs
  }

  deinit {
    tk_identity_free(identity)
    tk_close(wake)
  }

  package func start() {
    let context = Unmanaged.passRetained(self).toOpaque()
    let error = tk_thread_start(
      "handshake", -1, { Unmanaged<HandshakeThread>.fromOpaque($0!).takeRetainedValue().run() }, context, &handle)
    precondition(error == 0, "the system starts no more threads")
  }

  /// The worker calls this after it has put inputs into the lane.
  package func signal() { tk_eventfd_signal(wake) }

  package func stop() {
    stopping.store(true, ordering: .releasing)
    signal()
    tk_thread_join(handle)
  }

  private func run() {
    while !stopping.load(ordering: .acquiring) {
      let now = tk_monotonic_microseconds()
      let earliest = min(deadlines.earliest ?? .max, hasFreed ? lastTrim + Self.trimPause : .max)
      if earliest > now {
        tk_eventfd_wait(wake, earliest == .max ? -1 : min(earliest - now, 1_000_000) * 1_000)
      } else {
        tk_eventfd_clear(wake)
      }
      var produced = false
      while let input = inputs.pop() { produced = take(input) || produced }
      produced = expire() || produced
      trim()
      if produced { tk_eventfd_signal(workerWake) }
    }
    for session in sessions.values { tk_dtls_free(session.dtls) }
    sessions.removeAll()
  }

  private func take(_ input: HandshakeInput) -> Bool {
    switch input {
    case .start(let peer, let role, let fingerprints):
      guard sessions[peer] == nil else { return false }
      guard sessions.count < Self.sessionLimit,
        let dtls = tk_dtls_create(identity, role == .client ? 1 : 0, Self.mtu)
      else { return emit(.failed(peer, .protocolError)) }
      let now = tk_monotonic_microseconds()
      let deadline = now + Self.handshakeLimit
      sessions[peer] = Session(
        dtls: dtls, isClient: role == .client, fingerprints: fingerprints, begun: now, done: nil, deadline: deadline,
        scheduled: deadline)
      deadlines.push(deadline, peer)
      return role == .client ? proceed(peer, tk_dtls_receive(dtls, nil, 0)) : false
    case .datagram(let peer, let bytes):
      guard let session = sessions[peer] else { return false }
      return proceed(peer, tk_dtls_receive(session.dtls, bytes, bytes.count))
    case .close(let peer):
      free(peer)
      return false
    }
  }

  private func free(_ peer: PeerID) {
    guard let session = sessions.removeValue(forKey: peer) else { return }
    tk_dtls_free(session.dtls)
    hasFreed = true
  }

  private func keep(_ session: Session, of peer: PeerID, until deadline: Int64) {
    var session = session
    session.deadline = deadline
    // A later deadline is found when the present entry comes up.
    if deadline < session.scheduled {
      session.scheduled = deadline
      deadlines.push(deadline, peer)
    }
    sessions[peer] = session
  }

  /// Sends what the association wrote and acts on where it stands.
  private func proceed(_ peer: PeerID, _ state: tk_dtls_state) -> Bool {
    guard var session = sessions[peer] else { return false }
    var produced = flush(peer, session)
    let now = tk_monotonic_microseconds()
    switch state {
    case TK_DTLS_DONE:
      if session.done == nil {
        session.done = now
        keep(session, of: peer, until: now + linger)
        produced = finish(peer, session) || produced
      }
    case TK_DTLS_FAILED: produced = fail(peer, .protocolError)
    case TK_DTLS_CLOSED: produced = emit(.closed(peer)) || produced
    default:
      let left = tk_dtls_milliseconds_to_timeout(session.dtls)
      let limit = session.begun + Self.handshakeLimit
      keep(session, of: peer, until: left < 0 ? limit : min(limit, now + max(left, 1) * 1_000))
    }
    return produced
  }

  private func finish(_ peer: PeerID, _ session: Session) -> Bool {
    guard isExpected(session) else { return fail(peer, .fingerprintMismatch) }
    guard let profile = SRTPProfile(rawValue: UInt16(tk_dtls_profile(session.dtls))) else {
      return fail(peer, .noCommonProfile)
    }
    let keyCount = profile.masterKeyByteCount
    let saltCount = profile.masterSaltByteCount
    var material = [UInt8](repeating: 0, count: 2 * (keyCount + saltCount))
    guard tk_dtls_export(session.dtls, &material, material.count) == 1 else { return fail(peer, .protocolError) }
    let clientKey = Array(material[0..<keyCount])
    let serverKey = Array(material[keyCount..<2 * keyCount])
    let clientSalt = Array(material[2 * keyCount..<2 * keyCount + saltCount])
    let serverSalt = Array(material[(2 * keyCount + saltCount)...])
    let keys = SRTPKeys(
      profile: profile, localKey: session.isClient ? clientKey : serverKey,
      localSalt: session.isClient ? clientSalt : serverSalt, remoteKey: session.isClient ? serverKey : clientKey,
      remoteSalt: session.isClient ? serverSalt : clientSalt)
    return emit(.keysReady(peer, keys))
  }

  private func isExpected(_ session: Session) -> Bool {
    session.fingerprints.contains { expected in
      var digest = [UInt8](repeating: 0, count: 64)
      let count = tk_dtls_peer_digest(session.dtls, expected.algorithm, &digest)
      return count > 0 && Array(digest.prefix(count)) == expected.digest
    }
  }

  private func fail(_ peer: PeerID, _ failure: HandshakeFailure) -> Bool {
    free(peer)
    return emit(.failed(peer, failure))
  }

  private func flush(_ peer: PeerID, _ session: Session) -> Bool {
    var produced = false
    var datagram = [UInt8](repeating: 0, count: 2_048)
    while true {
      let count = tk_dtls_next_datagram(session.dtls, &datagram, datagram.count)
      guard count > 0 else { return produced }
      produced = emit(.send(peer, Array(datagram.prefix(count)))) || produced
    }
  }

  private func expire() -> Bool {
    let now = tk_monotonic_microseconds()
    var produced = false
    while let entry = deadlines.pop(until: now) {
      let peer = entry.peer
      // An entry of a session that has gone, or that has an earlier one.
      guard var session = sessions[peer], session.scheduled == entry.deadline else { continue }
      guard session.deadline <= now else {
        session.scheduled = session.deadline
        sessions[peer] = session
        deadlines.push(session.deadline, peer)
        continue
      }
      session.scheduled = .max
      sessions[peer] = session
      if session.done != nil {
        free(peer)
      } else if now >= session.begun + Self.handshakeLimit {
        produced = fail(peer, .timeout) || produced
      } else {
        produced = proceed(peer, tk_dtls_timeout(session.dtls)) || produced
      }
    }
    return produced
  }

  /// The allocator keeps what lies between living blocks; nobody but the next storm would use it.
  private func trim() {
    let now = tk_monotonic_microseconds()
    guard hasFreed, now >= lastTrim + Self.trimPause else { return }
    hasFreed = false
    lastTrim = now
    tk_memory_trim()
  }

  /// Waits when the worker is behind: keys must not be lost, and nothing here is urgent.
  private func emit(_ output: HandshakeOutput) -> Bool {
    while !outputs.push(output) {
      if stopping.load(ordering: .acquiring) { return false }
      tk_eventfd_signal(workerWake)
      tk_eventfd_wait(wake, 1_000_000)
    }
    return true
  }
}
