import ArgumentParser
import ControlAPI
import ControlPlane
import Foundation

struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Keep a relay's address and a token for the commands that ask a relay.",
    discussion: """
      The token is read from standard input, or from a file; never from an argument, which other users could see. It \
      is tried once and kept in ~/.config/tongke/profiles.json, which only you can read. TONGKE_URL, TONGKE_TOKEN and \
      TONGKE_TRUST take the place of a profile.
      """)

  @Argument(help: "The relay's address, such as https://relay.example:8443.") var url: String
  @Option(
    help: ArgumentHelp("Read the token from a file in place of standard input.", valueName: "file"),
    completion: .file())
  var tokenFile: String?
  @Option(help: ArgumentHelp("Name to keep it under.", valueName: "name")) var profile = ProfileFile.defaultName
  @Option(
    help: ArgumentHelp("Certificates to trust for it, PEM; such as the relay's ca.crt.", valueName: "file"),
    completion: .file())
  var trust: String?

  func validate() throws {
    guard (1...64).contains(profile.count) else { throw ValidationError("--profile is a name of 1…64 characters") }
  }

  func run() async throws {
    let language = Language.ofEnvironment
    let path = ProfileFile.path(environment: ProcessInfo.processInfo.environment)
    try RemoteAccount.refuseAddress(url)
    for file in [tokenFile, trust].compactMap({ $0 }) { try RemoteAccount.refusePath(file) }
    let trustPath = trust.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    let chosen = ControlProfile(url: url, token: try TokenInput.read(file: tokenFile), trust: trustPath)
    do {
      var file = try ProfileFile(path: path)
      try await ControlOptions.with(chosen) { client in
        // A token that may not list terms is one all the same.
        do { _ = try await client.terms() } catch ControlError.refused(let problem) where problem.status == 403 {}
      }
      file.profiles[profile] = chosen
      file.current = profile
      try file.save(path: path)
    } catch let error as ControlError { throw Refusal(error.message(in: language)) } catch let error as ProfileError {
      throw Refusal(error.message(in: language))
    }
    Console.line(Text.of("cli.login.done", in: language, ["url": url, "profile": profile, "file": path]))
  }
}

struct LogoutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout", abstract: "Forget a relay's address and token.",
    discussion: "The token itself stays good: tongke token revoke ends it, on the relay's machine.")

  @Option(help: ArgumentHelp("The one to forget. Default: the last one.", valueName: "name")) var profile: String?

  func run() throws {
    let language = Language.ofEnvironment
    let path = ProfileFile.path(environment: ProcessInfo.processInfo.environment)
    do {
      var file = try ProfileFile(path: path)
      let name = profile ?? file.current
      guard file.profiles.removeValue(forKey: name) != nil else { throw ProfileError.unknown(profile: name) }
      if file.current == name { file.current = file.profiles.keys.sorted().first ?? ProfileFile.defaultName }
      try file.save(path: path)
      Console.line(Text.of("cli.logout.done", in: language, ["profile": name]))
    } catch let error as ProfileError { throw Refusal(error.message(in: language)) }
  }
}

/// Where a token comes from that no other user sees.
private enum TokenInput {
  static let byteLimit = 16_384

  /// The first line of a file or of standard input, without blanks around it.
  static func read(file: String?) throws -> String {
    let data: Data?
    if let file {
      data = try? FileHandle(forReadingFrom: URL(fileURLWithPath: file)).read(upToCount: byteLimit)
    } else if isatty(STDIN_FILENO) == 1 {
      Console.error(Text.of("cli.login.prompt", in: .ofEnvironment))
      data = withoutEcho { readLine(strippingNewline: true).map { Data($0.utf8) } }
    } else {
      data = try? FileHandle.standardInput.read(upToCount: byteLimit)
    }
    let line = String(decoding: data ?? Data(), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    let token = line.trimmingCharacters(in: .whitespaces)
    guard !token.isEmpty else { throw Refusal("cli.login.noToken", [:]) }
    return token
  }

  private static func withoutEcho<T>(_ body: () -> T) -> T {
    var kept = termios()
    guard tcgetattr(STDIN_FILENO, &kept) == 0 else { return body() }
    var silent = kept
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
    defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &kept) }
    return body()
  }
}
