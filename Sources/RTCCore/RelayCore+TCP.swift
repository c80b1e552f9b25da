// A peer whose selected path is a TCP connection (RFC 6544). The connection paces itself: what waits for room waits as
// forward entries, bounded in milliseconds, and is sealed when there is room.

extension RelayCore {
  /// Bytes of a connection's room that are kept for sound, reports and checks: media stops so far before its end.
  public static let connectionReserve = 8_192
  /// Room that any one packet fits, its length before it (RFC 4571 §2).
  public static let connectionPacketRoom = EgressArena.datagramLimit + 2
  /// Taken to be there until the first `setRoom`.
  static let connectionStart = 16_384
  /// Sound and picture that have waited so long for a connection are not worth sending any more.
  static let connectionQueueLimit = Interval.milliseconds(400)
  /// A burst from the history that has not come up with the present by then never will.
  static let connectionBurstLimit = Interval.seconds(3)

  /// Says how many bytes the connection of a path takes now, what is reserved already taken off; negative when it is
  /// into its reserve. Of a path that no peer has chosen this says nothing.
  public mutating func setRoom(_ path: NetworkPath, byteCount: Int, now: Now) {
    guard let index = paths.peer(for: path), peers[index].pointee.path == path else { return }
    let peer = peers[index]
    peer.pointee.room = byteCount
    if peer.pointee.takesPicture {
      peer.pointee.lastRoom = now.monotonic
      unblock(index, now: now)
    }
    let isWaiting =
      !peer.pointee.audioQueue.isEmpty || !peer.pointee.videoQueue.isEmpty || !peer.pointee.repairQueue.isEmpty
    if isWaiting || isCatchingUp(index) { markDirty(index) }
  }

  /// Forgets the path of a connection that has closed. A peer that had chosen it keeps its seat and waits for a check
  /// on another, for as long as a silent peer is waited for.
  public mutating func connectionClosed(_ path: NetworkPath, now: Now) {
    guard let index = paths.peer(for: path) else { return }
    let peer = peers[index]
    forget(path, peer: index)
    peer.pointee.paths.removeAll { $0 == path }
    peer.pointee.ice.forget(path)
    guard peer.pointee.path == path else { return }
    peer.pointee.path = nil
    block(index, now: now)
  }

  /// Whether a check on this path has been authenticated and its peer is still there.
  public func isAuthenticated(_ path: NetworkPath) -> Bool { paths.peer(for: path) != nil }

  /// Sends to a peer by this path from now on.
  mutating func choose(_ path: NetworkPath, peer index: Int32, now: Now) {
    let peer = peers[index]
    peer.pointee.path = path
    peer.pointee.catchingUpSince = nil
    peer.pointee.room = path.connection == 0 ? nil : Self.connectionStart
    peer.pointee.lastRoom = now.monotonic
    if peer.pointee.isBlocked { dropAgedSound(index, now: now) }
    unblock(index, now: now)
  }

  /// Drops what has waited too long for its connection: sound by itself, pictures to the next key frame.
  mutating func dropAged(_ index: Int32, now: Now) {
    dropAgedSound(index, now: now)
    let peer = peers[index]
    if isCatchingUp(index) {
      let since = peer.pointee.catchingUpSince ?? now.monotonic
      peer.pointee.catchingUpSince = since
      if now.monotonic - since > Self.connectionBurstLimit { return hold(index, now: now) }
    } else {
      peer.pointee.catchingUpSince = nil
    }
    guard !peer.pointee.takesPicture, !peer.pointee.videoQueue.isEmpty else { return }
    let waited = now.monotonic.microseconds - peer.pointee.videoQueue.first.queuedAt
    if waited > Self.connectionQueueLimit.microseconds { hold(index, now: now) }
  }

  private mutating func dropAgedSound(_ index: Int32, now: Now) {
    let peer = peers[index]
    let oldest = now.monotonic.microseconds - Self.connectionQueueLimit.microseconds
    while !peer.pointee.audioQueue.isEmpty, peer.pointee.audioQueue.first.queuedAt < oldest {
      _ = peer.pointee.audioQueue.pop()
      tally.drop(.connectionFull)
    }
  }

  /// The line takes less than is sent. One that still takes something is thin, and the estimate says so; one that takes
  /// nothing is down, which says nothing of how much it will carry.
  private mutating func hold(_ index: Int32, now: Now) {
    let peer = peers[index]
    if let last = peer.pointee.lastRoom, now.monotonic - last < Self.connectionQueueLimit {
      peer.pointee.estimator.lineFull(now: now.monotonic)
    }
    block(index, now: now)
    if peer.pointee.takesPicture { unblock(index, now: now) }
  }

  private mutating func block(_ index: Int32, now: Now) {
    let peer = peers[index]
    peer.pointee.isBlocked = true
    peer.pointee.catchingUpSince = nil
    for send in peer.pointee.sendStreams where sends[send].pointee.kind == .video && !sends[send].pointee.isPaused {
      dropVideo(of: send, now: now, wantsPicture: false)
    }
    tally.drop(.connectionFull, peer.pointee.repairQueue.count)
    peer.pointee.repairQueue.removeAll()
  }

  /// There is room again: pictures go on at a key frame.
  private mutating func unblock(_ index: Int32, now: Now) {
    guard peers[index].pointee.isBlocked else { return }
    peers[index].pointee.isBlocked = false
    if peers[index].pointee.phase == .connected { checkLayers(peer: index, now: now) }
  }
}

extension Peer {
  /// Whether one more packet of a picture may leave: by the connection's room, or by the pacer's budget over UDP.
  var takesPicture: Bool { room.map { $0 >= RelayCore.connectionPacketRoom } ?? budget.isOpen }
  /// Sound may take half of the reserve, reports the rest.
  var takesSound: Bool { room.map { $0 >= -RelayCore.connectionReserve / 2 } ?? true }
  var takesReports: Bool { room.map { $0 >= RelayCore.connectionPacketRoom - RelayCore.connectionReserve } ?? true }

  mutating func spendRoom(_ byteCount: Int) {
    if let room { self.room = room - byteCount - 2 }
  }
}
