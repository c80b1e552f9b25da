/// What there is no more of when a relay refuses with 503: the `reason` of the problem document.
///
/// Each has `full.<case>` (what is full) and `full.<case>.do` (what to do) in the catalogue.
package enum Shortage: String, Sendable, CaseIterable {
  /// Measured load: a worker's processor, its delay, its packet buffers, and the line of the whole relay.
  case processor, backlog, slots, uplink
  /// Counted: transports of a worker, sessions of the relay, sessions of one seat, open lessons, followers of a lesson.
  case peers, sessions, seat, lessons, followers
  /// Recordings that a relay plays into lessons at once.
  case playbacks
  /// The queue of commands to a worker.
  case commands

  /// What joins are measured against, in the order they are.
  package static let ofJoins: [Shortage] = [.sessions, .peers, .slots, .processor, .backlog, .uplink]
}

extension Problem {
  package static func full(_ shortage: Shortage, retryAfter: Int) -> Problem {
    Problem(.full, arguments: ["reason": shortage.rawValue], retryAfter: retryAfter)
  }
}
