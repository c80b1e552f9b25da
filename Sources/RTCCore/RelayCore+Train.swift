import CIPSecMB
import PacketRing
import RTCWire

/// How far a drain has come with routing what was gathered.
struct Routing {
  /// Streams whose time has come, and the first that is not done.
  var streams: [Int32] = []
  var head = 0
  /// Packets of `batch` that belong to it, and the first subscription that has not got them.
  var count = 0
  var place = 0

  var isUnderWay: Bool { head < streams.count }
}

/// The short way from a batch into the arena, for the receivers that nothing waits for: nearly all of them, nearly
/// always. Each is sent the whole batch at once, in one train, without a queue between. Everybody else goes by
/// `route`.
extension RelayCore {
  /// Routes what has been gathered long enough: whole pictures, sound, and what has waited for `coalescing`.
  ///
  /// - Returns: false when the arena was full before all was routed.
  mutating func routeGathered(into egress: inout EgressArena, now: Now) -> Bool {
    if !routing.isUnderWay { takeDue(now: now) }
    if routing.count > 0 { checkBatch() }
    while routing.isUnderWay {
      let index = routing.streams[routing.head]
      guard !streams.contains(index) || routeStream(index, into: &egress, now: now) else { return false }
      routing.head += 1
      routing.count = 0
    }
    routing.streams.removeAll(keepingCapacity: true)
    routing.head = 0
    return true
  }

  /// Queues what a drain that was cut short has not routed. To be called before subscriptions leave their places, and
  /// before a stream ends or changes.
  @inline(__always)
  mutating func settleRouting(now: Now) {
    if routing.isUnderWay { queueRouting(now: now) }
  }

  private mutating func queueRouting(now: Now) {
    let (head, first, count) = (routing.head, routing.place, routing.count)
    routing.head = routing.streams.count
    for at in head..<routing.streams.count where streams.contains(routing.streams[at]) {
      let index = routing.streams[at]
      if at == head, count > 0 {
        for place in first..<max(first, tracks[streams[index].pointee.track].pointee.subscriptions.count) {
          route(batch, count: count, isLate: false, to: place, stream: index, now: now)
        }
      }
      // Not gathered any more, though it has packets left.
      streams[index].pointee.gatheredSince = now.monotonic
      routeGathered(index, now: now)
    }
    routing = Routing()
  }

  /// Between two drains a stream's history may have had to let go of what is being routed: its slots are others' then.
  private mutating func checkBatch() {
    let index = routing.streams[routing.head]
    guard !streams.contains(index) || streams[index].pointee.history.find(batch[0].record.extendedSequence) == nil
    else { return }
    tally.drop(.staleEntry, routing.count)
    routing.count = 0
  }

  private mutating func takeDue(now: Now) {
    var kept = 0
    nextGathered = .distantFuture
    for place in gathering.indices {
      let index = gathering[place]
      guard streams.contains(index), let since = streams[index].pointee.gatheredSince else { continue }
      let deadline = gatheringDeadline(since: since, last: streams[index].pointee.lastArrival)
      if streams[index].pointee.hasWholePicture || now.monotonic >= deadline {
        streams[index].pointee.gatheredSince = nil
        streams[index].pointee.hasWholePicture = false
        routing.streams.append(index)
      } else {
        nextGathered = min(nextGathered, deadline)
        gathering[kept] = index
        kept += 1
      }
    }
    gathering.removeLast(gathering.count - kept)
  }

  private func gatheringDeadline(since first: Instant, last: Instant) -> Instant {
    max(first + coalescing, min(last + burstGap, first + Self.burstLimit))
  }

  /// Step 5 for one stream: its packets for every subscription that shows it, receivers outermost, so that each is
  /// sent its part of a picture in one train. False when the arena was full before the last.
  private mutating func routeStream(_ streamIndex: Int32, into egress: inout EgressArena, now: Now) -> Bool {
    let stream = streams[streamIndex]
    let track = tracks[stream.pointee.track]
    while true {
      if routing.count == 0 {
        routing.count = fillBatch(streamIndex)
        routing.place = 0
      }
      guard routing.count > 0 else { return true }
      while routing.place < track.pointee.subscriptions.count {
        let subscription = track.pointee.subscriptions[routing.place]
        prefetch(from: routing.place, of: track)
        let fits = egress.hasRoom(forDatagrams: routing.count)
        // What does not fit an empty arena goes by the queue, which needs room for one datagram at a time.
        if fits || !egress.isEmpty, isStraight(subscription, layer: stream.pointee.layer) {
          guard fits else { return false }
          sealBatch(for: subscription, at: routing.place, stream: streamIndex, into: &egress, now: now)
        } else {
          route(batch, count: routing.count, isLate: false, to: routing.place, stream: streamIndex, now: now)
        }
        routing.place += 1
      }
      routing.count = 0
    }
  }

  /// Fetches into the cache what the next receivers need while this one's packets are sealed: the values of hundreds of
  /// them, and the kernel's work between, push each other out of it.
  @inline(__always)
  private func prefetch(from place: Int, of track: UnsafeMutablePointer<Track>) {
    if place + 2 < track.pointee.subscriptions.count {
      let second = track.pointee.subscriptions[place + 2]
      guard !second.isSink else { return }
      tk_prefetch(peers[second.peer], MemoryLayout<Peer>.size)
      tk_prefetch(sends[second.destination], MemoryLayout<SendStream>.size)
    }
    if place + 1 < track.pointee.subscriptions.count {
      let first = track.pointee.subscriptions[place + 1]
      guard !first.isSink else { return }
      peers[first.peer].pointee.sender?.prefetch()
      peers[first.peer].pointee.log.prefetch()
      sends[first.destination].pointee.sent.prefetch(sends[first.destination].pointee.nextSequence)
    }
  }

  /// Whether a subscription takes the batch as it is: its numbers go on from the last, nothing of its peer waits, and
  /// its line has the budget.
  private func isStraight(_ subscription: Subscription, layer: Int8) -> Bool {
    // More is no train, and might not fit an empty arena.
    guard !subscription.isSink, subscription.current == layer, routing.count <= EgressArena.segmentLimit else {
      return false
    }
    let send = sends[subscription.destination]
    let peer = peers[subscription.peer]
    let first = batch[0].record.extendedSequence
    let ahead = batch[routing.count - 1].record.extendedSequence + subscription.sequenceOffset
    guard send.pointee.hasSent, send.pointee.cursor == nil, first >= subscription.floor,
      first + subscription.sequenceOffset >= send.pointee.nextSequence, ahead - send.pointee.nextSequence <= 1_000
    else { return false }
    // Connections are paced by their room.
    guard peer.pointee.phase == .connected, peer.pointee.path != nil, peer.pointee.sender != nil,
      peer.pointee.room == nil
    else { return false }
    guard send.pointee.kind == .video else { return peer.pointee.audioQueue.isEmpty }
    return peer.pointee.videoQueue.isEmpty && peer.pointee.repairQueue.isEmpty
  }

  /// Steps 6 to 8 for one receiver and a whole batch. What its budget does not cover is queued.
  private mutating func sealBatch(
    for subscription: Subscription, at place: Int, stream streamIndex: Int32, into egress: inout EgressArena, now: Now
  ) {
    let send = sends[subscription.destination]
    let peer = peers[subscription.peer]
    let isVideo = send.pointee.kind == .video
    guard let codec = send.pointee.codec, let path = peer.pointee.path else { return }
    if isVideo { refill(subscription.peer, now: now) }
    let header = OutgoingHeader(
      send.pointee.template, ssrc: send.pointee.ssrc, payloadType: codec.payloadType, at: scratch, now: now)
    var (count, bytes, octets) = (0, 0, 0)
    while count < routing.count, !isVideo || peer.pointee.budget.isOpen {
      let packet = batch[count]
      let out = packet.record.extendedSequence + subscription.sequenceOffset
      let sealed = seal(
        ForwardEntry(packet, to: subscription, out: out, stream: streamIndex, now: now), packet.record, codec: codec,
        header: header, peer: subscription.peer, path: path, into: &egress, now: now)
      count += 1
      bytes += sealed.bytes
      octets += sealed.octets
    }
    if count > 0 {
      let last = batch[count - 1]
      send.pointee.noteForwarded(
        last, to: subscription, out: last.record.extendedSequence + subscription.sequenceOffset)
      countSent(count, bytes: bytes, octets: octets, send: subscription.destination, now: now)
    }
    // The budget did not reach: the queue and its pacing take the rest.
    for rest in count..<routing.count {
      forward(batch[rest], to: tracks[send.pointee.track].pointee.subscriptions[place], stream: streamIndex, now: now)
    }
  }
}
