import Yams

/// The entries of one mapping of a file to edit: those that are known, each with its line.
struct YAMLMapping {
  private(set) var values: [String: Node] = [:]
  let line: Int
  /// Put before its keys in what is thrown, such as `subjects`; empty at the root.
  private let path: String

  /// Throws `notAMapping`, or `unknownKey` for one that is not among `keys`.
  init(_ node: Node?, keys: Set<String>, path: String = "") throws(ConfigurationError) {
    line = node?.mark?.line ?? 1
    self.path = path
    guard let mapping = node?.mapping else {
      throw ConfigurationError(reason: .notAMapping, line: line, key: path)
    }
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard keys.contains(name) else {
        throw ConfigurationError(reason: .unknownKey, line: key.mark?.line ?? line, key: full(name))
      }
      values[name] = value
    }
  }

  private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func wrong(_ key: String) -> ConfigurationError {
    ConfigurationError(reason: .wrongValue, line: values[key]?.mark?.line ?? line, key: full(key))
  }

  /// 1…200 scalars; `absent` where there is none and it may be so.
  func text(_ key: String, absent: String? = nil) throws(ConfigurationError) -> String {
    if values[key] == nil, let absent { return absent }
    guard let text = values[key]?.string, !text.isEmpty, text.unicodeScalars.count <= 200 else { throw wrong(key) }
    return text
  }

  /// Entries of a list of an allowed length; none where it is absent and may be empty.
  func list(_ key: String, count: ClosedRange<Int>) throws(ConfigurationError) -> [Node] {
    if values[key] == nil, count.contains(0) { return [] }
    guard let list = values[key]?.sequence, count.contains(list.count) else { throw wrong(key) }
    return Array(list)
  }

  /// Texts of a list, as `text`.
  func texts(_ key: String, count: ClosedRange<Int>) throws(ConfigurationError) -> [String] {
    let texts = try list(key, count: count).map { $0.string ?? "" }
    guard texts.allSatisfy({ !$0.isEmpty && $0.unicodeScalars.count <= 200 }) else { throw wrong(key) }
    return texts
  }

  /// Decimal numbers of a list.
  func numbers(_ key: String, count: ClosedRange<Int>, in range: ClosedRange<Int>) throws(ConfigurationError) -> [Int]
  {
    let list = try list(key, count: count)
    let numbers = list.compactMap { RelayConfiguration.number($0, in: range) }
    guard numbers.count == list.count else { throw wrong(key) }
    return numbers
  }
}
