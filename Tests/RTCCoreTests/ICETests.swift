// Goal: paths are chosen by authenticated checks only. Method: RFC 5769's messages, and two agents in virtual time.
import RTCCore
import RTCWire
import Testing

@Suite struct ICETests {
  static let relay = SocketAddress(ipv4: 0x0A00_0001, port: 4_000)
  static let site = SocketAddress(ipv4: 0x0A00_0002, port: 5_000)
  static let lite = ICECredentials(userFragment: "lite", password: "aaaaaaaaaaaaaaaaaaaaaaaa")
  static let full = ICECredentials(userFragment: "full", password: "bbbbbbbbbbbbbbbbbbbbbbbb")

  /// RFC 5769 §2.1: integrity and fingerprint of a request with padding that is not zero.
  @Test func requestVector() throws {
    let message = bytes(
      hex: """
        000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74
        002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020
        000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf
        """)
    let password = ICECredentials(userFragment: "evtj", password: "VOkJxbRl1RmTxUk/WvJxBt")
    var random = SplitMix64(seed: 1)
    var agent = ICEAgent(
      role: .lite, local: password, remote: ICECredentials(userFragment: "h6vY", password: "x"), remoteCandidates: [],
      localAddresses: [], tieBreaker: 1, now: Instant(microseconds: 0))
    let path = NetworkPath(local: Self.relay, remote: Self.site)
    // The vector carries ICE-CONTROLLED: an agent that is always controlled answers 487 (RFC 8445 §7.3.1.1).
    let outcome = message.withUnsafeBytes {
      agent.receive($0, path: path, now: Instant(microseconds: 0), random: &random)
    }
    #expect(outcome == .handled)
    let reply = try #require(agent.nextTransmit()?.bytes)
    let code = try reply.withUnsafeBytes { try STUNMessage($0).errorCode }
    #expect(code == 487)
    // Not the type of FINGERPRINT: what follows MESSAGE-INTEGRITY is not covered by it.
    for place in 20..<message.count where place < message.count - 8 || place >= message.count - 4 {
      var changed = message
      changed[place] ^= 0x40
      let refused = changed.withUnsafeBytes {
        agent.receive($0, path: path, now: Instant(microseconds: 0), random: &random)
      }
      #expect(refused == .ignored, "byte \(place)")
    }
  }

  /// RFC 5769 §2.2.
  @Test func responseVector() throws {
    let message = bytes(
      hex: """
        0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220
        002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96
        """)
    try message.withUnsafeBytes { raw in
      let parsed = try STUNMessage(raw)
      #expect(parsed.xorMappedAddress?.description == "192.0.2.1:32853")
      #expect(parsed.messageClass == .success)
      let input = try #require(parsed.integrityInput)
      var head = Array(input.bytes)
      head[2] = UInt8(input.length >> 8)
      head[3] = UInt8(input.length & 255)
      let digest = head.withUnsafeBytes { hmacSHA1(key: "VOkJxbRl1RmTxUk/WvJxBt", $0) }
      #expect(digest == Array(input.tag))
    }
  }

  /// Runs both agents until the end, losing datagrams; returns when each side had a path.
  static func run(
    _ lite: inout ICEAgent, _ full: inout ICEAgent, from start: Instant, milliseconds: Int64, loss: Double,
    siteAddress: SocketAddress = site, random: inout SplitMix64
  ) {
    var now = start
    let end = start + .milliseconds(milliseconds)
    while now < end {
      full.advance(now: now, random: &random)
      var quiet = false
      while !quiet {
        quiet = true
        while let (path, bytes) = full.nextTransmit() {
          quiet = false
          guard Double.random(in: 0..<1, using: &random) >= loss, path.remote == relay else { continue }
          _ = bytes.withUnsafeBytes {
            lite.receive($0, path: NetworkPath(local: relay, remote: siteAddress), now: now, random: &random)
          }
        }
        while let (path, bytes) = lite.nextTransmit() {
          quiet = false
          guard Double.random(in: 0..<1, using: &random) >= loss, path.remote == siteAddress else { continue }
          _ = bytes.withUnsafeBytes {
            full.receive($0, path: NetworkPath(local: site, remote: relay), now: now, random: &random)
          }
        }
      }
      now = now + .milliseconds(5)
    }
  }

  static func pair() -> (ICEAgent, ICEAgent) {
    let start = Instant(microseconds: 0)
    let unreachable = SocketAddress(ipv4: 0x0A00_00FE, port: 4_000)
    return (
      ICEAgent(
        role: .lite, local: lite, remote: full, remoteCandidates: [], localAddresses: [], tieBreaker: 1, now: start),
      ICEAgent(
        role: .controlling, local: full, remote: lite, remoteCandidates: [unreachable, relay],
        localAddresses: [site], tieBreaker: 2, now: start)
    )
  }

  @Test(arguments: UInt64(0)..<20) func connectsThroughLoss(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var (lite, full) = Self.pair()
    Self.run(&lite, &full, from: Instant(microseconds: 0), milliseconds: 4_000, loss: 0.3, random: &random)
    #expect(lite.selectedPath == NetworkPath(local: Self.relay, remote: Self.site), "seed \(seed)")
    #expect(full.selectedPath == NetworkPath(local: Self.site, remote: Self.relay), "seed \(seed)")
  }

  @Test func restartAndAddressChangeKeepTheSession() {
    var random = SplitMix64(seed: 3)
    var (lite, full) = Self.pair()
    Self.run(&lite, &full, from: Instant(microseconds: 0), milliseconds: 1_000, loss: 0, random: &random)
    let newLite = ICECredentials(userFragment: "lit2", password: "cccccccccccccccccccccccc")
    let newFull = ICECredentials(userFragment: "ful2", password: "dddddddddddddddddddddddd")
    let later = Instant(microseconds: 1_000_000)
    lite.restart(local: newLite, remote: newFull, now: later)
    #expect(lite.selectedPath != nil)
    full.restart(local: newFull, remote: newLite, now: later)
    var moved = Self.site
    moved.port = 6_000
    Self.run(&lite, &full, from: later, milliseconds: 1_000, loss: 0, siteAddress: moved, random: &random)
    #expect(lite.selectedPath?.remote == moved)
  }

  @Test func wrongPasswordTouchesNothing() {
    var random = SplitMix64(seed: 4)
    var (lite, _) = Self.pair()
    var stranger = ICEAgent(
      role: .controlling, local: Self.full,
      remote: ICECredentials(userFragment: "lite", password: "zzzzzzzzzzzzzzzzzzzzzzzz"),
      remoteCandidates: [Self.relay], localAddresses: [Self.site], tieBreaker: 2, now: Instant(microseconds: 0))
    Self.run(&lite, &stranger, from: Instant(microseconds: 0), milliseconds: 1_000, loss: 0, random: &random)
    #expect(lite.selectedPath == nil)
    #expect(lite.nextTransmit() == nil)
  }
}

@Suite struct LenientICETests {
  /// A request with what it is given, signed with the lite side's password.
  static func request(useCandidate: Bool, priority: Bool = false) -> [UInt8] {
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: useCandidate ? 2 : 3))
    writer.add(STUNAttribute.username, Array("lite:full".utf8))
    if priority { writer.add(STUNAttribute.priority, word: 1) }
    if useCandidate { writer.add(STUNAttribute.useCandidate, []) }
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: ICETests.lite.password, $0) } }
    return writer.bytes
  }

  static func receive(_ agent: inout ICEAgent, _ bytes: [UInt8], port: UInt16, at milliseconds: Int64) -> ICEOutcome {
    var random = SplitMix64(seed: 1)
    var remote = ICETests.site
    remote.port = port
    return bytes.withUnsafeBytes {
      agent.receive(
        $0, path: NetworkPath(local: ICETests.relay, remote: remote), now: Instant(microseconds: milliseconds * 1_000),
        random: &random)
    }
  }

  /// ffmpeg's checks carry neither PRIORITY nor ICE-CONTROLLING.
  @Test func checksWithoutPriorityAndRoleAreTaken() throws {
    var (agent, _) = ICETests.pair()
    let outcome = Self.receive(&agent, Self.request(useCandidate: true), port: 5_000, at: 10)
    guard case .connected = outcome else { return #expect(Bool(false), "\(outcome)") }
    let reply = try #require(agent.nextTransmit()?.bytes)
    try reply.withUnsafeBytes { raw in
      let message = try STUNMessage(raw)
      #expect(message.messageClass == .success && message.xorMappedAddress?.port == 5_000)
    }
  }

  /// Once a path is nominated another one is taken by nomination, or when the first has been silent.
  @Test func aCheckWithoutNominationMovesOnlyASilentPath() {
    var (agent, _) = ICETests.pair()
    _ = Self.receive(&agent, Self.request(useCandidate: true), port: 5_000, at: 10)
    #expect(Self.receive(&agent, Self.request(useCandidate: false), port: 6_000, at: 500) == .handled)
    #expect(agent.selectedPath?.remote.port == 5_000)
    #expect(Self.receive(&agent, Self.request(useCandidate: false), port: 5_000, at: 1_500) == .handled)
    let later = Self.receive(&agent, Self.request(useCandidate: false), port: 6_000, at: 3_600)
    guard case .pathChanged = later else { return #expect(Bool(false), "\(later)") }
    #expect(agent.selectedPath?.remote.port == 6_000)
    let nominated = Self.receive(&agent, Self.request(useCandidate: true), port: 7_000, at: 3_700)
    guard case .pathChanged = nominated else { return #expect(Bool(false), "\(nominated)") }
  }

  /// An attribute that must be understood and is not gets 420 and its number (RFC 8489 §6.3.1).
  @Test func unknownRequiredAttributesAreNamed() throws {
    var (agent, _) = ICETests.pair()
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: 9))
    writer.add(STUNAttribute.username, Array("lite:full".utf8))
    writer.add(0x0077, [1, 2, 3])
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: ICETests.lite.password, $0) } }
    #expect(Self.receive(&agent, writer.bytes, port: 5_000, at: 10) == .handled)
    #expect(agent.selectedPath == nil)
    let reply = try #require(agent.nextTransmit()?.bytes)
    try reply.withUnsafeBytes { raw in
      let message = try STUNMessage(raw)
      #expect(message.errorCode == 420)
      #expect(message.value(STUNAttribute.unknownAttributes).map { Array($0) } == [0, 0x77])
    }
  }
}
