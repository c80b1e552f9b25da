import CLinuxIO
import Glibc
import PacketRing
import RTCCore
import RTCWire

private let readable = Int32(TK_READABLE)
private let writable = Int32(TK_WRITABLE)

/// One accepted connection.
struct TCPConnection {
  let descriptor: Int32
  let path: NetworkPath
  /// Microseconds of the monotonic clock.
  let acceptedAt: Int64
  /// A check on it has been authenticated.
  var isProven = false
  var frame = TCPFrame()
  /// Room the core was last told of, less what was written since.
  var room = 0
  var isWritten = false
  var waitsForRoom = false
  /// The rest of what the kernel took in part: nothing else is ever kept. Nil while there is none.
  var pending: UnsafeMutableRawPointer?
  var pendingStart = 0
  var pendingEnd = 0
}

/// The worker's passive TCP side (RFC 6544): framed packets (RFC 4571) straight into slots, and out of the arena.
///
/// Limits: `limit` connections; `addressLimit` of one IPv4 address or IPv6 /64 that have shown no check yet, each for 5
/// s; one slot and 64 KiB of a partly written train each. Nothing here waits: what a connection has no room for is a
/// counted drop.
struct TCPConnections: ~Copyable {
  static let framesPerTurn = 32
  static let acceptsPerTurn = 32
  static let proofMicroseconds: Int64 = 5_000_000
  /// A train's 64,000 bytes with the lengths of its 64 packets, and checks behind it.
  static let pendingLimit = 65_536
  private static let listenerKey = UInt32.max

  let port: UInt16
  /// Readable when anything here is ready.
  let set: Int32
  private let listener: Int32
  private let limit: Int
  private let addressLimit: Int
  private var connections: [TCPConnection?]
  private var numbers: [UInt32]
  private var free: [UInt32]
  /// Places that the last sending wrote to.
  private var written: [UInt32] = []
  private var nextSweep: Int64 = 0
  /// The process is out of descriptors: the listener rests until then.
  private var restsUntil: Int64?
  private var ready = [tk_ready](repeating: tk_ready(), count: TK_BATCH)
  private(set) var counters = TCPCounters()

  /// - Throws: the errno of the system, as when the port is taken.
  init(port: UInt16, loopbackOnly: Bool, limit: Int, addressLimit: Int) throws(SocketError) {
    precondition(limit > 0 && limit < 65_536)
    let descriptor = tk_tcp_listen(port, loopbackOnly ? 1 : 0)
    guard descriptor >= 0 else { throw SocketError(code: -descriptor) }
    let set = tk_set_open()
    guard set >= 0 else {
      tk_close(descriptor)
      throw SocketError(code: -set)
    }
    self.port = port
    self.set = set
    listener = descriptor
    self.limit = limit
    self.addressLimit = addressLimit
    connections = Array(repeating: nil, count: limit)
    // A place's connections are numbered place, place + limit, …: the number tells the place, and names no other.
    numbers = (0..<UInt32(limit)).map { $0 }
    free = (0..<UInt32(limit)).reversed()
    written.reserveCapacity(limit)
    _ = tk_set_watch(set, listener, Self.listenerKey, readable, 1)
  }

  deinit {
    for connection in connections {
      guard let connection else { continue }
      tk_close(connection.descriptor)
      connection.pending?.deallocate()
    }
    tk_close(listener)
    tk_close(set)
  }

  private func place(of path: NetworkPath) -> Int? {
    let place = Int(path.connection) % limit
    guard let connection = connections[place], connection.path.connection == path.connection else { return nil }
    return place
  }

  // MARK: Receiving

  /// Accepts, reads and looks for room, each by its measure; what is left over is ready again at once.
  mutating func receive(_ core: inout RelayCore, arena: SlotArena, now: Now) {
    let count = Int(tk_set_ready(set, &ready, Int32(TK_BATCH)))
    for index in 0..<max(count, 0) {
      let event = ready[index]
      if event.key == Self.listenerKey {
        accept(now: now)
        continue
      }
      let place = Int(event.key)
      if event.flags & UInt32(writable) != 0 { makeRoom(place, &core, now: now) }
      if event.flags & UInt32(readable) != 0 { read(place, &core, arena: arena, now: now) }
    }
  }

  private mutating func accept(now: Now) {
    for _ in 0..<Self.acceptsPerTurn {
      var remote = tk_address()
      var local = tk_address()
      let descriptor = tk_tcp_accept(listener, &remote, &local)
      switch -descriptor {
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        _ = tk_set_watch(set, listener, Self.listenerKey, 0, 0)
        restsUntil = now.monotonic.microseconds + 1_000_000
        return
      case ECONNABORTED, EINTR: continue
      default: if descriptor < 0 { return }
      }
      open(descriptor, local: SocketAddress(local), remote: SocketAddress(remote), now: now)
    }
  }

  private mutating func open(_ descriptor: Int32, local: SocketAddress, remote: SocketAddress, now: Now) {
    guard !free.isEmpty else { return refuse(descriptor, .workerLimit) }
    guard unproven(of: remote) < addressLimit else { return refuse(descriptor, .addressLimit) }
    let place = free.removeLast()
    let (next, wraps) = numbers[Int(place)].addingReportingOverflow(UInt32(limit))
    numbers[Int(place)] = wraps ? UInt32(limit) + place : next
    guard tk_set_watch(set, descriptor, place, readable, 1) == 0 else {
      free.append(place)
      return refuse(descriptor, .workerLimit)
    }
    connections[Int(place)] = TCPConnection(
      descriptor: descriptor, path: NetworkPath(local: local, remote: remote, connection: numbers[Int(place)]),
      acceptedAt: now.monotonic.microseconds)
    counters.accepted &+= 1
    counters.connections += 1
  }

  private mutating func refuse(_ descriptor: Int32, _ reason: TCPRefusal) {
    counters.refuse(reason)
    tk_close(descriptor)
  }

  /// Connections of an address that have shown no check; of IPv6, of its /64, which is one site's.
  private func unproven(of remote: SocketAddress) -> Int {
    guard counters.connections > 0 else { return 0 }
    return connections.count { connection in
      guard let connection, !connection.isProven else { return false }
      return connection.path.remote.family == remote.family && connection.path.remote.high == remote.high
    }
  }

  private mutating func read(_ place: Int, _ core: inout RelayCore, arena: SlotArena, now: Now) {
    for _ in 0..<Self.framesPerTurn {
      guard var connection = connections[place] else { return }
      if connection.frame.isMalformed(limit: arena.stride) {
        counters.refuse(.badFrame)
        return close(place, &core, now: now)
      }
      let missing = connection.frame.missing
      if missing > 0, connection.frame.slot == nil {
        // Without a slot the bytes wait in the kernel.
        guard let slot = core.claimSlot() else { return }
        connection.frame.slot = slot
      }
      var next: (UInt8, UInt8) = (0, 0)
      let bytes = connection.frame.slot.map { arena.pointer($0) + connection.frame.offset }
      let room = connection.frame.lengthRoom
      let count = withUnsafeMutableBytes(of: &next) {
        tk_tcp_receive(
          connection.descriptor, bytes, UInt32(missing), $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
          UInt32(room))
      }
      guard count > 0 else {
        connections[place] = connection
        if -count != EAGAIN, -count != EINTR { close(place, &core, now: now) }
        return
      }
      counters.bytesReceived &+= UInt64(count)
      if let byteCount = connection.frame.take(Int(count), next: next), let slot = connection.frame.slot {
        connection.frame.slot = nil
        core.receive(slot, byteCount: byteCount, path: connection.path, now: now)
        if !connection.isProven { connection.isProven = core.isAuthenticated(connection.path) }
      }
      connections[place] = connection
      // Fewer than asked for: there is no more yet.
      if count < missing + room { return }
    }
  }

  private mutating func close(_ place: Int, _ core: inout RelayCore, now: Now) {
    guard let connection = connections[place] else { return }
    connections[place] = nil
    counters.connections -= 1
    if let slot = connection.frame.slot { core.releaseSlot(slot) }
    connection.pending?.deallocate()
    tk_close(connection.descriptor)
    free.append(UInt32(place))
    core.connectionClosed(connection.path, now: now)
  }

  /// Twice a second: ends connections without a peer, and the listener's rest. To be called every turn.
  mutating func sweep(_ core: inout RelayCore, now: Now) {
    let moment = now.monotonic.microseconds
    guard moment >= nextSweep else { return }
    nextSweep = moment + 500_000
    if let until = restsUntil, moment >= until {
      restsUntil = nil
      _ = tk_set_watch(set, listener, Self.listenerKey, readable, 0)
    }
    guard counters.connections > 0 else { return }
    for place in connections.indices {
      guard let connection = connections[place] else { continue }
      let isProven = core.isAuthenticated(connection.path)
      connections[place]!.isProven = isProven  // present: just read
      if !isProven, moment - connection.acceptedAt >= Self.proofMicroseconds {
        counters.refuse(.noCheck)
        close(place, &core, now: now)
      }
    }
  }

  // MARK: Sending

  /// Writes a train as frames. What the kernel does not take is finished later, as far as 64 KiB hold it; the rest is
  /// dropped and counted.
  mutating func send(_ train: Train, at base: UnsafeMutableRawPointer) {
    guard let place = place(of: train.path) else {
      counters.packetsDropped &+= UInt64(train.segmentCount)
      return
    }
    let total = train.byteCount + 2 * train.segmentCount
    if !connections[place]!.isWritten {  // present: place(of:) found it
      connections[place]!.isWritten = true
      written.append(UInt32(place))
    }
    connections[place]!.room -= total
    let start = base + train.offset
    var sent = 0
    if connections[place]!.pending == nil {
      let count = tk_tcp_send_frames(
        connections[place]!.descriptor, start, UInt32(train.byteCount), UInt32(train.segmentByteCount))
      // A connection that failed is closed by what its next read says.
      if count < 0, -count != EAGAIN {
        counters.packetsDropped &+= UInt64(train.segmentCount)
        return
      }
      sent = max(Int(count), 0)
      counters.bytesSent &+= UInt64(sent)
      if sent == total { return }
    }
    keep(train, start, after: sent, place: place)
  }

  /// Keeps what is left of a train behind its first `sent` framed bytes, as far as it fits.
  private mutating func keep(_ train: Train, _ start: UnsafeMutableRawPointer, after sent: Int, place: Int) {
    var connection = connections[place]!  // the caller has checked
    var framed = 0
    for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
      let size = min(train.segmentByteCount, train.byteCount - offset)
      let done = min(max(sent - framed, 0), size + 2)
      framed += size + 2
      guard done < size + 2 else { continue }
      guard Self.pendingLimit - connection.pendingEnd >= size + 2 - done else {
        counters.packetsDropped &+= 1
        continue
      }
      let pending = connection.pending ?? .allocate(byteCount: Self.pendingLimit, alignment: 16)
      connection.pending = pending
      let length = (UInt8(size >> 8), UInt8(size & 255))
      withUnsafeBytes(of: length) {
        (pending + connection.pendingEnd).copyMemory(
          from: $0.baseAddress! + min(done, 2), byteCount: 2 - min(done, 2))  // two bytes, not empty
      }
      connection.pendingEnd += 2 - min(done, 2)
      let body = max(done - 2, 0)
      (pending + connection.pendingEnd).copyMemory(from: start + offset + body, byteCount: size - body)
      connection.pendingEnd += size - body
    }
    connections[place] = connection
  }

  /// After sending: tells the core of the room there is, or waits for the kernel to tell of it.
  mutating func settle(_ core: inout RelayCore, now: Now) {
    for place in written {
      guard connections[Int(place)] != nil else { continue }
      connections[Int(place)]!.isWritten = false
      let isUsedUp = connections[Int(place)]!.room < RelayCore.connectionPacketRoom
      if isUsedUp || !measure(Int(place), &core, now: now) { waitForRoom(Int(place), true) }
    }
    written.removeAll(keepingCapacity: true)
  }

  private mutating func waitForRoom(_ place: Int, _ waits: Bool) {
    guard let connection = connections[place], connection.waitsForRoom != waits else { return }
    connections[place]!.waitsForRoom = waits
    _ = tk_set_watch(
      set, connection.descriptor, UInt32(place), waits ? readable | writable : readable, 0)
  }

  /// The kernel takes bytes again: first the rest of what it has taken in part.
  private mutating func makeRoom(_ place: Int, _ core: inout RelayCore, now: Now) {
    guard let connection = connections[place] else { return }
    if let pending = connection.pending {
      let left = UInt32(connection.pendingEnd - connection.pendingStart)
      let count = tk_tcp_send(connection.descriptor, pending + connection.pendingStart, left)
      guard count > 0 else { return }
      counters.bytesSent &+= UInt64(count)
      connections[place]!.pendingStart += Int(count)
      guard connections[place]!.pendingStart == connection.pendingEnd else { return }
      pending.deallocate()
      connections[place]!.pending = nil
      connections[place]!.pendingStart = 0
      connections[place]!.pendingEnd = 0
    }
    if measure(place, &core, now: now) { waitForRoom(place, false) }
  }

  /// Tells the core of the room there is; false when that is none.
  private mutating func measure(_ place: Int, _ core: inout RelayCore, now: Now) -> Bool {
    guard let connection = connections[place], connection.pending == nil else { return false }
    let unsent = tk_tcp_unsent(connection.descriptor)
    guard unsent >= 0 else { return false }
    let room = Int(TK_TCP_UNSENT_LIMIT) - RelayCore.connectionReserve - Int(unsent)
    guard room >= RelayCore.connectionPacketRoom else { return false }
    connections[place]!.room = room
    core.setRoom(connection.path, byteCount: room, now: now)
    return true
  }
}
