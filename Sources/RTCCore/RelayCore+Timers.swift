import PacketRing
import RTCWire

extension RelayCore {
  /// Does what is due: checks, reports, feedback, pacing, liveness.
  public mutating func advance(now: Now) {
    due.removeAll(keepingCapacity: true)
    wheel.expire(now: now.monotonic, into: &due)
    // By place: an iterator would hold the list.
    for place in due.indices where peers.contains(due[place]) { advancePeer(due[place], now: now) }
    if let next = nextHousekeeping, next <= now.monotonic {
      nextHousekeeping = now.monotonic + .milliseconds(250)
      keepHouse(now: now)
    }
  }

  mutating func advancePeer(_ index: Int32, now: Now) {
    let peer = peers[index]
    guard peer.pointee.phase != .ending else { return }
    let moment = now.monotonic
    // Asked first: the deadline is computed, on a copy of the agent.
    if peer.pointee.ice.role == .controlling, peer.pointee.ice.nextDeadline <= moment {
      peer.pointee.ice.advance(now: moment, random: &random)
    }
    sendICE(index)
    guard checkLiveness(index, now: now) else { return }
    if peer.pointee.nextNack <= moment {
      peer.pointee.nextNack = .distantFuture
      peer.pointee.owesNack = true
      markDirty(index)
    }
    if peer.pointee.nextFeedback <= moment {
      peer.pointee.nextFeedback = .distantFuture
      peer.pointee.owesFeedback = true
      markDirty(index)
    }
    if peer.pointee.nextReport <= moment {
      peer.pointee.nextReport = (moment + .seconds(1)).aligned(to: .milliseconds(20))
      peer.pointee.owesReport = true
      markDirty(index)
    }
    if peer.pointee.nextPace <= moment {
      peer.pointee.nextPace = .distantFuture
      markDirty(index)
    }
    if peer.pointee.nextLayerCheck <= moment {
      peer.pointee.nextLayerCheck = (moment + .milliseconds(150)).aligned(to: .milliseconds(50))
      if peer.pointee.phase == .connected { checkLayers(peer: index, now: now) }
      checkRecovery(index, now: now)
    }
    if peer.pointee.nextStatistics <= moment {
      peer.pointee.nextStatistics = (moment + .milliseconds(900)).aligned(to: .milliseconds(100))
      emit(.peerStatistics(statistics(of: index, now: now)))
      trimQueues(index, now: now)
    }
    rearm(index)
  }

  /// Gives back what a burst has made the queues grow by, every 16 s.
  private mutating func trimQueues(_ index: Int32, now: Now) {
    let peer = peers[index]
    guard now.monotonic >= peer.pointee.nextTrim else { return }
    peer.pointee.nextTrim = now.monotonic + .seconds(16)
    peer.pointee.audioQueue.trim()
    peer.pointee.repairQueue.trim()
    peer.pointee.videoQueue.trim()
  }

  /// 15 s of silence is stalled, 30 s is gone; so is who never finished connecting within 30 s.
  private mutating func checkLiveness(_ index: Int32, now: Now) -> Bool {
    let peer = peers[index]
    let silence = now.monotonic - peer.pointee.lastHeard
    if silence >= Peer.silenceLimit {
      endPeer(index, .iceTimeout, now: now)
      return false
    }
    if peer.pointee.phase != .connected, now.monotonic - peer.pointee.created >= .seconds(30) {
      endPeer(index, .handshakeFailed, now: now)
      return false
    }
    if let connected = peer.pointee.connectedAt, peer.pointee.feed != nil, !peer.pointee.mediaFlowing,
      peer.pointee.description.iceRole == .lite, now.monotonic - connected >= Peer.mediaLimit
    {
      endPeer(index, .mediaNeverCame, now: now)
      return false
    }
    if silence >= Peer.stallLimit, !peer.pointee.isStalled {
      peer.pointee.isStalled = true
      emit(.stalled(peer.pointee.id, now.monotonic))
    }
    return true
  }

  /// A degraded receiver has recovered after 5 s without a drop.
  private mutating func checkRecovery(_ index: Int32, now: Now) {
    let peer = peers[index]
    guard peer.pointee.isDegraded, !peer.pointee.isBlocked, let last = peer.pointee.lastQueueDrop,
      now.monotonic - last >= .seconds(5)
    else {
      return
    }
    for send in peer.pointee.sendStreams where sends[send].pointee.isPaused { return }
    peer.pointee.isDegraded = false
    emit(.restored(peer.pointee.id, kind: .video, now.monotonic))
  }

  /// What belongs to no peer: publishers that do not answer, sinks' layers.
  private mutating func keepHouse(now: Now) {
    if neighbours.count > 0 { updateLendingFloor() }
    let share = historyShare
    for index in 0..<streams.end where streams.contains(index) {
      let stream = streams[index]
      if stream.pointee.isForeign {
        keepForeign(index, share: share, now: now)
        continue
      }
      stream.pointee.trim(to: share, ledger: &ledger)
      guard stream.pointee.isVideo else { continue }
      tellIgnoring(index)
      guard let asked = stream.pointee.lastPictureRequest else {
        askOnTrial(index, now: now)
        continue
      }
      let waited = now.monotonic - asked
      if waited > .milliseconds(500), waited < .seconds(2), stream.pointee.groupArrival < asked {
        stream.pointee.ignoresPictureRequests = true
      }
    }
    for index in 0..<sinks.end where sinks.contains(index) { checkSinkLayer(index, now: now) }
  }

  /// Packets that one stream's history may hold: all that it wants while a sixteenth of the slots is free, else an
  /// equal part of seven eighths. Without it, silent streams and many new ones could fill the memory; then no packet
  /// comes in, and histories shrink by packets that come.
  var historyShare: Int {
    guard ledger.freeCount < ledger.slotCount / 16 else { return .max }
    return max(32, ledger.slotCount * 7 / 8 / max(streams.count, 1))
  }

  /// Asks a publisher for one key frame before anybody needs it: whoever joins a second before the next one shall not
  /// be the one to find out that it does not answer.
  private mutating func askOnTrial(_ index: Int32, now: Now) {
    let stream = streams[index]
    guard stream.pointee.peer >= 0, peers[stream.pointee.peer].pointee.description.iceRole == .lite,
      stream.pointee.hasGroup, stream.pointee.groupAge(now: now.monotonic) >= .seconds(1)
    else { return }
    requestPicture(index, now: now)
  }

  private func picture(of sendIndex: Int32, isDegraded: Bool, now: Now) -> PictureState {
    let send = sends[sendIndex]
    guard send.pointee.kind == .video, send.pointee.track >= 0 else { return .none }
    if send.pointee.isPaused { return .paused }
    let current = tracks[send.pointee.track].pointee.subscriptions[send.pointee.subscription].current
    guard current >= 0 else { return .none }
    // A height that was wished for is no want of the line.
    let isLess = send.pointee.maxHeight == 0 && current != topLayer(track: send.pointee.track, now: now)
    return isDegraded || isLess ? .thin : .full
  }

  func statistics(of index: Int32, now: Now) -> PeerStatistics {
    let peer = peers[index]
    var statistics = peer.pointee.statistics
    statistics.at = now.monotonic
    statistics.mediaAcknowledged = peer.pointee.acknowledgedSinceStatistics
    peer.pointee.acknowledgedSinceStatistics = false
    statistics.silentMilliseconds = (now.monotonic - peer.pointee.lastHeard).microseconds / 1_000
    statistics.roundTripMicroseconds = peer.pointee.roundTrip.microseconds
    statistics.estimateBitsPerSecond = peer.pointee.estimator.bitsPerSecond
    let rate = max(peer.pointee.estimator.bitsPerSecond, 1)
    statistics.queuedMilliseconds = Int64(peer.pointee.queuedVideoBytes) * 8_000 / rate
    var lost: Int64 = peer.pointee.lostBefore
    for binding in peer.pointee.bindings where !binding.isRetransmission && streams.contains(binding.stream) {
      let stream = streams[binding.stream]
      lost += stream.pointee.statistics.lost
      statistics.jitterMicroseconds =
        Int64(stream.pointee.statistics.jitter) * 1_000_000 / Int64(stream.pointee.codec.clockRate)
    }
    for send in peer.pointee.sendStreams {
      statistics.fractionLost = max(statistics.fractionLost, sends[send].pointee.reportedLoss)
      let picture = picture(of: send, isDegraded: peer.pointee.isDegraded, now: now)
      if picture.rawValue > statistics.picture.rawValue { statistics.picture = picture }
    }
    statistics.packetsLost = UInt64(max(0, lost))
    return statistics
  }
}
