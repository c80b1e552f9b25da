import CLinuxIO
import CMeasure
import COpenSSL
import MediaWorker
import RTCCore
import RTCWire
import Synchronization

/// The thread that stands for all receivers and publishers.
///
/// Sockets are read every half millisecond rather than waited for: a receiver on another machine would not make the
/// relay wake anybody, and the kernel notes when a packet came.
final class LoadLoop: @unchecked Sendable {
  enum Command: Sendable {
    case addReceiver(UInt32, PeerDescription, byTCP: Bool = false)
    case addPublisher(UInt32, PeerDescription, seed: UInt64)
    case begin(bitsPerSecond: Int)
    case pause
    /// The baseline is about to send: its streams are counted from now.
    case expectBaseline
    case sampleLatencies(Bool)
    /// Latencies of these peers alone from now on.
    case sampleOnly(Range<Int>)
    /// Forgets peers; their numbers are not used again.
    case remove(Set<Int>)
    /// Lets peers do harm, one after another in each of the ways there are.
    case misbehave(Range<Int>)
    case stop
  }

  static let socketCount = 16
  static let base: UInt32 = 0x7F01_0001
  /// Where streams lie in a `tk_load_peer`: two and their retransmissions, then the baseline's two.
  private static let baselineStreams: [UInt32] = [4, 5]
  static let baselineSSRC: UInt32 = 0x0B00_0000
  private static let round: Int64 = 500_000
  private static let feedbackInterval: Int64 = 100_000_000

  private let load: OpaquePointer
  private let identity: OpaquePointer
  private let offered: String?
  private let pacing: Pacing
  private let outboxes: [LoadOutbox]
  private var peers: [LoadPeer] = []
  private var byNumber: [LoadPeer?]
  private var publishers: [LoadPublisher] = []
  private var streams: [UInt32: LoadStream] = [:]
  private var random = SplitMix64(seed: 7)
  private var items = [tk_load_item](repeating: tk_load_item(), count: Int(TK_BATCH))
  private var cursor = 0
  private var cursorMoment: Int64 = 0
  private var reportTurn: [UInt8] = []
  private var isSampling = false
  private var sampled = 0..<Int.max
  private var latencies = LoadLatencies()
  private var opened: UInt64 = 0
  private var refused: UInt64 = 0
  private var isStopping = false
  private var handle: UInt64 = 0

  private let commands = Mutex<[Command]>([])
  private let shared = Mutex<(figures: LoadFigures, latencies: LoadLatencies, round: UInt64)>(
    (LoadFigures(), LoadLatencies(), 0))
  private let wanted = Atomic<Bool>(false)

  /// - Parameter offered: SRTP profiles in OpenSSL's names, nil for all.
  init(
    limit: Int, identity: DTLSIdentity, offered: String?, pacing: Pacing, sampleInterval: UInt32 = 100
  ) throws {
    guard
      let load = tk_load_create(
        Int32(Self.socketCount), Self.base, UInt32(limit), 64 << 20, sampleInterval),
      let made = tk_identity_create(identity.certificatePEM, identity.privateKeyPEM)
    else { throw BenchError("no sockets for the load") }
    self.load = load
    self.identity = made
    self.offered = offered
    self.pacing = pacing
    outboxes = (0..<Int32(Self.socketCount)).map { LoadOutbox(descriptor: tk_load_descriptor(load, $0)) }
    byNumber = Array(repeating: nil, count: limit)
  }

  deinit {
    tk_identity_free(identity)
    tk_load_free(load)
  }

  /// The address of a peer: its own, at one of the shared ports.
  func address(_ number: UInt32) -> SocketAddress {
    SocketAddress(ipv4: Self.base + number, port: tk_load_port(load, Int32(number) % Int32(Self.socketCount)))
  }

  /// Bytes of receive buffer at each port.
  var room: Int { Int(tk_load_room(load)) }

  func send(_ command: Command) { commands.withLock { $0.append(command) } }

  func start() {
    let context = Unmanaged.passRetained(self).toOpaque()
    let error = tk_thread_start(
      "load", -1, { Unmanaged<LoadLoop>.fromOpaque($0!).takeRetainedValue().run() }, context, &handle)
    precondition(error == 0, "the system starts no more threads")
  }

  func stop() {
    send(.stop)
    tk_thread_join(handle)
  }

  /// A fresh look at what has been counted.
  func figures() async throws -> LoadFigures {
    let before = shared.withLock { $0.round }
    wanted.store(true, ordering: .releasing)
    for _ in 0..<5_000 {
      try await Task.sleep(for: .milliseconds(2))
      let (figures, round) = shared.withLock { ($0.figures, $0.round) }
      if round != before { return figures }
    }
    throw BenchError("the load does not answer")
  }

  /// Latencies sampled so far; forgets them.
  func takeLatencies() async throws -> LoadLatencies {
    _ = try await figures()
    return shared.withLock { shared in
      defer { shared.latencies = LoadLatencies() }
      return shared.latencies
    }
  }

  // MARK: The thread

  private func run() {
    // As the relay's media threads, where that is allowed: receivers of their own machines would not wait either.
    _ = tk_thread_set_nice(-10)
    while !isStopping {
      for command in commands.withLock({ waiting in
        defer { waiting.removeAll() }
        return waiting
      }) {
        apply(command)
      }
      let now = tk_monotonic_nanoseconds()
      tk_load_begin_round(load)
      for socket in 0..<Int32(Self.socketCount) { receive(socket) }
      for (number, stream) in streams { receive(stream, number) }
      publish()
      servePeers(tk_monotonic_nanoseconds())
      for outbox in outboxes { outbox.flush() }
      for stream in streams.values { stream.outbox.flush() }
      if wanted.exchange(false, ordering: .acquiringAndReleasing) { tell() }
      let next = publishers.map(\.nextDeadline).min() ?? .max
      tk_sleep_until(min(now + Self.round, max(next, now)))
    }
  }

  private func apply(_ command: Command) {
    switch command {
    case .addReceiver(let number, let description, let byTCP):
      add(number, description, byTCP: byTCP)
    case .addPublisher(let number, let description, let seed):
      let peer = add(number, description)
      publishers.append(LoadPublisher(peer: peer, bitsPerSecond: 2_000_000, pacing: pacing, seed: seed))
    case .begin(let bitsPerSecond):
      let now = tk_monotonic_nanoseconds()
      for (place, publisher) in publishers.enumerated() {
        // Lessons do not begin in step.
        let offset = LessonPattern.frameInterval * Int64(place) / Int64(publishers.count)
        publisher.begin(at: now + offset, bitsPerSecond: bitsPerSecond)
      }
    case .pause: for publisher in publishers { publisher.pause() }
    case .expectBaseline:
      for peer in peers {
        for (place, stream) in Self.baselineStreams.enumerated() {
          tk_load_set_stream(peer.counts, stream, Self.baselineSSRC + UInt32(place))
        }
      }
    case .sampleLatencies(let isSampling): self.isSampling = isSampling
    case .sampleOnly(let numbers): sampled = numbers
    case .remove(let numbers): remove(numbers)
    case .misbehave(let numbers):
      for peer in peers where numbers.contains(Int(peer.number)) {
        peer.misbehaviour = .of(Int(peer.number))
      }
    case .stop: isStopping = true
    }
  }

  private func remove(_ numbers: Set<Int>) {
    peers.removeAll { numbers.contains(Int($0.number)) }
    publishers.removeAll { numbers.contains(Int($0.peer.number)) }
    for number in numbers {
      byNumber[number] = nil
      streams[UInt32(number)] = nil
    }
    reportTurn = peers.indices.map { UInt8($0 % 10) }
    cursor = 0
  }

  @discardableResult
  private func add(_ number: UInt32, _ description: PeerDescription, byTCP: Bool = false) -> LoadPeer {
    let now = Instant(microseconds: tk_monotonic_microseconds())
    guard let counts = tk_load_peer_at(load, number) else { preconditionFailure("within the limit") }
    let peer = LoadPeer(
      number: number, description: description, address: address(number),
      outbox: outbox(number, description, byTCP: byTCP), identity: identity, offered: offered, counts: counts, now: now
    )
    for line in description.lines where line.direction == .receive {
      let place: UInt32 = line.kind == .audio ? 0 : 2
      guard let source = line.sources.first else { continue }
      tk_load_set_stream(counts, place, source.ssrc)
      // The scan ends at the first unused stream.
      tk_load_set_stream(counts, place + 1, source.retransmission ?? .max)
      counts.pointee.transport_id = UInt32(line.extensions.transportSequence)
    }
    for (place, stream) in Self.baselineStreams.enumerated() {
      tk_load_set_stream(counts, stream, Self.baselineSSRC + UInt32(place))
    }
    peers.append(peer)
    byNumber[Int(number)] = peer
    reportTurn.append(UInt8(peers.count % 10))
    peer.advance(now: now, random: &random)
    return peer
  }

  /// A connection's own, or that of the socket which the peer shares with others.
  private func outbox(_ number: UInt32, _ description: PeerDescription, byTCP: Bool) -> LoadOutbox {
    // The relay listens at the number of its UDP port.
    if byTCP, let address = description.remoteCandidates.first,
      let stream = try? LoadStream(peer: number, to: address)
    {
      streams[number] = stream
      return stream.outbox
    }
    return outboxes[Int(number) % Self.socketCount]
  }

  private func receive(_ stream: LoadStream, _ number: UInt32) {
    guard let peer = byNumber[Int(number)], peer.misbehaviour != .blackHole else { return }
    let now = Instant(microseconds: tk_monotonic_microseconds())
    stream.read(load) { take($0, peer, now: now) }
  }

  private func take(_ item: tk_load_item, _ peer: LoadPeer, now: Instant) {
    if item.stream == UInt32(TK_LOAD_NONE) {
      peer.receive(item, now: now, random: &random)
    } else if item.stream < 4 {
      open(item, peer)
    }
  }

  private func receive(_ socket: Int32) {
    // Bounded, so that what is due is not late because of one burst.
    for _ in 0..<256 {
      var count: Int32 = 0
      let read = tk_load_receive(load, socket, &items, &count)
      let now = Instant(microseconds: count > 0 ? tk_monotonic_microseconds() : 0)
      for place in 0..<Int(count) {
        let item = items[place]
        guard let peer = byNumber[Int(item.peer)] else { continue }
        take(item, peer, now: now)
      }
      if read < TK_BATCH { return }
    }
  }

  /// Authenticates and decrypts a sample, and reads when it left.
  private func open(_ item: tk_load_item, _ peer: LoadPeer) {
    let bytes = UnsafeMutableRawBufferPointer(start: item.bytes, count: Int(item.count))
    guard let header = try? RTPHeader(UnsafeRawBufferPointer(bytes)) else { return }
    guard peer.receiver != nil, let count = try? peer.receiver?.openRTP(bytes, header: header) else {
      refused += 1
      return
    }
    opened += 1
    // A retransmission has the original's number before its payload (RFC 4588 §4).
    let start = header.payloadOffset + (item.stream % 2 == 1 ? 2 : 0)
    guard isSampling, sampled.contains(Int(item.peer)), item.stream % 2 == 0, item.stamp != 0, count >= start + 11
    else { return }
    let departure = bytes.loadUnaligned(fromByteOffset: start + LoadPublisher.departureOffset, as: Int64.self)
    let latency = Double(item.stamp - departure)
    if bytes[start + LoadPublisher.kindOffset] == DuePacket.Kind.key.rawValue {
      latencies.keyFrames.append(latency)
    } else {
      latencies.others.append(latency)
    }
  }

  private func publish() {
    guard !publishers.isEmpty else { return }
    let now = tk_monotonic_nanoseconds()
    let wall = NTPTime(unixMicroseconds: tk_realtime_microseconds())
    for publisher in publishers where publisher.nextDeadline <= now {
      publisher.advance(now: now, wall: wall)
      // Right away: what follows in this round must not count as the relay's.
      publisher.peer.outbox.flush()
    }
  }

  /// Feedback, reports and checks of those whose turn it is: all peers within 100 ms, one after another.
  private func servePeers(_ now: Int64) {
    guard !peers.isEmpty else { return }
    let step = Self.feedbackInterval / Int64(peers.count)
    if cursorMoment == 0 || now - cursorMoment > 1_000_000_000 { cursorMoment = now }
    let instant = Instant(microseconds: now / 1_000)
    var served = 0
    while cursorMoment <= now, served < peers.count {
      if cursor >= peers.count { cursor = 0 }
      let peer = peers[cursor]
      peer.advance(now: instant, random: &random)
      if peer.state == .connected {
        let behaves = peer.misbehaviour.map(peer.misbehave) ?? true
        if behaves { peer.sendFeedback() }
        reportTurn[cursor] += 1
        if behaves, reportTurn[cursor] >= 10 {
          reportTurn[cursor] = 0
          peer.sendReport(now: instant)
        }
      }
      cursor += 1
      served += 1
      cursorMoment += step
    }
  }

  private func tell() {
    var figures = LoadFigures()
    for peer in peers where peer.description.lines.contains(where: { $0.direction == .receive }) {
      figures.receivers += 1
      if peer.state == .connected { figures.connected += 1 }
      if peer.state == .failed { figures.failed += 1 }
      figures.profile = figures.profile ?? peer.profile
      figures.strangers += peer.counts.pointee.strangers
      var own = LoadPeerFigures(number: peer.number, isFailed: peer.state == .failed, packets: 0, missing: 0)
      for place in 0..<UInt32(6) {
        let stream = tk_load_stream_at(peer.counts, place).pointee
        guard stream.first >= 0 else { continue }
        let missing = stream.highest - stream.first + 1 - Int64(stream.received)
        figures.duplicates += stream.duplicates
        if place >= 4 {
          figures.baselinePackets += stream.received
          figures.baselineMissing += missing
        } else {
          figures.packets += stream.received
          figures.missing += missing
          own.packets += stream.received
          own.missing += missing
        }
      }
      figures.peers.append(own)
    }
    figures.seconds = Double(tk_thread_nanoseconds()) / 1e9
    figures.opened = opened
    figures.refused = refused
    figures.published = publishers.reduce(0) { $0 + $1.sent }
    figures.picturesPublished = publishers.reduce(0) { $0 + $1.picturesSent }
    figures.keyFramesPublished = publishers.reduce(0) { $0 + $1.keyFramesBegun }
    figures.framesPublished = publishers.reduce(0) { $0 + $1.framesBegun }
    shared.withLock {
      $0.figures = figures
      $0.latencies.others += latencies.others
      $0.latencies.keyFrames += latencies.keyFrames
      $0.round += 1
    }
    latencies = LoadLatencies()
  }
}
