import ArgumentParser
import CMeasure
import Foundation
import Glibc

/// The SRTP profile that clients of a run speak.
enum BenchProfile: String, CaseIterable, ExpressibleByArgument, Codable, Sendable {
  case gcm, sha1

  /// What they offer, in OpenSSL's names; nil for all that browsers do.
  var offered: String? { self == .gcm ? nil : "SRTP_AES128_CM_SHA1_80" }
  var name: String { self == .gcm ? "AEAD_AES_128_GCM" : "AES_CM_128_HMAC_SHA1_80" }
  var baseline: tk_baseline_profile { self == .gcm ? TK_BASELINE_GCM : TK_BASELINE_SHA1 }
}

/// What sends the same packets without a relay; in a process of its own, told by standard input.
struct BaselineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline", abstract: "Sealing and sending alone; started by the others.", shouldDisplay: false)

  struct Plan: Codable, Sendable {
    var profile: BenchProfile
    var cipher: String
    /// Trains a frame is cut into on average; 0 for a system call for each packet.
    var trains: Double
    var bitsPerSecond: Int
    var seconds: Int
    /// Receivers of each lesson, in the order of the addresses.
    var lessons: [Int]
    var addresses: [UInt32]
    var ports: [UInt16]
    var processor: Int?
  }

  struct Outcome: Codable, Sendable {
    var packets: UInt64
    var trains: UInt64
    var refused: UInt64
    var processorSeconds: Double
    var lateMilliseconds: Double
    var microsecondsPerPacket: Double { processorSeconds * 1e6 / Double(max(packets, 1)) }
  }

  /// Bytes of header and extensions of a packet the relay writes: 12, and 20 of extensions.
  static let headerBytes: UInt32 = 32

  func run() throws {
    let plan = try JSONDecoder().decode(Plan.self, from: FileHandle.standardInput.readDataToEndOfFile())
    if let processor = plan.processor { _ = tk_pin_process(Int32(processor)) }
    // As the relay's media threads, where that is allowed.
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
    let receivers = zip(plan.addresses, plan.ports).map { tk_baseline_receiver(address: $0, port: $1) }
    var frames: [tk_baseline_frame] = []
    var first = 0
    for (place, count) in plan.lessons.enumerated() {
      let start = LessonPattern.frameInterval * Int64(place) / Int64(plan.lessons.count)
      frames += LessonPattern.baseline(
        bitsPerSecond: plan.bitsPerSecond, seconds: plan.seconds, start: start, receivers: first..<first + count,
        ssrc: LoadLoop.baselineSSRC, seed: UInt64(place) * 2 + 1)
      first += count
    }
    frames.sort { $0.at < $1.at }
    var command = tk_baseline_plan(
      profile: plan.profile.baseline,
      cipher: plan.cipher == "ipsec-mb" ? TK_BASELINE_MULTI_BUFFER : TK_BASELINE_OPENSSL, trains: plan.trains,
      header: Self.headerBytes)
    var result = tk_baseline_result()
    guard
      tk_baseline_run(&command, receivers, UInt32(receivers.count), frames, UInt32(frames.count), &result) == 0
    else { throw BenchError("the baseline cannot run") }
    let outcome = Outcome(
      packets: result.packets, trains: result.trains, refused: result.refused,
      processorSeconds: Double(result.processor_nanoseconds) / 1e9,
      lateMilliseconds: Double(result.late_nanoseconds) / 1e6)
    FileHandle.standardOutput.write(try JSONEncoder().encode(outcome) + Data("\n".utf8))
  }

  /// Runs one in a process of its own.
  static func start(_ plan: Plan) async throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["baseline"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    input.fileHandleForWriting.write(try JSONEncoder().encode(plan))
    try input.fileHandleForWriting.close()
    while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    guard process.terminationStatus == 0 else { throw BenchError("the baseline has failed") }
    return try JSONDecoder().decode(Outcome.self, from: answer)
  }
}
