/// What one worker carries, as placement and admission see it.
package struct WorkerLoad: Sendable, Equatable {
  /// Microseconds of a processor to send one packet, until this machine has shown its own figure.
  package static let usualPacketCost = 4.0

  /// Share of a processor its thread uses, 0…1; rises at once, falls by halves each second.
  package var utilisation = 0.0
  /// From the start of a turn until what was due in it had left: 99th percentile of a datagram in the last seconds,
  /// microseconds;
  /// nil when too few came to say.
  package var backlog: Double?
  /// Microseconds of a processor for one packet sent, with everything around it.
  package var packetCost = WorkerLoad.usualPacketCost
  /// Used share of the packet buffers, 0…1.
  package var slots = 0.0
  /// What it sends, with the headers below RTP, bits/s.
  package var bitsPerSecond = 0.0

  package init() {}
}

/// What a worker has counted at one moment, as far as its load follows from it.
package struct LoadSample: Sendable {
  /// Monotonic.
  package var seconds: Double
  /// Wall time and processor time of its turns since the start, microseconds.
  package var busyMicroseconds: UInt64
  package var processorMicroseconds: UInt64
  package var packetsSent: UInt64
  package var bytesSent: UInt64
  /// Used share of the packet buffers, 0…1.
  package var slots: Double
  /// Bucket n counts delays of 2^(n−1)…2^n − 1 µs, bucket 0 those of none.
  package var backlogBuckets: [UInt64]

  package init(
    seconds: Double, busyMicroseconds: UInt64 = 0, processorMicroseconds: UInt64 = 0, packetsSent: UInt64 = 0,
    bytesSent: UInt64 = 0, slots: Double = 0, backlogBuckets: [UInt64] = []
  ) {
    self.seconds = seconds
    self.busyMicroseconds = busyMicroseconds
    self.processorMicroseconds = processorMicroseconds
    self.packetsSent = packetsSent
    self.bytesSent = bytesSent
    self.slots = slots
    self.backlogBuckets = backlogBuckets
  }
}

/// Makes a worker's load of what it counts; to be given a sample about each second.
package struct LoadMeter: Sendable {
  /// Samples that the backlog is judged over.
  package static let backlogSamples = 5
  /// Delays without which the 99th percentile says nothing.
  package static let leastDelays: UInt64 = 100
  /// Packets of a second without which the cost of one is mostly that of doing nothing.
  package static let leastPackets: UInt64 = 2_000
  /// IPv4 and UDP.
  private static let headerBytes: UInt64 = 28

  package private(set) var load = WorkerLoad()
  private var last: LoadSample?
  private var earlier: [[UInt64]] = []

  package init() {}

  /// Takes the counters of now. One that is not later than the last is passed over.
  package mutating func note(_ sample: LoadSample) {
    defer { keep(sample) }
    load.slots = sample.slots
    guard let last, sample.seconds > last.seconds else { return }
    let span = sample.seconds - last.seconds
    let busy = min(Double(sample.busyMicroseconds &- last.busyMicroseconds) / 1e6 / span, 1)
    load.utilisation = max(busy, (load.utilisation + busy) / 2)
    let packets = sample.packetsSent &- last.packetsSent
    let bytes = sample.bytesSent &- last.bytesSent &+ packets &* Self.headerBytes
    load.bitsPerSecond = Double(bytes) * 8 / span
    if Double(packets) >= Double(Self.leastPackets) * span {
      let cost = Double(sample.processorMicroseconds &- last.processorMicroseconds) / Double(packets)
      load.packetCost += (min(max(cost, 0.5), 50) - load.packetCost) * 0.3
    }
    load.backlog = percentile(of: sample.backlogBuckets)
  }

  private mutating func keep(_ sample: LoadSample) {
    last = sample
    earlier.append(sample.backlogBuckets)
    if earlier.count > Self.backlogSamples { earlier.removeFirst() }
  }

  /// The 99th percentile of what came since the oldest kept sample, taking a bucket as evenly filled.
  private func percentile(of buckets: [UInt64]) -> Double? {
    guard let oldest = earlier.first, oldest.count == buckets.count else { return nil }
    let counts = zip(buckets, oldest).map { $0 &- $1 }
    let total = counts.reduce(0, &+)
    guard total >= Self.leastDelays else { return nil }
    let rank = Double(total) * 0.99
    var below = 0.0
    for (place, count) in counts.enumerated() where count > 0 {
      guard below + Double(count) >= rank else {
        below += Double(count)
        continue
      }
      guard place > 0 else { return 0 }
      let low = Double(UInt64(1) << UInt64(place - 1))
      return low + low * (rank - below) / Double(count)
    }
    return nil
  }
}

/// What one receiver of a lesson is sent, measured at those it has.
package struct StageRate: Sendable, Equatable {
  /// A picture of 2 Mbit/s with sound, until the lesson has shown its own.
  package private(set) var packetsPerSecond = 275.0
  package private(set) var bitsPerSecond = 2_200_000.0
  private var isMeasured = false

  package init() {}

  /// Takes what one receiver was sent within a second. A silent stage says nothing of one that is not.
  package mutating func note(packetsPerSecond packets: Double, bitsPerSecond bits: Double) {
    guard packets >= 10, packets < 100_000 else { return }
    let weight = isMeasured ? 1.0 / 16 : 1
    isMeasured = true
    packetsPerSecond += (packets - packetsPerSecond) * weight
    bitsPerSecond += (bits - bitsPerSecond) * weight
  }
}
