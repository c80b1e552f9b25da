import Foundation
import Yams

/// What is wrong with a configuration, and where.
public struct ConfigurationError: Error, Sendable, Equatable {
  public enum Reason: String, Sendable, CaseIterable {
    case unreadable, notYAML, notAMapping, unknownKey, wrongValue
  }
  public var reason: Reason
  /// 1-based line of the file, 0 when there is none.
  public var line: Int
  public var key: String
}

extension ConfigurationError {
  /// The text of a file of at most 1 MiB.
  static func contents(of file: String) throws(ConfigurationError) -> String {
    guard let data = FileManager.default.contents(atPath: file), data.count <= 1 << 20,
      let text = String(data: data, encoding: .utf8)
    else { throw ConfigurationError(reason: .unreadable, line: 0, key: "") }
    return text
  }

  /// The document's root, nil when it is empty.
  static func compose(_ yaml: String) throws(ConfigurationError) -> Node? {
    do { return try Yams.compose(yaml: yaml) } catch {
      let line =
        switch error as? YamlError {
        case .parser(_, _, let mark, _), .scanner(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: 0
        }
      throw ConfigurationError(reason: .notYAML, line: line, key: "")
    }
  }
}
