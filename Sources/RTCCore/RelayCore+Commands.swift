import PacketRing
import RTCWire

extension RelayCore {
  /// Carries out one command. A command that names what is not there is a no-op: it crossed with an ending.
  public mutating func apply(_ command: Command, now: Now) {
    settleRouting(now: now)
    switch command {
    case .openLesson(let id): openLesson(id, now: now)
    case .closeLesson(let id): closeLesson(id, now: now)
    case .setStage(let id, let feed, let audio):
      guard let lesson = lessonIndices[id] else { return }
      lessons[lesson].pointee.stage = feed
      lessons[lesson].pointee.stageAudio = audio ?? feed
      resolvePanes(lesson: lesson, now: now)
    case .setCalled(let id, let picture, let sound): setCalled(id, picture: picture, sound: sound, now: now)
    case .addPeer(let description): addPeer(description, now: now)
    case .removePeer(let id):
      guard let peer = peerIndices[id] else { return }
      endPeer(peer, .removed, now: now)
    case .restartICE(let id, let local, let remote): restartICE(id, local: local, remote: remote, now: now)
    case .addRemoteCandidate(let id, let address):
      guard let peer = peerIndices[id] else { return }
      peers[peer].pointee.ice.addRemoteCandidate(address, now: now.monotonic)
      rearm(peer)
    case .setPane(let id, let mid, let source, let maxHeight):
      setPane(id, mid: mid, source: source, maxHeight: maxHeight, now: now)
    case .addSink(let lesson, let feed, let sink): addSink(lesson, feed, sink: sink, now: now)
    case .removeSink(let sink): removeSink(sink)
    case .openInjection(let lesson, let feed, let injection, let lines):
      openInjection(lesson, feed, injection: injection, lines: lines, now: now)
    case .closeInjection(let injection): closeInjection(injection, now: now)
    case .openLink(let lesson, let worker): openLink(lesson, to: worker, now: now)
    case .closeLink(let lesson, let worker): closeLink(lesson, to: worker)
    case .lendFeed(let lesson, let feed, let worker): lendFeed(lesson, feed, to: worker, now: now)
    case .requestKeyFrame(let id, let feed):
      guard let lesson = lessonIndices[id], let index = lessons[lesson].pointee.feedIndex(feed) else { return }
      let video = lessons[lesson].pointee.feeds[index].video
      guard tracks.contains(video) else { return }
      for layer in Int8(0)..<3 where tracks[video].pointee.layer(layer) >= 0 {
        requestPicture(tracks[video].pointee.layer(layer), now: now)
      }
    }
  }

  private mutating func openLesson(_ id: LessonID, now: Now) {
    guard lessonIndices[id] == nil, !lessons.isFull else { return }
    lessonIndices[id] = lessons.insert(Lesson(id: id))
    if nextHousekeeping == nil { nextHousekeeping = now.monotonic + .seconds(1) }
    takeBorrowed(id)
  }

  private mutating func closeLesson(_ id: LessonID, now: Now) {
    guard let index = lessonIndices[id] else { return }
    closeLinks(lesson: index)
    endBorrowed(id, now: now)
    for peer in lessons[index].pointee.peers { endPeer(peer, .lessonClosed, now: now) }
    for sink in 0..<sinks.end where sinks.contains(sink) && sinks[sink].pointee.lesson == index {
      removeSink(sinks[sink].pointee.id)
    }
    for injection in 0..<injections.end
    where injections.contains(injection) && injections[injection].pointee.lesson == index {
      closeInjection(injections[injection].pointee.id, now: now)
    }
    // Peers that still owe a BYE keep the lesson's number; the lesson goes when the last has gone.
    lessons[index].pointee.isClosing = true
    lessonIndices[id] = nil
    removeLessonIfEmpty(index)
  }

  mutating func removeLessonIfEmpty(_ index: Int32) {
    let lesson = lessons[index]
    guard lesson.pointee.isClosing, lesson.pointee.peers.isEmpty else { return }
    for feed in lesson.pointee.feeds {
      for track in [feed.audio, feed.video] where tracks.contains(track) { tracks.remove(track) }
    }
    lessons.remove(index)
  }

  private mutating func addPeer(_ description: PeerDescription, now: Now) {
    guard let lesson = lessonIndices[description.lesson], peerIndices[description.id] == nil, !peers.isFull,
      fragments[description.local.userFragment] == nil,
      sends.capacity - sends.count >= description.lines.count, !lessons[lesson].pointee.isClosing
    else {
      emit(.ended(description.id, .removed, now.monotonic))
      return
    }
    let ice = ICEAgent(
      role: description.iceRole, local: description.local, remote: description.remote,
      remoteCandidates: description.remoteCandidates,
      localAddresses: description.localAddresses ?? configuration.localAddresses,
      tieBreaker: random.next(), now: now.monotonic)
    let index = peers.insert(
      Peer(description: description, lesson: lesson, ice: ice, random: &random, now: now.monotonic))
    peerIndices[description.id] = index
    fragments[description.local.userFragment] = index
    peers[index].pointee.place = lessons[lesson].pointee.peers.count
    lessons[lesson].pointee.peers.append(index)
    if description.iceRole == .controlling { controlling.append(index) }
    for (lineIndex, line) in description.lines.enumerated() where line.direction == .send {
      let send = sends.insert(SendStream(peer: index, lineIndex: lineIndex, line: line, random: &random))
      sends[send].pointee.source = .stage
      peers[index].pointee.sendStreams.append(send)
    }
    resolvePanes(peer: index, now: now)
    rearm(index)
    advancePeer(index, now: now)
  }

  private mutating func restartICE(_ id: PeerID, local: ICECredentials, remote: ICECredentials, now: Now) {
    guard let index = peerIndices[id], fragments[local.userFragment] == nil else { return }
    let peer = peers[index]
    // The old fragment stays valid until the new pair is chosen: checks of the old session are still on their way.
    fragments[local.userFragment] = index
    peer.pointee.ice.restart(local: local, remote: remote, now: now.monotonic)
    peer.pointee.fragments.append(local.userFragment)
    if peer.pointee.fragments.count > 2 { fragments[peer.pointee.fragments.removeFirst()] = nil }
    rearm(index)
  }

  private mutating func setPane(_ id: PeerID, mid: String, source: PaneSource, maxHeight: UInt16, now: Now) {
    guard let index = peerIndices[id] else { return }
    for send in peers[index].pointee.sendStreams where sends[send].pointee.mid == mid {
      sends[send].pointee.source = source
      sends[send].pointee.maxHeight = maxHeight
    }
    resolvePanes(peer: index, now: now)
  }

  // MARK: Endings

  /// Takes a peer out of its lesson. Its BYE and close go out with the next drain, which then frees it.
  mutating func endPeer(_ index: Int32, _ reason: PeerEnd, now: Now) {
    let peer = peers[index]
    guard peer.pointee.phase != .ending else { return }
    peer.pointee.owesBye = peer.pointee.sender != nil && peer.pointee.path != nil
    discardEarly(index)
    peer.pointee.phase = .ending
    peer.pointee.end = reason
    detachStreams(of: index, now: now)
    for send in peer.pointee.sendStreams { unsubscribe(send, now: now) }
    peer.pointee.videoQueue.removeAll()
    peer.pointee.audioQueue.removeAll()
    peer.pointee.repairQueue.removeAll()
    emit(.peerStatistics(statistics(of: index, now: now)))
    emit(.ended(peer.pointee.id, reason, now.monotonic))
    markDirty(index)
  }

  /// Frees an ending peer once its BYE has been written.
  mutating func freePeer(_ index: Int32) {
    let peer = peers[index]
    let lesson = peer.pointee.lesson
    askHandshake(.close(peer.pointee.id))
    for path in peer.pointee.paths { forget(path, peer: index) }
    for send in peer.pointee.sendStreams { sends.remove(send) }
    fragments[peer.pointee.description.local.userFragment] = nil
    for fragment in peer.pointee.fragments { fragments[fragment] = nil }
    peerIndices[peer.pointee.id] = nil
    // The last one takes its place: a lesson that ends frees a thousand of them.
    let last = lessons[lesson].pointee.peers.removeLast()
    if last != index {
      lessons[lesson].pointee.peers[peer.pointee.place] = last
      peers[last].pointee.place = peer.pointee.place
    }
    if peer.pointee.description.iceRole == .controlling { controlling.removeAll { $0 == index } }
    wheel.cancel(index)
    peers.remove(index)
    removeLessonIfEmpty(lesson)
  }

  /// Ends the streams a peer publishes; the feed's tracks and their subscriptions stay for the next publisher.
  mutating func detachStreams(of index: Int32, now: Now) {
    let peer = peers[index]
    for binding in peer.pointee.bindings where !binding.isRetransmission { removeStream(binding.stream, now: now) }
    peer.pointee.bindings.removeAll()
    guard let feed = peer.pointee.feed,
      let place = lessons[peer.pointee.lesson].pointee.feedIndex(feed),
      lessons[peer.pointee.lesson].pointee.feeds[place].publisher == index
    else { return }
    lessons[peer.pointee.lesson].pointee.feeds[place].publisher = -1
  }

  mutating func removeStream(_ streamIndex: Int32, now: Now) {
    guard streams.contains(streamIndex) else { return }
    settleRouting(now: now)
    routeGathered(streamIndex, isEnding: true, now: now)
    let stream = streams[streamIndex]
    let trackIndex = stream.pointee.track
    let layer = stream.pointee.layer
    if tracks.contains(trackIndex), tracks[trackIndex].pointee.layer(layer) == streamIndex {
      let track = tracks[trackIndex]
      track.pointee.setLayer(layer, -1)
      for place in track.pointee.subscriptions.indices where track.pointee.subscriptions[place].current == layer {
        track.pointee.subscriptions[place].current = -1
        track.pointee.subscriptions[place].isCatchingUp = false
        let destination = track.pointee.subscriptions[place].destination
        if !track.pointee.subscriptions[place].isSink {
          sends[destination].pointee.cursor = nil
          sends[destination].pointee.waitingSince = now.monotonic
        }
      }
      if track.pointee.isEmpty, !stream.pointee.isForeign {
        emit(
          .trackEnded(
            lessons[track.pointee.lesson].pointee.id, track.pointee.feed, track: track.pointee.session, now.monotonic))
      }
    }
    if stream.pointee.peer >= 0 { peers[stream.pointee.peer].pointee.lostBefore += stream.pointee.statistics.lost }
    notifyBorrowers(of: streamIndex, .ended(UInt16(streamIndex)))
    if case .link(let place, let number) = stream.pointee.origin {
      neighbours[place].pointee.streams[Int(number)] = -1
    }
    stream.pointee.history.removeAll(ledger: &ledger)
    streams.remove(streamIndex)
  }
}
