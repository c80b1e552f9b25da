extension RelayConfiguration {
  static let workerLimit = 64

  /// Media threads a relay of these processors starts.
  package func workerCount(processors: Int) -> Int {
    min(workers == 0 ? max(processors, 1) : workers, Self.workerLimit)
  }

  /// The ports of so many workers; empty when they are free ones. Those above 65,535 are left out.
  package func mediaPorts(workers: Int) -> [UInt16] {
    guard udpPort != 0 else { return [] }
    return (0..<workers).compactMap { UInt16(exactly: Int(udpPort) + $0) }
  }

  /// A port of the workers that HTTP or HTTPS has for TCP, so that media cannot; nil when there is none.
  package func sharedPort(workers: Int) -> UInt16? {
    mediaPorts(workers: workers).first { Int($0) == http.port || Int($0) == https?.port }
  }

  /// Whether workers listen for TCP: as configured, unless one of their ports is HTTP's.
  package func mediaTakesTCP(workers: Int) -> Bool { takesTCP && sharedPort(workers: workers) == nil }
}
