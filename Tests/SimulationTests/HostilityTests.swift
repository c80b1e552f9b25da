// Goal: a receiver that asks for more than its share costs the others nothing. Method: a core before an audience on
// perfect lines, in simulated time, the same lesson with and without hostile receivers among it.
import RTCCore
import RTCWire
import Simulation
import Testing

@Suite struct HostilityTests {
  /// What a hostile receiver does in every millisecond.
  enum Hostility: CaseIterable {
    case nacks, pictureLoss, fullIntra, checks, reports, feedback, records, silence, all
  }

  private static func nag(_ audience: Audience, _ place: Int, _ hostility: Hostility, at millisecond: Int) {
    let every = hostility == .all
    if hostility == .nacks || every {
      let last = audience.members[place].lastSequence
      try? audience.report(place) {
        try $0.nack(sender: 1, media: Audience.videoSSRC, sequences: (0..<200).map { last &- 199 &+ $0 })
      }
    }
    if hostility == .pictureLoss || every {
      try? audience.report(place) { try $0.pictureLoss(sender: 1, media: Audience.videoSSRC) }
    }
    if hostility == .fullIntra || every {
      try? audience.report(place) {
        try $0.fullIntraRequest(
          sender: 1, media: Audience.videoSSRC, sequenceNumber: UInt8(truncatingIfNeeded: millisecond))
      }
    }
    if hostility == .checks || every { audience.check(place) }
    if hostility == .reports || every { try? audience.report(place) { try $0.receiverReport(ssrc: 1, blocks: []) } }
    if hostility == .feedback || every {
      // Tells of 1,000 packets it cannot have got.
      try? audience.report(place) {
        try $0.transportFeedback(
          sender: 1, media: Audience.videoSSRC, baseSequence: UInt16(truncatingIfNeeded: millisecond &* 1_000),
          referenceTime64ms: 1, feedbackCount: 0,
          statuses: Array(repeating: .received(delta250us: 0), count: 1_000))
      }
    }
    if hostility == .records || every { audience.receive([22] + [UInt8](repeating: 254, count: 60), from: place) }
  }

  private static func lesson(honest: Int, hostile: Int, _ hostility: Hostility) -> Audience {
    let audience = Audience()
    audience.open(1)
    var places: [Int] = []
    for number in 0..<(honest + hostile) {
      let place = audience.join(1)
      if number % 2 == 0 || places.count == hostile {
        audience.watch(place)
      } else {
        places.append(place)
        audience.setPolite(place, false)
      }
    }
    audience.pass(milliseconds: 1_000)
    for millisecond in 0..<6_000 {
      if hostility != .silence { for place in places { nag(audience, place, hostility, at: millisecond) } }
      audience.pass(milliseconds: 1)
    }
    return audience
  }

  private struct Picture {
    var timestamp: UInt32
    /// When its last packet left.
    var at: Instant
    var packets: Int
  }

  /// What the honest receivers saw, in order.
  private static func pictures(_ audience: Audience) -> [[Picture]] {
    audience.members.compactMap { member in
      member.watch?.pictures.map { Picture(timestamp: $0.key, at: $0.value.at, packets: $0.value.packets) }
        .sorted { $0.timestamp < $1.timestamp }
    }
  }

  @Test(arguments: Hostility.allCases) func theOthersSeeTheSame(hostility: Hostility) {
    let count = hostility == .all ? 50 : 10
    let quiet = Self.pictures(Self.lesson(honest: count, hostile: 0, .silence))
    let audience = Self.lesson(honest: count, hostile: count, hostility)
    let loud = Self.pictures(audience)
    #expect(quiet.count == count && loud.count == count)
    for (calm, nagged) in zip(quiet, loud) {
      #expect(calm.count >= 170 && calm.map(\.timestamp) == nagged.map(\.timestamp))
      // But for the few key frames that were asked for, which are three times as large, nothing comes later.
      let pairs = zip(calm, nagged).filter { $0.packets == $1.packets }
      #expect(pairs.count >= calm.count - 5)
      #expect(pairs.allSatisfy { $1.at == $0.at })
    }
    #expect(audience.keyFrames <= 5, "\(audience.keyFrames) key frames in 7 s")
  }

  /// Repairs cost no more than the lesson itself, however many are asked for.
  @Test func repairsStayWithinTheirShare() {
    let audience = Audience()
    audience.open(1)
    let place = audience.join(1)
    audience.watch(place)
    audience.pass(milliseconds: 1_000)
    let before = audience.members[place].watch?.retransmissions ?? 0
    for millisecond in 0..<4_000 {
      Self.nag(audience, place, .nacks, at: millisecond)
      audience.pass(milliseconds: 1)
    }
    let repairs = (audience.members[place].watch?.retransmissions ?? 0) - before
    let drops = audience.core.counters.drops
    #expect(repairs > 100 && repairs <= 4 * 25 * 9 + 300, "\(repairs)")
    #expect(drops[DropReason.repairLimit.rawValue] > 0 && drops[DropReason.reportLimit.rawValue] > 0)
  }

  /// One asks for ever; another that has lost its picture once is served within a second all the same.
  @Test func anHonestWishIsHeard() {
    let audience = Audience()
    audience.open(1)
    let hostile = audience.join(1)
    let honest = audience.join(1)
    audience.pass(milliseconds: 1_000)
    for millisecond in 0..<20_000 {
      Self.nag(audience, hostile, .pictureLoss, at: millisecond)
      audience.pass(milliseconds: 1)
    }
    let before = audience.keyFrames
    #expect(before <= 8, "at 0, 1, 3, 7, 12 and 17 s, and the camera's own")
    #expect(audience.core.counters.drops[DropReason.pictureLimit.rawValue] > 10_000 / 4)
    var waited = 0
    while audience.keyFrames == before, waited < 5_000 {
      if waited % 100 == 0 { Self.nag(audience, honest, .pictureLoss, at: waited) }
      audience.pass(milliseconds: 1)
      waited += 1
    }
    #expect(waited <= 1_100, "\(waited) ms")
  }
}
