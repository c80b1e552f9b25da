import Foundation

/// The processors this process may use.
package enum Processors {
  /// Their numbers, rising; `[0]` where the system does not tell.
  package static func given(status: String = "/proc/self/status") -> [Int] {
    let text = (try? String(contentsOfFile: status, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    let found = numbers(in: line?.drop { $0 != ":" }.dropFirst() ?? "")
    return found.isEmpty ? [0] : found
  }

  /// Reads a list as `0-3,8` (proc(5)); what is no number in 0…4,095 is passed over.
  package static func numbers(in list: some StringProtocol) -> [Int] {
    let limit = 0...4_095
    var found = Set<Int>()
    for part in list.split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { end in
        Int(end.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
      }
      guard ends.count <= 2, ends[0] <= ends[ends.count - 1], ends.allSatisfy(limit.contains) else { continue }
      found.formUnion(ends[0]...ends[ends.count - 1])
    }
    return found.sorted()
  }
}

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
