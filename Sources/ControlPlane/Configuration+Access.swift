import Foundation
import MediaWorker
import RTCWire
import Yams

/// How people sign in. `Configs/tongke.yaml` describes each key.
public struct AccessConfiguration: Sendable, Equatable {
  /// An identity provider (OpenID Connect).
  public struct OpenID: Sendable, Equatable {
    public var issuer = ""
    public var clientID = ""
    /// File whose first line is the client's secret; nil for a public client.
    public var secretFile: String?
    /// Separated by spaces; `openid` among them.
    public var scopes = "openid"
    /// What the button on the page says.
    public var name = ""
    /// File of PEM certificates to trust for it besides the system's.
    public var trust: String?
  }

  /// A platform whose users arrive with a ticket.
  public struct Ticket: Sendable, Equatable {
    public var gateway = ""
    public var appID = ""
    /// File whose first line is the application's key.
    public var keyFile = ""
    /// The platform's code.
    public var system = "0"
    public var name = ""
    /// The platform's own page to sign in at.
    public var login: String?
    public var trust: String?
  }

  /// Scheme, host and port under which people open the pages, without a slash at the end; nil guesses it.
  public var publicAddress: String?
  /// Whether administrators and coordinators give a second factor when they sign in.
  public var requiresSecondFactor = false
  public var openID: OpenID?
  public var ticket: Ticket?

  public init() {}

  /// Whether requests may go there: TLS, or a trial on this machine itself.
  static func isSafe(_ address: String) -> Bool {
    guard address.utf8.count <= 1_024, let url = URL(string: address), let host = url.host(), !host.isEmpty,
      url.user() == nil, url.query() == nil, url.fragment() == nil
    else { return false }
    return url.scheme == "https" || (url.scheme == "http" && ["127.0.0.1", "localhost", "::1"].contains(host))
  }
}

extension RelayConfiguration {
  /// Takes a key about signing in; false when it is none of these.
  mutating func applyAccess(_ name: String, _ value: Node, line: Int) throws(ConfigurationError) -> Bool {
    func wrong(_ key: String) -> ConfigurationError {
      ConfigurationError(reason: .wrongValue, line: value.mark?.line ?? line, key: key)
    }
    switch name {
    case "publicAddress":
      guard let address = value.string, AccessConfiguration.isSafe(address), URL(string: address)?.path() == "" else {
        throw wrong(name)
      }
      access.publicAddress = address
    case "secondFactor":
      guard let isRequired = value.bool else { throw wrong(name) }
      access.requiresSecondFactor = isRequired
    case "openid":
      var read = AccessConfiguration.OpenID()
      try Self.members(of: value, name, line) { key, text in
        switch key {
        case "issuer": read.issuer = text
        case "clientId": read.clientID = text
        case "clientSecretFile": read.secretFile = text
        case "scopes": read.scopes = text
        case "name": read.name = text
        case "trust": read.trust = text
        default: return false
        }
        return true
      }
      guard AccessConfiguration.isSafe(read.issuer) else { throw wrong("openid.issuer") }
      guard !read.clientID.isEmpty else { throw wrong("openid.clientId") }
      guard read.scopes.split(separator: " ").contains("openid") else { throw wrong("openid.scopes") }
      access.openID = read
    case "ticket": access.ticket = try Self.ticket(value, line)
    default: return false
    }
    return true
  }

  private static func ticket(_ value: Node, _ line: Int) throws(ConfigurationError) -> AccessConfiguration.Ticket {
    var read = AccessConfiguration.Ticket()
    try members(of: value, "ticket", line) { key, text in
      switch key {
      case "gateway": read.gateway = text
      case "appId": read.appID = text
      case "appKeyFile": read.keyFile = text
      case "sysCode": read.system = text
      case "name": read.name = text
      case "login": read.login = text
      case "trust": read.trust = text
      default: return false
      }
      return true
    }
    for (key, isRight) in [
      ("gateway", AccessConfiguration.isSafe(read.gateway)), ("appId", !read.appID.isEmpty),
      ("appKeyFile", !read.keyFile.isEmpty), ("login", read.login.map(AccessConfiguration.isSafe) ?? true),
    ] where !isRight {
      throw ConfigurationError(reason: .wrongValue, line: value.mark?.line ?? line, key: "ticket." + key)
    }
    return read
  }

  /// Hands over the members of a mapping of texts; `take` says whether it knows the key.
  private static func members(
    of value: Node, _ name: String, _ line: Int, _ take: (_ key: String, _ text: String) -> Bool
  ) throws(ConfigurationError) {
    guard let mapping = value.mapping else {
      throw ConfigurationError(reason: .wrongValue, line: value.mark?.line ?? line, key: name)
    }
    for (key, value) in mapping {
      let line = key.mark?.line ?? line
      let path = name + "." + (key.string ?? "")
      guard let text = value.string, !text.isEmpty, text.utf8.count <= 1_024 else {
        throw ConfigurationError(reason: .wrongValue, line: line, key: path)
      }
      guard take(key.string ?? "", text) else {
        throw ConfigurationError(reason: .unknownKey, line: line, key: path)
      }
    }
  }

  /// The address that people use, by the ports that are listened at.
  func pageBase(http: Int?, https port: Int?) -> String {
    if let address = access.publicAddress { return address }
    let local = "http://127.0.0.1:\(http ?? self.http.port)"
    guard let port, let https, !https.isLoopback else { return local }
    let announced = announce.first ?? LocalAddresses.list().first { !$0.address.isLoopback }?.address.addressText
    guard let host = announced else { return local }
    return "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}

extension AccessPolicy {
  init(_ configuration: AccessConfiguration) {
    self.init()
    requiresSecondFactor = configuration.requiresSecondFactor
  }
}
