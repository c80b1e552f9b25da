import PacketRing

/// What a simulation asks a core to check it.
extension RelayCore {
  /// References to slots that no history, lane, link or granted injection accounts for: 0 unless one is lost. O(slots).
  package func unaccountedReferences() -> Int {
    var known = 0
    for index in 0..<streams.end where streams.contains(index) { known += streams[index].pointee.history.count }
    for index in 0..<peers.end where peers.contains(index) { known += peers[index].pointee.early.count }
    for index in 0..<sinks.end where sinks.contains(index) { known += sinks[index].pointee.outstanding }
    for index in 0..<injections.end where injections.contains(index) { known += injections[index].pointee.granted }
    var borrowed = 0
    for place in 0..<neighbours.end {
      known += neighbours[place].pointee.outstanding
      borrowed += neighbours[place].pointee.borrowed
    }
    let unreturned = abs(borrowed - ledger.borrowedCount) + abs(ledger.countedLeases() - ledger.borrowedCount)
    return ledger.totalReferences() - known + unreturned
  }

  /// Leases that other workers hold, and leases of theirs that are here.
  package var leasesOut: (lent: Int, borrowed: Int) {
    var out = (lent: 0, borrowed: 0)
    for place in 0..<neighbours.end {
      out.lent += neighbours[place].pointee.outstanding
      out.borrowed += neighbours[place].pointee.borrowed
    }
    return out
  }

  /// How much of everything that comes and goes with peers is held, by name.
  package var holdings: [String: Int] {
    var subscriptions = 0
    for index in 0..<tracks.end where tracks.contains(index) {
      subscriptions += tracks[index].pointee.subscriptions.count
    }
    var members = 0
    for index in 0..<lessons.end where lessons.contains(index) { members += lessons[index].pointee.peers.count }
    return [
      "peers": peers.count, "streams": streams.count, "sends": sends.count, "tracks": tracks.count,
      "lessons": lessons.count, "sinks": sinks.count, "injections": injections.count, "paths": paths.count,
      "identities": peerIndices.count, "fragments": fragments.count, "lessonIdentities": lessonIndices.count,
      "controlling": controlling.count, "early": earlyCount, "subscriptions": subscriptions, "members": members,
      "timers": wheel.count,
    ]
  }

  /// What the line to a peer is estimated to carry, bits per second; nil for a peer that is not here.
  package func estimate(of id: PeerID) -> Int64? {
    peerIndices[id].map { peers[$0].pointee.estimator.bitsPerSecond }
  }

  /// Bits per second of the video streams that a peer's panes show.
  package func shownRate(of id: PeerID, now: Instant) -> Int64 {
    guard let index = peerIndices[id] else { return 0 }
    var rate: Int64 = 0
    for send in peers[index].pointee.sendStreams where sends[send].pointee.kind == .video {
      let source = sends[send].pointee.lastSource
      if streams.contains(source) { rate += streams[source].pointee.rate.bitsPerSecond(now: now) }
    }
    return rate
  }
}
