import CLinuxIO
import Glibc
import PacketRing

/// Encoded records on their way into one `pwritev`: headers of its own, payloads borrowed from slots.
///
/// Memory: 64 KiB of headers and 513 pieces, reused for each batch. Used by one thread. Payloads must stay as they are
/// until the batch is reset.
public final class LogBatch {
  /// Most packets a batch takes; with them, up to 64 other records.
  public static let packetLimit = 256
  private static let headerBytesLimit = 65_536
  /// Records that are not packets are at most 69 + 64 bytes, padded.
  private static let recordReserve = 144
  private static let pieceLimit = 2 * packetLimit + 1

  enum Content {
    case header
    case announcement(feed: Int)
    case track(feed: Int, UInt32)
    case packet(feed: Int, time: Int64, payloadBytes: Int)
    case gap(feed: Int, LoggedGap)
    case end(feed: Int)
  }

  struct Entry {
    var content: Content
    /// Bytes of the batch up to and with this record and its padding.
    var end: Int
  }

  private let headers: UnsafeMutableRawPointer
  private let pieces: UnsafeMutablePointer<iovec>
  private var headerBytes = 0
  /// Start of the header bytes that no piece covers yet.
  private var openStart = 0
  private var pieceCount = 0
  private(set) var entries: [Entry] = []
  /// All bytes, padding included.
  public private(set) var byteCount = 0
  public private(set) var packets = 0

  public init() {
    headers = .allocate(byteCount: Self.headerBytesLimit, alignment: 16)
    pieces = .allocate(capacity: Self.pieceLimit)
    entries.reserveCapacity(Self.packetLimit + 64)
  }

  deinit {
    headers.deallocate()
    pieces.deallocate()
  }

  public var isEmpty: Bool { entries.isEmpty }
  /// Whether a packet and the announcements it may need fit.
  public var hasRoomForPacket: Bool {
    packets < Self.packetLimit && headerBytes + 5 * Self.recordReserve < Self.headerBytesLimit
  }
  /// Whether a record other than a packet, and an announcement before it, fit.
  public var hasRoomForRecord: Bool { headerBytes + 5 * Self.recordReserve < Self.headerBytesLimit }

  public func reset() {
    headerBytes = 0
    openStart = 0
    pieceCount = 0
    byteCount = 0
    packets = 0
    entries.removeAll(keepingCapacity: true)
  }

  /// Adds the header of a segment; the first thing of a batch.
  func append(_ header: SegmentHeader) {
    precondition(isEmpty, "a segment begins with its header")
    header.write(to: headers)
    headerBytes = LogFormat.headerBytes
    byteCount = LogFormat.headerBytes
    entries.append(Entry(content: .header, end: byteCount))
  }

  /// Adds a record whose bytes after the first 24 `fill` writes, at their offsets in the record.
  func append(
    _ kind: LogFormat.Kind, _ content: Content, count: Int, salt: UInt32, handle: UInt32, track: UInt32, time: Int64,
    payload: UnsafeRawBufferPointer? = nil, fill: (UnsafeMutableRawPointer) -> Void
  ) {
    let record = headers + headerBytes
    let payloadCount = payload?.count ?? 0
    let total = count + payloadCount
    record.initializeMemory(as: UInt8.self, repeating: 0, count: LogFormat.padded(count))
    record.put(UInt16(total), at: 4)
    record.put(kind.rawValue, at: 6)
    record.put(LogFormat.mark, at: 7)
    record.put(handle, at: 8)
    record.put(track, at: 12)
    record.put(time, at: 16)
    fill(record)
    var crc = tk_crc32c(salt, record + 4, count - 4)
    if let payload, payloadCount > 0 { crc = tk_crc32c(crc, payload.baseAddress, payloadCount) }
    record.put(crc, at: 0)
    let padding = LogFormat.padded(total) - total
    if let payload, payloadCount > 0 {
      headerBytes += count
      closePiece()
      pieces[pieceCount] = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payloadCount)
      pieceCount += 1
      // The padding opens the next piece, so that two pieces a packet are enough.
      (headers + headerBytes).initializeMemory(as: UInt8.self, repeating: 0, count: padding)
      headerBytes += padding
    } else {
      headerBytes += count + padding
    }
    if kind == .packet { packets += 1 }
    byteCount += total + padding
    entries.append(Entry(content: content, end: byteCount))
  }

  private func closePiece() {
    guard headerBytes > openStart else { return }
    pieces[pieceCount] = iovec(iov_base: headers + openStart, iov_len: headerBytes - openStart)
    pieceCount += 1
    openStart = headerBytes
  }

  /// Shows the batch as memory pieces, in order. At most 513, below the system's limit of 1,024.
  func withPieces<Result>(_ body: (UnsafeMutableBufferPointer<iovec>) -> Result) -> Result {
    closePiece()
    return body(UnsafeMutableBufferPointer(start: pieces, count: pieceCount))
  }

  /// A copy of all bytes, for a disk that is simulated.
  public func bytes() -> [UInt8] {
    withPieces { pieces in
      var all: [UInt8] = []
      all.reserveCapacity(byteCount)
      for piece in pieces {
        all.append(contentsOf: UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len))
      }
      return all
    }
  }
}
