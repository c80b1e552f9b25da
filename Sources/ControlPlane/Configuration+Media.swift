import Yams

/// Which library seals packets.
public enum CipherChoice: String, Sendable, CaseIterable {
  /// The fastest that is there.
  case auto
  case openSSL = "openssl"
  case multiBuffer = "ipsec-mb"
}

/// How long a packet may wait for others of its receiver, so that they leave as one train.
public enum CoalescingChoice: Sendable, Equatable {
  /// By the worker's load: nothing while it is low, 5 ms at most.
  case auto
  case off
  /// 1…20.
  case milliseconds(Int)
}

/// Up to where joins are admitted; one that would bring the relay over a limit is refused.
public struct AdmissionLimits: Sendable, Equatable {
  /// Share of a worker's processor, percent, 10…100.
  public var processor = 80
  /// What the relay sends in all, Mbit/s; 0 is not limited.
  public var uplink = 0
  /// What a worker takes to send to everyone what is due, 99th percentile, milliseconds, 1…1,000.
  public var backlog = 8

  public init() {}
}

extension RelayConfiguration {
  /// Takes a key about media.
  /// - Returns: nil when the key is none of these, false when its value is wrong.
  mutating func applyMedia(_ name: String, _ value: Node) throws(ConfigurationError) -> Bool? {
    switch name {
    case "workers":
      guard let count = Self.number(value, in: 0...64) else { return false }
      workers = count
    case "pinWorkers":
      guard let pins = value.bool else { return false }
      pinsWorkers = pins
    case "hugePages":
      guard let wants = value.bool else { return false }
      wantsHugePages = wants
    case "cipher":
      guard let choice = value.string.flatMap(CipherChoice.init(rawValue:)) else { return false }
      cipher = choice
    case "segmentation":
      guard value.string == "auto" || value.string == "off" else { return false }
      segmentsTrains = value.string == "auto"
    case "coalescing":
      switch value.string {
      case "auto": coalescing = .auto
      case "off": coalescing = .off
      default:
        guard let window = Self.number(value, in: 1...20) else { return false }
        coalescing = .milliseconds(window)
      }
    case "tcp":
      guard let takes = value.bool else { return false }
      takesTCP = takes
    case "admission": return try applyAdmission(value)
    default: return nil
    }
    return true
  }

  private mutating func applyAdmission(_ value: Node) throws(ConfigurationError) -> Bool {
    if value.string == "off" {
      admission = nil
      return true
    }
    guard let mapping = value.mapping else { return false }
    var limits = AdmissionLimits()
    for (key, value) in mapping {
      let name = "admission." + (key.string ?? "")
      let line = key.mark?.line ?? 0
      let field: WritableKeyPath<AdmissionLimits, Int>
      let range: ClosedRange<Int>
      switch key.string {
      case "processor": (field, range) = (\.processor, 10...100)
      case "uplink": (field, range) = (\.uplink, 0...1_000_000)
      case "backlog": (field, range) = (\.backlog, 1...1_000)
      default: throw ConfigurationError(reason: .unknownKey, line: line, key: name)
      }
      guard let number = Self.number(value, in: range) else {
        throw ConfigurationError(reason: .wrongValue, line: value.mark?.line ?? line, key: name)
      }
      limits[keyPath: field] = number
    }
    admission = limits
    return true
  }
}
