import Foundation

/// The process that listens at a port, by `/proc`; other users' processes show to root alone.
package struct PortOwner: Equatable {
  package var name: String
  package var process: Int32

  package init(name: String, process: Int32) {
    self.name = name
    self.process = process
  }

  package static func find(port: UInt16, isUDP: Bool, proc: String = "/proc") -> PortOwner? {
    var sockets = Set<String>()
    for table in isUDP ? ["udp", "udp6"] : ["tcp", "tcp6"] {
      // A table tells no size and comes a page at a time; `String(contentsOfFile:)` takes the first for the whole.
      guard let data = try? FileHandle(forReadingAtPath: "\(proc)/net/\(table)")?.readToEnd() else { continue }
      let text = String(decoding: data, as: UTF8.self)
      sockets.formUnion(inodes(in: text, port: port, isUDP: isUDP).map { "socket:[\($0)]" })
    }
    guard !sockets.isEmpty, let entries = try? FileManager.default.contentsOfDirectory(atPath: proc) else {
      return nil
    }
    for entry in entries {
      guard let process = Int32(entry) else { continue }
      let folder = "\(proc)/\(entry)/fd"
      for descriptor in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + descriptor),
          sockets.contains(target)
        else { continue }
        let name = (try? String(contentsOfFile: "\(proc)/\(entry)/comm", encoding: .utf8)) ?? "?"
        return PortOwner(name: name.trimmingCharacters(in: .whitespacesAndNewlines), process: process)
      }
    }
    return nil
  }

  /// Inodes of a table's sockets at the port: column 2 is `ADDRESS:PORT` in hexadecimal, 4 the state (0A listens),
  /// 10 the inode (proc(5)).
  package static func inodes(in table: String, port: UInt16, isUDP: Bool) -> [String] {
    table.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 10, let colon = fields[1].lastIndex(of: ":"),
        UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port, isUDP || fields[3] == "0A"
      else { return nil }
      return String(fields[9])
    }
  }
}
