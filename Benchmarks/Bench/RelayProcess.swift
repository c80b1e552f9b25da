import AsyncHTTPClient
import Foundation
import NIOCore

/// The relay under measurement: a child process with a lesson that has just begun.
final class RelayProcess {
  /// What a relay is started with beside its seats.
  struct Settings: Sendable {
    var records = false
    var lessons = 1
    /// Whole lines of the configuration file.
    var lines: [String] = []
    var processor: Int?
    var sessions: Int?
  }

  /// Where files of this run may lie; deleted at the end.
  let folder: URL
  let links: RelayCommand.Links
  private let process: Process
  private let input = Pipe()
  private let lines: LineReader

  convenience init(receivers: Int, records: Bool = false) throws {
    try self.init(receivers: receivers, settings: Settings(records: records))
  }

  /// Starts it and waits until it serves.
  init(receivers: Int, settings: Settings) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tongke-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    var arguments = ["relay", "--receivers", String(receivers), "--data", folder.appending(path: "data").path]
    arguments += ["--lessons", String(settings.lessons)]
    if settings.records { arguments.append("--record") }
    for line in settings.lines { arguments += ["--setting", line] }
    if let processor = settings.processor { arguments += ["--processor", String(processor)] }
    if let sessions = settings.sessions { arguments += ["--sessions", String(sessions)] }
    process.arguments = arguments
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    lines = LineReader(output.fileHandleForReading)
    try process.run()
    links = try lines.next(as: RelayCommand.Links.self)
  }

  /// Bytes of memory that are its own, and its share of what others use too.
  func proportionalBytes() throws -> Int { try memory("Pss") }

  /// Bytes of memory that stand for no file, which nobody else's coming and going changes.
  func anonymousBytes() throws -> Int { try memory("Pss_Anon") + memory("Pss_Shmem") }

  private func memory(_ field: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/smaps_rollup", encoding: .utf8)
    for line in text.split(separator: "\n") where line.hasPrefix(field + ":") {
      if let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) { return kilobytes << 10 }
    }
    throw BenchError("the system tells no memory of a process")
  }

  /// What it has used so far.
  func usage() throws -> RelayCommand.Usage {
    input.fileHandleForWriting.write(Data("usage\n".utf8))
    return try lines.next(as: RelayCommand.Usage.self)
  }

  /// Samples of `/metrics` by name and labels, such as `tongke_peers{worker="0"}`.
  func metrics() async throws -> [String: Double] {
    let response = try await HTTPClient.shared.execute(
      HTTPClientRequest(url: links.base + "/metrics"), timeout: .seconds(5))
    let text = String(buffer: try await response.body.collect(upTo: 8 << 20))
    var samples: [String: Double] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
        continue
      }
      samples[String(line[..<space])] = value
    }
    return samples
  }

  /// Ends it in order and deletes what it wrote.
  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}

/// Lines of JSON from a pipe; waits for each.
private final class LineReader {
  private let handle: FileHandle
  private var unread = Data()

  init(_ handle: FileHandle) { self.handle = handle }

  func next<Value: Decodable>(as type: Value.Type) throws -> Value {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        let line = unread[..<end]
        unread = Data(unread[(end + 1)...])
        return try JSONDecoder().decode(type, from: line)
      }
      let more = handle.availableData
      guard !more.isEmpty else { throw BenchError("the relay has ended") }
      unread += more
    }
  }
}
