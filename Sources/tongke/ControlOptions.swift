import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

/// Which relay a command asks.
struct ControlOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Relay and token of an earlier tongke login. Default: the last one, or TONGKE_URL and TONGKE_TOKEN.",
      valueName: "name"))
  var profile: String?

  /// Runs requests with a client of the profile, and tells refusals in words.
  func with<T>(_ body: (ControlClient) async throws -> T) async throws -> T {
    let language = Language.ofEnvironment
    let environment = ProcessInfo.processInfo.environment
    do {
      let path = ProfileFile.path(environment: environment)
      var file = try ProfileFile(path: path)
      var chosen = try file.profile(profile, environment: environment)
      if let next = await Self.next(of: chosen) {
        // A command that runs beside has a token of its own; whichever is written last is as good.
        let name = profile ?? file.current
        if file.profiles[name]?.token == chosen.token {
          file.profiles[name]?.token = next
          try file.save(path: path)
        }
        chosen.token = next
      }
      return try await Self.with(chosen, body)
    } catch let error as ControlError {
      throw Refusal(words: error.message(in: language))
    } catch let error as ProfileError {
      throw Refusal(words: error.message(in: language))
    }
  }

  /// Keeps a session's next token in the place of the one that a command was run with.
  func keep(_ token: String) throws {
    let environment = ProcessInfo.processInfo.environment
    do {
      let path = ProfileFile.path(environment: environment)
      var file = try ProfileFile(path: path)
      let chosen = try file.profile(profile, environment: environment)
      let name = profile ?? file.current
      guard file.profiles[name]?.token == chosen.token else { return }
      file.profiles[name]?.token = token
      try file.save(path: path)
    } catch { throw Refusal(words: error.message(in: .ofEnvironment)) }
  }

  /// The next token of a session that is in use; nil where there is none to be had.
  private static func next(of profile: ControlProfile) async -> String? {
    let now = Int64(Date().timeIntervalSince1970)
    guard SessionToken(profile.token)?.wantsNext(now: now) == true else { return nil }
    return try? await with(profile) { try await $0.refreshSession() }.token
  }

  static func with<T>(_ profile: ControlProfile, _ body: (ControlClient) async throws -> T) async throws -> T {
    let client = try ControlClient(
      base: profile.url, token: profile.token, language: Language.ofEnvironment.rawValue, trust: profile.trust)
    do {
      let value = try await body(client)
      await client.shutdown()
      return value
    } catch {
      await client.shutdown()
      throw error
    }
  }
}

/// Which term a command is about.
struct TermOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The term's code, such as 2026-2027-1. Default: the only one, or the one that today lies in.",
      valueName: "code"))
  var term: String?

  func code(_ client: ControlClient) async throws -> String {
    if let term { return term }
    let terms = try await client.terms()
    if terms.count == 1 { return terms[0].code }
    let today = CivilTime.date(of: Int64(Date().timeIntervalSince1970 * 1_000))
    let running = terms.filter { term in
      guard let first = CivilDate(term.firstDay), (1...60).contains(term.weeks) else { return false }
      return first.monday <= today && today < first.monday + term.weeks * 7
    }
    guard running.count == 1 else {
      throw Refusal(
        terms.isEmpty ? "cli.term.none" : "cli.term.unclear",
        ["terms": TerminalText.line(terms.map(\.code).joined(separator: ", "))])
    }
    return running[0].code
  }
}

/// How an answer is printed.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Print CSV.") var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
  }

  var isForPeople: Bool { !json && !csv }

  func print(_ value: some Encodable, _ table: (Language) -> TextTable) throws {
    if json { return Console.line(try Self.json(value)) }
    let table = table(.ofEnvironment)
    Console.text(csv ? table.csv : table.text)
  }

  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A day and a time of day, as the interface writes them.
struct CivilMoment: ExpressibleByArgument {
  var text: String

  /// Reads `2026-09-07 10:10`, also with a T between.
  init?(argument: String) {
    let parts = argument.split(whereSeparator: { $0 == " " || $0 == "T" })
    guard parts.count == 2, let date = CivilDate(parts[0]), let time = ClockTime(parts[1]) else { return nil }
    text = "\(date) \(time)"
  }
}

/// A day, as the interface writes it.
struct CivilDay: ExpressibleByArgument {
  var text: String

  /// Reads `2026-09-07`.
  init?(argument: String) {
    guard let date = CivilDate(argument) else { return nil }
    text = "\(date)"
  }
}
