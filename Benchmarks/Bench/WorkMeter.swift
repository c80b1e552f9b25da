import CMeasure

/// Adds up what stretches of the relay's work cost: processor time of this thread, allocations, locks.
final class WorkMeter {
  struct Total {
    var nanoseconds: Int64 = 0
    var allocations: UInt64 = 0
    var locks: UInt64 = 0
    /// RTP packets written meanwhile.
    var packets = 0
    var stretches = 0
  }

  private(set) var media = Total()
  private(set) var repair = Total()
  private(set) var control = Total()
  var isRunning = false
  /// Calls that are traced are those of packets: others are not looked at.
  var tracesMediaOnly = false
  /// What two readings of the clock cost by themselves.
  private let overhead: Int64
  private var started: Int64 = 0
  private var before = tk_calls()

  init() {
    overhead =
      (0..<2_000).map { _ in
        let first = tk_thread_nanoseconds()
        return tk_thread_nanoseconds() - first
      }.min() ?? 0
  }

  func begin(_ work: MemoryLesson.Work) {
    guard isRunning else { return }
    before = tk_calls_read()
    started = tk_thread_nanoseconds()
    if !tracesMediaOnly || work != .control { tk_calls_begin() }
  }

  func end(_ work: MemoryLesson.Work) {
    guard isRunning else { return }
    tk_calls_end()
    let time = tk_thread_nanoseconds() - started - overhead
    let calls = tk_calls_read()
    func add(_ total: inout Total) {
      total.nanoseconds += max(time, 0)
      total.allocations += calls.allocations - before.allocations
      total.locks += calls.locks - before.locks
      total.stretches += 1
    }
    switch work {
    case .media: add(&media)
    case .repair: add(&repair)
    case .control: add(&control)
    }
  }

  func sent(_ packets: Int, _ work: MemoryLesson.Work) {
    guard isRunning else { return }
    switch work {
    case .media: media.packets += packets
    case .repair: repair.packets += packets
    case .control: control.packets += packets
    }
  }

  func clear() {
    media = Total()
    repair = Total()
    control = Total()
  }

  /// RTP packets written in all.
  var packets: Int { media.packets + repair.packets + control.packets }
  var nanoseconds: Int64 { media.nanoseconds + repair.nanoseconds + control.nanoseconds }

  /// Whether the counters count at all: an allocation and a lock are planted and must be seen.
  static var isSighted: Bool {
    let before = tk_calls_read()
    tk_calls_begin()
    tk_calls_plant()
    tk_calls_end()
    let after = tk_calls_read()
    return after.allocations == before.allocations + 1 && after.locks == before.locks + 1
  }
}
