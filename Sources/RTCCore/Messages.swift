public import RTCWire

/// What a pane shows. `seat` carries the feed to show.
public enum PaneSource: Hashable, Sendable {
  case none
  /// The lesson's stage, as the control plane last set it with `setStage`.
  case stage
  /// The called seat, as the control plane last set it with `setCalled`.
  case called
  case feed(FeedID)
}

/// What the control plane tells a worker. Values only; at most one command a turn is large (`addPeer`).
public enum Command: Sendable {
  case openLesson(LessonID)
  /// Removes the lesson with its peers, sinks and injected feeds.
  case closeLesson(LessonID)
  /// The feed everyone sees whose pane shows `.stage`, and the one they hear with it: of the same feed unless named,
  /// since a screen is often shared without sound while its teacher speaks.
  case setStage(LessonID, FeedID, audio: FeedID? = nil)
  /// The feed that panes with `.called` see, and the one they hear; nil is nobody. The only way a seat's sound goes to
  /// others, so that whoever is not called, or is muted, is heard by nobody.
  case setCalled(LessonID, picture: FeedID?, sound: FeedID?)
  case addPeer(PeerDescription)
  case removePeer(PeerID)
  /// ICE restart: new credentials on both sides, same DTLS session.
  case restartICE(PeerID, local: ICECredentials, remote: ICECredentials)
  case addRemoteCandidate(PeerID, SocketAddress)
  /// What the send line `mid` of a peer shows; `maxHeight` 0 means no limit.
  case setPane(PeerID, mid: String, source: PaneSource, maxHeight: UInt16)
  /// Subscribes a sink (recorder, file writer) to every track of a feed, top layer, exempt from adaptation.
  case addSink(LessonID, FeedID, sink: SinkID)
  case removeSink(sink: SinkID)
  /// A feed whose packets come by the injection lane instead of a peer. One track for each line.
  case openInjection(LessonID, FeedID, injection: InjectionID, lines: [MediaLine])
  /// Ends an injected feed. Its thread gives back every slot it still holds as a packet; they are released unread.
  case closeInjection(InjectionID)
  case requestKeyFrame(LessonID, FeedID)
  /// Lends a lesson to another worker of the pool, where it is open too, for receivers over there. All its publishers
  /// are here. Opened again, everything is told and lent anew.
  case openLink(LessonID, to: Int)
  case closeLink(LessonID, to: Int)
  /// Lends a return feed over a link also while it is not called, because a pane over there shows it.
  case lendFeed(LessonID, FeedID, to: Int)
}

/// Names a lane of leases out of a worker (a recorder or a client's file writer).
public struct SinkID: Hashable, Sendable {
  public var rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// Names a lane of packets into a worker (a file or device source).
public struct InjectionID: Hashable, Sendable {
  public var rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// Why a peer is gone.
public enum PeerEnd: UInt8, Sendable {
  case removed, iceTimeout, handshakeFailed, fingerprintMismatch, closedByPeer, mediaNeverCame, replaced, lessonClosed
}

/// What a worker tells the control plane.
public enum CoreEvent: Sendable {
  case iceConnected(PeerID, NetworkPath, Instant)
  case dtlsConnected(PeerID, SRTPProfile, Instant)
  /// First authenticated RTP of the peer, or first RTP sent to it and acknowledged by a report.
  case mediaFlowing(PeerID, Instant)
  /// Nothing heard for 15 s (or heard again).
  case stalled(PeerID, Instant)
  case resumed(PeerID, Instant)
  case ended(PeerID, PeerEnd, Instant)
  case trackStarted(LessonID, FeedID, track: UInt32, MediaKind, Codec, Instant)
  case trackEnded(LessonID, FeedID, track: UInt32, Instant)
  case paneFilled(PeerID, mid: String, FeedID)
  /// The pane stays empty: no codec of the source is one of the line's.
  case paneWithoutCommonCodec(PeerID, mid: String, FeedID, Encoding)
  case degraded(PeerID, kind: MediaKind, Instant)
  case restored(PeerID, kind: MediaKind, Instant)
  /// Sent about once a second for each peer.
  case peerStatistics(PeerStatistics)
  /// A key frame is wanted from an injected feed (an encoder may honour it).
  case keyFrameRequested(InjectionID)
}

/// What a peer gets of the pictures it is meant to see; of several the least. The later case is the lesser.
public enum PictureState: UInt8, Hashable, Sendable, CaseIterable {
  /// There is none for it now.
  case none
  case full
  /// A smaller layer than there is, or pictures that were left out.
  case thin
  /// None, so that the sound gets through.
  case paused
}

/// Counters of a peer since it was added, and its present state.
public struct PeerStatistics: Sendable {
  public var peer: PeerID
  public var at: Instant
  public var packetsReceived: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  public var packetsRepaired: UInt64 = 0
  /// Sequence gaps left after retransmission, over the connection's life so far.
  public var packetsLost: UInt64 = 0
  public var packetsSent: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var packetsRetransmitted: UInt64 = 0
  public var nacksReceived: UInt64 = 0
  public var pictureLossReceived: UInt64 = 0
  /// Extended highest sequence acknowledged by receiver reports grew since the last statistics: media is acknowledged.
  public var mediaAcknowledged: Bool = false
  public var roundTripMicroseconds: Int64 = 0
  /// 0…255, from the last receiver report (RFC 3550 §6.4.1).
  public var fractionLost: UInt8 = 0
  public var jitterMicroseconds: Int64 = 0
  public var estimateBitsPerSecond: Int64 = 0
  public var queuedMilliseconds: Int64 = 0
  /// Since anything authenticated was heard of the peer.
  public var silentMilliseconds: Int64 = 0
  public var picture = PictureState.none
  public init(peer: PeerID, at: Instant) {
    self.peer = peer
    self.at = at
  }
}

/// What the core asks of the handshake thread. Bytes are owned: a handshake is not the packet path.
public enum HandshakeInput: Sendable {
  case start(PeerID, role: PeerDescription.DTLSRole, fingerprints: [CertificateFingerprint])
  case datagram(PeerID, [UInt8])
  case close(PeerID)
}

/// What the handshake thread reports.
public enum HandshakeOutput: Sendable {
  case send(PeerID, [UInt8])
  case keysReady(PeerID, SRTPKeys)
  case failed(PeerID, HandshakeFailure)
  /// close_notify was received.
  case closed(PeerID)
}

public enum HandshakeFailure: UInt8, Sendable { case timeout, protocolError, fingerprintMismatch, noCommonProfile }
