import Foundation
import Glibc

/// `tongke serve` in a process of its own, and the commands that ask it.
final class ServedRelay {
  /// Where files of this run may lie; deleted at the end.
  let folder: URL
  let base: String
  let token: String
  private let process: Process
  private let executable: URL

  /// Starts it empty and waits until it is ready.
  init() async throws {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    executable = own.deletingLastPathComponent().appending(path: "tongke")
    guard FileManager.default.isExecutableFile(atPath: executable.path) else {
      throw BenchError("\(executable.path) is missing: swift build -c release --product tongke")
    }
    folder = FileManager.default.temporaryDirectory.appending(path: "tongke-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let data = folder.appending(path: "data").path
    let configuration = folder.appending(path: "tongke.yaml")
    try #"{"https": "none", "udpPort": 0, "logLevel": "warning"}"#.write(
      to: configuration, atomically: true, encoding: .utf8)
    let port = try Self.freePort()
    base = "http://127.0.0.1:\(port)"
    process = Process()
    process.executableURL = executable
    process.arguments = [
      "serve", "--data", data, "--config", configuration.path, "--http", "127.0.0.1:\(port)",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.standardError
    try process.run()
    for _ in 0..<300 {
      if let answer = try? await Self.get(base + "/readyz"), answer == 200 { break }
      guard process.isRunning else { throw BenchError("the relay has ended") }
      try await Task.sleep(for: .milliseconds(50))
    }
    let issued = try Self.run(executable, ["token", "issue", "--data", data, "--days", "1"], environment: [:])
    token = String(decoding: issued.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func get(_ url: String) async throws -> Int {
    guard let url = URL(string: url) else { return 0 }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url.absoluteString]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Int(String(decoding: data, as: UTF8.self)) ?? 0
  }

  private static func freePort() throws -> Int {
    let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(handle) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(handle, $0, length) == 0 && getsockname(handle, $0, &length) == 0
      }
    }
    guard isBound else { throw BenchError("no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  struct Run {
    var seconds: Double
    var output: Data
    var status: Int32
  }

  /// The commands of a coordinator.
  struct Commands: Sendable {
    let executable: URL
    let environment: [String: String]

    /// One command of `tongke`, from the start of its process to its end.
    func run(_ arguments: [String]) throws -> Run {
      try ServedRelay.run(executable, arguments, environment: environment)
    }
  }

  var commands: Commands {
    Commands(
      executable: executable,
      environment: ["TONGKE_URL": base, "TONGKE_TOKEN": token, "HOME": folder.path])
  }

  func command(_ arguments: [String]) throws -> Run { try commands.run(arguments) }

  fileprivate static func run(_ executable: URL, _ arguments: [String], environment: [String: String]) throws -> Run {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      .merging(["LC_ALL": "C.UTF-8"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    let start = ContinuousClock.now
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let span = ContinuousClock.now - start
    return Run(seconds: span.seconds, output: data, status: process.terminationStatus)
  }

  /// The most memory it ever had, bytes of `VmHWM`.
  func peakBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      if fields.count > 1, let kilobytes = Int(fields[1]) { return kilobytes << 10 }
    }
    throw BenchError("the system tells no memory of a process")
  }

  /// Ends it in order and deletes what it wrote.
  func stop() {
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
