import CMeasure

/// Calls of a thread, kind by kind.
struct CallCounts {
  /// The kinds that no packet may cost, as the reports name them.
  static let kinds: [(name: String, path: any KeyPath<tk_calls, UInt64> & Sendable)] = [
    ("malloc", \.allocations), ("pthread_mutex_lock", \.locks), ("swift_retain", \.retains),
    ("swift_release", \.releases), ("swift_beginAccess", \.accesses), ("swift_allocObject", \.objects),
  ]

  private(set) var raw = tk_calls()

  init(_ raw: tk_calls = tk_calls()) { self.raw = raw }

  mutating func add(_ after: tk_calls, since before: tk_calls = tk_calls()) {
    raw.allocations += after.allocations - before.allocations
    raw.frees += after.frees - before.frees
    raw.locks += after.locks - before.locks
    raw.retains += after.retains - before.retains
    raw.releases += after.releases - before.releases
    raw.accesses += after.accesses - before.accesses
    raw.objects += after.objects - before.objects
  }
}

/// Adds up what stretches of the relay's work cost: processor time and calls of this thread.
final class WorkMeter {
  struct Total {
    var nanoseconds: Int64 = 0
    var calls = CallCounts()
    /// RTP packets taken in or written meanwhile.
    var packets = 0
    var stretches = 0

    var allocations: UInt64 { calls.raw.allocations }
    var locks: UInt64 { calls.raw.locks }
  }

  private(set) var totals: [MemoryLesson.Work: Total] = [:]
  /// Calls within libsrtp2's work on RTCP, whatever stretch it was in; the totals are without them.
  private(set) var srtcp = CallCounts()
  /// Packets that left at another moment than that of their arrival.
  private(set) var heldPackets = 0
  var isRunning = false
  /// Whether calls outside of RTP's way are counted; when places are gathered they are not.
  var countsControl = true
  /// One call of each kind is planted for each RTP packet written.
  var plants = false
  /// What two readings of the clock cost by themselves.
  private let overhead: Int64
  private var started: Int64 = 0
  private var stopped: Int64 = 0
  private var before = tk_calls()
  private var srtcpBefore = tk_calls()

  init() {
    overhead =
      (0..<2_000).map { _ in
        let first = tk_thread_nanoseconds()
        return tk_thread_nanoseconds() - first
      }.min() ?? 0
    // No dictionary grows within a stretch.
    for work in MemoryLesson.Work.allCases { totals[work] = Total() }
  }

  /// - Parameter isControl: nothing of RTP's way lies in this stretch.
  func begin(isControl: Bool = false) {
    guard isRunning else { return }
    before = tk_calls_read()
    srtcpBefore = tk_calls_read_srtcp()
    started = tk_thread_nanoseconds()
    if countsControl || !isControl { tk_calls_begin() }
  }

  /// Nothing more is counted; what it was is told by `end`.
  func pause() {
    guard isRunning else { return }
    tk_calls_end()
    stopped = tk_thread_nanoseconds()
  }

  /// Ends a stretch that took in or wrote so many RTP packets.
  func end(_ work: MemoryLesson.Work, packets: Int = 0, held: Bool = false) {
    guard isRunning else { return }
    pause()
    finish(work, packets: packets, held: held)
  }

  /// Adds the paused stretch to a kind of work.
  func finish(_ work: MemoryLesson.Work, packets: Int, held: Bool = false) {
    guard isRunning else { return }
    if plants, work == .media || work == .repair {
      tk_calls_begin()
      for _ in 0..<packets { Planted.plant() }
      tk_calls_end()
    }
    totals[work]!.nanoseconds += max(stopped - started - overhead, 0)  // all kinds are there
    totals[work]!.calls.add(tk_calls_read(), since: before)
    totals[work]!.packets += packets
    totals[work]!.stretches += 1
    srtcp.add(tk_calls_read_srtcp(), since: srtcpBefore)
    if held { heldPackets += packets }
  }

  func clear() {
    for work in MemoryLesson.Work.allCases { totals[work] = Total() }
    srtcp = CallCounts()
    heldPackets = 0
  }

  subscript(work: MemoryLesson.Work) -> Total { totals[work]! }  // all kinds are there

  /// RTP packets written in all.
  var packets: Int { self[.media].packets + self[.repair].packets + self[.control].packets }
  var nanoseconds: Int64 { totals.values.reduce(0) { $0 + $1.nanoseconds } }

  /// Whether the counters count at all: one call of each kind is planted and must be seen.
  static var isSighted: Bool {
    let before = tk_calls_read()
    tk_calls_begin()
    Planted.plant()
    tk_calls_end()
    var seen = CallCounts()
    seen.add(tk_calls_read(), since: before)
    let raw = seen.raw
    return raw.allocations >= 1 && raw.locks == 1 && raw.accesses == 1 && raw.retains == 1 && raw.releases == 2
      && raw.objects == 1
  }
}

/// What is planted is made of an object of this class.
final class Planted: Sendable {
  private static let kept = Planted()
  private init() {}

  /// One of each kind of call.
  static func plant() { tk_calls_plant(pointer) }

  static var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(kept).toOpaque() }
}
