import CLinuxIO
import Glibc
import RTCCore
import RTCWire

/// The worker's one UDP port: datagrams straight into slots, trains straight from the egress arena.
struct UDPSocket: ~Copyable {
  let descriptor: Int32
  let port: UInt16
  let receiveBufferByteCount: Int
  private let isIPv6: Bool
  private var hasSegmentation = true
  private(set) var droppedWhenFull: UInt64 = 0
  private(set) var sendCalls: UInt64 = 0
  private(set) var sendErrors: UInt64 = 0

  /// - Throws: the errno of the system, as when the port is taken.
  init(port: UInt16, loopbackOnly: Bool, bufferByteCount: Int) throws(SocketError) {
    var bound = port
    var isIPv6: Int32 = 0
    var got: Int32 = 0
    let descriptor = tk_udp_open(&bound, loopbackOnly ? 1 : 0, &isIPv6, Int32(bufferByteCount), &got)
    guard descriptor >= 0 else { throw SocketError(code: -descriptor) }
    self.descriptor = descriptor
    self.port = bound
    self.isIPv6 = isIPv6 != 0
    receiveBufferByteCount = Int(got)
  }

  deinit { tk_close(descriptor) }

  /// Sends all trains, 64 in a call. Nothing sealed waits: what the kernel does not take is dropped and counted; urgent
  /// trains are tried once more.
  mutating func send(_ egress: borrowing EgressArena, trains: [Train]) {
    var batch = [tk_train]()
    batch.reserveCapacity(TK_BATCH)
    for train in trains {
      let base = egress.base + train.offset
      if hasSegmentation || train.segmentCount == 1 {
        batch.append(Self.raw(train, base, offset: 0, count: train.byteCount, segment: train.segmentByteCount))
      } else {
        var offset = 0
        while offset < train.byteCount {
          let count = min(train.segmentByteCount, train.byteCount - offset)
          batch.append(Self.raw(train, base, offset: offset, count: count, segment: 0))
          if batch.count == TK_BATCH { flush(&batch) }
          offset += count
        }
      }
      if batch.count == TK_BATCH { flush(&batch) }
    }
    flush(&batch)
  }

  private static func raw(
    _ train: Train, _ base: UnsafeMutableRawPointer, offset: Int, count: Int, segment: Int
  ) -> tk_train {
    var local = train.path.local
    local.port = 0
    return tk_train(
      remote: train.path.remote.raw, local: local.raw, bytes: UnsafeRawPointer(base + offset), count: UInt32(count),
      segment: count > segment ? UInt32(segment) : 0)
  }

  private mutating func flush(_ batch: inout [tk_train]) {
    var start = 0
    var retried = false
    while start < batch.count {
      sendCalls += 1
      let sent = batch.withUnsafeBufferPointer {
        tk_udp_send(descriptor, isIPv6 ? 1 : 0, $0.baseAddress! + start, Int32($0.count - start))  // not empty
      }
      if sent > 0 {
        start += Int(sent)
        retried = false
        continue
      }
      switch -sent {
      case EAGAIN, ENOBUFS:
        // One more try gives the softirq a chance; then the rest is dropped.
        if !retried {
          retried = true
          continue
        }
        droppedWhenFull += UInt64(batch.count - start)
        start = batch.count
      case EIO where batch[start].segment > 0, EINVAL where batch[start].segment > 0:
        // No segmentation here: remembered, the train goes as single datagrams.
        hasSegmentation = false
        sendSingly(batch[start])
        start += 1
      default:
        // An unreachable address concerns one receiver only.
        sendErrors += 1
        start += 1
      }
    }
    batch.removeAll(keepingCapacity: true)
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
public struct SocketError: Error, Sendable {
  public let code: Int32
}
