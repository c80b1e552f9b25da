import RTCWire

/// Arrival times by transport-wide sequence number, until they are reported to the publisher.
struct TransportFeedbackRecorder: ~Copyable {
  private static let capacity = 2_048
  /// Packets one feedback covers at most; the rest goes into the next.
  private static let statusLimit = 256
  /// Made by the first packet: only who publishes needs it.
  private var arrivals: UnsafeMutablePointer<Int64>?
  private var extender = SequenceExtender()
  private var nextToReport: Int64?
  private var highest: Int64 = 0
  private var feedbackCount: UInt8 = 0

  deinit { arrivals?.deallocate() }

  mutating func receive(_ sequence: UInt16, at arrival: Instant) {
    let extended = extender.extend(sequence)
    guard let next = nextToReport else {
      nextToReport = extended
      highest = extended
      store(extended, arrival)
      return
    }
    guard extended >= next else { return }
    if extended > highest {
      if extended - highest >= Int64(Self.capacity) {
        clear()
      } else {
        for skipped in (highest + 1)..<(extended + 1) { arrivals?[Int(skipped) & (Self.capacity - 1)] = 0 }
      }
      highest = extended
      if highest - next >= Int64(Self.capacity) { nextToReport = highest - Int64(Self.capacity) + 1 }
    }
    store(extended, arrival)
  }

  var hasNews: Bool { nextToReport.map { $0 <= highest } ?? false }

  /// Writes one feedback packet if there is news (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
  mutating func write(to writer: inout RTCPWriter, sender: UInt32, media: UInt32) throws(WireError) {
    guard var sequence = nextToReport, sequence <= highest else { return }
    // A feedback begins with a packet that was received.
    while sequence <= highest, arrival(sequence) == 0 { sequence += 1 }
    guard sequence <= highest else {
      nextToReport = sequence
      return
    }
    let base = sequence
    let reference = arrival(base) / 64_000
    var clock = reference * 64_000
    var statuses: [TransportStatus] = []
    while sequence <= highest, statuses.count < Self.statusLimit {
      let time = arrival(sequence)
      if time == 0 {
        statuses.append(.lost)
      } else {
        let delta = (time - clock) / 250
        guard delta >= Int64(Int16.min), delta <= Int64(Int16.max) else { break }
        statuses.append(.received(delta250us: Int16(delta)))
        clock += delta * 250
      }
      sequence += 1
    }
    nextToReport = sequence
    try writer.transportFeedback(
      sender: sender, media: media, baseSequence: UInt16(truncatingIfNeeded: base),
      referenceTime64ms: Int32(truncatingIfNeeded: reference & 0xFF_FFFF), feedbackCount: feedbackCount,
      statuses: statuses)
    feedbackCount &+= 1
  }

  private func arrival(_ sequence: Int64) -> Int64 { arrivals?[Int(sequence) & (Self.capacity - 1)] ?? 0 }

  private mutating func store(_ sequence: Int64, _ arrival: Instant) {
    if arrivals == nil {
      let fresh = UnsafeMutablePointer<Int64>.allocate(capacity: Self.capacity)
      fresh.initialize(repeating: 0, count: Self.capacity)
      arrivals = fresh
    }
    arrivals?[Int(sequence) & (Self.capacity - 1)] = max(arrival.microseconds, 1)
  }

  private mutating func clear() { arrivals?.update(repeating: 0, count: Self.capacity) }
}
