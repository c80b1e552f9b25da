import Foundation

/// A relay and the token that somebody has for it.
public struct ControlProfile: Codable, Hashable, Sendable {
  public var url: String
  public var token: String
  /// File of PEM certificates to trust for it besides the system's.
  public var trust: String?

  public init(url: String, token: String, trust: String? = nil) {
    self.url = url
    self.token = token
    self.trust = trust
  }
}

/// Why the profiles cannot be used. Each case has its words in the catalogue under `profile.<name>`.
public enum ProfileError: Error, Hashable, Sendable {
  case unreadable(file: String)
  case unwritable(file: String)
  /// Not what `save` writes.
  case damaged(file: String)
  case unknown(profile: String)
  /// Nobody has logged in, and the environment names no relay.
  case none
  /// The environment names another relay than the profile, and no token for it.
  case noToken(url: String)

  public var name: String {
    switch self {
    case .unreadable: "unreadable"
    case .unwritable: "unwritable"
    case .damaged: "damaged"
    case .unknown: "unknown"
    case .none: "none"
    case .noToken: "noToken"
    }
  }

  /// Names of all cases, for whoever has words for them.
  public static let names = ["unreadable", "unwritable", "damaged", "unknown", "none", "noToken"]

  /// What the words of the catalogue name in braces.
  public var arguments: [String: String] {
    switch self {
    case .unreadable(let file), .unwritable(let file), .damaged(let file): ["file": file]
    case .unknown(let profile): ["profile": profile]
    case .none: [:]
    case .noToken(let url): ["url": url]
    }
  }
}

/// The relays that somebody has logged in to: JSON that only its owner reads.
public struct ProfileFile: Codable, Hashable, Sendable {
  public static let defaultName = "default"
  /// No file that is read is larger.
  static let byteLimit = 1 << 20

  /// The one that is used when none is named.
  public var current: String
  public var profiles: [String: ControlProfile]

  public init(current: String = Self.defaultName, profiles: [String: ControlProfile] = [:]) {
    self.current = current
    self.profiles = profiles
  }

  /// `~/.config/tongke/profiles.json`
  public static func path(environment: [String: String]) -> String {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
    return home + "/.config/tongke/profiles.json"
  }

  /// Reads the file; a missing one has no profiles.
  /// - Throws: `.unreadable`, `.damaged`
  public init(path: String) throws(ProfileError) {
    guard FileManager.default.fileExists(atPath: path) else {
      self.init()
      return
    }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw .unreadable(file: path) }
    defer { try? handle.close() }
    guard let data = try? handle.read(upToCount: Self.byteLimit) else { throw .unreadable(file: path) }
    do { self = try ControlTransport.decode(data) } catch { throw .damaged(file: path) }
  }

  /// Writes the file beside its place and moves it there, with a mode of 0600 from the first byte on.
  /// - Throws: `.unwritable`
  public func save(path: String) throws(ProfileError) {
    let folder = (path as NSString).deletingLastPathComponent
    let draft = path + ".\(ProcessInfo.processInfo.processIdentifier)"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let data = try encoder.encode(self)
      unlink(draft)
      let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      guard descriptor >= 0 else { throw ProfileError.unwritable(file: path) }
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      try handle.write(contentsOf: data)
      try handle.synchronize()
      try handle.close()
    } catch {
      unlink(draft)
      throw .unwritable(file: path)
    }
    guard rename(draft, path) == 0 else {
      unlink(draft)
      throw .unwritable(file: path)
    }
  }

  /// The profile of a command: the one named or else the current one, with what `TONGKE_URL`, `TONGKE_TOKEN` and
  /// `TONGKE_TRUST` say in its place. A profile's token goes to no other relay than its own.
  /// - Throws: `.unknown`, `.none`, `.noToken`
  public func profile(
    _ name: String?, environment: [String: String]
  ) throws(ProfileError) -> ControlProfile {
    func value(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
    let stored = profiles[name ?? current]
    // Who names a profile means it, whatever the environment says.
    if let name {
      guard let stored else { throw .unknown(profile: name) }
      return stored
    }
    guard let url = value("TONGKE_URL") ?? stored?.url else { throw .none }
    let own = stored?.url == url ? stored : nil
    guard let token = value("TONGKE_TOKEN") ?? own?.token else { throw .noToken(url: url) }
    return ControlProfile(url: url, token: token, trust: value("TONGKE_TRUST") ?? own?.trust)
  }
}
