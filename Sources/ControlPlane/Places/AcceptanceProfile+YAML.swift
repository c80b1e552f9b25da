public import Classroom
import Yams

extension AcceptanceProfile {
  /// Reads a profile such as `Configs/acceptance.yaml`; keys that are not known are errors, what is left out of a use
  /// is not asked for.
  public init(file: String) throws(ConfigurationError) {
    try self.init(yaml: ConfigurationError.contents(of: file))
  }

  package init(yaml: String) throws(ConfigurationError) {
    let root = try YAMLMapping(
      ConfigurationError.compose(yaml), keys: ["version", "name", "testDays", "receiving", "leading"])
    func number(_ mapping: YAMLMapping, _ key: String, _ range: ClosedRange<Int>, absent: Int? = nil)
      throws(ConfigurationError) -> Int
    {
      guard let node = mapping.values[key] else {
        guard let absent else { throw mapping.wrong(key) }
        return absent
      }
      guard let number = RelayConfiguration.number(node, in: range) else { throw mapping.wrong(key) }
      return number
    }
    func needs(_ key: String) throws(ConfigurationError) -> Needs {
      guard let node = root.values[key] else { throw root.wrong(key) }
      let mapping = try YAMLMapping(
        node,
        keys: ["cameras", "microphones", "speakers", "codecs", "downlink", "uplink", "roundTrip", "loss"], path: key)
      let devices = 0...RoomTest.listLimit
      let codecs = try mapping.texts("codecs", count: devices).map { $0.lowercased() }
      guard Set(codecs).count == codecs.count, codecs.allSatisfy({ $0.utf8.count <= Limits.codeScalars }) else {
        throw mapping.wrong("codecs")
      }
      return Needs(
        cameras: try number(mapping, "cameras", devices, absent: 0),
        microphones: try number(mapping, "microphones", devices, absent: 0),
        speakers: try number(mapping, "speakers", devices, absent: 0), codecs: codecs,
        downlink: try number(mapping, "downlink", 0...100_000_000, absent: 0),
        uplink: try number(mapping, "uplink", 0...100_000_000, absent: 0),
        roundTrip: try number(mapping, "roundTrip", 0...60_000, absent: 0),
        loss: try number(mapping, "loss", 0...1_000, absent: 0))
    }
    self.init(
      version: try number(root, "version", 1...1_000_000), name: try root.text("name"),
      testDays: try number(root, "testDays", 1...366), receiving: try needs("receiving"),
      leading: try needs("leading"))
    // All that could be wrong is asked above, with its line; a name may still hold what no line has.
    do { try validate() } catch { throw root.wrong("name") }
  }
}
