/// How a platform is told of what was used. `Configs/tongke.yaml` describes each.
public struct StatementSettings: Hashable, Sendable {
  /// The optional statements of the virtual-classroom profile: its own verbs, those of Ralph's models, or none.
  public enum Profile: String, Hashable, Sendable, CaseIterable {
    case none
    case gaiaX = "gaia-x"
    case ralph
  }

  /// A platform that takes statements.
  public struct Platform: Hashable, Sendable {
    /// What the outbox calls it.
    public var name: String
    /// Accounts of this home page are its; nil takes those that no other platform names.
    public var homePage: String?

    public init(name: String, homePage: String? = nil) {
      self.name = name
      self.homePage = homePage
    }
  }

  /// What lessons and resources are known by, without a slash at the end; the ledger's, never the configuration's.
  public var activityBase: String
  /// The application's registered number, and the platform's code; empty where there is none.
  public var appID: String
  public var platformCode: String
  public var profile: Profile
  public var platforms: [Platform]

  public init(
    activityBase: String, appID: String = "", platformCode: String = "", profile: Profile = .none,
    platforms: [Platform] = []
  ) {
    self.activityBase = activityBase
    self.appID = appID
    self.platformCode = platformCode
    self.profile = profile
    self.platforms = platforms
  }

  /// The platform that accounts of a home page belong to.
  func platform(of homePage: String) -> String? {
    (platforms.first { $0.homePage == homePage } ?? platforms.first { $0.homePage == nil })?.name
  }
}

/// The identifiers of xAPI and of its profiles that are used.
enum Vocabulary {
  static let adl = "http://adlnet.gov/expapi/verbs/"
  static let streams = "http://activitystrea.ms/"
  static let classroom = "https://w3id.org/xapi/virtual-classroom"
  static let video = "https://w3id.org/xapi/video"
  static let videoType = video + "/activity-type/video"
  static let profileType = "http://adlnet.gov/expapi/activities/profile"
  static let sessionID = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
  static let plannedDuration = "http://id.tincanapi.com/extension/planned-duration"
}
