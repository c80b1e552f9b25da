import PacketRing
import RTCWire

/// The lending end of links: a lesson that is too large for one worker lends its packets to others, which have further
/// receivers of it. Plaintext slots go as leases through lanes; nothing is copied and nothing is locked.
extension RelayCore {
  /// Workers of one process at most: a stream marks those it is lent to by a bit each.
  public static let workerLimit = 64
  /// Leases taken from one worker in a turn, as many as datagrams from the socket.
  static let borrowLimit = 512
  /// Lending stops below so many free slots: all that the lent streams have in their histories, as if the others never
  /// gave anything back, and an eighth besides for what grows. So 7/16 of the slots may lie in the histories of lent
  /// streams, whatever the number of links: of 131,072, 26 streams of 2 Mbit/s that keep 10 s, or 88 that keep 3 s.
  mutating func updateLendingFloor() {
    var needed = ledger.slotCount / 8
    for index in 0..<streams.end where streams.contains(index) && streams[index].pointee.lentTo != 0 {
      needed += streams[index].pointee.history.count
    }
    lendingFloor = needed
  }

  /// Connects another worker of the process. Before the first turn.
  /// - Parameter slots: the part of the arena it owns.
  public mutating func attachNeighbour(_ worker: Int, slots: Range<Int>, lanes: consuming NeighbourLanes) {
    precondition(neighbours.count < Self.workerLimit - 1, "a process has 64 workers at most")
    ledger.expectForeign()
    updateLendingFloor()
    _ = neighbours.insert(
      Neighbour(worker: worker, slots: slots, lanes: lanes, streamLimit: configuration.streamLimit))
  }

  func neighbour(of worker: Int) -> Int32? {
    for place in 0..<neighbours.end where neighbours[place].pointee.worker == worker { return place }
    return nil
  }

  /// The places of workers that have something to read, as bits, to be woken once; then forgotten.
  public mutating func takeWakes() -> UInt64 {
    defer { owedWakes = 0 }
    return owedWakes
  }

  /// The number of the worker at a place of `takeWakes`.
  public func worker(at place: Int) -> Int { neighbours[Int32(place)].pointee.worker }

  // MARK: Opening and closing

  mutating func openLink(_ id: LessonID, to worker: Int, now: Now) {
    guard let lesson = lessonIndices[id], let place = neighbour(of: worker), !neighbours[place].pointee.isGone else {
      return
    }
    // A link that is open begins anew: the other end may have closed and opened the lesson meanwhile.
    let former = lessons[lesson].pointee.links.first { $0.neighbour == place }
    lessons[lesson].pointee.links.removeAll { $0.neighbour == place }
    forgetLent(lesson: lesson, to: place)
    lessons[lesson].pointee.links.append(
      Lesson.Link(neighbour: place, number: nextLink, feeds: former?.feeds ?? []))
    nextLink &+= 1
    tellAll(lesson: lesson, to: place, now: now)
  }

  mutating func closeLink(_ id: LessonID, to worker: Int) {
    guard let lesson = lessonIndices[id], let place = neighbour(of: worker) else { return }
    dropLink(lesson: lesson, to: place)
  }

  mutating func closeLinks(lesson: Int32) {
    while let link = lessons[lesson].pointee.links.last { dropLink(lesson: lesson, to: link.neighbour) }
  }

  private mutating func dropLink(lesson: Int32, to place: Int32) {
    guard let at = lessons[lesson].pointee.links.firstIndex(where: { $0.neighbour == place }) else { return }
    let link = lessons[lesson].pointee.links.remove(at: at)
    forgetLent(lesson: lesson, to: place)
    notify(place, .closed(link: link.number))
  }

  /// Tells a worker of a lesson and all its streams, and lends their groups of pictures.
  private mutating func tellAll(lesson: Int32, to place: Int32, now: Now) {
    guard !neighbours[place].pointee.owesReset,
      let link = lessons[lesson].pointee.links.first(where: { $0.neighbour == place })
    else { return }
    notify(place, .opened(link: link.number, lessons[lesson].pointee.id))
    for feed in lessons[lesson].pointee.feeds {
      for track in [feed.audio, feed.video] where track >= 0 {
        for layer in Int8(0)..<3 {
          let stream = tracks[track].pointee.layer(layer)
          guard stream >= 0 else { continue }
          tell(stream, link: link)
          lendGroup(of: stream, to: place, now: now)
        }
      }
    }
  }

  private mutating func forgetLent(lesson: Int32, to place: Int32) {
    for feed in lessons[lesson].pointee.feeds {
      for track in [feed.audio, feed.video] where track >= 0 {
        for layer in Int8(0)..<3 where tracks[track].pointee.layer(layer) >= 0 {
          streams[tracks[track].pointee.layer(layer)].pointee.lentTo &= ~(1 << UInt64(place))
        }
      }
    }
  }

  // MARK: What sites send back

  mutating func lendFeed(_ id: LessonID, _ feed: FeedID, to worker: Int, now: Now) {
    guard let lesson = lessonIndices[id], let place = neighbour(of: worker),
      let at = lessons[lesson].pointee.links.firstIndex(where: { $0.neighbour == place }),
      !lessons[lesson].pointee.links[at].feeds.contains(feed),
      lessons[lesson].pointee.links[at].feeds.count < configuration.feedLimit
    else { return }
    lessons[lesson].pointee.links[at].feeds.append(feed)
    updateLending(of: [feed], lesson: lesson, now: now)
  }

  /// Begins and ends lending feeds of which it has changed whether somebody at another worker can be shown them.
  mutating func updateLending(of feeds: Set<FeedID>, lesson: Int32, now: Now) {
    for place in lessons[lesson].pointee.links.indices {
      let link = lessons[lesson].pointee.links[place]
      for feed in lessons[lesson].pointee.feeds where feeds.contains(feed.id) {
        let isWanted = lessons[lesson].pointee.lends(feed.id, by: link)
        for track in [feed.audio, feed.video] where track >= 0 {
          for layer in Int8(0)..<3 {
            let stream = tracks[track].pointee.layer(layer)
            guard stream >= 0, (streams[stream].pointee.lentTo & 1 << UInt64(link.neighbour) != 0) != isWanted else {
              continue
            }
            if isWanted {
              tell(stream, link: link)
              lendGroup(of: stream, to: link.neighbour, now: now)
            } else {
              streams[stream].pointee.lentTo &= ~(1 << UInt64(link.neighbour))
              notify(link.neighbour, .ended(UInt16(stream)))
            }
          }
        }
      }
    }
  }

  // MARK: Notices

  /// Tells the workers that a lesson is lent to of a stream that has just begun.
  mutating func tellStarted(_ index: Int32) {
    let lesson = lessons[tracks[streams[index].pointee.track].pointee.lesson]
    for place in lesson.pointee.links.indices { tell(index, link: lesson.pointee.links[place]) }
  }

  private mutating func tell(_ index: Int32, link: Lesson.Link) {
    let stream = streams[index]
    // What is borrowed is not lent on: all publishers of a lesson are at its home.
    if case .link = stream.pointee.origin { return }
    guard !neighbours[link.neighbour].pointee.owesReset else { return }
    let track = tracks[stream.pointee.track]
    guard lessons[track.pointee.lesson].pointee.lends(track.pointee.feed, by: link) else { return }
    stream.pointee.hasToldIgnoring = stream.pointee.ignoresRequests
    stream.pointee.lendingGaps &= ~(1 << UInt64(link.neighbour))
    notify(
      link.neighbour,
      .started(
        LinkNotice.Stream(
          number: UInt16(index), link: link.number, feed: track.pointee.feed, kind: track.pointee.kind,
          layer: stream.pointee.layer, codec: stream.pointee.codec, height: stream.pointee.height,
          ignoresPictureRequests: stream.pointee.ignoresRequests)))
    guard !neighbours[link.neighbour].pointee.owesReset else { return }
    stream.pointee.lentTo |= 1 << UInt64(link.neighbour)
  }

  /// Tells whoever a stream is lent to.
  mutating func notifyBorrowers(of index: Int32, _ content: LinkNotice.Content) {
    var places = streams[index].pointee.lentTo
    while places != 0 {
      notify(Int32(places.trailingZeroBitCount), content)
      places &= places - 1
    }
  }

  /// What the housekeeping has found out about a publisher.
  mutating func tellIgnoring(_ index: Int32) {
    let stream = streams[index]
    guard stream.pointee.hasToldIgnoring != stream.pointee.ignoresRequests else { return }
    stream.pointee.hasToldIgnoring = stream.pointee.ignoresRequests
    notifyBorrowers(of: index, .ignoresPictureRequests(UInt16(index), stream.pointee.ignoresRequests))
  }

  /// Notices are never lost: when their lane is full, as when the other worker stands still, everything lent to it is
  /// forgotten, and told again when it reads.
  private mutating func notify(_ place: Int32, _ content: LinkNotice.Content) {
    let neighbour = neighbours[place]
    guard !neighbour.pointee.owesReset, !neighbour.pointee.isGone else { return }
    if neighbour.pointee.lanes.notices.push(LinkNotice(position: neighbour.pointee.lent, content: content)) {
      owedWakes |= 1 << UInt64(place)
      return
    }
    neighbour.pointee.owesReset = true
    tally.linkResets &+= 1
    for index in 0..<streams.end where streams.contains(index) {
      streams[index].pointee.lentTo &= ~(1 << UInt64(place))
    }
  }

  private mutating func resetIfOwed(_ place: Int32, now: Now) {
    let neighbour = neighbours[place]
    guard neighbour.pointee.owesReset, !neighbour.pointee.isGone,
      neighbour.pointee.lanes.notices.count < neighbour.pointee.lanes.notices.capacity / 4
    else { return }
    neighbour.pointee.owesReset = false
    notify(place, .reset)
    for lesson in 0..<lessons.end where lessons.contains(lesson) { tellAll(lesson: lesson, to: place, now: now) }
  }

  // MARK: Lending

  /// Lends a packet that has just entered its stream's history to every worker that has receivers of it.
  ///
  /// O(1) when there is none. A full lane, or slots running short at home, is a counted drop.
  @inline(__always)
  mutating func lend(_ record: PacketRecord, stream index: Int32) {
    var places = streams[index].pointee.lentTo
    while places != 0 {
      lend(record, stream: index, to: Int32(places.trailingZeroBitCount))
      places &= places - 1
    }
  }

  private mutating func lend(
    _ record: PacketRecord, stream index: Int32, to place: Int32, flags: PacketFlags = []
  ) {
    let neighbour = neighbours[place]
    let bit: UInt64 = 1 << UInt64(place)
    let free = ledger.freeCount
    // It goes on when there is a sixteenth more, so that a gap is not made of every other packet.
    if free < (isShortOfSlots ? lendingFloor + ledger.slotCount / 16 : lendingFloor) {
      isShortOfSlots = true
      streams[index].pointee.lendingGaps |= bit
      return tally.drop(.linkShortOfSlots)
    }
    isShortOfSlots = false
    guard neighbour.pointee.outstanding < ledger.slotCount else {
      streams[index].pointee.lendingGaps |= bit
      return tally.drop(.linkFull)
    }
    var entry = record
    entry.stream = UInt16(index)
    entry.flags.formUnion(flags)
    if streams[index].pointee.lendingGaps & bit != 0 { entry.flags.insert(.discontinuity) }
    ledger.retain(record.slot)
    guard neighbour.pointee.lanes.leases.push(entry) else {
      ledger.release(record.slot)
      streams[index].pointee.lendingGaps |= bit
      return tally.drop(.linkFull)
    }
    streams[index].pointee.lendingGaps &= ~bit
    neighbour.pointee.lent &+= 1
    neighbour.pointee.outstanding &+= 1
    tally.packetsLent &+= 1
    owedWakes |= bit
  }

  /// Lends what a late joiner over there would start at. An old group of a publisher that answers is not worth its
  /// leases: nobody would be shown it.
  private mutating func lendGroup(of index: Int32, to place: Int32, now: Now) {
    let stream = streams[index]
    guard stream.pointee.isVideo, stream.pointee.lentTo & (1 << UInt64(place)) != 0 else { return }
    let neighbour = neighbours[place]
    let room = neighbour.pointee.lanes.leases.capacity - neighbour.pointee.lanes.leases.count
    let count = stream.pointee.hasGroup ? stream.pointee.history.highest - stream.pointee.groupStart + 1 : 0
    guard canBurst(index, now: now), count <= Int64(room / 2) else {
      requestPicture(index, now: now)
      return
    }
    var sequence = stream.pointee.groupStart
    while sequence <= stream.pointee.history.highest {
      if let record = stream.pointee.history.find(sequence) { lend(record, stream: index, to: place, flags: .catchUp) }
      sequence += 1
    }
  }

  // MARK: What comes back

  /// Takes leases that came back, and wishes.
  mutating func serviceLent(_ place: Int32, now: Now) {
    let neighbour = neighbours[place]
    while let slot = neighbour.pointee.lanes.returns.pop() {
      ledger.release(slot)
      neighbour.pointee.outstanding &-= 1
    }
    while let wish = neighbour.pointee.lanes.wishes.pop() { grant(wish, to: place, now: now) }
    resetIfOwed(place, now: now)
  }

  private mutating func grant(_ wish: LinkWish, to place: Int32, now: Now) {
    switch wish {
    case .picture(let number):
      let index = Int32(number)
      guard streams.contains(index), streams[index].pointee.lentTo & (1 << UInt64(place)) != 0 else { return }
      requestPicture(index, now: now)
    case .repeated(let link):
      guard let lesson = lessonLent(by: link, to: place) else { return }
      openLink(lessons[lesson].pointee.id, to: neighbours[place].pointee.worker, now: now)
    case .ended(let link):
      guard let lesson = lessonLent(by: link, to: place) else { return }
      lessons[lesson].pointee.links.removeAll { $0.neighbour == place }
      forgetLent(lesson: lesson, to: place)
    case .stopped:
      neighbours[place].pointee.isGone = true
      for lesson in 0..<lessons.end where lessons.contains(lesson) {
        lessons[lesson].pointee.links.removeAll { $0.neighbour == place }
        forgetLent(lesson: lesson, to: place)
      }
      endAllBorrowed(from: place, now: now)
    }
  }

  private func lessonLent(by link: UInt32, to place: Int32) -> Int32? {
    for lesson in 0..<lessons.end where lessons.contains(lesson) {
      if lessons[lesson].pointee.links.contains(where: { $0.neighbour == place && $0.number == link }) {
        return lesson
      }
    }
    return nil
  }
}
