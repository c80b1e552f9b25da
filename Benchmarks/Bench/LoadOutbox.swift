import CLinuxIO
import CMeasure
import RTCCore
import RTCWire

/// Datagrams of one socket on their way out, sent together at the end of a round.
final class LoadOutbox {
  private let descriptor: Int32
  /// Whether it is a TCP connection, in which every datagram has its length before it (RFC 4571).
  private let isStream: Bool
  private let base: UnsafeMutableRawPointer
  private let capacity = 1 << 20
  private var used = 0
  private var trains: [tk_train] = []
  private(set) var refused = 0

  init(descriptor: Int32, isStream: Bool = false) {
    self.descriptor = descriptor
    self.isStream = isStream
    base = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { base.deallocate() }

  /// Room for one datagram, to be committed right after it has been written.
  var room: UnsafeMutableRawBufferPointer {
    if capacity - used < 2_048 { flush() }
    return UnsafeMutableRawBufferPointer(start: base + used, count: 2_048)
  }

  func commit(_ count: Int, path: (local: tk_address, remote: tk_address)) {
    trains.append(
      tk_train(
        remote: path.remote, local: path.local, bytes: UnsafeRawPointer(base + used), count: UInt32(count), segment: 0)
    )
    used += (count + 15) & ~15
  }

  func send(_ bytes: [UInt8], path: (local: tk_address, remote: tk_address)) {
    let room = room
    room.copyBytes(from: bytes.prefix(room.count))
    commit(min(bytes.count, room.count), path: path)
  }

  func flush() {
    defer {
      trains.removeAll(keepingCapacity: true)
      used = 0
    }
    if isStream {
      for train in trains {
        let sent = tk_tcp_send_frames(descriptor, train.bytes, train.count, train.count)
        // A frame in pieces would be the end of the connection; the kernel has room for these few.
        if sent != Int64(train.count) + 2 { refused += 1 }
      }
      return
    }
    var start = 0
    trains.withUnsafeBufferPointer { all in
      while start < all.count, let base = all.baseAddress {
        let sent = Int(tk_udp_send(descriptor, 0, base + start, Int32(min(all.count - start, Int(TK_BATCH)))))
        if sent <= 0 { refused += 1 }
        start += max(sent, 1)
      }
    }
  }
}

/// The TCP connection of one peer (RFC 6544, RFC 4571), read as long as it behaves.
final class LoadStream {
  let outbox: LoadOutbox
  private let peer: UInt32
  private let remote: tk_address
  private let descriptor: Int32
  private let bytes: UnsafeMutablePointer<UInt8>
  private var count = 0
  private static let capacity = 1 << 17
  /// Bytes of the kernel's buffer: what a peer that stops reading still takes.
  private static let room: Int32 = 1 << 16

  init(peer: UInt32, to address: SocketAddress) throws {
    self.peer = peer
    remote = LoadPeer.raw(address)
    descriptor = tk_load_connect(remote, Self.room)
    guard descriptor >= 0 else { throw BenchError("no TCP connection to the relay: \(-descriptor)") }
    outbox = LoadOutbox(descriptor: descriptor, isStream: true)
    bytes = .allocate(capacity: Self.capacity)
  }

  deinit {
    tk_close(descriptor)
    bytes.deallocate()
  }

  /// Gives every whole frame that is there and to be looked at.
  func read(_ load: OpaquePointer, _ body: (tk_load_item) -> Void) {
    while true {
      let got = tk_load_read(descriptor, bytes + count, UInt32(Self.capacity - count))
      guard got > 0 else { return }
      count += Int(got)
      let now = tk_monotonic_nanoseconds()
      var start = 0
      while count - start >= 2 {
        let length = Int(bytes[start]) << 8 | Int(bytes[start + 1])
        guard count - start >= 2 + length else { break }
        var item = tk_load_item()
        if tk_load_take(load, peer, bytes + start + 2, UInt32(length), now, &item) == 1 {
          item.remote = remote
          body(item)
        }
        start += 2 + length
      }
      bytes.update(from: bytes + start, count: count - start)
      count -= start
    }
  }
}
