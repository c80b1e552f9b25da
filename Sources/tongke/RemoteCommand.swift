import ArgumentParser
import ControlPlane
import Foundation

/// What a caller over SSH may do: ask a relay, by standard input and output alone.
///
/// A command that runs for somebody who has an account for this and nothing else reads and writes no file that its
/// arguments name: what it reads would show in what it says.
enum RemoteAccount {
  /// Set once, before the command that it is about.
  nonisolated(unsafe) private static var isOn = false

  static func begin() { isOn = true }

  /// Whether a path may be opened; `-` is no path.
  static func refusePath(_ path: String) throws {
    if isOn, path != "-" { throw Refusal("cli.remote.noFiles", ["file": TerminalText.line(path)]) }
  }

  /// Whether a relay may be asked: that of this machine, or the one that sshd's SetEnv names.
  static func refuseAddress(_ url: String) throws {
    guard isOn, url != ProcessInfo.processInfo.environment["TONGKE_URL"] else { return }
    let host = URL(string: url)?.host ?? ""
    guard ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host) else {
      throw Refusal("cli.remote.noAddress", ["url": TerminalText.line(url)])
    }
  }

  /// Commands that ask a relay and nothing of this machine.
  static let commands: Set<String> = [
    "login", "logout", "import", "export", "term", "course", "timetable", "lesson", "school", "site", "class",
    "person", "cluster", "account", "device", "audit", "resource", "report", "help", "--help", "-h", "--version",
  ]
}

struct RemoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Run the one command that came over SSH, and nothing else.",
    discussion: """
      For ForceCommand of sshd: see Configs/sshd-coordinators.conf. The command stands in SSH_ORIGINAL_COMMAND, with \
      or without tongke before it. Only commands that ask a relay are carried out, and no file of this machine is read \
      or written for them but the account's own login. Quotes of both kinds and backslashes hold words together; \
      nothing else has a meaning, since no shell is asked.
      """)

  static let limit = 16_384

  func run() async throws {
    let text = ProcessInfo.processInfo.environment["SSH_ORIGINAL_COMMAND"] ?? ""
    guard text.utf8.count <= Self.limit, var words = CommandWords.split(text) else {
      throw Refusal("cli.remote.unreadable", [:])
    }
    if words.first == "tongke" { words.removeFirst() }
    let name = words.first ?? "--help"
    guard RemoteAccount.commands.contains(name) else {
      throw Refusal("cli.remote.notAllowed", ["command": TerminalText.line(String(name.prefix(40)))])
    }
    RemoteAccount.begin()
    var command = try Tongke.parseAsRoot(words.isEmpty ? ["--help"] : words)
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      try command.run()
    }
  }
}

/// The words of a line, as shells hold them together, without anything else that shells do.
enum CommandWords {
  /// Nil for a quote that does not end, and for control characters.
  static func split(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in line {
      if let value = character.unicodeScalars.first?.value, value < 0x20, character != "\t" { return nil }
      if isEscaped {
        // Within double quotes a backslash holds before a quote and itself alone.
        if quote == "\"", character != "\"", character != "\\" { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { return nil }
    if let word { words.append(word) }
    return words
  }
}
