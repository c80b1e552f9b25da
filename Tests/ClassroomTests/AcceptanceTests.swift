// Goal: a room is accepted exactly when everything its profile asks for was measured lately and is enough. Method: a
// measurement that meets the shipped profile at its very limits, changed in one thing at a time.
import Classroom
import Testing

@Suite struct AcceptanceTests {
  private static let now: Int64 = 1_800_000_000_000
  private static let day: Int64 = 86_400_000

  /// At every limit of a receiving room.
  private static func test(_ change: (inout RoomTest) -> Void = { _ in }) -> RoomTest {
    var test = RoomTest(
      id: Identifier(high: 1, low: 1), room: Identifier(high: 2, low: 1), takenAt: now - 30 * day, source: .command,
      device: "tongke", cameras: ["C"], microphones: ["M"], speakers: ["S"], codecs: ["h264", "opus"],
      downlink: 2_500_000, uplink: 500_000, roundTrip: 300_000, loss: 50)
    change(&test)
    return test
  }

  private static func failing(
    _ test: RoomTest?, _ use: AcceptanceProfile.Use = .receiving, sends: Bool = true
  ) -> [AcceptanceRequirement] {
    AcceptanceProfile.standard.check(test, for: use, sends: sends, now: now).filter { $0.state != .met }
      .map(\.requirement)
  }

  @Test func everyRequirementIsAskedOnceAndItsLimitIsEnough() {
    let findings = AcceptanceProfile.standard.check(Self.test(), for: .receiving, now: Self.now)
    #expect(findings.map(\.requirement) == AcceptanceRequirement.allCases)
    #expect(findings.allSatisfy { $0.state == .met }, "\(findings)")
    let acceptance = RoomAcceptance(
      room: Identifier(high: 2, low: 1), at: 0, actor: Identifier(high: 3, low: 1), test: Identifier(high: 1, low: 1),
      use: .receiving, profile: "p", profileVersion: 1, findings: findings)
    #expect(acceptance.isAccepted)
    var empty = acceptance
    empty.findings = []
    #expect(!empty.isAccepted, "nothing asked is nothing met")
  }

  @Test func eachShortfallIsTheOnlyOneTold() {
    let shortfalls: [(AcceptanceRequirement, (inout RoomTest) -> Void)] = [
      (.recentTest, { $0.takenAt -= Self.day }), (.cameras, { $0.cameras = [] }),
      (.microphones, { $0.microphones = [] }), (.speakers, { $0.speakers = [] }),
      (.codecs, { $0.codecs = ["opus", "vp8"] }), (.downlink, { $0.downlink -= 1 }), (.uplink, { $0.uplink -= 1 }),
      (.roundTrip, { $0.roundTrip += 1 }), (.loss, { $0.loss = 51 }),
    ]
    #expect(shortfalls.map(\.0) == AcceptanceRequirement.allCases)
    for (requirement, change) in shortfalls { #expect(Self.failing(Self.test(change)) == [requirement]) }
    let codecs = AcceptanceProfile.standard.check(Self.test { $0.codecs = ["opus"] }, for: .receiving, now: Self.now)
      .first { $0.requirement == .codecs }
    #expect(codecs?.missing == ["h264"] && codecs?.measured == 1 && codecs?.needed == 2)
  }

  @Test func whatWasNotMeasuredIsNotMet() {
    #expect(Self.failing(nil) == AcceptanceRequirement.allCases)
    let findings = AcceptanceProfile.standard.check(nil, for: .leading, now: Self.now)
    #expect(findings.allSatisfy { $0.state == .notMeasured && $0.measured == nil })
    let loss = AcceptanceProfile.standard.check(Self.test { $0.loss = nil }, for: .receiving, now: Self.now).last
    #expect(loss?.requirement == .loss && loss?.state == .notMeasured)
  }

  @Test func aLeadNeedsMoreAndWhoOnlyWatchesLess() {
    #expect(Self.failing(Self.test(), .leading) == [.uplink])
    let silent = Self.test {
      $0.cameras = []
      $0.microphones = []
      $0.uplink = 0
    }
    #expect(Self.failing(silent) == [.cameras, .microphones, .uplink])
    #expect(Self.failing(silent, sends: false) == [])
  }

  @Test func whatIsNotAskedForIsNotTold() {
    var profile = AcceptanceProfile.standard
    profile.receiving = AcceptanceProfile.Needs(
      cameras: 0, microphones: 0, speakers: 0, codecs: [], downlink: 1, uplink: 0, roundTrip: 0, loss: 0)
    #expect(profile.check(nil, for: .receiving, now: Self.now).map(\.requirement) == [.recentTest, .downlink])
  }

  @Test func clocksThatWereSetBackAndHostileTimesDoNotTrap() {
    #expect(Self.failing(Self.test { $0.takenAt = Self.now + 1 }) == [])
    for (taken, now) in [(Int64.max, Int64.min), (.min, .max), (0, .max)] {
      let findings = AcceptanceProfile.standard.check(
        Self.test { $0.takenAt = taken }, for: .receiving, now: now)
      #expect(findings.count == AcceptanceRequirement.allCases.count)
    }
  }

  @Test func measurementsAndProfilesAreBounded() throws {
    try Self.test().validate()
    try AcceptanceProfile.standard.validate()
    let wrong: [(inout RoomTest) -> Void] = [
      { $0.downlink = -1 }, { $0.uplink = RoomTest.rateLimit + 1 }, { $0.roundTrip = 60_000_001 }, { $0.loss = 1_001 },
      { $0.cameras = Array(repeating: "C", count: 17) }, { $0.codecs = [""] }, { $0.microphones = ["a\nb"] },
      { $0.device = String(repeating: "x", count: 201) }, { $0.codecs = [String(repeating: "x", count: 41)] },
      { $0.takenAt = -1 },
    ]
    for change in wrong { #expect(throws: ClassroomError.self) { try Self.test(change).validate() } }
    let profiles: [(inout AcceptanceProfile) -> Void] = [
      { $0.testDays = 0 }, { $0.version = 0 }, { $0.name = "" }, { $0.receiving.cameras = 17 },
      { $0.leading.codecs = ["opus", "opus"] }, { $0.leading.loss = 1_001 },
    ]
    for change in profiles {
      var profile = AcceptanceProfile.standard
      change(&profile)
      #expect(throws: ClassroomError.self) { try profile.validate() }
    }
  }
}
