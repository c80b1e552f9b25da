import PacketRing
import RTCWire

extension RelayCore {
  /// The stream a packet belongs to: by SSRC once it is known; the first packets by MID and RID, `a=ssrc`, or a payload
  /// type only one line has, in that order.
  mutating func binding(
    of header: RTPHeader, in bytes: UnsafeRawBufferPointer, peer index: Int32, now: Now
  ) -> Peer.Binding? {
    let peer = peers[index]
    for binding in peer.pointee.bindings where binding.ssrc == header.ssrc {
      guard !binding.isRetransmission else { return binding }
      return adopt(payloadType: header.payloadType, binding: binding, peer: index, now: now) ? binding : nil
    }
    guard peer.pointee.bindings.count < Peer.bindingLimit, peer.pointee.feed != nil else { return nil }
    guard let lineIndex = line(of: header, in: bytes, peer: index) else { return nil }
    let line = peer.pointee.description.lines[lineIndex]
    if line.codecs.contains(where: { $0.retransmissionPayloadType == header.payloadType }) {
      return bindRetransmission(header, in: bytes, peer: index, lineIndex: lineIndex)
    }
    guard let codec = line.codecs.first(where: { $0.payloadType == header.payloadType }) else { return nil }
    let rid = text(of: line.extensions.rid, header, in: bytes)
    var layer: Int8 = 0
    if !line.rids.isEmpty {
      guard let rid, let place = line.rids.firstIndex(of: rid), place < 3 else { return nil }
      layer = Int8(place)
    }
    return bindMedia(header, codec: codec, layer: layer, peer: index, lineIndex: lineIndex, now: now)
  }

  /// A publisher may change among the codecs it negotiated at any packet.
  private mutating func adopt(payloadType: UInt8, binding: Peer.Binding, peer index: Int32, now: Now) -> Bool {
    let stream = streams[binding.stream]
    if stream.pointee.codec.payloadType == payloadType { return true }
    // What was gathered is of the former codec.
    settleRouting(now: now)
    routeGathered(binding.stream, now: now)
    let line = peers[index].pointee.description.lines[stream.pointee.lineIndex]
    guard let codec = line.codecs.first(where: { $0.payloadType == payloadType }),
      codec.clockRate == stream.pointee.codec.clockRate
    else { return false }
    changeCodec(of: binding.stream, to: codec, at: stream.pointee.lastArrival)
    return true
  }

  /// Panes must look for a payload type again; they switch at the next key frame.
  mutating func changeCodec(of index: Int32, to codec: Codec, at moment: Instant) {
    let stream = streams[index]
    stream.pointee.codec = codec
    stream.pointee.groupStart = .min
    let track = tracks[stream.pointee.track]
    for place in track.pointee.subscriptions.indices
    where track.pointee.subscriptions[place].current == stream.pointee.layer {
      track.pointee.subscriptions[place].current = -1
    }
    announce(stream.pointee.track, codec: codec, at: moment, isForeign: stream.pointee.isForeign)
    notifyBorrowers(of: index, .codecChanged(UInt16(index), codec))
  }

  private func line(of header: RTPHeader, in bytes: UnsafeRawBufferPointer, peer index: Int32) -> Int? {
    let lines = peers[index].pointee.description.lines
    for (place, line) in lines.enumerated() where line.direction == .receive && line.extensions.mid != 0 {
      if let mid = text(of: line.extensions.mid, header, in: bytes) {
        return lines.firstIndex { $0.mid == mid && $0.direction == .receive }
      }
      _ = place
      break
    }
    if let announced = lines.firstIndex(where: { line in
      line.direction == .receive
        && line.sources.contains { $0.ssrc == header.ssrc || $0.retransmission == header.ssrc }
    }) {
      return announced
    }
    var found: Int?
    for (place, line) in lines.enumerated() where line.direction == .receive {
      let has = line.codecs.contains {
        $0.payloadType == header.payloadType || $0.retransmissionPayloadType == header.payloadType
      }
      guard has else { continue }
      if found != nil { return nil }
      found = place
    }
    return found
  }

  private func text(of id: UInt8, _ header: RTPHeader, in bytes: UnsafeRawBufferPointer) -> String? {
    guard id != 0, let range = findExtension(id: id, in: bytes, header: header), !range.isEmpty, range.count <= 16
    else { return nil }
    return String(validating: bytes[range], as: UTF8.self)
  }

  private mutating func bindRetransmission(
    _ header: RTPHeader, in bytes: UnsafeRawBufferPointer, peer index: Int32, lineIndex: Int
  ) -> Peer.Binding? {
    let peer = peers[index]
    let line = peer.pointee.description.lines[lineIndex]
    var target: Int32?
    if let rid = text(of: line.extensions.repairedRID, header, in: bytes), let layer = line.rids.firstIndex(of: rid) {
      target =
        peer.pointee.bindings.first {
          !$0.isRetransmission && streams[$0.stream].pointee.lineIndex == lineIndex
            && Int(streams[$0.stream].pointee.layer) == layer
        }?.stream
    } else if let source = line.sources.first(where: { $0.retransmission == header.ssrc }) {
      target = peer.pointee.bindings.first { !$0.isRetransmission && $0.ssrc == source.ssrc }?.stream
    } else {
      // One stream on this line without a retransmission SSRC of its own: this is it (RFC 4588 §5.3).
      let candidates = peer.pointee.bindings.filter {
        !$0.isRetransmission && streams[$0.stream].pointee.lineIndex == lineIndex
      }
      if candidates.count == 1 { target = candidates[0].stream }
    }
    guard let target else { return nil }
    let binding = Peer.Binding(ssrc: header.ssrc, stream: target, isRetransmission: true)
    peer.pointee.bindings.append(binding)
    return binding
  }

  private mutating func bindMedia(
    _ header: RTPHeader, codec: Codec, layer: Int8, peer index: Int32, lineIndex: Int, now: Now
  ) -> Peer.Binding? {
    let peer = peers[index]
    guard !streams.isFull, let feed = peer.pointee.feed else {
      tally.drop(.sourceLimit)
      return nil
    }
    takeOver(feed, by: index, now: now)
    let kind = peer.pointee.description.lines[lineIndex].kind
    guard let trackIndex = track(lesson: peer.pointee.lesson, feed: feed, kind: kind, now: now) else { return nil }
    let track = tracks[trackIndex]
    // A new SSRC on the same layer: the publisher restarted its encoder. The old stream ends.
    replaceStream(track.pointee.layer(layer), now: now)
    let isNewSession = track.pointee.isEmpty
    let stream = streams.insert(
      ReceiveStream(
        origin: .peer(index), track: trackIndex, layer: layer, ssrc: header.ssrc, lineIndex: lineIndex, codec: codec,
        isVideo: kind == .video, now: now.monotonic))
    track.pointee.setLayer(layer, stream)
    let binding = Peer.Binding(ssrc: header.ssrc, stream: stream, isRetransmission: false)
    peer.pointee.bindings.append(binding)
    if isNewSession { announce(trackIndex, codec: codec, at: now.monotonic) }
    tellStarted(stream)
    retarget(trackIndex, layer: layer, now: now)
    return binding
  }

  /// Points subscribers without a picture, and those exempt from adaptation, at a layer that has just come.
  mutating func retarget(_ trackIndex: Int32, layer: Int8, now: Now) {
    let track = tracks[trackIndex]
    for place in track.pointee.subscriptions.indices {
      let subscription = track.pointee.subscriptions[place]
      if subscription.current < 0 || (subscription.isSink && layer > subscription.target) {
        track.pointee.subscriptions[place].target = layer
      }
    }
  }

  /// - Parameter isForeign: it is announced at its home alone.
  mutating func announce(_ trackIndex: Int32, codec: Codec, at moment: Instant, isForeign: Bool = false) {
    let track = tracks[trackIndex]
    track.pointee.session = nextTrackSession
    nextTrackSession &+= 1
    track.pointee.codec = codec
    guard !isForeign else { return }
    emit(
      .trackStarted(
        lessons[track.pointee.lesson].pointee.id, track.pointee.feed, track: track.pointee.session,
        track.pointee.kind, codec, moment))
  }

  /// Ends a stream whose layer another one takes, and whatever still pointed to it.
  mutating func replaceStream(_ former: Int32, now: Now) {
    guard streams.contains(former) else { return }
    let owner = streams[former].pointee.peer
    if owner >= 0 {
      peers[owner].pointee.bindings.removeAll { $0.stream == former }
    } else {
      for index in 0..<injections.end where injections.contains(index) {
        let injection = injections[index]
        for line in injection.pointee.streams.indices where injection.pointee.streams[line] == former {
          injection.pointee.streams[line] = -1
        }
      }
    }
    removeStream(former, now: now)
  }

  /// A new session of a feed whose first media has come: the old one ends, its seat and tracks stay.
  private mutating func takeOver(_ feed: FeedID, by index: Int32, now: Now) {
    let lesson = peers[index].pointee.lesson
    guard let place = feedPlace(lesson: lesson, feed: feed) else { return }
    let former = lessons[lesson].pointee.feeds[place].publisher
    guard former != index else { return }
    lessons[lesson].pointee.feeds[place].publisher = index
    if former >= 0, peers.contains(former) { endPeer(former, .replaced, now: now) }
    lessons[lesson].pointee.feeds[place].publisher = index
  }

  /// The track of a feed, made when it is first needed.
  mutating func track(lesson: Int32, feed: FeedID, kind: MediaKind, now: Now) -> Int32? {
    guard let place = feedPlace(lesson: lesson, feed: feed) else { return nil }
    let present =
      kind == .audio ? lessons[lesson].pointee.feeds[place].audio : lessons[lesson].pointee.feeds[place].video
    if present >= 0 { return present }
    guard !tracks.isFull else {
      tally.drop(.sourceLimit)
      return nil
    }
    let track = tracks.insert(Track(lesson: lesson, feed: feed, kind: kind))
    if kind == .audio {
      lessons[lesson].pointee.feeds[place].audio = track
    } else {
      lessons[lesson].pointee.feeds[place].video = track
    }
    for sink in 0..<sinks.end
    where sinks.contains(sink) && sinks[sink].pointee.lesson == lesson && sinks[sink].pointee.feed == feed {
      subscribeSink(sink, to: track)
    }
    resolvePanes(lesson: lesson, now: now)
    return track
  }

  /// The place of a feed in its lesson, made when it is first named.
  mutating func feedPlace(lesson: Int32, feed: FeedID) -> Int? {
    if let place = lessons[lesson].pointee.feedIndex(feed) { return place }
    guard lessons[lesson].pointee.feeds.count < configuration.feedLimit else { return nil }
    lessons[lesson].pointee.feeds.append(Feed(id: feed))
    return lessons[lesson].pointee.feeds.count - 1
  }
}
