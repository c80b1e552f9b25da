import ArgumentParser
import Foundation

/// A rate such as `2M`, `800k` or a plain number of bits a second.
struct BitRate: ExpressibleByArgument, Sendable {
  var bitsPerSecond: Int

  init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

  init?(argument: String) {
    let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6]
    let factor = argument.last.flatMap { factors[$0] }
    guard let value = Double(factor == nil ? argument : String(argument.dropLast())), value > 0, value < 1e9 else {
      return nil
    }
    bitsPerSecond = Int(value * (factor ?? 1))
  }

  var defaultValueDescription: String { "\(Double(bitsPerSecond) / 1e6)M" }
}

/// The options that `fanout`, `curve` and `cores` share.
struct FanoutOptions: ParsableArguments {
  @Option(help: "Bits a second of each publisher's pictures, such as 2M.")
  var bitrate = BitRate(bitsPerSecond: 2_000_000)
  @Option(help: "How a publisher lets go of a frame.") var pacing = Pacing.burst
  @Option(help: "The relay's coalescing window: milliseconds, auto or off.") var window: String?
  @Option(help: "Seconds of each measurement of the relay; the others take half of it.") var seconds = 20
  @Option(help: "SRTP profile of the receivers.") var profile = BenchProfile.gcm
  @Option(help: "Who seals: auto, openssl or ipsec-mb; for the baseline too.") var cipher = "auto"
  @Option(help: "Times that all are measured, alternating.") var rounds = 3
  @Option(help: "Seconds between the last join and the first measurement.") var settle = 8
  @Option(
    help: ArgumentHelp("A further line of the relay's configuration file.", valueName: "key: value"))
  var setting: [String] = []

  func validate() throws {
    guard (1...600).contains(seconds), (1...9).contains(rounds), (0...600).contains(settle),
      (100_000...20_000_000).contains(bitrate.bitsPerSecond)
    else { throw ValidationError("out of range") }
    guard ["auto", "openssl", "ipsec-mb"].contains(cipher) else {
      throw ValidationError("cipher is auto, openssl or ipsec-mb")
    }
    if let window, !["auto", "off", "0"].contains(window), !(1...20).contains(Int(window) ?? 0) {
      throw ValidationError("window is 1 to 20 milliseconds, auto or off")
    }
  }

  /// Lines of the relay's configuration file.
  func lines(workers: Int) -> [String] {
    [
      "admission: off", "workers: \(workers)", "cipher: \(cipher)",
      "coalescing: \(window == "0" ? "off" : window ?? "auto")",
    ] + setting
  }
}

/// Processors of this machine and what they have done, from `/proc/stat`.
enum Processors {
  static var count: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Seconds a processor has been busy and idle since the machine started, interrupts included.
  static func times(_ processor: Int) -> (busy: Double, idle: Double) {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return (0, 0) }
    for line in text.split(separator: "\n") where line.hasPrefix("cpu\(processor) ") {
      let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
      guard ticks.count >= 8 else { return (0, 0) }
      let idle = ticks[3] + ticks[4]
      return ((ticks[0..<8].reduce(0, +) - idle) / 100, idle / 100)
    }
    return (0, 0)
  }

  static var model: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
  }

  static var kernel: String {
    let text = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
    // What a distributor appends says nothing here.
    return text.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "-").first.map(String.init) ?? ""
  }
}
