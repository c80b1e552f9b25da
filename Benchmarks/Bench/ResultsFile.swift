import Foundation

/// The generated sections of `Benchmarks/RESULTS.md`; what stands around them is written by hand.
enum ResultsFile {
  /// Replaces what lies between a section's marks; a file without them gets them at its end.
  static func write(section: String, _ text: String, to file: URL) throws {
    let begin = "<!-- \(section): written by tools/bench \(section) -->"
    let end = "<!-- end of \(section) -->"
    var contents = (try? String(contentsOf: file, encoding: .utf8)) ?? "# Results\n"
    let body = begin + "\n\n" + text.trimmingCharacters(in: .newlines) + "\n\n" + end
    if let from = contents.range(of: begin), let to = contents.range(of: end), from.upperBound <= to.lowerBound {
      contents.replaceSubrange(from.lowerBound..<to.upperBound, with: body)
    } else {
      contents += "\n" + body + "\n"
    }
    try contents.write(to: file, atomically: true, encoding: .utf8)
  }

  /// When and on what it was measured.
  static func machine(command: String, about: String) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "d MMMM yyyy"
    return """
      `\(command)` on \(format.string(from: Date())), commit \(commit); \(Processors.count) processors \
      (\(Processors.model)), Linux \(Processors.kernel); \(about).


      """
  }

  /// The commit that is checked out, with a mark when files differ from it.
  private static var commit: String {
    func git(_ arguments: [String]) -> String? {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["git"] + arguments
      let output = Pipe()
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      guard (try? process.run()) != nil else { return nil }
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }
    guard let name = git(["rev-parse", "--short=8", "HEAD"]), !name.isEmpty else { return "unknown" }
    // The measurement's own files change as it is written.
    let changed = git(["status", "--porcelain", "--untracked-files=no", "--", "Sources", "Package.swift"]) ?? ""
    return changed.isEmpty ? name : name + " with changes"
  }
}
