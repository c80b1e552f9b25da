import Yams

extension RelayConfiguration {
  /// The mappings `recording` and `retention`.
  mutating func applyRecording(_ group: String, _ value: Node, line: Int) throws(ConfigurationError) {
    guard let mapping = value.mapping else {
      throw ConfigurationError(reason: .wrongValue, line: line, key: group)
    }
    for (key, value) in mapping {
      let name = group + "." + (key.string ?? "")
      let line = value.mark?.line ?? key.mark?.line ?? line
      let range: ClosedRange<Int>
      switch name {
      case "recording.lowSpace": range = 2...1_000_000
      case "retention.unreviewedDays": range = 7...3_650
      default: throw ConfigurationError(reason: .unknownKey, line: key.mark?.line ?? line, key: name)
      }
      guard let number = Self.number(value, in: range) else {
        throw ConfigurationError(reason: .wrongValue, line: line, key: name)
      }
      if group == "recording" { lowSpaceBytes = Int64(number) * 1_000_000_000 } else { unreviewedDays = number }
    }
  }
}
