extension SocketAddress: CustomStringConvertible {
  /// Reads "192.0.2.1" or "2001:db8::1" (an IPv6 zone is not accepted); nil for anything else.
  public init?(address text: some StringProtocol, port: UInt16) {
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let (high, low) = Self.parseIPv6(text) else { return nil }
      self.init(family: .ipv6, high: high, low: low, port: port)
    } else {
      guard let value = Self.parseIPv4(text) else { return nil }
      self.init(ipv4: value, port: port)
    }
  }

  private static func parseIPv4(_ text: some StringProtocol) -> UInt32? {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }) else { return nil }
      let number = part.reduce(0) { $0 * 10 + UInt32($1 - 48) }
      guard number <= 255 else { return nil }
      value = value << 8 | number
    }
    return value
  }

  private static func parseIPv6(_ text: some StringProtocol) -> (UInt64, UInt64)? {
    guard text.utf8.count <= 45 else { return nil }
    var groups: [UInt16] = []
    var gap: Int?
    var rest = Substring(text)[...]
    if rest.hasPrefix("::") {
      gap = 0
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let part = rest.prefix { $0 != ":" }
      if part.contains(".") {
        guard part.endIndex == rest.endIndex, let value = parseIPv4(part) else { return nil }
        groups += [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
        rest = ""
        break
      }
      // A sign would be taken for part of the number.
      guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16)
      else {
        return nil
      }
      groups.append(group)
      rest = rest[part.endIndex...]
      guard !rest.isEmpty else { break }
      rest = rest.dropFirst()
      if rest.hasPrefix(":") {
        guard gap == nil else { return nil }
        gap = groups.count
        rest = rest.dropFirst()
      } else if rest.isEmpty {
        return nil
      }
    }
    guard groups.count <= 8, gap != nil ? groups.count < 8 : groups.count == 8 else { return nil }
    if let gap { groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap) }
    func word(_ start: Int) -> UInt64 { groups[start..<start + 4].reduce(0) { $0 << 16 | UInt64($1) } }
    return (word(0), word(4))
  }

  /// The address alone, IPv6 as RFC 5952 writes it.
  public var addressText: String {
    if family == .ipv4 {
      return (0..<4).map { String(high >> UInt64(56 - 8 * $0) & 0xFF) }.joined(separator: ".")
    }
    let groups = (0..<8).map { index in
      UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
    }
    var best = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8, groups[end] == 0 { end += 1 }
      if end - index > best.count, end - index >= 2 { best = index..<end }
      index = max(end, index + 1)
    }
    func text(_ range: Range<Int>) -> String { groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }

  public var description: String { family == .ipv4 ? "\(addressText):\(port)" : "[\(addressText)]:\(port)" }

  public var isLoopback: Bool {
    family == .ipv4 ? high >> 56 == 127 : high == 0 && low == 1
  }
  public var isLinkLocal: Bool {
    family == .ipv4 ? high >> 48 == 0xA9FE : high >> 54 == 0x3FA
  }
  public var isUnspecified: Bool { high == 0 && low == 0 }
}
