import Media
import PacketRing
import Recorder

/// Turns a feed's log into encoded units on one line of lesson time, and says which file each belongs to.
///
/// Every publishing session is a track of its own; a new one takes over from the one before with its first key frame
/// (of sound: its first packet), so that no unit is shown out of turn. What cannot be decoded because nothing before
/// it was is left out. A change of the video's codec begins another part. A clock that jumps costs nothing but the jump
/// (`TimeLine`). Nothing a log holds can trap.
struct UnitFlow {
  /// Longest silence kept between two runs of different boots, in microseconds: their wall clocks may disagree by
  /// years.
  private static let longestPause: Int64 = 12 * 3_600 * 1_000_000

  private struct Line {
    var run: Int
    var track: UInt32
    var isVideo: Bool
    var encoding: MediaEncoding
    var assembler: AccessUnitAssembler
    /// A picture that needs no other has come.
    var isOpen: Bool
    /// A later session has taken over.
    var isOver = false
  }

  private let found: FoundFeed
  /// Added to a run's lesson times to bring them onto the first run's line.
  let offsets: [Int64]
  private var lines: [Line] = []
  private(set) var part = 0
  private var videoEncoding: MediaEncoding?
  private(set) var gapRecords = 0
  private(set) var notes = FlowNotes()
  private var pictures = TimeLine()
  private var sounds = TimeLine()
  /// Units before a session's first key frame, or of a session that was taken over from.
  private(set) var unusableUnits = 0
  private(set) var run = 0

  init(_ found: FoundFeed) {
    self.found = found
    offsets = Self.offsets(of: found.runs)
  }

  /// Holes inside and between units that are not explained by the log's own gap records alone.
  var incompleteUnits: Int { lines.reduce(0) { $0 + $1.assembler.incompleteUnits + $1.assembler.malformedPayloads } }

  /// Of these, those of pictures.
  var lostPictures: Int {
    lines.reduce(0) { $0 + ($1.isVideo ? $1.assembler.incompleteUnits + $1.assembler.malformedPayloads : 0) }
  }

  private static func offsets(of runs: [FoundFeed.Run]) -> [Int64] {
    guard let first = runs.first else { return [] }
    var offsets: [Int64] = []
    var end = Int64.min
    for run in runs {
      var offset: Int64 = 0
      if run.start.boot != first.start.boot {
        offset = (run.start.wall &- run.start.monotonic) &- (first.start.wall &- first.start.monotonic)
      }
      if let begins = run.firstTime, end != .min {
        let pause = (begins &+ offset) &- end
        // A clock set back, or years ahead: the run follows after a second.
        if pause < 0 || pause > longestPause { offset = end &+ 1_000_000 &- begins }
      }
      if let ends = run.lastTime { end = max(end, ends &+ offset) }
      offsets.append(offset)
    }
    return offsets
  }

  // MARK: Records

  /// Takes a record and hands on the units it completes, in order, each with the number of its part, from 0.
  mutating func add<Failure: Error>(
    _ record: LogRecord, emit: (Int, EncodedUnit) throws(Failure) -> Void
  ) throws(Failure) {
    switch record {
    case .start(let run, _):
      self.run = run
      for line in lines.indices where lines[line].run != run { try close(line, emit) }
    case .packet(let packet):
      guard let line = line(of: packet), !lines[line].isOver else {
        unusableUnits += 1
        return
      }
      let units = lines[line].assembler.add(
        payload: packet.payload, sequence: packet.extendedSequence, timestamp: packet.timestamp,
        marker: packet.flags.contains(.marker), lessonTime: packet.lessonTime &+ offsets[packet.run])
      for unit in units { try take(unit, line, emit) }
    case .gap(let run, let gap):
      gapRecords += 1
      if offsets.indices.contains(run) { notes.addGap(gap, offset: offsets[run]) }
    case .track, .end: break
    }
  }

  /// Hands on what is still held when the log is at its end.
  mutating func finish<Failure: Error>(
    emit: (Int, EncodedUnit) throws(Failure) -> Void
  ) throws(Failure) {
    for line in lines.indices { try close(line, emit) }
  }

  private mutating func close<Failure: Error>(
    _ line: Int, _ emit: (Int, EncodedUnit) throws(Failure) -> Void
  ) throws(Failure) {
    guard !lines[line].isOver else { return }
    lines[line].isOver = true
    for unit in lines[line].assembler.flush() where lines[line].isOpen { try show(unit, emit) }
  }

  private mutating func take<Failure: Error>(
    _ unit: EncodedUnit, _ line: Int, _ emit: (Int, EncodedUnit) throws(Failure) -> Void
  ) throws(Failure) {
    if !lines[line].isOpen {
      guard unit.isKeyFrame else {
        unusableUnits += 1
        return
      }
      lines[line].isOpen = true
      if lines.prefix(line).contains(where: { $0.isOpen && $0.isVideo == lines[line].isVideo }) {
        notes.addReset(at: unit.presentationMicroseconds)
      }
      for other in lines.indices.prefix(line) where lines[other].isVideo == lines[line].isVideo {
        try close(other, emit)
      }
    }
    try show(unit, emit)
  }

  private mutating func show<Failure: Error>(
    _ unit: EncodedUnit, _ emit: (Int, EncodedUnit) throws(Failure) -> Void
  ) throws(Failure) {
    if unit.encoding != .opus, unit.encoding != videoEncoding {
      if videoEncoding != nil { part += 1 }
      videoEncoding = unit.encoding
    }
    notes.addUnit(unit.encoding)
    var unit = unit
    let at = unit.presentationMicroseconds
    let place = unit.encoding == .opus ? sounds.place(at, beside: pictures) : pictures.place(at, beside: sounds)
    if place.isJump { notes.addJump(at: place.at) }
    unit.presentationMicroseconds = place.at
    try emit(part, unit)
  }

  // MARK: Tracks

  private mutating func line(of packet: LoggedPacket) -> Int? {
    if let line = lines.lastIndex(where: { $0.run == packet.run && $0.track == packet.track }) { return line }
    guard let encoding = encoding(of: packet) else { return nil }
    lines.append(
      Line(
        run: packet.run, track: packet.track, isVideo: encoding != .opus, encoding: encoding,
        assembler: AccessUnitAssembler(encoding: encoding), isOpen: false))
    return lines.count - 1
  }

  /// As declared, or, when the declaration was lost, as the first key frame or sound shows.
  private func encoding(of packet: LoggedPacket) -> MediaEncoding? {
    if let declared = found.runs[packet.run].tracks.first(where: { $0.number == packet.track }) {
      return switch declared.encoding {
      case .h264: .h264
      case .vp8: .vp8
      case .opus: .opus
      case .other: nil
      }
    }
    if packet.flags.contains(.audio) { return .opus }
    guard packet.flags.contains(.keyFrameStart), let first = packet.payload.first else { return nil }
    // An H.264 key frame begins with a parameter set, an aggregate, a slice or a fragment, of some importance
    // (RFC 6184 §5.2); a VP8 descriptor with S set and partition 0 is 0x10 or 0x90 (RFC 7741 §4.2).
    if first & 0x7F == 0x10 { return .vp8 }
    return first & 0x80 == 0 && first & 0x60 != 0 && [5, 7, 24, 28].contains(first & 0x1F) ? .h264 : nil
  }
}

/// What the files of a log will hold, found by one pass over it.
struct FilePlan {
  struct Part {
    var video: MediaEncoding?
    var hasAudio = false
    var videoUnits = 0
    var audioUnits = 0

    var container: LessonContainer { video == .vp8 ? .webm : .mp4 }
    var suffix: String { video == .vp8 ? "webm" : "mp4" }
    var mediaType: String { (video == nil ? "audio/" : "video/") + suffix }
  }

  var parts: [Part] = []
  /// Gap records, and units that could not be put together or shown.
  var gaps = 0
  var lostPictures = 0
  var notes = FlowNotes()

  init(_ found: FoundFeed, in log: LessonLog) {
    var flow = UnitFlow(found)
    var parts: [Part] = []
    func count(_ part: Int, _ unit: EncodedUnit) {
      while parts.count <= part { parts.append(Part()) }
      if unit.encoding == .opus {
        parts[part].hasAudio = true
        parts[part].audioUnits += 1
      } else {
        parts[part].video = unit.encoding
        parts[part].videoUnits += 1
      }
    }
    log.replay(found) { flow.add($0, emit: count) }
    flow.finish(emit: count)
    self.parts = parts
    gaps = flow.gapRecords + flow.incompleteUnits
    lostPictures = flow.lostPictures
    notes = flow.notes
  }
}
