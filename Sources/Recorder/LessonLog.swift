/// A feed found in a volume's segments.
public struct FoundFeed: Sendable {
  public enum State: Sendable {
    /// Its last run was finished in order.
    case complete
    /// It is still being recorded, or its recorder ended without finishing it.
    case interrupted
  }

  public struct Run: Sendable {
    public var start: RunStart
    public var isEnded = false
    /// Declared tracks; packets of others may be there too.
    public var tracks: [LoggedTrack] = []
    /// Lesson time in microseconds of the earliest and latest packet; nil without any.
    public var firstTime: Int64?
    public var lastTime: Int64?
  }

  public var feed: RecordedFeed
  /// In the order they were recorded.
  public var runs: [Run] = []
  public var packets: UInt64 = 0
  public var payloadBytes: UInt64 = 0
  public var gaps: UInt64 = 0
  /// Segments that hold records of it, ascending.
  public var segments: [UInt32] = []
  /// Damaged bytes in those segments, of whichever feed.
  public var damagedBytes: Int64 = 0

  public var state: State { runs.last?.isEnded == true ? .complete : .interrupted }

  init(feed: RecordedFeed) { self.feed = feed }
}

/// Reads lesson logs back out of a volume's folder.
///
/// Everything is read with bounded memory and checked record by record; whatever a file holds, reading it only ever
/// yields whole records. Reading a folder that is being written to is safe and shows what is there so far.
public struct LessonLog: Sendable {
  /// Most runs of a feed that are told apart; packets of further ones are left out.
  static let runLimit = 4_096

  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// Lists the feeds with runs that are not released, by reading all segments once: about a second per gigabyte.
  ///
  /// Throws `cannotRead` when the folder does not open; a damaged segment is passed over.
  public static func scan(folder: String) throws(RecorderError) -> [FoundFeed] {
    var scan = SegmentScan(released: ReleaseList.read(folder: folder))
    for segment in try VolumeDisk.segments(in: folder) {
      guard var reader = SegmentReader(path: folder + "/" + LogFormat.fileName(segment)) else { continue }
      scan.read(&reader, segment: segment)
    }
    return scan.feeds
  }

  /// Shows every record of a feed, in the order they were written, as `scan` found it. Cost: one pass over its
  /// segments.
  ///
  /// - Parameter visit: a packet's payload is valid during the call only.
  public func replay<Failure: Error>(
    _ found: FoundFeed, visit: (LogRecord) throws(Failure) -> Void
  ) throws(Failure) {
    var runs: [RunStart: Int] = [:]
    for (index, run) in found.runs.enumerated() { runs[run.start] = index }
    var handles = Handles()
    for segment in found.segments {
      guard var reader = SegmentReader(path: folder + "/" + LogFormat.fileName(segment)) else { continue }
      while let record = reader.next() {
        guard let key = handles.key(of: record, instance: reader.header.instance), key.feed == found.feed,
          let run = runs[key.start]
        else { continue }
        switch record.kind {
        case .start: try visit(.start(run: run, key.start))
        case .continued: break
        case .track: try visit(.track(run: run, record.loggedTrack))
        case .packet: try visit(.packet(record.packet(run: run)))
        case .gap: try visit(.gap(run: run, record.loggedGap))
        case .end: try visit(.end(run: run))
        }
      }
    }
  }

  /// The runs that have records in a segment.
  static func runs(inSegment segment: UInt32, folder: String) -> Set<RunKey> {
    guard var reader = SegmentReader(path: folder + "/" + LogFormat.fileName(segment)) else { return [] }
    var keys: Set<RunKey> = []
    while let record = reader.next() {
      if record.kind == .start || record.kind == .continued, let key = record.runKey { keys.insert(key) }
    }
    return keys
  }
}

/// What `LessonLog.scan` gathers, segment by segment.
struct SegmentScan {
  private let released: Set<RunKey>
  private var found: [RecordedFeed: FoundFeed] = [:]
  private var order: [RecordedFeed] = []
  private var handles = Handles()

  init(released: Set<RunKey>) { self.released = released }

  var feeds: [FoundFeed] { order.compactMap { found[$0] } }

  mutating func read(_ reader: inout SegmentReader, segment: UInt32) {
    var touched: Set<RecordedFeed> = []
    while let record = reader.next() {
      guard let key = handles.key(of: record, instance: reader.header.instance), !released.contains(key) else {
        continue
      }
      if found[key.feed] == nil {
        found[key.feed] = FoundFeed(feed: key.feed)
        order.append(key.feed)
      }
      touched.insert(key.feed)
      found[key.feed]!.take(record, start: key.start)
    }
    for feed in touched {
      found[feed]!.segments.append(segment)
      found[feed]!.damagedBytes += reader.damagedBytes
    }
  }
}

/// Which run a record's feed handle means. Handles go on from segment to segment of one recorder.
private struct Handles {
  private struct Key: Hashable {
    var instance: UInt64
    var handle: UInt32
  }

  private var keys: [Key: RunKey] = [:]
  private var last: (key: Key, run: RunKey)?

  mutating func key(of record: SegmentReader.Record, instance: UInt64) -> RunKey? {
    let key = Key(instance: instance, handle: record.feed)
    if record.kind == .start || record.kind == .continued {
      guard let run = record.runKey else { return nil }
      keys[key] = run
      last = (key, run)
      return run
    }
    if let last, last.key == key { return last.run }
    guard let run = keys[key] else { return nil }
    last = (key, run)
    return run
  }
}

extension FoundFeed {
  fileprivate mutating func take(_ record: SegmentReader.Record, start: RunStart) {
    let place: Int
    if let last = runs.indices.last, runs[last].start == start {
      place = last
    } else if let known = runs.firstIndex(where: { $0.start == start }) {
      place = known
    } else {
      guard runs.count < LessonLog.runLimit else { return }
      runs.append(Run(start: start))
      place = runs.count - 1
    }
    switch record.kind {
    case .start, .continued: break
    case .track:
      let track = record.loggedTrack
      if let known = runs[place].tracks.firstIndex(where: { $0.number == track.number }) {
        runs[place].tracks[known] = track
      } else if runs[place].tracks.count < 65_536 {
        runs[place].tracks.append(track)
      }
    case .packet:
      packets += 1
      payloadBytes += UInt64(record.bytes.count - LogFormat.packetHeaderBytes)
      runs[place].firstTime = min(record.time, runs[place].firstTime ?? .max)
      runs[place].lastTime = max(record.time, runs[place].lastTime ?? .min)
    case .gap: gaps += 1
    case .end: runs[place].isEnded = true
    }
  }
}
