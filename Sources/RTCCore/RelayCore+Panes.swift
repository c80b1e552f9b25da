import PacketRing
import RTCWire

extension RelayCore {
  // MARK: What a pane shows

  /// The tracks that a lesson shows to all alike, found once for all its panes; -1 where there is none.
  private struct ShownTracks {
    var stage: Int32
    var stageAudio: Int32
    var called: Int32
    var calledAudio: Int32
  }

  private func shownTracks(of lesson: Int32) -> ShownTracks {
    let place = lessons[lesson]
    return ShownTracks(
      stage: track(of: place.pointee.stage, .video, lesson: lesson),
      stageAudio: track(of: place.pointee.stageAudio, .audio, lesson: lesson),
      called: track(of: place.pointee.called, .video, lesson: lesson),
      calledAudio: track(of: place.pointee.calledAudio, .audio, lesson: lesson))
  }

  private func track(of feed: FeedID?, _ kind: MediaKind, lesson: Int32) -> Int32 {
    guard let feed, let place = lessons[lesson].pointee.feedIndex(feed) else { return -1 }
    let found = lessons[lesson].pointee.feeds[place]
    return kind == .audio ? found.audio : found.video
  }

  /// The called seat changes: panes that show it switch, and other workers are lent what they need for that.
  mutating func setCalled(_ id: LessonID, picture: FeedID?, sound: FeedID?, now: Now) {
    guard let lesson = lessonIndices[id] else { return }
    let former = [lessons[lesson].pointee.called, lessons[lesson].pointee.calledAudio]
    lessons[lesson].pointee.called = picture
    lessons[lesson].pointee.calledAudio = sound
    updateLending(of: Set((former + [picture, sound]).compactMap(\.self)), lesson: lesson, now: now)
    resolvePanes(lesson: lesson, now: now)
  }

  mutating func resolvePanes(lesson: Int32, now: Now) {
    let shown = shownTracks(of: lesson)
    for peer in lessons[lesson].pointee.peers { resolvePanes(peer: peer, shown, now: now) }
  }

  mutating func resolvePanes(peer index: Int32, now: Now) {
    resolvePanes(peer: index, shownTracks(of: peers[index].pointee.lesson), now: now)
  }

  /// Subscribes each send line of a peer to the track it should show.
  private mutating func resolvePanes(peer index: Int32, _ shown: ShownTracks, now: Now) {
    let peer = peers[index]
    guard peer.pointee.phase != .ending else { return }
    for sendIndex in peer.pointee.sendStreams {
      let send = sends[sendIndex]
      let isAudio = send.pointee.kind == .audio
      var track: Int32 =
        switch send.pointee.source {
        case .none: -1
        case .stage: isAudio ? shown.stageAudio : shown.stage
        case .called: isAudio ? shown.calledAudio : shown.called
        case .feed(let feed): self.track(of: feed, send.pointee.kind, lesson: peer.pointee.lesson)
        }
      // A peer is never shown its own feed: an echo helps nobody.
      if track >= 0, peer.pointee.owns(tracks[track].pointee.feed) { track = -1 }
      guard track != send.pointee.track else { continue }
      unsubscribe(sendIndex, now: now)
      if track >= 0 { subscribe(sendIndex, to: track, now: now) }
    }
  }

  private mutating func subscribe(_ sendIndex: Int32, to trackIndex: Int32, now: Now) {
    let send = sends[sendIndex]
    let track = tracks[trackIndex]
    track.pointee.subscriptions.append(Subscription(peer: send.pointee.peer, destination: sendIndex))
    send.pointee.track = trackIndex
    send.pointee.subscription = track.pointee.subscriptions.count - 1
    send.pointee.waitingSince = now.monotonic
    startSubscription(sendIndex, now: now)
  }

  mutating func unsubscribe(_ sendIndex: Int32, now: Now) {
    let send = sends[sendIndex]
    guard send.pointee.track >= 0 else { return }
    settleRouting(now: now)
    let track = tracks[send.pointee.track]
    let place = send.pointee.subscription
    let last = track.pointee.subscriptions.count - 1
    if place != last {
      let moved = track.pointee.subscriptions[last]
      track.pointee.subscriptions[place] = moved
      // Sinks find their subscriptions by scanning: they are few and change rarely.
      if !moved.isSink { sends[moved.destination].pointee.subscription = place }
    }
    track.pointee.subscriptions.removeLast()
    send.pointee.track = -1
    send.pointee.subscription = -1
    send.pointee.cursor = nil
    send.pointee.waitingSince = nil
  }

  // MARK: How a pane begins to show

  /// Starts video at the group of pictures if that is allowed, otherwise asks for a key frame; audio starts live.
  mutating func startSubscription(_ sendIndex: Int32, now: Now) {
    let send = sends[sendIndex]
    guard send.pointee.track >= 0 else { return }
    let track = tracks[send.pointee.track]
    guard track.pointee.kind == .video else { return }
    let target = preferredLayer(send: sendIndex, now: now)
    track.pointee.subscriptions[send.pointee.subscription].target = max(target, 0)
    if target == Self.tooThin { pauseVideo(of: sendIndex, now: now) }
    guard target >= 0, !peers[send.pointee.peer].pointee.isBlocked else { return }
    let streamIndex = track.pointee.layer(target)
    let stream = streams[streamIndex]
    peers[send.pointee.peer].pointee.estimator.subscribed(
      bitsPerSecond: stream.pointee.rate.bitsPerSecond(now: now.monotonic))
    if canBurst(streamIndex, now: now) {
      burst(sendIndex, from: streamIndex, layer: target, now: now)
    } else {
      requestPicture(streamIndex, now: now)
    }
  }

  /// The group may be sent if it is at most 3 s old, or if its publisher does not answer requests for a key frame.
  func canBurst(_ streamIndex: Int32, now: Now) -> Bool {
    let stream = streams[streamIndex]
    guard stream.pointee.hasGroup else { return false }
    return stream.pointee.groupAge(now: now.monotonic) <= .seconds(3) || stream.pointee.ignoresRequests
  }

  /// Sends the whole group of pictures from its key frame, as fast as the pacer lets it, before anything live.
  mutating func burst(_ sendIndex: Int32, from streamIndex: Int32, layer: Int8, now: Now) {
    let send = sends[sendIndex]
    let stream = streams[streamIndex]
    guard let record = stream.pointee.history.find(stream.pointee.groupStart) else { return }
    let track = tracks[send.pointee.track]
    let place = send.pointee.subscription
    guard
      switchSource(
        &track.pointee.subscriptions[place], to: record, stream: streamIndex, layer: layer, track: send.pointee.track)
    else { return }
    track.pointee.subscriptions[place].isCatchingUp = true
    send.pointee.cursor = record.extendedSequence
    send.pointee.waitingSince = nil
    tally.groupBursts &+= 1
    let peer = peers[send.pointee.peer]
    if peer.pointee.phase == .connected { schedulePacing(send.pointee.peer, now: now) }
    markDirty(send.pointee.peer)
  }

  // MARK: Layers

  private func isAlive(_ streamIndex: Int32, now: Now) -> Bool {
    guard streamIndex >= 0 else { return false }
    let stream = streams[streamIndex]
    // What is injected may pause: its last picture is what there is to see, here and where it is lent to.
    if stream.pointee.origin == .injection || (stream.pointee.isForeign && stream.pointee.ignoresPictureRequests) {
      return true
    }
    return now.monotonic - stream.pointee.lastArrival < .milliseconds(1_500)
  }

  /// No layer fits the receiver's line: sound alone.
  static let tooThin: Int8 = -2

  /// The highest live layer that the receiver's line and its wish allow; -1 when none is live, `tooThin` when none
  /// fits.
  func preferredLayer(send sendIndex: Int32, now: Now) -> Int8 {
    let send = sends[sendIndex]
    let track = tracks[send.pointee.track]
    let order = layerOrder(of: send.pointee.track)
    let current = order.rank(of: track.pointee.subscriptions[send.pointee.subscription].current)
    let estimate = peers[send.pointee.peer].pointee.estimator.bitsPerSecond
    var lowest: Int8 = -1
    var best: Int8 = -1
    for rank in Int8(0)..<3 {
      let layer = order.layer(at: rank)
      let streamIndex = track.pointee.layer(layer)
      guard isAlive(streamIndex, now: now) else { continue }
      if lowest < 0 { lowest = layer }
      let stream = streams[streamIndex]
      let height = stream.pointee.height
      if send.pointee.maxHeight > 0, height > send.pointee.maxHeight, lowest != layer { continue }
      let rate = stream.pointee.rate.bitsPerSecond(now: now.monotonic)
      // Going up wants a third more than going on, so that a line at the edge does not flap.
      let needed = rank > current ? rate * 4 / 3 : rate * 11 / 10
      if needed <= estimate { best = layer }
    }
    guard best < 0, lowest >= 0, peers[send.pointee.peer].pointee.estimator.isLimited else {
      return best >= 0 ? best : lowest
    }
    // A paused picture comes back when the line has room for it and its pause is over; one that runs is given up when
    // it takes a quarter more than there is.
    let rate = streams[track.pointee.layer(lowest)].pointee.rate.bitsPerSecond(now: now.monotonic)
    if send.pointee.isPaused { return Self.tooThin }
    return rate * 4 / 5 <= estimate ? lowest : Self.tooThin
  }

  /// The highest live layer, for subscribers exempt from adaptation.
  func topLayer(track trackIndex: Int32, now: Now) -> Int8 {
    let track = tracks[trackIndex]
    let order = layerOrder(of: trackIndex)
    for rank in stride(from: Int8(2), through: 0, by: -1) {
      let layer = order.layer(at: rank)
      if isAlive(track.pointee.layer(layer), now: now) { return layer }
    }
    return -1
  }

  /// Looks again at what each video pane of a peer should show, and starts what still waits.
  mutating func checkLayers(peer index: Int32, now: Now) {
    guard !peers[index].pointee.isBlocked else { return }
    for number in peers[index].pointee.sendStreams.indices {
      let sendIndex = peers[index].pointee.sendStreams[number]
      let send = sends[sendIndex]
      guard send.pointee.kind == .video, send.pointee.track >= 0 else { continue }
      let track = tracks[send.pointee.track]
      let place = send.pointee.subscription
      let target = preferredLayer(send: sendIndex, now: now)
      if target == Self.tooThin { pauseVideo(of: sendIndex, now: now) }
      guard target >= 0, !send.pointee.isPaused || now.monotonic >= peers[index].pointee.pausedUntil else { continue }
      if send.pointee.isPaused {
        send.pointee.isPaused = false
        peers[index].pointee.resumedAt = now.monotonic
      }
      track.pointee.subscriptions[place].target = target
      let streamIndex = track.pointee.layer(target)
      let current = track.pointee.subscriptions[place].current
      if current < 0 {
        // A line that was too thin gets a fresh key frame rather than a burst, if the publisher makes one.
        let recentlyDropped = peers[index].pointee.lastQueueDrop.map { now.monotonic - $0 < .seconds(2) } ?? false
        let avoidsBurst =
          peers[index].pointee.estimator.isLimited && !streams[streamIndex].pointee.ignoresPictureRequests
        if !recentlyDropped, !avoidsBurst, canBurst(streamIndex, now: now) {
          burst(sendIndex, from: streamIndex, layer: target, now: now)
        } else {
          requestPicture(streamIndex, now: now)
        }
      } else if current != target {
        requestPicture(streamIndex, now: now)
      }
    }
  }

  /// Sound before picture: stops a pane's video until the line has room for it again. The pause doubles, from 5 s to
  /// 40 s, when the line turns out too thin soon after the picture came back.
  mutating func pauseVideo(of sendIndex: Int32, now: Now) {
    let send = sends[sendIndex]
    guard !send.pointee.isPaused, send.pointee.kind == .video else { return }
    let peer = peers[send.pointee.peer]
    dropVideo(of: sendIndex, now: now, wantsPicture: false)
    peer.pointee.repairQueue.filter { $0.sendStream != sendIndex }
    send.pointee.isPaused = true
    let cameBack = peer.pointee.resumedAt.map { now.monotonic - $0 < .seconds(10) } ?? false
    peer.pointee.failedReturns = cameBack ? min(peer.pointee.failedReturns + 1, 3) : 0
    peer.pointee.pausedUntil = now.monotonic + .seconds(5 << peer.pointee.failedReturns)
  }

  // MARK: Key frames

  /// Wants a key frame of a stream; at most one request a second leaves for all receivers together.
  /// - Returns: whether this one does.
  @discardableResult
  mutating func requestPicture(_ streamIndex: Int32, now: Now) -> Bool {
    let stream = streams[streamIndex]
    guard stream.pointee.isVideo else { return false }
    if case .link(let place, let number) = stream.pointee.origin {
      return wishPicture(streamIndex, number: number, of: place, now: now)
    }
    if let last = stream.pointee.lastPictureRequest, now.monotonic - last < .seconds(1) { return false }
    guard stream.pointee.peer >= 0 else {
      stream.pointee.lastPictureRequest = now.monotonic
      let track = tracks[stream.pointee.track]
      let lesson = lessons[track.pointee.lesson]
      if let place = lesson.pointee.feedIndex(track.pointee.feed) {
        let injection = lesson.pointee.feeds[place].injection
        if injection >= 0 { emit(.keyFrameRequested(injections[Int32(injection)].pointee.id)) }
      }
      return true
    }
    stream.pointee.wantsPictureRequest = true
    markDirty(stream.pointee.peer)
    return true
  }
}
