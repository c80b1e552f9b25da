import Classroom
import RTCCore

/// The sessions there are, found by URL, transport, seat and lesson without a search; with counts of them.
///
/// Cost of each call: O(1), of those that return several O(their number).
struct SessionBook {
  private var sessions: [PeerID: Session] = [:]
  private var names: [String: PeerID] = [:]
  private var bySeat: [Identifier: Set<PeerID>] = [:]
  private var byLesson: [Identifier: Set<PeerID>] = [:]
  private var watching: [Identifier: Int] = [:]
  /// Transports of each worker.
  private(set) var peers: [Int]
  /// UTC milliseconds when the last receiving transport of a seat that stood went, of those whose end is not long ago.
  private var leftAt: [Identifier: Int64] = [:]

  /// A seat that comes back within this many milliseconds was just there.
  static let returnSpan: Int64 = 60_000

  init(workers: Int) { peers = Array(repeating: 0, count: workers) }

  var count: Int { sessions.count }
  var all: some Collection<Session> { sessions.values }
  subscript(peer: PeerID) -> Session? { sessions[peer] }
  subscript(name: String) -> Session? { names[name].flatMap { sessions[$0] } }

  func of(seat: Identifier) -> [Session] { bySeat[seat, default: []].compactMap { sessions[$0] } }
  func of(lesson: Identifier) -> [Session] { byLesson[lesson, default: []].compactMap { sessions[$0] } }
  func count(seat: Identifier) -> Int { bySeat[seat]?.count ?? 0 }

  /// Receiving transports of the lesson that stand.
  func watching(_ lesson: Identifier) -> Int { watching[lesson] ?? 0 }

  mutating func insert(_ session: Session) {
    sessions[session.peer] = session
    names[session.name] = session.peer
    bySeat[session.seat, default: []].insert(session.peer)
    byLesson[session.lesson, default: []].insert(session.peer)
    peers[session.worker] += 1
    if session.isWatching { watching[session.lesson, default: 0] += 1 }
  }

  mutating func change(_ peer: PeerID, _ change: (inout Session) -> Void) {
    guard let wasWatching = sessions[peer]?.isWatching else { return }
    change(&sessions[peer]!)  // just looked up
    guard let session = sessions[peer], session.isWatching != wasWatching else { return }
    watching[session.lesson, default: 0] += wasWatching ? -1 : 1
  }

  @discardableResult
  mutating func remove(_ peer: PeerID, now: Int64) -> Session? {
    guard let session = sessions.removeValue(forKey: peer) else { return nil }
    names[session.name] = nil
    Self.take(peer, outOf: &bySeat, session.seat)
    Self.take(peer, outOf: &byLesson, session.lesson)
    peers[session.worker] -= 1
    if session.isWatching { watching[session.lesson, default: 0] -= 1 }
    if session.isConnected, !session.isPublishing { leftAt[session.seat] = now }
    return session
  }

  mutating func removeAll(of lesson: Identifier) {
    for peer in byLesson[lesson] ?? [] {
      guard let session = sessions.removeValue(forKey: peer) else { continue }
      names[session.name] = nil
      bySeat[session.seat] = nil
      peers[session.worker] -= 1
    }
    byLesson[lesson] = nil
    watching[lesson] = nil
  }

  private static func take(_ peer: PeerID, outOf index: inout [Identifier: Set<PeerID>], _ key: Identifier) {
    index[key]?.remove(peer)
    if index[key]?.isEmpty == true { index[key] = nil }
  }

  /// Whether one more session of the seat is its return: it stood within the last 60 s, and speaks by one transport at
  /// most, since a page that is loaded again leaves one behind that has not gone silent yet.
  func isReturning(_ seat: Identifier, now: Int64) -> Bool {
    let standing = of(seat: seat).filter { $0.isConnected && !$0.isPublishing }
    let wasThere = !standing.isEmpty || leftAt[seat].map { now - $0 < Self.returnSpan } ?? false
    return wasThere && standing.count { !$0.isSilent(now: now) } <= 1
  }

  /// Forgets seats that have been gone for long.
  mutating func forgetLeft(now: Int64) { leftAt = leftAt.filter { now - $0.value < Self.returnSpan } }
}
