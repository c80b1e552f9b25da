import AsyncHTTPClient
import Foundation
import NIOCore

/// The relay under measurement: a child process with a lesson that has just begun.
final class RelayProcess {
  /// Where files of this run may lie; deleted at the end.
  let folder: URL
  let links: RelayCommand.Links
  private let process: Process
  private let input = Pipe()
  private let lines: LineReader

  /// Starts it and waits until it serves.
  init(receivers: Int, records: Bool = false) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tongke-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments =
      ["relay", "--receivers", String(receivers), "--data", folder.appending(path: "data").path]
      + (records ? ["--record"] : [])
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    lines = LineReader(output.fileHandleForReading)
    try process.run()
    links = try lines.next(as: RelayCommand.Links.self)
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
