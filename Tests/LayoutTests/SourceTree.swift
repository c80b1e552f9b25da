import Foundation

/// One Swift file of the tree.
struct SourceFile: Sendable {
  /// From the tree's root, `Sources/RTCCore/Peer.swift`.
  let path: String
  let lines: [String]

  /// The second folder of the path: the target.
  var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  var isTest: Bool { path.hasPrefix("Tests/") }

  /// Modules it imports, with the line.
  var imports: [(module: String, line: Int)] {
    lines.enumerated().compactMap { number, line in
      let words = line.split(separator: " ")
      guard let place = words.firstIndex(of: "import"), place < 3, place + 1 < words.count,
        words[..<place].allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) })
      else { return nil }
      // `import struct Module.Name` and `import Module.Part` name the module too.
      let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "typealias", "var", "let"]
      let name = kinds.contains(words[place + 1]) ? words.dropFirst(place + 2).first ?? "" : words[place + 1]
      return (String(name.prefix { $0 != "." }), number + 1)
    }
  }

  /// The line without what a reader of code skips: comments, and what stands in quotation marks.
  static func code(_ line: String) -> String {
    var result = ""
    var isText = false
    var former: Character = " "
    for character in line {
      if character == "\"", former != "\\" { isText.toggle() }
      if !isText, former == "/", character == "/" {
        result.removeLast()
        break
      }
      if !isText { result.append(character) }
      former = character
    }
    return result
  }
}

/// The project's tree, found from this file.
enum SourceTree {
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func files(ending: String, under folder: String) -> [String] {
    let base = root.appending(path: folder)
    let found = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
    let paths = found?.compactMap { ($0 as? URL)?.resolvingSymlinksInPath().path } ?? []
    return paths.filter { $0.hasSuffix(ending) }.map { String($0.dropFirst(root.path.count + 1)) }.sorted()
  }

  static func text(_ path: String) -> String {
    (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
  }

  static let swiftFiles: [SourceFile] =
    (files(ending: ".swift", under: "Sources") + files(ending: ".swift", under: "Tests"))
    .map { path in
      SourceFile(
        path: path, lines: text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

  static let cFiles: [SourceFile] = (files(ending: ".c", under: "Sources") + files(ending: ".h", under: "Sources"))
    .map { path in
      SourceFile(
        path: path, lines: text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }
}
