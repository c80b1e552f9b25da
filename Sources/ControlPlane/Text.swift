import Foundation

/// The languages people are told things in.
public enum Language: String, Sendable, CaseIterable {
  case chinese = "zh-CN"
  case english = "en"

  /// The language of a locale name such as `zh_CN.UTF-8`; English when it is neither.
  public init(locale: String) { self = locale.lowercased().hasPrefix("zh") ? .chinese : .english }

  /// The first of an `Accept-Language` header that is spoken here; Chinese when none is named.
  init(acceptLanguage header: String?) {
    for entry in (header ?? "").split(separator: ",") {
      let tag = entry.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
      if tag.hasPrefix("zh") {
        self = .chinese
        return
      }
      if tag.hasPrefix("en") {
        self = .english
        return
      }
    }
    self = .chinese
  }

  /// The language of this process, by `LC_ALL`, `LC_MESSAGES` and `LANG` in this order.
  public static var ofEnvironment: Language {
    let environment = ProcessInfo.processInfo.environment
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    return Language(locale: locale ?? "")
  }
}

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
