import Foundation

/// What people are told, from the one catalogue that the pages use as well.
public enum Text {
  private static let catalogue: [String: [String: String]] = {
    let data = Data(PackageResources.text_json)
    guard let entries = try? JSONDecoder().decode([String: [String: String]].self, from: data) else {
      preconditionFailure("the text catalogue is not what it is built as")
    }
    return entries
  }()

  /// The part of the catalogue that pages show, as JSON: the whole is five times as much, and lines are thin.
  package static let ofPages: [UInt8] = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let shown = catalogue.filter { $0.key.hasPrefix("page.") || $0.key.hasPrefix("trust.") }
    guard let data = try? encoder.encode(shown) else { preconditionFailure("texts always encode") }
    return Array(data)
  }()

  /// Keys of the catalogue, for the test that every key used has a text in every language.
  package static var keys: Set<String> { Set(catalogue.keys) }

  package static func has(_ key: String, in language: Language) -> Bool { catalogue[key]?[language.rawValue] != nil }

  /// The text of a key with `{name}` replaced by the arguments; what arguments hold is never taken for a name again.
  public static func of(_ key: String, in language: Language, _ arguments: [String: String] = [:]) -> String {
    let text = catalogue[key]?[language.rawValue] ?? catalogue[key]?[Language.english.rawValue] ?? key
    return arguments.isEmpty ? text : filled(text, arguments)
  }

  /// Names of the arguments that a text asks for.
  package static func arguments(of key: String, in language: Language) -> Set<String> {
    var names: Set<String> = []
    forEachPart(of: catalogue[key]?[language.rawValue] ?? "") { _, name in if let name { names.insert(name) } }
    return names
  }

  private static func filled(_ text: String, _ arguments: [String: String]) -> String {
    var result = ""
    forEachPart(of: text) { part, name in result += name.flatMap { arguments[$0] } ?? String(part) }
    return result
  }

  /// The pieces of a text in their order: what stands between braces with its name, the rest without one.
  private static func forEachPart(of text: String, _ body: (_ part: Substring, _ name: String?) -> Void) {
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      body(rest[..<open], nil)
      body(rest[open...close], String(rest[rest.index(after: open)..<close]))
      rest = rest[rest.index(after: close)...]
    }
    body(rest, nil)
  }
}

extension String {
  /// As it may stand in a sentence: on one line, cut, without controls and marks that turn the direction of writing.
  func onOneLine(limit: Int = 200) -> String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars.prefix(limit) {
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: result.append(" ")
      case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: break
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

extension ConfigurationError {
  public func message(in language: Language, file: String) -> String {
    Text.of(
      "configuration.\(reason.rawValue)", in: language, ["file": file, "line": String(line), "key": key])
  }
}
