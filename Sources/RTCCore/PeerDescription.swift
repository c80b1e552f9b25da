public import RTCWire

/// The number of a peer, given by the control plane, never reused within a process. Flat so that it fits any ring.
public struct PeerID: Hashable, Sendable {
  public var rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The number of a lesson within one process; the ledger's UUID stays in the control plane.
public struct LessonID: Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// The number of a feed (a seat's camera or screen) within one lesson: it outlives the sessions that publish it.
public struct FeedID: Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The first number of what sites send back; those below are the lead's.
  public static let firstReturn = FeedID(rawValue: 3)
  /// Whether a site sends it back: lent to other workers only while it is called or watched there.
  public var isReturn: Bool { rawValue >= Self.firstReturn.rawValue }
}

/// A pair of transport addresses, and the connection between them. Peers are found by it, so all of it counts.
public struct NetworkPath: Hashable, Sendable {
  public var local: SocketAddress
  public var remote: SocketAddress
  /// The TCP connection (RFC 6544) by the number its worker gave it, which names no other; 0 for UDP.
  public var connection: UInt32
  public init(local: SocketAddress, remote: SocketAddress, connection: UInt32 = 0) {
    self.local = local
    self.remote = remote
    self.connection = connection
  }
}

public enum MediaKind: UInt8, Sendable { case audio, video }

/// The codecs the relay forwards. `h264` covers every profile without B-frames.
public enum Encoding: UInt8, Sendable, CaseIterable { case opus, h264, vp8, vp9, av1, h265, red }

/// One negotiated codec of a media line, with its retransmission payload type.
public struct Codec: Hashable, Sendable {
  public var encoding: Encoding
  /// 0…127.
  public var payloadType: UInt8
  /// The RTX payload type that repairs this codec (RFC 4588), nil without one.
  public var retransmissionPayloadType: UInt8?
  /// Hertz: 48,000 or 90,000.
  public var clockRate: UInt32
  /// H.264 `packetization-mode` (RFC 6184 §8.1), 0 for other codecs.
  public var packetizationMode: UInt8
  /// H.264 `profile-level-id` as a 24-bit number; VP9 `profile-id`, AV1 `profile`; 0 for other codecs.
  public var profileLevelID: UInt32
  public init(
    encoding: Encoding, payloadType: UInt8, retransmissionPayloadType: UInt8?, clockRate: UInt32,
    packetizationMode: UInt8 = 0, profileLevelID: UInt32 = 0
  ) {
    self.encoding = encoding
    self.payloadType = payloadType
    self.retransmissionPayloadType = retransmissionPayloadType
    self.clockRate = clockRate
    self.packetizationMode = packetizationMode
    self.profileLevelID = profileLevelID
  }
}

/// Header-extension ids negotiated for one media line; 0 means not negotiated (RFC 8285).
public struct ExtensionIDs: Hashable, Sendable {
  public var mid: UInt8 = 0
  public var rid: UInt8 = 0
  public var repairedRID: UInt8 = 0
  public var transportSequence: UInt8 = 0
  public var absoluteSendTime: UInt8 = 0
  public var audioLevel: UInt8 = 0
  public init() {}
}

/// Feedback both sides agreed on for one media line.
public struct FeedbackSet: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let nack = FeedbackSet(rawValue: 1)
  public static let pli = FeedbackSet(rawValue: 2)
  public static let fir = FeedbackSet(rawValue: 4)
  public static let remb = FeedbackSet(rawValue: 8)
  public static let transportWide = FeedbackSet(rawValue: 16)
}

/// An SSRC announced in SDP with its retransmission SSRC (`a=ssrc-group:FID`).
public struct AnnouncedSource: Hashable, Sendable {
  public var ssrc: UInt32
  public var retransmission: UInt32?
  public init(ssrc: UInt32, retransmission: UInt32?) {
    self.ssrc = ssrc
    self.retransmission = retransmission
  }
}

/// One negotiated media line, as the worker needs it.
public struct MediaLine: Hashable, Sendable {
  /// Seen from this side: `receive` is a track the other side publishes, `send` a pane we fill.
  public enum Direction: UInt8, Sendable { case receive, send, inactive }

  /// At most 16 bytes of UTF-8, so that it fits a one-byte header extension.
  public var mid: String
  public var kind: MediaKind
  public var direction: Direction
  /// All codecs both sides share, in the order of preference; never empty unless inactive.
  public var codecs: [Codec]
  public var extensions: ExtensionIDs
  public var feedback: FeedbackSet
  /// `receive`: simulcast rids in the publisher's order; empty without simulcast.
  public var rids: [String]
  /// `receive`: SSRCs the publisher announced. `send`: exactly one, ours.
  public var sources: [AnnouncedSource]
  public init(
    mid: String, kind: MediaKind, direction: Direction, codecs: [Codec], extensions: ExtensionIDs,
    feedback: FeedbackSet, rids: [String] = [], sources: [AnnouncedSource] = []
  ) {
    self.mid = mid
    self.kind = kind
    self.direction = direction
    self.codecs = codecs
    self.extensions = extensions
    self.feedback = feedback
    self.rids = rids
    self.sources = sources
  }
}

/// A user fragment and password (RFC 8445 §5.3).
public struct ICECredentials: Hashable, Sendable {
  public var userFragment: String
  public var password: String
  public init(userFragment: String, password: String) {
    self.userFragment = userFragment
    self.password = password
  }
}

/// A certificate fingerprint as SDP carries it (RFC 8122 §5): lower-case algorithm name, raw digest.
public struct CertificateFingerprint: Hashable, Sendable {
  public var algorithm: String
  public var digest: [UInt8]
  public init(algorithm: String, digest: [UInt8]) {
    self.algorithm = algorithm
    self.digest = digest
  }
}

/// Everything a worker needs to know of one peer; made from SDP by the negotiation, sent to the worker as a value.
public struct PeerDescription: Sendable {
  public enum ICERole: Sendable { case lite, controlling }
  public enum DTLSRole: Sendable { case client, server }

  public var id: PeerID
  public var lesson: LessonID
  /// The feed this peer publishes, nil for a peer that only receives.
  public var feed: FeedID?
  /// What its seat publishes by other peers: like `feed` never given back to it, since an echo helps nobody.
  public var ownFeeds: [FeedID] = []
  public var iceRole: ICERole
  public var local: ICECredentials
  public var remote: ICECredentials
  /// Remote candidate addresses; only a controlling agent uses them.
  public var remoteCandidates: [SocketAddress]
  /// Addresses a controlling agent sends from, nil for all of the worker's. Peers of one port that lead to one remote
  /// address need different ones, as a path belongs to one peer.
  public var localAddresses: [SocketAddress]?
  public var dtlsRole: DTLSRole
  /// Any one of them must match the certificate.
  public var remoteFingerprints: [CertificateFingerprint]
  public var reducedSizeRTCP: Bool
  public var lines: [MediaLine]
  public init(
    id: PeerID, lesson: LessonID, feed: FeedID?, iceRole: ICERole, local: ICECredentials, remote: ICECredentials,
    remoteCandidates: [SocketAddress], dtlsRole: DTLSRole, remoteFingerprints: [CertificateFingerprint],
    reducedSizeRTCP: Bool, lines: [MediaLine]
  ) {
    self.id = id
    self.lesson = lesson
    self.feed = feed
    self.iceRole = iceRole
    self.local = local
    self.remote = remote
    self.remoteCandidates = remoteCandidates
    self.dtlsRole = dtlsRole
    self.remoteFingerprints = remoteFingerprints
    self.reducedSizeRTCP = reducedSizeRTCP
    self.lines = lines
  }
}
