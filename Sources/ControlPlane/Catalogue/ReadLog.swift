import Classroom
import Ledger
import Synchronization

/// Keeps who reads recordings: a line when somebody begins, and again when they still do a while later. A player asks
/// for dozens of ranges of one file, which are one reading.
final class ReadLog: Sendable {
  /// Milliseconds that a line stands for.
  static let span: Int64 = 300_000
  /// Readings that are told apart; beyond them each request is a line.
  static let limit = 20_000

  private struct Reader: Hashable {
    var file: Identifier
    var actor: Identifier?
    var link: String
    var address: String
  }

  private let store: LedgerStore
  private let seen = Mutex<[Reader: Int64]>([:])

  init(store: LedgerStore) { self.store = store }

  /// Durable before it returns. Returns whether it was a new line.
  func note(_ reading: RecordingRead) throws -> Bool {
    let reader = Reader(file: reading.file, actor: reading.actor, link: reading.link, address: reading.address)
    let isNew = seen.withLock { seen in
      if let at = seen[reader], (0..<Self.span).contains(reading.at - at) { return false }
      if seen.count >= Self.limit { seen = seen.filter { (0..<Self.span).contains(reading.at - $0.value) } }
      if seen.count < Self.limit { seen[reader] = reading.at }
      return true
    }
    guard isNew else { return false }
    do { try store.record(reading) } catch {
      seen.withLock { $0[reader] = nil }
      throw error
    }
    return true
  }
}

/// The players that are playing, so that what they tell is bounded and in order.
final class PlaybackBook: Sendable {
  static let limit = 10_000
  /// Acts of one session: a lesson that somebody marks and seeks in all the time.
  static let actLimit = 1_000
  /// Acts of one session in a minute, and sessions that one address begins in it.
  static let paceLimit = 60
  /// Milliseconds after which a session that says nothing is forgotten.
  static let silence: Int64 = 12 * 3_600_000

  struct Session {
    var resource: Identifier
    /// Who began it: a token's subject or a link.
    var reader: String
    var startedAt: Int64
    var lastAt: Int64
    var acts = 1
    var minute: Int64
    var inMinute = 1
  }

  private struct State {
    var sessions: [Identifier: Session] = [:]
    var begun: [String: (minute: Int64, count: Int)] = [:]
  }

  private let state = Mutex(State())

  /// Begins a session. False when it was begun already, by the same reader.
  /// - Throws: `tooFast`, `full` sessions, `notFound` for somebody else's.
  func begin(_ id: Identifier, resource: Identifier, reader: String, address: String, now: Int64) throws -> Bool {
    try state.withLock { state in
      if let known = state.sessions[id] {
        guard known.reader == reader, known.resource == resource else { throw Problem(.notFound) }
        return false
      }
      let minute = now / 60_000
      if state.begun.count >= Self.limit { state.begun = state.begun.filter { $0.value.minute == minute } }
      var pace = state.begun[address] ?? (minute, 0)
      if pace.minute != minute { pace = (minute, 0) }
      pace.count += 1
      guard pace.count <= Self.paceLimit else { throw Problem(.tooFast, retryAfter: 60) }
      if state.sessions.count >= Self.limit {
        state.sessions = state.sessions.filter { now - $0.value.lastAt < Self.silence }
        guard state.sessions.count < Self.limit else { throw Problem(.tooFast, retryAfter: 60) }
      }
      state.begun[address] = pace
      state.sessions[id] = Session(
        resource: resource, reader: reader, startedAt: now, lastAt: now, minute: minute)
      return true
    }
  }

  /// Takes a further act of a session; with an end it is forgotten. Returns when it began.
  /// - Throws: `notFound`, `tooFast`.
  func go(_ id: Identifier, resource: Identifier, reader: String, ends: Bool, now: Int64) throws -> Int64 {
    try state.withLock { state in
      guard var session = state.sessions[id], session.reader == reader, session.resource == resource else {
        throw Problem(.notFound)
      }
      let minute = now / 60_000
      if session.minute != minute { (session.minute, session.inMinute) = (minute, 0) }
      session.inMinute += 1
      session.acts += 1
      guard session.inMinute <= Self.paceLimit, session.acts <= Self.actLimit || ends else {
        throw Problem(.tooFast, retryAfter: 60)
      }
      session.lastAt = now
      state.sessions[id] = ends ? nil : session
      return session.startedAt
    }
  }
}
