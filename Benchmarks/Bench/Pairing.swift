import RTCCore
import RTCWire

/// What both ends of one connection are told, without HTTP between them.
struct Pairing {
  static let feed = FeedID(rawValue: 1)

  /// For the end that answers.
  let relay: PeerDescription
  /// For the end that offers.
  let client: PeerDescription
  /// The offer's lines: what an injected feed is made of.
  let lines: [MediaLine]

  /// - Parameters:
  ///   - lesson: the client's own, as clients of one core are strangers to each other.
  ///   - addresses: where the relay is, and where this client sends from.
  init(
    role: NegotiationRole, number: UInt64, lesson: LessonID, relayLesson: LessonID,
    addresses: (relay: SocketAddress, client: SocketAddress),
    fingerprints: (relay: CertificateFingerprint, client: CertificateFingerprint)
  ) throws {
    var random = SystemRandomNumberGenerator()
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    let offer = Negotiation.offer(
      role: role, tracks: tracks, local: Self.transport(addresses.client, fingerprints.client), random: &random)
    let (answer, description) = try Negotiation.answer(
      offer: offer.description, role: role, local: Self.transport(addresses.relay, fingerprints.relay),
      peer: PeerID(rawValue: number), lesson: relayLesson, feed: role == .whip ? Self.feed : nil, random: &random)
    relay = description
    var client = try Negotiation.apply(
      answer: answer, to: offer, peer: PeerID(rawValue: number), lesson: lesson, feed: Self.feed)
    client.localAddresses = [addresses.client]
    self.client = client
    lines = offer.mediaLines
  }

  /// Brings the client's side into its core; `injection` feeds what it publishes.
  func apply(injection: InjectionID, to core: inout RelayCore, now: Now) {
    core.apply(.openLesson(client.lesson), now: now)
    let sends = client.lines.filter { $0.direction == .send }
    if !sends.isEmpty {
      core.apply(.openInjection(client.lesson, Self.feed, injection: injection, lines: lines), now: now)
    }
    core.apply(.addPeer(client), now: now)
    for line in sends {
      core.apply(.setPane(client.id, mid: line.mid, source: .feed(Self.feed), maxHeight: 0), now: now)
    }
  }

  private static func transport(_ address: SocketAddress, _ fingerprint: CertificateFingerprint) -> LocalTransport {
    func text(_ count: Int) -> String {
      String((0..<count).map { _ in Character(UnicodeScalar(UInt8.random(in: 97...122))) })
    }
    let candidate = ICECandidateLine(
      foundation: "1", transport: "udp", priority: 2_130_706_431, address: address.addressText, port: address.port,
      type: "host")
    return LocalTransport(
      credentials: ICECredentials(userFragment: text(8), password: text(24)), fingerprint: fingerprint,
      candidates: [candidate], sessionID: 1)
  }
}
