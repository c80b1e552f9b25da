import RTCWire

/// Where a publishing session's clock stands against ours, shared by its audio and video so that lips stay in step.
///
/// The offset aimed at is the smallest seen difference between arrival and the sender's own time of a packet: queues
/// only ever add to it. Two windows of ten seconds follow a clock that runs slow or fast. The offset in use begins with
/// what the first stream to report has been mapped by, and moves towards the aim by at most 1 ms a second: a publisher
/// that begins with a burst, as `ffmpeg -re` does with half a second, would otherwise have pictures and sound squeezed
/// together, each at its own report. More than a second off is taken at once.
struct SessionClock {
  private static let window = Interval.seconds(10)
  private static let jumpMicroseconds: Int64 = 1_000_000
  private var inUse: (offset: Int64, at: Instant)?
  private var windowStart: Instant?
  private var currentMinimum: Int64 = .max
  private var previousMinimum: Int64 = .max

  /// Microseconds to add to a sender's time to get ours, the same for all streams of the session.
  /// - Parameter mapped: what the reporting stream has been mapped by until now.
  mutating func offset(mapped: Int64, now: Instant) -> Int64 {
    let smallest = min(currentMinimum, previousMinimum)
    let aim = smallest == .max ? mapped : smallest
    var offset = inUse?.offset ?? mapped
    let step = inUse.map { max((now - $0.at).microseconds / 1_000, 0) } ?? 0
    let isJump = abs(aim &- offset) > Self.jumpMicroseconds
    offset = isJump ? aim : offset + min(max(aim - offset, -step), step)
    inUse = (offset, now)
    return offset
  }

  mutating func observe(senderMicroseconds: Int64, arrival: Instant) {
    let difference = arrival.microseconds &- senderMicroseconds
    if let start = windowStart, arrival - start < Self.window {
      currentMinimum = min(currentMinimum, difference)
      return
    }
    previousMinimum = windowStart == nil ? .max : currentMinimum
    currentMinimum = difference
    windowStart = arrival
  }
}

/// Maps one stream's RTP timestamps to lesson time (microseconds of the relay's monotonic clock).
///
/// Until the first sender report the first arrival is the anchor. The first sets the anchor by the session's clock;
/// later ones slew it by at most 1 ms per second, which outruns any quartz. A jump over half a second is taken as it
/// is, and so is one over 20 ms that the reports themselves make: the sender has moved its timestamps, as a relay does
/// at a switch.
struct StreamClock {
  private static let jumpMicroseconds: Int64 = 500_000
  private static let mappingJumpMicroseconds: Int64 = 20_000

  let clockRate: Int64
  private var anchorTimestamp: Int64 = 0
  private var anchorLessonTime: Int64 = 0
  private var hasAnchor = false
  private var lastTimestamp: UInt32 = 0
  private var extendedTimestamp: Int64 = 0
  /// The last sender report: its NTP time in microseconds and its RTP time, extended.
  private var report: (senderMicroseconds: Int64, timestamp: Int64, at: Instant)?

  init(clockRate: UInt32) {
    precondition(clockRate > 0)
    self.clockRate = Int64(clockRate)
  }

  var hasReport: Bool { report != nil }

  /// Lesson time of a packet that arrived at `arrival`, and its sender's own time when a report told it.
  mutating func map(_ timestamp: UInt32, arrival: Instant) -> (lessonTime: Int64, senderMicroseconds: Int64?) {
    let extended = extend(timestamp)
    if !hasAnchor { anchor(extended, at: arrival.microseconds) }
    var lessonTime = anchorLessonTime + (extended - anchorTimestamp) * 1_000_000 / clockRate
    // A publisher that restarted its timestamps without telling: start anew rather than write hours into a recording.
    if abs(lessonTime - arrival.microseconds) > 10_000_000 {
      report = nil
      anchor(extended, at: arrival.microseconds)
      lessonTime = arrival.microseconds
    }
    guard let report else { return (lessonTime, nil) }
    let sender = report.senderMicroseconds + (extended - report.timestamp) * 1_000_000 / clockRate
    return (lessonTime, sender)
  }

  mutating func receivedReport(ntp: NTPTime, timestamp: UInt32, session: inout SessionClock, now: Instant) {
    let extended = extendNear(timestamp)
    let sender = ntp.unixMicroseconds
    let elapsed = report.map { now - $0.at }
    let mappingJump = report.map { former in
      sender &- former.senderMicroseconds &- (extended - former.timestamp) * 1_000_000 / clockRate
    }
    report = (sender, extended, now)
    guard hasAnchor else { return }
    let present = anchorLessonTime + (extended - anchorTimestamp) * 1_000_000 / clockRate
    let target = sender &+ session.offset(mapped: present &- sender, now: now)
    let difference = target &- present
    let isMoved = mappingJump.map { $0 < -Self.mappingJumpMicroseconds || $0 > Self.mappingJumpMicroseconds } ?? false
    let isJump = abs(difference) > (isMoved ? Self.mappingJumpMicroseconds : Self.jumpMicroseconds)
    guard let elapsed, !isJump else {
      if abs(target - now.microseconds) < 10_000_000 { anchor(extended, at: target) }
      return
    }
    let step = max(elapsed.microseconds / 1_000, 0)
    anchor(extended, at: present + min(max(difference, -step), step))
  }

  private mutating func anchor(_ timestamp: Int64, at lessonTime: Int64) {
    anchorTimestamp = timestamp
    anchorLessonTime = lessonTime
    hasAnchor = true
  }

  private mutating func extend(_ timestamp: UInt32) -> Int64 {
    let extended = extendNear(timestamp)
    if extended > extendedTimestamp || !hasAnchor {
      extendedTimestamp = extended
      lastTimestamp = timestamp
    }
    return extended
  }

  private func extendNear(_ timestamp: UInt32) -> Int64 {
    guard hasAnchor else { return Int64(timestamp) }
    return extendedTimestamp + Int64(Int32(bitPattern: timestamp &- lastTimestamp))
  }
}
