import PacketRing
import RTCWire

/// What routing reads from a VP8 descriptor once for all receivers (RFC 7741 §4.2).
struct PictureNumbers {
  var pictureID: UInt16 = 0
  var layerIndex: UInt8 = 0
  var isPresent = false
}

extension RelayCore {
  // MARK: Ingest and fan-out

  /// Step 4 of a packet's way: enters the stream's history, and is gathered there until the next routing.
  ///
  /// Takes over the caller's reference to the record's slot. What comes after its successors were routed goes out at
  /// once, by itself.
  mutating func ingest(_ streamIndex: Int32, _ record: PacketRecord, now: Now) {
    let stream = streams[streamIndex]
    stream.pointee.lastArrival = now.monotonic
    switch stream.pointee.history.insert(record, ledger: &ledger) {
    case .inserted: break
    case .duplicate:
      tally.drop(.duplicate)
      ledger.release(record.slot)
      return
    case .tooOld:
      tally.drop(.tooOld)
      ledger.release(record.slot)
      return
    }
    if record.flags.contains(.keyFrameStart) { noteKeyFrame(streamIndex, record, now: now) }
    lend(record, stream: streamIndex)
    let share = historyShare
    stream.pointee.trim(now: now.monotonic, configuration: configuration, share: share, ledger: &ledger)
    if stream.pointee.routedThrough == .min { stream.pointee.routedThrough = record.extendedSequence - 1 }
    guard record.extendedSequence > stream.pointee.routedThrough else {
      late.pointee = BatchPacket(record, numbers: pictureNumbers(of: record, codec: stream.pointee.codec))
      for place in 0..<tracks[stream.pointee.track].pointee.subscriptions.count {
        route(late, count: 1, isLate: stream.pointee.isVideo, to: place, stream: streamIndex, now: now)
      }
      return
    }
    if stream.pointee.gatheredSince == nil {
      stream.pointee.gatheredSince = now.monotonic
      gathering.append(streamIndex)
    }
    if record.flags.contains(.marker) || !stream.pointee.isVideo { stream.pointee.hasWholePicture = true }
  }

  private mutating func noteKeyFrame(_ streamIndex: Int32, _ record: PacketRecord, now: Now) {
    let stream = streams[streamIndex]
    guard record.extendedSequence > stream.pointee.groupStart else { return }
    stream.pointee.groupStart = record.extendedSequence
    stream.pointee.groupTimestamp = record.timestamp
    stream.pointee.groupArrival = now.monotonic
    switch stream.pointee.codec.encoding {
    case .h264: stream.pointee.height = h264PictureHeight(payload(of: record)) ?? stream.pointee.height
    case .vp8: stream.pointee.height = vp8KeyFrameHeight(payload(of: record)) ?? stream.pointee.height
    default: break
    }
    tally.keyFramesReceived &+= 1
    // Of a borrowed stream its home tells.
    if !stream.pointee.isForeign, let asked = stream.pointee.lastPictureRequest,
      now.monotonic - asked <= .milliseconds(500)
    {
      stream.pointee.ignoresPictureRequests = false
    }
  }

  /// Step 5 for one stream, by the queues: what is left of its gathered packets is queued for every subscription that
  /// shows it. For streams that end or change; a drain goes by `routeGathered(into:now:)`.
  ///
  /// - Parameter isEnding: the stream is about to go and its history with it: only recordings get the rest, since
  ///   nothing could be sealed any more.
  mutating func routeGathered(_ streamIndex: Int32, isEnding: Bool = false, now: Now) {
    let stream = streams[streamIndex]
    guard stream.pointee.gatheredSince != nil else { return }
    stream.pointee.gatheredSince = nil
    stream.pointee.hasWholePicture = false
    while true {
      let count = fillBatch(streamIndex)
      guard count > 0 else { return }
      for place in 0..<tracks[stream.pointee.track].pointee.subscriptions.count {
        guard !isEnding || tracks[stream.pointee.track].pointee.subscriptions[place].isSink else { continue }
        route(batch, count: count, isLate: false, to: place, stream: streamIndex, now: now)
      }
    }
  }

  /// Puts the next gathered packets of a stream into `batch`, a picture's made equal in size; 0 when there are none.
  mutating func fillBatch(_ streamIndex: Int32) -> Int {
    let stream = streams[streamIndex]
    var sequence = stream.pointee.routedThrough + 1
    var count = 0
    while sequence <= stream.pointee.history.highest, count < Self.batchLimit {
      if let record = stream.pointee.history.find(sequence) {
        batch[count] = BatchPacket(record, numbers: pictureNumbers(of: record, codec: stream.pointee.codec))
        count += 1
      }
      sequence += 1
    }
    if count > 0 { stream.pointee.routedThrough = sequence - 1 }
    guard stream.pointee.isVideo else { return count }
    Self.equalise(batch, count: count)
    // Another worker that has the stream on loan pads by its own batches: only one may write behind a payload.
    if stream.pointee.lentTo == 0, !stream.pointee.isForeign { writePadding(count: count) }
    return count
  }

  /// Offers the first of some packets to one subscription.
  mutating func route(
    _ packets: UnsafeMutablePointer<BatchPacket>, count: Int, isLate: Bool, to place: Int, stream streamIndex: Int32,
    now: Now
  ) {
    let stream = streams[streamIndex]
    let layer = stream.pointee.layer
    let trackIndex = stream.pointee.track
    let track = tracks[trackIndex]
    for offset in 0..<count {
      if track.pointee.subscriptions[place].current != layer {
        let record = packets[offset].record
        let startsSwitch = record.flags.contains(.keyFrameStart) || !stream.pointee.isVideo
        guard startsSwitch, track.pointee.subscriptions[place].target == layer else { continue }
        if isLate {
          // A repaired key frame: what follows its first packet is here already.
          if stream.pointee.groupStart == record.extendedSequence {
            startAtGroup(place, track: trackIndex, stream: streamIndex, now: now)
          }
          continue
        }
        guard
          switchSource(
            &track.pointee.subscriptions[place], to: record, stream: streamIndex, layer: layer, track: trackIndex)
        else { continue }
      }
      let subscription = track.pointee.subscriptions[place]
      if subscription.isSink {
        lease(packets[offset].record, to: subscription, stream: streamIndex, track: trackIndex)
      } else {
        forward(packets[offset], to: subscription, stream: streamIndex, now: now)
      }
    }
  }

  /// Starts one subscription at the group of pictures in the history.
  private mutating func startAtGroup(_ place: Int, track trackIndex: Int32, stream: Int32, now: Now) {
    let subscription = tracks[trackIndex].pointee.subscriptions[place]
    let layer = streams[stream].pointee.layer
    if subscription.isSink {
      leaseGroup(place, track: trackIndex, stream: stream)
    } else {
      burst(subscription.destination, from: stream, layer: layer, now: now)
    }
  }

  func pictureNumbers(of record: PacketRecord, codec: Codec) -> PictureNumbers {
    guard codec.encoding == .vp8, record.payloadByteCount > 0,
      let descriptor = VP8Descriptor(payload(of: record))
    else { return PictureNumbers() }
    return PictureNumbers(
      pictureID: descriptor.pictureID ?? 0, layerIndex: descriptor.tl0PicIdx ?? 0,
      isPresent: descriptor.pictureID != nil)
  }

  @inline(__always)
  func payload(of record: PacketRecord) -> UnsafeRawBufferPointer {
    let whole = arena.bytes(record.slot, count: Int(record.payloadOffset) + Int(record.payloadByteCount))
    return UnsafeRawBufferPointer(rebasing: whole[Int(record.payloadOffset)...])
  }

  // MARK: Switching

  /// Points a subscription at a new source, beginning with `record`: numbers go on where they were, timestamps move by
  /// lesson time. False when the receiver has no codec for it.
  mutating func switchSource(
    _ subscription: inout Subscription, to record: PacketRecord, stream streamIndex: Int32, layer: Int8, track: Int32
  ) -> Bool {
    if subscription.isSink {
      switchSink(&subscription, to: record, stream: streamIndex, layer: layer, track: track)
      return true
    }
    let stream = streams[streamIndex]
    let send = sends[subscription.destination]
    // Before its keys are there a pane shows nothing; it starts at a key frame when they have come.
    guard peers[subscription.peer].pointee.phase == .connected, !send.pointee.isPaused,
      !stream.pointee.isVideo || !peers[subscription.peer].pointee.isBlocked
    else { return false }
    guard let codec = send.pointee.codec(for: stream.pointee.codec) else {
      if send.pointee.lastSource != streamIndex {
        send.pointee.lastSource = streamIndex
        tally.drop(.noCommonCodec)
        emit(
          .paneWithoutCommonCodec(
            peers[send.pointee.peer].pointee.id, mid: send.pointee.mid, tracks[track].pointee.feed,
            stream.pointee.codec.encoding))
      }
      return false
    }
    subscription.sequenceOffset = send.pointee.nextSequence - record.extendedSequence
    subscription.floor = record.extendedSequence
    if send.pointee.hasSent {
      let elapsed = min(max(record.lessonTime - send.pointee.lastLessonTime, 1_000), 3_600_000_000)
      let ticks = max(1, elapsed * Int64(codec.clockRate) / 1_000_000)
      let next = send.pointee.lastTimestamp &+ UInt32(truncatingIfNeeded: ticks)
      subscription.timestampOffset = next &- record.timestamp
      // The receiver learns at once where the new source's timestamps lie in time.
      send.pointee.lastTimestamp = next
      send.pointee.lastLessonTime = record.lessonTime
      peers[subscription.peer].pointee.owesReport = true
      markDirty(subscription.peer)
    } else {
      subscription.timestampOffset = 0
    }
    let numbers = pictureNumbers(of: record, codec: stream.pointee.codec)
    if numbers.isPresent, send.pointee.hasSent {
      subscription.pictureIDOffset = (send.pointee.lastPictureID &+ 1 &- numbers.pictureID) & 0x7FFF
      subscription.layerIndexOffset = send.pointee.lastLayerIndex &+ 1 &- numbers.layerIndex
    } else {
      subscription.pictureIDOffset = 0
      subscription.layerIndexOffset = 0
    }
    if send.pointee.hasSent, subscription.current >= 0 { tally.layerSwitches &+= 1 }
    subscription.current = layer
    subscription.isCatchingUp = false
    send.pointee.cursor = nil
    send.pointee.codec = codec
    send.pointee.waitingSince = nil
    send.pointee.lastSource = streamIndex
    emit(.paneFilled(peers[send.pointee.peer].pointee.id, mid: send.pointee.mid, tracks[track].pointee.feed))
    return true
  }

  // MARK: Forward entries

  /// Queues one packet for one receiver: in order under its next number, or, when it comes late, as a retransmission.
  @inline(__always)
  mutating func forward(
    _ packet: BatchPacket, to subscription: Subscription, stream streamIndex: Int32, now: Now
  ) {
    let send = sends[subscription.destination]
    let record = packet.record
    guard record.extendedSequence >= subscription.floor else { return }
    // A packet ahead of the cursor is reached by the burst; one that it has passed goes out as a repair.
    if let cursor = send.pointee.cursor, record.extendedSequence >= cursor { return }
    let out = record.extendedSequence + subscription.sequenceOffset
    if out < send.pointee.nextSequence {
      forwardLate(record, to: subscription, out: out, stream: streamIndex, now: now)
      return
    }
    enqueue(packet, subscription: subscription, stream: streamIndex, now: now)
  }

  /// The number a packet goes out under. A gap wider than 1,000 in the source's numbers is closed, as it would upset
  /// the receiver's rollover count (RFC 3711 §3.3.1).
  private func outSequence(of record: PacketRecord, _ subscription: Subscription) -> Int64 {
    let out = record.extendedSequence + subscription.sequenceOffset
    let send = sends[subscription.destination]
    guard out - send.pointee.nextSequence > 1_000 else { return out }
    let track = tracks[send.pointee.track]
    track.pointee.subscriptions[send.pointee.subscription].sequenceOffset =
      send.pointee.nextSequence - record.extendedSequence
    track.pointee.subscriptions[send.pointee.subscription].floor = record.extendedSequence
    return send.pointee.nextSequence
  }

  mutating func enqueue(_ packet: BatchPacket, subscription: Subscription, stream: Int32, now: Now) {
    let send = sends[subscription.destination]
    let peer = peers[subscription.peer]
    guard peer.pointee.phase == .connected else { return }
    let out = outSequence(of: packet.record, subscription)
    let entry = ForwardEntry(packet, to: subscription, out: out, stream: stream, now: now)
    if send.pointee.kind == .audio {
      guard peer.pointee.audioQueue.push(entry) else {
        tally.drop(.queueFull)
        return
      }
    } else {
      guard peer.pointee.videoQueue.push(entry) else {
        tally.drop(.queueFull)
        dropVideo(of: subscription.destination, now: now)
        return
      }
      peer.pointee.queuedVideoBytes += Int(packet.record.payloadByteCount)
    }
    send.pointee.noteForwarded(packet, to: subscription, out: out)
    if !send.pointee.hasSent {
      send.pointee.hasSent = true
      send.pointee.nextReport = now.monotonic
      peer.pointee.nextReport = min(peer.pointee.nextReport, now.monotonic + .milliseconds(20))
      rearm(subscription.peer)
    }
    markDirty(subscription.peer)
  }

  /// A packet repaired upstream after its successors went out: its number may not be sealed any more, so it travels as
  /// a retransmission without being asked for.
  private mutating func forwardLate(
    _ record: PacketRecord, to subscription: Subscription, out: Int64, stream: Int32, now: Now
  ) {
    let send = sends[subscription.destination]
    let peer = peers[subscription.peer]
    guard peer.pointee.phase == .connected else { return }
    guard send.pointee.retransmissionSSRC != nil, send.pointee.codec?.retransmissionPayloadType != nil, out > 0 else {
      tally.drop(.lateWithoutRetransmission)
      return
    }
    guard send.pointee.sent.find(out) == nil else { return }
    let packet = SentPacket(
      outSequence: UInt32(truncatingIfNeeded: out),
      sourceSequence: UInt32(truncatingIfNeeded: record.extendedSequence),
      timestampOffset: subscription.timestampOffset,
      sentMilliseconds: UInt32(truncatingIfNeeded: now.monotonic.microseconds / 1_000), sourceStream: UInt16(stream),
      pictureIDOffset: subscription.pictureIDOffset, layerIndexOffset: subscription.layerIndexOffset, repeats: 1,
      isValid: true)
    send.pointee.sent.note(packet, outSequence: out)
    queueRepair(packet, out: out, send: subscription.destination, peer: subscription.peer, now: now)
  }

  /// Queues a retransmission of what `packet` describes.
  mutating func queueRepair(_ packet: SentPacket, out: Int64, send: Int32, peer index: Int32, now: Now) {
    let stream = streams[Int32(packet.sourceStream)]
    let highest = stream.pointee.history.highest
    let back = Int64(UInt32(truncatingIfNeeded: highest) &- packet.sourceSequence)
    let entry = ForwardEntry(
      sourceSequence: highest - back, outSequence: out, queuedAt: now.monotonic.microseconds, sendStream: send,
      timestampOffset: packet.timestampOffset, stream: packet.sourceStream, pictureIDOffset: packet.pictureIDOffset,
      byteCount: 0, layerIndexOffset: packet.layerIndexOffset, flags: [])
    guard peers[index].pointee.repairQueue.push(entry) else {
      tally.drop(.queueFull)
      return
    }
    markDirty(index)
  }

  /// The line is too thin: forgets a stream's queued video and waits for its next key frame.
  mutating func dropVideo(of sendIndex: Int32, now: Now, wantsPicture: Bool = true) {
    let send = sends[sendIndex]
    let index = send.pointee.peer
    let peer = peers[index]
    var first: Int64 = .max
    var dropped = 0
    var bytes = 0
    for offset in 0..<peer.pointee.videoQueue.count where peer.pointee.videoQueue[offset].sendStream == sendIndex {
      first = min(first, peer.pointee.videoQueue[offset].outSequence)
      dropped += 1
      bytes += Int(peer.pointee.videoQueue[offset].byteCount)
    }
    peer.pointee.videoQueue.filter { $0.sendStream != sendIndex }
    peer.pointee.queuedVideoBytes -= bytes
    tally.drop(.overBudget, dropped)
    // Numbers that were never sealed are given again, so that the receiver does not ask for what was not sent. Repairs
    // of numbers after them go with them, unless they are out already.
    if first != .max {
      peer.pointee.repairQueue.filter { $0.sendStream != sendIndex || $0.outSequence < first }
      send.pointee.nextSequence = max(first, send.pointee.highestRepaired + 1)
    }
    peer.pointee.lastQueueDrop = now.monotonic
    send.pointee.cursor = nil
    send.pointee.waitingSince = now.monotonic
    if send.pointee.track >= 0 {
      let track = tracks[send.pointee.track]
      let layer = track.pointee.subscriptions[send.pointee.subscription].target
      track.pointee.subscriptions[send.pointee.subscription].current = -1
      track.pointee.subscriptions[send.pointee.subscription].isCatchingUp = false
      if wantsPicture, track.pointee.layer(layer) >= 0 { requestPicture(track.pointee.layer(layer), now: now) }
    }
    if !peer.pointee.isDegraded {
      peer.pointee.isDegraded = true
      emit(.degraded(peer.pointee.id, kind: .video, now.monotonic))
    }
  }
}
