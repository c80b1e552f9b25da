public import RTCWire

/// What a STUN message did.
public enum ICEOutcome: Equatable, Sendable {
  /// Not authentic or not for this agent: no state was touched.
  case ignored
  case handled
  /// The first path was chosen.
  case connected(NetworkPath)
  case pathChanged(NetworkPath)
}

/// One peer's ICE, sans-IO: the lite side that only answers (RFC 8445 §2.5), or the controlling side that checks.
///
/// A path is a pair of addresses and changes only by an authenticated check: the lite side follows USE-CANDIDATE, and
/// takes the first authenticated path until one is nominated, because some clients nominate late; it accepts checks
/// without PRIORITY and role attributes, because some clients send none.
public struct ICEAgent: Sendable {
  struct Pair: Sendable {
    var path: NetworkPath
    var transaction: STUNTransaction?
    var sentAt: Instant?
    var nextCheck: Instant
    var attempts = 0
    var succeeded = false
    var priority: UInt64
  }

  struct Credentials: Sendable {
    var local: ICECredentials
    var remote: ICECredentials
  }

  static let pairLimit = 64
  static let checkPause = Interval.milliseconds(50)
  static let firstTimeout = Interval.milliseconds(250)
  static let attemptLimit = 8
  static let consentPause = Interval.milliseconds(2_500)

  let role: PeerDescription.ICERole
  private let tieBreaker: UInt64
  private let localAddresses: [SocketAddress]
  private(set) var credentials: Credentials
  /// The credentials before a restart, good until a path of the new ones is validated.
  private var former: Credentials?
  private var pairs: [Pair] = []
  private var transmits: [(path: NetworkPath, bytes: [UInt8])] = []
  private var nextPacedCheck: Instant
  private var consent: (transaction: STUNTransaction, sentAt: Instant)?
  private var nextConsent: Instant = .distantFuture
  private var isNominated = false
  /// The last authentic check on the selected path; the lite side's.
  private var lastSelectedCheck: Instant?

  public private(set) var selectedPath: NetworkPath?
  public private(set) var lastHeard: Instant
  public private(set) var roundTrip: Interval?

  public init(
    role: PeerDescription.ICERole, local: ICECredentials, remote: ICECredentials, remoteCandidates: [SocketAddress],
    localAddresses: [SocketAddress], tieBreaker: UInt64, now: Instant
  ) {
    self.role = role
    self.tieBreaker = tieBreaker
    self.localAddresses = localAddresses
    credentials = Credentials(local: local, remote: remote)
    nextPacedCheck = now
    lastHeard = now
    for candidate in remoteCandidates { addRemoteCandidate(candidate, now: now) }
  }

  /// New credentials on both sides; media goes on over the old path until a new one is validated (RFC 8445 §9).
  public mutating func restart(local: ICECredentials, remote: ICECredentials, now: Instant) {
    former = credentials
    credentials = Credentials(local: local, remote: remote)
    isNominated = false
    for index in pairs.indices {
      pairs[index].succeeded = false
      pairs[index].attempts = 0
      pairs[index].transaction = nil
      pairs[index].nextCheck = now
    }
    nextPacedCheck = now
  }

  /// Pairs a remote address with the local ones that can reach it. A lite agent has no use for it.
  public mutating func addRemoteCandidate(_ address: SocketAddress, now: Instant) {
    guard role == .controlling, address.port != 0, !address.isUnspecified else { return }
    for local in localAddresses where local.family == address.family && local.isLoopback == address.isLoopback {
      let path = NetworkPath(local: local, remote: address)
      guard pairs.count < Self.pairLimit, !pairs.contains(where: { $0.path == path }) else { continue }
      let preference: UInt64 = local.isLinkLocal ? 1 : (local.family == .ipv4 ? 3 : 2)
      pairs.append(Pair(path: path, nextCheck: now, priority: preference << 32 | UInt64(Self.pairLimit - pairs.count)))
    }
    nextPacedCheck = min(nextPacedCheck, now)
  }

  /// The local user fragment a binding request is addressed to; nil when it is no such request.
  public static func destinationFragment(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let message = try? STUNMessage(bytes), message.messageClass == .request,
      message.method == STUNMessage.bindingMethod, let username = message.username, username.count <= 513
    else { return nil }
    return String(validating: username.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
  }

  // MARK: Messages in

  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, path: NetworkPath, now: Instant, random: inout SplitMix64
  ) -> ICEOutcome {
    guard let message = try? STUNMessage(bytes), message.method == STUNMessage.bindingMethod else { return .ignored }
    switch message.messageClass {
    case .request: return receiveRequest(message, path: path, now: now)
    case .success, .error: return receiveResponse(message, path: path, now: now)
    case .indication: return .ignored
    }
  }

  private mutating func receiveRequest(_ message: STUNMessage, path: NetworkPath, now: Instant) -> ICEOutcome {
    guard let username = message.username.flatMap({ String(validating: $0, as: UTF8.self) }) else { return .ignored }
    let fragment = username.prefix { $0 != ":" }
    let isFormer = fragment != credentials.local.userFragment
    guard let used = isFormer ? former : credentials, fragment == used.local.userFragment,
      Self.isAuthentic(message, password: used.local.password)
    else { return .ignored }
    if !message.unknownRequired.isEmpty {
      respond(message, path: path, password: used.local.password, code: 420, reason: "Unknown Attribute")
      return .handled
    }
    if let conflict = roleConflict(message) {
      if conflict { respond(message, path: path, password: used.local.password, code: 487, reason: "Role Conflict") }
      return .handled
    }
    let silence = now - lastHeard
    lastHeard = now
    respond(message, path: path, password: used.local.password, code: nil, reason: "")
    guard role == .lite else {
      learnPeerReflexive(path, now: now)
      return .handled
    }
    guard !isFormer || selectedPath == nil else { return .handled }
    if !isFormer { former = nil }
    if path == selectedPath { lastSelectedCheck = now }
    let quiet = lastSelectedCheck.map { now - $0 } ?? .zero
    let isNamed = message.useCandidate && (quiet >= Self.pathSilence || !isSecondBest(path))
    return select(path, nominated: isNamed || silence >= Self.pathSilence || quiet >= Self.checkSilence, now: now)
  }

  /// A client that names every pair it checks means the best of them (RFC 8445 §8.1.1): a connection, which is later
  /// there, does not replace datagrams that work.
  private func isSecondBest(_ path: NetworkPath) -> Bool {
    guard isNominated, let selectedPath else { return false }
    return path.connection != 0 && selectedPath.connection == 0
  }

  /// Forgets a path that is no more: the next authentic check chooses another.
  mutating func forget(_ path: NetworkPath) {
    guard selectedPath == path else { return }
    selectedPath = nil
    lastSelectedCheck = nil
    isNominated = false
  }

  /// After so long without a sign of life the chosen path counts as lost, and the next authentic check shows the new
  /// one: some clients nominate once and then only keep alive, though their NAT has given them another port.
  private static let pathSilence = Interval.seconds(2)
  /// A client that has checked only another path for so long has gone over to it, whatever it names.
  private static let checkSilence = Interval.seconds(12)

  /// Something authentic came from the peer, by whatever protocol.
  mutating func noteHeard(now: Instant) { lastHeard = now }

  /// True: answer 487; false: stay silent; nil: no conflict (RFC 8445 §7.3.1.1).
  private func roleConflict(_ message: STUNMessage) -> Bool? {
    switch role {
    case .lite: return message.controlled != nil ? true : nil
    case .controlling:
      guard let theirs = message.controlling else { return nil }
      return tieBreaker >= theirs ? true : nil
    }
  }

  private mutating func select(_ path: NetworkPath, nominated: Bool, now: Instant) -> ICEOutcome {
    guard let present = selectedPath else {
      selectedPath = path
      lastSelectedCheck = now
      isNominated = nominated
      return .connected(path)
    }
    if present == path { isNominated = isNominated || nominated }
    guard nominated, present != path else { return .handled }
    isNominated = true
    selectedPath = path
    lastSelectedCheck = now
    return .pathChanged(path)
  }

  private mutating func learnPeerReflexive(_ path: NetworkPath, now: Instant) {
    guard pairs.count < Self.pairLimit, !pairs.contains(where: { $0.path == path }) else { return }
    pairs.append(Pair(path: path, nextCheck: now, priority: 0))
    nextPacedCheck = min(nextPacedCheck, now)
  }

  private mutating func receiveResponse(_ message: STUNMessage, path: NetworkPath, now: Instant) -> ICEOutcome {
    guard role == .controlling, Self.isAuthentic(message, password: credentials.remote.password) else {
      return .ignored
    }
    if let asked = consent, asked.transaction == message.transaction {
      consent = nil
      lastHeard = now
      roundTrip = now - asked.sentAt
      return .handled
    }
    guard let index = pairs.firstIndex(where: { $0.transaction == message.transaction }) else { return .ignored }
    // The answer must come from where the check went to (RFC 8445 §7.2.5.2.1).
    guard pairs[index].path.remote == path.remote else { return .ignored }
    pairs[index].transaction = nil
    guard message.messageClass == .success else { return .handled }
    lastHeard = now
    // Which of several equal requests was answered nobody knows.
    if let sentAt = pairs[index].sentAt, pairs[index].attempts == 1 { roundTrip = now - sentAt }
    pairs[index].succeeded = true
    let best = pairs.indices.filter { pairs[$0].succeeded }.max { pairs[$0].priority < pairs[$1].priority }
    guard let best, !isNominated || selectedPath == nil else { return .handled }
    former = nil
    let chosen = pairs[best].path
    // Every check carries USE-CANDIDATE: against a lite agent the first success is the nomination (RFC 8445 §8.1.1).
    isNominated = true
    nextConsent = now + Self.consentPause
    guard let present = selectedPath else {
      selectedPath = chosen
      return .connected(chosen)
    }
    guard present != chosen else { return .handled }
    selectedPath = chosen
    return .pathChanged(chosen)
  }

  private static func isAuthentic(_ message: STUNMessage, password: String) -> Bool {
    guard let input = message.integrityInput else { return false }
    // The length field counts as if MESSAGE-INTEGRITY were the last attribute.
    var head = Array(input.bytes.prefix(4))
    head[2] = UInt8(input.length >> 8)
    head[3] = UInt8(input.length & 255)
    let digest = head.withUnsafeBytes {
      hmacSHA1(key: password, $0, UnsafeRawBufferPointer(rebasing: input.bytes[4...]))
    }
    return constantTimeEqual(input.tag, digest)
  }

  // MARK: Messages out

  private mutating func respond(
    _ message: STUNMessage, path: NetworkPath, password: String, code: Int?, reason: String
  ) {
    var writer = STUNWriter(code == nil ? .success : .error, transaction: message.transaction)
    if let code {
      writer.addErrorCode(code, reason: reason)
      if code == 420 {
        writer.add(
          STUNAttribute.unknownAttributes,
          message.unknownRequired.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
      }
    } else {
      writer.addXORMappedAddress(path.remote)
    }
    finish(&writer, password: password, path: path)
  }

  private mutating func finish(_ writer: inout STUNWriter, password: String, path: NetworkPath) {
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: password, $0) } }
    transmits.append((path, writer.bytes))
  }

  public mutating func nextTransmit() -> (path: NetworkPath, bytes: [UInt8])? {
    transmits.isEmpty ? nil : transmits.removeFirst()
  }

  // MARK: Time

  public var nextDeadline: Instant {
    guard role == .controlling else { return .distantFuture }
    var deadline = nextConsent
    if !isNominated,
      let earliest = pairs.filter({ !$0.succeeded && $0.attempts < Self.attemptLimit }).map(\.nextCheck).min()
    {
      deadline = min(deadline, max(earliest, nextPacedCheck))
    }
    return deadline
  }

  /// Sends the checks and consent requests that are due.
  public mutating func advance(now: Instant, random: inout SplitMix64) {
    guard role == .controlling else { return }
    if now >= nextConsent, let path = selectedPath {
      let transaction = STUNTransaction(high: UInt32.random(in: 0 ... .max, using: &random), low: random.next())
      consent = (transaction, now)
      nextConsent = now + Self.consentPause
      sendCheck(transaction, path: path)
    }
    guard !isNominated, now >= nextPacedCheck else { return }
    var sent = 0
    for index in pairs.indices
    where !pairs[index].succeeded && pairs[index].nextCheck <= now && pairs[index].attempts < Self.attemptLimit {
      // A repeated check keeps its transaction (RFC 8489 §6.2.1): the answer to the first may just be slow.
      let transaction =
        pairs[index].transaction
        ?? STUNTransaction(high: UInt32.random(in: 0 ... .max, using: &random), low: random.next())
      pairs[index].transaction = transaction
      pairs[index].sentAt = now
      let timeout = Self.firstTimeout * Int64(1 << min(pairs[index].attempts, 3))
      pairs[index].nextCheck = now + timeout
      pairs[index].attempts += 1
      sendCheck(transaction, path: pairs[index].path)
      sent += 1
      // The first four go at once, a link rarely has more addresses worth trying first.
      if sent == 4 { break }
    }
    nextPacedCheck = now + Self.checkPause
  }

  private mutating func sendCheck(_ transaction: STUNTransaction, path: NetworkPath) {
    var writer = STUNWriter(.request, transaction: transaction)
    writer.add(
      STUNAttribute.username,
      Array((credentials.remote.userFragment + ":" + credentials.local.userFragment).utf8))
    writer.add(STUNAttribute.priority, word: 1_862_270_975)
    writer.add(STUNAttribute.iceControlling, doubleWord: tieBreaker)
    writer.add(STUNAttribute.useCandidate, [])
    finish(&writer, password: credentials.remote.password, path: path)
  }
}
