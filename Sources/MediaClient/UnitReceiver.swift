import Media
import MediaWorker
import PacketRing
import RTCCore
import Synchronization

/// Puts what a sink lends together into units: for statistics, a file, and whoever asked for them.
///
/// Unchecked: everything but `state` is touched by the reader's thread alone.
final class UnitReceiver: SinkTaker, @unchecked Sendable {
  /// Packets waited for at most, and how long: retransmission gives up after a second.
  private static let videoReorder = (limit: 1_024, patience: Int64(1_000_000))
  /// Sound is not retransmitted; it is only overtaken.
  private static let soundReorder = (limit: 8, patience: Int64(100_000))

  private struct Track {
    /// The worker's number: another one for each connection.
    var session: UInt16
    var assembler: AccessUnitAssembler
    /// Of assemblers of this track that are gone.
    var incompleteBefore = 0

    var incomplete: Int { incompleteBefore + assembler.incompleteUnits }
  }

  private struct State {
    var media = ReceivedMedia()
    var written: Result<WrittenFile, ClientError>?
  }

  private var lane: SinkLane
  private var video: Track?
  private var sound: Track?
  private var awaitsFirstFrame = true
  private var file: UnitFile?
  private let onUnit: (@Sendable (EncodedUnit) -> Void)?
  private let onFirstFrame: @Sendable (Int64) -> Void
  private let state = Mutex(State())

  init(
    lane: consuming SinkLane, file: String?, onUnit: (@Sendable (EncodedUnit) -> Void)?,
    onFirstFrame: @escaping @Sendable (Int64) -> Void
  ) {
    self.lane = lane
    self.file = file.map { UnitFile(path: $0) }
    self.onUnit = onUnit
    self.onFirstFrame = onFirstFrame
  }

  var media: ReceivedMedia { state.withLock { $0.media } }
  var written: Result<WrittenFile, ClientError>? { state.withLock { $0.written } }

  // MARK: The reader's thread

  func take(arena: SlotArena) -> Int {
    var count = 0
    var units: [EncodedUnit] = []
    // Bounded, so that one sink does not hold up the others.
    while count < 512, let record = lane.leases.pop() {
      count += 1
      let bytes = arena.bytes(record.slot, count: record.byteCount)
      let payload = UnsafeRawBufferPointer(rebasing: bytes[Int(record.payloadOffset)...])
      if record.flags.contains(.audio) {
        add(record, payload, to: &sound, encoding: .opus, into: &units)
      } else if let encoding = Self.encoding(ofPayloadType: record.payloadType) {
        add(record, payload, to: &video, encoding: encoding, into: &units)
      }
      // As many returns fit as there are leases, twice over.
      _ = lane.returns.push(record.slot)
    }
    if count > 0 { handOut(units) }
    return count
  }

  func finish() {
    var units = video?.assembler.flush() ?? []
    units += sound?.assembler.flush() ?? []
    handOut(units)
    let result = file?.finish()
    file = nil
    state.withLock { $0.written = result }
  }

  /// Payload types of this client's offers.
  private static func encoding(ofPayloadType payloadType: UInt8) -> MediaEncoding? {
    switch payloadType {
    case 102: .h264
    case 96: .vp8
    default: nil
    }
  }

  private func add(
    _ record: PacketRecord, _ payload: UnsafeRawBufferPointer, to track: inout Track?, encoding: MediaEncoding,
    into units: inout [EncodedUnit]
  ) {
    if track?.session != record.stream || track?.assembler.encoding != encoding {
      let isNewSession = track?.session != record.stream
      units += track?.assembler.flush() ?? []
      let reorder = encoding == .opus ? Self.soundReorder : Self.videoReorder
      track = Track(
        session: record.stream,
        assembler: AccessUnitAssembler(
          encoding: encoding, reorderLimit: reorder.limit, patienceMicroseconds: reorder.patience),
        incompleteBefore: track?.incomplete ?? 0)
      if encoding != .opus, isNewSession { awaitsFirstFrame = true }
    }
    let made = track?.assembler.add(
      payload: payload, sequence: record.extendedSequence, timestamp: record.timestamp,
      marker: record.flags.contains(.marker), lessonTime: record.lessonTime)
    units += made ?? []
    if encoding != .opus, awaitsFirstFrame, made?.contains(where: { $0.isKeyFrame }) == true {
      awaitsFirstFrame = false
      onFirstFrame(monotonicNow().monotonic.microseconds)
    }
  }

  private func handOut(_ units: [EncodedUnit]) {
    state.withLock { state in
      for unit in units {
        if unit.encoding == .opus {
          state.media.soundUnits += 1
          state.media.soundMicroseconds += unit.durationMicroseconds
        } else {
          state.media.framesComplete += 1
          if unit.isKeyFrame { state.media.keyFrames += 1 }
        }
      }
      state.media.framesIncomplete = video?.incomplete ?? 0
      state.media.soundLost = sound?.incomplete ?? 0
    }
    for unit in units {
      file?.write(unit)
      onUnit?(unit)
    }
  }
}

/// A file that takes shape once it is known what comes: which kinds, and in which encoding.
struct UnitFile {
  /// Waited for the other kind, by the units' own times; after that the file has what has come.
  private static let patience: Int64 = 2_000_000
  private static let heldLimit = 1_024

  private let path: String
  private var held: [EncodedUnit] = []
  private var writer: LessonFileWriter?
  private var failure: ClientError?

  init(path: String) { self.path = path }

  /// After a failure nothing is written any more; `finish` tells what it was.
  mutating func write(_ unit: EncodedUnit) {
    guard failure == nil else { return }
    do throws(MediaError) {
      if let writer {
        // A picture in another encoding than the file's cannot be kept.
        do throws(MediaError) { try writer.write(unit) } catch {
          guard case .unsupported = error else { throw error }
        }
        return
      }
      held.append(unit)
      let spread = unit.presentationMicroseconds - (held.first?.presentationMicroseconds ?? 0)
      let kinds = Set(held.map { $0.encoding == .opus })
      if kinds.count == 2 || spread > Self.patience || held.count >= Self.heldLimit { try open() }
    } catch { failure = .fileUnwritable(reason: error.message) }
  }

  private mutating func open() throws(MediaError) {
    let video = held.first { $0.encoding != .opus }?.encoding
    let made = try LessonFileWriter(
      path: path, container: video == .vp8 ? .webm : .mp4, hasVideo: video != nil,
      hasAudio: held.contains { $0.encoding == .opus })
    writer = made
    for unit in held { try made.write(unit) }
    held = []
  }

  mutating func finish() -> Result<WrittenFile, ClientError> {
    if let failure { return .failure(failure) }
    do throws(MediaError) {
      if writer == nil, !held.isEmpty { try open() }
      guard let writer else { return .failure(.mediaNeverCame) }
      return .success(try writer.finish())
    } catch { return .failure(.fileUnwritable(reason: error.message)) }
  }
}
