// Goal: files stay short, names stay honest, cores stay deterministic. Method: reading every line of the tree.
import Testing

@Suite struct StyleTests {
  static let files = SourceTree.swiftFiles + SourceTree.cFiles
  /// Parts that take the time and randomness as arguments (invariant 1).
  static let pure: Set<String> = ["PacketRing", "RTCWire", "RTCCore", "Classroom"]
  /// Parts without global state.
  static let cores = pure.union(["MediaWorker", "Recorder"])

  @Test func filesAndLinesAreShort() {
    for file in Self.files {
      // The last line's end makes an empty one more.
      #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count - 1) lines")
      for (number, line) in file.lines.enumerated() where line.count > 120 {
        Issue.record("\(file.path):\(number + 1) has \(line.count) characters")
      }
    }
  }

  /// A function ends at the first line that closes a brace at its own indentation.
  @Test func functionsAreShort() {
    for file in SourceTree.swiftFiles {
      var start: (line: Int, indentation: Int)?
      for (number, line) in file.lines.enumerated() {
        let indentation = line.prefix { $0 == " " }.count
        let code = SourceFile.code(line)
        if Self.opensFunction(code) { start = (number, indentation) }
        guard let begun = start, number > begun.line, indentation == begun.indentation,
          code.drop(while: { $0 == " " }).first == "}"
        else { continue }
        #expect(number - begun.line - 1 <= 60, "\(file.path):\(begun.line + 1): \(number - begun.line - 1) lines")
        start = nil
      }
    }
  }

  private static func opensFunction(_ code: String) -> Bool {
    let words = code.split { " (<".contains($0) }
    let introducers: Set<Substring> = ["func", "init", "init?", "deinit", "subscript"]
    let modifiers: Set<Substring> = [
      "public", "package", "private", "internal", "fileprivate", "static", "mutating", "nonisolated", "override",
      "convenience", "required", "borrowing", "consuming", "final", "inline", "never", "always)", "never)",
    ]
    for word in words {
      if introducers.contains(word) { return true }
      guard modifiers.contains(word) || word.hasPrefix("@") else { return false }
    }
    return false
  }

  /// Written in pieces, so that this file does not find itself.
  static let banned = ["TO" + "DO", "FIX" + "ME", "fatal" + "Error(", "X" + "XX"]

  @Test func nothingIsLeftUndone() {
    for file in Self.files {
      for (number, line) in file.lines.enumerated() {
        for word in Self.banned where line.contains(word) { Issue.record("\(file.path):\(number + 1): \(word)") }
      }
    }
  }

  @Test func typesAreNamedForWhatTheyAre() {
    let kinds: Set<Substring> = ["class", "struct", "enum", "actor", "protocol"]
    for file in SourceTree.swiftFiles {
      for (number, line) in file.lines.enumerated() {
        let words = SourceFile.code(line).split { " :<{(".contains($0) }
        for place in words.indices.dropLast() where kinds.contains(words[place]) {
          for suffix in ["Manager", "Helper", "Util", "Utils"] where words[place + 1].hasSuffix(suffix) {
            Issue.record("\(file.path):\(number + 1): \(words[place + 1])")
          }
        }
      }
    }
  }

  /// Closures at the top level of such a file run on no thread of ours (see the model's notes on concurrency).
  @Test func noMainFile() { #expect(!SourceTree.swiftFiles.contains { $0.path.hasSuffix("/main.swift") }) }

  @Test func coresHaveNoSingletons() {
    for file in SourceTree.swiftFiles where !file.isTest && Self.cores.contains(file.target) {
      for (number, line) in file.lines.enumerated() {
        let code = SourceFile.code(line)
        if code.contains(".shared") || code.contains("static let shared") || code.contains("static var shared") {
          Issue.record("\(file.path):\(number + 1): a singleton")
        }
      }
    }
  }

  @Test func coresReadNoClockAndNoRandomness() {
    let forbidden = [
      "SystemRandomNumberGenerator", "ContinuousClock", "SuspendingClock", "Date()", "Date.now", "clock_gettime",
      "gettimeofday", "getenv", "ProcessInfo", "FileManager", "Task {", "Task.detached", "async ", "await ",
    ]
    for file in SourceTree.swiftFiles where !file.isTest && Self.pure.contains(file.target) {
      for (number, line) in file.lines.enumerated() {
        let code = SourceFile.code(line)
        for word in forbidden where code.contains(word) { Issue.record("\(file.path):\(number + 1): \(word)") }
        let isRandom = [".random(", ".randomElement(", ".shuffled(", ".shuffle("].contains { code.contains($0) }
        #expect(!isRandom || code.contains("using:"), "\(file.path):\(number + 1): global randomness")
      }
    }
  }
}
