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

      With --code a one-time code is asked for in its place, also over SSH: the one for the terminal that the page \
      /sign-in shows who has signed in there, or a link from tongke account link. The session that it begins ends \
      after half an hour without a command, and after twelve hours in any case. Where a second factor is asked for, \
      its digits are read after the code.
      """)

  @Argument(help: "The relay's address, such as https://relay.example:8443.") var url: String
  @Option(
    help: ArgumentHelp("Read the token from a file in place of standard input.", valueName: "file"),
    completion: .file())
  var tokenFile: String?
  @Flag(help: "Sign in by a one-time code or link in place of a token.") var code = false
  @Option(help: ArgumentHelp("Name to keep it under.", valueName: "name")) var profile = ProfileFile.defaultName
  @Option(
    help: ArgumentHelp("Certificates to trust for it, PEM; such as the relay's ca.crt.", valueName: "file"),
    completion: .file())
  var trust: String?

  func validate() throws {
    guard (1...64).contains(profile.count) else { throw ValidationError("--profile is a name of 1…64 characters") }
    if code, tokenFile != nil { throw ValidationError("--code and --token-file exclude each other") }
  }

  func run() async throws {
    let language = Language.ofEnvironment
    let path = ProfileFile.path(environment: ProcessInfo.processInfo.environment)
    try RemoteAccount.refuseAddress(url)
    for file in [tokenFile, trust].compactMap({ $0 }) { try RemoteAccount.refusePath(file) }
    let trustPath = trust.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    do {
      let token = code ? try await signIn(trust: trustPath) : try TokenInput.read(file: tokenFile)
      let chosen = ControlProfile(url: url, token: token, trust: trustPath)
      var file = try ProfileFile(path: path)
      try await ControlOptions.with(chosen) { client in
        // A token that may not list terms is one all the same.
        do { _ = try await client.terms() } catch ControlError.refused(let problem) where problem.status == 403 {}
      }
      file.profiles[profile] = chosen
      file.current = profile
      try file.save(path: path)
    } catch let error as ControlError {
      throw Refusal(words: error.message(in: language))
    } catch let error as ProfileError {
      throw Refusal(words: error.message(in: language))
    }
    Console.line(Text.of("cli.login.done", in: language, ["url": url, "profile": profile, "file": path]))
  }
}

extension LoginCommand {
  /// A session's token for a code or link that is typed, with the second factor where the relay asks for it.
  private func signIn(trust: String?) async throws -> String {
    let client = try ControlClient(
      base: url, token: nil, language: Language.ofEnvironment.rawValue, trust: trust)
    do {
      let token = try await Self.token(client, code: Self.code(in: try TokenInput.line("cli.login.code")))
      await client.shutdown()
      return token
    } catch {
      await client.shutdown()
      throw error
    }
  }

  private static func token(_ client: ControlClient, code: String) async throws -> String {
    var session = await answer(client, SignInRequest(code: code))
    if case .failure(.refused(let problem)) = session, problem.type.hasSuffix(":secondFactorNeeded") {
      let digits = try TokenInput.line("cli.login.digits").filter { $0 != " " }
      session = await answer(client, SignInRequest(code: code, secondFactor: digits))
    }
    guard let token = try session.get().token else { throw Refusal("cli.login.noToken") }
    return token
  }

  private static func answer(_ client: ControlClient, _ request: SignInRequest) async -> Result<
    SessionReply, ControlError
  > {
    do { return .success(try await client.signIn(request)) } catch { return .failure(error) }
  }

  /// The code of a link as it is copied, or what was typed.
  private static func code(in text: String) -> String {
    guard let mark = text.range(of: "#code=") else { return text }
    return String(text[mark.upperBound...])
  }
}

struct LogoutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout", abstract: "Forget a relay's address and token.",
    discussion: """
      A session that was begun by a code is ended. Any other token stays good: tongke token revoke ends it, on the \
      relay's machine.
      """)

  @Option(help: ArgumentHelp("The one to forget. Default: the last one.", valueName: "name")) var profile: String?

  func run() async throws {
    let language = Language.ofEnvironment
    let path = ProfileFile.path(environment: ProcessInfo.processInfo.environment)
    do {
      var file = try ProfileFile(path: path)
      let name = profile ?? file.current
      guard let removed = file.profiles.removeValue(forKey: name) else { throw ProfileError.unknown(profile: name) }
      if file.current == name { file.current = file.profiles.keys.sorted().first ?? ProfileFile.defaultName }
      try file.save(path: path)
      var isEnded = false
      if SessionToken(removed.token)?.ends != nil {
        isEnded = (try? await ControlOptions.with(removed) { try await $0.signOut() }) != nil
      }
      Console.line(Text.of(isEnded ? "cli.logout.ended" : "cli.logout.done", in: language, ["profile": name]))
    } catch let error as ProfileError { throw Refusal(words: error.message(in: language)) }
  }
}

/// Where a token comes from that no other user sees.
enum TokenInput {
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

  /// A line that is asked for on a terminal, or the next one of standard input.
  static func line(_ prompt: String) throws -> String {
    if isatty(STDIN_FILENO) == 1 { Console.error(Text.of(prompt, in: .ofEnvironment)) }
    let line = readLine(strippingNewline: true).map { String($0.prefix(byteLimit)) } ?? ""
    let text = line.trimmingCharacters(in: .whitespaces)
    guard !text.isEmpty else { throw Refusal("cli.login.noCode") }
    return text
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
