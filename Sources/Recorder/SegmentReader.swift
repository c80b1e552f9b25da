import CLinuxIO
import Glibc
import PacketRing

/// Reads a segment's records in order, whatever its bytes are.
///
/// A record counts only with the right CRC. Behind anything else the next whole record is looked for, and what was
/// passed over is counted: a torn tail, a damaged block. Memory: 1 MiB, whatever the file's size.
struct SegmentReader: ~Copyable {
  private static let windowBytes = 1 << 20

  let header: SegmentHeader
  private let descriptor: Int32
  private let fileBytes: Int64
  private let window: UnsafeMutableRawPointer
  private var windowStart: Int64 = 0
  private var windowCount = 0
  private(set) var position = Int64(LogFormat.headerBytes)
  /// Bytes, not zero, that belong to no whole record.
  private(set) var damagedBytes: Int64 = 0

  struct Record {
    var kind: LogFormat.Kind
    var feed: UInt32
    var track: UInt32
    var time: Int64
    /// The whole record, from its CRC on; valid until the next one is asked for.
    var bytes: UnsafeRawBufferPointer
  }

  /// Nil when the file cannot be opened or has no whole header.
  init?(path: String) { self.init(descriptor: open(path, O_RDONLY | O_CLOEXEC)) }

  /// Takes the descriptor over; nil, and it is closed, when there is no whole header.
  init?(descriptor opened: Int32) {
    guard opened >= 0 else { return nil }
    var status = stat()
    var first = [UInt8](repeating: 0, count: LogFormat.headerBytes)
    let count = tk_disk_read(opened, &first, first.count, 0)
    let found = first.withUnsafeBytes { SegmentHeader(.init(rebasing: $0.prefix(Int(max(count, 0))))) }
    guard let found, fstat(opened, &status) == 0 else {
      close(opened)
      return nil
    }
    header = found
    descriptor = opened
    fileBytes = Int64(status.st_size)
    window = .allocate(byteCount: Self.windowBytes, alignment: 16)
  }

  deinit {
    window.deallocate()
    close(descriptor)
  }

  /// The bytes at `offset`, nil when the file has fewer or does not read.
  private mutating func view(_ offset: Int64, _ count: Int) -> UnsafeRawBufferPointer? {
    if offset < windowStart || offset + Int64(count) > windowStart + Int64(windowCount) {
      windowStart = offset
      windowCount = Int(max(0, tk_disk_read(descriptor, window, Self.windowBytes, offset)))
      guard count <= windowCount else { return nil }
    }
    return UnsafeRawBufferPointer(start: window + Int(offset - windowStart), count: count)
  }

  /// The next whole record, nil behind the last one.
  mutating func next() -> Record? {
    while position + Int64(LogFormat.recordHeaderBytes) <= fileBytes {
      if let record = record(at: position) {
        position += Int64(LogFormat.padded(record.bytes.count))
        return record
      }
      skip()
    }
    return nil
  }

  private mutating func record(at offset: Int64) -> Record? {
    guard let head = view(offset, LogFormat.recordHeaderBytes), head[7] == LogFormat.mark,
      let kind = LogFormat.Kind(rawValue: head[6])
    else { return nil }
    let count = Int(head.get(UInt16.self, at: 4))
    guard count >= kind.byteMinimum, count <= LogFormat.recordLimit, let bytes = view(offset, count),
      bytes.get(UInt32.self, at: 0) == tk_crc32c(header.salt, bytes.baseAddress! + 4, count - 4)
    else { return nil }
    return Record(
      kind: kind, feed: bytes.get(UInt32.self, at: 8), track: bytes.get(UInt32.self, at: 12),
      time: bytes.get(Int64.self, at: 16), bytes: bytes)
  }

  /// Goes on to the next place where a record may begin: 8 bytes further, or past zeros, or past what does not read.
  private mutating func skip() {
    guard let word = view(position, 8) else {
      position += Int64(4_096)
      damagedBytes += 4_096
      return
    }
    if word.get(UInt64.self, at: 0) != 0 {
      damagedBytes += 8
      position += 8
      return
    }
    let available = Int(windowStart + Int64(windowCount) - position) & ~7
    let zeros = UnsafeRawBufferPointer(start: window + Int(position - windowStart), count: available)
    var place = 8
    while place < available, zeros.get(UInt64.self, at: place) == 0 { place += 8 }
    position += Int64(place)
  }
}

extension SegmentReader.Record {
  /// Of a `start` or `continued` record; nil when its lengths do not fit.
  var runKey: RunKey? {
    let nameBytes = Int(bytes[68])
    guard nameBytes <= RecordedFeed.nameByteLimit, LogFormat.startHeaderBytes + nameBytes == bytes.count else {
      return nil
    }
    let name = String(decoding: bytes[LogFormat.startHeaderBytes...], as: UTF8.self)
    return RunKey(
      feed: RecordedFeed(
        lesson: LogIdentity(high: bytes.get(UInt64.self, at: 32), low: bytes.get(UInt64.self, at: 40)), name: name,
        number: bytes.get(UInt32.self, at: 64)),
      start: RunStart(
        monotonic: time, wall: bytes.get(Int64.self, at: 24),
        boot: LogIdentity(high: bytes.get(UInt64.self, at: 48), low: bytes.get(UInt64.self, at: 56))))
  }

  var loggedTrack: LoggedTrack {
    LoggedTrack(
      number: track, isVideo: bytes[24] != 0, encoding: LoggedEncoding(rawValue: bytes[25]) ?? .other,
      clockRate: bytes.get(UInt32.self, at: 28))
  }

  var loggedGap: LoggedGap {
    LoggedGap(
      track: track, reason: GapReason(rawValue: bytes[40]) ?? .notReceived, count: bytes.get(UInt64.self, at: 32),
      from: time, to: bytes.get(Int64.self, at: 24))
  }

  func packet(run: Int) -> LoggedPacket {
    LoggedPacket(
      run: run, track: track, extendedSequence: bytes.get(Int64.self, at: 24), lessonTime: time,
      timestamp: bytes.get(UInt32.self, at: 32), payloadType: bytes[36], flags: PacketFlags(rawValue: bytes[37]),
      audioLevel: bytes[38],
      payload: UnsafeRawBufferPointer(rebasing: bytes[LogFormat.packetHeaderBytes...]))
  }
}
