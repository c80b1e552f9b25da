package import RTCCore

/// Which worker carries what.
///
/// - A lesson is placed whole, when it is opened, at the least-loaded worker: its *home*. What publishes it and what
///   records it is there, always. A lesson counts as eight receivers until it has them, so that lessons opened
///   together do not all find the same worker idle.
/// - A receiver goes to the home, unless the home is *over its share* (above 0.4 of a processor, and above the mean of
///   all workers by 0.1) and the lesson has at least `spreadThreshold` receivers there. Then it goes to the
///   least-loaded worker; one that the lesson is linked to already is preferred until another is less loaded by 0.1,
///   because each link costs a copy of every forward entry.
/// - Whoever is refused by the first choice may take the next: `candidates` gives all, in this order.
/// - A link without receivers for 60 s ends.
///
/// A load is a share of a processor, 1 = all of it. Cost of each call: O(workers), of `open` O(lessons).
package struct WorkerPlacement: Sendable {
  /// Receivers of a lesson at its home before it may spread.
  package static let spreadThreshold = 64
  package static let comfort = 0.4
  package static let margin = 0.1
  /// UTC milliseconds a link stays without receivers.
  package static let idleSpan: Int64 = 60_000
  /// What a lesson without receivers counts for, and for how many.
  private static let reserve = (receivers: 8, load: 0.0011)

  private struct Place {
    let home: Int
    var receivers: [Int]
    /// Workers that have the lesson.
    var isOpen: [Bool]
    /// When the last receiver left a worker that is not the home, UTC milliseconds.
    var idleSince: [Int64?]
  }

  package let workers: Int
  private var places: [LessonID: Place] = [:]

  package init(workers: Int) {
    precondition(workers > 0, "a relay has a worker")
    self.workers = workers
  }

  // MARK: Lessons

  /// Places a new lesson and says where its home is.
  package mutating func open(_ lesson: LessonID, loads: [Double]) -> Int {
    var expected = loads
    for place in places.values {
      let missing = max(0, Self.reserve.receivers - place.receivers[place.home])
      expected[place.home] += Double(missing) * Self.reserve.load
    }
    let home = Self.least(expected, among: 0..<workers)
    var place = Place(
      home: home, receivers: Array(repeating: 0, count: workers), isOpen: Array(repeating: false, count: workers),
      idleSince: Array(repeating: nil, count: workers))
    place.isOpen[home] = true
    places[lesson] = place
    return home
  }

  package mutating func close(_ lesson: LessonID) { places[lesson] = nil }

  package func home(of lesson: LessonID) -> Int? { places[lesson]?.home }

  /// The workers that have the lesson, its home first.
  package func workers(of lesson: LessonID) -> [Int] {
    guard let place = places[lesson] else { return [] }
    return [place.home] + (0..<workers).filter { $0 != place.home && place.isOpen[$0] }
  }

  package func isOpen(_ lesson: LessonID, at worker: Int) -> Bool { places[lesson]?.isOpen[worker] ?? false }

  package func receivers(of lesson: LessonID, at worker: Int) -> Int { places[lesson]?.receivers[worker] ?? 0 }

  // MARK: Receivers

  /// The workers that may take one more receiver, the one to take it first.
  package func candidates(of lesson: LessonID, loads: [Double]) -> [Int] {
    guard let place = places[lesson] else { return [] }
    let home = place.home
    let mean = loads.reduce(0, +) / Double(workers)
    let isOverShare = loads[home] > Self.comfort && loads[home] > mean + Self.margin
    var first = home
    if isOverShare, place.receivers[home] >= Self.spreadThreshold {
      first = Self.least(loads, among: (0..<workers).filter { place.isOpen[$0] })
      let other = Self.least(loads, among: 0..<workers)
      if loads[other] < loads[first] - Self.margin { first = other }
    }
    let others = (0..<workers).filter { $0 != first }.sorted { (loads[$0], $0) < (loads[$1], $1) }
    return [first] + others
  }

  /// The lesson has been opened at a worker besides its home.
  package mutating func link(_ lesson: LessonID, to worker: Int, now: Int64) {
    places[lesson]?.isOpen[worker] = true
    places[lesson]?.idleSince[worker] = now
  }

  package mutating func unlink(_ lesson: LessonID, from worker: Int) {
    places[lesson]?.isOpen[worker] = false
    places[lesson]?.idleSince[worker] = nil
  }

  package mutating func join(_ lesson: LessonID, at worker: Int) {
    places[lesson]?.receivers[worker] += 1
    places[lesson]?.idleSince[worker] = nil
  }

  package mutating func leave(_ lesson: LessonID, at worker: Int, now: Int64) {
    guard let place = places[lesson], place.receivers[worker] > 0 else { return }
    places[lesson]?.receivers[worker] -= 1
    if place.receivers[worker] == 1, worker != place.home { places[lesson]?.idleSince[worker] = now }
  }

  /// Links nobody has used for `idleSpan`.
  package func idleLinks(now: Int64) -> [(lesson: LessonID, worker: Int)] {
    places.flatMap { lesson, place in
      place.idleSince.enumerated().compactMap { worker, since in
        guard let since, now - since >= Self.idleSpan else { return nil }
        return (lesson, worker)
      }
    }
  }

  /// The least loaded; of several the first.
  private static func least(_ loads: [Double], among workers: some Sequence<Int>) -> Int {
    workers.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
  }
}
