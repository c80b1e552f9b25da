import Foundation
public import Reporting
import Yams

/// How usage is told to platforms. `Configs/tongke.yaml` describes each key.
public struct ReportingConfiguration: Sendable, Equatable {
  /// A platform's learning record store (xAPI).
  public struct Platform: Sendable, Equatable {
    public var name = ""
    /// Address before `/statements`, without a slash at the end.
    public var endpoint = ""
    public var homePage: String?
    public var user = ""
    /// File whose first line is the password.
    public var passwordFile = ""
    public var trust: String?

    public init() {}
  }

  /// The number the application is registered under, and the platform's code.
  public var appID = ""
  public var platformCode = ""
  /// What lessons are known by at platforms; holds at the first start of a data folder alone.
  public var activityBase: String?
  public var profile = StatementSettings.Profile.none
  /// Whether a file for each day is written to `usage` of the data folder.
  public var writesFiles = true
  /// Statements of one request.
  public var batch = 50
  public var platforms: [Platform] = []

  public static let platformLimit = 16

  public init() {}

  static let keys: Set<String> = [
    "appId", "platformCode", "activityBase", "profile", "files", "batch", "platforms",
  ]
  private static let platformKeys: Set<String> = ["name", "endpoint", "homePage", "user", "passwordFile", "trust"]

  init(_ node: Node) throws(ConfigurationError) {
    let mapping = try YAMLMapping(node, keys: Self.keys, path: "reporting")
    appID = try mapping.text("appId", absent: "")
    platformCode = try mapping.text("platformCode", absent: "")
    if mapping.values["activityBase"] != nil {
      let base = try mapping.text("activityBase")
      guard Self.isBase(base) else { throw mapping.wrong("activityBase") }
      activityBase = base
    }
    guard let profile = StatementSettings.Profile(rawValue: try mapping.text("profile", absent: "none")) else {
      throw mapping.wrong("profile")
    }
    self.profile = profile
    if let files = mapping.values["files"] {
      guard let value = files.bool else { throw mapping.wrong("files") }
      writesFiles = value
    }
    if let number = mapping.values["batch"] {
      guard let value = RelayConfiguration.number(number, in: 1...500) else { throw mapping.wrong("batch") }
      batch = value
    }
    for entry in try mapping.list("platforms", count: 0...Self.platformLimit) {
      platforms.append(try Self.platform(entry))
    }
    let pages = platforms.map { $0.homePage ?? "" }
    guard Set(platforms.map(\.name)).count == platforms.count, Set(pages).count == pages.count else {
      throw mapping.wrong("platforms")
    }
  }

  private static func platform(_ node: Node) throws(ConfigurationError) -> Platform {
    let mapping = try YAMLMapping(node, keys: platformKeys, path: "reporting.platforms")
    var platform = Platform()
    platform.name = try mapping.text("name")
    platform.endpoint = try mapping.text("endpoint")
    guard AccessConfiguration.isSafe(platform.endpoint) else { throw mapping.wrong("endpoint") }
    if platform.endpoint.hasSuffix("/") { platform.endpoint.removeLast() }
    if mapping.values["homePage"] != nil { platform.homePage = try mapping.text("homePage") }
    platform.user = try mapping.text("user")
    // A colon would end it in the header.
    guard !platform.user.contains(":") else { throw mapping.wrong("user") }
    platform.passwordFile = try mapping.text("passwordFile")
    if mapping.values["trust"] != nil { platform.trust = try mapping.text("trust") }
    return platform
  }

  /// An address of http or https that identifiers can be made of.
  private static func isBase(_ text: String) -> Bool {
    guard !text.hasSuffix("/"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let url = URL(string: text),
      ["http", "https"].contains(url.scheme), url.host()?.isEmpty == false, url.query() == nil, url.fragment() == nil
    else { return false }
    return true
  }
}
