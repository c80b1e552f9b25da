/// Where the platform counts what a class, a school, a region or a teacher did: a space of the learning platform.
///
/// Made by import and by nothing else: whoever has none is told to no platform.
public struct Space: Hashable, Sendable, Codable {
  /// 个人空间 and 机构空间. Pupils and parents have spaces at the platform and none here, as they are no persons here.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    // 个人空间
    case teacher
    /// 名师
    case masterTeacher
    case manager
    // 机构空间
    case schoolClass = "class"
    case school
    case region
    /// 社团: pupils before one screen, as a class.
    case club

    public var isPersonal: Bool {
      switch self {
      case .teacher, .masterTeacher, .manager: true
      case .schoolClass, .school, .region, .club: false
      }
    }
  }

  /// Whose it is.
  public enum Owner: Hashable, Sendable {
    case person(Identifier)
    case schoolClass(Identifier)
    case institution(Identifier)
    /// Name or code, as institutions have it.
    case region(String)

    /// Such as `class/UUID`; what outboxes and lists call it.
    public var text: String {
      switch self {
      case .person(let id): "person/\(id)"
      case .schoolClass(let id): "class/\(id)"
      case .institution(let id): "institution/\(id)"
      case .region(let name): "region/\(name)"
      }
    }

    /// Reads `text`; nil for anything else.
    public init?(text: String) {
      guard let slash = text.firstIndex(of: "/") else { return nil }
      let rest = text[text.index(after: slash)...]
      switch (text[..<slash], Identifier(rest)) {
      case ("person", let id?): self = .person(id)
      case ("class", let id?): self = .schoolClass(id)
      case ("institution", let id?): self = .institution(id)
      case ("region", _) where !rest.isEmpty: self = .region(String(rest))
      default: return nil
      }
    }
  }

  public var owner: Owner
  public var kind: Kind
  /// Of the platform that gave the account, `https://space.example.cn`; an xAPI account's `homePage`.
  public var homePage: String
  /// The space's opaque number there; an xAPI account's `name`.
  public var name: String

  public init(owner: Owner, kind: Kind, homePage: String, name: String) {
    self.owner = owner
    self.kind = kind
    self.homePage = homePage
    self.name = name
  }

  /// Throws `badName` for texts, `badCode` for a home page that is no http address, `badRange` for a kind that its
  /// owner cannot have.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(name)
    try Limits.checkName(homePage)
    guard Self.isAddress(homePage) else { throw .badCode }
    switch (owner, kind) {
    case (.person, .teacher), (.person, .masterTeacher), (.person, .manager), (.schoolClass, .schoolClass),
      (.schoolClass, .club), (.institution, .school):
      break
    case (.region(let name), .region): try Limits.checkName(name)
    default: throw .badRange
    }
  }

  /// Printable ASCII with a scheme and a host, and nothing that JSON or CSV would have to escape.
  private static func isAddress(_ text: String) -> Bool {
    guard let colon = text.firstRange(of: "://"), ["http", "https"].contains(text[..<colon.lowerBound]) else {
      return false
    }
    let rest = text[colon.upperBound...]
    guard let first = rest.utf8.first, first != UInt8(ascii: "/") else { return false }
    return rest.utf8.allSatisfy { (0x21...0x7e).contains($0) && !#""\<>^`{|}"#.utf8.contains($0) }
  }
}

extension Space.Owner: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let owner = Space.Owner(text: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an owner of a space")
    }
    self = owner
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
