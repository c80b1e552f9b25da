/// Why a request to a relay came to nothing. Each case has its words in the catalogue under `control.<name>`.
public enum ControlError: Error, Hashable, Sendable {
  /// No `http://` or `https://` address of a relay.
  case badURL(String)
  /// The token is none that a header may carry.
  case badToken
  case cannotTrust(file: String)
  /// No HTTP answer: the reason as the network tells it.
  case unreachable(host: String, reason: String)
  /// The server's certificate is not one this client trusts.
  case untrusted(host: String)
  /// The relay said no, and why.
  case refused(ProblemReply)
  /// The answer is not what was asked for: no relay, one of another release, or one that is too long.
  case badAnswer(reason: String)

  public var name: String {
    switch self {
    case .badURL: "badURL"
    case .badToken: "badToken"
    case .cannotTrust: "cannotTrust"
    case .unreachable: "unreachable"
    case .untrusted: "untrusted"
    case .refused: "refused"
    case .badAnswer: "badAnswer"
    }
  }

  /// Names of all cases, for whoever has words for them.
  public static let names = [
    "badURL", "badToken", "cannotTrust", "unreachable", "untrusted", "refused", "badAnswer",
  ]

  /// What the words of the catalogue name in braces.
  public var arguments: [String: String] {
    switch self {
    case .badURL(let url): ["url": url]
    case .badToken: [:]
    case .cannotTrust(let file): ["file": file]
    case .unreachable(let host, let reason): ["host": host, "reason": reason]
    case .untrusted(let host): ["host": host]
    case .refused(let problem):
      ["status": "\(problem.status)", "title": problem.title, "detail": problem.detail]
    case .badAnswer(let reason): ["reason": reason]
    }
  }
}
