import Foundation

/// The languages people are told things in.
public enum Language: String, Sendable, CaseIterable {
  case chinese = "zh-CN"
  case english = "en"

  /// The language of a locale name such as `zh_CN.UTF-8`; English when it is neither.
  public init(locale: String) { self = locale.lowercased().hasPrefix("zh") ? .chinese : .english }

  /// The first of an `Accept-Language` header that is spoken here; Chinese when none is named.
  package init(acceptLanguage header: String?) {
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
