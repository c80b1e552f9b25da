import CLinuxIO
import Glibc
package import RTCCore
import RTCWire

/// The worker's one UDP port: datagrams straight into slots, trains straight from the egress arena.
package struct UDPSocket: ~Copyable {
  /// A train on its way into the kernel.
  package struct Outgoing {
    var raw: tk_train
    package var isUrgent: Bool
    package var datagrams: Int { raw.segment == 0 ? 1 : Int((raw.count + raw.segment - 1) / raw.segment) }
    package var isSegmented: Bool { raw.segment > 0 }
  }

  let descriptor: Int32
  package let port: UInt16
  let receiveBufferByteCount: Int
  private let isIPv6: Bool
  private var batch: [Outgoing] = []
  /// Whether the kernel cuts trains (UDP_SEGMENT), and whether it ever has.
  package private(set) var hasSegmentation: Bool
  private var hasSegmented = false
  /// Datagrams that the kernel had no room for.
  package private(set) var droppedWhenFull: UInt64 = 0
  package private(set) var sendCalls: UInt64 = 0
  package private(set) var sendErrors: UInt64 = 0
  /// A deliberate fault, for trials: the errno a call is to fail with, 0 to let it through.
  package var fault: ((_ trains: ArraySlice<Outgoing>) -> Int32)?

  /// - Throws: the errno of the system, as when the port is taken.
  package init(
    port: UInt16, loopbackOnly: Bool, bufferByteCount: Int, segmentation: Bool = true
  ) throws(SocketError) {
    var bound = port
    var isIPv6: Int32 = 0
    var got: Int32 = 0
    let descriptor = tk_udp_open(&bound, loopbackOnly ? 1 : 0, &isIPv6, Int32(bufferByteCount), &got)
    guard descriptor >= 0 else { throw SocketError(code: -descriptor) }
    self.descriptor = descriptor
    self.port = bound
    self.isIPv6 = isIPv6 != 0
    receiveBufferByteCount = Int(got)
    hasSegmentation = segmentation
    batch.reserveCapacity(Int(TK_BATCH))
  }

  deinit { tk_close(descriptor) }

  /// Sends all trains, 64 in a call. Nothing sealed waits: what the kernel does not take is dropped and counted; urgent
  /// trains are tried once more. Trains of a connection are not this socket's.
  package mutating func send(_ egress: borrowing EgressArena, trains: [Train]) {
    for train in trains where train.path.connection == 0 { append(train, egress.base) }
    flush()
  }

  /// As the other, all trains of the arena; without a reference to their array.
  mutating func send(_ egress: borrowing EgressArena) {
    for index in egress.trains.indices where egress.trains[index].path.connection == 0 {
      append(egress.trains[index], egress.base)
    }
    flush()
  }

  private mutating func append(_ train: Train, _ start: UnsafeMutableRawPointer) {
    let base = start + train.offset
    if hasSegmentation || train.segmentCount == 1 {
      append(train, base, offset: 0, count: train.byteCount, segment: train.segmentByteCount)
      return
    }
    for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
      append(train, base, offset: offset, count: min(train.segmentByteCount, train.byteCount - offset), segment: 0)
    }
  }

  private mutating func append(
    _ train: Train, _ base: UnsafeMutableRawPointer, offset: Int, count: Int, segment: Int
  ) {
    var local = train.path.local
    local.port = 0
    let raw = tk_train(
      remote: train.path.remote.raw, local: local.raw, bytes: UnsafeRawPointer(base + offset), count: UInt32(count),
      segment: count > segment ? UInt32(segment) : 0)
    batch.append(Outgoing(raw: raw, isUrgent: train.isUrgent))
    if batch.count == TK_BATCH { flush() }
  }

  /// How many of the trains from `start` on the kernel took, or a negative errno.
  private mutating func call(from start: Int) -> Int {
    sendCalls += 1
    if let fault {
      let code = fault(batch[start...])
      if code != 0 { return -Int(code) }
    }
    return withUnsafeTemporaryAllocation(of: tk_train.self, capacity: batch.count - start) { raw in
      for place in raw.indices { raw[place] = batch[start + place].raw }
      return Int(tk_udp_send(descriptor, isIPv6 ? 1 : 0, raw.baseAddress!, Int32(raw.count)))  // not empty
    }
  }

  private mutating func flush() {
    var start = 0
    while start < batch.count {
      let sent = call(from: start)
      if sent > 0 {
        if batch[start..<start + sent].contains(where: { $0.isSegmented }) { hasSegmented = true }
        start += sent
        continue
      }
      switch Int32(-sent) {
      case EAGAIN, ENOBUFS:
        dropRest(from: start)
        start = batch.count
      case EIO where batch[start].isSegmented, EINVAL where batch[start].isSegmented:
        // EIO: the device cannot cut. EINVAL: the kernel has never heard of it, or the path is narrower than a
        // datagram; only what holds for all is remembered.
        if Int32(-sent) == EIO || !hasSegmented { hasSegmentation = false }
        sendSingly(batch[start].raw)
        start += 1
      default:
        // An unreachable address concerns one receiver only.
        sendErrors += 1
        start += 1
      }
    }
    batch.removeAll(keepingCapacity: true)
  }

  /// The socket is full: picture is dropped, sound and RTCP get one more try.
  private mutating func dropRest(from start: Int) {
    for train in batch[start...] where !train.isUrgent { droppedWhenFull += UInt64(train.datagrams) }
    batch.removeSubrange(..<start)
    batch.removeAll { !$0.isUrgent }
    guard !batch.isEmpty else { return }
    let sent = max(call(from: 0), 0)
    for train in batch[sent...] { droppedWhenFull += UInt64(train.datagrams) }
  }

  private mutating func sendSingly(_ train: tk_train) {
    var offset: UInt32 = 0
    while offset < train.count {
      var single = train
      single.bytes = train.bytes + Int(offset)
      single.count = min(train.segment, train.count - offset)
      single.segment = 0
      if tk_udp_send(descriptor, isIPv6 ? 1 : 0, &single, 1) != 1 { droppedWhenFull += 1 }
      offset += train.segment
    }
  }
}

/// An error of the system when a socket was made.
public struct SocketError: Error, Sendable, CustomStringConvertible {
  public let code: Int32
  /// The system's own words, such as "Address already in use".
  public var description: String { String(cString: strerror(code)) }
}
