import MediaWorker
import RTCCore

/// An HTTP answer that refused a session, as far as it said why (RFC 9457).
public struct HTTPRefusal: Equatable, Sendable {
  public var status: Int
  /// `type` of the problem+json, such as `urn:tongke:problem:full`; empty without one.
  public var type: String
  public var title: String
  public var detail: String
  /// Seconds, from `Retry-After`.
  public var retryAfter: Int?

  public init(status: Int, type: String = "", title: String = "", detail: String = "", retryAfter: Int? = nil) {
    self.status = status
    self.type = type
    self.title = title
    self.detail = detail
    self.retryAfter = retryAfter
  }
}

/// Why a session did not come about or ended. Each case has its words in the catalogue under `client.<name>`.
public enum ClientError: Error, Equatable, Sendable {
  case badURL(String)
  case cannotTrust(file: String)
  /// No HTTP answer: the reason as the network tells it.
  case unreachable(host: String, reason: String)
  /// The server's certificate is not one this client trusts.
  case untrusted(host: String)
  case refused(HTTPRefusal)
  /// The answer is no SDP, has no session URL, or accepts nothing of what was offered.
  case badAnswer(reason: String)
  case sourceUnreadable(reason: String)
  case fileUnwritable(reason: String)
  /// No UDP path to the relay: a firewall, or an address that does not lead there.
  case noPath
  /// There is a path, but the DTLS handshake did not finish over it.
  case handshakeFailed
  /// Someone else's certificate: the connection is not with who answered the offer.
  case wrongCertificate
  /// Connected, and then no media came within the time given.
  case mediaNeverCame
  case connectionLost
  /// The relay said goodbye.
  case endedByRelay
  /// The worker takes no more sessions.
  case full
  case worker(String)
  case stopped

  /// The name in the catalogue.
  public var name: String {
    switch self {
    case .badURL: "badURL"
    case .cannotTrust: "cannotTrust"
    case .unreachable: "unreachable"
    case .untrusted: "untrusted"
    case .refused: "refused"
    case .badAnswer: "badAnswer"
    case .sourceUnreadable: "sourceUnreadable"
    case .fileUnwritable: "fileUnwritable"
    case .noPath: "noPath"
    case .handshakeFailed: "handshakeFailed"
    case .wrongCertificate: "wrongCertificate"
    case .mediaNeverCame: "mediaNeverCame"
    case .connectionLost: "connectionLost"
    case .endedByRelay: "endedByRelay"
    case .full: "full"
    case .worker: "worker"
    case .stopped: "stopped"
    }
  }

  /// What the words of the catalogue name in braces.
  public var arguments: [String: String] {
    switch self {
    case .badURL(let url): ["url": url]
    case .cannotTrust(let file): ["file": file]
    case .unreachable(let host, let reason): ["host": host, "reason": reason]
    case .untrusted(let host): ["host": host]
    case .refused(let refusal):
      ["status": String(refusal.status), "title": refusal.title, "detail": refusal.detail]
    case .badAnswer(let reason), .sourceUnreadable(let reason), .fileUnwritable(let reason), .worker(let reason):
      ["reason": reason]
    default: [:]
    }
  }

  /// How long to wait before the same is tried again; nil when trying again would be answered the same.
  func retryDelay(attempt: Int, hasConnected: Bool) -> Duration? {
    let backoff = Duration.milliseconds(250 * (1 << min(attempt, 4)))
    switch self {
    case .refused(let refusal):
      guard [409, 429, 502, 503, 504].contains(refusal.status) else { return nil }
      if let seconds = refusal.retryAfter { return .seconds(min(max(seconds, 1), 30)) }
      // 409 without Retry-After is final: the lesson is over.
      return refusal.status == 409 ? nil : backoff
    case .unreachable, .noPath, .handshakeFailed, .connectionLost, .mediaNeverCame, .endedByRelay:
      return hasConnected ? backoff : nil
    default: return nil
    }
  }
}

extension ClientError {
  /// What the end of a peer means for its user.
  init(_ end: PeerEnd, hadPath: Bool) {
    switch end {
    case .iceTimeout: self = hadPath ? .connectionLost : .noPath
    case .handshakeFailed: self = hadPath ? .handshakeFailed : .noPath
    case .fingerprintMismatch: self = .wrongCertificate
    case .mediaNeverCame: self = .mediaNeverCame
    case .removed: self = .full
    case .closedByPeer, .replaced, .lessonClosed: self = .endedByRelay
    }
  }

  init(_ error: WorkerError) {
    switch error {
    case .socket(let error): self = .worker("UDP socket: \(error)")
    case .listener(let error): self = .worker("TCP listener: \(error)")
    case .certificate(let error): self = .worker("certificate: \(error)")
    }
  }
}
