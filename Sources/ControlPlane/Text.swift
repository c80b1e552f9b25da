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

  /// Keys of the catalogue, for the test that every key used has a text in every language.
  package static var keys: Set<String> { Set(catalogue.keys) }

  package static func has(_ key: String, in language: Language) -> Bool { catalogue[key]?[language.rawValue] != nil }

  /// The text of a key with `{name}` replaced by the arguments.
  public static func of(_ key: String, in language: Language, _ arguments: [String: String] = [:]) -> String {
    var text = catalogue[key]?[language.rawValue] ?? catalogue[key]?[Language.english.rawValue] ?? key
    for (name, value) in arguments { text = text.replacingOccurrences(of: "{\(name)}", with: value) }
    return text
  }
}

extension ConfigurationError {
  public func message(in language: Language, file: String) -> String {
    Text.of(
      "configuration.\(reason.rawValue)", in: language, ["file": file, "line": String(line), "key": key])
  }
}
