public import Ledger
import Yams

extension SamplePlan {
  /// Reads a description such as `Configs/sample-cluster.yaml`; keys that are not known are errors.
  public init(file: String) throws(ConfigurationError) {
    try self.init(yaml: ConfigurationError.contents(of: file))
  }

  package init(yaml: String) throws(ConfigurationError) {
    let fields = try YAMLMapping(
      ConfigurationError.compose(yaml), keys: ["cluster", "lesson", "lead", "receivers"])
    var sites: [Site] = []
    for entry in try fields.list("receivers", count: 1...Self.receiverLimit) {
      sites.append(try Self.site(entry, path: "receivers"))
    }
    guard let lead = fields.values["lead"] else { throw fields.wrong("lead") }
    self.init(
      cluster: try fields.text("cluster"), lesson: try fields.text("lesson"),
      lead: try Self.site(lead, path: "lead"), receivers: sites)
  }

  private static func site(_ node: Node, path: String) throws(ConfigurationError) -> Site {
    let fields = try YAMLMapping(node, keys: ["institution", "room", "name"], path: path)
    return Site(
      institution: try fields.text("institution"), room: try fields.text("room"), name: try fields.text("name"))
  }
}
