import RTCWire

/// Sealed datagrams of one path that leave in one GSO send: all of `segmentByteCount` but the last, which may be
/// shorter.
@frozen public struct Train: Sendable {
  public var path: NetworkPath
  /// Bytes from the arena's start.
  public var offset: Int
  public var byteCount: Int
  public var segmentByteCount: Int
  /// Whose it is; −1 for a datagram that no other may join.
  let peer: Int32
  /// Audio, RTCP, STUN and DTLS: retried once when the socket is full.
  public var isUrgent: Bool
  /// A shorter segment ended the train.
  var isClosed: Bool
  public package(set) var segmentCount = 1

  @inline(__always)
  func accepts(_ count: Int, of owner: Int32, isUrgent urgent: Bool) -> Bool {
    !isClosed && peer == owner && isUrgent == urgent && count <= segmentByteCount
      && segmentCount < EgressArena.segmentLimit && byteCount + count <= EgressArena.trainByteLimit
  }
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

  /// The default fits a processor's second cache: what is sealed is sent before it is forgotten.
  public init(byteCount: Int = 1 << 20, trainLimit: Int = 1_024) {
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

  /// Whether so many more of any size fit.
  func hasRoom(forDatagrams count: Int) -> Bool {
    capacity - used >= count * Self.datagramLimit && trains.count + count <= trainLimit
  }

  /// Where the next datagram is to be written, `datagramLimit` bytes long.
  package var writePointer: UnsafeMutableRawBufferPointer {
    precondition(hasRoom)
    return UnsafeMutableRawBufferPointer(start: base + used, count: Self.datagramLimit)
  }

  /// Takes the bytes just written at `writePointer` as one datagram, joining the last train when it can.
  ///
  /// - Parameter peer: whoever gets it: one peer has one path while the arena fills. −1 stays alone.
  package mutating func commit(byteCount: Int, path: NetworkPath, peer: Int32, isUrgent: Bool) {
    precondition(byteCount > 0 && byteCount <= Self.datagramLimit)
    let offset = used
    used += byteCount
    let last = trains.count - 1
    if last >= 0, trains[last].accepts(byteCount, of: peer, isUrgent: isUrgent) {
      trains[last].byteCount += byteCount
      trains[last].segmentCount += 1
      trains[last].isClosed = byteCount < trains[last].segmentByteCount
      return
    }
    trains.append(
      Train(
        path: path, offset: offset, byteCount: byteCount, segmentByteCount: byteCount, peer: peer, isUrgent: isUrgent,
        isClosed: peer < 0))
  }

  /// Forgets all trains; their bytes may be overwritten from now on.
  public mutating func reset() {
    trains.removeAll(keepingCapacity: true)
    used = 0
  }
}
