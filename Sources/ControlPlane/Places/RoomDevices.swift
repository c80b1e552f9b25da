import Foundation

/// What a machine that stands in a room has to see, hear and be heard with, as Linux lists it.
///
/// Cameras are the capturing nodes of Video4Linux whose device file is there; microphones and speakers are ALSA's
/// devices of sound cards, without its own loopback. Names are made fit to be shown. At most 16 of each.
public struct RoomDevices: Sendable, Equatable {
  public var cameras: [String] = []
  public var microphones: [String] = []
  public var speakers: [String] = []

  static let limit = 16

  /// - Parameter root: `/`, or a folder in its place, for tests.
  public init(root: String = "/") {
    let base = root.hasSuffix("/") ? root : root + "/"
    cameras = Self.cameras(base)
    let sounds = Self.sounds(base)
    microphones = sounds.filter(\.captures).map(\.name).prefix(Self.limit).map(\.self)
    speakers = sounds.filter(\.plays).map(\.name).prefix(Self.limit).map(\.self)
  }

  private static func text(_ path: String) -> String? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    guard let data = try? handle.read(upToCount: 65_536) else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  private static func name(_ text: String) -> String {
    let name = text.onOneLine(limit: 120).trimmingCharacters(in: .whitespaces)
    return name.isEmpty ? "?" : name
  }

  private static func cameras(_ base: String) -> [String] {
    let folder = base + "sys/class/video4linux"
    let nodes = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let numbered = nodes.compactMap { node in
      node.hasPrefix("video") ? Int(node.dropFirst(5)).map { (node, $0) } : nil
    }
    return numbered.sorted { $0.1 < $1.1 }.compactMap { node, _ -> String? in
      // A camera has further nodes, for what is told about its pictures.
      let index = text("\(folder)/\(node)/index")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "0"
      guard index == "0", FileManager.default.fileExists(atPath: base + "dev/\(node)") else { return nil }
      return name(text("\(folder)/\(node)/name") ?? node)
    }.prefix(limit).map(\.self)
  }

  /// Lines such as `00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1` of `/proc/asound/pcm`.
  private static func sounds(_ base: String) -> [(name: String, plays: Bool, captures: Bool)] {
    (text(base + "proc/asound/pcm") ?? "").split(separator: "\n").compactMap { line in
      let parts = line.split(separator: ":", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count >= 4, !parts[1].lowercased().contains("loopback") else { return nil }
      let modes = parts.dropFirst(3)
      return (
        name(parts[1]), modes.contains { $0.hasPrefix("playback") }, modes.contains { $0.hasPrefix("capture") }
      )
    }
  }
}

/// How many segments of TCP this machine has sent, and sent again, since it runs: what is lost on the way out shows in
/// nothing else that programs are told.
public struct ResentSegments: Sendable, Equatable {
  public var sent: Int64
  public var again: Int64

  /// Nil where the kernel does not tell. `root` as for `RoomDevices`.
  public init?(root: String = "/") {
    let base = root.hasSuffix("/") ? root : root + "/"
    guard let text = try? String(contentsOfFile: base + "proc/net/snmp", encoding: .utf8) else { return nil }
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("Tcp:") }.map { $0.split(separator: " ") }
    guard lines.count == 2, let sentPlace = lines[0].firstIndex(of: "OutSegs"),
      let againPlace = lines[0].firstIndex(of: "RetransSegs"), lines[1].count == lines[0].count,
      let sent = Int64(lines[1][sentPlace]), let again = Int64(lines[1][againPlace])
    else { return nil }
    (self.sent, self.again) = (sent, again)
  }

  /// Permille of what was sent since another reading that was sent again; nil for less than 100 segments, and for
  /// counters that went back.
  public func permille(since earlier: ResentSegments) -> Int? {
    let (sent, again) = (sent - earlier.sent, again - earlier.again)
    guard sent >= 100, (0...sent).contains(again) else { return nil }
    return Int((again * 1_000 + sent / 2) / sent)
  }
}
