public import PacketRing
import RTCWire

extension RelayCore {
  // MARK: Sinks

  /// Gives a sink its lane. Before the `addSink` command that names it.
  public mutating func attachSink(
    _ sink: SinkID, producer: consuming LaneProducer<PacketRecord>, returns: consuming LaneConsumer<SlotIndex>
  ) {
    guard !sinks.isFull else { return }
    _ = sinks.insert(Sink(id: sink, producer: producer, returns: returns))
  }

  private func sinkIndex(_ id: SinkID) -> Int32? {
    for index in 0..<sinks.end
    where sinks.contains(index) && sinks[index].pointee.id == id && !sinks[index].pointee.isClosing {
      return index
    }
    return nil
  }

  mutating func addSink(_ lesson: LessonID, _ feed: FeedID, sink id: SinkID, now: Now) {
    guard let index = sinkIndex(id), let lesson = lessonIndices[lesson],
      let place = feedPlace(lesson: lesson, feed: feed)
    else { return }
    let sink = sinks[index]
    sink.pointee.lesson = lesson
    sink.pointee.feed = feed
    let present = lessons[lesson].pointee.feeds[place]
    for track in [present.audio, present.video] where track >= 0 { subscribeSink(index, to: track) }
    checkSinkLayer(index, now: now)
    startSinkAtGroup(index, now: now)
  }

  mutating func subscribeSink(_ index: Int32, to trackIndex: Int32) {
    let sink = sinks[index]
    let track = tracks[trackIndex]
    if track.pointee.kind == .audio {
      sink.pointee.audio.track = trackIndex
    } else {
      sink.pointee.video.track = trackIndex
    }
    guard !track.pointee.subscriptions.contains(where: { $0.isSink && $0.destination == index }) else { return }
    track.pointee.subscriptions.append(Subscription(peer: -1, destination: index))
  }

  /// A sink added to a running feed begins with the group of pictures that is already here.
  private mutating func startSinkAtGroup(_ index: Int32, now: Now) {
    let trackIndex = sinks[index].pointee.video.track
    guard trackIndex >= 0 else { return }
    let track = tracks[trackIndex]
    let layer = topLayer(track: trackIndex, now: now)
    guard layer >= 0,
      let place = track.pointee.subscriptions.firstIndex(where: { $0.isSink && $0.destination == index })
    else { return }
    let streamIndex = track.pointee.layer(layer)
    guard streams[streamIndex].pointee.hasGroup else {
      requestPicture(streamIndex, now: now)
      return
    }
    leaseGroup(place, track: trackIndex, stream: streamIndex)
  }

  /// Switches a sink to a stream at its group of pictures and lends it what is here of it.
  mutating func leaseGroup(_ place: Int, track trackIndex: Int32, stream streamIndex: Int32) {
    let track = tracks[trackIndex]
    let stream = streams[streamIndex]
    let layer = stream.pointee.layer
    var sequence = stream.pointee.groupStart
    // What is still being gathered comes by the next routing.
    while sequence <= stream.pointee.routedThrough {
      if let record = stream.pointee.history.find(sequence) {
        if sequence == stream.pointee.groupStart {
          switchSink(
            &track.pointee.subscriptions[place], to: record, stream: streamIndex, layer: layer, track: trackIndex)
        }
        lease(record, to: track.pointee.subscriptions[place], stream: streamIndex, track: trackIndex)
      }
      sequence += 1
    }
  }

  mutating func checkSinkLayer(_ index: Int32, now: Now) {
    let trackIndex = sinks[index].pointee.video.track
    guard trackIndex >= 0, tracks.contains(trackIndex) else { return }
    let track = tracks[trackIndex]
    guard let place = track.pointee.subscriptions.firstIndex(where: { $0.isSink && $0.destination == index }) else {
      return
    }
    let top = topLayer(track: trackIndex, now: now)
    guard top >= 0 else { return }
    track.pointee.subscriptions[place].target = top
    if track.pointee.subscriptions[place].current != top { requestPicture(track.pointee.layer(top), now: now) }
  }

  /// A sink's numbers go on across layers of one session; a new session of the feed is a new track to it.
  mutating func switchSink(
    _ subscription: inout Subscription, to record: PacketRecord, stream: Int32, layer: Int8, track trackIndex: Int32
  ) {
    let sink = sinks[subscription.destination]
    let track = tracks[trackIndex]
    let isAudio = track.pointee.kind == .audio
    var line = isAudio ? sink.pointee.audio : sink.pointee.video
    if line.session == track.pointee.session, line.nextSequence > 0 {
      subscription.sequenceOffset = line.nextSequence - record.extendedSequence
      let elapsed = max(record.lessonTime - line.lastLessonTime, 1_000)
      let rate = Int64(streams[stream].pointee.codec.clockRate)
      let next = line.lastTimestamp &+ UInt32(truncatingIfNeeded: max(1, elapsed * rate / 1_000_000))
      subscription.timestampOffset = next &- record.timestamp
      tally.layerSwitches &+= 1
    } else {
      subscription.sequenceOffset = 0
      subscription.timestampOffset = 0
      line = Sink.Line(track: trackIndex, session: track.pointee.session)
    }
    subscription.floor = record.extendedSequence
    subscription.current = layer
    if isAudio { sink.pointee.audio = line } else { sink.pointee.video = line }
  }

  /// Lends one packet to a sink: a reference goes with it and comes back by the lane of returns.
  mutating func lease(_ record: PacketRecord, to subscription: Subscription, stream: Int32, track trackIndex: Int32) {
    guard record.extendedSequence >= subscription.floor else { return }
    let sink = sinks[subscription.destination]
    guard !sink.pointee.isClosing else { return }
    let track = tracks[trackIndex]
    var entry = record
    entry.extendedSequence = record.extendedSequence + subscription.sequenceOffset
    entry.timestamp = record.timestamp &+ subscription.timestampOffset
    entry.stream = UInt16(truncatingIfNeeded: track.pointee.session)
    ledger.retain(record.slot)
    guard sink.pointee.producer.push(entry) else {
      ledger.release(record.slot)
      tally.drop(.sinkFull)
      return
    }
    sink.pointee.outstanding += 1
    func note(_ line: inout Sink.Line) {
      guard entry.extendedSequence >= line.nextSequence else { return }
      line.nextSequence = entry.extendedSequence + 1
      line.lastTimestamp = entry.timestamp
      line.lastLessonTime = record.lessonTime
    }
    if track.pointee.kind == .audio { note(&sink.pointee.audio) } else { note(&sink.pointee.video) }
  }

  mutating func removeSink(_ id: SinkID) {
    guard let index = sinkIndex(id) else { return }
    for trackIndex in [sinks[index].pointee.audio.track, sinks[index].pointee.video.track]
    where trackIndex >= 0 && tracks.contains(trackIndex) {
      let track = tracks[trackIndex]
      guard let place = track.pointee.subscriptions.firstIndex(where: { $0.isSink && $0.destination == index }) else {
        continue
      }
      track.pointee.subscriptions.swapAt(place, track.pointee.subscriptions.count - 1)
      track.pointee.subscriptions.removeLast()
      if place < track.pointee.subscriptions.count, !track.pointee.subscriptions[place].isSink {
        sends[track.pointee.subscriptions[place].destination].pointee.subscription = place
      }
    }
    sinks[index].pointee.isClosing = true
    sinks[index].pointee.audio.track = -1
    sinks[index].pointee.video.track = -1
    if sinks[index].pointee.outstanding == 0 { sinks.remove(index) }
  }

  // MARK: Injection

  /// Gives an injected feed its lanes. Before the `openInjection` command that names it.
  public mutating func attachInjection(
    _ id: InjectionID, packets: consuming LaneConsumer<InjectedPacket>, grants: consuming LaneProducer<SlotIndex>
  ) {
    guard !injections.isFull else { return }
    _ = injections.insert(Injection(id: id, packets: packets, grants: grants))
  }

  private func injectionIndex(_ id: InjectionID) -> Int32? {
    for index in 0..<injections.end
    where injections.contains(index) && injections[index].pointee.id == id && !injections[index].pointee.isClosing {
      return index
    }
    return nil
  }

  mutating func openInjection(
    _ lessonID: LessonID, _ feed: FeedID, injection id: InjectionID, lines: [MediaLine], now: Now
  ) {
    guard let index = injectionIndex(id), let lesson = lessonIndices[lessonID],
      let place = feedPlace(lesson: lesson, feed: feed)
    else { return }
    let former = lessons[lesson].pointee.feeds[place].publisher
    if former >= 0, peers.contains(former) { endPeer(former, .replaced, now: now) }
    lessons[lesson].pointee.feeds[place].publisher = -1
    lessons[lesson].pointee.feeds[place].injection = Int(index)
    let injection = injections[index]
    injection.pointee.lesson = lesson
    injection.pointee.feed = feed
    for (lineIndex, line) in lines.enumerated() {
      guard let codec = line.codecs.first, !streams.isFull,
        let trackIndex = track(lesson: lesson, feed: feed, kind: line.kind, now: now)
      else {
        injection.pointee.streams.append(-1)
        continue
      }
      replaceStream(tracks[trackIndex].pointee.layer(0), now: now)
      let stream = streams.insert(
        ReceiveStream(
          origin: .injection, track: trackIndex, layer: 0, ssrc: 0, lineIndex: lineIndex, codec: codec,
          isVideo: line.kind == .video, now: now.monotonic))
      tracks[trackIndex].pointee.setLayer(0, stream)
      injection.pointee.streams.append(stream)
      announce(trackIndex, codec: codec, at: now.monotonic)
      tellStarted(stream)
    }
    injection.pointee.isOpen = true
  }

  mutating func closeInjection(_ id: InjectionID, now: Now) {
    guard let index = injectionIndex(id) else { return }
    let injection = injections[index]
    injection.pointee.isOpen = false
    injection.pointee.isClosing = true
    for stream in injection.pointee.streams where stream >= 0 { removeStream(stream, now: now) }
    injection.pointee.streams.removeAll()
    let lesson = injection.pointee.lesson
    if let feed = injection.pointee.feed, lessons.contains(lesson), let place = lessons[lesson].pointee.feedIndex(feed)
    {
      lessons[lesson].pointee.feeds[place].injection = -1
    }
    injection.pointee.lesson = -1
  }

  /// Takes returned leases, injected packets and what other workers lend, and grants slots to injecting threads.
  public mutating func service(now: Now) {
    lastService = now.monotonic
    for index in 0..<injections.end where injections.contains(index) { serviceInjection(index, now: now) }
    serviceNeighbours(now: now)
    guard now.monotonic >= nextSinkService ?? now.monotonic else { return }
    nextSinkService = now.monotonic + .milliseconds(5)
    for index in 0..<sinks.end where sinks.contains(index) {
      let sink = sinks[index]
      while let slot = sink.pointee.returns.pop() {
        ledger.release(slot)
        sink.pointee.outstanding -= 1
      }
      if sink.pointee.isClosing, sink.pointee.outstanding == 0 { sinks.remove(index) }
    }
  }

  private mutating func serviceInjection(_ index: Int32, now: Now) {
    let injection = injections[index]
    var taken = 0
    while taken < Self.grantLimit, let packet = injection.pointee.packets.pop() {
      taken += 1
      injection.pointee.granted -= 1
      inject(packet, injection: index, now: now)
    }
    guard !injection.pointee.isClosing else {
      if injection.pointee.granted == 0 { injections.remove(index) }
      return
    }
    while injection.pointee.granted < Self.grantLimit, let slot = ledger.claim() {
      guard injection.pointee.grants.push(slot) else {
        ledger.release(slot)
        break
      }
      injection.pointee.granted += 1
    }
  }

  private mutating func inject(_ packet: InjectedPacket, injection index: Int32, now: Now) {
    let injection = injections[index]
    let count = Int(packet.byteCount)
    // A slot that is given back unused.
    guard count > 0 else { return ledger.release(packet.slot) }
    guard injection.pointee.isOpen, Int(packet.line) < injection.pointee.streams.count, count <= arena.stride else {
      return discard(packet.slot, .injectionMalformed)
    }
    let bytes = arena.bytes(packet.slot, count: count)
    guard let header = try? RTPHeader(bytes), header.payloadOffset <= 255,
      count - header.payloadOffset <= EgressArena.payloadLimit
    else { return discard(packet.slot, .injectionMalformed) }
    let streamIndex = injection.pointee.streams[Int(packet.line)]
    // A publisher has taken this line over.
    guard streamIndex >= 0 else { return discard(packet.slot, .unboundSource) }
    let stream = streams[streamIndex]
    let sequence = stream.pointee.extender.extend(header.sequence)
    let payload = UnsafeRawBufferPointer(rebasing: bytes[header.payloadOffset...])
    stream.pointee.rate.add(payload.count, now: now.monotonic)
    stream.pointee.statistics.receive(
      sequence, timestamp: header.timestamp, arrival: now.monotonic, clockRate: Int64(stream.pointee.codec.clockRate))
    let record = record(
      packet.slot, header, sequence: sequence, payloadOffset: header.payloadOffset, payload: payload, bytes: bytes,
      lessonTime: packet.captureTime, stream: streamIndex)
    ingest(streamIndex, record, now: now)
  }
}
