import RTCWire

/// Sealed datagrams of one path that leave in one GSO send: all of `segmentByteCount` but the last, which may be
/// shorter.
@frozen public struct Train: Sendable {
  public var path: NetworkPath
  /// Bytes from the arena's start.
  public var offset: Int
  public var byteCount: Int
  public var segmentByteCount: Int
  /// Audio, RTCP, STUN and DTLS: retried once when the socket is full.
  public var isUrgent: Bool
  /// A shorter segment ended the train.
  var isClosed: Bool
  public var segmentCount: Int { (byteCount + segmentByteCount - 1) / segmentByteCount }
}

/// Where sealed datagrams lie between the core's drain and the worker's `sendmmsg`, as trains.
///
/// Limits: `byteCount` bytes, `trainLimit` trains, 64 segments and 64,000 bytes a train (the kernel's GSO limit is
/// 65,507).
public struct EgressArena: ~Copyable {
  public let base: UnsafeMutableRawPointer
  public let capacity: Int
  public let trainLimit: Int
  public private(set) var trains: [Train] = []
  private var used = 0

  static let segmentLimit = 64
  static let trainByteLimit = 64_000
  /// The largest datagram the core writes: header 12, extensions 32, prefix 16, payload 1,500, tag 16 are 1,576.
  public static let datagramLimit = 1_600
  /// The largest media payload that is taken in, so that whatever is taken can be sent on. No path of 1,500 bytes
  /// carries more; a loopback or jumbo path could.
  static let payloadLimit = 1_500

  public init(byteCount: Int = 4 << 20, trainLimit: Int = 1_024) {
    precondition(byteCount >= 2 * Self.datagramLimit && trainLimit > 0)
    base = .allocate(byteCount: byteCount, alignment: 64)
    capacity = byteCount
    self.trainLimit = trainLimit
    trains.reserveCapacity(trainLimit)
  }

  deinit { base.deallocate() }

  public var isEmpty: Bool { trains.isEmpty }

  /// Whether one more datagram of any size fits.
  package var hasRoom: Bool { capacity - used >= Self.datagramLimit && trains.count < trainLimit }

  /// Where the next datagram is to be written, `datagramLimit` bytes long.
  package var writePointer: UnsafeMutableRawBufferPointer {
    precondition(hasRoom)
    return UnsafeMutableRawBufferPointer(start: base + used, count: Self.datagramLimit)
  }

  /// Takes the bytes just written at `writePointer` as one datagram, joining the last train when it can.
  package mutating func commit(byteCount: Int, path: NetworkPath, isUrgent: Bool) {
    precondition(byteCount > 0 && byteCount <= Self.datagramLimit)
    let offset = used
    used += byteCount
    if let last = trains.last, !last.isClosed, last.isUrgent == isUrgent, last.path == path,
      byteCount <= last.segmentByteCount, last.segmentCount < Self.segmentLimit,
      last.byteCount + byteCount <= Self.trainByteLimit
    {
      let index = trains.count - 1
      trains[index].byteCount += byteCount
      trains[index].isClosed = byteCount < last.segmentByteCount
      return
    }
    trains.append(
      Train(
        path: path, offset: offset, byteCount: byteCount, segmentByteCount: byteCount, isUrgent: isUrgent,
        isClosed: false))
  }

  /// Forgets all trains; their bytes may be overwritten from now on.
  public mutating func reset() {
    trains.removeAll(keepingCapacity: true)
    used = 0
  }
}
