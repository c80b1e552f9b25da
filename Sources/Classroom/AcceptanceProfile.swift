/// 建设标准: what a room has to have before lessons are planned in it, as data with a version.
public struct AcceptanceProfile: Hashable, Sendable, Codable {
  /// What a room is used for: the same room may do both.
  public enum Use: String, Sendable, Codable, CaseIterable {
    case receiving
    case leading
  }

  /// What one use needs; 0 asks for nothing.
  public struct Needs: Hashable, Sendable, Codable {
    public var cameras: Int
    public var microphones: Int
    public var speakers: Int
    /// By their subtypes of RTP in small letters.
    public var codecs: [String]
    /// At least, kbit/s.
    public var downlink: Int
    public var uplink: Int
    /// At most, milliseconds.
    public var roundTrip: Int
    /// At most, permille.
    public var loss: Int

    public init(
      cameras: Int = 1, microphones: Int = 1, speakers: Int = 1, codecs: [String] = ["h264", "opus"], downlink: Int,
      uplink: Int, roundTrip: Int = 300, loss: Int = 50
    ) {
      self.cameras = cameras
      self.microphones = microphones
      self.speakers = speakers
      self.codecs = codecs
      self.downlink = downlink
      self.uplink = uplink
      self.roundTrip = roundTrip
      self.loss = loss
    }

    /// Throws what is wrong with the value by itself.
    public func validate() throws(ClassroomError) {
      for count in [cameras, microphones, speakers] {
        guard (0...RoomTest.listLimit).contains(count) else { throw .badRange }
      }
      guard codecs.count <= RoomTest.listLimit else { throw .tooMany }
      for codec in codecs { try Limits.checkName(codec, limit: Limits.codeScalars) }
      guard Set(codecs).count == codecs.count else { throw .duplicate }
      guard (0...100_000_000).contains(downlink), (0...100_000_000).contains(uplink),
        (0...60_000).contains(roundTrip), (0...1_000).contains(loss)
      else { throw .badRange }
    }
  }

  public var version: Int
  public var name: String
  /// Days that a measurement is good for, 1…366.
  public var testDays: Int
  public var receiving: Needs
  public var leading: Needs

  public init(version: Int, name: String, testDays: Int, receiving: Needs, leading: Needs) {
    self.version = version
    self.name = name
    self.testDays = testDays
    self.receiving = receiving
    self.leading = leading
  }

  /// What ships: 720p25 and sound one way, 360p and sound the other; 150 ms each way (ITU-T G.114).
  public static let standard = AcceptanceProfile(
    version: 1, name: "standard", testDays: 30, receiving: Needs(downlink: 2_500, uplink: 500),
    leading: Needs(downlink: 2_500, uplink: 2_500))

  public func needs(_ use: Use) -> Needs { use == .leading ? leading : receiving }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(name)
    guard (1...1_000_000).contains(version), (1...366).contains(testDays) else { throw .badRange }
    try receiving.validate()
    try leading.validate()
  }
}

/// One thing that a profile asks of a room.
public enum AcceptanceRequirement: String, Hashable, Sendable, Codable, CaseIterable {
  /// A measurement that is not too old; days.
  case recentTest
  /// How many there are.
  case cameras, microphones, speakers
  /// How many of those asked for there are.
  case codecs
  /// Kbit/s, at least.
  case downlink, uplink
  /// Milliseconds, at most.
  case roundTrip
  /// Permille, at most.
  case loss
}

/// What came out of one requirement.
public struct AcceptanceFinding: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case met
    case notMet
    case notMeasured
  }

  public var requirement: AcceptanceRequirement
  public var state: State
  /// Both in the unit of the requirement; nil where nothing was measured.
  public var measured: Int?
  public var needed: Int
  /// Codecs that are asked for and not there.
  public var missing: [String]

  public init(
    _ requirement: AcceptanceRequirement, _ state: State, measured: Int?, needed: Int, missing: [String] = []
  ) {
    self.requirement = requirement
    self.state = state
    self.measured = measured
    self.needed = needed
    self.missing = missing
  }
}

extension AcceptanceProfile {
  /// Holds a measurement against what a use needs: a finding for each thing that is asked for, in their order.
  ///
  /// `sends` false leaves out what only a room needs that is seen and heard. Without a measurement nothing is met. A
  /// measurement of the future, after the clock was set back, counts as of today. Cost: a few comparisons.
  public func check(
    _ test: RoomTest?, for use: Use, sends: Bool = true, now: Int64
  ) -> [AcceptanceFinding] {
    let needs = needs(use)
    let age = test.map {
      Int(clamping: max(0, now.subtractingReportingOverflow($0.takenAt).partialValue) / 86_400_000)
    }
    var findings = [Self.most(.recentTest, age, testDays)]
    func least(_ requirement: AcceptanceRequirement, _ measured: Int?, _ needed: Int) {
      guard needed > 0 else { return }
      findings.append(
        AcceptanceFinding(
          requirement, measured.map { $0 >= needed ? .met : .notMet } ?? .notMeasured, measured: measured,
          needed: needed))
    }
    if sends {
      least(.cameras, test?.cameras.count, needs.cameras)
      least(.microphones, test?.microphones.count, needs.microphones)
    }
    least(.speakers, test?.speakers.count, needs.speakers)
    if !needs.codecs.isEmpty {
      let missing = needs.codecs.filter { test?.codecs.contains($0) != true }
      findings.append(
        AcceptanceFinding(
          .codecs, test == nil ? .notMeasured : missing.isEmpty ? .met : .notMet,
          measured: test.map { _ in needs.codecs.count - missing.count }, needed: needs.codecs.count,
          missing: test == nil ? [] : missing))
    }
    least(.downlink, test.map { Int($0.downlink / 1_000) }, needs.downlink)
    if sends { least(.uplink, test.map { Int($0.uplink / 1_000) }, needs.uplink) }
    // A millisecond that has begun counts.
    let trip = test.map { Int(($0.roundTrip + 999) / 1_000) }
    if needs.roundTrip > 0 { findings.append(Self.most(.roundTrip, trip, needs.roundTrip)) }
    if needs.loss > 0 { findings.append(Self.most(.loss, test?.loss, needs.loss)) }
    return findings
  }

  private static func most(
    _ requirement: AcceptanceRequirement, _ measured: Int?, _ needed: Int
  ) -> AcceptanceFinding {
    AcceptanceFinding(
      requirement, measured.map { $0 <= needed ? .met : .notMet } ?? .notMeasured, measured: measured,
      needed: needed)
  }
}
