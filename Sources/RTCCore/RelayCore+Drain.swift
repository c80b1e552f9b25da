import PacketRing
import RTCWire

extension RelayCore {
  /// Writes everything that may leave now into the arena: STUN and DTLS, then for each peer audio, RTCP, repairs,
  /// video.
  ///
  /// - Returns: true when the arena was full: transmit, `reset` it and call again.
  public mutating func drain(into egress: inout EgressArena, now: Now) -> Bool {
    while rawHead < raw.count {
      guard egress.hasRoom else { return true }
      let datagram = raw[rawHead]
      rawHead += 1
      datagram.bytes.withUnsafeBytes { egress.writePointer.copyMemory(from: $0) }
      egress.commit(byteCount: datagram.bytes.count, path: datagram.path, peer: -1, isUrgent: true)
    }
    raw.removeAll(keepingCapacity: true)
    rawHead = 0
    guard routeGathered(into: &egress, now: now) else { return true }
    while dirtyHead < dirty.count {
      let index = dirty[dirtyHead]
      dirtyHead += 1
      guard peers.contains(index) else { continue }
      // Off the list first: writing for one peer may put it, or others, on the list again.
      peers[index].pointee.isDirty = false
      guard drainPeer(index, into: &egress, now: now) else {
        // First again with the next call.
        dirtyHead -= 1
        peers[index].pointee.isDirty = true
        forgetDrained()
        return true
      }
      if peers[index].pointee.phase == .ending { freePeer(index) } else { rearm(index) }
    }
    dirty.removeAll(keepingCapacity: true)
    dirtyHead = 0
    return false
  }

  /// A relay that is always behind never comes to the list's end.
  private mutating func forgetDrained() {
    guard dirtyHead >= configuration.peerLimit else { return }
    dirty.removeFirst(dirtyHead)
    dirtyHead = 0
  }

  /// False when the arena was full before all was written.
  private mutating func drainPeer(_ index: Int32, into egress: inout EgressArena, now: Now) -> Bool {
    let peer = peers[index]
    guard let path = peer.pointee.path, peer.pointee.sender != nil else { return true }
    if peer.pointee.room != nil { dropAged(index, now: now) }
    while !peer.pointee.audioQueue.isEmpty, peer.pointee.takesSound {
      guard egress.hasRoom else { return false }
      let entry = peer.pointee.audioQueue.pop()!  // not empty
      sealQueued(entry, peer: index, path: path, into: &egress, now: now)
    }
    if peer.pointee.takesReports {
      guard drainReports(index, path: path, into: &egress, now: now) else { return false }
    }
    guard peer.pointee.phase == .connected else { return true }
    refill(index, now: now)
    while !peer.pointee.repairQueue.isEmpty, peer.pointee.takesPicture {
      guard egress.hasRoom else { return false }
      let entry = peer.pointee.repairQueue.pop()!  // not empty
      sealRetransmission(entry, peer: index, path: path, into: &egress, now: now)
    }
    return drainVideo(index, path: path, into: &egress, now: now)
  }

  private mutating func drainVideo(
    _ index: Int32, path: NetworkPath, into egress: inout EgressArena, now: Now
  ) -> Bool {
    let peer = peers[index]
    if let head = peer.pointee.videoQueue.isEmpty ? nil : peer.pointee.videoQueue.first,
      now.monotonic.microseconds - head.queuedAt > 400_000, !peer.pointee.takesPicture
    {
      dropVideo(of: head.sendStream, now: now)
    }
    while peer.pointee.takesPicture {
      if peer.pointee.videoQueue.isEmpty, !catchUp(index, now: now) { break }
      guard egress.hasRoom else { return false }
      guard let entry = peer.pointee.videoQueue.pop() else { break }
      peer.pointee.queuedVideoBytes -= Int(entry.byteCount)
      tally.pacedMicroseconds &+= UInt64(max(0, now.monotonic.microseconds - entry.queuedAt))
      sealQueued(entry, peer: index, path: path, into: &egress, now: now)
    }
    let isWaiting = !peer.pointee.videoQueue.isEmpty || !peer.pointee.repairQueue.isEmpty || isCatchingUp(index)
    // A connection that waits is drained when it has room.
    peer.pointee.nextPace = isWaiting && peer.pointee.room == nil ? nextTick(after: now.monotonic) : .distantFuture
    return true
  }

  /// The pacer's tick is shared by all peers: multiples of 5 ms.
  private func nextTick(after moment: Instant) -> Instant {
    let tick = PacerBudget.tick.microseconds
    return Instant(microseconds: (moment.microseconds / tick + 1) * tick)
  }

  mutating func schedulePacing(_ index: Int32, now: Now) {
    peers[index].pointee.nextPace = min(peers[index].pointee.nextPace, nextTick(after: now.monotonic))
    rearm(index)
  }

  func isCatchingUp(_ index: Int32) -> Bool {
    for send in peers[index].pointee.sendStreams where sends[send].pointee.cursor != nil { return true }
    return false
  }

  mutating func refill(_ index: Int32, now: Now) {
    let peer = peers[index]
    var minimum: Int64 = 0
    for sendIndex in peer.pointee.sendStreams
    where sends[sendIndex].pointee.cursor != nil && sends[sendIndex].pointee.lastSource >= 0
      && !peer.pointee.estimator.isLimited
    {
      // A burst brings a late joiner up at four times real time at least; five, since the present moves on meanwhile.
      let source = sends[sendIndex].pointee.lastSource
      if streams.contains(source) { minimum += streams[source].pointee.rate.bitsPerSecond(now: now.monotonic) * 5 }
    }
    peer.pointee.budget.refill(
      estimate: peer.pointee.estimator.bitsPerSecond, isLimited: peer.pointee.estimator.isLimited,
      minimumBitsPerSecond: minimum, now: now.monotonic)
  }

  /// Moves a packet of a burst from the history into the queue. False when there is nothing to catch up on.
  private mutating func catchUp(_ index: Int32, now: Now) -> Bool {
    // By place: an iterator would hold the array while queueing.
    for place in peers[index].pointee.sendStreams.indices {
      let sendIndex = peers[index].pointee.sendStreams[place]
      let send = sends[sendIndex]
      guard var cursor = send.pointee.cursor, send.pointee.track >= 0 else { continue }
      let track = tracks[send.pointee.track]
      let subscription = track.pointee.subscriptions[send.pointee.subscription]
      let streamIndex = track.pointee.layer(subscription.current)
      guard subscription.isCatchingUp, streamIndex >= 0 else {
        send.pointee.cursor = nil
        continue
      }
      let stream = streams[streamIndex]
      // A key frame has come meanwhile: what lies before it may be gone, and is no longer needed.
      if stream.pointee.groupStart > cursor, stream.pointee.hasGroup {
        burst(sendIndex, from: streamIndex, layer: subscription.current, now: now)
        guard send.pointee.cursor == stream.pointee.groupStart else {
          send.pointee.cursor = nil
          continue
        }
        return catchUp(index, now: now)
      }
      // One at a time, sealed at once: a key frame that comes while more are queued lets go of what they refer to, and
      // numbers given and never sealed are gaps that no retransmission fills.
      var moved = 0
      // What is still being gathered comes by the next routing.
      while cursor <= stream.pointee.routedThrough, moved == 0 {
        if let record = stream.pointee.history.find(cursor) {
          // The offset may change on the way.
          enqueue(
            BatchPacket(record, numbers: pictureNumbers(of: record, codec: stream.pointee.codec)),
            subscription: track.pointee.subscriptions[send.pointee.subscription], stream: streamIndex, now: now)
          moved += 1
        }
        cursor += 1
      }
      // The stream or pane may have been dropped while queueing.
      guard send.pointee.cursor != nil else { continue }
      if cursor > stream.pointee.routedThrough {
        send.pointee.cursor = nil
        track.pointee.subscriptions[send.pointee.subscription].isCatchingUp = false
      } else {
        send.pointee.cursor = cursor
      }
      if moved > 0 { return true }
    }
    return false
  }

  // MARK: Sealing

  /// Seals what has waited in a queue.
  private mutating func sealQueued(
    _ entry: ForwardEntry, peer index: Int32, path: NetworkPath, into egress: inout EgressArena, now: Now
  ) {
    let streamIndex = Int32(entry.stream)
    guard streams.contains(streamIndex),
      let record = streams[streamIndex].pointee.history.find(entry.sourceSequence)
    else {
      tally.drop(.staleEntry)
      return
    }
    let send = sends[entry.sendStream]
    guard let codec = send.pointee.codec, entry.outSequence > send.pointee.sealIndex.last else {
      tally.drop(.staleEntry)
      return
    }
    let header = OutgoingHeader(
      send.pointee.template, ssrc: send.pointee.ssrc, payloadType: codec.payloadType, at: scratch, now: now)
    let sealed = seal(
      entry, record, codec: codec, header: header, peer: index, path: path, into: &egress, now: now)
    countSent(1, bytes: sealed.bytes, octets: sealed.octets, send: entry.sendStream, now: now)
  }

  /// Step 7: writes header and extensions, then seals them with the slot's payload straight into the arena.
  ///
  /// The caller has checked that the peer has keys and the arena has room, and counts what was sent.
  /// - Returns: bytes of the datagram, and of its payload without padding.
  @inline(__always)
  mutating func seal(
    _ entry: ForwardEntry, _ record: PacketRecord, codec: Codec, header: OutgoingHeader, peer index: Int32,
    path: NetworkPath, into egress: inout EgressArena, now: Now
  ) -> (bytes: Int, octets: Int) {
    let peer = peers[index]
    let send = sends[entry.sendStream]
    header.write(
      record, sequence: entry.outSequence, timestamp: record.timestamp &+ entry.timestampOffset,
      hasPadding: entry.padding > 0, log: &peer.pointee.log, now: now)
    let (prefixCount, skipped) = writeDescriptor(
      record, codec: codec, pictureIDOffset: entry.pictureIDOffset, layerIndexOffset: entry.layerIndexOffset, at: 256)
    let inPlace = entry.isPaddedInPlace ? Int(entry.padding) : 0
    let octets = Int(record.payloadByteCount) - skipped
    let payload = UnsafeRawBufferPointer(
      start: arena.pointer(record.slot) + Int(record.payloadOffset) + skipped, count: octets + inPlace)
    let count = peer.pointee.sender!.seal(  // the caller has checked
      header: UnsafeRawBufferPointer(rebasing: scratch[0..<header.byteCount]),
      prefix: UnsafeRawBufferPointer(rebasing: scratch[256..<256 + prefixCount]), payload: payload,
      padding: Int(entry.padding) - inPlace, index: entry.outSequence, stream: &send.pointee.sealIndex,
      into: egress.writePointer)
    let isVideo = send.pointee.kind == .video
    egress.commit(byteCount: count, path: path, peer: index, isUrgent: !isVideo)
    if isVideo { peer.pointee.budget.spend(count) }
    send.pointee.sent.note(
      SentPacket(
        outSequence: UInt32(truncatingIfNeeded: entry.outSequence),
        sourceSequence: UInt32(truncatingIfNeeded: entry.sourceSequence), timestampOffset: entry.timestampOffset,
        sentMilliseconds: UInt32(truncatingIfNeeded: now.monotonic.microseconds / 1_000), sourceStream: entry.stream,
        pictureIDOffset: entry.pictureIDOffset, layerIndexOffset: entry.layerIndexOffset, repeats: 0, isValid: true),
      outSequence: entry.outSequence)
    return (count, prefixCount + octets)
  }

  /// Counts packets of a SendStream that have left under their own numbers.
  mutating func countSent(_ count: Int, bytes: Int, octets: Int, send sendIndex: Int32, now: Now) {
    let send = sends[sendIndex]
    send.pointee.packets &+= UInt32(count)
    send.pointee.octets &+= UInt32(octets)
    countSent(count, bytes: bytes, peer: send.pointee.peer, now: now)
  }

  private mutating func countSent(_ count: Int, bytes: Int, peer index: Int32, now: Now) {
    let peer = peers[index]
    peer.pointee.spendRoom(bytes)
    tally.packetsSent &+= UInt64(count)
    tally.bytesSent &+= UInt64(bytes)
    peer.pointee.statistics.packetsSent &+= UInt64(count)
    peer.pointee.statistics.bytesSent &+= UInt64(bytes)
    peer.pointee.estimator.sent(bytes: bytes, now: now.monotonic)
  }

  /// A retransmission: own SSRC and numbers, the original's number before its payload (RFC 4588 §4).
  private mutating func sealRetransmission(
    _ entry: ForwardEntry, peer index: Int32, path: NetworkPath, into egress: inout EgressArena, now: Now
  ) {
    let streamIndex = Int32(entry.stream)
    guard streams.contains(streamIndex),
      let record = streams[streamIndex].pointee.history.find(entry.sourceSequence)
    else {
      tally.drop(.staleEntry)
      return
    }
    let peer = peers[index]
    let send = sends[entry.sendStream]
    guard let codec = send.pointee.codec(for: streams[streamIndex].pointee.codec),
      let payloadType = codec.retransmissionPayloadType, let ssrc = send.pointee.retransmissionSSRC
    else {
      tally.drop(.noRetransmission)
      return
    }
    let sequence = send.pointee.nextRetransmission
    send.pointee.nextRetransmission += 1
    send.pointee.highestRepaired = max(send.pointee.highestRepaired, entry.outSequence)
    let header = OutgoingHeader(
      send.pointee.template, ssrc: ssrc, payloadType: payloadType, at: scratch, now: now)
    header.write(
      record, sequence: sequence, timestamp: record.timestamp &+ entry.timestampOffset, hasPadding: false,
      log: &peer.pointee.log, now: now)
    scratch[256] = UInt8(truncatingIfNeeded: entry.outSequence >> 8)
    scratch[257] = UInt8(truncatingIfNeeded: entry.outSequence)
    let (descriptorCount, skipped) = writeDescriptor(
      record, codec: codec, pictureIDOffset: entry.pictureIDOffset, layerIndexOffset: entry.layerIndexOffset, at: 258)
    let payload = UnsafeRawBufferPointer(rebasing: payload(of: record)[skipped...])
    let count = peer.pointee.sender!.seal(  // drainPeer has checked
      header: UnsafeRawBufferPointer(rebasing: scratch[0..<header.byteCount]),
      prefix: UnsafeRawBufferPointer(rebasing: scratch[256..<258 + descriptorCount]), payload: payload, padding: 0,
      index: sequence, stream: &send.pointee.retransmissionSealIndex, into: egress.writePointer)
    egress.commit(byteCount: count, path: path, peer: index, isUrgent: false)
    peer.pointee.budget.spend(count)
    tally.packetsRetransmitted &+= 1
    peer.pointee.statistics.packetsRetransmitted &+= 1
    countSent(1, bytes: count, peer: index, now: now)
  }

  /// Rewrites a VP8 descriptor when its numbers must go on across a switch; otherwise the payload goes as it is.
  /// - Returns: bytes written at `place` of scratch, and bytes of the payload they replace.
  private func writeDescriptor(
    _ record: PacketRecord, codec: Codec, pictureIDOffset: UInt16, layerIndexOffset: UInt8, at place: Int
  ) -> (written: Int, replaced: Int) {
    guard codec.encoding == .vp8, pictureIDOffset != 0 || layerIndexOffset != 0, record.payloadByteCount > 0 else {
      return (0, 0)
    }
    guard let descriptor = VP8Descriptor(payload(of: record)), let pictureID = descriptor.pictureID,
      descriptor.byteCount <= 12
    else { return (0, 0) }
    let written = descriptor.write(
      to: UnsafeMutableRawBufferPointer(rebasing: scratch[place..<place + 14]), original: payload(of: record),
      pictureID: pictureID &+ pictureIDOffset, tl0PicIdx: descriptor.tl0PicIdx.map { $0 &+ layerIndexOffset })
    return (written, written == 0 ? 0 : descriptor.byteCount)
  }
}
