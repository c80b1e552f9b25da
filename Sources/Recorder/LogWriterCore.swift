public import PacketRing

/// What a volume's recorder knows and encodes, without a clock, a file or a thread: packets in, bytes out.
///
/// The caller fills a `LogBatch`, writes it at `position` of the current segment and tells by `settle` how much of it
/// is written; what was not is remembered as a gap and announced again. A feed is named by its
/// place, 0…255.
public struct LogWriterCore {
  /// Feeds recorded at once on one volume.
  public static let feedLimit = 256
  /// Publishing sessions remembered of one feed; of more, the oldest is forgotten with its declaration.
  static let trackLimit = 64

  struct Track {
    var number: UInt32
    var declaration: LoggedTrack?
    var isAnnounced = false
    var sequences = SequenceTracker()
    /// The next jump is the worker's doing.
    var expectsOverflow = false
  }

  struct Feed {
    var handle: UInt32
    var start: RunStart
    var summary: FeedSummary
    var tracks: [Track] = []
    /// The start record is on the disk, in whatever segment.
    var isStarted = false
    /// This segment knows the feed.
    var isAnnounced = false
    /// What could not be written since writing failed.
    var unrecorded: LoggedGap?
    /// Gaps waiting to be written.
    var gaps: [LoggedGap] = []
    /// Packets still to come that were in the lane when it was found full; −1 when it was not.
    var beforeOverflow = -1
    var isEnded = false
  }

  let instance: UInt64
  var feeds: [Feed?] = []
  private var nextHandle: UInt32 = 1
  private(set) var salt: UInt32 = 0
  private var header: SegmentHeader?
  /// Where the next batch goes in the current segment.
  public private(set) var position: Int64 = 0
  public private(set) var records: UInt64 = 0
  public private(set) var bytes: UInt64 = 0
  public private(set) var packets: UInt64 = 0
  public private(set) var gapRecords: UInt64 = 0
  public private(set) var unrecordedPackets: UInt64 = 0
  private var announced: [RunKey] = []
  /// Disk gaps whose records are written, to be told to the operator.
  private var writtenGaps: [(feed: RecordedFeed, gap: LoggedGap)] = []
  /// Packets of more payload than the format takes.
  public private(set) var oversized: UInt64 = 0

  /// - Parameter instance: a random number of this recorder.
  public init(instance: UInt64) { self.instance = instance }

  // MARK: Feeds and segments

  /// Begins a run over a feed; nil when `feedLimit` are being recorded.
  public mutating func open(_ feed: RecordedFeed, start: RunStart) -> Int? {
    let made = Feed(handle: nextHandle, start: start, summary: FeedSummary(feed: feed))
    let place: Int
    if let free = feeds.firstIndex(where: { $0 == nil }) {
      place = free
      feeds[free] = made
    } else {
      guard feeds.count < Self.feedLimit else { return nil }
      place = feeds.count
      feeds.append(made)
    }
    nextHandle &+= 1
    return place
  }

  /// Forgets a feed whose end is written or given up on.
  public mutating func close(_ feed: Int) -> FeedSummary? {
    defer { feeds[feed] = nil }
    return feeds[feed]?.summary
  }

  public mutating func declare(_ track: LoggedTrack, feed: Int) {
    let place = place(of: track.number, feed: feed)
    guard feeds[feed]!.tracks[place].declaration != track else { return }
    feeds[feed]!.tracks[place].declaration = track
    feeds[feed]!.tracks[place].isAnnounced = false
  }

  private mutating func place(of track: UInt32, feed: Int) -> Int {
    if let place = feeds[feed]!.tracks.lastIndex(where: { $0.number == track }) { return place }
    if feeds[feed]!.tracks.count == Self.trackLimit {
      let oldest = feeds[feed]!.tracks.removeFirst()
      for gap in oldest.takingGaps(now: .max) { feeds[feed]!.wait(gap) }
    }
    feeds[feed]!.tracks.append(Track(number: track))
    return feeds[feed]!.tracks.count - 1
  }

  /// Begins a segment: its header goes with the next batch, and every feed is announced again before its next record.
  /// - Parameter wall: UTC microseconds.
  public mutating func beginSegment(_ number: UInt32, salt: UInt32, wall: Int64) {
    self.salt = salt
    header = SegmentHeader(number: number, salt: salt, instance: instance, made: wall)
    position = 0
    for feed in feeds.indices where feeds[feed] != nil {
      feeds[feed]!.isAnnounced = false
      for track in feeds[feed]!.tracks.indices { feeds[feed]!.tracks[track].isAnnounced = false }
    }
  }

  // MARK: Packets

  /// The worker found the feed's lane full: what follows the `waiting` packets now in it was dropped at hand-off.
  public mutating func laneWasFull(feed: Int, waiting: Int) {
    if feeds[feed]!.beforeOverflow < 0 { feeds[feed]!.beforeOverflow = waiting }
  }

  /// Encodes a packet, after the announcements it needs.
  /// - Parameter slot: the slot's bytes from its start; borrowed until the batch is reset.
  public mutating func add(
    _ record: PacketRecord, slot: UnsafeRawBufferPointer, feed: Int, to batch: LogBatch, now: Int64
  ) {
    let place = note(record, feed: feed, now: now)
    let end = Int(record.payloadOffset) + Int(record.payloadByteCount)
    guard Int(record.payloadByteCount) <= LogFormat.payloadLimit, end <= slot.count else {
      oversized += 1
      return
    }
    startBatch(batch)
    announce(feed, to: batch)
    announce(track: place, feed: feed, to: batch)
    let payload = UnsafeRawBufferPointer(rebasing: slot[Int(record.payloadOffset)..<end])
    batch.append(
      .packet, .packet(feed: feed, time: record.lessonTime, payloadBytes: payload.count),
      count: LogFormat.packetHeaderBytes, salt: salt, handle: feeds[feed]!.handle, track: UInt32(record.stream),
      time: record.lessonTime, payload: payload
    ) { bytes in
      bytes.put(record.extendedSequence, at: 24)
      bytes.put(record.timestamp, at: 32)
      bytes.put(record.payloadType, at: 36)
      bytes.put(record.flags.rawValue, at: 37)
      bytes.put(record.audioLevel, at: 38)
    }
  }

  /// Takes a packet that will not be written, because writing fails for now.
  public mutating func lose(_ record: PacketRecord, feed: Int, reason: GapReason, now: Int64) {
    _ = note(record, feed: feed, now: now)
    unrecordedPackets += 1
    feeds[feed]!.lose(time: record.lessonTime, reason: reason)
  }

  private mutating func note(_ record: PacketRecord, feed: Int, now: Int64) -> Int {
    let place = place(of: UInt32(record.stream), feed: feed)
    if feeds[feed]!.beforeOverflow == 0 {
      for track in feeds[feed]!.tracks.indices { feeds[feed]!.tracks[track].expectsOverflow = true }
    }
    if feeds[feed]!.beforeOverflow >= 0 { feeds[feed]!.beforeOverflow -= 1 }
    let expects = feeds[feed]!.tracks[place].expectsOverflow
    feeds[feed]!.tracks[place].expectsOverflow = false
    feeds[feed]!.tracks[place].sequences.note(
      record.extendedSequence, time: record.lessonTime, reason: expects ? .overflow : .notReceived, now: now,
      track: UInt32(record.stream))
    return place
  }

  // MARK: Other records

  /// Encodes the starts of new feeds and the gaps that are final by now. Returns those that are the recorder's own
  /// doing, for the operator.
  @discardableResult
  public mutating func addGaps(to batch: LogBatch, now: Int64) -> [(feed: RecordedFeed, gap: LoggedGap)] {
    var told: [(feed: RecordedFeed, gap: LoggedGap)] = []
    for feed in feeds.indices where feeds[feed] != nil {
      if !feeds[feed]!.isStarted {
        startBatch(batch)
        announce(feed, to: batch)
      }
      told += addGaps(of: feed, to: batch, now: now, all: false)
    }
    return told
  }

  private mutating func addGaps(
    of feed: Int, to batch: LogBatch, now: Int64, all: Bool
  ) -> [(feed: RecordedFeed, gap: LoggedGap)] {
    var told: [(feed: RecordedFeed, gap: LoggedGap)] = []
    for track in feeds[feed]!.tracks.indices {
      let number = feeds[feed]!.tracks[track].number
      let gaps = feeds[feed]!.tracks[track].sequences.takeGaps(now: now, all: all, track: number)
      for gap in gaps {
        feeds[feed]!.wait(gap)
        if gap.reason == .overflow { told.append((feeds[feed]!.summary.feed, gap)) }
      }
    }
    if let gap = feeds[feed]!.unrecorded {
      feeds[feed]!.wait(gap)
      feeds[feed]!.unrecorded = nil
    }
    while batch.hasRoomForRecord, !feeds[feed]!.gaps.isEmpty {
      let gap = feeds[feed]!.gaps.removeFirst()
      startBatch(batch)
      announce(feed, to: batch)
      batch.append(
        .gap, .gap(feed: feed, gap), count: LogFormat.gapBytes, salt: salt, handle: feeds[feed]!.handle,
        track: gap.track, time: gap.from
      ) { bytes in
        bytes.put(gap.to, at: 24)
        bytes.put(gap.count, at: 32)
        bytes.put(gap.reason.rawValue, at: 40)
      }
    }
    return told
  }

  /// Encodes the last gaps and the end of a feed. Its lane is empty by now.
  public mutating func addEnd(feed: Int, to batch: LogBatch, now: Int64) {
    _ = addGaps(of: feed, to: batch, now: now, all: true)
    startBatch(batch)
    announce(feed, to: batch)
    for track in feeds[feed]!.tracks.indices where batch.hasRoomForRecord {
      announce(track: track, feed: feed, to: batch)
    }
    let summary = feeds[feed]!.summary
    batch.append(
      .end, .end(feed: feed), count: LogFormat.endBytes, salt: salt, handle: feeds[feed]!.handle, track: 0, time: now
    ) { bytes in
      bytes.put(summary.packets, at: 24)
      bytes.put(summary.payloadBytes, at: 32)
      bytes.put(summary.gaps, at: 40)
    }
  }

  // MARK: Questions of the shell

  /// Whether there is something to write besides packets.
  public var hasNews: Bool {
    feeds.contains { feed in
      guard let feed else { return false }
      return !feed.isStarted || feed.unrecorded != nil || !feed.gaps.isEmpty
    }
  }

  public func isEnded(_ feed: Int) -> Bool { feeds[feed]?.isEnded ?? false }

  /// The runs that got their first record in the current segment, each once.
  mutating func takeAnnounced() -> [RunKey] {
    defer { announced.removeAll(keepingCapacity: true) }
    return announced
  }

  private func startBatch(_ batch: LogBatch) {
    if let header, batch.isEmpty { batch.append(header) }
  }

  private mutating func announce(_ feed: Int, to batch: LogBatch) {
    guard !feeds[feed]!.isAnnounced else { return }
    feeds[feed]!.isAnnounced = true
    let known = feeds[feed]!
    let name = Array(known.summary.feed.name.utf8.prefix(RecordedFeed.nameByteLimit))
    batch.append(
      known.isStarted ? .continued : .start, .announcement(feed: feed),
      count: LogFormat.startHeaderBytes + name.count, salt: salt, handle: known.handle, track: 0,
      time: known.start.monotonic
    ) { bytes in
      bytes.put(known.start.wall, at: 24)
      bytes.put(known.summary.feed.lesson.high, at: 32)
      bytes.put(known.summary.feed.lesson.low, at: 40)
      bytes.put(known.start.boot.high, at: 48)
      bytes.put(known.start.boot.low, at: 56)
      bytes.put(known.summary.feed.number, at: 64)
      bytes.put(UInt8(name.count), at: 68)
      (bytes + LogFormat.startHeaderBytes).copyMemory(from: name, byteCount: name.count)
    }
  }

  private mutating func announce(track place: Int, feed: Int, to batch: LogBatch) {
    guard !feeds[feed]!.tracks[place].isAnnounced, let declaration = feeds[feed]!.tracks[place].declaration else {
      return
    }
    feeds[feed]!.tracks[place].isAnnounced = true
    batch.append(
      .track, .track(feed: feed, declaration.number), count: LogFormat.trackBytes, salt: salt,
      handle: feeds[feed]!.handle, track: declaration.number, time: 0
    ) { bytes in
      bytes.put(declaration.isVideo ? 1 : 0 as UInt8, at: 24)
      bytes.put(declaration.encoding.rawValue, at: 25)
      bytes.put(declaration.clockRate, at: 28)
    }
  }

  // MARK: What was written

  /// Takes account of a batch of which the first `written` bytes are in the segment.
  ///
  /// Records wholly among them count and move `position`; the rest is taken back: packets become a gap of that reason.
  /// Returns the bytes that count.
  @discardableResult
  public mutating func settle(_ batch: LogBatch, written: Int, failure: GapReason) -> Int {
    var kept = 0
    for entry in batch.entries {
      if entry.end <= written {
        kept = entry.end
        records += 1
        keep(entry.content)
      } else {
        takeBack(entry.content, reason: failure)
      }
    }
    position += Int64(kept)
    bytes += UInt64(kept)
    return kept
  }

  /// The gaps by a failing disk that are in the log by now, each once.
  public mutating func takeWrittenGaps() -> [(feed: RecordedFeed, gap: LoggedGap)] {
    defer { writtenGaps = [] }
    return writtenGaps
  }

  private mutating func keep(_ content: LogBatch.Content) {
    switch content {
    case .header: header = nil
    case .announcement(let feed):
      guard feeds[feed] != nil else { return }
      feeds[feed]!.isStarted = true
      announced.append(RunKey(feed: feeds[feed]!.summary.feed, start: feeds[feed]!.start))
    case .track: break
    case .packet(let feed, let time, let payloadBytes):
      packets += 1
      feeds[feed]?.keep(time: time, payloadBytes: payloadBytes)
    case .gap(let feed, let gap):
      gapRecords += 1
      feeds[feed]?.summary.gaps += 1
      if gap.reason == .diskFull || gap.reason == .diskError, let name = feeds[feed]?.summary.feed {
        writtenGaps.append((name, gap))
      }
    case .end(let feed): feeds[feed]?.isEnded = true
    }
  }

  private mutating func takeBack(_ content: LogBatch.Content, reason: GapReason) {
    switch content {
    case .header, .end: break
    case .announcement(let feed): feeds[feed]?.isAnnounced = false
    case .track(let feed, let number):
      if let place = feeds[feed]?.tracks.lastIndex(where: { $0.number == number }) {
        feeds[feed]!.tracks[place].isAnnounced = false
      }
    case .packet(let feed, let time, _):
      unrecordedPackets += 1
      feeds[feed]?.lose(time: time, reason: reason)
    case .gap(let feed, let gap): feeds[feed]?.wait(gap)
    }
  }
}

extension LogWriterCore.Track {
  func takingGaps(now: Int64) -> [LoggedGap] {
    var copy = sequences
    return copy.takeGaps(now: now, all: true, track: number)
  }
}

extension LogWriterCore.Feed {
  mutating func keep(time: Int64, payloadBytes: Int) {
    summary.packets += 1
    summary.payloadBytes += UInt64(payloadBytes)
    summary.firstTime = min(time, summary.firstTime ?? .max)
    summary.lastTime = max(time, summary.lastTime ?? .min)
  }

  /// Keeps a gap until it is written; those of one track and reason become one, so that a failing disk costs no
  /// memory.
  mutating func wait(_ gap: LoggedGap) {
    guard let place = gaps.firstIndex(where: { $0.track == gap.track && $0.reason == gap.reason }) else {
      gaps.append(gap)
      return
    }
    gaps[place].count += gap.count
    gaps[place].from = min(gaps[place].from, gap.from)
    gaps[place].to = max(gaps[place].to, gap.to)
  }

  mutating func lose(time: Int64, reason: GapReason) {
    summary.unrecordedPackets += 1
    if unrecorded != nil {
      unrecorded!.count += 1
      unrecorded!.from = min(unrecorded!.from, time)
      unrecorded!.to = max(unrecorded!.to, time)
    } else {
      unrecorded = LoggedGap(track: 0, reason: reason, count: 1, from: time, to: time)
    }
  }
}
