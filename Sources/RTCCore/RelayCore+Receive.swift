public import PacketRing
import RTCWire

extension RelayCore {
  /// Takes one datagram in `slot`, which the caller claimed; the reference is the core's from here on.
  ///
  /// Drops, counted: what came by a path nobody authenticated (other than STUN), what fails authentication, replays,
  /// what names no known source.
  public mutating func receive(_ slot: SlotIndex, byteCount: Int, path: NetworkPath, now: Now) {
    tally.packetsReceived &+= 1
    tally.bytesReceived &+= UInt64(byteCount)
    let bytes = arena.bytes(slot, count: byteCount)
    switch classify(bytes) {
    case .rtp:
      receiveRTP(slot, byteCount: byteCount, path: path, now: now)
      return
    case .rtcp: receiveRTCP(slot, byteCount: byteCount, path: path, now: now)
    case .stun: receiveSTUN(bytes, path: path, now: now)
    case .dtls: receiveDTLS(bytes, path: path, now: now)
    default: tally.drop(.malformed)
    }
    ledger.release(slot)
  }

  // MARK: STUN and DTLS

  private mutating func receiveSTUN(_ bytes: UnsafeRawBufferPointer, path: NetworkPath, now: Now) {
    if let fragment = ICEAgent.destinationFragment(bytes) {
      guard let index = fragments[fragment] else {
        tally.drop(.stunIgnored)
        return
      }
      _ = give(bytes, to: index, path: path, now: now)
      return
    }
    if let index = paths.peer(for: path) {
      _ = give(bytes, to: index, path: path, now: now)
      return
    }
    // An answer to a controlling agent's first checks: no path is known yet, its transaction tells whose it is.
    for index in controlling where give(bytes, to: index, path: path, now: now) { return }
    tally.drop(.stunIgnored)
  }

  private mutating func give(_ bytes: UnsafeRawBufferPointer, to index: Int32, path: NetworkPath, now: Now) -> Bool {
    let peer = peers[index]
    guard peer.pointee.phase != .ending else { return false }
    // The path of a peer that is alive is its own: a check with a forged address must not take it away. Half a second,
    // because whoever comes back from the same port takes its seat over within one.
    if let owner = paths.peer(for: path), owner != index, peers[owner].pointee.path == path,
      now.monotonic - peers[owner].pointee.lastHeard < .milliseconds(500)
    {
      tally.drop(.stunIgnored)
      return false
    }
    guard peer.pointee.limits.mayCheck(now: now.monotonic) else {
      tally.drop(.stunIgnored)
      return false
    }
    let outcome = peer.pointee.ice.receive(bytes, path: path, now: now.monotonic, random: &random)
    if case .ignored = outcome {
      tally.drop(.stunIgnored)
      return false
    }
    peer.pointee.limits.checked()
    learn(path, peer: index)
    heard(index, now: now)
    switch outcome {
    case .connected(let selected):
      choose(selected, peer: index, now: now)
      learn(selected, peer: index)
      emit(.iceConnected(peer.pointee.id, selected, now.monotonic))
      startHandshake(index)
    case .pathChanged(let selected):
      choose(selected, peer: index, now: now)
      peer.pointee.log.forgetAll()
      peer.pointee.lossWindow.restart()
      learn(selected, peer: index)
    case .handled, .ignored: break
    }
    sendICE(index)
    rearm(index)
    return true
  }

  private mutating func startHandshake(_ index: Int32) {
    let peer = peers[index]
    guard !peer.pointee.handshakeStarted else { return }
    peer.pointee.handshakeStarted = true
    peer.pointee.phase = .handshaking
    askHandshake(
      .start(
        peer.pointee.id, role: peer.pointee.description.dtlsRole,
        fingerprints: peer.pointee.description.remoteFingerprints))
  }

  private mutating func learn(_ path: NetworkPath, peer index: Int32) {
    let peer = peers[index]
    if paths.peer(for: path) == index { return }
    guard paths.set(path, peer: index) else { return }
    if peer.pointee.paths.count == Peer.pathLimit {
      let oldest = peer.pointee.paths.firstIndex { $0 != peer.pointee.path } ?? 0
      forget(peer.pointee.paths.remove(at: oldest), peer: index)
    }
    if !peer.pointee.paths.contains(path) { peer.pointee.paths.append(path) }
  }

  /// Takes a path out of the table unless another peer has it by now: whoever reconnects may do so from the same port.
  mutating func forget(_ path: NetworkPath, peer index: Int32) {
    if paths.peer(for: path) == index { paths.remove(path) }
  }

  mutating func sendICE(_ index: Int32) {
    while let (path, bytes) = peers[index].pointee.ice.nextTransmit() { sendRaw(bytes, path: path) }
  }

  private mutating func receiveDTLS(_ bytes: UnsafeRawBufferPointer, path: NetworkPath, now: Now) {
    guard let index = paths.peer(for: path), peers[index].pointee.handshakeStarted else {
      tally.drop(.unknownPath)
      return
    }
    guard peers[index].pointee.limits.mayShakeHands(now: now.monotonic) else {
      tally.drop(.handshakeLimit)
      return
    }
    askHandshake(.datagram(peers[index].pointee.id, Array(bytes)))
  }

  /// Takes what the handshake thread reports of a peer; a report of a peer that has gone is ignored.
  public mutating func handle(_ handshake: HandshakeOutput, now: Now) {
    switch handshake {
    case .send(let id, let bytes):
      guard let index = peerIndices[id], let path = peers[index].pointee.path else { return }
      sendRaw(bytes, path: path)
    case .keysReady(let id, let keys):
      guard let index = peerIndices[id], peers[index].pointee.phase == .handshaking else { return }
      let peer = peers[index]
      peer.pointee.receiver = SRTPReceiver(keys: keys, library: configuration.cipher)
      peer.pointee.sender = SRTPSender(keys: keys, library: configuration.cipher)
      peer.pointee.phase = .connected
      peer.pointee.connectedAt = now.monotonic
      emit(.dtlsConnected(id, keys.profile, now.monotonic))
      openEarly(index, now: now)
      for send in peer.pointee.sendStreams { startSubscription(send, now: now) }
      schedulePacing(index, now: now)
      markDirty(index)
    case .failed(let id, let failure):
      guard let index = peerIndices[id] else { return }
      endPeer(index, failure == .fingerprintMismatch ? .fingerprintMismatch : .handshakeFailed, now: now)
    case .closed(let id):
      guard let index = peerIndices[id] else { return }
      endPeer(index, .closedByPeer, now: now)
    }
  }

  /// Something authenticated came from this peer.
  mutating func heard(_ index: Int32, now: Now) {
    let peer = peers[index]
    peer.pointee.lastHeard = now.monotonic
    peer.pointee.ice.noteHeard(now: now.monotonic)
    if peer.pointee.isStalled {
      peer.pointee.isStalled = false
      emit(.resumed(peer.pointee.id, now.monotonic))
    }
  }

  mutating func mediaFlows(_ index: Int32, now: Now) {
    let peer = peers[index]
    guard !peer.pointee.mediaFlowing else { return }
    peer.pointee.mediaFlowing = true
    emit(.mediaFlowing(peer.pointee.id, now.monotonic))
  }

  // MARK: RTP

  private mutating func receiveRTP(_ slot: SlotIndex, byteCount: Int, path: NetworkPath, now: Now) {
    guard let index = paths.peer(for: path) else { return discard(slot, .unknownPath) }
    let peer = peers[index]
    let raw = UnsafeMutableRawBufferPointer(start: arena.pointer(slot), count: byteCount)
    guard let header = try? RTPHeader(UnsafeRawBufferPointer(raw)), header.payloadOffset <= 255 else {
      return discard(slot, .malformed)
    }
    guard peer.pointee.phase == .connected else {
      return holdEarly(Peer.EarlyPacket(slot: slot, byteCount: byteCount, path: path), peer: index)
    }
    let count: Int
    do {
      count = try peer.pointee.receiver!.openRTP(raw, header: header)  // connected: keys are there
    } catch {
      return discard(slot, Self.reason(error))
    }
    heard(index, now: now)
    let bytes = arena.bytes(slot, count: count)
    var payloadCount = count - header.payloadOffset
    if header.hasPadding {
      guard payloadCount > 0, Int(bytes[count - 1]) <= payloadCount else { return discard(slot, .malformed) }
      payloadCount -= Int(bytes[count - 1])
    }
    guard payloadCount >= 0, payloadCount <= EgressArena.payloadLimit else { return discard(slot, .malformed) }
    peer.pointee.statistics.packetsReceived &+= 1
    peer.pointee.statistics.bytesReceived &+= UInt64(count)
    guard let binding = binding(of: header, in: bytes, peer: index, now: now) else {
      return discard(slot, .unboundSource)
    }
    noteTransportSequence(header, in: bytes, peer: index, stream: binding.stream, now: now)
    mediaFlows(index, now: now)
    if binding.isRetransmission {
      receiveRetransmission(slot, bytes, header, payloadCount: payloadCount, stream: binding.stream, now: now)
    } else {
      receiveMedia(slot, bytes, header, payloadCount: payloadCount, stream: binding.stream, now: now)
    }
  }

  /// Keeps what comes during the handshake: the first packets are the key frame's, and nobody would ask for them again.
  private mutating func holdEarly(_ packet: Peer.EarlyPacket, peer index: Int32) {
    guard peers[index].pointee.phase == .handshaking, peers[index].pointee.early.count < Self.earlyLimit,
      earlyCount < Self.earlyTotalLimit
    else { return discard(packet.slot, .noKeys) }
    peers[index].pointee.early.append(packet)
    earlyCount += 1
  }

  private mutating func openEarly(_ index: Int32, now: Now) {
    let packets = takeEarly(index)
    for packet in packets { receiveRTP(packet.slot, byteCount: packet.byteCount, path: packet.path, now: now) }
  }

  private mutating func takeEarly(_ index: Int32) -> [Peer.EarlyPacket] {
    defer { peers[index].pointee.early.removeAll() }
    earlyCount -= peers[index].pointee.early.count
    return peers[index].pointee.early
  }

  mutating func discardEarly(_ index: Int32) {
    for packet in takeEarly(index) { discard(packet.slot, .noKeys) }
  }

  mutating func discard(_ slot: SlotIndex, _ reason: DropReason) {
    tally.drop(reason)
    ledger.release(slot)
  }

  static func reason(_ error: SRTPError) -> DropReason {
    switch error {
    case .replayed: .replayed
    case .authentication: .authentication
    case .tooShort, .malformed, .exhausted: .malformed
    }
  }

  private mutating func noteTransportSequence(
    _ header: RTPHeader, in bytes: UnsafeRawBufferPointer, peer index: Int32, stream: Int32, now: Now
  ) {
    let peer = peers[index]
    let line = streams[stream].pointee.lineIndex
    let id = peer.pointee.description.lines[line].extensions.transportSequence
    guard id != 0, let range = findExtension(id: id, in: bytes, header: header), range.count >= 2 else { return }
    let sequence = UInt16(bytes[range.lowerBound]) << 8 | UInt16(bytes[range.lowerBound + 1])
    peer.pointee.feedback.receive(sequence, at: now.monotonic)
    if peer.pointee.nextFeedback == .distantFuture {
      peer.pointee.nextFeedback = now.monotonic + .milliseconds(50)
      rearm(index)
    }
  }

  private mutating func receiveMedia(
    _ slot: SlotIndex, _ bytes: UnsafeRawBufferPointer, _ header: RTPHeader, payloadCount: Int, stream index: Int32,
    now: Now
  ) {
    let stream = streams[index]
    let sequence = stream.pointee.extender.extend(header.sequence)
    let highest = stream.pointee.statistics.highest
    stream.pointee.rate.add(payloadCount, now: now.monotonic)
    if highest != .min, sequence > highest + 1, sequence - highest < 500 {
      stream.pointee.missing.noteGap(from: highest + 1, through: sequence - 1, now: now.monotonic)
      wantNack(index, now: now)
    } else if sequence < highest {
      stream.pointee.missing.received(sequence)
    }
    stream.pointee.statistics.receive(
      sequence, timestamp: header.timestamp, arrival: now.monotonic, clockRate: Int64(stream.pointee.codec.clockRate))
    let mapped = stream.pointee.clock.map(header.timestamp, arrival: now.monotonic)
    if let sender = mapped.senderMicroseconds, stream.pointee.peer >= 0 {
      peers[stream.pointee.peer].pointee.clock.observe(senderMicroseconds: sender, arrival: now.monotonic)
    }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[header.payloadOffset..<header.payloadOffset + payloadCount])
    let record = record(
      slot, header, sequence: sequence, payloadOffset: header.payloadOffset, payload: payload, bytes: bytes,
      lessonTime: mapped.lessonTime, stream: index)
    ingest(index, record, now: now)
  }

  private mutating func wantNack(_ index: Int32, now: Now) {
    let stream = streams[index]
    guard stream.pointee.peer >= 0 else { return }
    let peer = peers[stream.pointee.peer]
    guard peer.pointee.description.lines[stream.pointee.lineIndex].feedback.contains(.nack) else {
      stream.pointee.missing.forget()
      return
    }
    peer.pointee.nextNack = min(peer.pointee.nextNack, now.monotonic + .milliseconds(5))
    rearm(stream.pointee.peer)
  }

  /// The original of a retransmission: same slot, its payload two bytes further on (RFC 4588 §4).
  private mutating func receiveRetransmission(
    _ slot: SlotIndex, _ bytes: UnsafeRawBufferPointer, _ header: RTPHeader, payloadCount: Int, stream index: Int32,
    now: Now
  ) {
    // Probes on the retransmission stream are padding only: nothing to repair.
    guard payloadCount > 2, header.payloadOffset + 2 <= 255 else {
      ledger.release(slot)
      return
    }
    let stream = streams[index]
    let original = UInt16(bytes[header.payloadOffset]) << 8 | UInt16(bytes[header.payloadOffset + 1])
    guard stream.pointee.statistics.highest != .min else { return discard(slot, .unboundSource) }
    let highest = stream.pointee.statistics.highest
    // The nearest number: a repair may overtake the packets before it.
    let sequence = highest + Int64(Int16(bitPattern: original &- UInt16(truncatingIfNeeded: highest)))
    guard stream.pointee.history.find(sequence) == nil else { return discard(slot, .duplicate) }
    stream.pointee.missing.received(sequence)
    stream.pointee.statistics.repair()
    tally.packetsRepaired &+= 1
    if stream.pointee.peer >= 0 { peers[stream.pointee.peer].pointee.statistics.packetsRepaired &+= 1 }
    let mapped = stream.pointee.clock.map(header.timestamp, arrival: now.monotonic)
    let start = header.payloadOffset + 2
    let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + payloadCount - 2])
    let record = record(
      slot, header, sequence: sequence, payloadOffset: start, payload: payload, bytes: bytes,
      lessonTime: mapped.lessonTime, stream: index)
    ingest(index, record, now: now)
  }

  func record(
    _ slot: SlotIndex, _ header: RTPHeader, sequence: Int64, payloadOffset: Int, payload: UnsafeRawBufferPointer,
    bytes: UnsafeRawBufferPointer, lessonTime: Int64, stream index: Int32
  ) -> PacketRecord {
    let stream = streams[index]
    var flags: PacketFlags = header.marker ? [.marker] : []
    var level: UInt8 = 127
    if stream.pointee.isVideo {
      if isKeyFrameStart(payload, sequence: sequence, timestamp: header.timestamp, stream: index) {
        flags.insert(.keyFrameStart)
      }
    } else {
      flags.insert(.audio)
      if stream.pointee.peer >= 0 {
        let id = peers[stream.pointee.peer].pointee.description.lines[stream.pointee.lineIndex].extensions.audioLevel
        if id != 0, let range = findExtension(id: id, in: bytes, header: header), range.count >= 1 {
          level = bytes[range.lowerBound] & 0x7F
          if bytes[range.lowerBound] & 0x80 != 0 { flags.insert(.voice) }
        }
      }
    }
    return PacketRecord(
      extendedSequence: sequence, lessonTime: lessonTime, slot: slot, timestamp: header.timestamp,
      stream: UInt16(index), payloadOffset: UInt8(payloadOffset), flags: flags,
      payloadByteCount: UInt16(payload.count), payloadType: stream.pointee.codec.payloadType, audioLevel: level)
  }

  /// Whether this packet begins a key frame; the later parameter sets and slices of the same picture do not.
  private func isKeyFrameStart(
    _ payload: UnsafeRawBufferPointer, sequence: Int64, timestamp: UInt32, stream index: Int32
  ) -> Bool {
    let stream = streams[index]
    if stream.pointee.groupStart != .min, stream.pointee.groupTimestamp == timestamp { return false }
    let encoding = stream.pointee.codec.encoding
    guard startsKeyFrame(payload, encoding: encoding) else { return false }
    guard encoding == .h264, !carriesH264ParameterSet(payload) else { return true }
    // An IDR slice begins its picture unless parameter sets came before it, or are still missing before it.
    var before = sequence - 1
    while before >= stream.pointee.history.lowest {
      guard let record = stream.pointee.history.find(before) else { return false }
      if record.timestamp != timestamp { return true }
      before -= 1
    }
    // The stream begins here: what lost its parameter sets is no picture, and nothing tells that they are missing.
    return false
  }
}

/// Whether a payload can begin a key frame of its encoding; false for audio.
func startsKeyFrame(_ payload: UnsafeRawBufferPointer, encoding: Encoding) -> Bool {
  switch encoding {
  case .h264: startsH264KeyFrame(payload)
  case .h265: startsH265KeyFrame(payload)
  case .vp8: VP8Descriptor(payload)?.startsKeyFrame(payload) ?? false
  case .vp9: startsVP9KeyFrame(payload)
  case .av1: startsAV1KeyFrame(payload)
  case .opus, .red: false
  }
}
