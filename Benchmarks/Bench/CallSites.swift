import CMeasure
import Foundation

/// Where counted calls come from, with the names of the functions where the machine has a tool that knows them.
enum CallSites {
  struct Site {
    var kind: String
    var count: UInt64
    /// Innermost first, in this executable only.
    var functions: [String]
  }

  static func begin() { tk_sites_begin() }

  /// Ends the gathering; the commonest places come first.
  static func end(limit: Int) -> [Site] {
    tk_sites_end()
    var found = [tk_site_count](repeating: tk_site_count(), count: limit)
    let count = Int(tk_sites_read(&found, Int32(limit)))
    let places = found[0..<count].map { site in
      let offsets = site.offsets
      return [offsets.0, offsets.1, offsets.2, offsets.3].filter { $0 != 0 }
    }
    let names = names(of: Set(places.joined()))
    return zip(found, places).map { site, offsets in
      Site(
        kind: String(cString: site.kind), count: site.count,
        functions: offsets.map { names[$0] ?? "+0x" + String($0, radix: 16) })
    }
  }

  /// By Swift's own symbolizer, where it is on the path.
  private static func names(of offsets: Set<UInt64>) -> [UInt64: String] {
    let sorted = offsets.sorted()
    let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    let addresses = sorted.map { "0x" + String($0, radix: 16) }
    guard !sorted.isEmpty,
      let text = output(
        "llvm-symbolizer --no-inlines --relative-address --functions=linkage --output-style=GNU -e '\(executable)' "
          + addresses.joined(separator: " ") + " | swift demangle --simplified")
    else { return [:] }
    // Two lines an address: the function, and its file and line.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count >= sorted.count * 2 else { return [:] }
    var names: [UInt64: String] = [:]
    for (index, offset) in sorted.enumerated() where lines[index * 2] != "??" {
      let place = lines[index * 2 + 1]
      let file = place.split(separator: "/").last.map(String.init) ?? place
      names[offset] = lines[index * 2] + (file.hasPrefix("??") ? "" : " (\(file))")
    }
    return names
  }

  private static func output(_ command: String) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
  }
}
