/// What became of a seat's presence.
public enum AttendanceChange: Hashable, Sendable {
  case joined
  /// Back within the leave gap, or its connection was replaced.
  case reconnected
  /// Gone for the leave gap; `at` is when the last connection was lost.
  case left(at: Int64)
}

/// Counts one seat's effective time in one lesson, from connections and acknowledgements of media.
///
/// All times are milliseconds of one clock given by the caller; one that runs backwards is held at its latest value.
/// An instant counts when it is inside the window, while the lesson is live, and an acknowledgement of media on a
/// connection that already stood then follows within `acknowledgementMilliseconds`. An idle connection counts nothing,
/// and connections beside each other count once. Constant memory: at most `connectionLimit` connections.
public struct AttendanceTracker: Sendable {
  /// Connections of one seat at one time; further ones are not counted for attendance.
  public static let connectionLimit = 8

  struct Connection: Sendable {
    var peer: UInt64
    /// Everything before this is counted, or was not vouched for.
    var since: Int64
  }

  public let thresholds: AttendanceThresholds
  /// The scheduled window, `windowEnd` exclusive.
  public let windowStart: Int64
  public let windowEnd: Int64

  /// Milliseconds counted so far; never falls.
  public private(set) var effectiveMilliseconds: Int64
  public private(set) var joins = 0
  public private(set) var leaves = 0
  public private(set) var reconnects = 0
  /// Whether the seat counts as present: joined, and no gap has become a leave.
  public private(set) var isPresent = false

  private var connections: [Connection] = []
  private var lastLost: Int64?
  private var latest = Int64.min
  private var coveredUntil = Int64.min
  private var liveSince: Int64?
  /// The live span before this one, kept because an acknowledgement may still vouch for its end.
  private var spanBefore: Range<Int64>?

  /// A new seat, or one recovered after a crash when `effectiveMilliseconds` is what a checkpoint had.
  ///
  /// A window that ends before it starts is empty, so nothing counts.
  public init(
    thresholds: AttendanceThresholds, windowStart: Int64 = .min, windowEnd: Int64 = .max,
    effectiveMilliseconds: Int64 = 0
  ) {
    self.thresholds = thresholds
    self.windowStart = windowStart
    self.windowEnd = windowEnd
    self.effectiveMilliseconds = min(max(0, effectiveMilliseconds), 1 << 61)
  }

  /// A seat of `lesson`: its definitions and its window; an always-live lesson has no bounds.
  public init(lesson: Lesson, effectiveMilliseconds: Int64 = 0) {
    self.init(
      thresholds: AttendanceThresholds.version(lesson.thresholdsVersion) ?? .current,
      windowStart: lesson.isAlwaysLive ? .min : lesson.plannedStart,
      windowEnd: lesson.isAlwaysLive ? .max : lesson.plannedEnd, effectiveMilliseconds: effectiveMilliseconds)
  }

  /// Whether any connection of the seat stands.
  public var isConnected: Bool { !connections.isEmpty }

  /// Whole seconds of `effectiveMilliseconds`.
  public var effectiveSeconds: Int { Int(effectiveMilliseconds / 1000) }

  /// The lesson went live or stopped being so.
  public mutating func setLive(_ isLive: Bool, now: Int64) {
    let now = hold(now)
    if isLive {
      if liveSince == nil { liveSince = now }
    } else if let since = liveSince {
      spanBefore = since..<now
      liveSince = nil
    }
  }

  /// A connection was made, `replacing` another whose loss is then not told. Known peers and those over the limit
  /// change nothing. Returns what it meant, in order; a leave found out late comes before the join.
  public mutating func connect(peer: UInt64, replacing old: UInt64? = nil, now: Int64) -> [AttendanceChange] {
    var changes = advance(now: now).map { [$0] } ?? []
    let now = latest
    let replaced = old.flatMap { old in connections.firstIndex { $0.peer == old } }
    if let replaced { connections.remove(at: replaced) }
    let stood = isConnected
    if !connections.contains(where: { $0.peer == peer }) {
      guard connections.count < Self.connectionLimit else { return changes }
      connections.append(Connection(peer: peer, since: now))
    }
    if !isPresent {
      isPresent = true
      joins += 1
      changes.append(.joined)
    } else if replaced != nil || !stood {
      reconnects += 1
      changes.append(.reconnected)
    }
    lastLost = nil
    return changes
  }

  /// A connection was lost or closed; unknown peers change nothing. The leave comes from `advance`, if it comes.
  public mutating func disconnect(peer: UInt64, now: Int64) {
    let now = hold(now)
    guard let index = connections.firstIndex(where: { $0.peer == peer }) else { return }
    connections.remove(at: index)
    if connections.isEmpty { lastLost = now }
  }

  /// The peer reported media received, further than in its report before; other reports are not told here.
  public mutating func acknowledge(peer: UInt64, now: Int64) {
    let now = hold(now)
    guard let index = connections.firstIndex(where: { $0.peer == peer }) else { return }
    let (vouched, overflow) = now.subtractingReportingOverflow(thresholds.acknowledgementMilliseconds)
    let from = max(connections[index].since, overflow ? .min : vouched, coveredUntil, windowStart)
    connections[index].since = now
    let until = min(now, windowEnd)
    guard from < until else { return }
    // Several connections may leave a hole that a later, longer interval would fill; it stays uncounted, so that the
    // figure can only be too low.
    coveredUntil = until
    if let spanBefore { count(max(from, spanBefore.lowerBound), min(until, spanBefore.upperBound)) }
    if let liveSince { count(max(from, liveSince), until) }
  }

  /// Turns a gap that has become long enough into a leave. To be called at least once a second, or when asked for.
  public mutating func advance(now: Int64) -> AttendanceChange? {
    let now = hold(now)
    guard isPresent, let lost = lastLost, now &- lost >= thresholds.leaveGapMilliseconds else { return nil }
    isPresent = false
    lastLost = nil
    leaves += 1
    return .left(at: lost)
  }

  /// Whether the seat attended a lesson planned to last `plannedMilliseconds`, as of now.
  public func isAttended(plannedMilliseconds: Int64) -> Bool {
    thresholds.isAttended(
      effectiveMilliseconds: effectiveMilliseconds, plannedMilliseconds: plannedMilliseconds)
  }

  private mutating func count(_ from: Int64, _ until: Int64) {
    if from < until { effectiveMilliseconds += until - from }
  }

  /// Times beyond ±2^61 are held there, so that no difference of two of them overflows.
  private mutating func hold(_ now: Int64) -> Int64 {
    let bound = Int64(1) << 61
    latest = max(latest, min(max(now, -bound), bound))
    return latest
  }
}
