public import Ledger
import Yams

extension SamplePlan {
  /// Reads a description such as `Configs/sample-cluster.yaml`; keys that are not known are errors.
  public init(file: String) throws(ConfigurationError) {
    try self.init(yaml: ConfigurationError.contents(of: file))
  }

  package init(yaml: String) throws(ConfigurationError) {
    let fields = try Fields(root: ConfigurationError.compose(yaml), keys: ["cluster", "lesson", "lead", "receivers"])
    let receivers = fields.values["receivers"]
    guard let list = receivers?.sequence, (1...Self.receiverLimit).contains(list.count) else {
      throw ConfigurationError(reason: .wrongValue, line: receivers?.mark?.line ?? 1, key: "receivers")
    }
    var sites: [Site] = []
    for entry in list { sites.append(try Self.site(entry, key: "receivers")) }
    self.init(
      cluster: try fields.text("cluster"), lesson: try fields.text("lesson"),
      lead: try Self.site(fields.values["lead"], key: "lead"), receivers: sites)
  }

  private static func site(_ node: Node?, key: String) throws(ConfigurationError) -> Site {
    guard let node else { throw ConfigurationError(reason: .wrongValue, line: 1, key: key) }
    let fields = try Fields(root: node, keys: ["institution", "room", "name"])
    return Site(
      institution: try fields.text("institution"), room: try fields.text("room"), name: try fields.text("name"))
  }
}

/// The entries of one mapping, each of them wanted.
private struct Fields {
  var values: [String: Node] = [:]
  private let line: Int

  init(root: Node?, keys: Set<String>) throws(ConfigurationError) {
    line = root?.mark?.line ?? 1
    guard let mapping = root?.mapping else { throw ConfigurationError(reason: .notAMapping, line: line, key: "") }
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard keys.contains(name) else {
        throw ConfigurationError(reason: .unknownKey, line: key.mark?.line ?? line, key: name)
      }
      values[name] = value
    }
  }

  func text(_ key: String) throws(ConfigurationError) -> String {
    guard let text = values[key]?.string, !text.isEmpty, text.unicodeScalars.count <= 200 else {
      throw ConfigurationError(reason: .wrongValue, line: values[key]?.mark?.line ?? line, key: key)
    }
    return text
  }
}
