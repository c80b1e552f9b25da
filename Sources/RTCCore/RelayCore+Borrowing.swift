import PacketRing
import RTCWire

/// The borrowing end of links: streams of *foreign* origin, whose packets come as leases and whose key frames are asked
/// of their home. NACKs never travel: what is missing at home is asked for there, and comes late as it does there.
extension RelayCore {
  /// Gives leases back, then takes what others lend, in the order it was put in.
  mutating func serviceNeighbours(now: Now) {
    hasLeasesWaiting = false
    guard neighbours.count > 0 else { return }
    for place in 0..<neighbours.end {
      serviceLent(place, now: now)
      serviceBorrowed(place, now: now)
    }
    giveBack()
  }

  private mutating func serviceBorrowed(_ place: Int32, now: Now) {
    let neighbour = neighbours[place]
    // Leases are counted first: whatever was told before them can then be read.
    let waiting = neighbour.pointee.lanes.borrowedLeases.count
    let count = min(waiting, Self.borrowLimit)
    hasLeasesWaiting = hasLeasesWaiting || waiting > count
    for _ in 0..<count {
      readNotices(place, now: now)
      guard let record = neighbour.pointee.lanes.borrowedLeases.pop() else { break }
      neighbour.pointee.taken &+= 1
      borrow(record, from: place, now: now)
    }
    readNotices(place, now: now)
    while !neighbour.pointee.owedWishes.isEmpty,
      neighbour.pointee.lanes.borrowedWishes.push(
        neighbour.pointee.owedWishes[0])
    {
      neighbour.pointee.owedWishes.removeFirst()
      owedWakes |= 1 << UInt64(place)
    }
  }

  /// Carries out the notices that stand before the next lease.
  private mutating func readNotices(_ place: Int32, now: Now) {
    let neighbour = neighbours[place]
    while true {
      if neighbour.pointee.notice == nil { neighbour.pointee.notice = neighbour.pointee.lanes.borrowedNotices.pop() }
      guard let notice = neighbour.pointee.notice, notice.position <= neighbour.pointee.taken else { return }
      neighbour.pointee.notice = nil
      carryOut(notice.content, from: place, now: now)
    }
  }

  private mutating func carryOut(_ content: LinkNotice.Content, from place: Int32, now: Now) {
    let neighbour = neighbours[place]
    switch content {
    case .opened(let link, let id):
      if let former = neighbour.pointee.lessons.firstIndex(where: { $0.lesson == id }) {
        endStreams(of: id, from: place, now: now)
        neighbour.pointee.lessons.remove(at: former)
      }
      neighbour.pointee.lessons.append(
        Neighbour.Borrowed(link: link, lesson: id, isTaken: lessonIndices[id] != nil))
    case .closed(let link):
      guard let at = neighbour.pointee.lessons.firstIndex(where: { $0.link == link }) else { return }
      endStreams(of: neighbour.pointee.lessons[at].lesson, from: place, now: now)
      neighbour.pointee.lessons.remove(at: at)
    case .started(let stream): start(stream, from: place, now: now)
    case .ended(let number):
      if let index = foreignStream(number, from: place) { removeStream(index, now: now) }
    case .codecChanged(let number, let codec):
      if let index = foreignStream(number, from: place) { changeCodec(of: index, to: codec, at: now.monotonic) }
    case .ignoresPictureRequests(let number, let isIgnoring):
      if let index = foreignStream(number, from: place) { streams[index].pointee.ignoresPictureRequests = isIgnoring }
    case .reset: endAllBorrowed(from: place, now: now)
    }
  }

  private func foreignStream(_ number: UInt16, from place: Int32) -> Int32? {
    let streams = neighbours[place].pointee.streams
    guard Int(number) < streams.count, streams[Int(number)] >= 0 else { return nil }
    return streams[Int(number)]
  }

  private mutating func start(_ told: LinkNotice.Stream, from place: Int32, now: Now) {
    let neighbour = neighbours[place]
    guard let borrowed = neighbour.pointee.lessons.first(where: { $0.link == told.link }), borrowed.isTaken,
      let lesson = lessonIndices[borrowed.lesson], Int(told.number) < neighbour.pointee.streams.count
    else { return }
    if let former = foreignStream(told.number, from: place) { removeStream(former, now: now) }
    guard !streams.isFull, let trackIndex = track(lesson: lesson, feed: told.feed, kind: told.kind, now: now) else {
      return tally.drop(.sourceLimit)
    }
    let track = tracks[trackIndex]
    replaceStream(track.pointee.layer(told.layer), now: now)
    let isNewSession = track.pointee.isEmpty
    let index = streams.insert(
      ReceiveStream(
        origin: .link(place, number: told.number), track: trackIndex, layer: told.layer, ssrc: 0, lineIndex: 0,
        codec: told.codec, isVideo: told.kind == .video, now: now.monotonic))
    streams[index].pointee.height = told.height
    streams[index].pointee.ignoresPictureRequests = told.ignoresPictureRequests
    track.pointee.setLayer(told.layer, index)
    neighbour.pointee.streams[Int(told.number)] = index
    if isNewSession { announce(trackIndex, codec: told.codec, at: now.monotonic, isForeign: true) }
    retarget(trackIndex, layer: told.layer, now: now)
  }

  /// Enters one lease, as if its packet had just been received and opened here.
  private mutating func borrow(_ lease: PacketRecord, from place: Int32, now: Now) {
    let neighbour = neighbours[place]
    ledger.admit(lease.slot)
    neighbour.pointee.borrowed &+= 1
    let number = Int(lease.stream)
    let index = number < neighbour.pointee.streams.count ? neighbour.pointee.streams[number] : -1
    // The link was closed while the lease was on its way.
    guard index >= 0 else { return ledger.release(lease.slot) }
    var record = lease
    record.stream = UInt16(index)
    let isAfterGap = record.flags.contains(.discontinuity)
    record.flags.remove(.discontinuity)
    let stream = streams[index]
    if record.flags.contains(.catchUp) {
      // As if it had been here all the time: receivers are sent it as a burst, and the rate is not that of the lane.
      record.flags.remove(.catchUp)
      stream.pointee.routedThrough = max(stream.pointee.routedThrough, record.extendedSequence)
    } else {
      stream.pointee.rate.add(Int(record.payloadByteCount), now: now.monotonic)
    }
    tally.packetsBorrowed &+= 1
    if record.flags.contains(.keyFrameStart) { stream.pointee.owesPicture = false }
    ingest(index, record, now: now)
    // Whoever was cut off waits for a picture that begins anew.
    guard isAfterGap, stream.pointee.isVideo, !record.flags.contains(.keyFrameStart) else { return }
    stream.pointee.owesPicture = true
    requestPicture(index, now: now)
  }

  /// Lets go of what has grown old though nothing comes, so that a lender short of slots gets them back, and asks again
  /// for a picture that is still missing.
  mutating func keepForeign(_ index: Int32, share: Int, now: Now) {
    let stream = streams[index]
    stream.pointee.trim(now: now.monotonic, configuration: configuration, share: share, ledger: &ledger)
    if stream.pointee.owesPicture { requestPicture(index, now: now) }
  }

  private mutating func endStreams(of id: LessonID, from place: Int32, now: Now) {
    guard let lesson = lessonIndices[id] else { return }
    for index in 0..<streams.end where streams.contains(index) {
      guard case .link(place, _) = streams[index].pointee.origin,
        tracks[streams[index].pointee.track].pointee.lesson == lesson
      else { continue }
      removeStream(index, now: now)
    }
  }

  mutating func endAllBorrowed(from place: Int32, now: Now) {
    for lesson in neighbours[place].pointee.lessons { endStreams(of: lesson.lesson, from: place, now: now) }
    neighbours[place].pointee.lessons.removeAll()
  }

  // MARK: What this worker does to a link

  /// A lesson has been opened: what is lent of it already is asked for again.
  mutating func takeBorrowed(_ id: LessonID) {
    for place in 0..<neighbours.end {
      let neighbour = neighbours[place]
      guard let borrowed = neighbour.pointee.lessons.first(where: { $0.lesson == id }) else { continue }
      wish(.repeated(link: borrowed.link), of: place)
    }
  }

  /// A lesson is being closed: nothing more is borrowed for it.
  mutating func endBorrowed(_ id: LessonID, now: Now) {
    for place in 0..<neighbours.end {
      let neighbour = neighbours[place]
      guard let at = neighbour.pointee.lessons.firstIndex(where: { $0.lesson == id }) else { continue }
      endStreams(of: id, from: place, now: now)
      wish(.ended(link: neighbour.pointee.lessons[at].link), of: place)
      neighbour.pointee.lessons.remove(at: at)
    }
  }

  /// Asks a stream's home for a key frame, at most five times a second: it asks the publisher once a second for all.
  mutating func wishPicture(_ index: Int32, number: UInt16, of place: Int32, now: Now) -> Bool {
    let stream = streams[index]
    if let last = stream.pointee.lastPictureRequest, now.monotonic - last < .milliseconds(200) { return false }
    guard neighbours[place].pointee.lanes.borrowedWishes.push(.picture(number)) else { return false }
    stream.pointee.lastPictureRequest = now.monotonic
    owedWakes |= 1 << UInt64(place)
    return true
  }

  private mutating func wish(_ wish: LinkWish, of place: Int32) {
    let neighbour = neighbours[place]
    // At most one for each opening and closing of a lesson, as long as the other worker stands still.
    guard neighbour.pointee.owedWishes.count < NeighbourLanePair.wishCapacity else { return }
    guard neighbour.pointee.owedWishes.isEmpty, neighbour.pointee.lanes.borrowedWishes.push(wish) else {
      return neighbour.pointee.owedWishes.append(wish)
    }
    owedWakes |= 1 << UInt64(place)
  }

  /// Gives leases back that nobody here needs any more.
  private mutating func giveBack() {
    var place: Int32 = 0
    while let slot = ledger.nextReturn() {
      // Most come from the same worker as the one before.
      while !neighbours[place].pointee.slots.contains(Int(slot.rawValue)) { place = (place + 1) % neighbours.end }
      let isPushed = neighbours[place].pointee.lanes.borrowedReturns.push(slot)
      precondition(isPushed, "every lease out fits the lane back")
      neighbours[place].pointee.borrowed &-= 1
    }
  }

  /// Ends all links, lent and borrowed: this worker has its last turn.
  public mutating func severLinks(now: Now) {
    for lesson in 0..<lessons.end where lessons.contains(lesson) { closeLinks(lesson: lesson) }
    for place in 0..<neighbours.end {
      endAllBorrowed(from: place, now: now)
      let neighbour = neighbours[place]
      // What still waits goes back unread.
      while let record = neighbour.pointee.lanes.borrowedLeases.pop() {
        neighbour.pointee.taken &+= 1
        neighbour.pointee.borrowed &+= 1
        ledger.admit(record.slot)
        ledger.release(record.slot)
      }
      wish(.stopped, of: place)
    }
    giveBack()
  }
}
